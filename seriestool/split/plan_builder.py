# SPDX-License-Identifier: GPL-2.0-or-later
"""Owners and dependencies -> a plan: a sub-series for each branch, what it waits for, what can be done about that."""

from collections.abc import Mapping, Sequence

from seriestool.series.model import Patch, Series
from seriestool.split.dependency_graph import Dependency
from seriestool.split.destination import Flavour
from seriestool.split.destination_scores import DestinationChoice
from seriestool.split.ownership import PatchOwner, SeriesOwners
from seriestool.split.patch_groups import (
    GroupByPatch,
    GroupCycle,
    NeedsByPatch,
    PatchGroup,
    break_cycles,
    order_groups,
    transitive_needs,
)
from seriestool.split.patch_recipients import merge_cc
from seriestool.split.split_plan import (
    PatchPlan,
    SplitPlan,
    SubmissionOption,
    SubSeries,
    SubSeriesDependency,
    WaitCycle,
)

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
    streams, knots = break_cycles(parted, needs, weights)
    order = order_groups(streams, needs)
    maker = _SubSeriesBuilder(series, owners, dependencies, indivisible or {}, needs, streams, parted, order)
    return SplitPlan(
        series.msgid,
        series.subject,
        series.expected,
        series.missing,
        owners.destinations,
        tuple(maker.subseries(number, stream) for number, stream in enumerate(order, 1)),
        tuple(_cycle(knot, owners) for knot in knots),
        tuple(dependencies),
        owners.files,
    )


def _part(owners: SeriesOwners, needs: NeedsByPatch) -> GroupByPatch:
    """The stream of each patch by its owners; a fix goes to its tree's branch for fixes if all that it needs does."""
    streams: GroupByPatch = {}
    for owner in sorted(owners.patches, key=lambda one: one.counter):
        if owner.destination is None:
            choices = tuple(sorted(choice.destination for choice in owner.choices))
            streams[owner.counter] = PatchGroup(None, Flavour.NEXT, choices)
            continue
        is_separable = all(
            need in streams and streams[need].flavour is Flavour.FIXES for need in needs.get(owner.counter, ())
        )
        has_branch = owners.destination(owner.destination).fixes is not None
        wants = owner.stated is Flavour.FIXES or (owner.is_fix and owner.stated is None)
        flavour = Flavour.FIXES if wants and has_branch and is_separable else Flavour.NEXT
        streams[owner.counter] = PatchGroup(owner.destination, flavour)
    return streams


def _cycle(knot: GroupCycle, owners: SeriesOwners) -> WaitCycle:
    return WaitCycle(tuple(_name(one, owners) for one in knot.streams), _name(knot.home, owners), knot.moved)


def _name(stream: PatchGroup, owners: SeriesOwners) -> str:
    return owners.destination(stream.destination).place(stream.flavour).name if stream.destination else "undecided"


