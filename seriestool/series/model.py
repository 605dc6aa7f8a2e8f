# SPDX-License-Identifier: GPL-2.0-or-later
"""What was mailed, as frozen values: a series, its patches, their file diffs. No I/O, no judgement.

bytes for diffs, paths and file contents; str for message-ids (no angle brackets), object ids and trailers.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from msgspec import Struct

from seriestool.series.message.commit_message import CommitMessage, Trailer, message_below
from seriestool.util.json_struct import JsonStruct

SCHEMA: Final = 1
"""The version of every `to_dict()`; adding a key is not a new version."""


class DiffKind(StrEnum):
    """What a file diff does to its file."""

    MODIFY = "modify"
    CREATE = "create"
    DELETE = "delete"
    RENAME = "rename"
    COPY = "copy"


class BinaryKind(StrEnum):
    """What a diff of a binary file carries."""

    PATCH = "patch"
    """A `GIT binary patch` with its data."""
    DIFFER = "differ"
    """Only the line `Binary files a/x and b/x differ`: nothing that could be applied."""


class Hunk(Struct, frozen=True):
    """One hunk; `lines` keep their marker (b' ', b'+' or b'-') and their line end.

    A line without a final newline is followed by `\\ No newline at end of file` in the mail; here it simply
    has no newline.
    """

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    section: bytes
    lines: tuple[bytes, ...]

    @property
    def header(self) -> str:
        """The hunk as git names it: `@@ -1,2 +1,3 @@`."""
        return f"@@ -{self.old_start},{self.old_lines} +{self.new_start},{self.new_lines} @@"

    @property
    def added(self) -> Iterator[tuple[int, bytes]]:
        """(its number in the file after the patch, its text without marker and line end) of each added line."""
        number = self.new_start
        for line in self.lines:
            if line.startswith(b"+"):
                yield number, line[1:].rstrip(b"\r\n")
            number += not line.startswith(b"-")


class BinaryHunk(Struct, frozen=True):
    """One half of a `GIT binary patch`: the way forward, or the way back."""

    method: str
    """literal or delta."""
    size: int
    """Bytes of the data, once inflated, as the mail claims."""
    deflated: bytes


class FileDiff(Struct, frozen=True):
    """What one patch does to one file; paths have no `a/` or `b/` before them."""

    kind: DiffKind
    old_path: bytes | None
    """None where the file is created."""
    new_path: bytes | None
    """None where the file is deleted."""
    old_blob: str | None = None
    """Abbreviated id from the `index` line, lower case; None where there is no such line, or the file is new."""
    new_blob: str | None = None
    old_mode: int | None = None
    """Of the `old mode`, `deleted file mode` or `index` line."""
    new_mode: int | None = None
    """Of the `new mode` or `new file mode` line; None where the file keeps the mode that it has."""
    hunks: tuple[Hunk, ...] = ()
    binary: BinaryKind | None = None
    binary_hunks: tuple[BinaryHunk, ...] = ()
    """Forward, and mostly also the way back; only of BinaryKind.PATCH."""
    may_create: bool = False
    """Whether this MODIFY creates its file where it is absent: a diff without a git header that only adds lines."""

    @property
    def path(self) -> bytes:
        """The path to show: the new one, or the old one of a deleted file."""
        return self.new_path if self.new_path is not None else self.old_path or b""


class Prerequisite(Struct, frozen=True):
    """Work that the author says the series needs: kind is patch-id, message-id, change-id, base-commit, based-on
    or depends-on."""

    kind: str
    value: str


class BaseInfo(Struct, frozen=True):
    """What the author stated of the base; claims, not facts."""

    commit: str | None = None
    """The value of the base-commit trailer as it stands there, well-formed or not."""
    prerequisites: tuple[Prerequisite, ...] = ()


class _MailContent(Struct, frozen=True, eq=False):
    """What came as a mail: two are equal that say the same, whatever way their mails (`raw`) took."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _MailContent) and type(self) is type(other) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name != "raw")


class CoverLetter(_MailContent, frozen=True):
    """The mail 0/n."""

    msgid: str
    subject: str
    body: str
    raw: bytes = b""
    """The whole mail as it came."""


