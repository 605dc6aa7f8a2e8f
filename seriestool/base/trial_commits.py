# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a series that fits nowhere is tried: on each tree, the few commits that people would try."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seriestool.base.fit import PathCoverage
from seriestool.base.preimage import PreImage
from seriestool.base.rank import CommitAtTime, PostingTime
from seriestool.base.search_context import SearchContext, TreeTip

MOST_TREES = 16
MOST_TRIAL_COMMITS = 48


@dataclass(frozen=True, slots=True)
class TrialCommit:
    """A commit to try, the tree for which, and what it is."""

    position: int
    tree: str
    label: str


def find_trial_commits(
    ground: SearchContext, preimage: PreImage, cover: PathCoverage, posting: PostingTime
) -> tuple[TrialCommit, ...]:
    """For each tree its tip, its tip at the posting date, the tags around that date and the commit that has most of
    the expected blobs; each commit once, trees in their order."""
    found: dict[int, TrialCommit] = {}
    before = CommitAtTime(ground.history, posting.time)
    for place in ground.places[:MOST_TREES]:
        for point in _trial_commits_of(place, ground, preimage, cover, posting, before):
            found.setdefault(point.position, point)
    return tuple(found.values())[:MOST_TRIAL_COMMITS]


def _trial_commits_of(
    place: TreeTip,
    ground: SearchContext,
    preimage: PreImage,
    cover: PathCoverage,
    posting: PostingTime,
    before: CommitAtTime,
) -> Iterator[TrialCommit]:
    name, history = place.tree.name, ground.history
    yield TrialCommit(place.tip, name, ground.tags.get(place.tip, "tip"))
    tags = [position for position in ground.tags if history.on_line(place.tip).has(position)]
    earlier = [position for position in tags if history.time(position) <= posting.time]
    later = [position for position in tags if history.time(position) > posting.time]
    at_posting = _tip_at(place, before)
    if at_posting is not None:
        yield TrialCommit(at_posting, name, ground.tags.get(at_posting, "tip at the posting date"))
    if earlier:
        newest = max(earlier, key=history.depth)
        yield TrialCommit(newest, name, ground.tags[newest])
    if later:
        oldest = min(later, key=history.depth)
        yield TrialCommit(oldest, name, ground.tags[oldest])
    best = _best_covered(place, ground, preimage, cover, posting)
    if best is not None:
        yield TrialCommit(best, name, ground.tags.get(best, "most blobs"))


def _tip_at(place: TreeTip, before: CommitAtTime) -> int | None:
    """Where the tree's line stood when the series was sent."""
    position, _ = before.find(place.tip)
    return position if position >= 0 else None


def _best_covered(
    place: TreeTip, ground: SearchContext, preimage: PreImage, cover: PathCoverage, posting: PostingTime
) -> int | None:
    """The commit on the tree's line with most of the expected blobs, of equal ones the nearest to the posting."""
    history = ground.history
    count = _CoverageCounter(cover)
    changes = _changes_on_line(place, ground, preimage)
    return max(changes, key=lambda at: (count(at), -abs(history.time(at) - posting.time), -at), default=None)


def _changes_on_line(place: TreeTip, ground: SearchContext, preimage: PreImage) -> Iterable[int]:
    line = ground.history.on_line(place.tip)
    return {
        position
        for wanted in preimage.expectations
        for position, _ in ground.history.changes(wanted.path)
        if line.has(position)
    }


class _CoverageCounter:
    """How many paths fit at a position."""

    def __init__(self, cover: PathCoverage) -> None:
        self._pieces = cover.pieces
        self._starts = [start for start, _, _ in cover.pieces]

    def __call__(self, position: int) -> int:
        at = bisect_right(self._starts, position) - 1
        if at < 0 or position >= self._pieces[at][1]:
            return 0
        return self._pieces[at][2]
