# SPDX-License-Identifier: GPL-2.0-or-later
"""rebase: one series onto many trees, side by side."""

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from seriestool.base.search_context import SearchContext
from seriestool.git import CommitIdent, GitError, ScratchRepository
from seriestool.rebase.patch_commits import patch_commit
from seriestool.rebase.patch_stack import PatchStack, SeriesBase
from seriestool.rebase.rebase_result import OutcomeReason, Rebase, TestMerge, TreeResult
from seriestool.rebase.tree_rebaser import Resolutions, Target, TreeRebaser, with_range_diff
from seriestool.series.model import Series

_NOBODY = CommitIdent("seriestool", "seriestool@localhost", 0)


def rebase_series(
    series: Series,
    stack: PatchStack,
    targets: Sequence[Target],
    context: SearchContext,
    scratch_repo: ScratchRepository,
    resolutions: Resolutions,
    progress: Callable[[int], None] = lambda _: None,
) -> Rebase:
    """How the series fares on each target, in their order.

    Raises GitError where contents are not in the repository.
    """
    trees = tuple(
        _on_all(
            stack=stack,
            targets=targets,
            context=context,
            scratch_repo=scratch_repo,
            resolutions=resolutions,
            progress=progress,
        )
    )
    trees = tuple(with_range_diff(tree, _range_diffs(tree, stack, scratch_repo)) for tree in trees)
    return Rebase(series, stack.base, trees, context.commits(named_commits(trees, stack.base)))


def _on_all(
    stack: PatchStack,
    targets: Sequence[Target],
    context: SearchContext,
    scratch_repo: ScratchRepository,
    resolutions: Resolutions,
    progress: Callable[[int], None],
) -> Iterable[TreeResult]:
    def run(target: Target) -> TreeResult:
        with scratch_repo.beside() as own:
            return TreeRebaser(target, context.history, own, resolutions).run(stack)

    with ThreadPoolExecutor(min(len(targets), os.cpu_count() or 1) or 1) as pool:
        for number, result in enumerate(pool.map(run, targets), 1):
            progress(number)
            yield result


def _range_diffs(tree: TreeResult, stack: PatchStack, scratch_repo: ScratchRepository) -> dict[int, str]:
    """For each patch that is merged with other changes, how they differ."""
    found = {}
    for result, step in zip(tree.patches, stack.steps, strict=True):
        if result.how is not OutcomeReason.SUBJECT or result.merged_as is None or step.after is None:
            continue
        below = scratch_repo.commit(step.before, (), b"base\n", _NOBODY.line)
        mine = patch_commit(
            scratch_repo=scratch_repo, patch=step.patch, tree=step.after, parent=below, committer=_NOBODY
        )
        with contextlib.suppress(GitError):  # a commit without a parent here has no range
            found[result.counter] = scratch_repo.range_diff((below, mine), (f"{result.merged_as}^", result.merged_as))
    return found


def named_commits(trees: Iterable[TreeResult], base: SeriesBase | None) -> list[str | None]:
    """The ids of all commits that the results name."""
    named: list[str | None] = [base.commit if base else None]
    for tree in trees:
        named.append(tree.onto)
        named += [patch.merged_as for patch in tree.patches]
        conflicts = [conflict for patch in tree.patches for conflict in patch.conflicts]
        named += [oid for conflict in conflicts for oid in conflict.commits]
        named += [oid for conflict in conflicts for place in conflict.places for oid in place.commits]
    return named


def try_merges(
    rebase: Rebase, tips: dict[str, str], others: Sequence[Target], scratch_repo: ScratchRepository
) -> Rebase:
    """The answer with what `git merge` says of each rebased series (`tips`, by tree) and each of the other trees."""
    trees = tuple(
        replace(
            tree,
            test_merges=tuple(
                _try_merge(tree, tips[tree.name], other, scratch_repo) for other in others if other.name != tree.name
            ),
        )
        if tree.name in tips
        else tree
        for tree in rebase.trees
    )
    return replace(rebase, trees=trees)


def _try_merge(tree: TreeResult, tip: str, other: Target, scratch_repo: ScratchRepository) -> TestMerge:
    try:
        without = scratch_repo.merge_commits(tree.onto, other.commit)
        merged = scratch_repo.merge_commits(tip, other.commit)
    except GitError as error:
        return TestMerge(other.name, other.commit, (), error.message)
    return TestMerge(other.name, other.commit, tuple(sorted(merged.stages.keys() - without.stages.keys())))
