# SPDX-License-Identifier: GPL-2.0-or-later
"""The check sign-off: who signed, in which order, and who is behind an address."""

import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.sign_off import CHECK
from tests.checks import AUTHOR, SIGNED, ask, mail_series, rules, the
from tests.helpers import Repo
from tests.kernels import CONTENT, FILE, Kernel, make_kernel

SENT = {FILE: CONTENT + "six\n"}
OTHER = "Co Author <co@example.org>"


@pytest.fixture
def kernel(repo: Repo) -> Kernel:
    return make_kernel(repo)


def mail(kernel: Kernel, *trailers: str, author: str = AUTHOR, sender: str | None = None, head: str = "") -> bytes:
    """A patch with these trailers; `sender` sends it, with an in-body From for the author."""
    body = "\n".join(["foo: mend it", "", "It was wrong.", "", *trailers, ""])
    options = (f"--from={sender}",) if sender else ()
    mbox = mail_series(kernel.repo, (body, SENT), author=author, options=options)
    return mbox.replace(b"\nTo: ", b"\n" + head.encode() + b"To: ", 1)


def say(
    kernel: Kernel, *trailers: str, author: str = AUTHOR, sender: str | None = None, head: str = ""
) -> tuple[Finding, ...]:
    return ask(CHECK, kernel.repo, mail(kernel, *trailers, author=author, sender=sender, head=head))


def test_a_signed_patch_passes(kernel: Kernel) -> None:
    assert say(kernel, SIGNED) == ()


def test_nobody_signed(kernel: Kernel) -> None:
    finding = the(say(kernel, f"Reviewed-by: {OTHER}"), "missing")
    assert (finding.status, finding.mend) == (Status.FAIL, SIGNED)


@pytest.mark.parametrize("line", ["Signed-of-by: {}", "Signed off by: {}", "Singed-off-by: {}", "Signed-off: {}"])
def test_a_slip_in_the_name_of_the_tag(kernel: Kernel, line: str) -> None:
    finding = the(say(kernel, line.format(AUTHOR)), "missing")
    assert (finding.status, finding.line, finding.mend) == (Status.FAIL, 5, SIGNED)