class _SubSeriesBuilder:
    """What every sub-series is made of."""

    def __init__(
        self,
        series: Series,
        owners: SeriesOwners,
        dependencies: Sequence[Dependency],
        indivisible: Mapping[int, tuple[str, ...]],
        needs: NeedsByPatch,
        streams: GroupByPatch,
        parted: GroupByPatch,
        order: Sequence[PatchGroup],
    ) -> None:
        self._owners = owners
        self._dependencies = dependencies
        self._indivisible = indivisible
        self._needs = needs
        self._streams = streams
        self._parted = parted
        self._numbers = {stream: number for number, stream in enumerate(order, 1)}
        self._by_counter = {one.counter: one for one in owners.patches}
        self._patches: dict[PatchGroup, list[Patch]] = {}
        for patch in sorted(series.patches, key=lambda one: one.counter):
            self._patches.setdefault(streams[patch.counter], []).append(patch)

    def subseries(self, number: int, stream: PatchGroup) -> SubSeries:
        """The sub-series of one stream."""
        patches = tuple(self._patch(patch, stream) for patch in self._patches[stream])
        waits = self._waits(stream)
        return SubSeries(
            number,
            self._owners.destination(stream.destination) if stream.destination else None,
            stream.flavour,
            patches,
            self._choices(stream) if stream.destination is None else (),
            waits,
            self._verdicts(stream, patches, waits),
            self._shared(stream),
            merge_cc(patch.cc for patch in patches),
        )

    def _patch(self, patch: Patch, stream: PatchGroup) -> PatchPlan:
        owner = self._by_counter[patch.counter]
        needs = tuple(sorted(n for n in self._needs[patch.counter] if self._streams[n] != stream))
        moved = self._parted[patch.counter] != stream
        acks = owner.acks(stream.destination)
        held = self._indivisible.get(patch.counter, ())
        is_cut = owner.straddles and patch.counter not in self._indivisible
        verdicts = [SubmissionOption.CHOOSE] if stream.destination is None else []
        verdicts.append(SubmissionOption.AFTER if needs else SubmissionOption.NOW)
        if acks and stream.destination is not None:
            verdicts.append(SubmissionOption.THROUGH)
        return PatchPlan(
            patch.counter,
            patch.subject,
            tuple(verdicts),
            self._evidence(owner, moved),
            owner.is_fix,
            self._kept_by(owner),
            needs,
            acks,
            owner.parts if is_cut else (),
            held if owner.straddles else (),
            self._origin(patch.counter) if moved else None,
            owner.cc,
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

    def _waits(self, stream: PatchGroup) -> tuple[SubSeriesDependency, ...]:
        ties: dict[int, list[Dependency]] = {}
        for one in self._dependencies:
            needed = self._streams.get(one.needs)
            if self._streams.get(one.patch) == stream and needed is not None and needed != stream:
                ties.setdefault(self._numbers[needed], []).append(one)
        return tuple(SubSeriesDependency(number, tuple(ties[number])) for number in sorted(ties))

    def _choices(self, stream: PatchGroup) -> tuple[DestinationChoice, ...]:
        """The owners, and the trees of the patches that need it: those may take it along with the owners' Acked-by."""
        patches = self._patches[stream]
        choices = {one.destination: one for one in self._by_counter[patches[0].counter].choices}
        own = {patch.counter for patch in patches}
        users = {one.patch: self._streams[one.patch] for one in self._dependencies
                 if one.needs in own and self._streams.get(one.patch, stream) != stream}  # fmt: skip
        for counter, user in sorted(users.items()):
            if user.destination and user.destination not in choices and not self._waits_for(user, set(users.values())):
                choices[user.destination] = DestinationChoice(user.destination, 0.0, (f"patch {counter} needs it",))
        return tuple(choices.values())

    def _waits_for(self, stream: PatchGroup, others: set[PatchGroup]) -> bool:
        """Whether it waits for one of the others: if it took what they need, they would wait for it too."""
        needed = {self._streams[need] for patch in self._patches[stream] for need in self._needs[patch.counter]}
        return not needed.isdisjoint(others - {stream})

    def _verdicts(
        self, stream: PatchGroup, patches: Sequence[PatchPlan], waits: Sequence[SubSeriesDependency]
    ) -> tuple[SubmissionOption, ...]:
        found = [SubmissionOption.CHOOSE] if stream.destination is None else []
        found.append(SubmissionOption.AFTER if waits else SubmissionOption.NOW)
        if any(SubmissionOption.THROUGH in patch.verdicts for patch in patches):
            found.append(SubmissionOption.THROUGH)
        if self._shared(stream):
            found += [SubmissionOption.SHARED_BRANCH, SubmissionOption.NEXT_RC1]
        return tuple(found)

    def _shared(self, stream: PatchGroup) -> tuple[int, ...]:
        """What it needs of other trees' next release; fixes reach everybody before that."""
        own = {patch.counter for patch in self._patches[stream]}
        needed = {need for counter in own for need in self._needs[counter]} - own
        return tuple(sorted(need for need in needed if self._streams[need].flavour is Flavour.NEXT))
