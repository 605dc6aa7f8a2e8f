# SPDX-License-Identifier: GPL-2.0-or-later
"""The check fixes-tag on a small kernel: what is good, what is wrong, and what cannot be seen."""

import hashlib
from itertools import count

import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.fixes_tag import CHECK
from tests.support.kernels import (
    FOO_CONTENT,
    FOO_FILE,
    FOO_KERNEL,
    FOO_OTHER_TITLE,
    FOO_TITLE,
    OLD_HAND,
    FooKernel,
    make_foo_kernel,
)
from tests.support.repos import Repo
from tests.support.series import AUTHOR, SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

CC = ("--cc=old@example.org",)
GONE = "feedc0ffee12"
SENT = {FOO_FILE: FOO_CONTENT + "six\n"}


@pytest.fixture
def kernel(repo: Repo) -> FooKernel:
    return make_foo_kernel(repo)


def message(*lines: str, text: str = "It was wrong.", below: str = SIGNED) -> str:
    return "\n".join(["foo: mend it", "", text, "", *lines, below, ""])


def say(
    kernel: FooKernel, *lines: str, text: str = "It was wrong.", prefix: str = "PATCH", cc: str = "old@example.org"
) -> tuple[Finding, ...]:
    """What the check says of a patch with these lines above its sign-off."""
    mbox = mail_series(kernel.repo, (message(*lines, text=text), SENT), prefix=prefix, options=(f"--cc={cc}",))
    return ask_check(CHECK, kernel.repo, mbox)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """The rules but for notes."""
    return [(rule, status) for rule, status in rules_of(findings) if status != "pass"]


# --- form, and the line to paste -----------------------------------------------------------------------------------


def test_a_good_tag_passes(kernel: FooKernel) -> None:
    assert told(say(kernel, kernel.tag())) == []


def test_more_than_twelve_digits_are_as_good(kernel: FooKernel) -> None:
    assert told(say(kernel, kernel.tag(digits=40))) == []


@pytest.mark.parametrize(
    ("rule", "status", "lines"),
    [
        ("wrapped", "fail", ['Fixes: {id} ("foo: count the', 'frames that were sent")']),
        ("unclosed", "fail", ['Fixes: {id} ("{title})']),
        ("no-id", "fail", ['Fixes: ("{title}")']),
        ("url", "fail", ['Fixes: https://git.kernel.org/linus/c/{id} ("{title}")']),
        ("short-id", "fail", ['Fixes: {id:.10} ("{title}")']),
        ("word", "fail", ['Fixes: commit {id} ("{title}")']),
        ("no-title", "fail", ["Fixes: {id}"]),
        ("quotes", "fail", ["Fixes: {id} ({title})"]),
        ("no-space", "fail", ['Fixes: {id}("{title}")']),
        ("spacing", "warn", ['Fixes:  {id} ("{title}")']),
        ("name", "warn", ['fixes: {id} ("{title}")']),
        ("text-after", "warn", ['Fixes: {id} ("{title}").']),
        ("id-case", "warn", ['Fixes: {upper} ("{title}")']),
    ],
)
def test_a_malformed_tag_comes_with_the_line_to_paste(
    kernel: FooKernel, rule: str, status: str, lines: list[str]
) -> None:
    oid = kernel.target[:12]
    findings = say(kernel, *(line.format(id=oid, title=FOO_TITLE, upper=oid.upper()) for line in lines))
    assert told(findings) == [(rule, status)]
    assert only_finding(findings, rule).mend == kernel.tag()
    assert only_finding(findings, rule).line == 5


def test_several_commits_in_one_tag_come_as_several_lines(kernel: FooKernel) -> None:
    findings = say(kernel, f'{kernel.tag()}, {kernel.other[:12]} ("{FOO_OTHER_TITLE}")')
    assert told(findings) == [("several", "fail")] * 2
    assert [one.mend for one in findings[:2]] == [kernel.tag(), kernel.tag(kernel.other, FOO_OTHER_TITLE)]


