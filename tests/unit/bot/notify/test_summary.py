# SPDX-License-Identifier: GPL-2.0-or-later
"""A report in short: what of it could be said, and what is nobody's fault."""

import email
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.bot.notify.summary import SeriesRow, summarize_report, summary_from_json, summary_to_json
from seriestool.check.protocol import Finding, Status
from seriestool.report.precheck_mail import precheck_mail
from seriestool.series.patch_id import find_patch_id
from tests.support.repos import ROOT, Repo
from tests.support.series import mail_series
from tests.support.session import SaidFinding, make_precheck

POSTED = SeriesRow("k" * 40, "l" * 40, "widgets", "A U Thor", "author@example.com")
WRONG = Finding(Status.FAIL, "mismatch", "the subject is another", line=3, mend="Fixes: 0123456789ab")
RIGHT = ("widget: two\n\nSigned-off-by: A U Thor <author@example.com>", {"widget.c": "one\ntwo and a half\nthree\n"})
FOUR = ("widget: four\n\nSigned-off-by: A U Thor <author@example.com>", {"four.c": "four\n"})


@pytest.fixture
def widgets(repo: Repo) -> Repo:
    repo.commit({"widget.c": "one\ntwo\nthree\n", "other.c": "x\n"}, "start")
    return repo


def series(repo: Repo, *options: str) -> bytes:
    return mail_series(repo, RIGHT, FOUR, options=("--cover-letter", *options))


def test_a_report_in_short(widgets: Repo) -> None:
    tip = widgets.git("rev-parse", "main")
    precheck = make_precheck(widgets, series(widgets), [SaidFinding("fixes-tag", 1, (WRONG,))])
    facts = summarize_report(precheck, POSTED)
    assert (facts.key, facts.lineage, facts.list, facts.author) == (
        POSTED.key, POSTED.lineage, "widgets", "author@example.com",
    )  # fmt: skip
    assert facts.is_sure
    assert facts.base == tip
    assert facts.headline == "[PATCH 0/2] *** SUBJECT HERE ***"
    assert facts.recipients == ("list@example.com",)
    assert [(one.counter, one.headline) for one in facts.patches] == [
        (1, "[PATCH 1/2] widget: two"), (2, "[PATCH 2/2] widget: four"),
    ]  # fmt: skip
    (complaint,) = facts.complaints
    assert complaint.patch_id == find_patch_id(precheck.series.patches[0].diff) is not None
    assert (complaint.source, complaint.status, complaint.where) == (
        "fixes-tag/mismatch", "fail", "line 3 of the message",
    )  # fmt: skip
    assert complaint.title == "widget: two"


def test_the_short_form_survives_json(widgets: Repo) -> None:
    facts = summarize_report(make_precheck(widgets, series(widgets), [SaidFinding("fixes-tag", 1, (WRONG,))]), POSTED)
    assert summary_from_json(summary_to_json(facts)) == facts
    with pytest.raises((KeyError, TypeError, ValueError)):
        summary_from_json("{}")


def test_what_a_check_could_not_see_and_its_own_faults_are_no_complaint(widgets: Repo) -> None:
    findings = tuple(Finding(status, "x", "m") for status in (Status.SKIP, Status.ERROR, Status.PASS))
    assert (
        summarize_report(make_precheck(widgets, series(widgets), [SaidFinding("x", 1, findings)]), POSTED).complaints
        == ()
    )


def test_that_a_tree_has_a_patch_already_is_no_complaint_and_an_empty_patch_is_one(widgets: Repo) -> None:
    findings = tuple(Finding(Status.WARN, rule, "m") for rule in ("merged", "contained", "apply", "empty"))
    facts = summarize_report(make_precheck(widgets, series(widgets), [SaidFinding("apply", 1, findings)]), POSTED)
    assert [one.source for one in facts.complaints] == ["apply/empty"]


def test_a_finding_of_the_series_names_its_patch_where_it_is_about_one(widgets: Repo) -> None:
    findings = (replace(WRONG, counter=2), replace(WRONG, rule="other"))
    facts = summarize_report(make_precheck(widgets, series(widgets), [SaidFinding("x", None, findings)]), POSTED)
    assert [(one.counter, one.title) for one in facts.complaints] == [(None, None), (2, "widget: four")]


def test_a_conflict_with_the_tree_that_the_series_sits_on_is_a_complaint(widgets: Repo) -> None:
    mbox = series(widgets)
    widgets.commit({"widget.c": "one\nTWO\nthree\n"}, "widget: shout")
    facts = summarize_report(make_precheck(widgets, mbox, onto=["main"]), POSTED)
    (complaint,) = facts.complaints
    assert (complaint.counter, complaint.source, complaint.status) == (1, "apply/main", "fail")
    assert complaint.message == "it conflicts with the tip of main in widget.c"
    assert "changed there by" in str(complaint.mend)
    assert '("widget: shout")' in str(complaint.mend)
    # The same conflict on a later tip is the same complaint.
    widgets.commit({"other.c": "y\n"}, "other: change")
    (later,) = summarize_report(make_precheck(widgets, mbox, onto=["main"]), POSTED).complaints
    assert later.message == complaint.message
    assert later.mend != complaint.mend


