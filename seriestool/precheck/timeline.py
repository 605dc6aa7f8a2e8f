# SPDX-License-Identifier: GPL-2.0-or-later
"""When, in each tree's history, a series applies: the values that a picture of it is drawn from."""

from datetime import datetime
from enum import StrEnum

from seriestool.base.verdict import FitLevel
from seriestool.util.json_struct import JsonStruct


class MarkKind(StrEnum):
    """What a point in time is."""

    POSTED = "posted"
    """The series was mailed."""
    VERSION = "version"
    """Another version of it was."""
    STATED = "stated"
    """The commit that the author states as the base."""
    BASE = "base"
    """The commit that we name."""
    BROKE = "broke"
    """A commit after which it does not apply any more."""


class TimelineMark(JsonStruct, frozen=True):
    """A point in time, of one tree or of all."""

    kind: MarkKind
    date: datetime
    label: str
    """A few words: a title, 'v2'."""
    commit: str | None = None
    tree: str | None = None
    """None: of all trees."""


class TimelineSpan(JsonStruct, frozen=True):
    """A run of commits of a tree's line to which the series applies."""

    oldest: str
    newest: str
    since: datetime
    """Committer date of `oldest`; UTC, as all dates here."""
    until: datetime | None
    """Committer date of the commit that ended it; None where it holds at the tip."""
    commits: int
    ended_by: str | None


class TreeTimeline(JsonStruct, frozen=True):
    """One tree's history within the window."""

    tree: str
    tip: str
    tip_date: datetime
    spans: tuple[TimelineSpan, ...]
    """Oldest first; only those that reach into the window."""


class Timeline(JsonStruct, frozen=True):
    """The trees side by side, those that matter most first."""

    since: datetime
    until: datetime
    level: FitLevel
    """What is proven of the commits in the spans: exact or applies; of no spans it is what find-base said."""
    lines: tuple[TreeTimeline, ...]
    marks: tuple[TimelineMark, ...]
