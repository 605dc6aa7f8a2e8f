# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a series before a human reads it: all answers in one frozen value."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult
from seriestool.base.verdict import Verdict
from seriestool.check.protocol import Report
from seriestool.precheck.timeline import Timeline
from seriestool.rebase.patch_stack import SeriesBase
from seriestool.rebase.rebase_result import Rebase
from seriestool.series.model import Series
from seriestool.split.split_plan import SplitPlan
from seriestool.trees.suggestions import Suggestion
from seriestool.util.json_struct import JsonStruct


class PrecheckAnswer(StrEnum):
    """The whole of it in a word; of several that are true the first one counts."""

    DAMAGED = "damaged"
    """A mail of it cannot be read as a patch; nothing else is known. No precheck says so: it comes before one."""

    MERGED = "merged"
    """A tree has all of it."""
    NO_BASE = "no-base"
    """Nothing takes all patches, and nothing that was found on lists makes up for it."""
    WAITS = "waits"
    """It builds on patches that no tree has yet."""
    CONFLICTS = "conflicts"
    """Its base is known, and on the tip of the tree that it is for a patch conflicts."""
    TO_MEND = "to-mend"
    """It goes in, and a check says FAIL."""
    READY = "ready"
    """It goes in, and no check says FAIL."""


class SeriesVersion(JsonStruct, frozen=True):
    """A version of the series that was mailed."""

    json_names = (("is_this", "this"),)

    version: int
    msgid: str
    subject: str
    posted: datetime
    patches: int
    is_this: bool


class StepNote(JsonStruct, frozen=True):
    """A step of the work: what it took, or why it could not be done."""

    name: str
    """base, prerequisites, matrix, split, checks, timeline, versions."""
    seconds: float
    is_kept: bool = False
    """Whether it is the answer of an earlier run."""
    problem: str | None = None
    """Why there is no answer of it; the others stand all the same."""

    def to_dict(self) -> dict[str, object]:
        """The step as JSON shows it."""
        return {
            "step": self.name,
            "seconds": round(self.seconds, 3),
            "kept": self.is_kept,
            "problem": self.problem,
        }


class Precheck(Struct, frozen=True, eq=False):
    """All that is known; a part is None where it was not asked for or could not be found, and `steps` say why."""

    series: Series
    verdict: Verdict
    prerequisites: PrerequisiteResult | None
    base: SeriesBase | None
    """What the series was put on for the matrix, the split and the checks."""
    matrix: Rebase | None
    """Patches x trees, on the trees' tips; those that it is meant for first."""
    plan: SplitPlan | None
    """Who should take it."""
    checks: Report | None
    timeline: Timeline | None
    versions: tuple[SeriesVersion, ...]
    """Oldest first, this one among them."""
    steps: tuple[StepNote, ...]
    suggestions: tuple[Suggestion, ...] = ()
    """The trees that it may be meant for, the likeliest first, also such as are not here; () where nothing says so."""
