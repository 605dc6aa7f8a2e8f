# SPDX-License-Identifier: GPL-2.0-or-later
"""Intervals, against sets of numbers."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seriestool.trees.history.intervals import PositionSet, Segments, carve, coverage, union

intervals = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))))


def numbers(segments: Segments) -> set[int]:
    return {number for start, stop in segments for number in range(start, stop)}


def is_tidy(segments: Segments) -> bool:
    ends = [end for segment in segments for end in segment]
    return ends == sorted(set(ends))


@given(intervals)
def test_union_holds_the_same_numbers_tidily(given_intervals: Segments) -> None:
    merged = union(given_intervals)
    assert numbers(merged) == numbers(given_intervals)
    assert is_tidy(merged)


@given(st.lists(intervals))
def test_coverage_counts_the_lists_that_hold(lists: list[Segments]) -> None:
    tidy = [union(one) for one in lists]
    counts = Counter(number for one in tidy for number in numbers(one))
    covered = coverage(tidy)
    assert {number: count for start, stop, count in covered for number in range(start, stop)} == counts
    assert all(start < stop and count > 0 for start, stop, count in covered)
    assert all(a[1] < b[0] or a[2] != b[2] for a, b in pairwise(covered))


def test_coverage_of_nothing_is_nothing() -> None:
    assert coverage([]) == []
    assert coverage([[], []]) == []


def test_coverage_does_not_cost_what_the_positions_span() -> None:
    assert coverage([[(0, 10**15)], [(5, 10**12)]]) == [(0, 5, 1), (5, 10**12, 2), (10**12, 10**15, 1)]


@given(intervals)
def test_cover_tells_what_is_new(given_intervals: Segments) -> None:
    cover = PositionSet()
    known: set[int] = set()
    for start, stop in given_intervals:
        fresh = cover.add(start, stop)
        assert numbers(fresh) == set(range(start, stop)) - known
        assert is_tidy(fresh) or not fresh
        known |= set(range(start, stop))
        assert {number for number in range(60) if cover.has(number)} == known


def test_carve_skips_holes_inside_holes() -> None:
    end_of = {2: 5, 3: 4, 7: 8, 20: 30}
    assert carve(0, 10, 0, [2, 3, 7, 20], end_of) == [(0, 2), (5, 7), (8, 10)]
    assert carve(2, 5, 1, [2, 3, 7, 20], end_of) == [(2, 3), (4, 5)]


def test_carve_leaves_nothing_of_what_is_all_hole() -> None:
    assert carve(2, 5, 0, [2], {2: 5}) == []
