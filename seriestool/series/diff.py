# SPDX-License-Identifier: GPL-2.0-or-later
"""Mailed diffs as values: what `git apply` would read in a patch, and nothing that it would not.

The rules are those of git's apply.c. Hunks end where the numbers of their header say so, hence neither a mail
signature (`-- `) nor a list's footer is taken in.
"""

import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from typing import NoReturn

from msgspec import Struct, field

from seriestool.series.model import BinaryHunk, BinaryKind, DiffKind, FileDiff, Hunk, path_text
from seriestool.series.names import (
    find_header_name,
    find_name,
    find_traditional_name,
    is_epoch,
    is_null,
    is_unsafe_path,
)
from seriestool.util.errors import InputError

__all__ = ["is_unsafe_path", "parse_diff", "split_diff", "strip_level"]

_HUNK = re.compile(rb"@@ -(\d{1,18})(?:,(\d{1,18}))? \+(\d{1,18})(?:,(\d{1,18}))? @@ ?([^\r\n]*)")
_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{1,11}))?\s*", re.IGNORECASE)
_MODE = re.compile(rb"([0-7]{1,11})\s")
_NO_NEWLINE = 12  # `\ No newline ...` is at least so long in every language


def parse_diff(text: bytes) -> tuple[FileDiff, ...]:
    """The file diffs of one patch, in the order of the mail; () where it holds none.

    `text` may begin with anything (a commit message) and end with anything (a signature). Raises InputError, naming
    the line of `text`, where git says `corrupt patch`, and for a path that leaves the tree.
    """
    files = _DiffParser(text).files()
    level = _level(files)
    return tuple(_file_diff(file, level) for file in files)


def strip_level(text: bytes) -> int:
    """How many leading path components `git apply -p` has to strip: 1, or 0 for a diff made with --no-prefix."""
    return _level(_DiffParser(text).files())


def split_diff(text: bytes) -> tuple[bytes, ...]:
    """The text of each file diff, in the order of `parse_diff`; together they are `text` byte for byte.

    What stands before the first one goes with it, what stands behind one (a signature) with the one before.
    """
    parser = _DiffParser(text)
    starts = [file.line - 1 for file in parser.files()]
    if not starts:
        return ()
    bounds = [0, *starts[1:], None]
    pieces = [b"".join(parser.lines[start:end]) for start, end in pairwise(bounds)]
    if not text.endswith(b"\n"):
        pieces[-1] = pieces[-1].removesuffix(b"\n")
    return tuple(pieces)


class _RawFileDiff(Struct):
    """The lines of one file diff as they stand in the mail; names can be read once the strip level is known."""

    line: int
    git: bytes | None = None
    """What follows `diff --git `; None in a traditional diff."""
    minus: bytes | None = None
    plus: bytes | None = None
    source: bytes | None = None
    target: bytes | None = None
    kind: DiffKind | None = None
    old_mode: int | None = None
    new_mode: int | None = None
    old_blob: str | None = None
    new_blob: str | None = None
    hunks: list[Hunk] = field(default_factory=list)
    binary: BinaryKind | None = None
    binary_hunks: list[BinaryHunk] = field(default_factory=list)


