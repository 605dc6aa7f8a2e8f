# SPDX-License-Identifier: GPL-2.0-or-later
"""How a series goes to several trees: a sub-series for each branch, what it waits for, what can be done about that."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from seriestool.series.model import SCHEMA, Patch, Series
from seriestool.split.dependency_graph import (
    Dependency,
    GroupByPatch,
    GroupCycle,
    NeedsByPatch,
    PatchGroup,
    break_cycles,
    order_groups,
    transitive_needs,
)
from seriestool.split.destination import Destination, Flavour
from seriestool.split.destination_scores import DestinationChoice
from seriestool.split.file_owners import FileOwners, merge_cc
from seriestool.split.owners import Ack, PatchOwner, PatchPart, SeriesOwners
from seriestool.util.json_struct import JsonStruct


class SubmissionOption(StrEnum):
    """What can be done with patches; several can be true."""

    NOW = "now"
    """They need nothing of what goes elsewhere."""
    AFTER = "after"
    """Another tree has to take what they need first."""
    THROUGH = "through"
    """They go through this one tree, with the Acked-by of others whose files they change."""
    SHARED_BRANCH = "shared-branch"
    """In the same cycle, if what they need is on a branch that both trees pull and nobody rebases."""
    NEXT_RC1 = "next-rc1"
    """Or else once what they need is in the next -rc1."""
    CHOOSE = "choose"
    """Somebody has to say which tree takes them."""


class PatchPlan(JsonStruct, frozen=True, kw_only=True):
    """One patch in its sub-series."""

    json_names = (("subject", "title"), ("is_fix", "fix"))

    counter: int
    subject: str
    verdicts: tuple[SubmissionOption, ...]
    evidence: tuple[str, ...]
    """Why it goes to that tree."""
    is_fix: bool
    kept_by: tuple[int, ...]
    """Of a fix the patches that it needs and that are for the next release: it cannot be parted from them."""
    needs: tuple[int, ...]
    """The patches of other sub-series that it needs, also by way of others."""
    acks: tuple[Ack, ...]
    """Whose Acked-by it wants."""
    parts: tuple[PatchPart, ...]
    """What --by-file makes of it; () where it belongs to one tree, or cannot be cut."""
    indivisible: tuple[str, ...]
    """The names that hold it together, where it straddles trees and cannot be cut."""
    moved_from: str | None
    """The tree that owns it, where it goes elsewhere because two trees would wait for each other."""
    cc: tuple[str, ...]


class SubSeriesDependency(JsonStruct, frozen=True):
    """A sub-series needs another one, and by what."""

    on: int
    """Number of the sub-series that has to go first."""
    ties: tuple[Dependency, ...]


class SubSeries(JsonStruct, frozen=True, kw_only=True):
    """The patches that go to one branch."""

    number: int
    """From 1, in the order in which they go."""
    destination: Destination | None
    """None where somebody has to choose."""
    flavour: Flavour
    patches: tuple[PatchPlan, ...]
    choices: tuple[DestinationChoice, ...]
    """Of an undecided one: its owners, the likeliest first, then the trees that need it."""
    waits: tuple[SubSeriesDependency, ...]
    verdicts: tuple[SubmissionOption, ...]
    """The plainest first: NOW or AFTER, or before them CHOOSE."""
    shared: tuple[int, ...]
    """The patches of others that a shared branch would have to hold."""
    cc: tuple[str, ...]

    @property
    def name(self) -> str:
        """The branch that takes it."""
        return self.destination.place(self.flavour).name if self.destination else "undecided"

    @property
    def counters(self) -> tuple[int, ...]:
        """Its patches, in order."""
        return tuple(patch.counter for patch in self.patches)

    def to_dict(self) -> dict[str, object]:
        """The sub-series as JSON shows it."""
        return {
            "number": self.number,
            "name": self.name,
            "destination": self.destination.name if self.destination else None,
            "flavour": str(self.flavour),
            "place": self.destination.place(self.flavour).to_dict() if self.destination else None,
            "verdicts": [str(one) for one in self.verdicts],
            "choices": [one.to_dict() for one in self.choices],
            "waits": [one.to_dict() for one in self.waits],
            "shared": list(self.shared),
            "cc": list(self.cc),
            "patches": [one.to_dict() for one in self.patches],
        }


class WaitCycle(JsonStruct, frozen=True):
    """Trees that would wait for each other, so that `moved` patches go through the one called `through`."""

    trees: tuple[str, ...]
    through: str
    moved: tuple[int, ...]


class SplitPlan(JsonStruct, frozen=True, kw_only=True):
    """Which patches go where, in which order."""

    msgid: str
    subject: str
    expected: int
    missing: tuple[int, ...]
    """Counters of patches that are not at hand: nothing is known of them."""
    destinations: tuple[Destination, ...]
    """All that are chosen, or may be."""
    subseries: tuple[SubSeries, ...]
    """In the order in which they go."""
    cycles: tuple[WaitCycle, ...]
    dependencies: tuple[Dependency, ...]
    files: tuple[FileOwners, ...]

    def of_patch(self, counter: int) -> SubSeries:
        """The sub-series that has the patch; KeyError where none has."""
        return {n: one for one in self.subseries for n in one.counters}[counter]

    def to_dict(self) -> dict[str, object]:
        """The plan as JSON shows it; every key is always there."""
        return {
            "schema": SCHEMA,
            "series": {
                "msgid": self.msgid,
                "subject": self.subject,
                "expected": self.expected,
                "missing": list(self.missing),
            },
            "destinations": [one.to_dict() for one in self.destinations],
            "subseries": [one.to_dict() for one in self.subseries],
            "cycles": [one.to_dict() for one in self.cycles],
            "dependencies": [one.to_dict() for one in self.dependencies],
            "files": [one.to_dict() for one in self.files],
        }


__all__ = ["SplitPlan", "make_plan"]


def make_plan(
    series: Series,
    owners: SeriesOwners,
    dependencies: Sequence[Dependency],
    indivisible: Mapping[int, tuple[str, ...]] | None = None,
) -> SplitPlan:
    """How the series goes to its trees.

    `indivisible` has for a patch that must not be cut by file the names that hold it together: a callback whose type
    and implementers change at once.
    """
    needs = transitive_needs((patch.counter for patch in series.patches), dependencies)
    weights = {patch.counter: float(len(patch.diff)) for patch in series.patches}
    parted = _part(owners, needs)
    patch_groups, cycles = break_cycles(parted, needs, weights)
    order = order_groups(patch_groups, needs)
    maker = _SubSeriesBuilder(
        series=series,
        owners=owners,
        dependencies=dependencies,
        indivisible=indivisible or {},
        needs=needs,
        patch_groups=patch_groups,
        parted=parted,
        order=order,
    )
    return SplitPlan(
        msgid=series.msgid,
        subject=series.subject,
        expected=series.expected,
        missing=series.missing,
        destinations=owners.destinations,
        subseries=tuple(maker.subseries(number, group) for number, group in enumerate(order, 1)),
        cycles=tuple(_cycle(cycle, owners) for cycle in cycles),
        dependencies=tuple(dependencies),
        files=owners.files,
    )


def _part(owners: SeriesOwners, needs: NeedsByPatch) -> GroupByPatch:
    """The group of each patch by its owners; a fix goes to its tree's branch for fixes if all that it needs does."""
    patch_groups: GroupByPatch = {}
    for owner in sorted(owners.patches, key=lambda one: one.counter):
        if owner.destination is None:
            choices = tuple(sorted(choice.destination for choice in owner.choices))
            patch_groups[owner.counter] = PatchGroup(None, Flavour.NEXT, choices)
            continue
        is_separable = all(
            need in patch_groups and patch_groups[need].flavour is Flavour.FIXES
            for need in needs.get(owner.counter, ())
        )
        has_branch = owners.destination(owner.destination).fixes is not None
        wants = owner.stated is Flavour.FIXES or (owner.is_fix and owner.stated is None)
        flavour = Flavour.FIXES if wants and has_branch and is_separable else Flavour.NEXT
        patch_groups[owner.counter] = PatchGroup(owner.destination, flavour)
    return patch_groups


