# SPDX-License-Identifier: GPL-2.0-or-later
"""Two versions of a file taken apart: lines that both have, and changes.

Lines that stand once in both are matched first (patience diff, https://bramcohen.livejournal.com/73318.html), and what
is left between them by difflib: that alone takes a second for a file of 8,000 lines, most of which are `}` or empty.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

Lines = Sequence[bytes]

MOST_PAIRS = 40_000
"""Lines of the one times lines of the other: a larger gap without a line to hold on to is one change."""
_MOST_DEPTH = 12


class DiffPart(Struct, frozen=True):
    """Lines that both versions have (`theirs` is None), or a change: the lines of the one and of the other."""

    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...] | None = None


class _UnmatchedLines(Struct, frozen=True):
    """Lines `low` to `high` of ours, `start` to `stop` of theirs, that are not matched yet."""

    low: int
    high: int
    start: int
    stop: int
    depth: int = 0


def compare_lines(ours: Lines, theirs: Lines) -> tuple[DiffPart, ...]:
    """The parts of which `ours` is made on the one side and `theirs` on the other."""
    parts: list[DiffPart] = []
    a = b = 0
    for low, start, count in _blocks(ours, theirs):
        if low > a or start > b:
            parts.append(DiffPart(tuple(ours[a:low]), tuple(theirs[b:start])))
        a, b = low + count, start + count
        if count:
            parts.append(DiffPart(tuple(ours[low:a])))
    return tuple(parts)


def _blocks(ours: Lines, theirs: Lines) -> Iterator[tuple[int, int, int]]:
    """(first line of ours, first line of theirs, lines) of each run that both have, and an empty one at the end."""
    low = start = count = 0
    for a, b, lines in [*sorted(_matches(ours, theirs)), (len(ours), len(theirs), 0)]:
        if (a, b) == (low + count, start + count) and lines:
            count += lines
            continue
        if count:
            yield low, start, count
        low, start, count = a, b, lines
    yield low, start, count


def _matches(ours: Lines, theirs: Lines) -> Iterator[tuple[int, int, int]]:
    gaps = [_UnmatchedLines(0, len(ours), 0, len(theirs))]
    while gaps:
        gap, (head, tail) = _trimmed(ours, theirs, gaps.pop())
        if head:
            yield gap.low - head, gap.start - head, head
        if tail:
            yield gap.high, gap.stop, tail
        if gap.low == gap.high or gap.start == gap.stop:
            continue
        anchors = _anchors(ours, theirs, gap) if gap.depth < _MOST_DEPTH else []
        if anchors:
            ends = [*anchors, (gap.high, gap.stop)]
            begins = [(gap.low, gap.start), *((a + 1, b + 1) for a, b in anchors)]
            yield from ((a, b, 1) for a, b in anchors)
            gaps += [
                _UnmatchedLines(low=a, high=c, start=b, stop=d, depth=gap.depth + 1)
                for (a, b), (c, d) in zip(begins, ends, strict=True)
                if a < c and b < d
            ]
        else:
            yield from _closely(ours, theirs, gap)


def _trimmed(ours: Lines, theirs: Lines, gap: _UnmatchedLines) -> tuple[_UnmatchedLines, tuple[int, int]]:
    """The gap without the lines at both its ends that are the same, and how many these are."""
    limit = min(gap.high - gap.low, gap.stop - gap.start)
    head = next((n for n in range(limit) if ours[gap.low + n] != theirs[gap.start + n]), limit)
    limit -= head
    tail = next((n for n in range(limit) if ours[gap.high - 1 - n] != theirs[gap.stop - 1 - n]), limit)
    inner = _UnmatchedLines(
        low=gap.low + head, high=gap.high - tail, start=gap.start + head, stop=gap.stop - tail, depth=gap.depth
    )
    return inner, (head, tail)


def _anchors(ours: Lines, theirs: Lines, gap: _UnmatchedLines) -> list[tuple[int, int]]:
    """Lines that stand once on both sides, as many as are in the same order there."""
    mine = Counter(ours[gap.low : gap.high])
    other = Counter(theirs[gap.start : gap.stop])
    there = {theirs[b]: b for b in range(gap.start, gap.stop) if other[theirs[b]] == 1}
    pairs = [(a, there[ours[a]]) for a in range(gap.low, gap.high) if mine[ours[a]] == 1 and ours[a] in there]
    return _longest_rise(pairs)


def _longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs, in order, whose second numbers go up."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for number, (_, b) in enumerate(pairs):
        at = bisect_left(tops, b)
        before.append(ends[at - 1] if at else None)
        tops[at : at + 1] = [b]
        ends[at : at + 1] = [number]
    found = []
    last = ends[-1] if ends else None
    while last is not None:
        found.append(pairs[last])
        last = before[last]
    return found[::-1]


def _closely(ours: Lines, theirs: Lines, gap: _UnmatchedLines) -> Iterator[tuple[int, int, int]]:
    mine, other = ours[gap.low : gap.high], theirs[gap.start : gap.stop]
    if len(mine) * len(other) > MOST_PAIRS:
        return
    for a, b, count in SequenceMatcher(None, mine, other, autojunk=False).get_matching_blocks():
        if count:
            yield gap.low + a, gap.start + b, count
