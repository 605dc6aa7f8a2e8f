# SPDX-License-Identifier: GPL-2.0-or-later
"""What rebase answers: frozen values, and how they look as JSON."""

from enum import StrEnum

from seriestool.base.verdict import CommitSummary, failure_dict, line_text
from seriestool.rebase.conflict_regions import ConflictRegion
from seriestool.rebase.patch_stack import SeriesBase
from seriestool.series.model import SCHEMA, Outcome, PatchFailure, Series, path_text
from seriestool.util.json_struct import JsonStruct


class OutcomeReason(StrEnum):
    """What an outcome rests on."""

    PLAIN = "plain"
    """Every hunk at its line."""
    OFFSET = "offset"
    """Plain `git apply` takes it, hunks moved."""
    THREE_WAY = "three-way"
    """Git's merge takes it."""
    RESOLVED = "resolved"
    """A person resolved the same conflict before."""
    BY_HAND = "by-hand"
    """A person resolved the conflict."""
    SKIPPED = "skipped"
    """A person left it out."""
    PATCH_ID = "patch-id"
    """A commit of the tree makes the very same changes."""
    REVERSE = "reverse"
    """It can be taken off the tree again."""
    MERGE = "merge"
    """Merged in, it changes nothing."""
    SUBJECT = "subject"
    """A commit of the tree has its subject and author, and makes other changes."""
    NO_DIFF = "no-diff"
    """The mail has no diff."""
    CONFLICT = "conflict"
    """The merge stops."""
    NO_BASE = "no-base"
    """It does not apply, and what it was made from is not known: there is nothing to merge with."""


class ConflictPlace(JsonStruct, frozen=True):
    """One place of a file in conflict, and what is behind it."""

    region: ConflictRegion
    line: int
    """1-based line of the tree's own file, as it is when the patch comes."""
    hunk: int
    """1-based number of the patch's hunk that it comes from; 0 where that is not clear."""
    commits: tuple[str, ...]
    """The ids of the commits that made the tree's lines what they are, newest first."""

    def to_dict(self) -> dict[str, object]:
        """The place as JSON shows it."""
        region = self.region
        return {
            "line": self.line,
            "hunk": self.hunk or None,
            "before": [line_text(line) for line in region.before],
            "expected": [line_text(line) for line in region.expected],
            "tree": [line_text(line) for line in region.tree],
            "series": [line_text(line) for line in region.series],
            "after": [line_text(line) for line in region.after],
            "commits": list(self.commits),
        }


class Conflict(JsonStruct, frozen=True):
    """One file that could not be merged."""

    path: bytes
    kind: str
    """As git calls it: contents, modify/delete, rename/rename, ..."""
    message: str
    places: tuple[ConflictPlace, ...] = ()
    follows: int | None = None
    """The counter of the patch whose own conflict left this file open."""
    commits: tuple[str, ...] = ()
    """Where there are no places: the ids of the commits that made the file what it is in the tree, newest first."""

    def to_dict(self) -> dict[str, object]:
        """The conflict as JSON shows it."""
        return {
            "path": path_text(self.path),
            "kind": self.kind,
            "message": self.message,
            "follows": self.follows,
            "commits": list(self.commits),
            "places": [place.to_dict() for place in self.places],
        }


class PatchResult(JsonStruct, frozen=True):
    """OutcomeReason one patch fared on one tree, after those before it."""

    counter: int
    outcome: Outcome
    how: OutcomeReason
    offsets: int = 0
    conflicts: tuple[Conflict, ...] = ()
    failure: PatchFailure | None = None
    """Where plain `git apply` refuses it, of NO_BASE."""
    merged_as: str | None = None
    """The commit of the tree that is this patch."""
    range_diff: str | None = None
    """How that commit differs from the patch; only of SUBJECT."""
    resolved: tuple[bytes, ...] = ()
    """The files in which a recorded resolution was used."""

    @property
    def is_in(self) -> bool:
        """Whether the tree has what the patch does, afterwards."""
        return self.outcome is not Outcome.CONFLICT

    def to_dict(self) -> dict[str, object]:
        """The outcome as JSON shows it."""
        return {
            "patch": self.counter,
            "outcome": str(self.outcome),
            "how": str(self.how),
            "offsets": self.offsets,
            "merged_as": self.merged_as,
            "range_diff": self.range_diff,
            "resolved": [path_text(path) for path in self.resolved],
            "conflicts": [conflict.to_dict() for conflict in self.conflicts],
            "failure": failure_dict(self.failure),
        }


class TestMerge(JsonStruct, frozen=True):
    """Whether the rebased series also merges with another tree."""

    json_names = (("paths", "conflicts"),)

    __test__ = False  # pytest takes the name for a test

    tree: str
    commit: str
    paths: tuple[bytes, ...]
    """In conflict because of the series: without it they merge."""
    problem: str | None = None
    """Why it could not be tried."""


class TreeResult(JsonStruct, frozen=True):
    """The series on one tree."""

    name: str
    onto: str
    """The commit on which it was tried."""
    patches: tuple[PatchResult, ...]
    trees: tuple[str, ...]
    """For each patch git's tree after it, whether it went in or left markers; not part of the JSON."""
    test_merges: tuple[TestMerge, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all patches are in."""
        return all(patch.is_in for patch in self.patches)

    @property
    def tree_oid(self) -> str | None:
        """Git's tree with all patches; None where one of them is in conflict."""
        return self.trees[-1] if self.is_clean else None

    def to_dict(self) -> dict[str, object]:
        """The tree as JSON shows it."""
        return {
            "name": self.name,
            "onto": self.onto,
            "clean": self.is_clean,
            "tree_oid": self.tree_oid,
            "patches": [patch.to_dict() for patch in self.patches],
            "test_merges": [merge.to_dict() for merge in self.test_merges],
        }


class Rebase(JsonStruct, frozen=True):
    """The answer: the series on each of the trees."""

    series: Series
    base: SeriesBase | None
    trees: tuple[TreeResult, ...]
    commits: tuple[CommitSummary, ...] = ()
    """The commits that the answer names, for people."""
    notes: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all patches are in everywhere."""
        return all(tree.is_clean for tree in self.trees)

    def commit(self, oid: str | None) -> CommitSummary | None:
        """What is known of a commit that the answer names."""
        return next((commit for commit in self.commits if commit.oid == oid), None)

    def to_dict(self) -> dict[str, object]:
        """The answer as JSON shows it; every key is always there."""
        return {
            "schema": SCHEMA,
            "series": self.series.to_dict(),
            "base": self.base.to_dict() if self.base else None,
            "clean": self.is_clean,
            "trees": [tree.to_dict() for tree in self.trees],
            "commits": [commit.to_dict() for commit in self.commits],
            "notes": list(self.notes),
        }