def test_signed_below_the_dashes(kernel: Kernel) -> None:
    mbox = mail(kernel, "Link: https://example.com/x").replace(b"\n---\n", f"\n---\n{SIGNED}\n".encode(), 1)
    assert "below '---'" in the(ask(CHECK, kernel.repo, mbox), "missing").message


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({FILE: "x\n"}, [("missing", "fail")]),
        ({"drivers/net/new.c": "x\n"}, [("missing", "fail")]),
        ({"utils/mount/new.c": "x\n"}, []),
        ({"utils/mount/mount.c": "x\n", "Makefile": "y\n"}, []),
    ],
)
def test_a_patch_of_another_project_on_the_list_is_not_judged_by_this_ones_rules(
    kernel: Kernel, files: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """kernel lists get patches of the programs that go with it: where no base is known, its files tell."""
    other = kernel.repo.commit({"utils/mount/mount.c": "1\n", FILE: "2\n", "Makefile": "3\n"}, branch="other")
    mbox = mail_series(kernel.repo, ("mount: mend it", files), base=other)
    kernel.repo.git("branch", "-D", "other")
    assert rules(ask(CHECK, kernel.repo, mbox, base=None)) == expected


def test_a_project_that_does_not_sign_is_not_asked_to(repo: Repo) -> None:
    for number in range(12):
        repo.commit({FILE: f"{number}\n"}, f"step {number}")
    assert ask(CHECK, repo, mail_series(repo, ("mend", {FILE: "x\n"}))) == ()


def test_a_project_that_signs_is_asked_to(repo: Repo) -> None:
    for number in range(12):
        repo.commit({FILE: f"{number}\n"}, f"step {number}\n\n{SIGNED}\n")
    assert rules(ask(CHECK, repo, mail_series(repo, ("mend", {FILE: "x\n"})))) == [("missing", "fail")]


def test_a_project_too_young_to_say_is_not_asked(repo: Repo) -> None:
    repo.commit({FILE: "1\n"}, f"step 1\n\n{SIGNED}\n")
    assert ask(CHECK, repo, mail_series(repo, ("mend", {FILE: "x\n"}))) == ()


def test_the_author_did_not_sign(kernel: Kernel) -> None:
    findings = say(kernel, f"Signed-off-by: {OTHER}", sender=OTHER)
    assert rules(findings) == [("author", "fail")]
    assert the(findings, "author").mend == SIGNED


def test_a_from_line_may_be_missing(kernel: Kernel) -> None:
    finding = the(say(kernel, f"Signed-off-by: {OTHER}"), "author")
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
def test_the_address_says_who_it_is(kernel: Kernel, signed: str) -> None:
    assert say(kernel, f"Signed-off-by: {signed}") == ()


@pytest.mark.parametrize("signed", ["A U Thor <author@kernel.org>", "a u thor <x@y.org>", "A U Thor (Work) <x@y.org>"])
def test_the_same_name_at_another_address_is_a_note(kernel: Kernel, signed: str) -> None:
    assert rules(say(kernel, f"Signed-off-by: {signed}")) == [("author-address", "pass")]


def test_one_word_is_a_name_too(kernel: Kernel) -> None:
    findings = say(kernel, "Signed-off-by: OneWord <a@example.org>", author="OneWord <b@example.com>")
    assert rules(findings) == [("author-address", "pass")]


def test_an_address_that_spells_the_name(kernel: Kernel) -> None:
    findings = say(kernel, "Signed-off-by: ZhangGuoDong <z@corp.example>", author="z <zhang.guodong@example.org>")
    assert rules(findings) == [("author-address", "pass")]


def test_names_that_are_not_ascii_in_either_form(kernel: Kernel) -> None:
    findings = say(
        kernel,
        "Signed-off-by: J\u00fcrgen M\u00fcller <a@example.org>",
        author="Ju\u0308rgen Mu\u0308ller <b@example.org>",
    )
    assert rules(findings) == [("author-address", "pass")]


def test_the_mailmap_knows_both_addresses(kernel: Kernel) -> None:
    findings = say(kernel, "Signed-off-by: New Name <new@example.com>", author="Old Name <former@example.com>")
    assert findings == ()


def test_who_sends_it_signs_last(kernel: Kernel) -> None:
    assert say(kernel, SIGNED, f"Signed-off-by: {OTHER}", sender=OTHER) == ()


def test_who_sends_it_has_to_sign(kernel: Kernel) -> None:
    findings = say(kernel, SIGNED, sender=OTHER)
    assert rules(findings) == [("sender", "fail")]
    assert the(findings, "sender").mend == f"Signed-off-by: {OTHER}"


def test_a_sender_without_a_name_may_be_the_author(kernel: Kernel) -> None:
    mbox = mail(kernel, SIGNED, sender=OTHER).replace(b"From: Co Author <co@example.org>", b"From: co@example.org")
    findings = ask(CHECK, kernel.repo, mbox)
    assert rules(findings) == [("sender", "pass")]
    assert the(findings, "sender").message == "co@example.org sent it, and did not sign it off"


def test_who_sends_it_did_not_sign_last(kernel: Kernel) -> None:
    assert rules(say(kernel, f"Signed-off-by: {OTHER}", SIGNED, sender=OTHER)) == [("last", "warn")]


def test_commits_that_were_not_sent_have_no_sender(kernel: Kernel) -> None:
    assert ask(CHECK, kernel.repo, mail(kernel, SIGNED, sender=OTHER), is_mailed=False) == ()


@pytest.mark.parametrize(
    "head", ["Reply-To: A U Thor <author@example.com>\n", "X-Original-From: A U Thor <author@example.com>\n", ""]
)
def test_a_list_that_sends_in_its_own_name(kernel: Kernel, head: str) -> None:
    findings = say(kernel, SIGNED, author="A U Thor via Foo <foo@lists.example.org>", head=head)
    assert rules(findings) == [("via", "pass")]
    assert the(findings, "via").mend == f"From: {AUTHOR}"


def test_a_relay_with_the_author_in_the_text(kernel: Kernel) -> None:
    assert say(kernel, SIGNED, sender="A U Thor via B4 Relay <devnull+author.example.com@kernel.org>") == ()


def test_a_list_that_sends_for_somebody_who_did_not_sign(kernel: Kernel) -> None:
    findings = say(kernel, f"Signed-off-by: {OTHER}", author="A U Thor via Foo <foo@lists.example.org>")
    assert rules(findings) == [("author", "warn")]


def test_a_co_developer_signs_directly_below(kernel: Kernel) -> None:
    assert say(kernel, f"Co-developed-by: {OTHER}", f"Signed-off-by: {OTHER}", SIGNED) == ()


def test_a_co_developer_who_sends_it(kernel: Kernel) -> None:
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
def test_a_co_developer_who_does_not_sign_directly_below(kernel: Kernel, trailers: tuple[str, ...]) -> None:
    findings = say(kernel, *trailers)
    assert rules(findings) == [("co-developer", "fail")]
    assert the(findings, "co-developer").mend == f"Co-developed-by: {OTHER}\nSigned-off-by: {OTHER}"


def test_a_co_developer_with_two_addresses(kernel: Kernel) -> None:
    findings = say(kernel, f"Co-developed-by: {OTHER}", "Signed-off-by: Co Author <co@work.example>", SIGNED)
    assert rules(findings) == [("co-developer", "warn")]


def test_the_author_is_no_co_developer(kernel: Kernel) -> None:
    assert rules(say(kernel, f"Co-developed-by: {AUTHOR}", SIGNED)) == [("co-developer-author", "warn")]


@pytest.mark.parametrize("value", ["A U Thor", "author@example.com"])
def test_a_sign_off_without_name_or_address(kernel: Kernel, value: str) -> None:
    assert rules(say(kernel, f"Signed-off-by: {value}", SIGNED)) == [("form", "warn")]


def test_a_sign_off_above_the_last_paragraph_counts(kernel: Kernel) -> None:
    assert say(kernel, SIGNED, "", "Link: https://example.com/x") == ()
