# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan for people: first what goes where and in which order, then each sub-series with its reasons."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from seriestool.report.style import Style
from seriestool.report.table import table
from seriestool.series.model import path_text
from seriestool.split.dependency_graph import DependencyKind
from seriestool.split.destination import Flavour
from seriestool.split.destination_scores import DestinationChoice
from seriestool.split.owners import Ack
from seriestool.split.split_plan import PatchPlan, SplitPlan, SubmissionOption, SubSeries, SubSeriesDependency
from seriestool.util.text import count, joined, plural, shortened, spans

_NAMES = 3  # of a tie that are shown
_CHOICES = 5
_ACKS = 6


class SubSeriesAddition(NamedTuple):
    """What else there is to say of a sub-series."""

    clause: str | None
    """In the line that answers."""
    lines: tuple[str, ...]
    """In its own paragraph; safe for a terminal."""


_NOTHING = SubSeriesAddition(None, ())


def plan_text(plan: SplitPlan, style: Style, more: Mapping[int, SubSeriesAddition] | None = None) -> str:
    """The plan in paragraphs; readable without colour. `more` has additions by the number of the sub-series."""
    more = more or {}
    own = (_subseries(one, plan, more.get(one.number, _NOTHING).lines, style) for one in plan.subseries)
    paragraphs = [head_lines(plan, more, style), *own]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def patches_text(counters: Sequence[int]) -> str:
    """The numbers with their noun: patch 1, patches 2, 4-6."""
    return f"{plural(len(counters), 'patch', 'patches')} {spans(counters)}"


def head_lines(plan: SplitPlan, more: Mapping[int, SubSeriesAddition], style: Style) -> list[str]:
    """What goes where and in which order: a line for each sub-series."""
    patches = sum(len(one.patches) for one in plan.subseries)
    where = count(len(plan.subseries), "sub-series", "sub-series")
    lines = [style.strong(f"{plan.subject}: {count(patches, 'patch', 'patches')} in {where}")]
    lines += table([_row(one, plan, more.get(one.number, _NOTHING)) for one in plan.subseries], style)
    if plan.missing:
        missing = f"{patches_text(plan.missing)} of {plan.expected} not at hand: nothing is said of them"
        lines.append(style.warn(f"  {missing}"))
    for cycle in plan.cycles:
        trees = " and ".join(cycle.trees)
        text = f"{trees} would wait for each other: {patches_text(cycle.moved)} through {cycle.through}"
        lines.append(style.warn(f"  {text}"))
    return lines


def _row(one: SubSeries, plan: SplitPlan, addition: SubSeriesAddition) -> tuple[str, ...]:
    said = [*clauses(one, plan), *([addition.clause] if addition.clause else [])]
    return str(one.number), one.name, patches_text(one.counters), "; ".join(said)


def clauses(one: SubSeries, plan: SplitPlan) -> Iterator[str]:
    """The clauses of the line that answers: 'now', 'after 1 (net)', 'patch 4 with the Acked-by of nvme'."""
    if SubmissionOption.CHOOSE in one.verdicts:
        yield f"choose: {_either([_chosen(choice, one, plan) for choice in one.choices])}"
    if one.waits:
        yield f"after {joined([f'{wait.on} ({plan.subseries[wait.on - 1].name})' for wait in one.waits])}"
    elif one.destination:
        yield "now" if len(plan.subseries) == 1 else "now, on its own"
    elif len(plan.subseries) > 1:
        yield "then on its own"
    through = [patch for patch in one.patches if SubmissionOption.THROUGH in patch.verdicts]
    if through:
        trees = dict.fromkeys(" or ".join(ack.trees) for patch in through for ack in patch.acks)
        yield f"{patches_text([patch.counter for patch in through])} with Acked-by of {joined(list(trees))}"


def _subseries(one: SubSeries, plan: SplitPlan, more: Sequence[str], style: Style) -> list[str]:
    lines = [style.strong(f"{one.number}. {one.name}") + _place(one, style)]
    for patch in one.patches:
        lines += _patch(patch, one, style)
    if one.destination is None:
        lines += ["  it may go to"] if one.choices else []
        lines += table([(f"  {_chosen(c, one, plan)}", "; ".join(c.evidence)) for c in one.choices[:_CHOICES]], style)
        if len(one.choices) > _CHOICES:
            lines.append(f"    and {len(one.choices) - _CHOICES} more")
    for wait in one.waits:
        lines += _wait(wait, plan, style)
    lines += [f"  {style.plain(text)}" for text in _ways(one, plan)]
    lines += more
    if one.cc:
        lines += ["  Cc", *(f"    {style.plain(entry)}" for entry in one.cc)]
    return lines


def _chosen(choice: DestinationChoice, one: SubSeries, plan: SplitPlan) -> str:
    """The branch that would take it."""
    flavour = Flavour.FIXES if all(patch.is_fix for patch in one.patches) else Flavour.NEXT
    names = {known.name: known.place(flavour).name for known in plan.destinations}
    return names.get(choice.destination, choice.destination)


