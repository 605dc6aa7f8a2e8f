# SPDX-License-Identifier: GPL-2.0-or-later
"""How a series goes to several trees, as frozen values."""

from dataclasses import dataclass
from enum import StrEnum

from seriestool.series.model import SCHEMA
from seriestool.split.dependency_graph import Dependency
from seriestool.split.destination import Destination, Flavour
from seriestool.split.destination_scores import DestinationChoice
from seriestool.split.file_owners import FileOwners
from seriestool.split.ownership import Ack, PatchPart


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


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """One patch in its sub-series."""

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

    def to_dict(self) -> dict[str, object]:
        """The patch as JSON shows it."""
        return {
            "counter": self.counter,
            "title": self.subject,
            "verdicts": [str(one) for one in self.verdicts],
            "evidence": list(self.evidence),
            "fix": self.is_fix,
            "kept_by": list(self.kept_by),
            "needs": list(self.needs),
            "acks": [one.to_dict() for one in self.acks],
            "parts": [one.to_dict() for one in self.parts],
            "indivisible": list(self.indivisible),
            "moved_from": self.moved_from,
            "cc": list(self.cc),
        }


@dataclass(frozen=True, slots=True)
class SubSeriesDependency:
    """A sub-series needs another one, and by what."""

    on: int
    """Number of the sub-series that has to go first."""
    ties: tuple[Dependency, ...]

    def to_dict(self) -> dict[str, object]:
        """The wait as JSON shows it."""
        return {"on": self.on, "ties": [one.to_dict() for one in self.ties]}


@dataclass(frozen=True, slots=True)
class SubSeries:
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


@dataclass(frozen=True, slots=True)
class WaitCycle:
    """Trees that would wait for each other, so that `moved` patches go through the one called `through`."""

    trees: tuple[str, ...]
    through: str
    moved: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        """The cycle as JSON shows it."""
        return {"trees": list(self.trees), "through": self.through, "moved": list(self.moved)}


@dataclass(frozen=True, slots=True)
class SplitPlan:
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
