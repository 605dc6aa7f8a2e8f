# SPDX-License-Identifier: GPL-2.0-or-later
"""precheck: all that is known of a series, step by step; a step that breaks leaves the others standing."""

from collections.abc import Callable, Sequence
from functools import cached_property
from time import monotonic
from typing import TypeVar

from msgspec.structs import replace

from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult
from seriestool.base.verdict import Verdict
from seriestool.check.protocol import Report
from seriestool.precheck.cached_steps import CachedSteps
from seriestool.precheck.check_step import CheckStep
from seriestool.precheck.precheck_result import Precheck, SeriesVersion, StepNote
from seriestool.precheck.step_cache import StepCache
from seriestool.precheck.target_trees import TargetTrees, find_suggestions, find_targets, is_well_founded
from seriestool.precheck.timeline import Timeline
from seriestool.precheck.timeline_builder import make_timeline
from seriestool.rebase.patch_stack import SeriesBase
from seriestool.rebase.rebase_result import Rebase
from seriestool.series.model import Series
from seriestool.session import Session
from seriestool.split.split_plan import SplitPlan
from seriestool.trees.suggestions import Suggestion
from seriestool.util.errors import NotFoundError, SeriestoolError

T = TypeVar("T")


def run_precheck(
    session: Session,
    steps: StepCache | None = None,
    versions: Sequence[SeriesVersion] = (),
    failed: Callable[[SeriestoolError], None] = lambda _: None,
) -> Precheck:
    """All that is known of the session's series.

    `steps` has answers of earlier runs and gets those of this one; None: all is worked out. `versions` are all that
    were mailed, oldest first, this one among them; () where they are not known. `failed` is told of what ended a step;
    where that raises, all ends.

    Raises InputError and OutsideError where no base can be looked for: no trees, no such tree, patches that contradict
    each other, checks or profiles that are none. What breaks later is in the note of its step. Any other exception is
    a bug of ours.
    """
    return _PrecheckRun(session, steps, failed).all_steps(tuple(versions))


class _PrecheckRun:
    """One series on its way through the steps."""

    def __init__(self, session: Session, steps: StepCache | None, failed: Callable[[SeriestoolError], None]) -> None:
        self._session = session
        self._steps = steps
        self._failed = failed
        self._monitor = session.monitor
        self._series = session.series
        self._notes: list[StepNote] = []

    def all_steps(self, versions: tuple[SeriesVersion, ...]) -> Precheck:
        """The steps, one after the other."""
        checking = CheckStep(self._session)  # a slip in its options comes before the work
        start = monotonic()
        self._kept = CachedSteps(self._steps, self._session.context, self._series)
        verdict, is_kept = self._find_verdict()
        self._notes.append(StepNote("base", monotonic() - start, is_kept))
        prerequisites = self._step("prerequisites", lambda: self._prerequisites(verdict))
        self._session.adopt(prerequisites=prerequisites)
        base = self._step("footing", lambda: (self._session.base, False))
        self._session.adopt(base=base)
        targets = find_targets(self._session.context, self._series, verdict, self._suggestions)
        matrix = self._step("matrix", lambda: self._matrix(base, targets))
        plan = self._step("split", lambda: self._plan(base, targets))
        checks = self._step("checks", lambda: self._checks(checking))
        versions = versions or (version_of(self._series, True),)
        timeline = self._step("timeline", lambda: (self._timeline(verdict, versions, targets), False))
        self._notes.append(StepNote("versions", 0.0))
        return Precheck(
            series=self._series,
            verdict=verdict,
            prerequisites=prerequisites,
            base=base,
            matrix=matrix,
            plan=plan,
            checks=checks,
            timeline=timeline,
            versions=versions,
            steps=tuple(note for note in self._notes if note.name != "footing" or note.problem),
            suggestions=self._suggestions,
        )

    def _step(self, name: str, work: Callable[[], tuple[T | None, bool]]) -> T | None:
        """What the step answers; None where it cannot, and then its note says why."""
        start = monotonic()
        self._monitor.detail(f"step: {name}")
        try:
            answer, is_kept = work()
        except SeriestoolError as error:
            self._failed(error)
            self._notes.append(StepNote(name, monotonic() - start, False, error.message))
            return None
        self._notes.append(StepNote(name, monotonic() - start, is_kept))
        return answer

    def _find_verdict(self) -> tuple[Verdict, bool]:
        def work() -> Verdict:
            with self._monitor.progress("looking for the base"):
                return self._session.verdict

        verdict, is_kept = self._kept.verdict(work)
        self._session.adopt(verdict=verdict)
        return verdict, is_kept

    def _prerequisites(self, verdict: Verdict) -> tuple[PrerequisiteResult | None, bool]:
        def work() -> PrerequisiteResult | None:
            with self._monitor.progress("looking for what it builds on"):
                return self._session.prerequisites

        wanted = self._session.resources.prerequisite_options(self._session.options.prerequisites)
        return self._kept.prerequisites(wanted, verdict, work)

    @cached_property
    def _suggestions(self) -> tuple[Suggestion, ...]:
        return find_suggestions(self._session.context, self._series, self._session.base)

    def _matrix(self, base: SeriesBase | None, targets: TargetTrees) -> tuple[Rebase | None, bool]:
        if not self._series.patches:
            return None, False
        if not targets.chosen:
            raise NotFoundError("no tree here has the files that the series changes")
        return self._kept.matrix(
            base, targets.chosen, lambda: replace(self._session.rebase(targets.chosen), notes=targets.notes)
        )

    def _plan(self, base: SeriesBase | None, targets: TargetTrees) -> tuple[SplitPlan | None, bool]:
        if not self._series.patches:
            return None, False
        if not targets.chosen and not any(map(is_well_founded, self._suggestions)):
            raise NotFoundError("nothing here says who takes it")

        def work() -> SplitPlan:
            with self._monitor.progress("reading what ties the patches"):
                return self._session.planned.plan

        return self._kept.plan(base, work)

    def _checks(self, checking: CheckStep) -> tuple[Report | None, bool]:
        return checking.report(self._kept) if self._series.patches else (None, False)

    def _timeline(self, verdict: Verdict, versions: Sequence[SeriesVersion], targets: TargetTrees) -> Timeline:
        return make_timeline(verdict, versions, [target.name for target in targets.chosen], self._session.context)


def version_of(series: Series, is_this: bool) -> SeriesVersion:
    """The series as one of its versions."""
    return SeriesVersion(
        version=series.version,
        msgid=series.msgid,
        subject=series.subject,
        posted=series.posted,
        patches=series.expected,
        is_this=is_this,
    )
