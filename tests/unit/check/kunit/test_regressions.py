# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series does to the tests, patch by patch, from what became of each tree."""

from collections.abc import Sequence

from seriestool.check.kunit.build_errors import BuildError
from seriestool.check.kunit.ktap import parse_ktap
from seriestool.check.kunit.kunit_outcome import (
    BuildFailure,
    ConfigFailure,
    KernelRun,
    KunitOutcome,
    KunitStage,
    KunitTimeout,
)
from seriestool.check.kunit.regressions import KunitEvent, RegressionTracker


def ran(*results: str, plan: int = 0, after: str = "", is_over_time: bool = False) -> KernelRun:
    """A kernel that ran `+name`, `-name` of one suite; one that does not get to its plan where `after` is given."""
    lines = ["KTAP version 1", "1..1", "    # Subtest: s", f"    1..{plan or len(results)}"]
    for at, result in enumerate(results, 1):
        lines.append(f"    {'not ok' if result[0] == '-' else 'ok'} {at} {result[1:]}")
    lines += [after] if after or plan else ["ok 1 s"]
    return KernelRun(parse_ktap("\n".join(lines).encode()), is_over_time)


def panic(*results: str, plan: int = 4, where: str = "f") -> KernelRun:
    return ran(*results, plan=plan, after=f"RIP: 0033:{where}+0x1/0x2\nKernel panic - not syncing: Segfault")


SILENT = KernelRun(parse_ktap(b"Linux version 6.12\n"), False)
UNBUILT = BuildFailure((BuildError("no x", b"a.c", 3), BuildError("no y", b"a.c", 4)))
UNCONFIGURED = ConfigFailure(("A_TEST",), ())


def tell(base: KunitOutcome | None, *patches: KunitOutcome) -> list[KunitEvent]:
    judge = RegressionTracker()
    events: list[KunitEvent] = []
    if base is None:
        judge.absent()
    else:
        events += judge.base(base)
    for counter, outcome in enumerate(patches, 1):
        events += judge.patch(counter, outcome)
    return events


def rules(events: Sequence[KunitEvent]) -> list[tuple[int | None, str]]:
    return [(event.counter, event.rule) for event in events]


GOOD = ran("+a", "+b", "+c", "+d")


def test_nothing_is_said_of_a_good_patch() -> None:
    assert tell(GOOD, GOOD, GOOD) == []


def test_a_test_that_a_patch_breaks_is_told_once() -> None:
    bad = ran("+a", "-b", "+c", "+d")
    assert tell(GOOD, GOOD, bad, bad) == [
        KunitEvent("test-fails", "'s: b' passed before and fails", 2, test=("s", "b"))
    ]


def test_what_the_base_fails_is_nobodys() -> None:
    bad = ran("+a", "-b", "+c", "+d")
    assert tell(bad, bad) == [KunitEvent("base-fails", "1 test on the base already: 's: b'")]


def test_new_tests() -> None:
    assert tell(GOOD, ran("+a", "+b", "+c", "+d", "+e f", "-g")) == [
        KunitEvent("new-test-fails", "'s: g' is new and fails", 1, test=("s", "g")),
        KunitEvent("new-tests", "1 new test: 's: e f'", 1),
    ]


def test_tests_that_are_gone() -> None:
    assert tell(GOOD, ran("+a", "+b")) == [KunitEvent("tests-gone", "2 tests gone: 's: c', 's: d'", 1)]


def test_a_patch_that_does_not_build_and_those_after_it() -> None:
    assert tell(GOOD, GOOD, UNBUILT, UNBUILT, GOOD) == [
        KunitEvent("build-broken", "does not build: no x (and 1 more error)", 2, b"a.c", 3),
        KunitEvent("not-judged", "not judged: patch 2 does not build", 3),
        KunitEvent("works-again", "builds and runs again (patch 2 does not build)", 4),
    ]


def test_what_fails_after_a_gap_is_nobodys_for_sure() -> None:
    bad = ran("+a", "-b", "+c", "+d")
    events = tell(GOOD, UNBUILT, bad, bad)
    assert rules(events) == [(1, "build-broken"), (2, "works-again"), (2, "test-fails-since")]
    assert events[-1].message == "'s: b' fails; it passed when it was last seen, and patch 1 does not build"


def test_a_panic_names_the_test_the_reason_and_the_function() -> None:
    assert tell(GOOD, panic("+a")) == [
        KunitEvent("panic", "the kernel panics in 's: b': Segfault, in f(); 2 other tests not run", 1, test=("s", "b"))
    ]


