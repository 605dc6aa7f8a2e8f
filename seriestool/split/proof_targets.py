# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the sub-series of a plan are tried: on trees that the user names, on their own, or on one that stands in."""

from collections.abc import Sequence

from seriestool.base.search_context import SearchContext
from seriestool.rebase.tree_rebaser import Target
from seriestool.split.plan_series import OwnershipSources, PlannedSeries
from seriestool.split.split_plan import SplitPlan, SubSeries
from seriestool.split.subseries_proof import ProofTarget, find_proof_targets
from seriestool.util.errors import NotFoundError
from seriestool.util.text import plural, spans

_PLURAL = (("does", "it"), ("do", "them"))


def choose_targets(
    planned: PlannedSeries, named: Sequence[tuple[str, Target]], context: SearchContext
) -> tuple[ProofTarget, ...]:
    """Where each sub-series is tried, in their order.

    `named` pairs a sub-series (its name, number or destination) with a target; '' stands for all whose tree is not
    here, and of several the last one counts. Raises NotFoundError where there is no such sub-series, or no tree.
    """
    chosen: dict[int, Target] = {}
    others = None
    for name, target in named:
        if name:
            chosen.update((one.number, target) for one in _get_subseries(name, planned.plan))
        else:
            others = target
    return find_proof_targets(planned.plan, chosen, others or _stand_in(planned, context))


def _get_subseries(name: str, plan: SplitPlan) -> list[SubSeries]:
    wanted = [one for one in plan.subseries if name in (one.name, str(one.number))]
    wanted = wanted or [one for one in plan.subseries if one.destination and one.destination.name == name]
    if not wanted:
        names = ", ".join(f"'{one.name}'" for one in plan.subseries)
        raise NotFoundError(f"no sub-series goes to '{name}'", hint=f"they go to {names}")
    return wanted


def _stand_in(planned: PlannedSeries, context: SearchContext) -> Target:
    """What stands for trees that are not here: the one that the base is in, or else the likeliest for the series."""
    base = planned.stack.base
    position = context.history.find(base.commit) if base else None
    name = context.tree_of(position) if position is not None else None
    trees = [place.tree for place in context.tree_tips]
    found = next((tree for tree in trees if tree.name == name), trees[0] if trees else None)
    if found is None:
        raise NotFoundError("there is no tree to try the sub-series on", hint="see 'seriestool trees list'")
    return Target(found.name, found.commit)


def split_notes(
    planned: PlannedSeries, known: OwnershipSources, proof_targets: Sequence[ProofTarget]
) -> tuple[str, ...]:
    """What limits the answer."""
    notes = []
    if planned.stack.base is None:
        notes.append("what the series was made from is not known, so neither is what ties its patches; --base names it")
    elif planned.untied:
        which = f"{plural(len(planned.untied), 'patch', 'patches')} {spans(planned.untied)}"
        verb, what = _PLURAL[len(planned.untied) > 1]
        notes.append(f"{which} {verb} not apply to the base, so what ties {what} to the others is not known")
    if known.maintainers is None:
        notes.append("there is no MAINTAINERS file, so all goes to one tree")
    away = {
        one.name: tried_on.target.name
        for one, tried_on in zip(planned.plan.subseries, proof_targets, strict=True)
        if one.destination and not tried_on.is_own
    }
    if away:
        names, trees = ", ".join(away), ", ".join(dict.fromkeys(away.values()))
        notes.append(f"not tried on the trees themselves, but on {trees}: {names}; --onto DEST=TREE names another")
    return tuple(notes)
