# SPDX-License-Identifier: GPL-2.0-or-later
"""The check commit-refs: commits that the text speaks of, and hexadecimal words that are none."""

import time

import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.commit_refs import CHECK
from seriestool.series.message.commit_message import parse_message
from seriestool.series.message.commit_references import find_references
from tests.support.kernels import FOO_CONTENT, FOO_FILE, FOO_TITLE, FooKernel, make_foo_kernel
from tests.support.repos import Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

GONE = "feedc0ffee12"
SENT = {FOO_FILE: FOO_CONTENT + "six\n"}


@pytest.fixture
def kernel(repo: Repo) -> FooKernel:
    return make_foo_kernel(repo)


def say(kernel: FooKernel, text: str) -> tuple[Finding, ...]:
    return ask_check(CHECK, kernel.repo, mail_series(kernel.repo, (f"foo: mend it\n\n{text}\n\n{SIGNED}\n", SENT)))


def test_a_commit_with_its_title_passes(kernel: FooKernel) -> None:
    assert say(kernel, f'Since commit {kernel.target[:12]} ("{FOO_TITLE}") it is wrong.') == ()
    assert say(kernel, f'{kernel.target[:12]} ("{FOO_TITLE}") broke it.') == ()


def test_a_title_over_two_lines_passes(kernel: FooKernel) -> None:
    assert (
        say(kernel, f'Since commit\n{kernel.target[:12]} ("{FOO_TITLE[:15]}\n{FOO_TITLE[15:].strip()}") it\nis wrong.')
        == ()
    )


def test_the_title_of_another_commit(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f'Commit {kernel.target[:12]} ("foo: never seen") broke it.'), "title-mismatch")
    assert (finding.status, finding.line) == (Status.WARN, 3)
    assert finding.mend == f'commit {kernel.target[:12]} ("{FOO_TITLE}")'


def test_no_title(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f"It is\nwrong since commit {kernel.target[:12]}."), "no-title")
    assert (finding.status, finding.line) == (Status.WARN, 4)
    assert finding.mend == f'commit {kernel.target[:12]} ("{FOO_TITLE}")'


def test_a_title_once_is_enough(kernel: FooKernel) -> None:
    assert say(kernel, f'Commit {kernel.target[:12]} ("{FOO_TITLE}") did it. Undo commit {kernel.target[:12]}.') == ()


def test_a_title_in_the_fixes_tag_is_enough(kernel: FooKernel) -> None:
    text = f"Undo a part of commit {kernel.target[:12]}."
    body = f"foo: mend it\n\n{text}\n\n{kernel.tag()}\n{SIGNED}\n"
    assert ask_check(CHECK, kernel.repo, mail_series(kernel.repo, (body, SENT))) == ()


@pytest.mark.parametrize("words", ["QEMU", "in nfs-utils", "the glibc git", "since\nxfstests", "iproute2's"])
def test_a_commit_of_another_project_is_not_looked_for_here(kernel: FooKernel, words: str) -> None:
    assert say(kernel, f'It is {words} commit {GONE} ("say more") that needs it.') == ()


@pytest.mark.parametrize("words", ["kernel", "upstream", "the git", "selftests", "Linux kernel"])
def test_a_commit_of_the_kernel_is(kernel: FooKernel, words: str) -> None:
    findings = say(kernel, f'It is {words} commit {GONE} ("say more") that needs it.')
    assert rules_of(findings) == [("unknown-commit", "warn")]


def test_a_commit_of_the_kernel_is_not_looked_for_in_another_project() -> None:
    (found,) = find_references(parse_message(f"gpiosim: mend\n\nAs in Linux kernel commit {GONE}.\n"))
    assert found.project == "kernel"


def test_git_and_the_stable_team_give_no_titles(kernel: FooKernel) -> None:
    assert say(kernel, f"This reverts commit {kernel.target}.") == ()
    assert say(kernel, f"commit {kernel.target} upstream.") == ()
    assert say(kernel, f"[ Upstream commit {kernel.target} ]") == ()


def test_a_short_id(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f'Commit {kernel.target[:8]} ("{FOO_TITLE}") did it.'), "short-id")
    assert (finding.status, finding.mend) == (Status.WARN, f'commit {kernel.target[:12]} ("{FOO_TITLE}")')


