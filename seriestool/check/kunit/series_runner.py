# SPDX-License-Identifier: GPL-2.0-or-later
"""A series run through the tests of one configuration: the base first, then each patch that can make a difference."""

from collections.abc import Iterator
from copy import copy

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.kunit.build_inputs import can_affect, find_inputs
from seriestool.check.kunit.build_progress import duration, reporting_progress
from seriestool.check.kunit.ktap import CaseStatus
from seriestool.check.kunit.kunit_outcome import ConfigFailure, KernelRun, KunitOutcome, read_outcome
from seriestool.check.kunit.kunit_runner import (
    KunitSetting,
    KunitSetup,
    find_transcript,
    keep_transcript,
    run_again,
    run_tests,
)
from seriestool.check.kunit.regressions import KunitEvent, RegressionTracker
from seriestool.check.kunit.result_comparison import leaves

_COLD_SECONDS = 850  # of one processor, for a kernel with networking
_GRAVE = frozenset({"test-fails", "panic", "hang", "build-broken", "config-broken", "no-results", "cut-short"})
_SEEN_TWICE = frozenset({"test-fails", "new-test-fails", "panic", "cut-short", "no-results"})
"""Rules that hold for a patch only where a second run of its kernel says the same; it takes a fraction of a second."""


class ScheduledPatch(Struct, frozen=True, kw_only=True):
    """A patch on the way."""

    counter: int
    after: str
    """The tree after the patch."""
    paths: frozenset[bytes]
    """What it changes."""
    old: frozenset[bytes]
    """Of these, what was there before."""
    is_chosen: bool
    """Whether the configuration was chosen for this patch."""
    is_configured: bool
    """Whether the tree after it has the `.kunitconfig`; True where that is one of ours."""


class KunitSchedule(Struct, frozen=True, kw_only=True):
    """What is to be run with one configuration, in order."""

    name: str
    setting: KunitSetting
    base: str
    base_is_configured: bool
    patches: tuple[ScheduledPatch, ...]


class ColdBuildError(Exception):
    """It takes a cold build, and none is wanted."""


class SeriesTestRunner:
    """Takes one configuration from tree to tree."""

    def __init__(self, setup: KunitSetup, schedule: KunitSchedule, may_start_cold: bool) -> None:
        self._setup = setup
        self._schedule = schedule
        self._may_start_cold = may_start_cold
        self._inputs: frozenset[bytes] = frozenset()
        self._is_stale = True
        self._is_fresh = False
        self._tracker = RegressionTracker()
        self._passed_over: list[ScheduledPatch] = []
        self.base: KunitOutcome | None = None
        """What became of the base; None where it does not have the configuration."""

    def events(self) -> Iterator[KunitEvent]:
        """What is to be said of the base and of each patch; ColdError before the first build where that is cold."""
        schedule = self._schedule
        if schedule.base_is_configured:
            self.base = self._outcome(schedule.base, "the base", len(schedule.patches))
        if self.base is None or (schedule.setting.text is not None and isinstance(self.base, ConfigFailure)):
            self.base = None
            self._tracker.absent()
        else:
            yield from self._tracker.base(self.base)
        was_configured = schedule.base_is_configured
        for at, patch in enumerate(schedule.patches):
            if not patch.is_configured:
                if was_configured:
                    yield KunitEvent(
                        "configuration-gone", f"{schedule.name} is gone; its tests are run no more", patch.counter
                    )
            elif self._can_affect(patch):
                yield from self._judged(patch, len(schedule.patches) - at - 1)
            else:
                self._passed_over.append(patch)
            was_configured = patch.is_configured

    def _judged(self, patch: ScheduledPatch, left: int) -> Iterator[KunitEvent]:
        outcome = self._outcome(patch.after, f"patch {patch.counter}", left)
        trial = copy(self._tracker)
        events = list(trial.patch(patch.counter, outcome))
        if self._is_fresh and any(event.rule in _SEEN_TWICE for event in events):
            outcome, events, trial = self._once_more(patch, outcome, events, trial)
        if self._passed_over and any(event.rule in _GRAVE for event in events):
            # One that was passed over, because it can make no difference, would be the one to blame.
            for one in self._passed_over:
                seen = self._outcome(one.after, f"patch {one.counter}", left)
                yield from (self._of_made(event) for event in self._tracker.patch(one.counter, seen))
            events = list(self._tracker.patch(patch.counter, outcome))
        else:
            self._tracker = trial
        self._passed_over = []
        yield from (self._of_made(event) for event in events)

    def _once_more(
        self, patch: ScheduledPatch, outcome: KunitOutcome, events: list[KunitEvent], trial: RegressionTracker
    ) -> tuple[KunitOutcome, list[KunitEvent], RegressionTracker]:
        """The same of a second run where that is calmer; what fails in one of the two only is no patch's for sure."""
        transcript = run_again(self._setup, self._schedule.setting)
        again, second = read_outcome(transcript), copy(self._tracker)
        now = list(second.patch(patch.counter, again))
        both = {(event.rule, event.test) for event in events} & {(event.rule, event.test) for event in now}
        doubtful = [one for one in (*events, *now) if one.rule in _SEEN_TWICE and (one.rule, one.test) not in both]
        if not doubtful:
            return outcome, events, trial
        keep_transcript(self._setup, patch.after, self._schedule.setting, transcript)
        sure = [one for one in now if one not in doubtful]
        flaky = [replace(one, rule="flaky", message=f"in one run of two: {one.message}") for one in doubtful]
        return again, [*sure, *flaky], second

    def _of_made(self, event: KunitEvent) -> KunitEvent:
        """A configuration of ours that a patch makes impossible is no fault of the patch."""
        if event.rule != "config-broken" or self._schedule.setting.text is None:
            return event
        message = f"not judged: the configuration that was made for the tree before it {event.message}"
        return replace(event, rule="not-judged", message=message)

    def _can_affect(self, patch: ScheduledPatch) -> bool:
        if patch.is_chosen or can_affect(patch.paths, patch.old, self._inputs):
            return True
        if self._is_stale:
            output = self._setup.workspace.output(self._schedule.setting.slug)
            self._inputs, self._is_stale = find_inputs(output.path, self._setup.workspace.source), False
        return not self._inputs or can_affect(patch.paths, patch.old, self._inputs)

    def _outcome(self, tree: str, label: str, left: int) -> KunitOutcome:
        setting = self._schedule.setting
        kept = find_transcript(self._setup, tree, setting)
        self._is_fresh = kept is None
        if kept is not None:
            return read_outcome(kept)
        self._is_stale = True
        with reporting_progress(self._setup.report, f"{self._schedule.name}: {label}: {self._estimate(left)}"):
            return read_outcome(run_tests(self._setup, tree, setting))

    def _estimate(self, left: int) -> str:
        output = self._setup.workspace.output(self._schedule.setting.slug)
        if output.is_warm:
            each = output.expected
            rest = f"; at most {duration(each * (left + 1))} to go" if each and left else ""
            return (f"about {duration(each)}" if each else "a warm build") + rest
        if not self._may_start_cold:
            raise ColdBuildError
        return f"a cold build, about {duration(output.expected or _COLD_SECONDS / max(self._setup.jobs, 1))}"


def count_passing(outcome: KunitOutcome) -> tuple[int, int]:
    """(tests that pass, tests that there are) of a kernel; (0, 0) where there is none."""
    if not isinstance(outcome, KernelRun):
        return 0, 0
    cases = leaves(outcome.log).values()
    return sum(case.status is CaseStatus.PASS for case in cases), len(cases)
