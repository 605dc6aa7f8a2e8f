# SPDX-License-Identifier: GPL-2.0-or-later
"""The check trailers: spelling, place, links, and what became of the tags that others gave."""

from collections.abc import Mapping

import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.trailers import CHECK
from tests.support.kernels import FOO_CONTENT, FOO_FILE, FooKernel, make_foo_kernel
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

SENT: Mapping[str, File] = {FOO_FILE: FOO_CONTENT + "six\n"}
REVIEWED = "Reviewed-by: Re Viewer <re@example.org>"
ACKED = "Acked-by: Ac Ker <ac@example.org>"
TESTED = "Tested-by: Te Ster <te@example.org>"


@pytest.fixture
def kernel(repo: Repo) -> FooKernel:
    return make_foo_kernel(repo)


def body(*trailers: str, title: str = "foo: mend it") -> str:
    return "\n".join([title, "", "It was wrong.", "", *trailers, ""])


def say(kernel: FooKernel, *trailers: str, to: str = "list@example.com") -> tuple[Finding, ...]:
    return ask_check(CHECK, kernel.repo, mail_series(kernel.repo, (body(*trailers), SENT), to=to))


def test_good_trailers_pass(kernel: FooKernel) -> None:
    lines = (
        kernel.tag(),
        "Reported-by: Re Porter <rp@example.org>",
        "Closes: https://example.org/bug/1 # what it is",
        "Suggested-by: Su <su@example.org>",
        "Link: https://lore.kernel.org/all/20260101.1@example.org/ [1]",
        "Cc: list@example.com",
        "Assisted-by: Claude:claude-3-opus coccinelle sparse",
        SIGNED,
        REVIEWED,
        "Backported-from: somewhere",
    )
    assert say(kernel, *lines) == ()


def test_two_things_in_one_tag(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, "Reviewed-and-tested-by: T <t@example.org>", SIGNED), "combined")
    assert finding.mend == "Reviewed-by: T <t@example.org>\nTested-by: T <t@example.org>"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Reviwed-by", "Reviewed-by"),
        ("Reveiwed-by", "Reviewed-by"),
        ("Review-by", "Reviewed-by"),
        ("Acked-By-by", None),
        ("Ackd-by", "Acked-by"),
        ("Tested-bu", "Tested-by"),
        ("Suggestd-by", "Suggested-by"),
        ("Signed-of-by", "Signed-off-by"),
        ("Co-develop-by", "Co-developed-by"),
        ("Pointed-out-by", None),
        ("Reported", None),
        ("Spotted-by", None),
        ("Tasted-by", "Tested-by"),
    ],
)
def test_misspelt_names(kernel: FooKernel, name: str, meant: str | None) -> None:
    findings = [one for one in say(kernel, f"{name}: T <t@example.org>", SIGNED) if one.rule == "misspelt"]
    assert [(one.status, one.mend) for one in findings] == (
        [(Status.WARN, f"{meant}: T <t@example.org>")] if meant else []
    )


def test_capitals(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, "reviewed-By: T <t@example.org>", SIGNED), "case")
    assert (finding.status, finding.mend) == (Status.WARN, "Reviewed-by: T <t@example.org>")


@pytest.mark.parametrize(
    "line", ["Reviewed-by : T <t@example.org>", "Reviewed-by:T <t@example.org>", "Reviewed-by:\tT <t@example.org>"]
)
def test_blanks_around_the_colon(kernel: FooKernel, line: str) -> None:
    finding = only_finding(say(kernel, line, SIGNED), "spacing")
    assert (finding.status, finding.mend) == (Status.WARN, "Reviewed-by: T <t@example.org>")


@pytest.mark.parametrize("value", ["Somebody", "Somebody <t@example.org", "S <t@example.org>, U <u@example.org>"])
def test_no_person_or_more_than_one(kernel: FooKernel, value: str) -> None:
    assert rules_of(say(kernel, f"Acked-by: {value}", SIGNED)) == [("person", "warn")]


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("Link: lore.kernel.org/all/1@example.org", "Link: https://lore.kernel.org/all/1@example.org"),
        ("Closes: bug 4711", None),
        ("Closes: http:/example.org/1", None),
    ],
)
def test_a_link_that_is_no_url(kernel: FooKernel, line: str, mend: str | None) -> None:
    finding = only_finding(say(kernel, line, SIGNED), "url")
    assert (finding.status, finding.mend) == (Status.WARN, mend)


