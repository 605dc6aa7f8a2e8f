# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits for which the same holds, tree by tree, the likeliest base first."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from seriestool.base import rank
from seriestool.base.history_region import CommitRun, FirstParentLines, HistoryRegion
from seriestool.base.preimage import PreImage
from seriestool.base.rank import PostingTime
from seriestool.base.search_context import SearchContext, TreeTip
from seriestool.base.verdict import Candidate, CommitRange, FitLevel, StatedBase

MOST_SIDE_RUNS = 200
"""Runs off all trees' lines that are told, those nearest to the posting first."""


class CandidateRanker:
    """What a region of the history means to people: for each tree its best commit and all its ranges."""

    def __init__(self, preimage: PreImage, context: SearchContext, posting: PostingTime) -> None:
        self.preimage = preimage
        self.context = context
        self.posting = posting
        self._before = rank.CommitAtTime(context.history, posting.time)

    def ranked(self, level: FitLevel, region: HistoryRegion, stated: StatedBase | None) -> tuple[Candidate, ...]:
        """Those whose commit is still here, best first: a true statement, then the trees before the posting, then
        what is off the trees' lines, then the trees after the posting."""
        found = [(tree_tip, runs) for tree_tip in self.context.tree_tips if (runs := region.runs(tree_tip.tip))]
        by_tree = [self._candidate_of(tree_tip, runs, level) for tree_tip, runs in found]
        side = self._side_candidate(region, found, level)
        ranked = sorted(by_tree, key=lambda candidate: not self._is_before(candidate))
        if side is not None:
            after = next((n for n, other in enumerate(ranked) if not self._is_before(other)), len(ranked))
            ranked.insert(after if self._is_before(side) else len(ranked), side)
        return self._here(self._stated_first(tuple(ranked), level, stated))

    def _here(self, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """Those whose commit can be used: the index remembers commits of branches that git has thrown away since."""
        found = self.context.repository.objects.check([candidate.commit for candidate in candidates])
        return tuple(candidate for candidate, here in zip(candidates, found, strict=True) if here)

    def _candidate_of(self, tree_tip: TreeTip, runs: Sequence[CommitRun], level: FitLevel) -> Candidate:
        best = rank.likeliest(self.context.history, runs, self.posting, self._before)
        return self._candidate(tree_tip.tree.name, best, level, runs)

    def _side_candidate(
        self, region: HistoryRegion, found: Iterable[tuple[TreeTip, Sequence[CommitRun]]], level: FitLevel
    ) -> Candidate | None:
        """What fits off the lines of all trees: on merged topics, on other refs, on branches rebased away."""
        history = self.context.history
        covered = FirstParentLines(history, [tree_tip.tip for tree_tip, _ in found])
        runs = region.side_runs(covered, history.tips, self.posting.time, MOST_SIDE_RUNS)
        likely = (rank.likeliest(history, [run], self.posting, self._before) for run in runs)
        best = rank.nearest(history, likely, self.posting)
        return None if best is None else self._candidate(None, best, level, runs)

    def _candidate(self, tree: str | None, position: int, level: FitLevel, runs: Sequence[CommitRun]) -> Candidate:
        history = self.context.history
        expected = len(self.preimage)
        matched = expected if level is FitLevel.EXACT else self.preimage.matched_at(history, position)
        ranges = tuple(self._range(run) for run in runs)
        oid = history.oid(position)
        return Candidate(
            tree=tree,
            commit=oid,
            verdict=level,
            matched=matched,
            expected=expected,
            ranges=ranges,
            outcomes=(),
            label=self.context.tag_names.get(oid),
        )

    def _range(self, run: CommitRun) -> CommitRange:
        history = self.context.history
        count = history.depth(run.newest) - history.depth(run.oldest) + 1
        made_by = history.oid(run.oldest) if history.parent(run.oldest) >= 0 else None
        ended_by = history.oid(run.ended_by) if run.ended_by is not None else None
        return CommitRange(
            oldest=history.oid(run.oldest),
            newest=history.oid(run.newest),
            commits=count,
            made_by=made_by,
            ended_by=ended_by,
        )

    def _is_before(self, candidate: Candidate) -> bool:
        position = self.context.history.find(candidate.commit)
        return position is not None and rank.is_before(self.context.history, position, self.posting)

    def _stated_first(
        self, candidates: tuple[Candidate, ...], level: FitLevel, stated: StatedBase | None
    ) -> tuple[Candidate, ...]:
        """The author's own base comes first where it is true."""
        if stated is None or stated.verdict is not level:
            return candidates
        position = self.context.history.find(stated.commit)
        if position is None:
            return candidates
        oid = self.context.history.oid(position)
        same = [found for found in candidates if found.tree == stated.tree]
        first = replace(same[0], commit=oid, label="stated") if same else None
        first = first or replace(self._candidate(stated.tree, position, level, ()), label="stated")
        return (first, *(found for found in candidates if not same or found is not same[0]))
