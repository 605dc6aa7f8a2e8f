# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series does to the tests of one configuration, told patch by patch from what became of each tree.

A patch answers for what passed before it and fails after it. Where a tree in between could not be seen (it does not
build, it panics), what is found later is said to lie somewhere since then, and is nobody's for sure.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from seriestool.check.kunit.build_errors import BuildError
from seriestool.check.kunit.ktap import Case, CaseStatus, KtapLog
from seriestool.check.kunit.kunit_outcome import BuildFailure, ConfigFailure, KernelRun, KunitOutcome, KunitTimeout
from seriestool.check.kunit.result_comparison import (
    CasePath,
    KernelCrash,
    ResultDifference,
    compare,
    failure_text_of,
    leaves,
    place_of,
)
from seriestool.util.text import count, shortened

_MAX_NAMED = 10


class KunitEvent(Struct, frozen=True):
    """Something to be said; `rule` is its kind."""

    rule: str
    message: str
    counter: int | None = None
    """The patch; None for the base."""
    path: bytes | None = None
    line: int | None = None
    test: CasePath = ()
    """The test that it is about, where it is about one."""


class _JudgingObstacle(Struct, frozen=True):
    """Why the last tree could not be judged."""

    what: str
    """As in "patch 3 does not build"."""
    counter: int | None

    def __str__(self) -> str:
        return f"{'the base' if self.counter is None else f'patch {self.counter}'} {self.what}"