def test_an_id_that_is_too_long(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f'Fixes: {kernel.target}0 ("{FOO_TITLE}")'), "long-id")
    assert (finding.status, finding.mend) == (Status.FAIL, kernel.tag())


def test_a_malformed_tag_on_a_commit_that_is_not_here_is_malformed_all_the_same(kernel: FooKernel) -> None:
    findings = say(kernel, f'Fixes: commit {GONE} ("foo: never seen")')
    assert told(findings) == [("word", "fail"), ("unknown-commit", "fail")]
    assert only_finding(findings, "word").mend == f'Fixes: {GONE} ("foo: never seen")'


def test_a_url_of_a_report_is_a_closes_tag(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, "Fixes: https://bugzilla.kernel.org/show_bug.cgi?id=1"), "url")
    assert finding.mend == "Closes: https://bugzilla.kernel.org/show_bug.cgi?id=1"


def test_a_tag_that_is_no_id_but_the_title_finds_the_id(kernel: FooKernel) -> None:
    assert only_finding(say(kernel, f"Fixes: {FOO_TITLE}"), "no-id").mend == kernel.tag()


def test_a_sentence_that_nobody_signed_does_not_fail(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, ("foo: mend\n\nFixes: the counting of frames\n", SENT))
    assert "fail" not in dict(rules_of(ask_check(CHECK, kernel.repo, mbox))).values()


# --- where it stands -----------------------------------------------------------------------------------------------


def test_an_empty_line_between_the_tag_and_the_other_trailers(kernel: FooKernel) -> None:
    assert told(say(kernel, kernel.tag(), "")) == [("place", "warn")]


def test_the_tag_below_the_authors_sign_off(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, (message(SIGNED, below=kernel.tag()), SENT), options=CC)
    assert told(ask_check(CHECK, kernel.repo, mbox)) == [("order", "warn")]


def test_an_indented_tag(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, (message(SIGNED, below=f"  {kernel.tag()}"), SENT), options=CC)
    assert ("indented", "warn") in told(ask_check(CHECK, kernel.repo, mbox))


def test_the_same_commit_twice(kernel: FooKernel) -> None:
    assert told(say(kernel, kernel.tag(), kernel.tag(digits=20))) == [("repeated", "warn")]


def test_a_tag_in_quoted_text_is_none(kernel: FooKernel) -> None:
    assert told(say(kernel, text=f"Revert it. It said:\n\n    Fixes: {GONE} (never")) == []


# --- what it names -------------------------------------------------------------------------------------------------


def test_a_commit_that_does_not_exist(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f'Fixes: {GONE} ("foo: never seen")'), "unknown-commit")
    assert (finding.status, finding.mend) == (Status.FAIL, None)
    assert "of 12 commits that the last 16 commits here say they fix 12 are known" in finding.message


def test_a_commit_that_does_not_exist_by_forty_digits(kernel: FooKernel) -> None:
    assert told(say(kernel, f'Fixes: {GONE:0<40} ("foo: never seen")')) == [("unknown-commit", "fail")]


def test_the_right_title_with_an_id_of_elsewhere(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, kernel.tag(GONE)), "unknown-commit")
    assert (finding.status, finding.mend) == (Status.FAIL, kernel.tag())


def test_nothing_to_compare_with_is_a_skip(repo: Repo) -> None:
    repo.commit({**FOO_KERNEL, FOO_FILE: FOO_CONTENT}, "Linux 6.1")
    mbox = mail_series(repo, (message(f'Fixes: {GONE} ("foo: never seen")'), SENT))
    finding = only_finding(ask_check(CHECK, repo, mbox), "commit-unseen")
    assert (finding.status, finding.line) == (Status.SKIP, 5)
    assert "only 0 Fixes tags in the last 1 commits here to judge by" in finding.message


