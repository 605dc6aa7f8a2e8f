# SPDX-License-Identifier: GPL-2.0-or-later
"""Results read out of a kernel's log."""

from hypothesis import given
from hypothesis import strategies as st

from seriestool.check.kunit.ktap import Case, CaseStatus, KtapLog, parse_ktap

PASS, FAIL, SKIP = CaseStatus.PASS, CaseStatus.FAIL, CaseStatus.SKIP
CRASHED, MISSING = CaseStatus.CRASHED, CaseStatus.MISSING

TWO_SUITES = """\
Linux version 6.12.0
KTAP version 1
1..2
    KTAP version 1
    # Subtest: Handshake API tests
    # module: handshake_test
    1..2
        KTAP version 1
        # Subtest: req_alloc API fuzzing
        ok 1 NULL proto
        ok 2 all good
    # req_alloc API fuzzing: pass:2 fail:0 skip:0 total:2
    ok 1 req_alloc API fuzzing
    # req_submit.speed: slow
    ok 2 req_submit NULL sock->file
# Handshake API tests: pass:2 fail:0 skip:0 total:2
# Totals: pass:3 fail:0 skip:0 total:3
ok 1 Handshake API tests
    KTAP version 1
    # Subtest: time
    1..1
    # check: EXPECTATION FAILED at kernel/time/time_test.c:73
    Expected year == 2, but
        year == 1 (0x1)
    not ok 1 check
not ok 2 time
reboot: System halted
"""


def parse(text: str) -> KtapLog:
    return parse_ktap(text.encode())


def outline(cases: tuple[Case, ...]) -> list[object]:
    return [(case.name, str(case.status), *([outline(case.subtests)] if case.subtests else [])) for case in cases]


def test_suites_tests_and_parameters_have_names_with_spaces() -> None:
    log = parse(TWO_SUITES)
    assert outline(log.suites) == [
        (
            "Handshake API tests",
            "pass",
            [
                ("req_alloc API fuzzing", "pass", [("NULL proto", "pass"), ("all good", "pass")]),
                ("req_submit NULL sock->file", "pass"),
            ],
        ),
        ("time", "fail", [("check", "fail")]),
    ]
    assert log.is_complete
    assert log.panic is None
    assert log.complaints == ()


def test_what_was_printed_meanwhile_goes_with_the_test() -> None:
    check = parse(TWO_SUITES).suites[1].subtests[0]
    assert check.lines == (
        "    # check: EXPECTATION FAILED at kernel/time/time_test.c:73",
        "    Expected year == 2, but",
        "        year == 1 (0x1)",
    )


def test_the_start_of_the_kernel_and_attributes_are_no_part_of_a_test() -> None:
    assert parse(TWO_SUITES).suites[0].subtests[1].lines == ()


def test_skipped_with_a_reason_whatever_the_result_says() -> None:
    log = parse("KTAP version 1\n1..3\nok 1 a b # SKIP no device\nnot ok 2 c # skip\nok 3 # SKIP\n")
    assert outline(log.suites) == [("a b", "skip"), ("c", "skip"), ("", "skip")]


def test_a_hash_in_a_name_is_no_directive() -> None:
    assert outline(parse("KTAP version 1\n1..2\nok 1 test #1\nok 2 c# and # SKIPPER\n").suites) == [
        ("test #1", "pass"),
        ("c# and # SKIPPER", "pass"),
    ]


def test_names_after_a_dash() -> None:
    assert outline(parse("TAP version 14\n1..1\nok 1 - example suite\n").suites) == [("example suite", "pass")]


def test_time_stamps_and_levels_of_printk() -> None:
    text = "".join(f"<6>[    0.{n:06}] {line}\n" for n, line in enumerate(TWO_SUITES.splitlines()))
    assert outline(parse(text).suites) == outline(parse(TWO_SUITES).suites)
    text = "".join(f"[    1.{n:06}][    T1] {line}\r\n" for n, line in enumerate(TWO_SUITES.splitlines()))
    assert outline(parse(text).suites) == outline(parse(TWO_SUITES).suites)


