# SPDX-License-Identifier: GPL-2.0-or-later
"""Two changes of one file in the other order: whether that is possible, and what each looks like then.

A change is taken as the exact places at which `git apply` puts its hunks. Moved in front of another it keeps its lines
and its context, only the places shift: so `git rebase` would move it, and never to code elsewhere that looks alike.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from seriestool.series.hunks import Edit, MisplacedHunk, apply_edits, prepare_edits, split_lines
from seriestool.series.model import Hunk


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Lines that take the place of others, without context; `old` and `new` count lines."""

    start: int
    """0-based, in the file before the change."""
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class PlacedHunk:
    """A hunk where it stands in the file before the change: context and all."""

    start: int
    old: int
    new: int
    runs: tuple[ChangedLines, ...]
    is_at_start: bool
    """git takes it only at the very beginning of the file."""
    is_at_end: bool

    def shifted(self, by: int) -> "PlacedHunk":
        """The same hunk so many lines further down."""
        if not by:
            return self
        runs = tuple(replace(run, start=run.start + by) for run in self.runs)
        return replace(self, start=self.start + by, runs=runs)


FileChange = tuple[PlacedHunk, ...]
"""What one patch does to one file, from top to bottom."""


def find_change(content: bytes, hunks: Sequence[Hunk]) -> FileChange | None:
    """The hunks at their places in `content`; None where they have none, or cannot be told apart by lines."""
    edits = prepare_edits(hunks)
    lines = split_lines(content)
    placed = apply_edits(lines, edits)
    if isinstance(placed, MisplacedHunk) or not _is_plain(lines, edits, placed.places):
        return None
    return tuple(_spans(hunks, edits, placed.places))


def commute(first: FileChange, second: FileChange) -> tuple[FileChange, FileChange] | None:
    """`second` as it is before `first`, and `first` as it is on top of that; None where they do not commute.

    They do not where one changes a line that the other changes or has as context.
    """
    made = tuple(_made_by(first))
    starts = [span.start for span in made]
    if any(_is_in_the_way(one, two) for two in second for one in _touching(made, starts, two)):
        return None
    return _shifted(second, _LineShifts(made)), _put_on(first, made, _LineShifts(second))


def _is_plain(lines: Sequence[bytes], edits: Sequence[Edit], places: Sequence[int]) -> bool:
    """Whether the hunks stand one below the other, and a line without newline is the last of the file only."""
    end = 0
    size = len(lines)
    for edit, at in zip(edits, places, strict=True):
        if at < end or edit.is_loose:
            return False
        size += len(edit.new) - len(edit.old)
        end = at + len(edit.new)
    return all(not edit.is_ragged for edit in edits[:-1]) and (not edits[-1:] or not edits[-1].is_ragged or end == size)


def _spans(hunks: Sequence[Hunk], edits: Sequence[Edit], places: Sequence[int]) -> Iterator[PlacedHunk]:
    growth = 0
    for hunk, edit, at in zip(hunks, edits, places, strict=True):
        start = at - growth
        runs = tuple(_runs(hunk, start))
        yield PlacedHunk(
            start=start,
            old=len(edit.old),
            new=len(edit.new),
            runs=runs,
            is_at_start=edit.is_at_start,
            is_at_end=edit.is_at_end,
        )
        growth += len(edit.new) - len(edit.old)


def _runs(hunk: Hunk, start: int) -> Iterator[ChangedLines]:
    """The changed lines of a hunk between its lines of context."""
    at, old, new = start, 0, 0
    for line in hunk.lines:
        if len(line) < 2:  # as in `prepare_edits`: git passes over it
            continue
        if line[:1] == b" ":
            if old or new:
                yield ChangedLines(at, old, new)
            at, old, new = at + old + 1, 0, 0
        elif line[:1] == b"-":
            old += 1
        else:
            new += 1
    if old or new:
        yield ChangedLines(at, old, new)


def _made_by(change: FileChange) -> Iterator[PlacedHunk]:
    """The hunks seen from the other side: what they made, in the file after the change."""
    growth = 0
    for span in change:
        start = span.start + growth
        runs = []
        for run in span.runs:
            runs.append(ChangedLines(run.start + growth, run.new, run.old))
            growth += run.new - run.old
        yield PlacedHunk(
            start=start,
            old=span.new,
            new=span.old,
            runs=tuple(runs),
            is_at_start=span.is_at_start,
            is_at_end=span.is_at_end,
        )


def _touching(spans: Sequence[PlacedHunk], starts: Sequence[int], other: PlacedHunk) -> Sequence[PlacedHunk]:
    """Those of `spans` that overlap `other` or meet it, and perhaps one more; they stand one below the other."""
    low = max(bisect_left(starts, other.start) - 1, 0)
    return spans[low : bisect_right(starts, other.start + other.old)]


def _is_in_the_way(one: PlacedHunk, other: PlacedHunk) -> bool:
    """Whether either hunk changes what the other covers; both are in the coordinates of the file between them."""
    return any(_covers(one, run) for run in other.runs) or any(_covers(other, run) for run in one.runs)


def _covers(span: PlacedHunk, run: ChangedLines) -> bool:
    """Whether the run changes lines of the hunk, or parts its lines, or takes it from the end that it must stand at."""
    start, end = span.start, span.start + span.old
    if run.start < end and run.start + run.old > start:
        return True
    if run.old:
        return False
    return (run.start == start and span.is_at_start) or (run.start == end and span.is_at_end)


class _LineShifts:
    """By how many lines a change lengthens what is above a line."""

    def __init__(self, change: FileChange) -> None:
        runs = [run for span in change for run in span.runs]
        self._ends = [run.start + run.old for run in runs]
        self._sums = list(accumulate((run.new - run.old for run in runs), initial=0))

    def above(self, line: int) -> int:
        return self._sums[bisect_right(self._ends, line)]


def _shifted(change: FileChange, made: _LineShifts) -> FileChange:
    # `made` is the other change seen from its end: what it lengthens from there on, it has shortened on the way there.
    return tuple(span.shifted(made.above(span.start)) for span in change)


def _put_on(change: FileChange, made: FileChange, growth: _LineShifts) -> FileChange:
    return tuple(span.shifted(growth.above(seen.start)) for span, seen in zip(change, made, strict=True))