def _place(one: SubSeries, style: Style) -> str:
    if one.destination is None:
        return ""
    place = one.destination.place(one.flavour)
    if place.tree:
        here = f"{place.tree.name} here"
        return style.faint(f"  ({here})") if place.tree.name != one.name else ""
    return style.faint(f"  {' '.join(part for part in (place.url, place.branch) if part)}") if place.url else ""


def _patch(patch: PatchPlan, one: SubSeries, style: Style) -> list[str]:
    lines = [f"  {patch.counter}  {style.plain(patch.subject)}"]
    if patch.is_fix:
        lines.append(f"     {style.plain(_fix(patch, one))}")
    if patch.evidence:
        lines.append(f"     {style.plain('; '.join(patch.evidence))}")
    lines += [f"     {style.plain(text)}" for text in _acks(patch, one)]
    if patch.indivisible:
        lines.append(f"     {style.plain(f'cannot be cut by file: {_held(patch.indivisible)}')}")
    elif len(patch.parts) > 1:
        trees = joined([part.destination or "undecided" for part in patch.parts])
        lines.append(f"     {style.plain(f'--by-file cuts it into {len(patch.parts)}: {trees}')}")
    return lines


def _held(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} changes with its users"
    more = [f"{len(names) - _NAMES} more"] if len(names) > _NAMES else []
    return f"{joined([*names[:_NAMES], *more])} change with their users"


def _fix(patch: PatchPlan, one: SubSeries) -> str:
    if one.flavour is Flavour.FIXES:
        return "a fix, separable from the rest"
    if one.destination is None:
        return "a fix"
    if one.destination.fixes is None:
        return f"a fix; no branch of {one.destination.name} for fixes is known"
    return f"a fix, but not for {one.destination.fixes.name}: {_why_not(patch)}"


def _why_not(patch: PatchPlan) -> str:
    if patch.moved_from:
        return "what goes here needs it"
    return f"it needs {patches_text(patch.kept_by)}" if patch.kept_by else "the subject says so"


def _acks(patch: PatchPlan, one: SubSeries) -> Iterator[str]:
    for ack in patch.acks[:_ACKS]:
        trees = " or ".join(ack.trees)
        files = _files(ack)
        wanted = [person for person in ack.people if person not in ack.given]
        if one.destination is None:
            yield f"{files}: {trees}, {', '.join(ack.people) or 'the author'}"
        elif ack.given:
            yield f"Acked-by of {trees} for {files}: given by {joined(ack.given)}"
        elif wanted:
            yield f"Acked-by wanted of {trees} for {files}: {', '.join(wanted)}"
        else:
            yield f"of {trees}: {files}; the author maintains that"
    if len(patch.acks) > _ACKS:
        yield f"and {count(len(patch.acks) - _ACKS, 'more owner')}"


def _files(ack: Ack) -> str:
    return shortened([path_text(path) for path in ack.paths], _NAMES)


def _wait(wait: SubSeriesDependency, plan: SplitPlan, style: Style) -> list[str]:
    other = plan.subseries[wait.on - 1]
    rows = [(f"  {tie.patch} needs {tie.needs}", str(tie.tie), _tie_names(tie.names, tie.tie)) for tie in wait.ties]
    return [f"  waits for {wait.on} ({style.plain(other.name)})", *table(rows, style)]


def _tie_names(names: Sequence[str], tie: DependencyKind) -> str:
    shown = shortened(names, _NAMES)
    return f"in {shown}" if tie is DependencyKind.TEXT and shown else shown


def _ways(one: SubSeries, plan: SplitPlan) -> Iterator[str]:
    """What can be done about waiting."""
    if not one.shared or one.destination is None:
        return
    owners = [plan.of_patch(counter) for counter in one.shared]
    trees = dict.fromkeys(other.name if other.destination else "whoever takes it" for other in owners)
    needed = {
        n: plan.of_patch(n)
        for other in owners
        for patch in other.patches
        for n in patch.needs
        if patch.counter in one.shared
    }
    fixes = sorted(n for n, other in needed.items() if other.flavour is Flavour.FIXES)
    base = f", on top of {patches_text(fixes)}" if fixes else ""
    pull = joined([*sorted(trees, key=lambda name: name == "whoever takes it"), one.name])
    yield f"in the same cycle: {patches_text(one.shared)} on a shared branch that is never rebased{base}, for {pull}"
    yield f"or later: once {patches_text(one.shared)} {plural(len(one.shared), 'is', 'are')} in the next -rc1"
    for wait in one.waits:
        other = plan.subseries[wait.on - 1]
        if other.destination is None and one.destination.name in {choice.destination for choice in other.choices}:
            yield f"or {patches_text(other.counters)} through {one.name} too, with Acked-by of the owners"


def _either(words: Sequence[str]) -> str:
    shown = words[:_CHOICES]
    return joined([*shown, f"{len(words) - _CHOICES} more"] if len(words) > _CHOICES else shown, "or")
