# SPDX-License-Identifier: GPL-2.0-or-later
"""How a tracked series stands today: frozen values, and how they look as JSON."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from seriestool.base.verdict import CommitSummary
from seriestool.series.model import SCHEMA
from seriestool.track.tracked_series import TrackedSeries
from seriestool.util.json_struct import JsonStruct


class ApplyState(StrEnum):
    """What becomes of the series on the tip of a tree."""

    EXACT = "exact"
    """Every file is the very one that it was made from."""
    APPLIES = "applies"
    """Plain `git apply` takes it."""
    MERGES = "merges"
    """Git's three-way merge takes what is not there yet."""
    MERGED = "merged"
    """All of it is there."""
    CONFLICTS = "conflicts"
    NO_TREE = "no-tree"
    """There is no such tree here."""


class LandedPatch(JsonStruct, frozen=True):
    """A patch that a tree has."""

    json_names = (("counter", "patch"),)

    counter: int
    commit: str | None
    """As which commit; None where it is there and no commit is known to be it."""
    how: str
    """rebase.result.How: patch-id, subject, reverse, merge."""


class TreeStatus(JsonStruct, frozen=True):
    """The series on one tree."""

    json_names = (("landed", "merged"),)

    tree: str
    tip: str | None
    state: ApplyState
    patch: int | None = None
    """The first that conflicts."""
    path: bytes | None = None
    """Where it does."""
    broke: str | None = None
    """The commit after which plain `git apply` does not take the series any more; None where it never did."""
    behind: tuple[str, ...] = ()
    """The commits that made the lines in conflict what they are."""
    landed: tuple[LandedPatch, ...] = ()


class NewestVersion(JsonStruct, frozen=True):
    """The newest version that lists or the server know of."""

    version: int
    msgid: str
    posted: datetime


class SeriesStatus(JsonStruct, frozen=True):
    """One tracked series, its newest tracked version looked at."""

    name: str
    tracked: TrackedSeries | None
    """None where its file cannot be read."""
    trees: tuple[TreeStatus, ...] = ()
    newest: NewestVersion | None = None
    commits: tuple[CommitSummary, ...] = ()
    """Those that are named, for people."""
    problems: tuple[str, ...] = ()
    """What could not be answered, and why."""

    @property
    def is_broken(self) -> bool:
        """Whether it does not go into one of its trees any more."""
        return any(tree.state is ApplyState.CONFLICTS for tree in self.trees)

    @property
    def is_superseded(self) -> bool:
        """Whether a newer version than any tracked one is known."""
        return bool(self.tracked and self.newest and self.newest.version > self.tracked.newest.version)

    def commit(self, oid: str | None) -> CommitSummary | None:
        """What is known of a commit that is named."""
        return next((one for one in self.commits if one.oid == oid), None)

    def to_dict(self) -> dict[str, object]:
        """The series as JSON shows it; every key is always there."""
        tracked = self.tracked
        return {
            "name": self.name,
            "change_id": tracked.change_id if tracked else None,
            "subject": tracked.subject if tracked else None,
            "versions": [one.to_dict() for one in tracked.versions] if tracked else [],
            "trees": [tree.to_dict() for tree in self.trees],
            "newest": self.newest.to_dict() if self.newest else None,
            "superseded": self.is_superseded,
            "commits": [one.to_dict() for one in self.commits],
            "problems": list(self.problems),
        }


def statuses_dict(standings: Sequence[SeriesStatus]) -> dict[str, object]:
    """All of them as JSON shows them."""
    return {"schema": SCHEMA, "series": [one.to_dict() for one in standings]}
