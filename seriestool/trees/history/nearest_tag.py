# SPDX-License-Identifier: GPL-2.0-or-later
"""`git describe --tags` from the index: the tag that says best where a commit is, and how many commits are on top.

As git does it (git-describe(1), "Search strategy"): from the commit down by date, until enough tags were met; of these
the one that leaves the fewest commits aside. Which commits that counts depends on the order in which they are met, so
equal dates, wrong clocks and the moment of giving up are all as in git.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection
from heapq import heappop, heappush

from seriestool.trees.history.history_index import History
from seriestool.trees.history.index_layer import IndexLayer

_CANDIDATES = 10
_SEEN = 1
_LATEST = 2**32 - 1


class DescribeUndecidedError(Exception):
    """What the index knows does not decide how git describes the commit, or git's versions do not agree."""


def find_nearest_tag(history: History, position: int, tags: Collection[str]) -> tuple[str, int] | None:
    """(id of the commit with the tag, number of commits on top of it), or None where it has no tag and none is below.

    `tags` are the ids of all objects with a tag. Raises OnlyGitKnowsError.
    """
    if (oid := history.oid(position)) in tags:
        return oid, 0
    if not tags:
        return None
    if history.manifest is None:
        raise DescribeUndecidedError("a window ends where its months do")
    walk = _Walk(history, position)
    found = walk.find_candidates(tags)
    if not found:
        return None
    best = walk.best(len(found))
    return history.oid(found[best]), walk.finish(best)


class _Walk:
    """A walk from a commit down its ancestors. A commit's flags tell which candidates it is known to be part of."""

    def __init__(self, history: History, start: int) -> None:
        self._layers = history.layers
        self._offsets = [layer.offset for layer in history.layers]
        self._merged: dict[int, int] = {}
        for layer in history.layers:
            self._merged.update(_further_parents(layer))
        self._several = _several(history.layers, self._merged)
        self._flags = {start: _SEEN}
        self._queue: list[int] = []
        self._pushed = 0
        self._popped: list[int] = []  # the flags of each commit, when it was met
        self._push(start)

    def find_candidates(self, tags: Collection[str]) -> list[int]:
        """The first commits with a tag that are met, in that order; git before 2.48 goes on to the one too many.

        Raises OnlyGitKnowsError where that makes a difference: we do not know which git it is.
        """
        enough = min(len(tags), _CANDIDATES)
        found: list[int] = []
        flags, queue, popped = self._flags, self._queue, self._popped
        early: int | None = None
        while queue:
            pos = heappop(queue) & _LATEST
            if early is None and len(found) == enough:
                early = self.best(enough)
                self._refuse_ties(pos)
            if self._oid(pos) in tags:
                if len(found) == _CANDIDATES:
                    self._push(pos)
                    break
                found.append(pos)
                flags[pos] |= 1 << len(found)
            mask = flags[pos]
            popped.append(mask)
            if not queue and mask == (2 << len(found)) - 1 and found:
                break  # what is below is part of all of them
            self._descend(pos, mask)
        if early is not None and early != self.best(len(found)):
            raise DescribeUndecidedError("versions of git differ")
        return found

    def best(self, count: int) -> int:
        """Which of the first `count` candidates has the fewest commits on top so far; of several, the first one."""
        return min(range(count), key=self._on_top)

    def _on_top(self, candidate: int) -> int:
        flag = 2 << candidate
        return sum(times for mask, times in Counter(self._popped).items() if not mask & flag)

    def finish(self, best: int) -> int:
        """How many commits are on top of the candidate, once all that are left are part of it."""
        flag, flags, queue = 2 << best, self._flags, self._queue
        on_top = self._on_top(best)
        loose = {pos for key in queue if not flags[pos := key & _LATEST] & flag}
        while loose:
            pos = heappop(queue) & _LATEST
            mask = flags[pos]
            if not mask & flag:
                loose.discard(pos)
                on_top += 1
            for parent, is_new in self._descend(pos, mask):
                if flags[parent] & flag:
                    loose.discard(parent)
                elif is_new:
                    loose.add(parent)
        return on_top

    def _descend(self, pos: int, mask: int) -> list[tuple[int, bool]]:
        """Hand the flags on to the parents: each one, and whether it is met for the first time."""
        flags = self._flags
        handed = []
        for parent in self._parents(pos):
            before = flags.get(parent)
            if before is None:
                flags[parent] = mask
                self._push(parent)
            else:
                flags[parent] = before | mask
            handed.append((parent, before is None))
        return handed

    def _parents(self, pos: int) -> tuple[int, ...]:
        layer = self._layer(pos)
        first = layer.parents[pos - layer.offset]
        if pos not in self._merged:
            return (first,) if first >= 0 else ()
        if pos not in self._several:
            return (first, self._merged[pos])
        others = self._several[pos]
        if len({self._time(parent) for parent in others}) < len(others):
            raise DescribeUndecidedError("the order of the parents decides, which the index does not know")
        return (first, *others)

    def _push(self, pos: int) -> None:
        time = self._time(pos)
        if not 0 < time < _LATEST:
            raise DescribeUndecidedError("the date may be another one: the index keeps 32 bits")
        self._pushed += 1
        heappush(self._queue, (_LATEST - time) << 64 | self._pushed << 32 | pos)

    def _refuse_ties(self, pos: int) -> None:
        """Where git gives up on a commit it puts it back, behind others of the same date."""
        if self._queue and _LATEST - (self._queue[0] >> 64) == self._time(pos):
            raise DescribeUndecidedError("versions of git differ in the order of commits")

    def _time(self, pos: int) -> int:
        layer = self._layer(pos)
        return layer.times[pos - layer.offset]

    def _oid(self, pos: int) -> str:
        layer = self._layer(pos)
        return layer.oid(pos - layer.offset).hex()

    def _layer(self, pos: int) -> IndexLayer:
        return self._layers[bisect_right(self._offsets, pos) - 1]


def _further_parents(layer: IndexLayer) -> "zip[tuple[int, int]]":
    return zip(layer.merge_children, layer.merge_parents, strict=True)


def _several(layers: tuple[IndexLayer, ...], last: dict[int, int]) -> dict[int, tuple[int, ...]]:
    """The further parents of the merges that have more than one of them."""
    if len(last) == sum(len(layer.merge_children) for layer in layers):
        return {}
    found: dict[int, tuple[int, ...]] = {}
    for layer in layers:
        for child, parent in _further_parents(layer):
            if last[child] != parent:
                found[child] = (*found.get(child, ()), parent)
    return {child: (*others, last[child]) for child, others in found.items()}