def test_a_message_id_may_stand_for_a_url(kernel: FooKernel) -> None:
    assert say(kernel, "Closes: <20260101.1@example.org>", SIGNED) == ()


def test_a_report_without_a_link(kernel: FooKernel) -> None:
    findings = say(kernel, "Reported-by: Re Porter <rp@example.org>", SIGNED)
    assert rules_of(findings) == [("no-closes", "warn")]


def test_one_link_for_two_reporters(kernel: FooKernel) -> None:
    lines = ("Reported-by: A <a@example.org>", "Reported-by: B <b@example.org>", "Link: https://example.org/1", SIGNED)
    assert say(kernel, *lines) == ()


def test_no_link_for_several_reporters_is_said_once(kernel: FooKernel) -> None:
    lines = ("Reported-by: A <a@example.org>", "Reported-by: B <b@example.org>", "Reported-by: C <c@example.org>")
    finding = only_finding(say(kernel, *lines, SIGNED), "no-closes")
    assert finding.line == 7
    assert finding.message == "behind the Reported-by there is no Closes with the URL of the report"


def test_a_combined_report_needs_a_link_too(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, "Reported-and-tested-by: A <a@example.org>", SIGNED)) == [
        ("combined", "warn"),
        ("no-closes", "warn"),
    ]


def test_a_change_id_of_gerrit(kernel: FooKernel) -> None:
    findings = say(kernel, f"Change-Id: I{'0a' * 20}", SIGNED)
    assert rules_of(findings) == [("change-id", "fail")]
    assert say(kernel, "change-id: 20260101-topic-0a0a0a0a", SIGNED) == ()


def test_co_authored_by_is_of_other_projects(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, "Co-Authored-By: A <a@example.org>", SIGNED)) == [("co-authored", "warn")]


@pytest.mark.parametrize("value", ["Claude <noreply@example.com>", "a tool", "tool (model-1)"])
def test_a_tool_in_another_form_is_a_note(kernel: FooKernel, value: str) -> None:
    assert rules_of(say(kernel, f"Assisted-by: {value}", SIGNED)) == [("assisted-by", "pass")]


def test_an_empty_line_between_trailers(kernel: FooKernel) -> None:
    finding = only_finding(say(kernel, REVIEWED, "", SIGNED), "place")
    assert (finding.status, finding.line) == (Status.WARN, 5)


def test_trailers_in_the_middle_of_the_text(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, REVIEWED, "", "Some more words.", "", SIGNED)) == [("place", "warn")]


def test_links_and_people_may_stand_in_the_text(kernel: FooKernel) -> None:
    assert say(kernel, "Link: https://example.org/1", "says so.", "", SIGNED) == ()


def test_the_same_trailer_twice(kernel: FooKernel) -> None:
    assert rules_of(say(kernel, REVIEWED, REVIEWED.replace("Re V", "re v"), SIGNED)) == [("repeated", "warn")]


def test_the_order_of_the_tip_tree_where_the_series_goes_there(kernel: FooKernel) -> None:
    lines = (REVIEWED, SIGNED)
    assert say(kernel, *lines) == ()
    finding = only_finding(say(kernel, *lines, to="x86@kernel.org"), "tip-order")
    assert (finding.status, finding.line) == (Status.WARN, 6)


def test_a_good_order_for_the_tip_tree(kernel: FooKernel) -> None:
    lines = (
        kernel.tag(),
        "Reported-by: A <a@example.org>",
        "Closes: https://example.org/1",
        "Reported-by: B <b@example.org>",
        "Closes: https://example.org/2",
        "Suggested-by: C <c@example.org>",
        "Co-developed-by: D <d@example.org>",
        "Signed-off-by: D <d@example.org>",
        SIGNED,
        TESTED,
        REVIEWED,
        ACKED,
        "Cc: E <e@example.org>",
        "Link: https://example.org/3",
    )
    assert say(kernel, *lines, to="x86@kernel.org") == ()


def test_another_project_has_rules_of_its_own(repo: Repo) -> None:
    repo.commit({FOO_FILE: FOO_CONTENT})
    lines = (
        "Reported-by: A <a@example.org>",
        f"Change-Id: I{'0a' * 20}",
        "Co-authored-by: B <b@e.org>",
        "Assisted-by: a tool",
    )
    assert ask_check(CHECK, repo, mail_series(repo, (body(*lines), SENT))) == ()