def test_a_shallow_repository_is_a_skip(kernel: FooKernel, make_repo: object) -> None:
    shallow = Repo(kernel.repo.path.with_name("shallow"))
    shallow.git("fetch", "--quiet", "--depth=1", f"file://{kernel.repo.path}", "main")
    shallow.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    mbox = mail_series(shallow, (message(kernel.tag()), SENT))
    finding = only_finding(ask_check(CHECK, shallow, mbox), "commit-unseen")
    assert (finding.status, "shallow" in finding.message) == (Status.SKIP, True)


def test_where_most_that_is_quoted_is_not_here_nothing_is_said(kernel: FooKernel) -> None:
    quotes = "\n".join(f'Fixes: {n:012x} ("gone")' for n in range(0xABCDEF, 0xABCDEF + 20))
    kernel.repo.commit({"x": "x"}, f"x: x\n\n{quotes}\n{SIGNED}\n")
    assert told(say(kernel, f'Fixes: {GONE} ("foo: never seen")')) == [("commit-unseen", "skip")]


def test_without_a_base_an_unknown_commit_is_no_failure(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, (message(f'Fixes: {GONE} ("foo: never seen")'), SENT))
    assert told(ask_check(CHECK, kernel.repo, mbox, base=None)) == [("unknown-commit", "warn")]


@pytest.mark.parametrize("prefix", ["PATCH net-next", "PATCH bpf"])
def test_an_unknown_commit_may_be_in_a_tree_that_is_not_here(kernel: FooKernel, prefix: str) -> None:
    found = say(kernel, f'Fixes: {GONE} ("foo: never seen")', prefix=prefix)
    assert told(found) == [("unknown-commit", "warn")]
    kernel.repo.git("update-ref", f"refs/remotes/{prefix.split()[1]}/main", "main")
    found = say(kernel, f'Fixes: {GONE} ("foo: never seen")', prefix=prefix)
    assert told(found) == [("unknown-commit", "fail")]


def test_an_unknown_commit_may_be_in_a_tree_that_maintainers_names(kernel: FooKernel) -> None:
    url = "https://git.kernel.org/pub/scm/foo.git"
    kernel.repo.commit({"MAINTAINERS": f"FOO\nT:\tgit {url}\nF:\tdrivers/net/\n"}, "MAINTAINERS: add a tree")
    tag = f'Fixes: {GONE} ("foo: never seen")'
    assert told(say(kernel, tag)) == [("unknown-commit", "warn")]
    kernel.repo.git("config", "remote.foo.url", url)
    kernel.repo.git("update-ref", "refs/remotes/foo/next", "main")
    assert told(say(kernel, tag)) == [("unknown-commit", "fail")]


def test_an_object_that_is_no_commit(kernel: FooKernel) -> None:
    blob = kernel.repo.git("rev-parse", f"main:{FOO_FILE}")
    finding = only_finding(say(kernel, kernel.tag(blob)), "not-a-commit")
    assert (finding.status, finding.mend) == (Status.FAIL, kernel.tag())


def test_the_id_of_an_annotated_tag(kernel: FooKernel) -> None:
    kernel.repo.git("tag", "-a", "-m", "v6.1", "v6.1", kernel.target)
    finding = only_finding(say(kernel, kernel.tag(kernel.repo.git("rev-parse", "v6.1"))), "not-a-commit")
    assert (finding.status, finding.mend) == (Status.FAIL, kernel.tag())


def test_an_id_that_several_commits_share(kernel: FooKernel) -> None:
    shared = _two_commits_with_one_beginning(kernel.repo)
    finding = only_finding(say(kernel, f'Fixes: {shared} ("{FOO_TITLE}")'), "ambiguous")
    assert (finding.status, finding.mend) == (Status.FAIL, kernel.tag())


def test_another_title(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, kernel.tag(title="foo: count what was received")), "subject-mismatch")
    assert (finding.status, finding.mend) == (Status.FAIL, kernel.tag())
    assert FOO_TITLE in finding.message


def test_the_title_of_another_commit_of_the_same_files(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, kernel.tag(title=FOO_OTHER_TITLE)), "subject-mismatch")
    assert finding.mend == kernel.tag(kernel.other, FOO_OTHER_TITLE)


