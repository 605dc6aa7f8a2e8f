# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a series that fits nowhere is tried: on each tree, the few commits that people would try."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from msgspec import Struct

from seriestool.base.fit import PathCoverage
from seriestool.base.preimage import PreImage
from seriestool.base.rank import CommitAtTime, PostingTime
from seriestool.base.search_context import SearchContext, TreeTip

MOST_TREES = 16
MOST_TRIAL_COMMITS = 48


class TrialCommit(Struct, frozen=True):
    """A commit to try, the tree for which, and what it is."""

    position: int
    tree: str
    label: str


def find_trial_commits(
    context: SearchContext, preimage: PreImage, cover: PathCoverage, posting: PostingTime
) -> tuple[TrialCommit, ...]:
    """For each tree its tip, its tip at the posting date, the tags around that date and the commit that has most of
    the expected blobs; each commit once, trees in their order."""
    found: dict[int, TrialCommit] = {}
    before = CommitAtTime(context.history, posting.time)
    for tree_tip in context.tree_tips[:MOST_TREES]:
        for trial_commit in _trial_commits_of(
            tree_tip=tree_tip, context=context, preimage=preimage, cover=cover, posting=posting, before=before
        ):
            found.setdefault(trial_commit.position, trial_commit)
    return tuple(found.values())[:MOST_TRIAL_COMMITS]


def _trial_commits_of(
    tree_tip: TreeTip,
    context: SearchContext,
    preimage: PreImage,
    cover: PathCoverage,
    posting: PostingTime,
    before: CommitAtTime,
) -> Iterator[TrialCommit]:
    name, history = tree_tip.tree.name, context.history
    yield TrialCommit(tree_tip.tip, name, context.tags.get(tree_tip.tip, "tip"))
    tags = [position for position in context.tags if history.on_line(tree_tip.tip).has(position)]
    earlier = [position for position in tags if history.time(position) <= posting.time]
    later = [position for position in tags if history.time(position) > posting.time]
    at_posting = _tip_at(tree_tip, before)
    if at_posting is not None:
        yield TrialCommit(at_posting, name, context.tags.get(at_posting, "tip at the posting date"))
    if earlier:
        newest = max(earlier, key=history.depth)
        yield TrialCommit(newest, name, context.tags[newest])
    if later:
        oldest = min(later, key=history.depth)
        yield TrialCommit(oldest, name, context.tags[oldest])
    best = _best_covered(tree_tip=tree_tip, context=context, preimage=preimage, cover=cover, posting=posting)
    if best is not None:
        yield TrialCommit(best, name, context.tags.get(best, "most blobs"))


def _tip_at(tree_tip: TreeTip, before: CommitAtTime) -> int | None:
    """Where the tree's line stood when the series was sent."""
    position, _ = before.find(tree_tip.tip)
    return position if position >= 0 else None


def _best_covered(
    tree_tip: TreeTip, context: SearchContext, preimage: PreImage, cover: PathCoverage, posting: PostingTime
) -> int | None:
    """The commit on the tree's line with most of the expected blobs, of equal ones the nearest to the posting."""
    history = context.history
    count = _CoverageCounter(cover)
    changes = _changes_on_line(tree_tip, context, preimage)
    return max(changes, key=lambda at: (count(at), -abs(history.time(at) - posting.time), -at), default=None)


def _changes_on_line(tree_tip: TreeTip, context: SearchContext, preimage: PreImage) -> Iterable[int]:
    line = context.history.on_line(tree_tip.tip)
    return {
        position
        for wanted in preimage.expectations
        for position, _ in context.history.changes(wanted.path)
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
