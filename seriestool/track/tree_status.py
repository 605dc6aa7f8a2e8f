# SPDX-License-Identifier: GPL-2.0-or-later
"""A series on the tips of its trees, from the history index; only where it does not just apply is a merge tried.

The index says of all trees at once where the series applies, and after which commit it does not any more, so that
twenty tracked series on ten trees cost about as much as twenty questions to find-base.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seriestool.base import fit
from seriestool.base.find import find_base
from seriestool.base.history_region import HistoryRegion
from seriestool.base.preimage import disambiguate_blobs, find_preimage
from seriestool.base.prerequisites.prerequisite_search import rebuild_from_trees
from seriestool.base.search_context import SearchContext, TreeTip
from seriestool.base.verdict import FitLevel
from seriestool.git import ScratchRepository
from seriestool.rebase.patch_stack import PatchStack, SeriesBase, find_series_base, make_stack
from seriestool.rebase.rebase_result import Conflict, PatchResult, TreeResult
from seriestool.rebase.tree_rebaser import NoResolutions, Target, TreeRebaser
from seriestool.series.model import Outcome, Series
from seriestool.track.series_status import ApplyState, LandedPatch, TreeStatus

MOST_TREES = 16
_MOST_BEHIND = 3


class _AppliesRegions(NamedTuple):
    exact: HistoryRegion
    applying: HistoryRegion


def find_home_trees(series: Series, context: SearchContext, most: int = 8) -> tuple[str, ...]:
    """The trees on whose lines the series applies or applied, in the ground's order; the first one where none is."""
    regions = _find_regions(series, context)
    names = [
        tree_tip.tree.name for tree_tip in context.tree_tips if any(region.runs(tree_tip.tip) for region in regions)
    ]
    return tuple(names[:most] or [tree_tip.tree.name for tree_tip in context.tree_tips[:1]])


def find_tree_statuses(series: Series, names: Sequence[str] | None, context: SearchContext) -> tuple[TreeStatus, ...]:
    """How the series stands on the tips of the trees; where `names` is None, on those of the first MOST_TREES trees.

    Raises InputError where its patches contradict each other.
    """
    regions = _find_regions(series, context)
    known = {tree_tip.tree.name: tree_tip for tree_tip in context.tree_tips}
    wanted = list(dict.fromkeys(names)) if names is not None else list(known)[:MOST_TREES]
    found = {name: _plain(known[name], regions) if name in known else _absent(name) for name in wanted}
    open_tips = [known[name] for name, standing in found.items() if standing is None]
    if open_tips:
        with context.repository.scratch_repository() as scratch_repo:
            merged = _MergeTrial(series, regions, context, scratch_repo)
            found.update({tree_tip.tree.name: merged.look_at(tree_tip) for tree_tip in open_tips})
    return tuple(standing for standing in found.values() if standing is not None)


def _absent(name: str) -> TreeStatus:
    return TreeStatus(name, None, ApplyState.NO_TREE)


def _find_regions(series: Series, context: SearchContext) -> _AppliesRegions:
    preimage = disambiguate_blobs(find_preimage(series), context.history, context.contents)
    exact = fit.find_exact(context.history, preimage)
    applying = fit.find_applying(context.history, preimage, context.contents, context.posting(series))
    return _AppliesRegions(exact, applying.region)


def _plain(tree_tip: TreeTip, regions: _AppliesRegions) -> TreeStatus | None:
    """The standing where the series goes in as it is; None where a merge has to tell."""
    states = {ApplyState.EXACT: regions.exact, ApplyState.APPLIES: regions.applying}
    state = next((state for state, region in states.items() if tree_tip.tip in region), None)
    return TreeStatus(tree_tip.tree.name, tree_tip.tree.commit, state) if state else None


def _ended_by(tree_tip: TreeTip, region: HistoryRegion, context: SearchContext) -> str | None:
    """The commit on the tree's line after which the newest run of the region ends."""
    runs = region.runs(tree_tip.tip)
    return context.history.oid(runs[0].ended_by) if runs and runs[0].ended_by is not None else None


class _MergeTrial:
    """The series merged into trees that do not take it as it is; what it was made from is looked up once."""

    def __init__(
        self, series: Series, regions: _AppliesRegions, context: SearchContext, scratch_repo: ScratchRepository
    ) -> None:
        self._regions = regions
        self._context = context
        self._scratch_repo = scratch_repo
        self._stack: PatchStack = make_stack(series, _find_start(series, context), scratch_repo)

    def look_at(self, tree_tip: TreeTip) -> TreeStatus:
        """How the series stands on the tip of the tree."""
        target = Target(tree_tip.tree.name, tree_tip.tree.commit)
        result = TreeRebaser(target, self._context.history, self._scratch_repo, NoResolutions()).run(self._stack)
        landed = tuple(_landed(one) for one in result.patches if one.outcome is Outcome.ALREADY_MERGED)
        failing = next((one for one in result.patches if not one.is_in), None)
        conflict = failing.conflicts[0] if failing and failing.conflicts else None
        return TreeStatus(
            tree=tree_tip.tree.name,
            tip=tree_tip.tree.commit,
            state=_state(result, len(landed)),
            patch=failing.counter if failing else None,
            path=conflict.path if conflict else None,
            broke=self._broke(tree_tip, landed),
            behind=tuple(dict.fromkeys(_commits(conflict)))[:_MOST_BEHIND] if conflict else (),
            landed=landed,
        )

    def _broke(self, tree_tip: TreeTip, landed: Iterable[LandedPatch]) -> str | None:
        """The commit that ended it; that a patch of the series itself went in breaks nothing."""
        oid = _ended_by(tree_tip, self._regions.applying, self._context)
        return None if oid in {one.commit for one in landed} else oid


def _find_start(series: Series, context: SearchContext) -> SeriesBase | None:
    """What the series was made from, as far as the trees alone tell; the lists are not asked."""
    verdict = find_base(series, context)
    if verdict.level in (FitLevel.EXACT, FitLevel.APPLIES):
        return find_series_base(verdict, None)
    return find_series_base(verdict, rebuild_from_trees(verdict, context))


def _state(result: TreeResult, landed: int) -> ApplyState:
    if not result.is_clean:
        return ApplyState.CONFLICTS
    empty = sum(one.outcome is Outcome.EMPTY for one in result.patches)
    return ApplyState.MERGED if landed and landed + empty == len(result.patches) else ApplyState.MERGES


def _landed(result: PatchResult) -> LandedPatch:
    return LandedPatch(result.counter, result.merged_as, str(result.how))


def _commits(conflict: Conflict) -> Iterable[str]:
    yield from conflict.commits
    for place in conflict.places:
        yield from place.commits