@pytest.mark.parametrize(
    "title",
    [
        FOO_TITLE.upper(),
        FOO_TITLE + ".",
        FOO_TITLE[:20] + "...",
        FOO_TITLE[:20],
        FOO_TITLE.replace(" ", "  "),
        FOO_TITLE[:20] + "\u2026",
    ],
)
def test_a_title_that_is_nearly_right(kernel: FooKernel, title: str) -> None:
    finding = only_finding(say(kernel, kernel.tag(title=title)), "subject-nearly")
    assert (finding.status, finding.mend) == (Status.WARN, kernel.tag())


def test_a_title_whose_letters_mail_has_lost(kernel: FooKernel) -> None:
    oid = kernel.repo.commit({FOO_FILE: FOO_CONTENT + "x\n"}, f"foo: Rahmen z\u00e4hlen\n\n{SIGNED}\n")
    kernel.repo.commit({FOO_FILE: FOO_CONTENT}, "foo: back")
    assert told(say(kernel, kernel.tag(oid, "foo: Rahmen z\u00e4hlen"))) == []
    assert told(say(kernel, kernel.tag(oid, "foo: Rahmen z??hlen"))) == [("subject-nearly", "warn")]


def test_a_commit_of_no_tree_is_not_in_the_base(kernel: FooKernel) -> None:
    oid = kernel.repo.commit({FOO_FILE: "x\n"}, "foo: on the side", branch="side", parent="main")
    kernel.repo.git("update-ref", "refs/old/side", oid)
    kernel.repo.git("update-ref", "-d", "refs/heads/side")
    finding = only_finding(say(kernel, kernel.tag(oid, "foo: on the side")), "not-an-ancestor")
    assert (finding.status, finding.mend) == (Status.FAIL, None)


def test_a_twin_of_the_commit_in_the_base_is_the_one_to_name(kernel: FooKernel) -> None:
    oid = kernel.repo.commit({FOO_FILE: "x\n"}, FOO_TITLE, branch="side", parent="main~5")
    finding = only_finding(say(kernel, kernel.tag(oid)), "not-an-ancestor")
    assert (finding.status, finding.mend) == (Status.WARN, kernel.tag())
    assert "it is in side; there the change is" in finding.message


def test_a_commit_of_another_tree_is_not_in_the_base_that_the_author_states(kernel: FooKernel) -> None:
    oid = kernel.repo.commit({FOO_FILE: "x\n"}, "foo: on the side", branch="side", parent="main")
    patch = (message(kernel.tag(oid, "foo: on the side")), SENT)
    found = told(ask_check(CHECK, kernel.repo, mail_series(kernel.repo, patch, options=CC)))
    assert found == [("not-an-ancestor", "warn")]
    found = told(ask_check(CHECK, kernel.repo, mail_series(kernel.repo, patch, options=(*CC, "--base=main"))))
    assert found == [("not-an-ancestor", "fail")]


def test_a_base_named_by_hand_that_the_patch_does_not_fit_is_no_fault_of_the_author(kernel: FooKernel) -> None:
    oid = kernel.repo.commit({FOO_FILE: "x\n"}, "foo: on the side", branch="side", parent="main")
    patch = (message(kernel.tag(oid, "foo: on the side")), {FOO_FILE: "y\n"})
    mbox = mail_series(kernel.repo, patch, base="side", options=CC)
    assert told(ask_check(CHECK, kernel.repo, mbox, base="main")) == [("not-an-ancestor", "warn")]


def test_a_patch_of_the_same_series_by_title(kernel: FooKernel) -> None:
    first = (message(kernel.tag()), SENT)
    second = (
        message(f'Fixes: {GONE} ("foo: mend it")').replace("mend it", "mend that", 1),
        {FOO_FILE: FOO_CONTENT + "seven\n"},
    )
    mbox = mail_series(kernel.repo, first, second, options=CC)
    finding = only_finding(ask_check(CHECK, kernel.repo, mbox, counter=2), "same-series")
    assert (finding.status, finding.mend) == (Status.FAIL, "squash it into 1/2")


