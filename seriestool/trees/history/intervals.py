# SPDX-License-Identifier: GPL-2.0-or-later
"""Arithmetic of half-open intervals [start, stop) of positions: pure, and its cost depends on the intervals alone."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Segments = list[tuple[int, int]]
"""Disjoint, sorted intervals that do not touch."""


def carve(start: int, stop: int, hole: int, holes: Sequence[int], end_of: Sequence[int]) -> Segments:
    """What is left of [start, stop) without the holes in it, of which the one numbered `hole` is the first.

    `holes` are the sorted starts, and `end_of[start]` is where a hole ends. Holes nest or are disjoint, so that
    the outer one hides those inside it.
    """
    left: Segments = []
    while hole < len(holes) and (at := holes[hole]) < stop:
        if at > start:
            left.append((start, at))
        start = end_of[at]
        hole = bisect_left(holes, start, hole + 1)
    if start < stop:
        left.append((start, stop))
    return left


def union(intervals: Iterable[tuple[int, int]]) -> Segments:
    """The positions of all the intervals, which may overlap and come in any order."""
    merged: Segments = []
    last_start = last_stop = -1
    for start, stop in sorted(intervals):
        if start <= last_stop:
            last_stop = max(last_stop, stop)
            continue
        if last_start < last_stop:
            merged.append((last_start, last_stop))
        last_start, last_stop = start, stop
    if last_start < last_stop:
        merged.append((last_start, last_stop))
    return merged


def coverage(segment_lists: Iterable[Segments]) -> list[tuple[int, int, int]]:
    """How many of the lists hold at each position: sorted (start, stop, count), where count is above 0.

    Neighbours differ in their count. The cost is that of sorting the ends of the segments.
    """
    steps: dict[int, int] = {}
    for segments in segment_lists:
        for start, stop in segments:
            steps[start] = steps.get(start, 0) + 1
            steps[stop] = steps.get(stop, 0) - 1
    covered: list[tuple[int, int, int]] = []
    count = last = 0
    for position in sorted(steps):
        step = steps[position]
        if not step:
            continue
        if count:
            covered.append((last, position, count))
        count += step
        last = position
    return covered


class PositionSet:
    """The positions that were covered so far."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def has(self, position: int) -> bool:
        """Whether the position is covered."""
        at = bisect_right(self._starts, position) - 1
        return at >= 0 and position < self._stops[at]

    def add(self, start: int, stop: int) -> Segments:
        """The parts of [start, stop) that were not covered before; now they are."""
        first, last = bisect_left(self._stops, start), bisect_right(self._starts, stop)
        fresh: Segments = []
        at = start
        for known in range(first, last):
            if at < self._starts[known]:
                fresh.append((at, self._starts[known]))
            at = self._stops[known]
        if at < stop:
            fresh.append((at, stop))
        if fresh:
            self._stops[first:last] = [max(stop, at)]
            self._starts[first:last] = [min([start, *self._starts[first : first + 1]])]
        return fresh
