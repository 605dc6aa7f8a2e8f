# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob made of known versions of its file: all changes of two of them (`merge`), or some (`find_between`).

`merge` is the three-way merge that a branch had made. `find_between` looks between two versions: some of the changes
from one to the other are in the blob, some are not, as in a branch from the middle of a merge window. There are 2^n
subsets of n changes; the lines that mails pin at exact places leave few of them, and few changes tell most real blobs
from the nearest version. What comes out is only ever believed by its blob id.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations

from msgspec import Struct

from seriestool.base.prerequisites.patch_routes import Pins, SearchEffort
from seriestool.series.line_diff import DiffPart, compare_lines

MOST_NODES = 150_000
MOST_STATES = 5_000
MOST_LEAVES = 1_500
MOST_FLIPS = 2
_NODE = 8  # lines: what a node costs, against a content that is made

Lines = Sequence[bytes]
Change = tuple[int, int, tuple[bytes, ...]]
"""First line, line after the last, new lines."""
Accept = Callable[[Lines], bool]


def merge(base: Lines, ours: Lines, theirs: Lines) -> list[bytes] | None:
    """Both sides' changes to `base` together; None where they touch the same lines."""
    return join(base, changes(base, ours), changes(base, theirs))


def join(base: Lines, mine: Collection[Change], other: Collection[Change]) -> list[bytes] | None:
    """The same where the changes are known already."""
    merged: list[bytes] = []
    at = 0
    for start, stop, lines in sorted({*mine, *other}):
        if start < at:
            return None
        merged += base[at:start]
        merged += lines
        at = stop
    return [*merged, *base[at:]]


def changes(base: Lines, other: Lines) -> tuple[Change, ...]:
    """What turns `base` into `other`, in order."""
    found = []
    at = 0
    for part in compare_lines(base, other):
        if part.theirs is not None:
            found.append((at, at + len(part.ours), part.theirs))
        at += len(part.ours)
    return tuple(found)


class VersionSubset(Struct, frozen=True):
    """The content that was asked for: `changes` of the changes from the version `start` to the version `other`."""

    start: int
    other: int
    lines: Lines
    changes: int


def find_between(versions: Sequence[Lines], pins: Pins, accept: Accept, effort: SearchEffort) -> VersionSubset | None:
    """The content that `accept` takes; None where the search finds none.

    First those that differ from a version in one change, then in two, then all that the pins allow, the pair of
    versions between which they allow least first.
    """
    pairs = sorted(_pairs(versions, pins, accept, effort), key=lambda pair: pair[2].choices)
    for most in (1, MOST_FLIPS, None):
        for start, other, search in pairs:
            found = search.find(most)
            if found is not None:
                return VersionSubset(start, other, *found)
    return None


def _pairs(
    versions: Sequence[Lines], pins: Pins, accept: Accept, effort: SearchEffort
) -> Iterator[tuple[int, int, "_SubsetSearch"]]:
    for (start, ours), (other, theirs) in combinations(enumerate(versions), 2):
        search = _SubsetSearch(compare_lines(ours, theirs), pins, accept, effort)
        if search.choices:
            yield start, other, search
            yield other, start, search.swapped()


class _SubsetSearch:
    def __init__(self, parts: Sequence[DiffPart], pins: Pins, accept: Accept, effort: SearchEffort) -> None:
        self._parts = parts
        self._changes = sum(part.theirs is not None for part in parts)
        self._numbers = sorted(pins)
        self._pins = pins
        self._accept = accept
        self._effort = effort
        self._ways = self._count_ways()
        self.choices = self._ways[0].get(0, 0) if self._ways else 2**self._changes
        """How many subsets the pins allow."""

    def swapped(self) -> "_SubsetSearch":
        """The same search from the other version."""
        parts = [part if part.theirs is None else DiffPart(part.theirs, part.ours) for part in self._parts]
        return _SubsetSearch(parts, self._pins, self._accept, self._effort)

    def find(self, most: int | None) -> tuple[Lines, int] | None:
        """The lines of the first choice that is taken, of those with at most so many changes, and how many it has."""
        flips = self._changes if most is None else most
        for tried, choice in enumerate(self._walk(flips)):
            if tried > MOST_LEAVES or self._effort.is_spent:
                return None
            lines = self._build(choice)
            self._effort.spend(len(lines))
            if self._accept(lines):
                return lines, sum(choice)
        return None

    def _count_ways(self) -> list[dict[int, int]]:
        """For each part the lines where it can begin, and how many ways lead on from there with all pins kept.

        What stands above a line does not matter for what can stand below it: so 2^n choices are few states. Empty
        where they are too many.
        """
        reached = [{0}]
        left = MOST_STATES
        for part in self._parts:
            reached.append({end for line in reached[-1] for _, end in self._ends(part, line)})
            left -= len(reached[-1])
            if left < 0:
                return []
        last = self._numbers[-1] if self._numbers else -1
        ways = [dict.fromkeys((line for line in reached.pop() if line > last), 1)]
        for part, lines in zip(reversed(self._parts), reversed(reached), strict=True):
            below = ways[-1]
            onward = {line: sum(below.get(end, 0) for _, end in self._ends(part, line)) for line in lines}
            ways.append({line: count for line, count in onward.items() if count})
        return ways[::-1]

    def _ends(self, part: DiffPart, line: int) -> Iterator[tuple[bool, int]]:
        """(theirs?, the line after it) for each side of a part that may begin at `line`."""
        if self._fits(part.ours, line):
            yield False, line + len(part.ours)
        if part.theirs is not None and self._fits(part.theirs, line):
            yield True, line + len(part.theirs)

    def _walk(self, flips: int) -> Iterator[list[bool]]:
        """All choices (True: theirs) with at most so many changes that the pins do not contradict."""
        stack: list[tuple[int, int, list[bool], int]] = [(0, 0, [], flips)]
        for _ in range(MOST_NODES):
            if not stack or self._effort.is_spent:
                return
            self._effort.spend(_NODE)
            at, line, choice, flips = stack.pop()
            if at == len(self._parts):
                if line > (self._numbers[-1] if self._numbers else -1):
                    yield choice
                continue
            part = self._parts[at]
            for is_theirs, end in [*self._ends(part, line)][::-1]:
                if flips >= is_theirs and (not self._ways or end in self._ways[at + 1]):
                    taken = choice if part.theirs is None else [*choice, is_theirs]
                    stack.append((at + 1, end, taken, flips - is_theirs))

    def _fits(self, lines: Lines, start: int) -> bool:
        first = bisect_left(self._numbers, start)
        for number in self._numbers[first:]:
            if number >= start + len(lines):
                return True
            if self._pins[number] != lines[number - start]:
                return False
        return True

    def _build(self, choice: Sequence[bool]) -> list[bytes]:
        taken = iter(choice)
        lines: list[bytes] = []
        for part in self._parts:
            lines += part.ours if part.theirs is None or not next(taken) else part.theirs
        return lines