def test_where_ids_cannot_be_told_a_title_of_the_series_is_a_warning(repo: Repo) -> None:
    repo.commit({**FOO_KERNEL, FOO_FILE: FOO_CONTENT}, "Linux 6.1")
    tag = f'Fixes: {GONE} ("foo: mend it")'
    second = (message(tag).replace("mend it", "mend that", 1), {FOO_FILE: FOO_CONTENT + "seven\n"})
    mbox = mail_series(repo, (message(), SENT), second)
    assert told(ask_check(CHECK, repo, mbox, counter=2)) == [("same-series", "warn")]


def test_a_patch_of_the_same_series_by_its_commit(kernel: FooKernel) -> None:
    oid = kernel.repo.commit(SENT, message(kernel.tag()), branch="topic", parent="main")
    mbox = mail_series(
        kernel.repo,
        (message(kernel.tag()), SENT),
        (
            message(kernel.tag(oid, "foo: mend it")).replace("mend it", "mend that", 1),
            {FOO_FILE: FOO_CONTENT + "seven\n"},
        ),
        options=CC,
    )
    assert told(ask_check(CHECK, kernel.repo, mbox, counter=2)) == [("same-series", "fail")]


# --- whether there should be one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["BUG: KASAN: slab-out-of-bounds", "UBSAN: shift", "Call Trace:", "found by syzkaller"]
)
def test_a_bug_without_a_tag(kernel: FooKernel, word: str) -> None:
    assert told(say(kernel, text=f"It says\n\n    {word} in foo()")) == [("missing", "warn")]


def test_for_stable_without_a_tag_or_a_version(kernel: FooKernel) -> None:
    assert told(say(kernel, "Cc: stable@vger.kernel.org")) == [("missing", "warn")]
    assert told(say(kernel, "Cc: stable@vger.kernel.org # 5.4+")) == []


def test_a_revert_needs_no_tag(kernel: FooKernel) -> None:
    assert told(say(kernel, text=f"This reverts commit {kernel.other}.\n\nCall Trace:")) == []


def test_documentation_and_selftests_need_no_tag(kernel: FooKernel) -> None:
    files = {"Documentation/foo.rst": "x\n", "tools/testing/foo.sh": "x\n"}
    mbox = mail_series(kernel.repo, (message(text="Call Trace:"), files), prefix="PATCH net")
    assert told(ask_check(CHECK, kernel.repo, mbox)) == []


def test_a_series_for_net_without_any_tag(kernel: FooKernel) -> None:
    assert told(say(kernel, prefix="PATCH net")) == [("missing-for-tree", "warn")]
    assert told(say(kernel, prefix="PATCH net-next")) == []
    assert told(say(kernel, kernel.tag(), prefix="PATCH net")) == []


# --- stable ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "rule", "mend"),
    [
        ("Cc: stable@kernel.vger.org", "stable-address", "Cc: stable@vger.kernel.org"),
        ("Cc: <stable@vger.kernel.com> # 5.4", "stable-address", "Cc: stable@vger.kernel.org # 5.4"),
        ("Cc: stable@vger.kernel.org [v5.4+]", "stable-comment", "Cc: stable@vger.kernel.org # v5.4+"),
        ("Cc: stable@vger.kernel.org 5.4", "stable-comment", "Cc: stable@vger.kernel.org # 5.4"),
    ],
)
def test_a_tag_for_stable_that_nobody_will_read(kernel: FooKernel, line: str, rule: str, mend: str) -> None:
    findings = say(kernel, kernel.tag(), line)
    assert told(findings) == [(rule, "warn")]
    assert only_finding(findings, rule).mend == mend


@pytest.mark.parametrize(
    "line",
    [
        "Cc: stable@vger.kernel.org",
        "Cc: <stable@vger.kernel.org> # 3.3.x: a1f84a3: sched: Check for idle",
        "Cc: stable@kernel.org",
        "Cc: stable <stable@vger.kernel.org>",
        "Cc: <stable+noautosel@kernel.org> # needs the next one",
        "Cc: linux-stable-team@example.com",
    ],
)
def test_good_tags_for_stable(kernel: FooKernel, line: str) -> None:
    assert told(say(kernel, kernel.tag(), line)) == []