def test_whatever_the_console_puts_before_each_line() -> None:
    text = "".join(f"qemu1: {line}\n" for line in TWO_SUITES.splitlines())
    assert outline(parse(text).suites) == outline(parse(TWO_SUITES).suites)


def test_tabs_of_old_kernels() -> None:
    text = "TAP version 14\n\t# Subtest: example\n\t1..1\n\tok 1 - works\nok 1 - example\n"
    assert outline(parse(text).suites) == [("example", "pass", [("works", "pass")])]


def test_the_two_blanks_of_the_format_and_odd_ones() -> None:
    for unit in ("  ", " ", "   ", " \t"):
        lines = ["KTAP version 1", "1..1", f"{unit}KTAP version 1", f"{unit}1..1", f"{2 * unit}1..1"]
        text = "\n".join([*lines, f"{2 * unit}ok 1 c", f"{unit}ok 1 b", "ok 1 a"])
        assert outline(parse(text).suites) == [("a", "pass", [("b", "pass", [("c", "pass")])])]


def test_lines_of_the_kernel_in_between() -> None:
    text = TWO_SUITES.replace(
        "        ok 2 all", "random: crng init done\n[<600c>] ? kthread+0x0/0x3c0\n        ok 2 all"
    )
    log = parse(text)
    assert outline(log.suites) == outline(parse(TWO_SUITES).suites)
    assert log.suites[0].subtests[0].subtests[1].lines[0] == "random: crng init done"


PANIC = """\
KTAP version 1
1..3
    KTAP version 1
    # Subtest: Handshake API tests
    1..4
    ok 1 req_submit NULL req arg

Pid: 46, comm: kunit_try_catch Not tainted 6.12
RIP: 0033:handshake_req_submit+0x446/0x12c0
Kernel panic - not syncing: Segfault with no mm
CPU: 0 UID: 0 PID: 46 Comm: kunit_try_catch
Call Trace:
 [<608d094b>] ? sock_alloc_file+0xbb/0x2c0
 [<60f12799>] ? handshake_req_submit_test4+0x1d9/0xb20
"""


def test_a_panic_in_the_middle_is_the_test_that_was_running() -> None:
    log = parse(PANIC)
    assert log.panic == "Segfault with no mm"
    assert log.trace == ("handshake_req_submit", "sock_alloc_file", "handshake_req_submit_test4")
    assert not log.is_complete
    assert outline(log.suites) == [
        (
            "Handshake API tests",
            "crashed",
            [("req_submit NULL req arg", "pass"), ("", "crashed"), ("", "missing"), ("", "missing")],
        ),
        ("", "missing"),
        ("", "missing"),
    ]
    crashed = log.suites[0].subtests[1]
    assert crashed.number == 2
    assert "Kernel panic - not syncing: Segfault with no mm" in crashed.lines


def test_a_panic_in_a_parameter_of_a_test_without_a_plan() -> None:
    text = TWO_SUITES.partition("        ok 2 all good")[0] + "Kernel panic - not syncing: Oops\n"
    suite = parse(text).suites[0]
    assert outline((suite,)) == [
        (
            "Handshake API tests",
            "crashed",
            [("req_alloc API fuzzing", "crashed", [("NULL proto", "pass")]), ("", "missing")],
        )
    ]


def test_a_panic_between_suites() -> None:
    text = TWO_SUITES.partition("    KTAP version 1\n    # Subtest: time")[0] + "Kernel panic - not syncing: Oops\n"
    assert outline(parse(text).suites)[1:] == [("", "crashed")]


def test_a_panic_after_all_tests() -> None:
    log = parse("KTAP version 1\n1..1\nok 1 a\nKernel panic - not syncing: VFS: Unable to mount root fs\n")
    assert log.is_complete
    assert outline(log.suites) == [("a", "pass")]


def test_a_test_that_talks_of_panics_and_goes_on() -> None:
    log = parse("KTAP version 1\n1..2\nKernel panic - not syncing: only a joke\nok 1 a\nok 2 b\n")
    assert log.panic is None
    assert log.is_complete


