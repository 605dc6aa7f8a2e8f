# SPDX-License-Identifier: GPL-2.0-or-later
"""Each sub-series put on its tree, to see whether it goes in as the plan says.

It is put there with no more than what it needs: a patch that is said to go on its own goes without the others. What a
sub-series waits for comes first, as a shared branch or the next -rc1 would give it, in the order of the plan: so two
sub-series that need the same patches have them as the same commits, and merge without a conflict.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import CommitSummary
from seriestool.git import ScratchRepository
from seriestool.rebase.patch_stack import PatchStack, SeriesBase
from seriestool.rebase.rebase_result import PatchResult
from seriestool.rebase.rebase_series import rebase_series
from seriestool.rebase.tree_rebaser import Resolutions, Target
from seriestool.split.plan_series import PlannedSeries
from seriestool.split.split_plan import SplitPlan, SubSeries
from seriestool.util.json_struct import JsonStruct


class ProofTarget(Struct, frozen=True):
    """Where a sub-series is tried."""

    target: Target
    is_own: bool
    """Whether it is the branch that it goes to; or else one that stands for it."""


class SubSeriesProof(JsonStruct, frozen=True, kw_only=True):
    """How one sub-series fared."""

    number: int
    tried_on: ProofTarget
    first: tuple[PatchResult, ...]
    """The patches of others that it needs."""
    patches: tuple[PatchResult, ...]
    trees: tuple[str, ...]
    """Git's tree after each patch, those of others included; not part of the JSON."""

    @property
    def is_clean(self) -> bool:
        """Whether all go in, also those that it needs."""
        return all(one.is_in for one in (*self.first, *self.patches))

    @property
    def stopped(self) -> tuple[PatchResult, ...]:
        """The patches that conflict."""
        return tuple(one for one in (*self.first, *self.patches) if not one.is_in)

    def to_dict(self) -> dict[str, object]:
        """The proof as JSON shows it."""
        return {
            "subseries": self.number,
            "tree": self.tried_on.target.name,
            "commit": self.tried_on.target.commit,
            "own_tree": self.tried_on.is_own,
            "clean": self.is_clean,
            "first": [one.to_dict() for one in self.first],
            "patches": [one.to_dict() for one in self.patches],
        }


class Split(JsonStruct, frozen=True, kw_only=True):
    """The answer: the plan, and what became of each sub-series."""

    plan: SplitPlan
    base: SeriesBase | None
    proofs: tuple[SubSeriesProof, ...]
    """One for each sub-series, in their order."""
    commits: tuple[CommitSummary, ...]
    """The commits that the answer names, for people."""
    cut: tuple[int, ...]
    """The patches that are parts of one that was mailed."""
    notes: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether all sub-series go in."""
        return all(proof.is_clean for proof in self.proofs)

    def commit(self, oid: str | None) -> CommitSummary | None:
        """What is known of a commit that the answer names."""
        return next((commit for commit in self.commits if commit.oid == oid), None)

    def to_dict(self) -> dict[str, object]:
        """The answer as JSON shows it; every key is always there."""
        return {
            **self.plan.to_dict(),
            "base": self.base.to_dict() if self.base else None,
            "clean": self.is_clean,
            "parts": list(self.cut),
            "proofs": [proof.to_dict() for proof in self.proofs],
            "commits": [commit.to_dict() for commit in self.commits],
            "notes": list(self.notes),
        }


def find_proof_targets(plan: SplitPlan, chosen: Mapping[int, Target], others: Target) -> tuple[ProofTarget, ...]:
    """Where each sub-series is tried: on what is `chosen` for it by number, on its own tree if that is here, or else
    on `others`."""
    return tuple(_proof_target(one, chosen.get(one.number), others) for one in plan.subseries)


def _proof_target(one: SubSeries, chosen: Target | None, others: Target) -> ProofTarget:
    tree = one.destination.place(one.flavour).tree if one.destination else None
    if chosen is not None:
        return ProofTarget(chosen, tree is not None and tree.commit == chosen.commit)
    return ProofTarget(Target(tree.name, tree.commit), True) if tree else ProofTarget(others, False)


def patches_needed_first(one: SubSeries, plan: SplitPlan) -> tuple[int, ...]:
    """The patches that have to be there before the sub-series, in the order of the plan."""
    needed = {need for patch in one.patches for need in patch.needs}
    return tuple(counter for other in plan.subseries for counter in other.counters if counter in needed)


def prove(
    planned: PlannedSeries,
    proof_targets: Sequence[ProofTarget],
    context: SearchContext,
    scratch_repo: ScratchRepository,
    resolutions: Resolutions,
    notes: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Split:
    """The plan with each sub-series tried on its site.

    Raises GitError where contents are not in the repository.
    """
    plan = planned.plan
    proofs = []
    commits: dict[str, CommitSummary] = {}
    for one, tried_on in zip(plan.subseries, proof_targets, strict=True):
        proof, named = _prove(
            one=one,
            tried_on=tried_on,
            planned=planned,
            context=context,
            scratch_repo=scratch_repo,
            resolutions=resolutions,
        )
        proofs.append(proof)
        commits.update((commit.oid, commit) for commit in named)
        progress(len(proofs))
    known = tuple(commits[oid] for oid in sorted(commits))
    return Split(
        plan=plan, base=planned.stack.base, proofs=tuple(proofs), commits=known, cut=planned.cut, notes=tuple(notes)
    )


def _prove(
    one: SubSeries,
    tried_on: ProofTarget,
    planned: PlannedSeries,
    context: SearchContext,
    scratch_repo: ScratchRepository,
    resolutions: Resolutions,
) -> tuple[SubSeriesProof, tuple[CommitSummary, ...]]:
    steps = {step.patch.counter: step for step in planned.stack.steps}
    first = patches_needed_first(one, planned.plan)
    stack = PatchStack(planned.stack.base, tuple(steps[counter] for counter in (*first, *one.counters)))
    answer = rebase_series(
        series=planned.series,
        stack=stack,
        targets=(tried_on.target,),
        context=context,
        scratch_repo=scratch_repo,
        resolutions=resolutions,
    )
    results, trees = answer.trees[0].patches, answer.trees[0].trees
    return SubSeriesProof(
        number=one.number, tried_on=tried_on, first=results[: len(first)], patches=results[len(first) :], trees=trees
    ), answer.commits
