# SPDX-License-Identifier: GPL-2.0-or-later
import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules.checkpatch import CHECK, ELSEWHERE, IGNORE_KEY, NOISE
from seriestool.sandbox import KillReason, SandboxResult
from tests.support.repos import Repo, shared
from tests.support.sandboxes import Answers, PlainSandbox
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

pytestmark = pytest.mark.skipif(shutil.which("perl") is None, reason="perl is not installed")

# Answers as the real one does; it knows no C.
SCRIPT = r"""#!/usr/bin/perl
my %options = ('terse' => 1, 'show-types!' => 1, 'summary!' => 1, 'strict|subjective!' => 1, 'root=s' => 1);
my $file = $ARGV[-1];
my $bad = 0;
sub say_it { my ($n, $what) = @_; print "$file:$n: $what\n"; $bad = 1; }
die "checkpatch.pl: Can't go on\n" if -e 'scripts/die';
open(my $in, '<', $file) or die;
while (<$in>) {
	say_it($., "ERROR:TRAILING_WHITESPACE: trailing whitespace") if /^\+.*[ \t]$/;
	say_it($., "WARNING:LONG_LINE: line length exceeds 100 columns") if /^\+.{101}/;
	say_it($., "CHECK:CAMELCASE: Avoid CamelCase: <fooBar>") if /^\+.*fooBar/;
	say_it($., "CHECK:BRACES: Unbalanced braces") if /^\+.*else \{$/;
	say_it($., "ERROR:SPACING: space prohibited after that '*'") if /^\+.*\* $/;
	say_it($., "WARNING:TYPO_SPELLING: 'teh' may be misspelled") if /\bteh\b/;
	say_it($., "WARNING:FILE_PATH_CHANGES: does MAINTAINERS need updating?") if /^new file/;
}
say_it($., "WARNING:MISSING_THING: something is missing as a whole") if -e 'scripts/whole';
exit($bad);
"""

TREE = {"scripts/checkpatch.pl": SCRIPT, "f.c": "int a;\nint b;\nint c;\n", "MAINTAINERS": "none\n"}
SAID = f"area: change\n\nWhy.\n\n{SIGNED}\n"


def test_a_clean_patch_passes(repo: Repo) -> None:
    repo.commit(TREE)
    assert ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": "int a;\nint d;\n"})), sandbox=PlainSandbox()) == ()


def test_an_error_fails_at_its_line_of_the_file(repo: Repo) -> None:
    repo.commit(TREE)
    found = ask_check(
        CHECK, repo, mail_series(repo, (SAID, {"f.c": "int a;\nint b;\nint x; \n"})), sandbox=PlainSandbox()
    )
    one = only_finding(found, "trailing-whitespace")
    assert (one.status, one.path, one.line) == (Status.FAIL, b"f.c", 3)
    assert one.message == "trailing whitespace"
    assert one.source == "scripts/checkpatch.pl TRAILING_WHITESPACE"


def test_a_warning_warns_and_a_check_is_a_note(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"f.c": "int " + "a" * 120 + ";\n} else {\n"}))
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())) == [("long-line", "warn"), ("braces", "pass")]


def test_an_error_that_guesses_at_the_grammar_only_warns(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"f.c": "int a = 2 * \n"}))
    assert only_finding(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()), "spacing").status is Status.WARN


def test_a_word_of_the_message_is_at_its_line_of_the_message(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"area: change\n\nFine.\nIn teh end.\n\n{SIGNED}\n", {"f.c": "int z;\n"}))
    one = only_finding(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()), "typo-spelling")
    assert (one.path, one.line) == (None, 4)


def test_a_word_of_the_subject_is_at_line_one(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (f"area: teh change\n\nFine.\n\n{SIGNED}\n", {"f.c": "int z;\n"}))
    assert only_finding(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()), "typo-spelling").line == 1


def test_the_second_of_two_files_and_a_later_hunk_have_their_own_lines(repo: Repo) -> None:
    long = "".join(f"line {n}\n" for n in range(60))
    repo.commit({**TREE, "g.c": long})
    files = {"f.c": "int q;\n", "g.c": long.replace("line 5\n", "LINE 5\n").replace("line 50\n", "line 50 \n")}
    one = only_finding(
        ask_check(CHECK, repo, mail_series(repo, (SAID, files)), sandbox=PlainSandbox()), "trailing-whitespace"
    )
    assert (one.path, one.line) == (b"g.c", 51)


def test_what_is_said_of_a_file_has_no_line(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"n.c": "int z;\n"}))
    one = only_finding(
        ask_check(CHECK, repo, mbox, sandbox=PlainSandbox(), config={IGNORE_KEY: ()}), "file-path-changes"
    )
    assert (one.path, one.line) == (b"n.c", None)