class _DiffParser:
    """A cursor over the lines of a patch."""

    def __init__(self, text: bytes) -> None:
        # A mail whose last newline got lost is still a mail.
        self._lines = BytesIO(text if text.endswith(b"\n") else text + b"\n").readlines()
        self._at = 0

    def files(self) -> list[_RawFileDiff]:
        found: list[_RawFileDiff] = []
        while (file := self._find_header()) is not None:
            self._read_body(file)
            found.append(file)
        return found

    @property
    def lines(self) -> list[bytes]:
        """The lines, each with its end."""
        return self._lines

    def _peek(self, ahead: int = 0) -> bytes:
        at = self._at + ahead
        return self._lines[at] if at < len(self._lines) else b""

    def _find_header(self) -> _RawFileDiff | None:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(b"diff --git "):
                file = self._read_git_header()
                if file is not None:
                    return file
                continue
            if line.startswith(b"--- ") and self._peek(1).startswith(b"+++ ") and self._peek(2).startswith(b"@@ -"):
                self._at += 2
                return _RawFileDiff(self._at - 1, minus=_rest(line, 4), plus=_rest(self._peek(-1), 4))
            if line.startswith((b"diff --cc ", b"diff --combined ")):
                _fail("cannot apply the combined diff of a merge", self._at + 1)
            if line.startswith(b"@@ -") and _HUNK.match(line):
                _fail("patch fragment without header", self._at + 1)
            self._at += 1
        return None

    def _read_git_header(self) -> _RawFileDiff | None:
        file = _RawFileDiff(self._at + 1, git=_rest(self._lines[self._at], 11))
        self._at += 1
        while (line := self._peek()) and (entry := _find_entry(line)) is not None:
            word, read = entry
            read(file, _rest(line, len(word)), self._at + 1)
            self._at += 1
        # `diff --git` with nothing below it is prose, or a diff that changes nothing.
        return file if self._at > file.line else None

    def _read_body(self, file: _RawFileDiff) -> None:
        while self._peek().startswith(b"@@ -"):
            file.hunks.append(self._read_hunk())
        if file.hunks:
            return
        line = self._peek()
        if line.rstrip(b"\r\n") == b"GIT binary patch":
            self._at += 1
            file.binary = BinaryKind.PATCH
            file.binary_hunks = self._read_binary()
        elif line.startswith((b"Binary files ", b"Files ")) and line.rstrip(b"\r\n").endswith(b" differ"):
            self._at += 1
            file.binary = BinaryKind.DIFFER
        elif not _has_metadata(file):
            _fail("patch with only garbage", self._at + 1)

    def _read_hunk(self) -> Hunk:
        match = _HUNK.match(self._lines[self._at])
        if match is None:
            _fail("corrupt patch", self._at + 1)
        old_start, new_start = int(match[1]), int(match[3])
        old_lines, new_lines = int(match[2] or 1), int(match[4] or 1)
        self._at += 1
        lines = self._read_hunk_lines(old_lines, new_lines)
        return Hunk(
            old_start=old_start,
            old_lines=old_lines,
            new_start=new_start,
            new_lines=new_lines,
            section=match[5],
            lines=lines,
        )

    def _read_hunk_lines(self, old: int, new: int) -> tuple[bytes, ...]:
        found: list[bytes] = []
        lines, at, end, changes = self._lines, self._at, len(self._lines), 0
        while old > 0 or new > 0:
            if at >= end:
                _fail("corrupt patch", end + 1)
            line = lines[at]
            mark = line[:1]
            if mark == b" ":
                old -= 1
                new -= 1
            elif mark == b"-":
                old -= 1
                changes += 1
            elif mark == b"+":
                new -= 1
                changes += 1
            elif line in (b"\n", b"\r\n"):  # an empty context line whose blank was eaten
                line = b" " + line
                old -= 1
                new -= 1
            elif not _ends_incomplete(line, found):
                _fail("corrupt patch", at + 1)
            else:
                found[-1] = found[-1][:-1]
                at += 1
                continue
            found.append(line)
            at += 1
        if old < 0 or new < 0 or not changes:
            _fail("corrupt patch", at)
        if at < end and _ends_incomplete(lines[at], found):
            found[-1] = found[-1][:-1]
            at += 1
        self._at = at
        return tuple(found)

    def _read_binary(self) -> list[BinaryHunk]:
        forward = self._read_binary_hunk()
        if forward is None:
            _fail("unrecognized binary patch", self._at + 1)
        backward = self._read_binary_hunk()
        return [forward] if backward is None else [forward, backward]

    def _read_binary_hunk(self) -> BinaryHunk | None:
        match = re.match(rb"(literal|delta) (\d{1,18})\s", self._peek())
        if match is None:
            return None
        from base64 import b85decode

        parts: list[bytes] = []
        while (line := self._next()) not in (b"\n", b"\r\n"):
            text = line.rstrip(b"\r\n")
            size = _binary_length(text)
            # A length byte that does not fit its line would let decoded padding through.
            if len(text) % 5 != 1 or not 0 <= (len(text) - 1) // 5 * 4 - size <= 3:
                _fail("corrupt binary patch", self._at + 1)
            try:
                parts.append(b85decode(text[1:])[:size])
            except ValueError:
                _fail("corrupt binary patch", self._at + 1)
        self._at += 1
        return BinaryHunk(match[1].decode(), int(match[2]), b"".join(parts))

    def _next(self) -> bytes:
        self._at += 1
        if self._at >= len(self._lines):
            _fail("corrupt binary patch", self._at + 1)
        return self._lines[self._at]


