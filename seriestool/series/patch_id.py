# SPDX-License-Identifier: GPL-2.0-or-later
"""The stable patch-id of a mailed diff: what names the same change wherever it applies, and in whatever order of files.

The rules are those of `git patch-id --stable` (git-patch-id(1)) since git 2.39: white space, line numbers and text
around the diff do not count; a binary file counts by its blob ids.
"""

import hashlib
import re
from collections.abc import Iterable
from io import BytesIO

_SPACE = b" \t\n\r"  # what git calls so; it has its own isspace()
_NO_NEWLINE = 12  # `\ No newline ...` is longer than this
_HUNK = re.compile(rb"@@ -\d+(?:,(\d{1,9})\d*)? \+\d+(?:,(\d{1,9})\d*)?")
_NEXT_COMMIT = re.compile(rb"(?:commit |From )?[0-9a-fA-F]{40}")
_INDEX = re.compile(rb"index ([^\n]*?)\.\.([^ \n]*)")
_BINARY = (b"GIT binary patch", b"Binary files")
_SIZE = 20


def find_patch_id(diff: bytes) -> str | None:
    """The patch-id of a diff as 40 hex digits; None where git gives none (no line begins with `diff `)."""
    scan = _PatchIdScanner()
    for line in _lines(diff):
        if not scan.read(line):
            break
    return scan.result()


class _PatchIdScanner:
    """Reads the lines of one patch, and sums up the digests of its file diffs: their order does not count."""

    def __init__(self) -> None:
        self._total = 0
        self._held: list[bytes] = []
        self._has_begun = False
        self._before = self._after = -1  # lines that the hunk still has; -1 in the header of a file
        self._in_binary = False
        self._blobs = b""

    def read(self, line: bytes) -> bool:
        """Whether the patch goes on below this line."""
        mark = line[:1]
        if mark not in b"+- " and _NEXT_COMMIT.match(line):
            return False
        if not self._has_begun:
            self._has_begun = line.startswith(b"diff ")
            if not self._has_begun:
                return True
        if mark == b"\\" and line[:2] == b"\\ " and len(line) > _NO_NEWLINE:
            return True
        if self._in_binary:
            if line.startswith(b"diff "):  # which git does not count here
                self._in_binary, self._before = False, -1
            return True
        if self._before == 0 and self._after == 0:
            if match := _HUNK.match(line):
                self._before, self._after = int(match[1] or 1), int(match[2] or 1)
                return True
            if not line.startswith(b"diff "):
                return False
            self._flush(b"")
            self._before = self._after = -1
        if self._before == -1:
            return self._read_header(line)
        self._hold(line)
        return True

    def result(self) -> str | None:
        """The patch-id of what was read."""
        if not self._has_begun:
            return None
        self._flush(b"")
        return (self._total % (1 << 8 * _SIZE)).to_bytes(_SIZE, "little").hex()

    def _read_header(self, line: bytes) -> bool:
        if line.startswith(_BINARY):
            self._flush(self._blobs)
            self._in_binary, self._before = True, 0
            return True
        if line.startswith(b"index "):
            match = _INDEX.match(line)
            self._blobs = match[1] + match[2] if match else self._blobs
            return True
        if line.startswith(b"--- "):
            self._before = self._after = 1
        elif not line[:1].isalpha():
            return False
        self._hold(line)
        return True

    def _hold(self, line: bytes) -> None:
        mark = line[:1]
        if mark in (b"-", b" "):
            self._before -= 1
        if mark in (b"+", b" "):
            self._after -= 1
        self._held.append(line)

    def _flush(self, blobs: bytes) -> None:
        text = b"".join(self._held).translate(None, _SPACE) + blobs
        self._total += int.from_bytes(hashlib.sha1(text, usedforsecurity=False).digest(), "little")
        self._held = []


def _lines(diff: bytes) -> Iterable[bytes]:
    # git counts with strlen()
    return (line.partition(b"\0")[0] for line in BytesIO(diff)) if b"\0" in diff else BytesIO(diff)