def test_a_commit_that_does_not_exist(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f'Commit {GONE} ("foo: never seen") did it.'), "unknown-commit")
    assert (finding.status, finding.line) == (Status.WARN, 3)


def test_nothing_to_compare_with_is_a_skip(repo: Repo) -> None:
    repo.commit({FOO_FILE: FOO_CONTENT}, "one")
    mbox = mail_series(repo, (f'mend\n\nCommit {GONE} ("foo: never seen") did it.\n', SENT))
    assert rules_of(ask_check(CHECK, repo, mbox)) == [("commit-unseen", "skip")]


def test_an_object_that_is_no_commit(kernel: FooKernel) -> None:
    blob = kernel.repo.git("rev-parse", f"main:{FOO_FILE}")
    assert rules_of(say(kernel, f'Commit {blob[:12]} ("{FOO_TITLE}") did it.')) == [("not-a-commit", "warn")]


def test_a_patch_of_the_same_series(kernel: FooKernel) -> None:
    first = (f"foo: mend it\n\nText.\n\n{SIGNED}\n", SENT)
    second = (f'foo: more\n\nCommit {GONE} ("foo: mend it") did it.\n\n{SIGNED}\n', {FOO_FILE: FOO_CONTENT + "seven\n"})
    mbox = mail_series(kernel.repo, first, second)
    assert rules_of(ask_check(CHECK, kernel.repo, mbox, counter=2)) == [("same-series", "warn")]


def test_each_is_spoken_of_once(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, f"Commit {GONE}. Commit {GONE}. Commit {GONE}.")) == [("unknown-commit", "warn")]


def test_what_the_fixes_check_says_is_not_said_again(kernel: FooKernel) -> None:
    body = f'foo: mend it\n\nCommit {GONE} did it.\n\nFixes: {GONE} ("foo: never seen")\n{SIGNED}\n'
    assert ask_check(CHECK, kernel.repo, mail_series(kernel.repo, (body, SENT))) == ()


def test_other_projects_may_be_brief(repo: Repo) -> None:
    oid = repo.commit({FOO_FILE: FOO_CONTENT}, "one")
    assert ask_check(CHECK, repo, mail_series(repo, (f"mend\n\nUndo commit {oid[:7]}.\n", SENT))) == ()


@pytest.mark.parametrize(
    "text",
    [
        "The digest is 0123456789abcdef0123456789abcdef01234567.",
        "See 20260101.0123456789ab@example.com for that.",
        "It reads 0x0123456789ab from 0123456789ab.",
        "We commit defaced pages, and commit 1000000 of them.",
        "    commit 0123456789ab",
        "> commit 0123456789ab",
        "[   93.360748] commit 0123456789ab",
        "Link: https://example.com/commit/0123456789ab",
        'https://git.kernel.org/c/0123456789ab ("foo")',
        "commit 0123456789ab.example.com",
        "commit 0123456789ab@example.com",
        "a commit, a0b1c2d3e4f5, is named",
        "the uuid 01234567-89ab-cdef-0123-456789abcdef",
        "commit: 0123456789ab is a header of something",
    ],
)
def test_hexadecimal_words_that_are_no_commits(text: str) -> None:
    assert find_references(parse_message(f"foo: mend\n\n{text}\n\n{SIGNED}")) == ()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('commit 0123456789ab ("NFSD: Add a "default" block size") did', 'NFSD: Add a "default" block size'),
        ('commit 0123456789ab ("foo:\nlong\ntitle") did', "foo: long title"),
        ('(commit 0123456789ab ("foo: a (b)"))', "foo: a (b)"),
        ("Commit 0123456789ab, which", None),
        ("see commit 0123456789ab.", None),
        ("commit 0123456789ab's frames", None),
    ],
)
def test_references(text: str, title: str | None) -> None:
    found = find_references(parse_message(f"foo: mend\n\n{text}\n\n{SIGNED}"))
    assert [(one.oid, one.title) for one in found] == [("0123456789ab", title)]


@pytest.mark.parametrize("piece", ['commit 0123456789ab ("', "0123456789ab ", '("', "commit ", "a1"])
def test_no_text_takes_long(piece: str) -> None:
    start = time.process_time()
    find_references(parse_message("foo: mend\n\n" + "\n".join([piece * 300] * 500) + f"\n\n{SIGNED}"))
    assert time.process_time() - start < 2
