# SPDX-License-Identifier: GPL-2.0-or-later
"""What an error means for a series: whether another try may help, and whose fault it is."""

import errno
import re
from collections.abc import Callable

from seriestool.bot.dialects import SchemaError, StoreError
from seriestool.bot.queue.handlers import StepResult, StepStatus
from seriestool.git import GitError
from seriestool.util.errors import NotFoundError, OutsideError, SeriestoolError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_FULL = re.compile(r"No space left on device|Disk quota exceeded|database or disk is full", re.IGNORECASE)
# What git says of objects, packs and refs that are not what they were.
_BROKEN = re.compile(
    r"is corrupt|is empty|bad object|bad tree|bad config|missing (?:blob|tree|commit|object)|unable to (?:read|unpack)|"
    r"could not parse|inflate|packfile .* (?:cannot be accessed|does not match|is far too short)|index file corrupt|"
    r"pack .* is (?:corrupted|unavailable)|not a git repository|invalid sha1 pointer|bad (?:object|sha1) file|"
    r"broken (?:ref|link)|failed to read (?:object|delta)|garbage at end|unresolved delta|bad ref for|"
    r"did not send all necessary objects|may be damaged|does not point to a valid object|unable to find|loose object",
    re.IGNORECASE,
)
_GONE = ("not a git repository", "no commits in")


def classify_error(error: Exception, log_crash: Callable[[BaseException], str]) -> StepResult:
    """What to do about the error; of a bug a log is written."""
    if isinstance(error, StoreError | SchemaError) or is_disk_full(error):
        return StepResult(StepStatus.LATER, _line(error))
    if is_repository_damaged(error):
        return StepResult(StepStatus.BROKEN, _line(error))
    if isinstance(error, OSError | OutsideError):
        return StepResult(StepStatus.AGAIN, _line(error))
    if isinstance(error, SeriestoolError):
        again = error.exit_code == OutsideError.exit_code
        return StepResult(StepStatus.AGAIN if again else StepStatus.FAILED, _line(error))
    return StepResult(StepStatus.FAILED, f"a bug: {_line(error)} ({_logged(error, log_crash)})")


def is_disk_full(error: BaseException) -> bool:
    """Whether a disk is full."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    said = f"{error.message}\n{error.stderr}" if isinstance(error, GitError) else str(error)
    return isinstance(error, OutsideError) and bool(_FULL.search(said))


def is_repository_damaged(error: BaseException) -> bool:
    """Whether git says that its repository is damaged, or that there is none any more."""
    if isinstance(error, NotFoundError):
        return error.message.startswith(_GONE)
    return isinstance(error, GitError) and bool(_BROKEN.search(f"{error.message}\n{error.stderr}"))


def _line(error: BaseException) -> str:
    if isinstance(error, SeriestoolError):
        return error.message[:1000]
    return f"{type(error).__name__}: {error}".partition("\n")[0][:1000]


def _logged(error: BaseException, log_crash: Callable[[BaseException], str]) -> str:
    try:
        return f"log: {log_crash(error)}"
    except OSError as problem:
        return f"and no log could be written: {problem}"