def test_noautosel_needs_a_reason(kernel: FooKernel) -> None:
    findings = say(kernel, kernel.tag(), "Cc: <stable+noautosel@kernel.org>")
    assert told(findings) == [("stable-no-reason", "fail")]


def test_mailed_to_stable_without_the_tag(kernel: FooKernel) -> None:
    findings = say(kernel, kernel.tag(), cc="stable@vger.kernel.org,old@example.org")
    assert told(findings) == [("stable-without-tag", "fail")]
    assert only_finding(findings, "stable-without-tag").mend == "Cc: stable@vger.kernel.org"


@pytest.mark.parametrize(
    "text", ["commit {id} upstream.", "[ Upstream commit {id} ]", "(cherry picked from commit {id})"]
)
def test_a_backport_may_be_mailed_to_stable(kernel: FooKernel, text: str) -> None:
    mbox = mail_series(
        kernel.repo,
        (message(text=text.format(id=kernel.other) + "\n\nIt was wrong."), SENT),
        to="stable@vger.kernel.org",
    )
    assert told(ask_check(CHECK, kernel.repo, mbox)) == []


def test_the_tag_for_stable_may_be_in_a_patch_that_is_not_here(kernel: FooKernel) -> None:
    other = (message("Cc: stable@vger.kernel.org", text="Two."), {FOO_FILE: FOO_CONTENT + "six\nseven\n"})
    mbox = mail_series(kernel.repo, (message(kernel.tag()), SENT), other, to="stable@vger.kernel.org", options=CC)
    assert told(ask_check(CHECK, kernel.repo, mbox)) == []
    first = mbox[: mbox.index(b"\nFrom ", 1) + 1]
    assert told(ask_check(CHECK, kernel.repo, first)) == [("stable-without-tag", "warn")]


def test_a_backport_has_to_name_the_upstream_commit(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, (message(), SENT), to="stable@vger.kernel.org", prefix="PATCH 6.1.y")
    assert told(ask_check(CHECK, kernel.repo, mbox)) == [("stable-upstream", "warn")]


def test_a_whole_series_is_copied_to_stable_for_one_patch_of_it(kernel: FooKernel) -> None:
    mbox = mail_series(
        kernel.repo,
        (message(kernel.tag(), "Cc: stable@vger.kernel.org"), SENT),
        (message(), {FOO_FILE: FOO_CONTENT + "seven\n"}),
        to="stable@vger.kernel.org",
        options=CC,
    )
    assert told(ask_check(CHECK, kernel.repo, mbox, counter=2)) == []


def test_a_fix_of_what_was_released_that_is_not_for_stable_is_a_note(kernel: FooKernel) -> None:
    first = kernel.repo.git("rev-list", "--max-parents=0", "main")
    findings = say(kernel, kernel.tag(first, "Linux 6.1"))
    assert only_finding(findings, "stable-not-asked").status is Status.PASS
    assert "stable-not-asked" not in dict(rules_of(say(kernel, kernel.tag())))


# --- people and trees -----------------------------------------------------------------------------------------------


def test_who_wrote_what_is_fixed_should_get_the_mail(kernel: FooKernel) -> None:
    findings = say(kernel, kernel.tag(), cc="someone@example.com")
    assert told(findings) == [("blamed", "warn")]
    assert only_finding(findings, "blamed").mend == f"Cc: {OLD_HAND}"


def test_who_wrote_what_is_fixed_may_get_it_at_another_address(kernel: FooKernel) -> None:
    assert told(say(kernel, kernel.tag(), cc="Old Hand <old@elsewhere.org>")) == []


