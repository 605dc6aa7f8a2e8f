# SPDX-License-Identifier: GPL-2.0-or-later
"""What all steps together say, in a word; pure."""

from seriestool.base.prerequisites.prerequisite_results import NeededPatch, NeededPatchState, RebuiltBase
from seriestool.base.verdict import FitLevel
from seriestool.check.protocol import Status
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.rebase.patch_stack import BaseKind
from seriestool.rebase.rebase_result import TreeResult
from seriestool.series.model import Outcome

_WAITING = (NeededPatchState.UNMERGED, NeededPatchState.SUPERSEDED)


def answer_of(precheck: Precheck) -> PrecheckAnswer:
    """The first of all answers that is true."""
    if find_merged(precheck) is not None:
        return PrecheckAnswer.MERGED
    if not applies_somewhere(precheck):
        return (
            PrecheckAnswer.WAITS
            if any(need.source == "stated" for need in needs_of(precheck))
            else PrecheckAnswer.NO_BASE
        )
    if is_waiting(precheck):
        return PrecheckAnswer.WAITS
    home = intended_tree(precheck)
    if home is not None and not home.is_clean:
        return PrecheckAnswer.CONFLICTS
    return PrecheckAnswer.TO_MEND if precheck.checks and precheck.checks.status is Status.FAIL else PrecheckAnswer.READY


def find_merged(precheck: Precheck) -> TreeResult | None:
    """The first tree that has all of it."""
    trees = precheck.matrix.trees if precheck.matrix else ()
    return next((tree for tree in trees if _has_all(tree)), None)


def intended_tree(precheck: Precheck) -> TreeResult | None:
    """The tree that it is for; where that is not here, or not known, the first that takes it stands for it."""
    trees = precheck.matrix.trees if precheck.matrix else ()
    if not trees or is_intended_tree(precheck, trees[0].name):
        return trees[0] if trees else None
    return next((tree for tree in trees if tree.is_clean), trees[0])


def is_intended_tree(precheck: Precheck, name: str | None) -> bool:
    """Whether something says that the series is for this very tree: it is the likeliest of all, here or not.

    Where nothing says which tree, it is the first one.
    """
    if name is None:
        return False
    if precheck.suggestions:
        likeliest = precheck.suggestions[0]
        return likeliest.tree is not None and likeliest.tree.name == name
    return precheck.matrix is not None and any(tree.name == name for tree in precheck.matrix.trees[:1])


def applies_somewhere(precheck: Precheck) -> bool:
    """Whether all patches go in somewhere: on the base, or what is left of them on a tree."""
    base = precheck.base
    if base is not None and base.footing in (BaseKind.EXACT, BaseKind.APPLIES):
        return True
    if precheck.verdict.level.is_base:
        return True
    trees = precheck.matrix.trees if precheck.matrix else ()
    if (rebuilt := rebuilt_of(precheck)) is not None and rebuilt.level.is_base and trees:
        return True  # without a tree that has its files, what was put together is of another project
    return any(tree.is_clean for tree in trees)


def is_waiting(precheck: Precheck) -> bool:
    """Whether it needs patches that no tree has; what stands on its very base needs nothing more."""
    if precheck.verdict.level is FitLevel.EXACT or (precheck.base and precheck.base.footing is BaseKind.EXACT):
        return False
    return bool(needs_of(precheck))


def needs_of(precheck: Precheck) -> tuple[NeededPatch, ...]:
    """The patches that it builds on and that no tree has: what the author states, and what blobs were proven with."""
    needs = precheck.prerequisites.needs if precheck.prerequisites else ()
    return tuple(need for need in needs if need.patch and need.state in _WAITING and not need.is_removal)


def rebuilt_of(precheck: Precheck) -> RebuiltBase | None:
    """The base that was put together."""
    return precheck.prerequisites.rebuilt if precheck.prerequisites else None


def _has_all(tree: TreeResult) -> bool:
    outcomes = [patch.outcome for patch in tree.patches]
    gone = (Outcome.ALREADY_MERGED, Outcome.EMPTY)
    return Outcome.ALREADY_MERGED in outcomes and all(outcome in gone for outcome in outcomes)
