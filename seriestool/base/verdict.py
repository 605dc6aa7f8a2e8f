# SPDX-License-Identifier: GPL-2.0-or-later
"""What find-base answers: frozen values, and how they look as JSON."""

from datetime import UTC, datetime
from enum import StrEnum

from seriestool.series.model import SCHEMA, PatchFailure, PatchOutcome, Series, path_text
from seriestool.sources.pushlog.push_log_index import Sighting  # at run time too: answers are kept by their types
from seriestool.util.json_struct import JsonStruct


class FitLevel(StrEnum):
    """How much was proven of a commit, best first."""

    EXACT = "exact"
    """Every touched path is the very blob that the series names, and the paths that it creates are absent."""
    APPLIES = "applies"
    """Plain `git apply` takes all patches in order."""
    THREE_WAY = "three-way"
    """All patches go in, at least one of them only with a three-way merge."""
    PARTIAL = "partial"
    """Some patches go in, from the first on."""
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(FitLevel).index(self)

    @property
    def is_base(self) -> bool:
        """Whether the whole series can be put on such a commit."""
        return self.rank <= FitLevel.THREE_WAY.rank


class StatedBaseState(StrEnum):
    """What is known of the base-commit that the author stated."""

    KNOWN = "known"
    REBASED_AWAY = "rebased-away"
    """It was the tip of a branch, and no branch has it any more."""
    UNKNOWN = "unknown"
    MALFORMED = "malformed"
    """The trailer's value is no commit id."""


class CommitSummary(JsonStruct, frozen=True):
    """A commit as people name it."""

    json_names = (("oid", "commit"),)

    oid: str
    subject: str
    date: datetime
    """Committer date, UTC."""
    author: str = ""
    link: str | None = None
    """Where it was mailed: the URL of its Link trailer."""


class CommitRange(JsonStruct, frozen=True, kw_only=True):
    """A run of commits on one line of first parents for which the same holds."""

    oldest: str
    newest: str
    commits: int
    made_by: str | None
    """The commit that made it so: `oldest`, or None where it held from the very beginning."""
    ended_by: str | None
    """The commit after `newest` that ended it; None where it holds up to the tip."""


class Candidate(JsonStruct, frozen=True):
    """What holds in one tree: the best commit of it, and all ranges in which the same holds."""

    tree: str | None
    """None for commits that no branch's line has: merged topics, other refs."""
    commit: str
    verdict: FitLevel
    matched: int
    expected: int
    ranges: tuple[CommitRange, ...] = ()
    outcomes: tuple[PatchOutcome, ...] = ()
    label: str | None = None
    """What else the commit is: a tag's name, 'tip', 'tip at the posting date'."""

    def to_dict(self) -> dict[str, object]:
        """The candidate as JSON shows it."""
        return {
            "tree": self.tree,
            "commit": self.commit,
            "label": self.label,
            "verdict": str(self.verdict),
            "matched": self.matched,
            "expected": self.expected,
            "ranges": [found.to_dict() for found in self.ranges],
            "outcomes": [outcome_dict(outcome) for outcome in self.outcomes],
        }


class StatedBase(JsonStruct, frozen=True):
    """The author's base-commit, checked."""

    commit: str
    state: StatedBaseState
    verdict: FitLevel | None
    """What was proven of it; None where its content is not to be had."""
    tree: str | None
    """A tree that has it."""
    matched: int | None = None
    note: str | None = None
    sightings: tuple[Sighting, ...] = ()


class BlobHolder(JsonStruct, frozen=True):
    """A tree that has, or had, an expected blob."""

    tree: str
    since: str
    """The commit that brought it."""
    until: str | None
    """The commit that replaced it; None where the tip still has it."""


class PathAnswer(JsonStruct, frozen=True, kw_only=True):
    """One path of the pre-image: what the series expects there, and who has it."""

    path: bytes
    blob: str | None
    """Abbreviated id as mailed, longer where that fits several versions; None where the path must be absent, or where
    the mail names no blob."""
    expects: str
    """blob, absent or present."""
    matched: bool
    """Whether the best commit has what is expected."""
    reason: str
    """matched, elsewhere (other commits have it), never (no commit ever had it), exists, missing-file or mode."""
    holders: tuple[BlobHolder, ...] = ()
    commit: str | None = None
    """The commit that made the best commit differ: it replaced the blob, or changed the lines of the hunk."""
    patch: int | None = None
    """First patch that fails on this path at the best commit."""
    failure: PatchFailure | None = None

    def to_dict(self) -> dict[str, object]:
        """The path as JSON shows it."""
        return {
            "path": path_text(self.path),
            "blob": self.blob,
            "expects": self.expects,
            "matched": self.matched,
            "reason": self.reason,
            "trees": [holder.tree for holder in self.holders],
            "holders": [holder.to_dict() for holder in self.holders],
            "commit": self.commit,
            "patch": self.patch,
            "hunk": self.failure.hunk if self.failure else None,
            "failure": failure_dict(self.failure),
        }


class BestBase(JsonStruct, frozen=True):
    """The best commit, as people name it."""

    commit: str
    tree: str | None
    describe: str | None
    subject: str
    date: datetime


class Verdict(JsonStruct, frozen=True):
    """The answer of find-base; candidates best first."""

    series: Series
    level: FitLevel
    base: BestBase | None
    stated: StatedBase | None
    candidates: tuple[Candidate, ...]
    paths: tuple[PathAnswer, ...]
    commits: tuple[CommitSummary, ...] = ()
    """The commits that the answer names, for people."""
    notes: tuple[str, ...] = ()
    """What limits the answer: a partial clone without contents, a shallow history."""

    def commit(self, oid: str | None) -> CommitSummary | None:
        """What is known of a commit that the answer names."""
        return next((commit for commit in self.commits if commit.oid == oid), None)

    def to_dict(self) -> dict[str, object]:
        """The answer as JSON shows it; every key is always there."""
        return {
            "schema": SCHEMA,
            "series": self.series.to_dict(),
            "verdict": str(self.level),
            "base": self.base.to_dict() if self.base else None,
            "stated": self.stated.to_dict() if self.stated else None,
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "unmatched": [path.to_dict() for path in self.paths if not path.matched],
            "preimage": [path.to_dict() for path in self.paths],
            "commits": [commit.to_dict() for commit in self.commits],
            "notes": list(self.notes),
        }


def outcome_dict(outcome: PatchOutcome) -> dict[str, object]:
    """A patch's outcome as JSON shows it."""
    return {
        "patch": outcome.counter,
        "outcome": str(outcome.outcome) if outcome.outcome else None,
        "alone": str(outcome.alone) if outcome.alone else None,
        "offsets": outcome.offsets,
        "failure": failure_dict(outcome.failure),
    }


def failure_dict(failure: PatchFailure | None) -> dict[str, object] | None:
    """A failure as JSON shows it; lines without their line end."""
    if failure is None:
        return None
    return {
        "path": path_text(failure.path),
        "reason": failure.reason,
        "hunk": failure.hunk,
        "line": failure.line,
        "expected": [line_text(line) for line in failure.expected],
        "found": [line_text(line) for line in failure.found],
    }


def line_text(line: bytes) -> str:
    """A line of a file as JSON shows it: without its line end."""
    return line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")


def utc(timestamp: int) -> datetime:
    """A committer time as a date."""
    return datetime.fromtimestamp(timestamp, UTC)
