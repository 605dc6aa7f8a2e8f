# SPDX-License-Identifier: GPL-2.0-or-later
"""The KUnit suites of a series, run with a kunit.py that stands in for the kernel's: what it builds is a few lines."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.check.builds import Toolchain
from seriestool.check.protocol import Finding, SkipCheck, Status
from seriestool.check.rules import kunit_build
from seriestool.check.rules.kunit_build import CHECK
from seriestool.sandbox import Sandbox, SandboxJob, SandboxResult, Unsandboxed, find_sandbox
from tests.support.repos import ROOT, File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import only_finding, open_subject, rules_of

STAND_IN = (Path(__file__).parents[3] / "data/kunit/stand-in.py").read_text()
A = "net/a/a.c"
SUITE = "kunit_test_suite(s);\n"
TREE: Mapping[str, File] = {
    "tools/testing/kunit/kunit.py": STAND_IN,
    "arch/um/Makefile": "",
    "Kconfig": 'config KUNIT\n\tbool "k"\nconfig NET\n\tbool "n"\nconfig A_KUNIT_TEST\n\tbool "a"\n\tdepends on KUNIT\n'
    'config B_KUNIT_TEST\n\tbool "b"\n\tdepends on KUNIT && NET\n'
    'config C_KUNIT_TEST\n\tbool "c"\n\tdepends on NOWHERE\n',
    "net/a/.kunitconfig": "CONFIG_KUNIT=y\nCONFIG_A_KUNIT_TEST=y\n",
    A: "+one works\n+two works\n",
    "net/a/unused.c": "",
    "net/b/Makefile": "obj-y += b.o\nobj-$(CONFIG_B_KUNIT_TEST) += b_test.o\n",
    "net/b/b.c": "+bee\n",
    "net/b/b_test.c": SUITE,
    "net/c/Makefile": "obj-$(CONFIG_C_KUNIT_TEST) += c.o c_test.o\n",
    "net/c/c.c": "",
    "net/c/c_test.c": SUITE,
    "README": "",
}


class Counting:
    """A sandbox that notes what is asked of it."""

    def __init__(self, inner: Sandbox) -> None:
        self.inner = inner
        self.verbs: list[str] = []

    def run(self, job: SandboxJob) -> SandboxResult:
        self.verbs.append(job.argv[2] if "kunit.py" in job.argv[1] else "solve")
        return self.inner.run(job)

    def stop(self) -> None:
        """Nothing runs in another thread."""


@pytest.fixture(scope="module")
def real_sandbox() -> Sandbox:
    found = find_sandbox()
    return Unsandboxed() if isinstance(found, str) else found


@pytest.fixture
def sandbox(real_sandbox: Sandbox) -> Counting:
    return Counting(real_sandbox)


Ask = Callable[..., tuple[Finding, ...]]


@pytest.fixture
def ask(repo: Repo, sandbox: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """`ask({path: content}, ...)`: what is said of a series with these changes; results are kept from call to call."""
    monkeypatch.setattr(kunit_build, "find_toolchain", lambda *_: Toolchain("gcc", False, "12"))
    repo.commit(TREE)

    def run(
        *changes: Mapping[str, File],
        config: Mapping[str, tuple[str, ...]] | None = None,
        reports: list[str] | None = None,
    ) -> tuple[Finding, ...]:
        mbox = mail_series(repo, *((f"a: change {n}\n\n{SIGNED}\n", files) for n, files in enumerate(changes, 1)))
        with open_subject(repo, mbox, sandbox=sandbox, config=config) as subject:
            report = (lambda _: None) if reports is None else reports.append
            environment = replace(subject.environment, cache_dir=tmp_path / "cache", report=report)
            try:
                return tuple(CHECK.run(replace(subject, environment=environment)))
            except SkipCheck as reason:
                return (Finding(Status.SKIP, "skipped", str(reason)),)

    return run


def told(findings: tuple[Finding, ...]) -> list[tuple[int | None, str, str]]:
    return [(one.counter, one.rule, str(one.status)) for one in findings]


CHOSEN = (None, "chosen", "pass")


def test_a_good_patch(ask: Ask) -> None:
    found = ask({A: "+one works\n+two works\n\n"})
    assert told(found) == [CHOSEN]
    assert found[0].message == (
        "net/a/.kunitconfig: 2 of 2 tests pass on the base; chosen as the nearest to net/a/a.c (patch 1)"
    )


def test_a_patch_that_does_not_build(ask: Ask) -> None:
    found = ask({A: "+one works\nERROR\n"}, {A: "ERROR\n"}, {A: "+one works\n+two works\n\n"})
    assert told(found) == [
        (1, "build-broken", "fail"),
        (2, "not-judged", "skip"),
        (3, "works-again", "pass"),
        CHOSEN,
    ]
    broken = only_finding(found, "build-broken")
    assert broken.message == "net/a/.kunitconfig: does not build: 'ERROR' is no test"
    assert (broken.path, broken.line) == (b"net/a/a.c", 2)
    assert found[1].message == "net/a/.kunitconfig: not judged: patch 1 does not build"


def test_a_patch_that_fails_a_test(ask: Ask) -> None:
    found = ask({A: "+one works\n-two works\n"})
    assert told(found) == [(1, "test-fails", "fail"), CHOSEN]
    assert found[0].message == (
        "net/a/.kunitconfig: 'net/a/a.c: two works' passed before and fails: Expected a == 1, but a == 2"
    )
    assert (found[0].path, found[0].line) == (b"net/a/a.c", 7)


def test_a_patch_that_panics(ask: Ask) -> None:
    found = ask({A: "+one works\nPANIC\n"})
    assert told(found) == [(1, "panic", "fail"), CHOSEN]
    assert found[0].message == (
        "net/a/.kunitconfig: the kernel panics in 'net/a/a.c: two works': Segfault with no mm, in f()"
    )


def test_a_patch_that_takes_an_option_away(ask: Ask) -> None:
    found = ask({"Kconfig": 'config KUNIT\n\tbool "k"\n', A: "+one works\n+two works\n\n"})
    assert told(found) == [(1, "config-broken", "fail"), CHOSEN]
    assert "kconfig no longer gives CONFIG_A_KUNIT_TEST" in found[0].message


def test_new_tests(ask: Ask) -> None:
    found = ask({A: "-one works\n+two works\n"}, {A: "-one works\n+two works\n+three\n-four\n"})
    assert told(found) == [
        (1, "test-fails", "fail"),
        (2, "new-test-fails", "warn"),
        (2, "new-tests", "pass"),
        CHOSEN,
    ]


def test_what_the_base_fails_is_a_warning_and_no_patchs(repo: Repo, ask: Ask) -> None:
    repo.commit({A: "-one works\n+two works\n"})
    found = ask({A: "-one works\n+two works\n\n"})
    assert told(found) == [(None, "base-fails", "warn"), CHOSEN]


def test_a_base_that_does_not_build_is_nobodys_fault(repo: Repo, ask: Ask) -> None:
    repo.commit({A: "ERROR\n"})
    found = ask({A: "ERROR\nERROR\n"}, {A: "-one works\n"})
    assert told(found) == [
        (None, "base-build-broken", "skip"),
        (1, "not-judged", "skip"),
        (2, "not-judged", "skip"),
        CHOSEN,
    ]


def test_a_suite_that_the_series_brings(ask: Ask) -> None:
    new = {"net/n/.kunitconfig": "CONFIG_KUNIT=y\n", "net/n/n.c": "+new\n"}
    found = ask(new, {"net/n/n.c": "-new\n"})
    assert told(found) == [(1, "new-tests", "pass"), (2, "test-fails", "fail"), CHOSEN]
    assert found[-1].message.startswith("net/n/.kunitconfig: no tests on the base")


def test_a_suite_that_a_later_patch_brings(ask: Ask) -> None:
    """Before it is there it is not gone."""
    new = {"net/n/.kunitconfig": "CONFIG_KUNIT=y\n", "net/n/n.c": "+new\n"}
    assert told(ask({"README": "x\n"}, new)) == [(2, "new-tests", "pass"), CHOSEN]


def test_a_suite_that_the_series_takes_away(ask: Ask) -> None:
    found = ask({A: "+one works\n+two works\n\n"}, {A: None, "net/a/.kunitconfig": None})
    assert told(found) == [(2, "configuration-gone", "pass"), CHOSEN]


def test_a_configuration_that_has_to_be_made(ask: Ask, sandbox: Counting) -> None:
    found = ask({"net/b/b.c": "-bee\n"})
    assert told(found) == [(1, "test-fails", "fail"), CHOSEN]
    assert found[0].message.startswith("tests of net/b: ")
    assert sandbox.verbs == ["solve", "config", "build", "exec", "config", "build", "exec", "exec"]


def test_a_configuration_that_cannot_be_had(ask: Ask) -> None:
    found = ask({"net/c/c.c": "x\n"})
    assert told(found) == [(None, "unsolved", "skip")]
    assert "CONFIG_C_KUNIT_TEST cannot be had on UML: it depends on NOWHERE" in found[0].message


def test_no_suite_is_near(ask: Ask) -> None:
    found = ask({"README": "x\n"})
    assert rules_of(found) == [("skipped", "skip")]
    assert found[0].message == "no KUnit suite is near what the series changes"


def test_a_tree_without_kunit(repo: Repo, ask: Ask) -> None:
    repo.commit({"tools/testing/kunit/kunit.py": None})
    assert ask({A: "+one works\n"})[0].message == "the tree has no tools/testing/kunit/kunit.py"


def test_tools_that_are_missing(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kunit_build, "find_toolchain", lambda *_: "flex is not installed")
    assert ask({A: "+one works\n"}) == (Finding(Status.SKIP, "skipped", "flex is not installed"),)


def test_no_cold_build_where_none_is_wanted(ask: Ask, sandbox: Counting) -> None:
    off = {"seriestool.check.kunit-cold": ("no",)}
    found = ask({A: "+one works\n+two works\n\n"}, config=off)
    assert told(found) == [(None, "cold", "skip")]
    assert sandbox.verbs == []
    ask({A: "+one works\n+two works\n\n"})
    assert told(ask({A: "-one works\n+two works\n"}, config=off))[0] == (1, "test-fails", "fail")


def test_the_base_is_run_once_for_all_series_on_it(ask: Ask, sandbox: Counting) -> None:
    ask({A: "+one works\n+two works\n\n"})
    assert sandbox.verbs == ["config", "build", "exec"] * 2
    ask({A: "-one works\n+two works\n"})
    assert sandbox.verbs == [*["config", "build", "exec"] * 3, "exec"]


def only(count: int) -> dict[str, tuple[str, ...]]:
    return {"seriestool.check.kunit-configurations": (str(count),)}


def test_patches_to_what_is_not_built_need_no_build(ask: Ask, sandbox: Counting) -> None:
    found = ask({A: "+one works\n+two works\n\n"}, {"README": "x\n"}, {"net/b/b.c": "+b\n"}, config=only(1))
    assert told(found) == [CHOSEN, (None, "too-many", "skip")]
    assert sandbox.verbs == ["config", "build", "exec"] * 2


def test_a_patch_passed_over_is_looked_at_when_a_later_one_seems_to_break_what_it_did(
    repo: Repo, ask: Ask, sandbox: Counting
) -> None:
    """The stand-in reads net/a/hidden, and does not say so in its notes of dependencies."""
    repo.commit({"net/a/hidden": ""})
    found = ask({A: "+one works\n+two works\n\n"}, {"net/a/hidden": "-\n"}, {A: "+one works\n+two works\n\n\n"})
    assert told(found) == [(2, "test-fails", "fail"), (2, "test-fails", "fail"), CHOSEN]
    assert sandbox.verbs.count("build") == 4


def test_more_configurations_than_wanted_are_named(ask: Ask) -> None:
    found = ask({A: "+one works\n+two works\n\n"}, {"net/b/b.c": "+bee\n\n"}, config=only(1))
    assert told(found) == [CHOSEN, (None, "too-many", "skip")]
    assert "tests of net/b is not run" in found[1].message


def test_it_says_what_it_does_and_how_long_that_takes(ask: Ask) -> None:
    reports: list[str] = []
    ask({A: "+one works\n+two works\n\n"}, {A: "+one works\n+two works\n\n\n"}, reports=reports)
    assert reports[0].startswith("net/a/.kunitconfig: the base: a cold build, about ")
    assert reports[1].startswith("net/a/.kunitconfig: patch 1: ")


def test_a_kernel_that_hangs(ask: Ask) -> None:
    found = ask({A: "+one works\nHANG\n"})
    assert told(found) == [(1, "hang", "fail"), CHOSEN]
    assert "the kernel hangs in 'net/a/a.c: two works' or soon after" in found[0].message


def test_a_test_that_fails_once_of_two_times(repo: Repo, ask: Ask) -> None:
    assert told(ask({A: "+one works\n+two works\n+flaky three\n"})) == [
        (1, "new-tests", "pass"),
        (1, "flaky", "warn"),
        CHOSEN,
    ]


def test_a_compiler_that_was_killed_is_not_the_patchs_fault(ask: Ask) -> None:
    found = ask({A: "+one works\n+two works\nKILLED\n"})
    assert told(found) == [(None, "limits", "skip")]
    assert "signal terminated program" in found[0].message


def test_a_kunit_that_is_itself_broken(ask: Ask) -> None:
    found = ask({"tools/testing/kunit/kunit.py": "import nothing\n", A: "+one works\n+two works\n\n"})
    assert told(found) == [(1, "config-broken", "fail"), CHOSEN]


def test_the_page_has_each_rule() -> None:
    page = (ROOT / "docs/checks/kunit-build.md").read_text()
    others = {"chosen", "cold", "limits", "too-many", "unsolved"}
    assert {rule for rule in {*kunit_build._RULES, *others} if f"`{rule}`" not in page} == set()


def test_patches_that_do_not_apply_are_passed_over(repo: Repo, ask: Ask, sandbox: Counting) -> None:
    mbox = mail_series(repo, (f"a: one\n\n{SIGNED}\n", {A: "+one works\n+2\n"}))
    repo.commit({A: "+something else\n"})
    with open_subject(repo, mbox, sandbox=sandbox) as subject, pytest.raises(SkipCheck, match="no patch of the series"):
        tuple(CHECK.run(subject))
