# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of two kernels side by side."""

import time

from seriestool.check.kunit.ktap import parse_ktap
from seriestool.check.kunit.result_comparison import (
    KernelCrash,
    ResultDifference,
    compare,
    failure_text_of,
    leaves,
    place_of,
)


def suite(name: str, *results: str, plan: int | None = None, number: int = 1, after: str = "") -> str:
    """A suite whose tests are `+name`, `-name`, `~name` (skipped); what a test says is put in by hand."""
    lines = [f"# Subtest: {name}", f"1..{len(results) if plan is None else plan}"]
    for at, result in enumerate(results, 1):
        word = "not ok" if result[0] == "-" else "ok"
        test, _, said = result[1:].partition("|")
        lines += [said] if said else []
        lines.append(f"{word} {at} {test}" + (" # SKIP no" if result[0] == "~" else ""))
    is_bad = any(result[0] == "-" for result in results)
    end = f"{'not ok' if is_bad else 'ok'} {number} {name}\n" if plan is None else ""
    return "".join(f"    {line}\n" for line in lines) + after + end


def log(*suites: str) -> str:
    return f"KTAP version 1\n1..{len(suites)}\n" + "".join(suites)


def differ(before: str, after: str) -> ResultDifference:
    return compare(leaves(parse_ktap(before.encode())), parse_ktap(after.encode()))


BASE = log(suite("a b", "+one", "+two", "-three", "~four", "+five"))


def test_nothing() -> None:
    assert differ(BASE, BASE) == ResultDifference(still_failing=(("a b", "three"),))


def test_what_passed_and_fails() -> None:
    found = differ(BASE, log(suite("a b", "+one", "-two", "-three", "~four", "+five")))
    assert [path for path, _ in found.broken] == [("a b", "two")]
    assert found.still_failing == (("a b", "three"),)


def test_what_is_new_and_what_is_gone() -> None:
    found = differ(BASE, log(suite("a b", "+one", "+2", "-three", "~four", "~six", "-seven")))
    assert found.new == (("a b", "2"), ("a b", "six"))
    assert [path for path, _ in found.new_failing] == [("a b", "seven")]
    assert found.gone == (("a b", "two"), ("a b", "five"))


def test_what_skipped_itself_and_fails_is_not_broken() -> None:
    found = differ(BASE, log(suite("a b", "+one", "+two", "+three", "-four", "+five")))
    assert [path for path, _ in found.new_failing] == [("a b", "four")]
    assert found.fixed == (("a b", "three"),)


def test_a_new_suite() -> None:
    assert differ(BASE, BASE.replace("1..1\n", "1..2\n") + suite("c", "+x", number=2)).new == (("c", "x"),)


def test_a_failure_that_went_from_one_test_to_another() -> None:
    """UBSAN reports each place once, and KUnit fails whatever test runs then."""
    before = log(suite("s", "-one|# one: lib/ubsan.c:226: misaligned at 00000000a5b13048", "+two"))
    after = log(suite("s", "+one", "-two|# two: lib/ubsan.c:226: misaligned at 0000000012345678"))
    found = differ(before, after)
    assert [path for path, _ in found.moved] == [("s", "two")]
    assert found.broken == ()
    assert found.fixed == (("s", "one"),)


def test_a_failure_with_one_reason_more_is_broken() -> None:
    before = log(suite("s", "-one|# one: lib/ubsan.c:226: misaligned", "+two"))
    said = "# two: lib/ubsan.c:226: misaligned\n    # two: EXPECTATION FAILED at a.c:1"
    assert [path for path, _ in differ(before, log(suite("s", "+one", f"-two|{said}"))).broken] == [("s", "two")]


def test_an_expectation_that_another_parameter_did_not_meet_before_is_broken() -> None:
    before = log(suite("s", "-one|# one: EXPECTATION FAILED at a.c:1", "+two"))
    after = log(suite("s", "-one|# one: EXPECTATION FAILED at a.c:1", "-two|# two: EXPECTATION FAILED at a.c:1"))
    assert [path for path, _ in differ(before, after).broken] == [("s", "two")]


def test_a_suite_that_fails_in_the_end_though_its_tests_pass() -> None:
    after = BASE.replace("not ok 1 a b", "not ok 1 a b").replace("not ok 3 three", "ok 3 three")
    found = differ(BASE, after)
    assert [path for path, _ in found.new_failing] == [("a b",)]


def test_tests_of_one_name_are_told_apart() -> None:
    text = log(suite("s", "+same", "+same", "+same"))
    assert list(leaves(parse_ktap(text.encode()))) == [("s", "same"), ("s", "same (2)"), ("s", "same (3)")]


PANIC = "RIP: 0033:f+0x1/0x2\nKernel panic - not syncing: Segfault with no mm\n"


def test_the_name_of_the_test_that_panicked_is_the_one_after_the_last() -> None:
    found = differ(BASE, log(suite("a b", "+one", plan=5, after=PANIC)))
    assert found.crash == KernelCrash(("a b", "two"), "Segfault with no mm", "f", 3)
    assert found.gone == ()
    assert len(found.not_run) == 4


def test_a_test_put_in_front_does_not_shift_the_names() -> None:
    found = differ(BASE, log(suite("a b", "+new", "+one", plan=6, after=PANIC)))
    assert found.crash is not None
    assert found.crash.path == ("a b", "two")


def test_a_panic_in_a_suite_that_is_new() -> None:
    after = BASE.replace("1..1\n", "1..2\n") + suite("c", plan=2, after=PANIC)
    assert differ(BASE, after).crash == KernelCrash(("c",), "Segfault with no mm", "f", 0)


def test_a_panic_before_the_first_suite() -> None:
    assert differ(BASE, "KTAP version 1\n1..1\n" + PANIC).crash == KernelCrash(("a b",), "Segfault with no mm", "f", 5)


def test_results_that_end_too_early() -> None:
    found = differ(BASE, log(suite("a b", "+one", "+two", plan=5)))
    assert found.unfinished == ("a b", "three")
    assert found.gone == ()


def test_what_a_test_says_of_why() -> None:
    said = "# one: EXPECTATION FAILED at net/a-test.c:141\n    Expected result == 0, but\n        result == 1 (0x1)"
    text = log(suite("s", f"-one|{said}"))
    case = leaves(parse_ktap(text.encode()))["s", "one"]
    assert place_of(case) == (b"net/a-test.c", 141)
    assert failure_text_of(case) == "Expected result == 0, but result == 1 (0x1)"


def test_tests_of_one_name_take_no_time() -> None:
    start = time.monotonic()
    many = "KTAP version 1\n1..40000\n" + "ok 1 x\n" * 40_000
    others = "".join(f"ok 1 y{number}\n" for number in range(30_000))
    cut = f"KTAP version 1\n1..40000\n{others}Kernel panic - not syncing: x\n"
    found = differ(many, cut)
    assert found.crash is not None
    assert ("x (40000)",) in leaves(parse_ktap(many.encode()))
    assert time.monotonic() - start < 20
