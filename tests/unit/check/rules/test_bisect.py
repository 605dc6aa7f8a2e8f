# SPDX-License-Identifier: GPL-2.0-or-later
"""Each patch compiles what it touches: on a small tree whose Makefile does what a kernel's does for single objects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.bisect import CHECK
from seriestool.sandbox import Bubblewrap, KillReason, SandboxJob, SandboxLimits, SandboxResult, find_sandbox
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, open_subject, rules_of

MAKEFILE = """\
S := $(CURDIR)
MAKEFLAGS += --no-builtin-rules
.PHONY: allmodconfig prepare scripts FORCE
allmodconfig:
	@if grep -n frob $(S)/Kconfig; then echo "Kconfig:1: unknown statement \\"frob\\"" >&2; exit 1; fi
	@mkdir -p $(O)/include/config
	@sed -n 's/^config \\(.*\\)/CONFIG_\\1=m/p' $(S)/Kconfig > $(O)/include/config/auto.conf
prepare:
	@! grep -s . $(S)/broken-host >&2
scripts: ;
net/%.o: $(S)/net/%.c FORCE
	@mkdir -p $(O)/net
	@$(CC) -I$(S)/include -D__KERNEL__ $(if $(W),-Wall -Wextra) -Werror=implicit-function-declaration \\
		-c $< -o $(O)/$@