def test_the_mailmap_says_who_has_moved(kernel: FooKernel) -> None:
    oid = kernel.repo.commit({FOO_FILE: "x\n"}, "foo: x", author="Former Name <former@example.com>")
    kernel.repo.commit({FOO_FILE: FOO_CONTENT}, "foo: back")
    assert told(say(kernel, kernel.tag(oid, "foo: x"), cc="new@example.com")) == []
    finding = only_finding(say(kernel, kernel.tag(oid, "foo: x")), "blamed")
    assert finding.mend == "Cc: New Name <new@example.com>"


def test_who_has_been_silent_for_years_is_a_note(kernel: FooKernel) -> None:
    kernel.repo.now += 4 * 365 * 86400
    findings = say(kernel, kernel.tag(), cc="someone@example.com")
    assert told(findings) == []
    assert only_finding(findings, "blamed-others").status is Status.PASS


def test_commits_that_were_not_sent_have_no_recipients(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, (message(kernel.tag()), SENT), to="stable@vger.kernel.org")
    assert told(ask_check(CHECK, kernel.repo, mbox, is_mailed=False)) == []


def test_a_fix_of_what_the_tree_of_fixes_has_goes_there(kernel: FooKernel) -> None:
    kernel.repo.git("update-ref", "refs/remotes/net/main", "main")
    kernel.repo.git("update-ref", "refs/remotes/net-next/main", "main")
    findings = say(kernel, kernel.tag(), prefix="PATCH net-next")
    assert told(findings) == [("tree-of-fixes", "warn")]
    assert told(say(kernel, kernel.tag(), prefix="PATCH net")) == []


def test_a_fix_of_what_only_the_other_tree_has_goes_there(kernel: FooKernel) -> None:
    kernel.repo.git("update-ref", "refs/remotes/net/main", "main~3")
    kernel.repo.git("update-ref", "refs/remotes/net-next/main", "main")
    assert told(say(kernel, kernel.tag(kernel.other, FOO_OTHER_TITLE), prefix="PATCH net")) == [
        ("tree-of-next", "warn")
    ]
    assert told(say(kernel, kernel.tag(kernel.other, FOO_OTHER_TITLE), prefix="PATCH net-next")) == []


# --- other projects -------------------------------------------------------------------------------------------------


def test_other_projects_may_name_bugs_and_short_ids(repo: Repo) -> None:
    oid = repo.commit({FOO_FILE: FOO_CONTENT}, FOO_TITLE)
    for line in ("Fixes: #1234", "Fixes: https://example.com/1", f'Fixes: {oid[:8]} ("{FOO_TITLE}")'):
        assert told(ask_check(CHECK, repo, mail_series(repo, (message(line), SENT), author=AUTHOR))) == []


def test_other_projects_are_warned_of_malformed_tags(repo: Repo) -> None:
    oid = repo.commit({FOO_FILE: FOO_CONTENT}, FOO_TITLE)
    mbox = mail_series(repo, (message(f"Fixes: commit {oid[:12]} ({FOO_TITLE})"), SENT))
    assert told(ask_check(CHECK, repo, mbox)) == [("word", "warn"), ("quotes", "warn")]


def test_a_sha256_repository(make_repo: object) -> None:
    kernel = make_foo_kernel(make_repo("sha256", object_format="sha256"))  # type: ignore[operator]
    assert told(say(kernel, kernel.tag())) == []
    assert told(say(kernel, kernel.tag(digits=64))) == []


def _two_commits_with_one_beginning(repo: Repo) -> str:
    """Six digits with which the ids of two commits begin."""
    tree = repo.git("rev-parse", "main^{tree}")
    seen: dict[str, bytes] = {}
    for number in count():
        body = f"tree {tree}\nauthor A <a@b> {number} +0000\ncommitter A <a@b> {number} +0000\n\nx\n".encode()
        oid = hashlib.sha1(b"commit %d\0%s" % (len(body), body), usedforsecurity=False).hexdigest()
        begin = oid[:6]
        if begin in seen and not begin.isdigit() and not begin.isalpha():
            for one in (seen[begin], body):
                repo.git("hash-object", "-t", "commit", "-w", "--stdin", input=one)
            return begin
        seen[begin] = body
    raise AssertionError
