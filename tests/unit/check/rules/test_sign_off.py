# SPDX-License-Identifier: GPL-2.0-or-later
"""The check sign-off: who signed, in which order, and who is behind an address."""

import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.sign_off import CHECK
from tests.support.kernels import FOO_CONTENT, FOO_FILE, FooKernel, make_foo_kernel
from tests.support.repos import Repo
from tests.support.series import AUTHOR, SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

SENT = {FOO_FILE: FOO_CONTENT + "six\n"}
OTHER = "Co Author <co@example.org>"


@pytest.fixture
def kernel(repo: Repo) -> FooKernel:
    return make_foo_kernel(repo)


def mail(kernel: FooKernel, *trailers: str, author: str = AUTHOR, sender: str | None = None, head: str = "") -> bytes:
    """A patch with these trailers; `sender` sends it, with an in-body From for the author."""
    body = "\n".join(["foo: mend it", "", "It was wrong.", "", *trailers, ""])
    options = (f"--from={sender}",) if sender else ()
    mbox = mail_series(kernel.repo, (body, SENT), author=author, options=options)
    return mbox.replace(b"\nTo: ", b"\n" + head.encode() + b"To: ", 1)


def say(
    kernel: FooKernel, *trailers: str, author: str = AUTHOR, sender: str | None = None, head: str = ""
) -> tuple[Finding, ...]:
    return ask_check(CHECK, kernel.repo, mail(kernel, *trailers, author=author, sender=sender, head=head))


def test_a_signed_patch_passes(kernel: FooKernel) -> None:
    assert say(kernel, SIGNED) == ()


def test_nobody_signed(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f"Reviewed-by: {OTHER}"), "missing")
    assert (finding.status, finding.mend) == (Status.FAIL, SIGNED)


@pytest.mark.parametrize("line", ["Signed-of-by: {}", "Signed off by: {}", "Singed-off-by: {}", "Signed-off: {}"])
def test_a_slip_in_the_name_of_the_tag(kernel: FooKernel, line: str) -> None:
    finding = only_finding(say(kernel, line.format(AUTHOR)), "missing")
    assert (finding.status, finding.line, finding.mend) == (Status.FAIL, 5, SIGNED)


def test_signed_below_the_dashes(kernel: FooKernel) -> None:
    mbox = mail(kernel, "Link: https://example.com/x").replace(b"\n---\n", f"\n---\n{SIGNED}\n".encode(), 1)
    assert "below '---'" in only_finding(ask_check(CHECK, kernel.repo, mbox), "missing").message


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({FOO_FILE: "x\n"}, [("missing", "fail")]),
        ({"drivers/net/new.c": "x\n"}, [("missing", "fail")]),
        ({"utils/mount/new.c": "x\n"}, []),
        ({"utils/mount/mount.c": "x\n", "Makefile": "y\n"}, []),
    ],
)
def test_a_patch_of_another_project_on_the_list_is_not_judged_by_this_ones_rules(
    kernel: FooKernel, files: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """kernel lists get patches of the programs that go with it: where no base is known, its files tell."""
    other = kernel.repo.commit({"utils/mount/mount.c": "1\n", FOO_FILE: "2\n", "Makefile": "3\n"}, branch="other")
    mbox = mail_series(kernel.repo, ("mount: mend it", files), base=other)
    kernel.repo.git("branch", "-D", "other")
    assert rules_of(ask_check(CHECK, kernel.repo, mbox, base=None)) == expected


def test_a_project_that_does_not_sign_is_not_asked_to(repo: Repo) -> None:
    for number in range(12):
        repo.commit({FOO_FILE: f"{number}\n"}, f"step {number}")
    assert ask_check(CHECK, repo, mail_series(repo, ("mend", {FOO_FILE: "x\n"}))) == ()


def test_a_project_that_signs_is_asked_to(repo: Repo) -> None:
    for number in range(12):
        repo.commit({FOO_FILE: f"{number}\n"}, f"step {number}\n\n{SIGNED}\n")
    assert rules_of(ask_check(CHECK, repo, mail_series(repo, ("mend", {FOO_FILE: "x\n"})))) == [("missing", "fail")]


def test_a_project_too_young_to_say_is_not_asked(repo: Repo) -> None:
    repo.commit({FOO_FILE: "1\n"}, f"step 1\n\n{SIGNED}\n")
    assert ask_check(CHECK, repo, mail_series(repo, ("mend", {FOO_FILE: "x\n"}))) == ()


def test_the_author_did_not_sign(kernel: FooKernel) -> None:
    findings = say(kernel, f"Signed-off-by: {OTHER}", sender=OTHER)
    assert rules_of(findings) == [("author", "fail")]
    assert only_finding(findings, "author").mend == SIGNED


def test_a_from_line_may_be_missing(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, f"Signed-off-by: {OTHER}"), "author")
    assert f"begin with 'From: {OTHER}'" in finding.message


@pytest.mark.parametrize(
    "signed",
    [
        "Another Name <author@example.com>",
        "A U Thor <author+kernel@example.com>",
        "A U Thor <AUTHOR@example.com>",
        '"A U Thor" <author@example.com>',
        "A U Thor <author@example.com> # v2",
    ],
)
def test_the_address_says_who_it_is(kernel: FooKernel, signed: str) -> None:
    assert say(kernel, f"Signed-off-by: {signed}") == ()


@pytest.mark.parametrize("signed", ["A U Thor <author@kernel.org>", "a u thor <x@y.org>", "A U Thor (Work) <x@y.org>"])
def test_the_same_name_at_another_address_is_a_note(kernel: FooKernel, signed: str) -> None:
    assert rules_of(say(kernel, f"Signed-off-by: {signed}")) == [("author-address", "pass")]