def test_without_a_base_nothing_is_taken_for_a_kernel_but_the_tree_itself(kernel: FooKernel) -> None:
    mbox = mail_series(kernel.repo, (body("Reported-by: A <a@example.org>", SIGNED), SENT))
    assert rules_of(ask_check(CHECK, kernel.repo, mbox, base=None)) == [("no-closes", "warn")]


# --- from version to version ----------------------------------------------------------------------------------------


def versions(
    kernel: FooKernel, old: tuple[str, Mapping[str, File]], new: tuple[str, Mapping[str, File]]
) -> tuple[Finding, ...]:
    before = mail_series(kernel.repo, old)
    after = mail_series(kernel.repo, new, prefix="PATCH v2")
    return ask_check(CHECK, kernel.repo, after, previous=before)


def test_tags_that_were_lost(kernel: FooKernel) -> None:
    findings = versions(kernel, (body(REVIEWED, TESTED, SIGNED), SENT), (body(SIGNED), SENT))
    finding = only_finding(findings, "dropped")
    assert (finding.status, finding.mend) == (Status.WARN, f"{REVIEWED}\n{TESTED}")


def test_tags_that_were_kept(kernel: FooKernel) -> None:
    kept = "Reviewed-by: Re Viewer <re@work.example>"
    assert versions(kernel, (body(REVIEWED, SIGNED), SENT), (body(kept, SIGNED), SENT)) == ()


def test_an_ack_that_became_a_review(kernel: FooKernel) -> None:
    findings = versions(kernel, (body("Acked-by: R <re@example.org>", SIGNED), SENT), (body(REVIEWED, SIGNED), SENT))
    assert rules_of(findings) == [("added", "pass")]


def test_tags_lost_by_a_patch_that_changed_much_are_a_note(kernel: FooKernel) -> None:
    other = {FOO_FILE: "one\nall\nis\nnew\nhere\n"}
    findings = versions(kernel, (body(REVIEWED, SIGNED), SENT), (body(SIGNED), other))
    assert rules_of(findings) == [("dropped", "pass")]


def test_tags_lost_on_purpose_are_a_note(kernel: FooKernel) -> None:
    before = mail_series(kernel.repo, (body(REVIEWED, SIGNED), SENT))
    after = mail_series(kernel.repo, (body(SIGNED), SENT), prefix="PATCH v2")
    after = after.replace(b"\n---\n", b"\n---\nv2: dropped Re's Reviewed-by, as the test is new\n\n", 1)
    assert rules_of(ask_check(CHECK, kernel.repo, after, previous=before)) == [("dropped", "pass")]


def test_tags_that_are_new_are_a_note(kernel: FooKernel) -> None:
    findings = versions(kernel, (body(SIGNED), SENT), (body(ACKED, SIGNED), SENT))
    assert [(one.rule, one.status, one.line) for one in findings] == [("added", Status.PASS, 5)]
    assert findings[0].message == f"new since v1: {ACKED}"


def test_a_patch_with_a_new_title_is_known_by_its_changes(kernel: FooKernel) -> None:
    findings = versions(kernel, (body(REVIEWED, SIGNED), SENT), (body(SIGNED, title="foo: mend all of it"), SENT))
    assert rules_of(findings) == [("dropped", "warn")]


def test_a_patch_with_a_new_title_and_small_changes_is_known_by_its_lines(kernel: FooKernel) -> None:
    many = FOO_CONTENT + "".join(f"line {n}\n" for n in range(20))
    findings = versions(
        kernel,
        (body(REVIEWED, SIGNED), {FOO_FILE: many}),
        (body(SIGNED, title="foo: all of it"), {FOO_FILE: many + "end\n"}),
    )
    assert rules_of(findings) == [("dropped", "warn")]


def test_a_new_patch_has_lost_nothing(kernel: FooKernel) -> None:
    findings = versions(kernel, (body(REVIEWED, SIGNED), SENT), (body(SIGNED, title="bar: x"), {"x": "x\n"}))
    assert findings == ()


def test_without_an_earlier_version_nothing_is_said(kernel: FooKernel) -> None:
    assert say(kernel, SIGNED) == ()