class RegressionTracker:
    """Asked about the base first, then about each patch in turn."""

    def __init__(self) -> None:
        self._known: dict[CasePath, Case] = {}
        self._unseen: frozenset[CasePath] = frozenset()
        """Of the known ones, those that could not be seen since."""
        self._trouble: _JudgingObstacle | None = None
        self._since: _JudgingObstacle | None = None
        """The first trouble since everything was seen."""
        self._crash: KernelCrash | None = None
        self._has_base = False
        self._base_is_partial = False
        """Whether there are tests in the base that its kernel did not get to."""

    def absent(self) -> None:
        """The base does not have the configuration: all its tests will be new."""
        self._has_base = True

    def base(self, outcome: KunitOutcome) -> Iterator[KunitEvent]:
        """What is to be said of the base."""
        if not isinstance(outcome, KernelRun):
            rule, what, message = _failure(outcome)
            self._trouble = _JudgingObstacle(what, None)
            place = _first(outcome)
            yield KunitEvent(
                rule=f"base-{rule}", message=f"the base {message}", counter=None, path=place.path, line=place.line
            )
            return
        log = outcome.log
        if not log.has_ktap and log.panic is None:
            self._trouble = _JudgingObstacle("gives no results", None)
            yield KunitEvent("base-no-results", "the kernel of the base ends without any results")
            return
        self._has_base = True
        self._known = leaves(log)
        self._base_is_partial = not log.is_complete
        yield from self._base_events(log)

    def _base_events(self, log: KtapLog) -> Iterator[KunitEvent]:
        if log.panic is not None:
            crash = compare({}, log).crash
            assert crash is not None  # noqa: S101
            self._trouble, self._crash = _JudgingObstacle("panics", None), crash
            yield KunitEvent("base-panics", f"the kernel of the base panics{_where(crash)}")
        elif not log.is_complete:
            self._trouble = _JudgingObstacle("does not get to the end of its tests", None)
            yield KunitEvent("base-panics", "the kernel of the base does not get to the end of its tests")
        failing = [path for path, case in self._known.items() if case.status is CaseStatus.FAIL]
        if failing:
            yield KunitEvent("base-fails", f"{count(len(failing), 'test')} on the base already: {_names(failing)}")

    def patch(self, counter: int, outcome: KunitOutcome) -> Iterator[KunitEvent]:
        """What is to be said of a patch, of whose tree this is the outcome."""
        if isinstance(outcome, KernelRun):
            yield from self._ran(counter, outcome)
            return
        rule, what, message = _failure(outcome)
        before = self._trouble
        if before is not None and before.what == what:
            yield self._not_judged(counter, before)
            return
        if before is not None and not self._has_base:
            yield self._not_judged(counter, before)
            return
        self._blind(_JudgingObstacle(what, counter))
        place = _first(outcome)
        yield KunitEvent(rule=rule, message=message, counter=counter, path=place.path, line=place.line)

    def _blind(self, trouble: _JudgingObstacle) -> None:
        """From here on nothing is seen."""
        self._trouble, self._crash = trouble, None
        self._since = self._since or trouble
        self._unseen = frozenset(self._known)

    def _not_judged(self, counter: int, trouble: _JudgingObstacle) -> KunitEvent:
        return KunitEvent("not-judged", f"not judged: {trouble}", counter)

    def _ran(self, counter: int, outcome: KernelRun) -> Iterator[KunitEvent]:
        log = outcome.log
        if not log.has_ktap and log.panic is None:
            yield from self._silent(counter, outcome)
            return
        if not self._has_base:
            yield from self._first_results(counter, log)
            return
        before = self._trouble
        difference = compare(self._known, log)
        stopped = difference.crash is not None or difference.unfinished is not None
        if before is not None and not stopped:
            yield KunitEvent("works-again", f"builds and runs again ({before})", counter)
        yield from self._tests(counter, difference)
        yield from self._ends(counter, outcome, difference, before)
        self._learn(counter, log, difference)

    def _silent(self, counter: int, outcome: KernelRun) -> Iterator[KunitEvent]:
        before = self._trouble
        if before is not None and (before.what == "gives no results" or not self._has_base):
            yield self._not_judged(counter, before)
            return
        self._blind(_JudgingObstacle("gives no results", counter))
        how = "does not get to its tests in time" if outcome.is_over_time else "ends without any results"
        yield KunitEvent("no-results", f"the kernel {how}", counter)

    def _first_results(self, counter: int, log: KtapLog) -> Iterator[KunitEvent]:
        """The base could not be seen: there is nothing to compare with, but later patches have something."""
        assert self._trouble is not None  # noqa: S101
        yield self._not_judged(counter, self._trouble)
        self._has_base = True
        self._known = leaves(log)
        self._base_is_partial = not log.is_complete
        self._trouble = _JudgingObstacle("panics", counter) if log.panic is not None else None
        self._since = self._trouble

    def _tests(self, counter: int, difference: ResultDifference) -> Iterator[KunitEvent]:
        yield from self._failing(counter, difference.broken)
        for path, case in difference.moved[:_MAX_NAMED]:
            message = f"{_name(path)} fails for what another test failed for before: {failure_text_of(case)}"
            yield KunitEvent("failure-moved", message, counter)
        for path, case in difference.new_failing[:_MAX_NAMED]:
            what = "fails; it could not be seen on the base" if self._base_is_partial else "is new and fails"
            yield _failed(rule="new-test-fails", test=path, what=what, counter=counter, case=case)
        if difference.new and not self._base_is_partial:
            yield KunitEvent(
                "new-tests", f"{count(len(difference.new), 'new test')}: {_names(difference.new)}", counter
            )
        if difference.fixed:
            yield KunitEvent("fixed", f"passes now: {_names(difference.fixed)}", counter)
        if difference.gone:
            yield KunitEvent(
                "tests-gone",
                f"{count(len(difference.gone), 'test')} gone: {_names(difference.gone)}",
                counter,
            )

    def _failing(self, counter: int, broken: Iterable[tuple[CasePath, Case]]) -> Iterator[KunitEvent]:
        found = list(broken)
        for path, case in found[:_MAX_NAMED]:
            if path in self._unseen and self._since is not None:
                what = f"fails; it passed when it was last seen, and {self._since}"
                yield _failed(rule="test-fails-since", test=path, what=what, counter=counter, case=case)
            else:
                yield _failed(rule="test-fails", test=path, what="passed before and fails", counter=counter, case=case)
        if len(found) > _MAX_NAMED:
            yield KunitEvent("test-fails", f"{len(found) - _MAX_NAMED} more tests passed before and fail", counter)

    def _ends(
        self, counter: int, outcome: KernelRun, difference: ResultDifference, before: _JudgingObstacle | None
    ) -> Iterator[KunitEvent]:
        """What is to be said of a kernel that did not get to the end of its tests."""
        crash = difference.crash
        if crash is not None:
            if before is not None and _is_same(self._crash, crash):
                yield self._not_judged(counter, before)
                return
            rest = f"; {count(len(difference.not_run[: crash.not_run]), 'other test')} not run" if crash.not_run else ""
            yield KunitEvent("panic", f"the kernel panics{_where(crash)}{rest}", counter, test=crash.path)
        elif difference.unfinished is not None or not outcome.log.is_complete:
            if before is not None and before.what == "does not get to the end of its tests":
                yield self._not_judged(counter, before)
                return
            # The last lines of a console may still be on their way when the kernel is ended.
            where = f" in {_name(difference.unfinished)} or soon after" if difference.unfinished else ""
            how = "hangs" if outcome.is_over_time else "ends"
            yield KunitEvent("hang" if outcome.is_over_time else "cut-short", f"the kernel {how}{where}", counter)

    def _learn(self, counter: int, log: KtapLog, difference: ResultDifference) -> None:
        crash = difference.crash
        if crash is None and log.is_complete:
            self._known, self._unseen = leaves(log), frozenset()
            self._trouble = self._since = self._crash = None
            self._base_is_partial = False
            return
        seen = {path: case for path, case in leaves(log).items() if case.status in _SEEN}
        self._known = {**self._known, **seen}
        what = "panics" if crash is not None else "does not get to the end of its tests"
        if self._trouble is None or self._trouble.what != what or crash != self._crash:
            self._trouble = _JudgingObstacle(what, counter)
        self._since = self._since or self._trouble
        self._unseen = (self._unseen | frozenset(difference.not_run)) - frozenset(seen)
        self._crash = crash