class Patch(_MailContent, frozen=True, dict=True):
    """One mailed patch."""

    msgid: str
    counter: int
    subject: str
    """Without the [PATCH ...] prefix: the first line of the commit message."""
    author_name: str
    author_email: str
    date: datetime
    """When the author wrote it; UTC."""
    message: str
    """The commit message below its subject, without what stands below `---`."""
    notes: str
    """What stands between `---` and the diff."""
    files: tuple[FileDiff, ...]
    diff: bytes
    """The diff as mailed, transfer encoding undone, from the first `diff --git` (or `---`) to the end."""
    raw: bytes = b""
    """The whole mail as it came, headers and transfer encoding included; empty where it did not come as a mail."""

    @cached_property
    def commit_message(self) -> CommitMessage:
        """The subject and what stands below it, line by line."""
        return message_below(self.subject, self.message)

    @property
    def trailers(self) -> tuple[Trailer, ...]:
        """The trailers of the commit message, in order, where git sees them."""
        return self.commit_message.trailers

    @cached_property
    def is_fix(self) -> bool:
        """Whether a Fixes tag of the commit message names a commit."""
        from seriestool.series.message.fixes import is_fix

        return is_fix(self.commit_message)


class Series(JsonStruct, frozen=True):
    """One version of a patch series, its patches in order."""

    msgid: str
    """Of the cover letter, or of the first patch where there is none."""
    subject: str
    version: int
    expected: int
    """How many patches the subjects promise."""
    patches: tuple[Patch, ...]
    cover: CoverLetter | None
    change_id: str | None
    base: BaseInfo
    prefixes: tuple[str, ...]
    """Words of the subject's bracket besides PATCH, version and counter: RFC, net-next."""
    posted: datetime
    """When the first mail of it was sent; UTC."""
    recipients: tuple[str, ...] = ()
    """Addresses of To and Cc, lower case, sorted."""
    titles: tuple[str, ...] = ()
    """Where the patches themselves are not at hand: their titles as a quoted cover letter lists them."""
    paths: tuple[bytes, ...] = ()
    """Where the patches themselves are not at hand: the files as a quoted diffstat lists them."""
    remarks: tuple[str, ...] = ()
    """What a reader should know of how it was put together: a partial reroll."""

    @property
    def missing(self) -> tuple[int, ...]:
        """The counters of the patches that were promised and are not there."""
        have = {patch.counter for patch in self.patches}
        return tuple(n for n in range(1, self.expected + 1) if n not in have)

    @property
    def touched(self) -> tuple[bytes, ...]:
        """Every path that the series touches, sorted."""
        seen = {
            path
            for patch in self.patches
            for diff in patch.files
            for path in (diff.old_path, diff.new_path)
            if path is not None
        }
        return tuple(sorted(seen or set(self.paths)))

    def to_dict(self) -> dict[str, object]:
        """The series as JSON shows it; paths decoded as UTF-8 with surrogate escapes."""
        return {
            "msgid": self.msgid,
            "subject": self.subject,
            "version": self.version,
            "patches": len(self.patches),
            "expected": self.expected,
            "missing": list(self.missing),
            "files": [path_text(path) for path in self.touched],
            "change_id": self.change_id,
            "posted": self.posted.isoformat(),
        }


def path_text(path: bytes) -> str:
    """The path as text for people and for JSON; bytes that are not UTF-8 become \\xNN, so it is always encodable."""
    return path.decode("utf-8", "backslashreplace")


class Outcome(StrEnum):
    """How one patch fared in a trial."""

    UNMODIFIED = "UNMODIFIED"
    MODIFIED = "MODIFIED"
    """It applies at an offset, or with a three-way merge."""
    EMPTY = "EMPTY"
    """It changes nothing (no diff in the mail)."""
    ALREADY_MERGED = "ALREADY_MERGED"
    CONFLICT = "CONFLICT"


class PatchFailure(Struct, frozen=True):
    """The place at which a patch does not apply."""

    path: bytes
    reason: str
    """One of: missing-file, exists, hunk, binary, mode, leaves-contents, unsafe-path."""
    hunk: int | None = None
    """1-based number of the first hunk that fails, where a hunk fails."""
    line: int | None = None
    """Line at which that hunk expects its first line."""
    expected: tuple[bytes, ...] = ()
    """Old lines of the hunk."""
    found: tuple[bytes, ...] = ()
    """Lines that stand there instead."""


class PatchOutcome(Struct, frozen=True):
    """How the patch `counter` fared: in order, after the patches before it, and alone on the bare commit."""

    counter: int
    outcome: Outcome | None
    """None where a patch before it conflicts, so that nothing can be said of the order."""
    offsets: int = 0
    """How many hunks applied away from the line they name."""
    failure: PatchFailure | None = None
    alone: Outcome | None = None