def test_a_conflict_with_a_tree_that_nobody_meant_is_none(widgets: Repo) -> None:
    mbox = series(widgets)
    widgets.commit({"widget.c": "ONE\nTWO\nTHREE\n"}, "elsewhere", branch="elsewhere")
    facts = summarize_report(make_precheck(widgets, mbox, onto=["main", "elsewhere"]), POSTED)
    assert facts.complaints == ()
    assert {one.state for one in facts.contexts} == {"success"}


def test_a_conflict_with_the_tree_that_the_subject_names_is_a_complaint(widgets: Repo) -> None:
    mbox = mail_series(widgets, RIGHT, prefix="PATCH elsewhere")
    widgets.commit({"widget.c": "ONE\nTWO\nTHREE\n"}, "elsewhere", branch="elsewhere")
    facts = summarize_report(make_precheck(widgets, mbox, onto=["main", "elsewhere"]), POSTED)
    assert [one.source for one in facts.complaints] == ["apply/elsewhere"]


def test_contexts_are_one_for_each_check_and_patch_and_what_was_not_seen_is_none(widgets: Repo) -> None:
    said = [
        SaidFinding("fixes-tag", 1, (WRONG,)), SaidFinding("fixes-tag", 2),
        SaidFinding("uapi", 1, (Finding(Status.SKIP, "x", "no gcc"),)),
        SaidFinding("apply", 1, (Finding(Status.WARN, "merged", "it is in net already"),)),
        SaidFinding("spdx", 1, (Finding(Status.WARN, "missing", "a  b\nc\0 " + "x" * 300),)),
    ]  # fmt: skip
    facts = summarize_report(make_precheck(widgets, series(widgets), said), POSTED)
    first, second = (patch.msgid for patch in facts.patches)
    told = {(one.msgid, one.context): (one.state, one.description) for one in facts.contexts}
    assert set(told) == {
        (first, "seriestool-apply"), (second, "seriestool-apply"), (first, "seriestool-fixes-tag"),
        (second, "seriestool-fixes-tag"), (first, "seriestool-spdx"),
    }  # fmt: skip
    assert told[first, "seriestool-fixes-tag"] == ("fail", "the subject is another")
    assert told[second, "seriestool-fixes-tag"][0] == "success"
    state, description = told[first, "seriestool-spdx"]
    assert state == "warning"
    assert description.startswith("a b\\nc\\x00 xx")
    assert len(description) <= 255
    assert told[first, "seriestool-apply"][0] == "success"


def test_of_a_base_that_is_not_sure_nothing_is_told_but_that(widgets: Repo, make_repo: Callable[[str], Repo]) -> None:
    stranger = make_repo("stranger")
    stranger.commit({"widget.c": "nothing\nof the\nkind\n"}, "start")
    mbox = series(stranger)
    facts = summarize_report(make_precheck(widgets, mbox, [SaidFinding("fixes-tag", 1, (WRONG,))], ["main"]), POSTED)
    assert not facts.is_sure
    assert {(one.context, one.state) for one in facts.contexts} == {("seriestool-apply", "warning")}
    assert all("we could not tell" in one.description for one in facts.contexts)


def test_what_the_first_mail_asks_of_bots_is_seen(widgets: Repo) -> None:
    mbox = series(widgets, "--add-header=X-Patchwork-Hint: Ignore", "--add-header=Precedence: bulk")
    assert summarize_report(make_precheck(widgets, mbox), POSTED).hints == (
        "precedence: bulk",
        "x-patchwork-hint: ignore",
    )


def test_the_recorded_series_is_read_as_patchwork_reads_it(repo: Repo) -> None:
    repo.commit({"widget.c": "one\ntwo\nthree\n"}, "start")
    facts = summarize_report(make_precheck(repo, (ROOT / "tests/data/patchwork/series.mbox").read_bytes()), POSTED)
    assert facts.hints == ("list-id: <widgets.example.org>",)
    assert facts.headline == "[PATCH v2 0/2] widget: halves and four"
    assert facts.is_sure


def test_a_precheck_as_a_mail_is_a_reply_that_its_reader_sends(widgets: Repo, tmp_path: Path) -> None:
    mail = precheck_mail(make_precheck(widgets, series(widgets), [SaidFinding("fixes-tag", 1, (WRONG,))]))
    read = email.message_from_string(mail)
    assert "From" not in read
    assert read["To"] == "committer@example.com"  # who sent the cover letter
    assert read["Cc"] == "list@example.com"
    assert read["Subject"] == "Re: [PATCH 0/2] *** SUBJECT HERE ***"
    assert re.fullmatch(r"<.*@example\.com>", read["In-Reply-To"])
    assert "    | Fixes: 0123456789ab" in read.get_payload()
    widgets.git("mailinfo", str(tmp_path / "message"), str(tmp_path / "patch"), input=mail)
    assert (tmp_path / "patch").read_bytes() == b""  # git sees no diff in it


def test_what_the_first_mail_asks_of_bots_is_kept(widgets: Repo) -> None:
    mails = series(widgets).replace(b"\nSubject: [PATCH 0/2]", b"\nX-Patchwork-Action: Ignore\nSubject: [PATCH 0/2]")
    assert "x-patchwork-action: ignore" in summarize_report(make_precheck(widgets, mails, []), POSTED).hints