def _ends_incomplete(line: bytes, found: list[bytes]) -> bool:
    return line[:2] == b"\\ " and len(line) >= _NO_NEWLINE and bool(found) and found[-1].endswith(b"\n")


def _binary_length(text: bytes) -> int:
    first = text[:1]
    if b"A" <= first <= b"Z":
        return first[0] - ord("A") + 1
    if b"a" <= first <= b"z":
        return first[0] - ord("a") + 27
    return -1


def _has_metadata(file: _RawFileDiff) -> bool:
    return file.kind is not None or (None not in (file.old_mode, file.new_mode) and file.old_mode != file.new_mode)


def _rest(line: bytes, start: int) -> bytes:
    return line[start:].rstrip(b"\r\n")


def _fail(message: str, line: int) -> NoReturn:
    raise InputError(f"{message} at line {line}", hint="the mail may have been changed on its way, or cut short")


# The lines below `diff --git`, each with what it says.

_Read = Callable[[_RawFileDiff, bytes, int], None]


def _set_kind(file: _RawFileDiff, kind: DiffKind, line: int) -> None:
    if file.kind not in (None, kind):
        _fail("inconsistent header lines", line)
    file.kind = kind


def _mode(value: bytes, line: int) -> int:
    match = _MODE.match(value + b"\n")
    if match is None:
        _fail("invalid mode", line)
    return _canonical(int(match[1], 8))


def _canonical(mode: int) -> int:
    kind = mode & 0o170000
    if kind == 0o100000:
        return 0o100755 if mode & 0o100 else 0o100644
    return kind if kind in (0o120000, 0o040000) else 0o160000


def _read_old_mode(file: _RawFileDiff, value: bytes, line: int) -> None:
    file.old_mode = _mode(value, line)


def _read_new_mode(file: _RawFileDiff, value: bytes, line: int) -> None:
    file.new_mode = _mode(value, line)


def _read_created(file: _RawFileDiff, value: bytes, line: int) -> None:
    _set_kind(file, DiffKind.CREATE, line)
    _read_new_mode(file, value, line)


def _read_deleted(file: _RawFileDiff, value: bytes, line: int) -> None:
    _set_kind(file, DiffKind.DELETE, line)
    _read_old_mode(file, value, line)


def _read_minus(file: _RawFileDiff, value: bytes, _line: int) -> None:
    file.minus = value


def _read_plus(file: _RawFileDiff, value: bytes, _line: int) -> None:
    file.plus = value


def _source_of(kind: DiffKind) -> _Read:
    def read(file: _RawFileDiff, value: bytes, line: int) -> None:
        _set_kind(file, kind, line)
        file.source = value

    return read


def _target_of(kind: DiffKind) -> _Read:
    def read(file: _RawFileDiff, value: bytes, line: int) -> None:
        _set_kind(file, kind, line)
        file.target = value

    return read


def _read_index(file: _RawFileDiff, value: bytes, line: int) -> None:
    match = _INDEX.fullmatch(value)
    if match is None:
        return
    file.old_blob, file.new_blob = _blob(match[1]), _blob(match[2])
    if match[3]:
        file.old_mode = _mode(match[3], line)


def _blob(oid: bytes) -> str | None:
    return oid.decode().lower() if oid.strip(b"0") else None


def _read_nothing(_file: _RawFileDiff, _value: bytes, _line: int) -> None:
    pass


_ENTRIES: tuple[tuple[bytes, _Read], ...] = (
    (b"--- ", _read_minus),
    (b"+++ ", _read_plus),
    (b"old mode ", _read_old_mode),
    (b"new mode ", _read_new_mode),
    (b"deleted file mode ", _read_deleted),
    (b"new file mode ", _read_created),
    (b"copy from ", _source_of(DiffKind.COPY)),
    (b"copy to ", _target_of(DiffKind.COPY)),
    (b"rename old ", _source_of(DiffKind.RENAME)),
    (b"rename new ", _target_of(DiffKind.RENAME)),
    (b"rename from ", _source_of(DiffKind.RENAME)),
    (b"rename to ", _target_of(DiffKind.RENAME)),
    (b"similarity index ", _read_nothing),
    (b"dissimilarity index ", _read_nothing),
    (b"index ", _read_index),
)


def _find_entry(line: bytes) -> tuple[bytes, _Read] | None:
    return next((entry for entry in _ENTRIES if line.startswith(entry[0])), None)