def test_the_same_panic_again_is_not_told_again() -> None:
    assert rules(tell(GOOD, panic("+a"), panic("+a"), panic("+a", where="g"), GOOD)) == [
        (1, "panic"),
        (2, "not-judged"),
        (3, "panic"),
        (4, "works-again"),
    ]


def test_what_a_panicking_kernel_did_run_is_judged() -> None:
    assert rules(tell(GOOD, panic("-a", "+b"), ran("-a", "+b", "+c", "-d"))) == [
        (1, "test-fails"),
        (1, "panic"),
        (2, "works-again"),
        (2, "test-fails-since"),
    ]


def test_a_kernel_that_hangs_and_one_that_ends() -> None:
    assert tell(GOOD, ran("+a", "+b", plan=4, is_over_time=True)) == [
        KunitEvent("hang", "the kernel hangs in 's: c' or soon after", 1)
    ]
    assert rules(tell(GOOD, ran("+a", plan=4), ran("+a", plan=4))) == [(1, "cut-short"), (2, "not-judged")]


def test_a_kernel_without_any_results() -> None:
    assert rules(tell(GOOD, SILENT, SILENT, GOOD)) == [(1, "no-results"), (2, "not-judged"), (3, "works-again")]


def test_options_that_a_patch_takes_away() -> None:
    assert tell(GOOD, UNCONFIGURED, UNCONFIGURED) == [
        KunitEvent("config-broken", "cannot be configured: kconfig no longer gives CONFIG_A_TEST", 1),
        KunitEvent("not-judged", "not judged: patch 1 cannot be configured", 2),
    ]


def test_a_kconfig_that_cannot_be_read() -> None:
    broken = ConfigFailure((), (BuildError("syntax error", b"net/Kconfig", 9),))
    assert tell(GOOD, broken) == [
        KunitEvent("config-broken", "cannot be configured: syntax error", 1, b"net/Kconfig", 9)
    ]


def test_too_little_time_is_not_the_patchs() -> None:
    assert tell(GOOD, KunitTimeout(KunitStage.BUILD)) == [
        KunitEvent("build-slow", "is not judged: its build takes too long", 1),
    ]


def test_a_base_that_does_not_build() -> None:
    bad = ran("-a", "+b")
    events = tell(UNBUILT, UNBUILT, bad, bad, ran("-a", "-b"))
    assert rules(events) == [
        (None, "base-build-broken"),
        (1, "not-judged"),
        (2, "not-judged"),
        (4, "test-fails"),
    ]
    assert events[2].message == "not judged: the base does not build"


def test_a_kernel_without_results_is_nobodys_where_the_base_could_not_be_seen() -> None:
    assert rules(tell(UNBUILT, SILENT, UNCONFIGURED, KunitTimeout(KunitStage.BUILD), GOOD, SILENT)) == [
        (None, "base-build-broken"),
        (1, "not-judged"),
        (2, "not-judged"),
        (3, "not-judged"),
        (4, "not-judged"),
        (5, "no-results"),
    ]


def test_any_outcomes_in_any_order() -> None:
    outcomes = (
        GOOD,
        SILENT,
        UNBUILT,
        UNCONFIGURED,
        KunitTimeout(KunitStage.BUILD),
        panic("+a"),
        ran("+a", plan=4),
        ran("-a"),
    )
    for base in (None, *outcomes):
        for first in outcomes:
            for second in outcomes:
                tell(base, first, second, GOOD)


def test_a_base_that_panics() -> None:
    events = tell(panic("+a"), panic("+a"), GOOD)
    assert rules(events) == [(None, "base-panics"), (1, "not-judged"), (2, "works-again")]
    assert events[0].message == "the kernel of the base panics in 's': Segfault, in f()"


def test_a_base_without_the_configuration() -> None:
    assert rules(tell(None, ran("+a", "-b"), ran("+a", "+b"))) == [
        (1, "new-test-fails"),
        (1, "new-tests"),
        (2, "fixed"),
    ]


def test_many_tests_that_fail_are_counted() -> None:
    names = [f"t{number}" for number in range(50)]
    events = tell(ran(*(f"+{name}" for name in names)), ran(*(f"-{name}" for name in names)))
    assert len(events) == 11
    assert events[-1].message == "40 more tests passed before and fail"