FORCE:
"""
TREE: dict[str, File] = {
    "Makefile": MAKEFILE,
    "Kbuild": "obj-y += net/\n",
    "Kconfig": "config NET\n",
    "scripts/Makefile.build": "src := $(srcroot)/$(obj)\n",
    "net/Makefile": "obj-$(CONFIG_NET) += one.o two.o\nobj-$(CONFIG_NEVER) += never.o\n",
    "net/one.c": "#include <linux/thing.h>\nint one(void) { return THING; }\n",
    "net/two.c": "int two(void) { return 2; }\n",
    "net/never.c": "int never(void) { return 0; }\n",
    "net/warns.h": "",
    "arch/arm/kernel/setup.c": "int setup(void) { return 0; }\n",
    "include/linux/thing.h": "#define THING 1\n",
    "include/linux/lonely.h": "#define LONELY 1\n",
    "README": "text\n",
}
UNUSED = "int two(void) { int unused; return 2; }\n"
BROKEN = "int two(void) { return nobody(); }\n"


@pytest.fixture(autouse=True)
def no_more_than_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seriestool.check.rules.bisect._PROGRAMS", ())  # the small tree needs no flex


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Bubblewrap]:
    found = find_sandbox()
    assert isinstance(found, Bubblewrap), found
    yield found


def said(
    repo: Repo, sandbox: Bubblewrap, *changes: dict[str, File], tree: dict[str, File] = TREE
) -> tuple[Finding, ...]:
    repo.commit(tree)
    patches = [(f"net: change {n}\n\nWhy.\n\n{SIGNED}\n", files) for n, files in enumerate(changes, 1)]
    return ask_check(CHECK, repo, mail_series(repo, *patches), sandbox=sandbox)


def test_patches_that_compile_pass(repo: Repo, sandbox: Bubblewrap) -> None:
    changes: list[dict[str, File]] = [
        {"net/two.c": "int two(void) { return 22; }\n"},
        {"include/linux/thing.h": "#define THING 11\n"},
        {"net/three.c": "int three(void) { return 3; }\n", "net/Makefile": "obj-y += one.o two.o three.o\n"},
    ]
    assert said(repo, sandbox, *changes) == ()


def test_a_patch_that_touches_nothing_that_is_compiled_needs_no_build(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"docs: text\n\nWhy.\n\n{SIGNED}\n", {"README": "more\n"}))
    assert ask_check(CHECK, repo, mbox, sandbox=None) == ()


def test_a_build_error_is_of_the_patch_that_makes_it_and_gone_with_the_one_that_mends_it(
    repo: Repo, sandbox: Bubblewrap
) -> None:
    found = only_finding(
        said(repo, sandbox, {"net/one.c": "int one;\n"}, {"net/two.c": BROKEN}, {"net/two.c": "int t;\n"}),
        "build-error",
    )
    assert (found.status, found.counter, found.path, found.line) == (Status.FAIL, 2, b"net/two.c", 1)
    assert "implicit declaration of function 'nobody'" in found.message


def test_a_header_breaks_what_includes_it(repo: Repo, sandbox: Bubblewrap) -> None:
    findings = said(repo, sandbox, {"include/linux/thing.h": "#define OTHER 1\n"})
    errors = [finding for finding in findings if finding.rule == "build-error"]
    assert [finding.path for finding in errors] == [b"net/one.c"]
    assert "'THING' undeclared" in errors[0].message


def test_a_header_that_goes_breaks_what_includes_it(repo: Repo, sandbox: Bubblewrap) -> None:
    found = only_finding(said(repo, sandbox, {"include/linux/thing.h": None}), "build-error")
    assert "linux/thing.h: No such file" in found.message


def test_a_new_warning_is_a_warning(repo: Repo, sandbox: Bubblewrap) -> None:
    found = only_finding(said(repo, sandbox, {"net/two.c": UNUSED}), "new-warning")
    assert (found.status, found.path, found.line) == (Status.WARN, b"net/two.c", 1)
    assert "unused variable 'unused' [-Wunused-variable]" in found.message


def test_a_warning_of_a_new_file_is_new(repo: Repo, sandbox: Bubblewrap) -> None:
    findings = said(repo, sandbox, {"net/three.c": UNUSED, "net/Makefile": "obj-y += three.o\n"})
    assert rules_of(findings) == [("new-warning", "warn")]


def test_a_warning_that_was_there_before_is_nobody_s_even_on_another_line(repo: Repo, sandbox: Bubblewrap) -> None:
    tree = {**TREE, "net/two.c": UNUSED}
    assert said(repo, sandbox, {"net/two.c": "\n\n" + UNUSED}, tree=tree) == ()


def test_an_error_that_was_there_before_is_nobody_s(repo: Repo, sandbox: Bubblewrap) -> None:
    tree = {**TREE, "net/two.c": BROKEN}
    found = only_finding(said(repo, sandbox, {"net/two.c": BROKEN + "int more;\n"}, tree=tree), "base-broken")
    assert found.status is Status.SKIP
    assert "it does not compile before the patch either: net/two.c:1: implicit declaration" in found.message


def test_what_a_file_says_that_only_moves_is_not_new(repo: Repo, sandbox: Bubblewrap) -> None:
    tree = {**TREE, "net/two.c": UNUSED}
    moved: dict[str, File] = {"net/two.c": None, "net/new.c": UNUSED, "net/Makefile": "obj-y += one.o new.o\n"}
    assert said(repo, sandbox, moved, tree=tree) == ()


def test_a_machine_that_has_too_little_is_nobody_s_fault(repo: Repo, sandbox: Bubblewrap) -> None:
    full = '#warning "x"\n#error cc1: fatal error: Killed signal terminated program cc1\n'
    found = only_finding(said(repo, sandbox, {"net/two.c": full}), "limit")
    assert found.status is Status.SKIP
    assert "the machine: signal terminated program" in found.message


def test_an_object_whose_source_is_missing_is_an_error(repo: Repo, sandbox: Bubblewrap) -> None:
    found = only_finding(said(repo, sandbox, {"net/Makefile": "obj-y += one.o two.o later.o\n"}), "build-error")
    assert found.status is Status.FAIL
    assert "No rule to make target 'net/later.o'" in found.message


def test_what_the_configuration_leaves_out_is_skipped_and_named(repo: Repo, sandbox: Bubblewrap) -> None:
    change: dict[str, File] = {"net/never.c": "broken", "arch/arm/kernel/setup.c": "broken", "net/two.c": "int t;\n"}
    found = only_finding(said(repo, sandbox, change), "not-built")
    assert found.status is Status.SKIP
    assert "net/never.c" in found.message
    assert "arch/arm/kernel/setup.c" in found.message
    assert "two.c" not in found.message


def test_a_header_that_nothing_includes_is_skipped(repo: Repo, sandbox: Bubblewrap) -> None:
    assert rules_of(said(repo, sandbox, {"include/linux/lonely.h": "#error\n"})) == [("not-built", "skip")]


def test_an_option_that_a_patch_adds_is_on_at_once(repo: Repo, sandbox: Bubblewrap) -> None:
    change: dict[str, File] = {"Kconfig": "config NET\nconfig NEVER\n", "net/never.c": BROKEN}
    assert rules_of(said(repo, sandbox, change)) == [("build-error", "fail")]


def test_a_configuration_that_a_patch_breaks_is_its_error_and_not_the_next_one_s(
    repo: Repo, sandbox: Bubblewrap
) -> None:
    mended: dict[str, File] = {"Kconfig": "config NET\n", "net/two.c": BROKEN}
    found = said(
        repo, sandbox, {"Kconfig": "frob\n"}, {"net/one.c": "int one;\n"}, mended, {"net/two.c": BROKEN + UNUSED}
    )
    assert [(one.rule, str(one.status), one.counter) for one in found] == [
        ("config-error", "fail", 1),
        ("base-broken", "skip", 2),
        ("base-broken", "skip", 3),
        ("build-error", "fail", 4),  # `two` is there twice now
        ("new-warning", "warn", 4),
    ]


def test_a_base_that_cannot_be_prepared_is_nobody_s_fault(repo: Repo, sandbox: Bubblewrap) -> None:
    (found,) = said(repo, sandbox, {"net/two.c": BROKEN}, tree={**TREE, "broken-host": "libelf.h is missing\n"})
    assert (found.status, found.rule) == (Status.SKIP, "skipped")
    assert "libelf.h is missing" in found.message


def test_a_header_of_everybody_compiles_some_and_says_so(
    repo: Repo, sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seriestool.check.rules.bisect._MOST", 3)
    names = [f"n{n}" for n in range(6)]
    files: dict[str, File] = {f"net/{name}.c": f"#include <linux/thing.h>\nint {name};\n" for name in names}
    tree = {**TREE, **files, "net/Makefile": f"obj-y += {' '.join(f'{name}.o' for name in names)}\n"}
    found = only_finding(said(repo, sandbox, {"include/linux/thing.h": "#define THING 2\n"}, tree=tree), "not-all")
    assert (found.status, "compiled 3 objects" in found.message) == (Status.PASS, True)


def test_a_patch_that_does_not_apply_ends_it(repo: Repo, sandbox: Bubblewrap) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"net: x\n\nWhy.\n\n{SIGNED}\n", {"net/two.c": "int t;\n"}))
    repo.commit({"net/two.c": "something else\n"})
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=sandbox)) == [("not-applied", "skip")]


def test_no_compiler_is_skipped(repo: Repo, sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seriestool.check.rules.bisect.find_toolchain", lambda *names: "no C compiler is installed")
    (found,) = said(repo, sandbox, {"net/two.c": BROKEN})
    assert (found.status, found.message) == (Status.SKIP, "no C compiler is installed")


def test_a_configuration_with_an_odd_name_is_skipped(repo: Repo, sandbox: Bubblewrap) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"net: x\n\nWhy.\n\n{SIGNED}\n", {"net/two.c": "int t;\n"}))
    config = {"seriestool.check.bisect-config": ("x; rm -rf /",)}
    (found,) = ask_check(CHECK, repo, mbox, sandbox=sandbox, config=config)
    assert "not the name of a configuration" in found.message


class Counting:
    """A sandbox that counts how often the configuration is made."""

    def __init__(self, sandbox: Bubblewrap) -> None:
        self._sandbox = sandbox
        self.configured = 0

    def run(self, job: SandboxJob) -> SandboxResult:
        self.configured += "allmodconfig" in job.argv
        return self._sandbox.run(job)


@pytest.mark.parametrize(("kconfig", "times"), [("config NET\n", 1), ("config NET\nconfig NEVER\n", 4)])
def test_the_configuration_is_made_once_for_a_base(repo: Repo, sandbox: Bubblewrap, kconfig: str, times: int) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"net: x\n\nWhy.\n\n{SIGNED}\n", {"net/two.c": "int t;\n", "Kconfig": kconfig}))
    counting = Counting(sandbox)
    with open_subject(repo, mbox, sandbox=counting) as subject:
        for _ in range(2):
            assert list(CHECK.run(subject)) == []
    assert counting.configured == times


class Slow:
    """A sandbox in which compiling takes too long."""

    def __init__(self, sandbox: Bubblewrap) -> None:
        self._sandbox = sandbox

    def run(self, job: SandboxJob) -> SandboxResult:
        if "W=1" in job.argv:
            job = SandboxJob(["sleep", "60"], job.folder, job.readable, job.writable, limits=SandboxLimits(seconds=0.1))
        return self._sandbox.run(job)


def test_a_build_that_takes_too_long_is_skipped(repo: Repo, sandbox: Bubblewrap) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"net: x\n\nWhy.\n\n{SIGNED}\n", {"net/two.c": BROKEN}))
    findings = ask_check(CHECK, repo, mbox, sandbox=Slow(sandbox))
    assert rules_of(findings) == [("limit", "skip")]


def test_a_makefile_of_a_patch_does_not_get_out(repo: Repo, sandbox: Bubblewrap, tmp_path: Path) -> None:
    target = tmp_path / "written"
    evil = f"$(shell touch {target})\nobj-y += one.o two.o\n"
    said(
        repo,
        sandbox,
        {"net/Makefile": evil, "net/two.c": "int t;\n", "Makefile": MAKEFILE + f"$(shell touch {target})\n"},
    )
    assert not target.exists()


class Full:
    """A sandbox in which the first compilation writes too much."""

    def __init__(self, sandbox: Bubblewrap) -> None:
        self._sandbox = sandbox
        self._has_ended = False

    def run(self, job: SandboxJob) -> SandboxResult:
        outcome = self._sandbox.run(job)
        if "W=1" not in job.argv or self._has_ended:
            return outcome
        self._has_ended = True
        return replace(outcome, ended=KillReason.DISK)


def test_after_a_build_that_writes_too_much_the_configuration_is_made_anew(repo: Repo, sandbox: Bubblewrap) -> None:
    needs = "test -e $(O)/include/config/auto.conf"
    makefile = MAKEFILE.replace("\t@mkdir -p $(O)/net\n", f"\t@mkdir -p $(O)/net; {needs}\n")
    repo.commit({**TREE, "Makefile": makefile})
    new: dict[str, File] = {"net/new.c": "int new;\n", "net/Makefile": "obj-y += one.o two.o new.o\n"}
    changes = ({"net/two.c": "int t;\n"}, new)
    mbox = mail_series(repo, *((f"net: x {n}\n\nWhy.\n\n{SIGNED}\n", one) for n, one in enumerate(changes)))
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=Full(sandbox))) == [("limit", "skip")]
