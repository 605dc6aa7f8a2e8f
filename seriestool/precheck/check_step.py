# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks as a step: those of which all was seen before are not asked again."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.protocol import Check, CheckResult, Report, Status
from seriestool.check.registry import BUILTIN
from seriestool.check.requirements import Availability
from seriestool.check.runner import NOT_THERE, TOO_MANY
from seriestool.precheck.cache_keys import base_digest, series_digest
from seriestool.precheck.cached_steps import CachedSteps
from seriestool.session import Session


class _CachedReport(Struct, frozen=True):
    """What is kept of a report."""

    profile: str
    describe: str | None
    results: tuple[CheckResult, ...]


class CheckStep:
    """The checks of one run."""

    def __init__(self, session: Session) -> None:
        """Raises InputError where a check, a profile or a severity is none."""
        self._session = session
        self._chosen = session.check_selection

    def report(self, kept: CachedSteps) -> tuple[Report, bool]:
        """The report; the series is put on its base only where a check has to be asked."""
        question = self._question(kept)
        said = kept.find(question, _CachedReport) if kept.is_on else None
        known = {result.check for result in said.results} if said else set()
        open_checks = tuple(check for check in self._chosen.checks if check.name not in known)
        if said is not None and not open_checks:
            return Report(
                series=self._session.series,
                base=self._session.base,
                describe=said.describe,
                profile=said.profile,
                results=_as_kept(said.results),
            ), True
        report = self._session.run_checks(replace(self._chosen, checks=open_checks))
        lasting = _lasting(open_checks, report.results)
        old = said.results if said else ()
        if kept.is_on and lasting:
            kept.keep(question, _CachedReport(report.profile, report.describe, (*old, *lasting)))
        return replace(report, results=self._ordered([*_as_kept(old), *report.results])), False

    def _question(self, kept: CachedSteps) -> str:
        """All that answers depend on, what is missing on this machine included."""
        if not kept.is_on:
            return ""
        resources, chosen = self._session.resources, self._chosen
        config = resources.config
        runners = resources.runners(chosen.wants_sandbox)
        settings = sorted(item for item in config.items() if item[0].startswith("seriestool.check."))
        versions = [(check.name, check.version) for check in chosen.checks]
        weight = (chosen.profile.name if chosen.profile else None, [sorted(one.items()) for one in chosen.severities])
        machine = (Availability(False, None).tools, runners.no_sandbox, type(runners.sandbox).__name__)
        return kept.question(
            "checks",
            series_digest(self._session.previous),
            base_digest(self._session.base),
            versions,
            weight,
            settings,
            machine,
            resources.settings.offline,
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
