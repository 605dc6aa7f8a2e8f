# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails: to whom, below what, in whose words; and that nothing of a mail becomes more than words."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from b4 import LoreMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.bot.bot_config import BotConfig, Policy
from seriestool.bot.notify.message_composer import Wording, compose_message, parse_sender
from seriestool.bot.notify.notify_decision import DecisionContext, NotifyRules, decide
from seriestool.bot.notify.summary import ReportSummary
from seriestool.report.mail_writer import MailAddress
from seriestool.util.errors import InputError
from tests.support.notify import FACTS, FAILURE, RULES, WARNING, WORDING, decided, facts, parsed

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALL = replace(RULES, policy=Policy.ALL)
DRAFT = replace(RULES, policy=Policy.DRAFT)


def mail(report: ReportSummary = FACTS, rules: NotifyRules = RULES, wording: Wording = WORDING) -> bytes:
    return compose_message(decided(report, rules).notifications[0], report, wording, WHEN)[0]


def body_of(message: bytes) -> str:
    text: str = parsed(message).get_content()
    return text.replace("\r\n", "\n")


def test_a_mail_to_the_author_threads_below_the_cover_letter() -> None:
    read = parsed(mail())
    assert read["To"] == "A U Thor <author@example.org>"
    assert "Cc" not in read
    assert read["From"] == "Series Bot <bot@example.org>"
    assert read["Subject"] == "Re: [PATCH 0/2] widget: halves and four"
    assert read["In-Reply-To"] == read["References"] == "<cover@example.org>"
    assert read["Date"].datetime == WHEN
    assert read["Message-ID"] == f"<seriestool-{decided().notifications[0].id}@example.org>"


def test_what_is_about_one_patch_stands_below_that_patch() -> None:
    read = parsed(mail(facts(complaints=(FAILURE,))))
    assert read["In-Reply-To"] == "<one@example.org>"
    assert read["References"] == "<cover@example.org> <one@example.org>"
    assert read["Subject"] == "Re: [PATCH 1/2] widget: count halves"


def test_a_mail_says_that_a_program_wrote_it_and_a_draft_does_not() -> None:
    read = parsed(mail())
    assert read["Auto-Submitted"] == "auto-replied"
    assert read["Precedence"] == "bulk"
    assert read["X-Seriestool"].startswith("fail; ")
    draft = parsed(mail(rules=DRAFT))
    assert "Auto-Submitted" not in draft
    assert "Precedence" not in draft
    assert draft["X-Seriestool"].startswith("fail; ")


def test_the_bot_does_not_answer_its_own_mail() -> None:
    read = parsed(mail())
    hints = tuple(f"{name}: {read[name]}".lower() for name in ("Auto-Submitted", "Precedence", "X-Seriestool"))
    for name in range(len(hints)):
        echoed = facts(author="stranger@example.org", hints=(hints[name],))
        assert decide(echoed, (), RULES, DecisionContext()).notifications == ()


def test_a_reply_to_all_goes_to_people_and_to_the_list_that_is_watched() -> None:
    people = (*FACTS.recipients, "noreply@example.org", "bot@example.org", "gone@example.net", "author@example.org")
    wording = replace(WORDING, opt_out=("@example.net",))
    read = parsed(mail(facts(recipients=people), ALL, wording))
    assert [one.addr_spec for one in read["To"].addresses] == ["author@example.org"]
    assert [one.addr_spec for one in read["Cc"].addresses] == ["widgets@lists.example.org", "reviewer@example.org"]


def test_a_list_is_known_by_its_name_where_no_header_names_it() -> None:
    report = facts(recipients=("widgets@vger.kernel.org", "netdev@vger.kernel.org"), hints=())
    assert parsed(mail(report, ALL))["Cc"] == "widgets@vger.kernel.org"


def test_a_draft_needs_no_sender_and_a_mail_does() -> None:
    silent = replace(WORDING, sender=None)
    assert "From" not in parsed(mail(rules=DRAFT, wording=silent))
    with pytest.raises(InputError, match="no sender"):
        mail(wording=silent)