def test_what_is_said_of_the_whole_has_no_place(repo: Repo) -> None:
    repo.commit({**TREE, "scripts/whole": "1\n"})
    # Only what the script reads is written out; this one is, for the patch touches it.
    mbox = mail_series(repo, (SAID, {"scripts/whole": "2\n"}))
    one = only_finding(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()), "missing-thing")
    assert (one.path, one.line) == (None, None)


def test_noise_and_what_other_checks_do_better_is_left_out(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"n.c": "int fooBar;\n"}))
    assert ask_check(CHECK, repo, mbox, sandbox=PlainSandbox()) == ()
    assert {"camelcase"} <= NOISE
    assert {"file-path-changes"} <= ELSEWHERE


def test_the_list_of_noise_is_replaced_by_git_config(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"n.c": "int fooBar;\nint " + "a" * 120 + ";\nint x; \n"}))
    config = {IGNORE_KEY: ("LONG_LINE, file-path-changes", "trailing-whitespace")}
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox(), config=config)) == [("camelcase", "pass")]


def test_the_script_of_the_base_runs_and_not_that_of_the_patch(repo: Repo) -> None:
    repo.commit(TREE)
    evil = '#!/usr/bin/perl\nprint "patch:1: ERROR:OWNED: owned\\n"; exit(1);\n'
    mbox = mail_series(repo, (SAID, {"scripts/checkpatch.pl": evil}), (SAID, {"f.c": "int d;\n"}))
    for counter in (1, 2):
        found = ask_check(CHECK, repo, mbox, counter, sandbox=PlainSandbox())
        assert "owned" not in dict(rules_of(found))


def test_the_configuration_of_the_tree_goes_along(repo: Repo) -> None:
    script = (
        "print \"patch:1: WARNING:HAS_CONF: yes\\n\" if -f '.checkpatch.conf'; exit(-f '.checkpatch.conf' ? 1 : 0);\n"
    )
    repo.commit({**TREE, "scripts/checkpatch.pl": script, ".checkpatch.conf": "--ignore X\n"})
    assert only_finding(
        ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": "x\n"})), sandbox=PlainSandbox()), "has-conf"
    )


def test_only_options_that_the_script_knows_are_given(repo: Repo) -> None:
    """QEMU's has no --show-types."""
    repo.commit({**TREE, "scripts/checkpatch.pl": "GetOptions('terse' => 1, 'summary!' => 1);\n"})
    sandbox = Answers(SandboxResult(1, b"patch:1: ERROR: do not\n", b""))
    one = only_finding(ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": "x\n"})), sandbox=sandbox), "error")
    assert list(sandbox.jobs[0].argv)[1:] == ["scripts/checkpatch.pl", "--terse", "--no-summary", "patch"]
    assert one.message == "do not"


def test_it_finds_the_names_by_which_it_knows_the_top_of_a_tree(repo: Repo) -> None:
    """QEMU's looks for others than the kernel's."""
    script = 'my @tree_check = (\n"docs", "VERSION",\n"vl.c"\n);\nfor (@tree_check) { exit(2) if ! -e "./$_"; }\n'
    repo.commit({**TREE, "scripts/checkpatch.pl": script})
    assert ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": "x\n"})), sandbox=PlainSandbox()) == ()


def test_no_script_in_the_tree_skips(repo: Repo) -> None:
    repo.commit({"f.c": "int a;\n"})
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": "int d;\n"})), sandbox=PlainSandbox())
    assert rules_of(found) == [("skipped", "skip")]
    assert "scripts/checkpatch.pl" in found[0].message


def test_a_patch_that_makes_it_die_skips_with_what_it_said(repo: Repo) -> None:
    repo.commit({**TREE, "scripts/die": "1\n"})
    one = only_finding(
        ask_check(CHECK, repo, mail_series(repo, (SAID, {"scripts/die": "2\n"})), sandbox=PlainSandbox()), "not-run"
    )
    assert one.status is Status.SKIP
    assert "Can't go on" in one.message


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (SandboxResult(137, b"", b"", KillReason.TIME), "time"),
        (SandboxResult(1, b"Unknown option: terse\nUsage: checkpatch.pl\n", b""), "exit code 1"),
        (SandboxResult(255, b"", b""), "exit code 255"),
    ],
)
def test_a_script_too_new_or_too_slow_skips_and_never_fails(repo: Repo, outcome: SandboxResult, word: str) -> None:
    repo.commit(TREE)
    found = ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": "int d;\n"})), sandbox=Answers(outcome))
    assert rules_of(found) == [("not-run", "skip")]
    assert word in found[0].message


def test_what_it_cannot_look_for_is_said_once_in_a_series(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"f.c": "int d;\n"}), (SAID, {"f.c": "int e;\n"}))
    stderr = b"No codespell typos will be found - file '/usr/share/codespell/dictionary.txt': No such file\n"
    sandbox = Answers(SandboxResult(0, b"", stderr))
    assert rules_of(ask_check(CHECK, repo, mbox, 1, sandbox=sandbox)) == [("weakened", "pass")]
    assert ask_check(CHECK, repo, mbox, 2, sandbox=sandbox) == ()