def test_a_log_that_ends_too_early() -> None:
    log = parse(TWO_SUITES.partition("    ok 2 req_submit")[0])
    assert not log.is_complete
    assert log.panic is None
    assert outline(log.suites)[0][1:] == (  # type: ignore[index]
        "missing",
        [("req_alloc API fuzzing", "pass", [("NULL proto", "pass"), ("all good", "pass")]), ("", "missing")],
    )


def test_a_suite_that_another_one_follows_without_a_result() -> None:
    text = TWO_SUITES.replace("ok 1 Handshake API tests\n", "")
    log = parse(text)
    assert [(case.name, case.status) for case in log.suites] == [("Handshake API tests", MISSING), ("time", FAIL)]
    assert log.complaints == ("there is no result of 'Handshake API tests'",)


def test_numbers_that_come_twice_are_complained_of() -> None:
    text = TWO_SUITES.replace("    ok 2 req_submit", "    ok 1 req_submit")
    log = parse(text)
    assert outline(log.suites) == outline(parse(TWO_SUITES).suites)
    assert log.complaints == ("result 2 is numbered 1",)


def test_no_test_was_asked_for() -> None:
    log = parse("KTAP version 1\n1..0\nreboot: System halted\n")
    assert log.has_ktap
    assert log.is_complete
    assert log.suites == ()


def test_no_results_at_all() -> None:
    log = parse("Linux version 6.12\nok 1 this is before any KTAP\n")
    assert not log.has_ktap
    assert not log.is_complete
    assert log.suites == ()


def test_one_document_after_the_other() -> None:
    log = parse("KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..2\nok 1 b\n")
    assert outline(log.suites) == [("a", "pass"), ("b", "pass"), ("", "missing")]
    assert not log.is_complete


def test_a_plan_of_a_thousand_million_is_bounded() -> None:
    log = parse("KTAP version 1\n1..999999999\nok 1 a\n")
    assert len(log.suites) < 2000
    assert not log.is_complete


def test_levels_without_end_are_bounded() -> None:
    lines = [" " * 4 * level + f"# Subtest: level {level}" for level in range(3000)]
    assert not parse("KTAP version 1\n1..1\n" + "\n".join(lines)).is_complete


def test_what_is_kept_of_a_test_is_bounded() -> None:
    noise = "x" * 3000 + "\n"
    log = parse("KTAP version 1\n1..1\n" + 500 * noise + "# a: EXPECTATION FAILED at a.c:1\nnot ok 1 a\n")
    assert len(log.suites[0].lines) < 100
    assert log.suites[0].lines[-1] == "# a: EXPECTATION FAILED at a.c:1"
    assert max(map(len, log.suites[0].lines)) < 1000


_WORDS = st.sampled_from(
    [
        "KTAP version 1", "1..2", "1..99999999", "ok 1 a", "not ok 2 b # SKIP c", "# Subtest: x", "# a: b", "ok", "1..",
        "Kernel panic - not syncing: x", "RIP: 0033:f+0x1/0x2", "\t", "[ 0.1] ", "reboot: System halted", "\xff", "#",
    ]
)  # fmt: skip
_LINES = st.lists(st.tuples(st.integers(0, 12), _WORDS).map(lambda one: " " * 4 * one[0] + one[1]), max_size=60)


@given(_LINES)
def test_any_lines_in_any_order(lines: list[str]) -> None:
    log = parse("\n".join(lines))
    assert log.is_complete <= log.has_ktap
    assert _count(log.suites) < 10_000


@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    parse_ktap(b"KTAP version 1\n" + raw)


def _count(cases: tuple[Case, ...]) -> int:
    return sum(1 + _count(case.subtests) for case in cases)


def count(cases: tuple[Case, ...]) -> int:
    return sum(1 + count(case.subtests) for case in cases)


def test_plans_cost_no_more_than_there_may_be() -> None:
    log = parse_ktap(b"KTAP version 1\n" + b"    1..999999999\nok 1 x\n" * 20_000)
    assert count(log.suites) <= 60_000


def test_a_line_that_speaks_of_ktap_is_no_prefix() -> None:
    text = b"[x] KTAP version 1\n[x] 1..2\n[x] ok 1 a\nabout KTAP version 1\n[x] ok 2 b\n"
    assert [case.name for case in parse_ktap(text).suites] == ["a", "b"]