_SEEN = frozenset({CaseStatus.PASS, CaseStatus.FAIL, CaseStatus.SKIP})


def _failure(outcome: ConfigFailure | BuildFailure | KunitTimeout) -> tuple[str, str, str]:
    """(rule, as in "patch 3 does ...", the whole) of a tree without a kernel."""
    if isinstance(outcome, KunitTimeout):
        return "build-slow", "is not built in time", f"is not judged: its {outcome.stage} takes too long"
    more = len(outcome.errors) - 1
    rest = f" (and {count(len(outcome.errors[1:]), 'more error')})" if more > 0 else ""
    if isinstance(outcome, BuildFailure):
        return "build-broken", "does not build", f"does not build: {_first(outcome).message}{rest}"
    reason = _first(outcome).message
    if outcome.options:
        reason = "kconfig no longer gives " + ", ".join(f"CONFIG_{name}" for name in outcome.options[:_MAX_NAMED])
    return "config-broken", "cannot be configured", f"cannot be configured: {reason}{rest}"


def _first(outcome: ConfigFailure | BuildFailure | KunitTimeout) -> BuildError:
    errors = () if isinstance(outcome, KunitTimeout) else outcome.errors
    return errors[0] if errors else BuildError("it does not say why")


def _is_same(known: KernelCrash | None, crash: KernelCrash) -> bool:
    return known is not None and (known.reason, known.function) == (crash.reason, crash.function)


def _failed(rule: str, test: CasePath, what: str, counter: int, case: Case) -> KunitEvent:
    account = failure_text_of(case)
    path, line = place_of(case) or (None, None)
    message = f"{_name(test)} {what}" + (f": {account}" if account else "")
    return KunitEvent(rule=rule, message=message, counter=counter, path=path, line=line, test=test)


def _where(crash: KernelCrash) -> str:
    place = f" in {_name(crash.path)}" if crash.path else ""
    function = f", in {crash.function}()" if crash.function else ""
    return f"{place}: {crash.reason}{function}"


def _name(path: CasePath) -> str:
    return "'" + ": ".join(path) + "'"


def _names(paths: Iterable[CasePath]) -> str:
    return shortened([_name(path) for path in paths], _MAX_NAMED)
