# SPDX-License-Identifier: GPL-2.0-or-later
"""precheck: all that is known of a series, step by step; a step that breaks leaves the others standing."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import monotonic
from typing import TypeVar

from seriestool.base.find import find_base
from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult
from seriestool.base.prerequisites.prerequisite_search import rebuild_from_trees, search_prerequisites
from seriestool.base.stated_base import push_log_lookup
from seriestool.base.verdict import FitLevel, Verdict
from seriestool.check.protocol import Report
from seriestool.check.runner import CheckCrash
from seriestool.check.selection import CheckOptions
from seriestool.git import ScratchRepository
from seriestool.precheck.cached_steps import CachedSteps
from seriestool.precheck.check_step import CheckStep
from seriestool.precheck.precheck_result import Precheck, SeriesVersion, StepNote
from seriestool.precheck.resources import PrecheckResources
from seriestool.precheck.target_trees import TargetTrees, find_suggestions, find_targets, is_well_founded
from seriestool.precheck.timeline import Timeline
from seriestool.precheck.timeline_builder import make_timeline
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import BaseKind, PatchStack, SeriesBase, find_series_base, make_stack
from seriestool.rebase.rebase_result import Rebase
from seriestool.rebase.rebase_series import rebase_series
from seriestool.rebase.resolve_conflicts import find_resolutions
from seriestool.series.model import Series
from seriestool.split.plan_series import find_ownership_sources, plan_series
from seriestool.split.split_plan import SplitPlan
from seriestool.trees.suggestions import Suggestion
from seriestool.util.errors import NotFoundError, SeriestoolError
from seriestool.util.progress import ProgressMonitor

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class PrecheckInput:
    """The series in question, and what is known of it from elsewhere."""

    series: Series
    previous: Series | None = None
    """The version before it, where that is at hand."""
    versions: tuple[SeriesVersion, ...] = ()
    """All that were mailed, oldest first, this one among them."""
    base: str | None = None
    """The commit that it was made from, as far as whoever asks knows; not believed unseen."""


@dataclass(frozen=True, slots=True)
class PrecheckOptions:
    """How it is to be looked at."""

    trees: tuple[str, ...] = ()
    """Only these; () for all."""
    base: str | None = None
    """The commit that it was made from, in place of what find-base says."""
    prerequisites: bool | None = None
    """As find-base's option: None asks the lists that were added."""
    checks: CheckOptions = field(default_factory=CheckOptions)


def run_precheck(
    asked: PrecheckInput,
    resources: PrecheckResources,
    wishes: PrecheckOptions,
    monitor: ProgressMonitor,
    broke: Callable[[CheckCrash], None] = lambda _: None,
    failed: Callable[[SeriestoolError], None] = lambda _: None,
) -> Precheck:
    """All that is known of the series.

    `broke` is told of checks of ours that broke, `failed` of what ended a step; where that raises, all ends.

    Raises InputError and OutsideError where no base can be looked for: no trees, no such tree, patches that contradict
    each other, checks or profiles that are none. What breaks later is in the note of its step. Any other exception is
    a bug of ours.
    """
    with _PrecheckRun(
        asked=asked, resources=resources, wishes=wishes, monitor=monitor, broke=broke, failed=failed
    ) as run:
        return run.all_steps()


