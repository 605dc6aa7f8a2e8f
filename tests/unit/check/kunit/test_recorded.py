# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of a real kernel, recorded: net/handshake of Debian's Linux 6.12.117 under UML, by `make kunit-e2e`.

tests/data/kunit/handshake has what kunit.py printed for the base (0.run) and for the patches of tests/e2e/handshake.py.
"""

from collections.abc import Iterator

import pytest

from seriestool.check.kunit.kunit_outcome import (
    BuildFailure,
    KernelRun,
    KunitOutcome,
    KunitStage,
    parse_transcript,
    read_outcome,
)
from seriestool.check.kunit.regressions import KunitEvent, RegressionTracker
from seriestool.check.kunit.result_comparison import leaves
from tests.e2e.handshake import SERIES
from tests.support.repos import ROOT

DATA = ROOT / "tests/data/kunit/handshake"


_LIKE = {4: 2, 6: 2, 8: 2}
"""What is repaired is as it was."""


def outcome(number: int) -> KunitOutcome:
    number = _LIKE.get(number, number)
    transcript = parse_transcript((DATA / f"{number}.run").read_bytes())
    assert transcript is not None
    return read_outcome(transcript)


@pytest.fixture(scope="module")
def events() -> list[KunitEvent]:
    def tell() -> Iterator[KunitEvent]:
        judge = RegressionTracker()
        yield from judge.base(outcome(0))
        for number in range(1, len(SERIES) + 1):
            yield from judge.patch(number, outcome(number))

    return list(tell())


def of_patch(events: list[KunitEvent], counter: int | None) -> list[KunitEvent]:
    return [event for event in events if event.counter == counter]


def test_all_results_of_the_base() -> None:
    base = outcome(0)
    assert isinstance(base, KernelRun)
    found = leaves(base.log)
    assert len(found) == 17
    assert base.log.is_complete
    assert base.log.complaints == ()
    assert ("Handshake API tests", "req_submit NULL sock->file") in found


def test_one_test_fails_without_any_patch(events: list[KunitEvent]) -> None:
    """UBSAN reports a place in kernel/exit.c once, and the first test that ends has it."""
    [event] = of_patch(events, None)
    assert event.rule == "base-fails"
    assert "'Handshake API tests: req_alloc API fuzzing: handshake_req_alloc NULL proto'" in event.message


def test_nothing_is_said_of_the_good_patch(events: list[KunitEvent]) -> None:
    assert of_patch(events, 1) == []


def test_the_new_test(events: list[KunitEvent]) -> None:
    [event] = of_patch(events, 2)
    assert (event.rule, event.message) == ("new-tests", "1 new test: 'Handshake API tests: req_private is in req'")


def test_the_patch_that_does_not_build(events: list[KunitEvent]) -> None:
    assert isinstance(outcome(3), BuildFailure)
    [event] = of_patch(events, 3)
    assert event.rule == "build-broken"
    assert event.message == "does not build: 'struct handshake_req' has no member named 'hr_when'"
    assert (event.path, event.line) == (b"net/handshake/request.c", 131)


def test_the_patch_that_fails_a_test(events: list[KunitEvent]) -> None:
    [event] = of_patch(events, 5)
    assert event.rule == "test-fails"
    assert event.message.startswith(
        "'Handshake API tests: req_alloc API fuzzing: handshake_req_alloc no done callback' passed before and fails: "
    )
    assert (event.path, event.line) == (b"net/handshake/handshake-test.c", 141)


def test_the_patch_that_panics(events: list[KunitEvent]) -> None:
    [event] = of_patch(events, 7)
    assert event.rule == "panic"
    assert event.message == (
        "the kernel panics in 'Handshake API tests: req_lookup works': Segfault with no mm, in handshake_req_submit(); "
        "7 other tests not run"
    )


def test_what_the_repairs_say(events: list[KunitEvent]) -> None:
    assert [[event.rule for event in of_patch(events, number)] for number in (4, 6, 8)] == [
        ["works-again"],
        ["fixed"],
        ["works-again"],
    ]


def test_only_the_last_stage_is_kept() -> None:
    files = sorted(DATA.glob("*.run"))
    stages = {file.stem: transcript.stage for file in files if (transcript := parse_transcript(file.read_bytes()))}
    assert stages == {number: KunitStage.BUILD if number == "3" else KunitStage.EXEC for number in "012357"}