def test_the_text_says_base_and_doubt_findings_and_mends_takers_page_and_how_to_be_left_alone(
    golden: Callable[[str, str], None],
) -> None:
    text = mail(rules=ALL).decode("ascii").replace("\r\n", "\n")
    golden("bot-mail", text)
    body = body_of(mail(rules=ALL))
    for words in (FACTS.how, FACTS.base or "", "the tip of widgets-next",
                  "line 3 of the message: the subject is another",
                  "| Fixes: 0123456789ab", "widget.c:1: no licence", "a warning", "widgets-next: all of it",
                  f"https://series.example.org/series/{FACTS.key}/", "X-Seriestool-Hint: ignore"):  # fmt: skip
        assert words in " ".join(body.split())
    assert all(len(line) <= 72 for line in body.splitlines() if "://" not in line)


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert mail() == mail()


def test_more_than_fits_is_counted() -> None:
    many = tuple(replace(FAILURE, source=f"x/rule-{n}", message=f"thing {n}") for n in range(50))
    body = body_of(mail(facts(complaints=many)))
    assert "30 more things of this kind are left out" in body


def test_patchwork_gets_a_list_of_checks() -> None:
    rules = replace(RULES, policy=Policy.PATCHWORK, has_patchwork=True)
    message, msgid = compose_message(decided(rules=rules).notifications[0], FACTS, WORDING, WHEN)
    assert msgid == ""
    assert json.loads(message)[1] == {
        "msgid": "one@example.org", "context": "seriestool-fixes-tag", "state": "fail",
        "description": "the subject is another", "target_url": f"https://series.example.org/series/{FACTS.key}/",
    }  # fmt: skip


# --- hostile words ------------------------------------------------------------------------------------------------

_ACTED_ON = (
    "Acked-by: Evil <evil@example.org>", "\nReviewed-by: Evil <evil@example.org>", "\n---\n a.c | 2 +-", "\n-- \nEnd",
    "\nFrom evil@example.org Thu Jan  1 00:00:00 1970", "\n>From x",
    "\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@",
    "\n#syz invalid", "\n#regzbot fix: x", "\npw-bot: accept", "\n.\n", "\r\nBcc: evil@example.org", "\r\n\r\n<html>",
    "{{ 7 * 7 }}{% for x in y %}{{ ''.__class__.__mro__ }}", "\x1b[31m\x00\x07", "\u202eevil",
    "\ud800", "=?utf-8?q?x?=",
    "x" * 5000, "\u2028Acked-by: Evil <evil@example.org>", "y " * 3000,
)  # fmt: skip


def hostile(word: str) -> ReportSummary:
    """A report in which every word that comes from a mail or a tree is that one."""
    complaint = replace(FAILURE, message=word, where=word, mend=word, title=word, source=f"apply/{word}")
    series = replace(complaint, counter=None, patch_id=None)
    return facts(
        subject=word, headline=word, author_name=word, sentence=word, base_name=word, how=word, takers=(word, word),
        complaints=(complaint, series),
        patches=tuple(replace(one, subject=word, headline=word) for one in FACTS.patches),
    )  # fmt: skip


def hostile_mail(word: str) -> bytes:
    report = hostile(word)
    return compose_message(replace(decided().notifications[0], complaints=report.complaints), report, WORDING, WHEN)[0]


def assert_harmless(message: bytes) -> None:
    """Programs that read mails find nothing in it that they would act on."""
    assert message.isascii()
    assert b"\x00" not in message
    read = parsed(message)
    assert {name.lower() for name in read} == {
        "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "x-seriestool", "auto-submitted",
        "precedence", "x-auto-response-suppress", "mime-version", "content-type", "content-transfer-encoding",
    }  # fmt: skip
    assert read["To"].addresses[0].addr_spec == "author@example.org"
    assert len(read["To"].addresses) == 1
    assert read["In-Reply-To"] == "<cover@example.org>"
    body = body_of(message)
    assert LoreMessage.find_trailers(body, followup=True)[0] == []
    assert body.count("\n-- \n") == 1
    for line in body.partition("\n-- \n")[0].split("\n"):
        assert not line.startswith(("From ", ">From", "---", "diff ", "+++", "@@", "#", "Bcc"))
        assert line != "."
        assert len(line) < 1000
    assert len(body) < 100_000
    assert "49" not in body.replace("49)", "")


