# SPDX-License-Identifier: GPL-2.0-or-later
"""Where something holds in the history: a set of commits, and its runs along each line of first parents.

A region comes as sorted, disjoint intervals of positions in the history index. Only the commits that change one of the
paths asked about can begin or end a run, so everything here costs what those paths' changes cost, not what the
history does.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from seriestool.trees.history import History, roots

Interval = tuple[int, int]


class CommitRun(Struct, frozen=True):
    """A run on one line: positions of its oldest and newest commit, and of the commit that ended it, if one did."""

    oldest: int
    newest: int
    ended_by: int | None


class HistoryRegion:
    """The commits of `intervals`, with the places at which they begin and end.

    `events` are the positions of all commits that change one of the paths that decide about membership.
    """

    def __init__(self, history: History, intervals: Sequence[Interval], events: Iterable[int]) -> None:
        self.history = history
        self.intervals = tuple(intervals)
        self._starts = [start for start, _ in self.intervals]
        self._find_borders(events)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, position: int) -> bool:
        at = bisect_right(self._starts, position) - 1
        return at >= 0 and position < self.intervals[at][1]

    def _find_borders(self, events: Iterable[int]) -> None:
        """Tell the commits that enter the region from those that leave it."""
        history = self.history
        self.entries: list[int] = []
        self.exits: list[int] = []
        for position in sorted({*events, *roots(history)}):
            parent = history.parent(position)
            inside, was_inside = position in self, parent >= 0 and parent in self
            if inside and not was_inside:
                self.entries.append(position)
            elif was_inside and not inside:
                self.exits.append(position)

    def runs(self, tip: int) -> tuple[CommitRun, ...]:
        """The runs on the line of first parents that ends in `tip`, newest first."""
        history, line = self.history, self.history.on_line(tip)
        entries = [entry for entry in self.entries if line.has(entry)]
        if not entries:
            return ()
        depth = history.depth
        entries.sort(key=depth)
        exits = sorted((leaving for leaving in self.exits if line.has(leaving)), key=depth)
        ends: list[int | None] = [*exits, None]
        return tuple(
            CommitRun(entry, tip if end is None else history.parent(end), end)
            for entry, end in reversed(list(zip(entries, ends, strict=False)))
        )

    def side_runs(
        self, covered: "FirstParentLines", heads: Sequence[int], time: int, most: int
    ) -> tuple[CommitRun, ...]:
        """The runs that end off all covered lines: on topics that were merged, or on no branch at all.

        At most `most` of them: those that ended before `time` first, the nearest first. `heads`, sorted, are the
        positions at which lines may end without a commit after them: tags, branches rebased away. A topic merged into
        a commit of the region belongs to the run that the merge is in.
        """
        ends: dict[int, int | None] = dict.fromkeys(self._last_of(heads))
        ends |= dict.fromkeys(self._merged_heads())
        ends |= {self.history.parent(leaving): leaving for leaving in self.exits}
        away = {newest: self.history.time(newest) - time for newest in ends}
        near = sorted(ends, key=lambda newest: (away[newest] > 0, abs(away[newest]), newest))
        off = islice((newest for newest in near if not covered.has(newest)), most)
        return tuple(CommitRun(self._entry_of(newest), newest, ends[newest]) for newest in off)

    def _merged_heads(self) -> list[int]:
        """Tips of merged topics that are in the region, while no merge of them is."""
        inside: set[int] = set()
        outside: set[int] = set()
        for start, stop in self.intervals:
            for merge, head in self.history.merges_into(start, stop):
                (inside if merge in self else outside).add(head)
        return sorted(outside - inside)

    def _last_of(self, heads: Sequence[int]) -> Iterator[int]:
        """Those of the heads in the region after which no other head comes.

        Where one does, the line to it ends in the region, or leaves it after this head: another end is told of.
        """
        for head in heads:
            if head in self and not self._is_followed(head, heads):
                yield head

    def _is_followed(self, head: int, heads: Sequence[int]) -> bool:
        first, *others = self.history.descends(head)
        after = [(head + 1, first[1]), *others]
        return any(bisect_left(heads, start) < bisect_left(heads, stop) for start, stop in after)

    def _entry_of(self, position: int) -> int:
        """The entry of the run that `position` is in: the last one on the line to it."""
        line = self.history.on_line(position)
        before = self.entries[: bisect_right(self.entries, position)]
        return next(entry for entry in reversed(before) if line.has(entry))


class FirstParentLines:
    """Whether a position is on the line of one of some tips."""

    def __init__(self, history: History, tips: Iterable[int]) -> None:
        self._lines = [history.on_line(tip) for tip in tips]

    def has(self, position: int) -> bool:
        """Whether it is."""
        return any(line.has(position) for line in self._lines)
