# SPDX-License-Identifier: GPL-2.0-or-later
"""Where hunks go: exactly where plain `git apply` puts them, no fuzz, whitespace not ignored.

A hunk is looked for at the line that its header names (the new one: the hunks before it are applied already), then
at growing distance after and before it. One that starts at line 1 must stand at the beginning, one without context
behind it at the end. Lines that an earlier hunk wrote are never matched again.
"""

from collections.abc import Sequence
from io import BytesIO

from msgspec import Struct

from seriestool.series.model import Hunk


class Edit(Struct, frozen=True):
    """A hunk, made ready to be tried on many contents."""

    number: int
    """1-based place of the hunk in its file diff."""
    old_start: int
    expected: int
    """0-based line at which git looks first."""
    old: list[bytes]
    new: list[bytes]
    is_at_start: bool
    is_at_end: bool
    is_loose: bool
    """Whether the last of `old` is a context line without newline: to git it matches a line that only has blanks more,
    hence also the same line with a newline."""
    anchor: int
    """Which of `old` is the longest line (the one that stands in a file least often), but not a loose one."""
    is_ragged: bool
    """Whether it writes a line without newline, to which the line behind it may stick."""


class HunkPlacement(Struct, frozen=True):
    """The lines after all hunks, and how many hunks were not at their place."""

    lines: list[bytes]
    offsets: int
    places: tuple[int, ...] = ()
    """0-based line of each hunk, in the lines as the hunks before it left them."""


class MisplacedHunk(Struct, frozen=True):
    """The first hunk that finds no place, and the lines that stand where it belongs."""

    edit: Edit
    found: tuple[bytes, ...]


def split_lines(content: bytes) -> list[bytes]:
    """The lines of `content` with their newlines; only `\\n` ends a line."""
    return BytesIO(content).readlines()


def prepare_edits(hunks: Sequence[Hunk]) -> tuple[Edit, ...]:
    """The hunks of one file diff, ready for `apply_edits`."""
    return tuple(_edit(number, hunk) for number, hunk in enumerate(hunks, 1))


def apply_edits(lines: list[bytes], edits: Sequence[Edit]) -> HunkPlacement | MisplacedHunk:
    """What the edits make of `lines` (which stay as they are), or the first edit that finds no place."""
    written = list(lines)
    # The same lines, None for those that an edit wrote: None never equals a line, so they cannot be matched again.
    free: list[bytes | None] = list(lines)
    offsets = 0
    places = []
    for edit in edits:
        at = _place(free, edit)
        if at is None:
            return MisplacedHunk(edit, tuple(written[edit.expected : edit.expected + len(edit.old)]))
        end = at + len(edit.old)
        written[at:end] = edit.new
        free[at:end] = [None] * len(edit.new)
        offsets += at != edit.expected
        places.append(at)
    if any(edit.is_ragged for edit in edits):
        written = split_lines(b"".join(written))
    return HunkPlacement(written, offsets, tuple(places))


def _edit(number: int, hunk: Hunk) -> Edit:
    # An empty line is a context line of which blank and newline were both eaten: git passes over it.
    old = [line[1:] for line in hunk.lines if line[:1] != b"+" and len(line) > 1]
    new = [line[1:] for line in hunk.lines if line[:1] != b"-" and len(line) > 1]
    is_at_end = not hunk.lines or hunk.lines[-1][:1] != b" "
    is_loose = not is_at_end and bool(old) and not old[-1].endswith(b"\n")
    return Edit(
        number=number,
        old_start=hunk.old_start,
        expected=max(hunk.new_start - 1, 0),
        old=old,
        new=new,
        is_at_start=hunk.old_start <= 1,
        is_at_end=is_at_end,
        is_loose=is_loose,
        anchor=max(range(len(old) - is_loose), key=lambda at: len(old[at]), default=0),
        is_ragged=any(not line.endswith(b"\n") for line in new),
    )


def _place(free: list[bytes | None], edit: Edit) -> int | None:
    last = len(free) - len(edit.old)
    if edit.is_at_start or edit.is_at_end:
        at = 0 if edit.is_at_start else last
        fits = at == last or (0 <= at < last and not edit.is_at_end)
        return at if fits and _matches(free, edit, at) else None
    start = min(edit.expected, len(free))
    if _matches(free, edit, start):
        return start
    return _nearest(free, edit, start, last)


def _matches(free: list[bytes | None], edit: Edit, at: int) -> bool:
    there = free[at : at + len(edit.old)]
    if there == edit.old:
        return True
    if not edit.is_loose or len(there) != len(edit.old) or there[:-1] != edit.old[:-1]:
        return False
    line = there[-1]
    return line is not None and line.startswith(edit.old[-1]) and not line[len(edit.old[-1]) :].strip(b" \t\r\n")


def _nearest(free: list[bytes | None], edit: Edit, start: int, last: int) -> int | None:
    after = _first_match(free, edit, start + 1, last)
    # Something before the line has to be nearer than what stands after it: at the same distance git goes forward.
    lowest = 0 if after is None else max(0, start - (after - start) + 1)
    before = _last_match(free, edit, lowest, min(start - 1, last))
    return after if before is None else before


def _first_match(free: list[bytes | None], edit: Edit, low: int, high: int) -> int | None:
    if edit.is_loose and len(edit.old) == 1:
        return next((at for at in range(low, high + 1) if _matches(free, edit, at)), None)
    anchor = edit.anchor
    line = edit.old[anchor]
    while low <= high:
        try:
            low = free.index(line, low + anchor, high + anchor + 1) - anchor
        except ValueError:
            return None
        if _matches(free, edit, low):
            return low
        low += 1
    return None


def _last_match(free: list[bytes | None], edit: Edit, low: int, high: int) -> int | None:
    """The last place from `low` to `high`: searched in blocks from the end, for a list has no rindex."""
    block = 256
    while low <= high:
        start = max(low, high - block + 1)
        found = None
        at = _first_match(free, edit, start, high)
        while at is not None:
            found = at
            at = _first_match(free, edit, at + 1, high)
        if found is not None:
            return found
        high = start - 1
        block *= 4
    return None
