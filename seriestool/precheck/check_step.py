# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks as a step: those of which all was seen before are not asked again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from seriestool.base.search_context import SearchContext
from seriestool.check.protocol import Check, CheckEnvironment, CheckResult, CheckSubject, Report, Status
from seriestool.check.registry import BUILTIN
from seriestool.check.requirements import Availability
from seriestool.check.runner import NOT_THERE, TOO_MANY, CheckCrash
from seriestool.check.selection import CheckOptions, plan_checks, run_plan, select_checks
from seriestool.git import ScratchRepository
from seriestool.precheck.cache_keys import base_digest, series_digest
from seriestool.precheck.cached_steps import CachedSteps
from seriestool.precheck.resources import PrecheckResources
from seriestool.rebase.patch_stack import PatchStack, SeriesBase
from seriestool.series.model import Series
from seriestool.util.progress import ProgressMonitor


@dataclass(frozen=True, slots=True)
class _CachedReport:
    """What is kept of a report."""

    profile: str
    describe: str | None
    results: tuple[CheckResult, ...]


class CheckStep:
    """The checks of one run."""

    def __init__(self, resources: PrecheckResources, choice: CheckOptions) -> None:
        """Raises InputError where a check, a profile or a severity is none."""
        self._resources = resources
        self._chosen = select_checks(choice, resources.config, resources.settings.environ, resources.own)

    def report(
        self,
        series: Series,
        previous: Series | None,
        base: SeriesBase | None,
        context: SearchContext,
        stand: Callable[[], tuple[PatchStack, ScratchRepository]],
        kept: CachedSteps,
        monitor: ProgressMonitor,
        broke: Callable[[CheckCrash], None],
    ) -> tuple[Report, bool]:
        """The report; `stand` brings the series on its base where a check has to be asked."""
        question = self._question(previous, base, kept)
        said = kept.find(question, _CachedReport) if kept.is_on else None
        known = {result.check for result in said.results} if said else set()
        open_checks = tuple(check for check in self._chosen.checks if check.name not in known)
        if said is not None and not open_checks:
            return Report(
                series=series, base=base, describe=said.describe, profile=said.profile, results=_as_kept(said.results)
            ), True
        subject = self._subject(
            series=series, previous=previous, base=base, context=context, stand=stand, monitor=monitor
        )
        chosen = replace(self._chosen, checks=open_checks)
        profile, plan = plan_checks(subject, chosen, self._resources.runners(chosen.wants_sandbox))
        report = run_plan(profile=profile, plan=plan, cache=self._resources.checks, monitor=monitor, broke=broke)
        lasting = _lasting(open_checks, report.results)
        old = said.results if said else ()
        if kept.is_on and lasting:
            kept.keep(question, _CachedReport(report.profile, report.describe, (*old, *lasting)))
        return replace(report, results=self._ordered([*_as_kept(old), *report.results])), False

    def _question(self, previous: Series | None, base: SeriesBase | None, kept: CachedSteps) -> str:
        """All that answers depend on, what is missing on this machine included."""
        if not kept.is_on:
            return ""
        chosen, config = self._chosen, self._resources.config
        runners = self._resources.runners(chosen.wants_sandbox)
        settings = sorted(item for item in config.items() if item[0].startswith("seriestool.check."))
        versions = [(check.name, check.version) for check in chosen.checks]
        weight = (chosen.profile.name if chosen.profile else None, [sorted(one.items()) for one in chosen.severities])
        machine = (Availability(False, None).tools, runners.no_sandbox, type(runners.sandbox).__name__)
        return kept.question(
            "checks",
            series_digest(previous),
            base_digest(base),
            versions,
            weight,
            settings,
            machine,
            self._resources.settings.offline,
        )

    def _subject(
        self,
        series: Series,
        previous: Series | None,
        base: SeriesBase | None,
        context: SearchContext,
        stand: Callable[[], tuple[PatchStack, ScratchRepository]],
        monitor: ProgressMonitor,
    ) -> CheckSubject:
        stack, scratch_repo = stand()
        settings = self._resources.settings
        place = CheckEnvironment(
            repository=context.repository,
            scratch_repo=scratch_repo,
            cache_dir=settings.cache_dir,
            config=self._resources.config,
            sandbox=self._resources.runners(self._chosen.wants_sandbox).sandbox,
            history=context.history,
            trees=tuple(one.tree for one in context.tree_tips),
            offline=settings.offline,
            jobs=settings.jobs,
            report=monitor.note,
        )
        return CheckSubject(
            series=series,
            steps=stack.steps,
            base=base,
            environment=place,
            step=None,
            previous=previous,
            is_mailed=bool(series.recipients),
        )

    def _ordered(self, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """As `registry.run` has them: the series first, then patch by patch, in the order of the checks."""
        order = {check.name: number for number, check in enumerate(self._chosen.checks)}
        return tuple(sorted(results, key=lambda one: (one.counter or 0, order[one.check])))


def _as_kept(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    return tuple(replace(one, is_kept=True) for one in results)


def _lasting(checks: Iterable[Check], results: Iterable[CheckResult]) -> list[CheckResult]:
    """The results of the checks that will say the same another day: our own, if nothing was unseen and none broke."""
    ours = {check.name: check for check in checks if check.is_lasting and check.name in BUILTIN}
    results = [one for one in results if one.check in ours]
    unsettled = {one.check for one in results if not _is_settled(one, ours[one.check])}
    return [one for one in results if one.check not in unsettled]


def _is_settled(result: CheckResult, check: Check) -> bool:
    """Whether all was seen, or will not be seen ever: what is not there is in the question, limits are the same."""
    lasting = {NOT_THERE, TOO_MANY, *check.lasting_skips}
    return all(
        one.status is not Status.ERROR and (one.status is not Status.SKIP or one.rule in lasting)
        for one in result.findings
    )