def _cycle(cycle: GroupCycle, owners: SeriesOwners) -> WaitCycle:
    return WaitCycle(tuple(_name(one, owners) for one in cycle.patch_groups), _name(cycle.through, owners), cycle.moved)


def _name(group: PatchGroup, owners: SeriesOwners) -> str:
    return owners.destination(group.destination).place(group.flavour).name if group.destination else "undecided"


class _SubSeriesBuilder:
    """What every sub-series is made of."""

    def __init__(
        self,
        series: Series,
        owners: SeriesOwners,
        dependencies: Sequence[Dependency],
        indivisible: Mapping[int, tuple[str, ...]],
        needs: NeedsByPatch,
        patch_groups: GroupByPatch,
        parted: GroupByPatch,
        order: Sequence[PatchGroup],
    ) -> None:
        self._owners = owners
        self._dependencies = dependencies
        self._indivisible = indivisible
        self._needs = needs
        self._patch_groups = patch_groups
        self._parted = parted
        self._numbers = {group: number for number, group in enumerate(order, 1)}
        self._by_counter = {one.counter: one for one in owners.patches}
        self._patches: dict[PatchGroup, list[Patch]] = {}
        for patch in sorted(series.patches, key=lambda one: one.counter):
            self._patches.setdefault(patch_groups[patch.counter], []).append(patch)

    def subseries(self, number: int, group: PatchGroup) -> SubSeries:
        """The sub-series of one group."""
        patches = tuple(self._patch(patch, group) for patch in self._patches[group])
        waits = self._waits(group)
        return SubSeries(
            number=number,
            destination=self._owners.destination(group.destination) if group.destination else None,
            flavour=group.flavour,
            patches=patches,
            choices=self._choices(group) if group.destination is None else (),
            waits=waits,
            verdicts=self._verdicts(group, patches, waits),
            shared=self._shared(group),
            cc=merge_cc(patch.cc for patch in patches),
        )

    def _patch(self, patch: Patch, group: PatchGroup) -> PatchPlan:
        owner = self._by_counter[patch.counter]
        needs = tuple(sorted(n for n in self._needs[patch.counter] if self._patch_groups[n] != group))
        moved = self._parted[patch.counter] != group
        acks = owner.acks(group.destination)
        held = self._indivisible.get(patch.counter, ())
        is_cut = owner.straddles and patch.counter not in self._indivisible
        verdicts = [SubmissionOption.CHOOSE] if group.destination is None else []
        verdicts.append(SubmissionOption.AFTER if needs else SubmissionOption.NOW)
        if acks and group.destination is not None:
            verdicts.append(SubmissionOption.THROUGH)
        return PatchPlan(
            counter=patch.counter,
            subject=patch.subject,
            verdicts=tuple(verdicts),
            evidence=self._evidence(owner, moved),
            is_fix=owner.is_fix,
            kept_by=self._kept_by(owner),
            needs=needs,
            acks=acks,
            parts=owner.parts if is_cut else (),
            indivisible=held if owner.straddles else (),
            moved_from=self._origin(patch.counter) if moved else None,
            cc=owner.cc,
        )

    def _kept_by(self, owner: PatchOwner) -> tuple[int, ...]:
        needs = self._needs[owner.counter] if owner.is_fix else ()
        return tuple(sorted(need for need in needs if self._parted[need].flavour is not Flavour.FIXES))

    def _origin(self, counter: int) -> str:
        return _name(self._parted[counter], self._owners)

    def _evidence(self, owner: PatchOwner, moved: bool) -> tuple[str, ...]:
        if not moved:
            return owner.evidence
        whose = self._parted[owner.counter].destination
        owned = f"its files belong to {whose}" if whose else "its files have several owners"
        return (f"patches that go there need it; {owned}",)

    def _waits(self, group: PatchGroup) -> tuple[SubSeriesDependency, ...]:
        ties: dict[int, list[Dependency]] = {}
        for one in self._dependencies:
            needed = self._patch_groups.get(one.needs)
            if self._patch_groups.get(one.patch) == group and needed is not None and needed != group:
                ties.setdefault(self._numbers[needed], []).append(one)
        return tuple(SubSeriesDependency(number, tuple(ties[number])) for number in sorted(ties))

    def _choices(self, group: PatchGroup) -> tuple[DestinationChoice, ...]:
        """The owners, and the trees of the patches that need it: those may take it along with the owners' Acked-by."""
        patches = self._patches[group]
        choices = {one.destination: one for one in self._by_counter[patches[0].counter].choices}
        own = {patch.counter for patch in patches}
        users = {
            one.patch: self._patch_groups[one.patch]
            for one in self._dependencies
            if one.needs in own and self._patch_groups.get(one.patch, group) != group
        }
        for counter, user in sorted(users.items()):
            if user.destination and user.destination not in choices and not self._waits_for(user, set(users.values())):
                choices[user.destination] = DestinationChoice(user.destination, 0.0, (f"patch {counter} needs it",))
        return tuple(choices.values())

    def _waits_for(self, group: PatchGroup, others: set[PatchGroup]) -> bool:
        """Whether it waits for one of the others: if it took what they need, they would wait for it too."""
        needed = {self._patch_groups[need] for patch in self._patches[group] for need in self._needs[patch.counter]}
        return not needed.isdisjoint(others - {group})

    def _verdicts(
        self, group: PatchGroup, patches: Sequence[PatchPlan], waits: Sequence[SubSeriesDependency]
    ) -> tuple[SubmissionOption, ...]:
        found = [SubmissionOption.CHOOSE] if group.destination is None else []
        found.append(SubmissionOption.AFTER if waits else SubmissionOption.NOW)
        if any(SubmissionOption.THROUGH in patch.verdicts for patch in patches):
            found.append(SubmissionOption.THROUGH)
        if self._shared(group):
            found += [SubmissionOption.SHARED_BRANCH, SubmissionOption.NEXT_RC1]
        return tuple(found)

    def _shared(self, group: PatchGroup) -> tuple[int, ...]:
        """What it needs of other trees' next release; fixes reach everybody before that."""
        own = {patch.counter for patch in self._patches[group]}
        needed = {need for counter in own for need in self._needs[counter]} - own
        return tuple(sorted(need for need in needed if self._patch_groups[need].flavour is Flavour.NEXT))
