# SPDX-License-Identifier: GPL-2.0-or-later
"""The KUnit suites that a series can break, built and run under User Mode Linux, patch by patch."""

import os
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from seriestool.check.builds import Toolchain, find_toolchain, open_build_workspace
from seriestool.check.kunit.kunit_runner import KUNIT, KunitSetup, LimitError, make_setting, tree_setting
from seriestool.check.kunit.regressions import KunitEvent
from seriestool.check.kunit.series_runner import (
    ColdBuildError,
    KunitSchedule,
    ScheduledPatch,
    SeriesTestRunner,
    count_passing,
)
from seriestool.check.kunit.suites import SuiteConfiguration, SuiteFinder
from seriestool.check.protocol import (
    Check,
    CheckSubject,
    Finding,
    Requirement,
    Scope,
    SkipCheck,
    Status,
    skip,
)
from seriestool.rebase.patch_stack import StackedPatch, paths_of
from seriestool.util.config import get_boolean, get_number
from seriestool.util.text import plural, shortened

_PROGRAMS = ("make", "flex", "bison", "bc", "python3")
_UML = b"arch/um/Makefile"
_COLD_KEY, _MOST_KEY = "seriestool.check.kunit-cold", "seriestool.check.kunit-configurations"
_MOST = 3
_KUNIT_DOC = "Documentation/dev-tools/kunit/run_wrapper.rst"
_EACH_BUILDS = "Documentation/process/submitting-patches.rst, Separate your changes"
_NAMED = 4

_RULES: dict[str, tuple[Status, str | None]] = {
    "base-build-broken": (Status.SKIP, None),
    "base-build-slow": (Status.SKIP, None),
    "base-config-broken": (Status.SKIP, None),
    "base-fails": (Status.WARN, None),
    "base-no-results": (Status.SKIP, None),
    "base-panics": (Status.WARN, None),
    "build-broken": (Status.FAIL, _EACH_BUILDS),
    "build-slow": (Status.SKIP, None),
    "config-broken": (Status.FAIL, _KUNIT_DOC),
    "configuration-gone": (Status.PASS, None),
    "cut-short": (Status.FAIL, None),
    "failure-moved": (Status.WARN, None),
    "fixed": (Status.PASS, None),
    "flaky": (Status.WARN, None),
    "hang": (Status.FAIL, None),
    "new-test-fails": (Status.WARN, None),
    "new-tests": (Status.PASS, None),
    "no-results": (Status.FAIL, None),
    "not-judged": (Status.SKIP, None),
    "panic": (Status.FAIL, None),
    "test-fails": (Status.FAIL, None),
    "test-fails-since": (Status.WARN, None),
    "tests-gone": (Status.WARN, None),
    "works-again": (Status.PASS, None),
}


