# SPDX-License-Identifier: GPL-2.0-or-later
import shutil
import subprocess
from pathlib import Path

import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules.kernel_doc import CHECK
from seriestool.sandbox import KillReason, SandboxResult
from tests.support.repos import Repo, shared
from tests.support.sandboxes import Answers, PlainSandbox
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

pytestmark = pytest.mark.skipif(shutil.which("perl") is None, reason="perl is not installed")

SAID = f"area: change\n\nWhy.\n\n{SIGNED}\n"
# They warn of each line with BAD in it, as the real ones word it.
PERL = r"""#!/usr/bin/env perl
my $n = 0;
for my $file (grep { !/^-/ } @ARGV) {
	open(my $in, '<', $file) or die "Can't open $file";
	while (<$in>) { if (/BAD (\w+)/) { print STDERR "$file:$.: warning: no '$1' there\n"; $n++; } }
}
exit($n);
"""
PYTHON = """#!/usr/bin/env python3
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib/python"))
from kdoc.words import WORD
for name in sys.argv[1:]:
    if not name.startswith("-"):
        for number, line in enumerate(open(name), 1):
            if "BAD " in line:
                print(f"{WORD}: {name}:{number} no '{line.split()[-1]}' there", file=sys.stderr)
"""
DOC = "/**\n * f - does it\n * BAD {}\n */\nint f(int a);\n"
OLD = {"scripts/kernel-doc": (PERL, 0o100755), "f.h": DOC.format("one")}
NEW = {
    "scripts/kernel-doc": ("../tools/docs/kernel-doc", 0o120000),
    "tools/docs/kernel-doc": (PYTHON, 0o100755),
    "tools/lib/python/kdoc/words.py": "WORD = 'Warning'\n",
    "f.h": DOC.format("one"),
}


@pytest.mark.parametrize("tree", [OLD, NEW], ids=["perl", "python"])
def test_a_new_warning_warns_at_its_line(repo: Repo, tree: dict[str, object]) -> None:
    repo.commit(tree)  # type: ignore[arg-type]
    mbox = mail_series(repo, (SAID, {"f.h": "int g;\n" + DOC.format("one") + DOC.format("two")}))
    one = only_finding(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()), "warning")
    assert (one.status, one.path, one.line, one.message) == (Status.WARN, b"f.h", 9, "no 'two' there")


@pytest.mark.parametrize("tree", [OLD, NEW], ids=["perl", "python"])
def test_what_was_there_before_is_not_new_at_another_line(repo: Repo, tree: dict[str, object]) -> None:
    repo.commit(tree)  # type: ignore[arg-type]
    mbox = mail_series(repo, (SAID, {"f.h": "int g;\n" * 9 + DOC.format("one")}))
    assert ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()) == ()


def test_a_warning_goes_with_its_file_when_that_is_renamed(repo: Repo) -> None:
    repo.commit(OLD)
    mbox = mail_series(repo, (SAID, {"f.h": None, "g.h": DOC.format("one")}), options=["-M"])
    assert ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()) == ()


def test_a_new_file_has_only_new_warnings(repo: Repo) -> None:
    repo.commit(OLD)
    mbox = mail_series(repo, (SAID, {"sub/n.c": DOC.format("x") + DOC.format("y")}))
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())) == [("warning", "warn")] * 2


def test_files_without_doc_comments_start_nothing(repo: Repo) -> None:
    repo.commit(OLD)
    sandbox = PlainSandbox()
    mbox = mail_series(repo, (SAID, {"n.c": "int a;\n", "t.rst": DOC.format("x")}))
    assert ask_check(CHECK, repo, mbox, sandbox=sandbox) == ()
    assert sandbox.jobs == []


def test_one_process_for_all_files_before_and_after(repo: Repo) -> None:
    repo.commit({**OLD, "g.h": DOC.format("g")})
    sandbox = PlainSandbox()
    mbox = mail_series(repo, (SAID, {"f.h": DOC.format("two"), "g.h": DOC.format("three"), "h.h": DOC.format("h")}))
    assert len(ask_check(CHECK, repo, mbox, sandbox=sandbox)) == 3
    assert len(sandbox.jobs) == 1


def test_no_script_in_the_tree_skips(repo: Repo) -> None:
    repo.commit({"f.h": DOC.format("one")})
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.h": DOC.format("two")})), sandbox=PlainSandbox())
    assert rules_of(found) == [("skipped", "skip")]


@pytest.mark.parametrize("target", ["../tools/docs/kernel-doc", "../../../etc/passwd", "kernel-doc"])
def test_a_link_that_leads_nowhere_or_out_skips(repo: Repo, target: str) -> None:
    repo.commit({"scripts/kernel-doc": (target, 0o120000), "f.h": DOC.format("one")})
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.h": DOC.format("two")})), sandbox=PlainSandbox())
    assert rules_of(found) == [("skipped", "skip")]


@pytest.mark.parametrize(
    "outcome",
    [
        SandboxResult(137, b"", b"", KillReason.TIME),
        SandboxResult(
            1, b"", b"Traceback (most recent call last):\n  File\nModuleNotFoundError: No module named 'kdoc'\n"
        ),
        SandboxResult(2, b"", b"Can't locate Pod/Usage.pm in @INC at scripts/kernel-doc line 7.\n"),
    ],
)
def test_a_script_that_does_not_run_skips_and_never_fails(repo: Repo, outcome: SandboxResult) -> None:
    repo.commit(OLD)
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.h": DOC.format("two")})), sandbox=Answers(outcome))
    assert rules_of(found) == [("skipped", "skip")]


def test_the_real_one_of_a_kernel(repo: Repo, tmp_path: Path) -> None:
    bare = str(tmp_path / "kernel.git")
    bundle = shared("data/kernel-subset.bundle")
    subprocess.run(["git", "clone", "--quiet", "--bare", str(bundle), bare], check=True, capture_output=True)
    show = ["git", "-C", bare, "show", "v6.12.8:scripts/kernel-doc"]
    script = subprocess.run(show, check=True, capture_output=True).stdout
    good = "/**\n * f - do it\n * @a: how\n *\n * Return: zero.\n */\nint f(int a);\n"
    repo.commit({"scripts/kernel-doc": (script, 0o100755), "f.h": good})
    mbox = mail_series(repo, (SAID, {"f.h": good.replace("int a)", "int a, int b)")}))
    found = ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())
    assert only_finding(found, "warning").message == "Function parameter or struct member 'b' not described in 'f'"