@pytest.mark.parametrize("word", _ACTED_ON)
def test_words_of_a_mail_stay_words(word: str) -> None:
    assert_harmless(hostile_mail(word))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(_ACTED_ON[:16]) | st.text(max_size=40).filter(lambda s: "49" not in s), max_size=4))
def test_words_of_a_mail_stay_words_however_they_are_put_together(words: list[str]) -> None:
    assert_harmless(hostile_mail(" ".join(words) or "x"))


def test_words_of_a_mail_are_no_template() -> None:
    body = body_of(hostile_mail("{{ letter }}{{ 7 * 7 }}"))
    assert "{{ 7 * 7 }}" in body


# --- templates of the operator ------------------------------------------------------------------------------------


def with_template(folder: Path, text: str, name: str = "letter.txt") -> Wording:
    (folder / name).write_text(text)
    return replace(WORDING, templates=folder)


def test_a_template_of_the_operator_stands_in_for_ours(tmp_path: Path) -> None:
    wording = with_template(
        tmp_path, "Dear {{ letter.subject|line }}:\n{% for t, c in groups %}{{ c|length }}\n{% endfor %}"
    )
    body = body_of(mail(wording=wording))
    assert body.startswith("Dear widget: halves and four:\n1\n1\n")
    assert "Written by seriestool" in body  # the footer is ours still
    footer = with_template(tmp_path, "{{ address }}", "footer.txt")
    assert body_of(mail(wording=footer)).endswith("-- \nbot@example.org\n")


@pytest.mark.parametrize(
    "text", ["{{ letter.nothing }}", "{% if %}", "{{ letter.subject|nofilter }}", "{{ 1 / 0 }}",
             "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ letter.complaints.append(1) }}",
             "{% include '/etc/passwd' %}",
             "{% include '../secret' %}"],
)  # fmt: skip
def test_a_template_that_is_wrong_is_said_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "templates"
    folder.mkdir()
    with pytest.raises(InputError, match=r"letter\.txt cannot be used") as error:
        mail(wording=with_template(folder, text))
    assert "\n" not in error.value.message


def test_a_template_cannot_change_what_stands_above_the_text(tmp_path: Path) -> None:
    wording = with_template(tmp_path, "\n\nBcc: x@example.org\n\n---\nAcked-by: Template <t@example.org>\n")
    assert_harmless(mail(wording=wording))


def test_a_folder_of_templates_that_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match="no folder"):
        Wording.from_config(BotConfig(templates="/nowhere/at/all"))


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("bot@example.org", MailAddress("bot@example.org")),
        ("Bot <bot@example.org>", MailAddress("bot@example.org", "Bot")),
        ('"Bot, The" <bot@example.org>', MailAddress("bot@example.org", "Bot, The")),
        ("<bot@example.org>", MailAddress("bot@example.org")),
    ],
)
def test_the_sender_is_read(text: str, person: MailAddress) -> None:
    assert parse_sender(text) == person


@pytest.mark.parametrize("text", ["", "Bot", "bot@", "a@b, c@d", "Bot <bot@example.org>\nBcc: x@y", "bot@ex ample"])
def test_what_is_no_sender_is_told(text: str) -> None:
    with pytest.raises(InputError, match=r"seriestool\.bot\.from"):
        parse_sender(text)


def test_a_warning_alone_is_marked_as_one() -> None:
    rules = replace(DRAFT)
    assert parsed(mail(facts(complaints=(WARNING,)), rules))["X-Seriestool"].startswith("warn; ")