class _PrecheckRun:
    """One series on its way through the steps."""

    def __init__(
        self,
        asked: PrecheckInput,
        resources: PrecheckResources,
        wishes: PrecheckOptions,
        monitor: ProgressMonitor,
        broke: Callable[[CheckCrash], None],
        failed: Callable[[SeriestoolError], None],
    ) -> None:
        self._asked = asked
        self._series = asked.series
        self._resources = resources
        self._wishes = wishes
        self._monitor = monitor
        self._broke = broke
        self._failed = failed
        self._notes: list[StepNote] = []
        self._stack = ExitStack()

    def __enter__(self) -> "_PrecheckRun":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def all_steps(self) -> Precheck:
        """The steps, one after the other."""
        checking = CheckStep(self._resources, self._wishes.checks)  # a slip in its options comes before the work
        start = monotonic()
        self._context = self._resources.context(self._series, self._wishes.trees, self._monitor)
        self._kept = CachedSteps(self._resources, self._context, self._series)
        verdict, is_kept = self._find_verdict()
        self._notes.append(StepNote("base", monotonic() - start, is_kept))
        prerequisites = self._step("prerequisites", lambda: self._prerequisites(verdict))
        self._base = self._step("footing", lambda: (self._footing(verdict, prerequisites), False))
        targets = self._targets(verdict)
        matrix = self._step("matrix", lambda: self._matrix(targets))
        plan = self._step("split", lambda: self._plan(targets))
        checks = self._step("checks", lambda: self._checks(checking))
        versions = self._asked.versions or (_only(self._series),)
        timeline = self._step("timeline", lambda: (self._timeline(verdict, versions, targets), False))
        self._notes.append(StepNote("versions", 0.0))
        return Precheck(
            series=self._series,
            verdict=verdict,
            prerequisites=prerequisites,
            base=self._base,
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
                return find_base(self._series, self._context, push_log_lookup(self._resources.repository))

        return self._kept.verdict(work)

    def _prerequisites(self, verdict: Verdict) -> tuple[PrerequisiteResult | None, bool]:
        prerequisite_options = self._resources.prerequisite_options(self._wishes.prerequisites)

        def work() -> PrerequisiteResult | None:
            with self._monitor.progress("looking for what it builds on"):
                needed = search_prerequisites(prerequisite_options, verdict, self._context, self._monitor)
            if needed is not None:
                return needed.found
            if verdict.level in (FitLevel.EXACT, FitLevel.APPLIES) or not self._series.patches:
                return None
            rebuilt = rebuild_from_trees(verdict, self._context)
            return PrerequisiteResult((), rebuilt, ()) if rebuilt else None

        return self._kept.prerequisites(prerequisite_options, verdict, work)

    def _footing(self, verdict: Verdict, prerequisites: PrerequisiteResult | None) -> SeriesBase | None:
        """What the series is put on: as the user says, or as is proven or rebuilt."""
        if self._wishes.base is not None:
            commit = self._resources.repository.resolve(self._wishes.base)
            if commit is None:
                raise NotFoundError(f"there is no commit '{self._wishes.base}'", hint="see 'git log --oneline --all'")
            return given_base(self._series, commit, self._scratch_repo)
        if self._asked.base is not None:
            base = given_base(self._series, self._asked.base, self._scratch_repo)
            if base.footing is not BaseKind.GIVEN:
                return base
        return find_series_base(verdict, prerequisites.rebuilt if prerequisites else None)

    @cached_property
    def _suggestions(self) -> tuple[Suggestion, ...]:
        return find_suggestions(self._context, self._series, self._base)

    def _targets(self, verdict: Verdict) -> TargetTrees:
        return find_targets(self._context, self._series, verdict, self._suggestions)

    def _matrix(self, targets: TargetTrees) -> tuple[Rebase | None, bool]:
        if not self._series.patches:
            return None, False
        if not targets.chosen:
            raise NotFoundError("no tree here has the files that the series changes")

        def work() -> Rebase:
            with self._monitor.progress("rebasing", len(targets.chosen)) as progress:
                answer = rebase_series(
                    series=self._series,
                    stack=self._on_base,
                    targets=targets.chosen,
                    context=self._context,
                    scratch_repo=self._scratch_repo,
                    resolutions=find_resolutions(self._resources.repository),
                    progress=progress,
                )
            return replace(answer, notes=targets.notes)

        return self._kept.matrix(self._base, targets.chosen, work)

    def _plan(self, targets: TargetTrees) -> tuple[SplitPlan | None, bool]:
        if not self._series.patches:
            return None, False
        if not targets.chosen and not any(map(is_well_founded, self._suggestions)):
            raise NotFoundError("nothing here says who takes it")

        def work() -> SplitPlan:
            known = find_ownership_sources(self._context, self._base)
            with self._monitor.progress("reading what ties the patches"):
                return plan_series(self._series, self._on_base, known, self._scratch_repo).plan

        return self._kept.plan(self._base, work)

    def _checks(self, checking: CheckStep) -> tuple[Report | None, bool]:
        if not self._series.patches:
            return None, False
        return checking.report(
            self._series,
            self._asked.previous,
            self._base,
            self._context,
            lambda: (self._on_base, self._scratch_repo),
            self._kept,
            self._monitor,
            self._broke,
        )

    def _timeline(self, verdict: Verdict, versions: Sequence[SeriesVersion], targets: TargetTrees) -> Timeline:
        return make_timeline(verdict, versions, [target.name for target in targets.chosen], self._context)

    @cached_property
    def _scratch_repo(self) -> ScratchRepository:
        return self._stack.enter_context(self._resources.repository.scratch_repository())

    @cached_property
    def _on_base(self) -> PatchStack:
        return make_stack(self._series, self._base, self._scratch_repo)


def _only(series: Series) -> SeriesVersion:
    return version_of(series, True)


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
