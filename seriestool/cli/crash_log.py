# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of a bug: what a maintainer needs to find it, in a file that the user can attach."""

import os
import platform
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from seriestool import __version__, git
from seriestool.cli.user_folders import state_dir


def write_crash_log(error: BaseException, argv: Sequence[str]) -> Path:
    """The log, written below $XDG_STATE_HOME; readable by the user only. Raises OSError."""
    folder = state_dir()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.log"
    lines = [
        f"seriestool {__version__}",
        f"python {platform.python_version()} on {platform.platform()}",
        git.version() or "git: not found",
        f"arguments: {list(argv)!r}",
        "",
        "".join(traceback.format_exception(error)),
    ]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write("\n".join(lines))
    return path


def log_bot_crash(error: BaseException) -> str:
    """The path of the log of a bug in `bot run`, also of one in a process that makes reports."""
    return str(write_crash_log(error, ["bot", "run"]))