def test_a_thousand_complaints_are_cut_and_said_to_be(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"f.c": "int x; \n" * 1000}))
    found = ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())
    assert len(found) == 101
    assert rules_of(found)[-1] == ("more", "pass")


def test_a_subject_and_an_author_that_are_not_ascii(repo: Repo) -> None:
    repo.commit(TREE)
    said = "area: gr\u00f6\u00dfer\n\nWhy.\n\nSigned-off-by: J\u00f6rg <j@example.com>\n"
    mbox = mail_series(repo, (said, {"f.c": "int x; \n"}), author="J\u00f6rg <j@example.com>")
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())) == [("trailing-whitespace", "fail")]


def test_a_mail_in_latin_1_without_a_word_of_that(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, ("area: grosser teh\n\nWhy.\n", {"f.c": b"int x; // gr\xf6\xdfer \n"}))
    found = ask_check(CHECK, repo, mbox.replace(b"grosser", b"gr\xf6\xdfer"), sandbox=PlainSandbox())
    assert rules_of(found) == [("typo-spelling", "warn"), ("trailing-whitespace", "fail")]


def test_a_mail_in_base64_is_decoded_first(repo: Repo) -> None:
    """By hand it finds no diff in such a mail."""
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"f.c": "int x; \n"}))
    head, _, body = mbox.partition(b"\n\n")
    encoded = head + b"\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    encoded += b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(body)
    one = only_finding(ask_check(CHECK, repo, encoded, sandbox=PlainSandbox()), "trailing-whitespace")
    assert (one.path, one.line) == (b"f.c", 1)


def test_a_binary_patch_and_bytes_that_are_no_text(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"b.bin": b"\0\1\2" * 50, "f.c": b"int \xff; \n"}), options=["--binary"])
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())) == [("trailing-whitespace", "fail")]


def test_the_real_one_of_a_kernel(repo: Repo, tmp_path: Path) -> None:
    bundle = shared("data/kernel-subset.bundle")
    bare = str(tmp_path / "kernel.git")
    subprocess.run(["git", "clone", "--quiet", "--bare", str(bundle), bare], check=True, capture_output=True)
    names = [f"scripts/{name}" for name in ("checkpatch.pl", "spelling.txt", "const_structs.checkpatch")]
    shown = [["git", "-C", bare, "show", f"v7.1.8:{name}"] for name in names]
    texts = [subprocess.run(one, check=True, capture_output=True).stdout for one in shown]
    repo.commit({"net/f.c": "int a;\n", **dict(zip(names, texts, strict=True))})
    body = "int a;\n\nint f(void)\n{\n\tint x=1;\n\treturn (x); \n}\n"
    mbox = mail_series(repo, (f"net: recieve\n\nWhy this is so.\n\n{SIGNED}\n", {"net/f.c": body}))
    found = ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())
    assert (only_finding(found, "trailing-whitespace").path, only_finding(found, "trailing-whitespace").line) == (
        b"net/f.c",
        6,
    )
    assert {"spacing", "trailing-whitespace", "line-spacing", "typo-spelling"} <= set(dict(rules_of(found)))
    assert only_finding(found, "typo-spelling").line == 1


LONG = "int " + "a" * 120 + ";\n"


@pytest.mark.parametrize(
    "head",
    [
        "/* Do not edit directly, auto-generated from: */\n/*\tDocumentation/netlink/specs/nfsd.yaml */\n",
        "// SPDX-License-Identifier: GPL-2.0\n/* YNL-GEN kernel source */\n",
        "/* This file is generated by tools/gen.py */\n",
    ],
)
def test_the_style_of_a_file_that_a_program_wrote_is_not_the_patchs(repo: Repo, head: str) -> None:
    repo.commit(TREE)
    assert ask_check(CHECK, repo, mail_series(repo, (SAID, {"f.c": head + LONG})), sandbox=PlainSandbox()) == ()


def test_a_file_that_speaks_of_generated_things_is_looked_at(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"f.c": "/* Makes keys. */\nint generated; /* not by a program */\n" + LONG}))
    assert rules_of(ask_check(CHECK, repo, mbox, sandbox=PlainSandbox())) == [("long-line", "warn")]


def test_trace_events_are_laid_out_as_no_function_is(repo: Repo) -> None:
    script = SCRIPT.replace("CHECK:BRACES", "CHECK:OPEN_ENDED_LINE")
    repo.commit(TREE | {"scripts/checkpatch.pl": script})
    traces = "#undef TRACE_SYSTEM\n#define TRACE_SYSTEM nfsd\n} else {\n"
    found = [
        rules_of(ask_check(CHECK, repo, mail_series(repo, (SAID, {"trace.h": text})), sandbox=PlainSandbox()))
        for text in (traces, "} else {\n")
    ]
    assert found == [[], [("open-ended-line", "pass")]]
