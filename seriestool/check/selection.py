# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user wants checked, and the whole report on a series that stands on its base."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from seriestool.check.profiles import (
    SEVERITY,
    Profile,
    Severities,
    get_profile,
    guess_profile,
    parse_severities,
)
from seriestool.check.protocol import Check, CheckSubject, Report, Requirement
from seriestool.check.registry import find_checks, require_known_checks
from seriestool.check.requirements import Availability
from seriestool.check.result_cache import ResultCache
from seriestool.check.runner import CheckCrash, CheckPlan, count_jobs, run_checks
from seriestool.check.user_commands import find_commands
from seriestool.sandbox import Sandbox, Unsandboxed, find_sandbox
from seriestool.util.config import Config, all_texts, find_text
from seriestool.util.progress import ProgressMonitor


class CheckOptions(Struct, frozen=True):
    """What is said on the command line, in its words."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    profile: str | None = None
    severities: tuple[str, ...] = ()


class CheckSelection(Struct, frozen=True):
    """What is looked at, and how grave it is."""

    checks: tuple[Check, ...]
    profile: Profile | None
    """None: the one that fits the series."""
    severities: tuple[Severities, ...]

    @property
    def wants_sandbox(self) -> bool:
        """Whether a check runs code from a patch or a tree."""
        return any(Requirement.SANDBOX in check.needs for check in self.checks)


class ProgramRunners(Struct, frozen=True):
    """What starts programs: the user's own, and those that run code from a patch or a tree."""

    own: Sandbox
    sandbox: Sandbox | None = None
    no_sandbox: str | None = None
    """Why there is no sandbox."""

    @property
    def all(self) -> tuple[Sandbox, ...]:
        """Each of them."""
        return (self.own, self.sandbox) if self.sandbox else (self.own,)


def select_checks(choice: CheckOptions, config: Config, environ: Mapping[str, str], own: Sandbox) -> CheckSelection:
    """The checks with their severities: those of git-config and, going before them, those of the command line.

    Raises InputError where a check, a profile or a severity is none: a slip there would change nothing.
    """
    commands = find_commands(config, environ, own)
    checks = find_checks(choice.only, choice.skip, commands)
    given = parse_severities(choice.severities)
    require_known_checks((name.partition("/")[0] for name in given), commands)
    named = choice.profile or find_text(config, "seriestool.profile")
    return CheckSelection(
        checks, get_profile(named) if named else None, (parse_severities(all_texts(config, SEVERITY)), given)
    )


def find_runners(own: Sandbox, is_wanted: bool, is_unsandboxed: bool) -> ProgramRunners:
    """What may run code; nothing is looked for where no check wants it."""
    if not is_wanted:
        return ProgramRunners(own)
    found = Unsandboxed() if is_unsandboxed else find_sandbox()
    return ProgramRunners(own, None, f"no sandbox: {found}") if isinstance(found, str) else ProgramRunners(own, found)


def plan_checks(
    subject: CheckSubject, chosen: CheckSelection, runners: ProgramRunners, counters: frozenset[int] | None = None
) -> tuple[Profile, CheckPlan]:
    """The profile that counts, and what is to be run."""
    needs = Availability(subject.is_kernel, runners.no_sandbox)
    profile = chosen.profile or guess_profile(subject.series, needs.is_kernel)
    severities = (profile.severities, *chosen.severities)
    return profile, CheckPlan(
        checks=chosen.checks,
        subject=subject,
        needs=needs,
        severities=severities,
        counters=counters,
        runners=runners.all,
    )


def run_plan(
    profile: Profile,
    plan: CheckPlan,
    cache: ResultCache | None,
    monitor: ProgressMonitor,
    broke: Callable[[CheckCrash], None],
) -> Report:
    """All that the checks say."""
    with monitor.progress("checking", count_jobs(plan)) as progress:
        results = run_checks(plan, cache, progress, broke)
    subject = plan.subject
    describe = subject.environment.repository.describe(subject.base.commit) if subject.base else None
    return Report(series=subject.series, base=subject.base, describe=describe, profile=profile.name, results=results)


def split_names(given: Sequence[str]) -> tuple[str, ...]:
    """The names of checks as people give them: several options, or one with commas."""
    return tuple(name.strip() for text in given for name in text.split(",") if name.strip())