# Names, once all headers are known: a patch is --no-prefix as a whole or not at all.


def _level(files: list[_RawFileDiff]) -> int:
    git = [file for file in files if file.git is not None]
    if git:
        return 0 if all(_is_unprefixed(file) for file in git) else 1
    return 0 if any(_is_in_root(file) for file in files) else 1


def _is_unprefixed(file: _RawFileDiff) -> bool:
    """Whether `diff --git` names the file as it is: prefixes differ (a/ b/, i/ w/), so equal names have none."""
    if file.source is not None and file.target is not None:
        return file.git == file.source + b" " + file.target
    return find_header_name(file.git or b"", 0) is not None


def _is_in_root(file: _RawFileDiff) -> bool:
    names = [name for name in (file.minus, file.plus) if name is not None and not is_null(name)]
    return bool(names) and all(b"/" not in (find_traditional_name(name, 0) or b"/") for name in names)


def _file_diff(file: _RawFileDiff, level: int) -> FileDiff:
    kind, old, new = _traditional_names(file, level) if file.git is None else _git_names(file, level)
    for path in (old, new):
        if path is not None and is_unsafe_path(path):
            raise InputError(f"refusing unsafe path '{path_text(path)}' at line {file.line}")
    removed, added = sum(hunk.old_lines for hunk in file.hunks), sum(hunk.new_lines for hunk in file.hunks)
    if kind is DiffKind.CREATE and removed:
        _fail("new file depends on old contents", file.line)
    if kind is DiffKind.DELETE and added:
        _fail("deleted file still has contents", file.line)
    return FileDiff(
        kind=kind,
        old_path=old,
        new_path=new,
        old_blob=file.old_blob,
        new_blob=file.new_blob,
        old_mode=file.old_mode,
        new_mode=file.new_mode,
        hunks=tuple(file.hunks),
        binary=file.binary,
        binary_hunks=tuple(file.binary_hunks),
        may_create=_may_create(file, kind, removed),
    )


def _may_create(file: _RawFileDiff, kind: DiffKind, removed: int) -> bool:
    return file.git is None and kind is DiffKind.MODIFY and not removed and len(file.hunks) == 1


_Names = tuple[DiffKind, bytes | None, bytes | None]


def _git_names(file: _RawFileDiff, level: int) -> _Names:
    default = find_header_name(file.git or b"", level)
    kind = file.kind or DiffKind.MODIFY
    old = find_name(file.source, 0) if file.source is not None else None
    new = find_name(file.target, 0) if file.target is not None else None
    if kind is DiffKind.DELETE:
        old = default
    if kind is DiffKind.CREATE:
        new = default
    if file.minus is not None:
        old = _checked(file, file.minus, level, old, expects_null=kind is DiffKind.CREATE)
    if file.plus is not None:
        new = _checked(file, file.plus, level, new, expects_null=kind is DiffKind.DELETE)
    if old is None and new is None:
        old, new = default, default
    if (old is None and kind is not DiffKind.CREATE) or (new is None and kind is not DiffKind.DELETE):
        _fail("git diff header lacks filename information", file.line)
    return kind, old, new


def _checked(file: _RawFileDiff, value: bytes, level: int, known: bytes | None, expects_null: bool) -> bytes | None:
    if expects_null or is_null(value):
        if not (expects_null and is_null(value)):
            _fail("bad git-diff: /dev/null and the file mode line contradict each other", file.line)
        return None
    name = find_name(value, level)
    if name is None or (known is not None and known != name):
        _fail("bad git-diff: inconsistent filename", file.line)
    return name


def _traditional_names(file: _RawFileDiff, level: int) -> _Names:
    minus, plus = file.minus or b"", file.plus or b""
    if is_null(minus):
        return DiffKind.CREATE, None, _named(file, find_traditional_name(plus, level))
    if is_null(plus):
        return DiffKind.DELETE, _named(file, find_traditional_name(minus, level)), None
    name = _named(file, find_traditional_name(plus, level, find_traditional_name(minus, level)))
    if is_epoch(minus):
        return DiffKind.CREATE, None, name
    if is_epoch(plus):
        return DiffKind.DELETE, name, None
    return DiffKind.MODIFY, name, name


def _named(file: _RawFileDiff, name: bytes | None) -> bytes:
    if name is None:
        _fail("unable to find filename in patch", file.line)
    return name