class _PlannedConfiguration(Struct):
    """A configuration, the patches that it was chosen for, and why."""

    configuration: SuiteConfiguration
    reasons: dict[str, list[int]] = field(default_factory=dict)

    @property
    def counters(self) -> frozenset[int]:
        return frozenset(counter for counters in self.reasons.values() for counter in counters)

    @property
    def why(self) -> str:
        """As people read it: each reason with its patches."""
        told = [f"{reason} ({_patches(counters)})" for reason, counters in self.reasons.items()]
        return shortened(told, _NAMED, "more files", between="; ")


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What the series does to the tests near the files that it changes; Skipped where there are none, or no tools."""
    steps = tuple(step for step in subject.steps if step.after is not None)
    if not steps:
        raise SkipCheck("no patch of the series applies")
    plans = _plans(subject, steps)
    if not plans:
        raise SkipCheck("no KUnit suite is near what the series changes")
    for path in (KUNIT, _UML):
        if subject.read(steps[0].before, path) is None:
            raise SkipCheck(f"the tree has no {os.fsdecode(path)}")
    toolchain = find_toolchain(*_PROGRAMS)
    if isinstance(toolchain, str):
        raise SkipCheck(toolchain)
    yield from _run_all(subject, steps, plans, toolchain)


def _run_all(
    subject: CheckSubject,
    steps: tuple[StackedPatch, ...],
    plans: tuple[_PlannedConfiguration, ...],
    toolchain: Toolchain,
) -> Iterator[Finding]:
    environment = subject.environment
    assert environment.sandbox is not None  # noqa: S101  # Need.SANDBOX
    most = get_number(environment.config, _MOST_KEY, _MOST)
    key = str(environment.repository.common_dir)
    with open_build_workspace(
        environment.cache_dir / "builds", key, environment.scratch_repo, environment.report
    ) as workspace:
        setup = KunitSetup(
            workspace=workspace,
            sandbox=environment.sandbox,
            make_variables=toolchain.make_variables,
            toolchain=toolchain.version,
            jobs=max(environment.jobs, 1),
            kept=environment.cache_dir / "kunit",
            report=environment.report,
        )
        for plan in plans[:most]:
            yield from _run_one(subject, steps, plan, setup)
    for plan in plans[most:]:
        yield skip("too-many", f"{plan.configuration.name} is not run: '{_MOST_KEY}' is {most}; chosen as {plan.why}")


def _run_one(
    subject: CheckSubject, steps: tuple[StackedPatch, ...], plan: _PlannedConfiguration, setup: KunitSetup
) -> Iterator[Finding]:
    configuration = plan.configuration
    schedule = _make_schedule(subject, steps, plan, setup)
    if isinstance(schedule, str):
        yield skip("unsolved", f"{configuration.name}: {schedule}; chosen as {plan.why}")
        return
    runner = SeriesTestRunner(setup, schedule, get_boolean(subject.environment.config, _COLD_KEY, default=True))
    try:
        for event in runner.events():
            yield _finding(event, configuration)
    except ColdBuildError:
        yield skip("cold", f"{configuration.name}: it takes a cold build, and '{_COLD_KEY}' says no")
    except LimitError as error:
        yield skip("limits", f"{configuration.name}: {error}")
    else:
        yield Finding(Status.PASS, "chosen", _summary(plan, runner))


def _summary(plan: _PlannedConfiguration, runner: SeriesTestRunner) -> str:
    passing, there = count_passing(runner.base) if runner.base is not None else (0, 0)
    base = f"{passing} of {there} tests pass on the base" if there else "no tests on the base"
    return f"{plan.configuration.name}: {base}; chosen as {plan.why}"


def _finding(event: KunitEvent, configuration: SuiteConfiguration) -> Finding:
    status, source = _RULES[event.rule]
    message = f"{configuration.name}: {event.message}"
    return Finding(
        status=status,
        rule=event.rule,
        message=message,
        path=event.path,
        line=event.line,
        source=source,
        counter=event.counter,
    )


def _plans(subject: CheckSubject, steps: tuple[StackedPatch, ...]) -> tuple[_PlannedConfiguration, ...]:
    """The configurations, those first that most patches can break; one for all tests of a folder that need one made."""
    finder = SuiteFinder(subject.environment.scratch_repo)
    found: dict[tuple[bytes | None, bytes], _PlannedConfiguration] = {}
    for step in steps:
        assert step.after is not None  # noqa: S101
        for choice in finder.find(step.after, paths_of(step.patch.files, above=False)):
            wanted = choice.configuration
            plan = found.setdefault((wanted.path, wanted.folder), _PlannedConfiguration(wanted))
            options = dict.fromkeys((*plan.configuration.options, *wanted.options))
            plan.configuration = replace(wanted, options=tuple(options))
            for reason in choice.reasons:
                plan.reasons.setdefault(reason, []).append(step.patch.counter)
    return tuple(sorted(found.values(), key=lambda plan: (-len(plan.counters), plan.configuration.name)))


def _make_schedule(
    subject: CheckSubject, steps: tuple[StackedPatch, ...], plan: _PlannedConfiguration, setup: KunitSetup
) -> KunitSchedule | str:
    """The way through the series; in one line why there is no configuration."""
    configuration, counters = plan.configuration, plan.counters
    if configuration.path is not None:
        setting = tree_setting(configuration.path)
    else:
        first = next(step for step in steps if step.patch.counter in counters)
        assert first.after is not None  # noqa: S101
        made = make_setting(setup, first.after, configuration.options)
        if isinstance(made, str):
            return made
        setting = made
    base = steps[0].before
    patches = tuple(_schedule_patch(subject, step, configuration, counters) for step in steps)
    return KunitSchedule(
        name=configuration.name,
        setting=setting,
        base=base,
        base_is_configured=_has(subject, base, configuration),
        patches=patches,
    )


def _schedule_patch(
    subject: CheckSubject, step: StackedPatch, configuration: SuiteConfiguration, counters: frozenset[int]
) -> ScheduledPatch:
    assert step.after is not None  # noqa: S101
    paths = frozenset(paths_of(step.patch.files, above=False))
    old = frozenset(subject.environment.scratch_repo.entries(step.before, paths))
    counter = step.patch.counter
    return ScheduledPatch(
        counter=counter,
        after=step.after,
        paths=paths,
        old=old,
        is_chosen=counter in counters,
        is_configured=_has(subject, step.after, configuration),
    )


def _has(subject: CheckSubject, tree: str, configuration: SuiteConfiguration) -> bool:
    path = configuration.path
    return path is None or path in subject.environment.scratch_repo.entries(tree, (path,))


def _patches(counters: list[int]) -> str:
    return f"{plural(len(counters), 'patch', 'patches')} {', '.join(map(str, counters))}"


CHECK = Check(
    "kunit-build",
    "KUnit suites near what is changed, built and run under User Mode Linux",
    Scope.SERIES,
    run,
    needs=frozenset({Requirement.BASE, Requirement.KERNEL, Requirement.SANDBOX, Requirement.COMPILER}),
    is_costly=True,
)