def test_one_word_is_a_name_too(kernel: FooKernel) -> None:
    findings = say(kernel, "Signed-off-by: OneWord <a@example.org>", author="OneWord <b@example.com>")
    assert rules_of(findings) == [("author-address", "pass")]


def test_an_address_that_spells_the_name(kernel: FooKernel) -> None:
    findings = say(kernel, "Signed-off-by: ZhangGuoDong <z@corp.example>", author="z <zhang.guodong@example.org>")
    assert rules_of(findings) == [("author-address", "pass")]


def test_names_that_are_not_ascii_in_either_form(kernel: FooKernel) -> None:
    findings = say(
        kernel,
        "Signed-off-by: J\u00fcrgen M\u00fcller <a@example.org>",
        author="Ju\u0308rgen Mu\u0308ller <b@example.org>",
    )
    assert rules_of(findings) == [("author-address", "pass")]


def test_the_mailmap_knows_both_addresses(kernel: FooKernel) -> None:
    findings = say(kernel, "Signed-off-by: New Name <new@example.com>", author="Old Name <former@example.com>")
    assert findings == ()


def test_who_sends_it_signs_last(kernel: FooKernel) -> None:
    assert say(kernel, SIGNED, f"Signed-off-by: {OTHER}", sender=OTHER) == ()


def test_who_sends_it_has_to_sign(kernel: FooKernel) -> None:
    findings = say(kernel, SIGNED, sender=OTHER)
    assert rules_of(findings) == [("sender", "fail")]
    assert only_finding(findings, "sender").mend == f"Signed-off-by: {OTHER}"


def test_a_sender_without_a_name_may_be_the_author(kernel: FooKernel) -> None:
    mbox = mail(kernel, SIGNED, sender=OTHER).replace(b"From: Co Author <co@example.org>", b"From: co@example.org")
    findings = ask_check(CHECK, kernel.repo, mbox)
    assert rules_of(findings) == [("sender", "pass")]
    assert only_finding(findings, "sender").message == "co@example.org sent it, and did not sign it off"


def test_who_sends_it_did_not_sign_last(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, f"Signed-off-by: {OTHER}", SIGNED, sender=OTHER)) == [("last", "warn")]


def test_commits_that_were_not_sent_have_no_sender(kernel: FooKernel) -> None:
    assert ask_check(CHECK, kernel.repo, mail(kernel, SIGNED, sender=OTHER), is_mailed=False) == ()


@pytest.mark.parametrize(
    "head", ["Reply-To: A U Thor <author@example.com>\n", "X-Original-From: A U Thor <author@example.com>\n", ""]
)
def test_a_list_that_sends_in_its_own_name(kernel: FooKernel, head: str) -> None:
    findings = say(kernel, SIGNED, author="A U Thor via Foo <foo@lists.example.org>", head=head)
    assert rules_of(findings) == [("via", "pass")]
    assert only_finding(findings, "via").mend == f"From: {AUTHOR}"


def test_a_relay_with_the_author_in_the_text(kernel: FooKernel) -> None:
    assert say(kernel, SIGNED, sender="A U Thor via B4 Relay <devnull+author.example.com@kernel.org>") == ()


def test_a_list_that_sends_for_somebody_who_did_not_sign(kernel: FooKernel) -> None:
    findings = say(kernel, f"Signed-off-by: {OTHER}", author="A U Thor via Foo <foo@lists.example.org>")
    assert rules_of(findings) == [("author", "warn")]


def test_a_co_developer_signs_directly_below(kernel: FooKernel) -> None:
    assert say(kernel, f"Co-developed-by: {OTHER}", f"Signed-off-by: {OTHER}", SIGNED) == ()


def test_a_co_developer_who_sends_it(kernel: FooKernel) -> None:
    assert say(kernel, SIGNED, f"Co-developed-by: {OTHER}", f"Signed-off-by: {OTHER}", sender=OTHER) == ()


@pytest.mark.parametrize(
    "trailers",
    [
        (f"Co-developed-by: {OTHER}", SIGNED),
        (f"Signed-off-by: {OTHER}", f"Co-developed-by: {OTHER}", SIGNED),
        (SIGNED, f"Co-developed-by: {OTHER}"),
        (f"Co-developed-by: {OTHER}", "Cc: x@example.org", f"Signed-off-by: {OTHER}", SIGNED),
    ],
)
def test_a_co_developer_who_does_not_sign_directly_below(kernel: FooKernel, trailers: tuple[str, ...]) -> None:
    findings = say(kernel, *trailers)
    assert rules_of(findings) == [("co-developer", "fail")]
    assert only_finding(findings, "co-developer").mend == f"Co-developed-by: {OTHER}\nSigned-off-by: {OTHER}"


def test_a_co_developer_with_two_addresses(kernel: FooKernel) -> None:
    findings = say(kernel, f"Co-developed-by: {OTHER}", "Signed-off-by: Co Author <co@work.example>", SIGNED)
    assert rules_of(findings) == [("co-developer", "warn")]


def test_the_author_is_no_co_developer(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, f"Co-developed-by: {AUTHOR}", SIGNED)) == [("co-developer-author", "warn")]


@pytest.mark.parametrize("value", ["A U Thor", "author@example.com"])
def test_a_sign_off_without_name_or_address(kernel: FooKernel, value: str) -> None:
    assert rules_of(say(kernel, f"Signed-off-by: {value}", SIGNED)) == [("form", "warn")]


def test_a_sign_off_above_the_last_paragraph_counts(kernel: FooKernel) -> None:
    assert say(kernel, SIGNED, "", "Link: https://example.com/x") == ()
