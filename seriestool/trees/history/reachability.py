# SPDX-License-Identifier: GPL-2.0-or-later
"""Wider questions to the index: which tips hold a commit, and where a path is in which state, asked in part."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from seriestool.trees.history.history_index import History
from seriestool.trees.history.index_layer import IndexLayer
from seriestool.trees.history.intervals import PositionSet, Segments, carve

Piece = tuple[int, int, int]
"""(start, stop, value): the path has that value in [start, stop)."""


def roots(history: History) -> list[int]:
    """The positions of all commits without a parent in the index."""
    return [layer.offset + root for layer in history.layers for root in _own_roots(layer)]


def _own_roots(layer: IndexLayer) -> list[int]:
    return list(layer.roots[: bisect_left(layer.hang_off, 0)])


def pieces_within(history: History, within: Segments, path: bytes) -> list[Piece]:
    """The values of the path at the positions of `within`, sorted by position."""
    return list(_overlap(within, sorted(_pieces(history, path))))


def _pieces(history: History, path: bytes) -> list[Piece]:
    """The value of the path at every commit, as pieces of all positions."""
    found: list[Piece] = []
    for layer in history.layers:
        found += list(_pieces_in(layer, path, [(-1, 0, 0), *found]))
    return found


def _pieces_in(layer: IndexLayer, path: bytes, below: Iterable[Piece]) -> Iterator[Piece]:
    span = layer.changes(path)
    holes = list(layer.positions[span.start : span.stop])
    values = list(layer.values[span.start : span.stop])
    offset, ends = layer.offset, layer.ends
    for start, stop, value in below:
        for first, last in _hanging(layer, start, stop):
            for left, right in carve(start=first, stop=last, hole=bisect_left(holes, first), holes=holes, end_of=ends):
                yield offset + left, offset + right, value
    for number, (at, value) in enumerate(zip(holes, values, strict=True), 1):
        for left, right in carve(start=at, stop=ends[at], hole=number, holes=holes, end_of=ends):
            yield offset + left, offset + right, value


def _hanging(layer: IndexLayer, start: int, stop: int) -> Segments:
    """The part of the layer that hangs off commits in [start, stop), counted from the layer's start."""
    first = bisect_left(layer.hang_off, start)
    last = bisect_left(layer.hang_off, stop, first)
    if first == last:
        return []
    return [(layer.roots[first], layer.roots[last] if last < len(layer.roots) else len(layer))]


def _overlap(within: Segments, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The parts of the pieces that lie in `within`; both sorted."""
    at = 0
    for start, stop, value in pieces:
        while at < len(within) and within[at][1] <= start:
            at += 1
        here = at
        while here < len(within) and within[here][0] < stop:
            yield max(start, within[here][0]), min(stop, within[here][1]), value
            here += 1


def tips_containing(history: History, position: int, tips: Iterable[int]) -> set[int]:
    """Those of the tips from which the commit can be reached, along any parents."""
    wanted = sorted(set(tips))
    held: set[int] = set()
    cover = PositionSet()
    waiting = [position]
    heapify(waiting)
    while waiting and len(held) < len(wanted):
        reached = heappop(waiting)
        if cover.has(reached):
            continue
        for subtree in history.descends(reached):
            for start, stop in cover.add(*subtree):
                held.update(wanted[bisect_left(wanted, start) : bisect_left(wanted, stop)])
                for merge, _ in history.merges_into(start, stop):
                    heappush(waiting, merge)
    return held
