# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is told of what, and who is not: a case for each rule, and what holds of all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.bot.bot_config import Policy, read_bot_config
from seriestool.bot.notify.notify_decision import (
    Channel,
    Decision,
    DecisionContext,
    EarlierMessage,
    NotifyRules,
    decide,
    identities_of,
)
from seriestool.bot.notify.summary import Complaint, ReportSummary
from tests.support.notify import FACTS, FAILURE, RULES, WARNING, decided, facts

ALL = replace(RULES, policy=Policy.ALL)
DRAFT = replace(RULES, policy=Policy.DRAFT)
PATCHWORK = replace(RULES, policy=Policy.PATCHWORK, has_patchwork=True)


def said_of(decision: Decision, version: int = 1, state: str = "sent") -> tuple[EarlierMessage, ...]:
    """What a decision leaves behind for those that follow, as the database would have it."""
    return tuple(
        EarlierMessage(voice.id, str(voice.channel), state, version, frozenset(voice.identities))
        for voice in decision.notifications
    )


def channels(decision: Decision) -> list[Channel]:
    return [voice.channel for voice in decision.notifications]


@pytest.mark.parametrize(
    ("report", "rules", "moment", "reason"),
    [
        pytest.param({}, replace(RULES, policy=Policy.NEVER), {}, "the policy is 'never'", id="never"),
        pytest.param({"is_sure": False}, RULES, {}, "the base is not sure", id="base-not-sure"),
        pytest.param({"is_sure": False}, DRAFT, {}, "the base is not sure", id="base-not-sure-draft"),
        pytest.param({"complaints": ()}, RULES, {}, "nothing to fix", id="pass"),
        pytest.param({"complaints": ()}, DRAFT, {}, "nothing to fix", id="pass-draft"),
        pytest.param({"complaints": (WARNING,)}, RULES, {}, "warnings only", id="warnings-only"),
        pytest.param({"complaints": (WARNING,)}, ALL, {}, "warnings only", id="warnings-only-all"),
        pytest.param({"answer": "merged"}, RULES, {}, "it is merged", id="merged"),
        pytest.param({}, RULES, {"is_superseded": True}, "a newer version", id="superseded"),
        pytest.param({}, DRAFT, {"is_superseded": True}, "a newer version", id="superseded-draft"),
        pytest.param({"expected": 3}, RULES, {}, "2 of 3 patches", id="incomplete"),
        pytest.param({"list": "others"}, RULES, {}, "'others' is not watched", id="list-not-watched"),
        pytest.param({}, replace(RULES, lists=frozenset()), {}, "not watched", id="no-list-watched"),
        pytest.param({"author": "bot@example.org"}, RULES, {}, "our own", id="own-mail"),
        pytest.param({}, replace(RULES, opt_out=("author@example.org",)), {}, "opted out", id="opt-out-address"),
        pytest.param({}, replace(DRAFT, opt_out=("@example.org",)), {}, "opted out", id="opt-out-domain"),
        pytest.param({}, RULES, {"mails_to_author": 3}, "got 3 in the last day", id="author-has-enough"),
        pytest.param({}, RULES, {"mails": 100}, "100 were sent", id="enough-for-today"),
        pytest.param({"hints": ("x-patchwork-hint: ignore",)}, RULES, {}, "left alone", id="hint-ignore"),
        pytest.param({"hints": ("x-patchwork-action: ignore",)}, RULES, {}, "left alone", id="action-ignore"),
        pytest.param({"hints": ("x-seriestool-hint: ignore",)}, DRAFT, {}, "left alone", id="our-hint-ignore"),
        pytest.param({"hints": ("x-patchwork-state: deferred",)}, RULES, {}, "left alone", id="state-deferred"),
        pytest.param({"hints": ("x-stable: review",)}, RULES, {}, "left alone", id="stable-review"),
        pytest.param({"hints": ("x-auto-response-suppress: dr, autoreply",)}, RULES, {}, "left alone", id="suppress"),
        pytest.param({"hints": ("auto-submitted: auto-generated",)}, RULES, {}, "a program sent it", id="rfc-3834"),
        pytest.param({"hints": ("auto-submitted: auto-replied; x=y",)}, DRAFT, {}, "a program", id="auto-reply"),
        pytest.param({"hints": ("precedence: junk",)}, RULES, {}, "a program sent it", id="precedence-junk"),
        pytest.param({"hints": ("precedence: bulk",)}, RULES, {}, "a program sent it", id="bulk-without-list"),
        pytest.param({"hints": ("return-path: <>",)}, RULES, {}, "a program sent it", id="bounce"),
        pytest.param({"hints": ("x-seriestool: fail; 0123",)}, RULES, {}, "a program sent it", id="a-like-of-us"),
        pytest.param({"author_name": "kernel test robot"}, RULES, {}, "name of a program", id="test-robot"),
        pytest.param({"msgid": "a b@example.org"}, RULES, {}, "none that a reply can name", id="msgid-with-blank"),
        pytest.param({"msgid": "ü@example.org"}, RULES, {}, "none that a reply can name", id="msgid-not-ascii"),
        pytest.param({"author": '"x y"@example.org'}, RULES, {}, "none that a reply can name", id="quoted-address"),
        pytest.param(
            {"author": "widgets@lists.example.org", "author_name": "A U Thor via widgets"}, RULES, {},
            "the list hides the address", id="list-hides-author",
        ),
    ],
)  # fmt: skip
def test_nobody_is_told(report: dict[str, object], rules: NotifyRules, moment: dict[str, object], reason: str) -> None:
    decision = decide(facts(**report), (), rules, DecisionContext(**moment))  # type: ignore[arg-type]
    assert decision.notifications == ()
    assert any(reason in one for one in decision.skip_reasons), decision.skip_reasons
    assert decision.lines()


@pytest.mark.parametrize(
    "address",
    ["lkp@intel.com", "syzbot+0123abc@syzkaller.appspotmail.com", "patchwork-bot+netdevbpf@kernel.org",
     "noreply@example.org", "no-reply+x@example.org", "sashiko-bot@kernel.org", "bpf-ci@example.org",
     "tip-bot2@linutronix.de", "bot+bpf-ci@kernel.org", "mailer-daemon@example.org", "kernelci-bot@example.org",
     "buildbot@example.org", "my.robot@example.org"],
)  # fmt: skip
def test_a_program_is_not_answered(address: str) -> None:
    assert "address of a program" in decided(facts(author=address)).skip_reasons[0]


@pytest.mark.parametrize(
    ("address", "name"),
    [("abbott@example.org", "Abbott Costello"), ("talbot@example.org", "J. Talbot"), ("roboto@example.org", "R. Oboto"),
     ("cindy@example.org", "Cindy"), ("daemonov@example.org", "Ivan Daemonov"), ("lkpeter@example.org", "L. K. Peter")],
)  # fmt: skip
def test_a_person_is_not_taken_for_a_program(address: str, name: str) -> None:
    assert channels(decided(facts(author=address, author_name=name))) == [Channel.AUTHOR]


@pytest.mark.parametrize("hint", ["auto-submitted: no", "x-patchwork-state: new", "x-patchwork-hint: ", "list-id: x"])
def test_a_header_that_asks_for_nothing_changes_nothing(hint: str) -> None:
    assert channels(decided(facts(hints=(hint,)))) == [Channel.AUTHOR]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [(RULES, [Channel.AUTHOR]), (ALL, [Channel.ALL]), (DRAFT, [Channel.DRAFT]), (PATCHWORK, [Channel.PATCHWORK]),
     (replace(ALL, has_patchwork=True), [Channel.ALL, Channel.PATCHWORK])],
)  # fmt: skip
def test_each_policy_has_its_way(rules: NotifyRules, expected: list[Channel]) -> None:
    assert channels(decided(rules=rules)) == expected


def test_a_mail_has_what_is_new_and_warnings_only_beside_failures() -> None:
    assert decided().notifications[0].complaints == (FAILURE, WARNING)
    assert channels(decided(facts(complaints=(WARNING,)), DRAFT)) == [Channel.DRAFT]
    assert channels(decided(facts(complaints=(WARNING,)), replace(RULES, with_warnings=True))) == [Channel.AUTHOR]


def test_a_draft_is_made_however_many_mails_there_were() -> None:
    assert channels(decided(rules=DRAFT, moment=DecisionContext(mails_to_author=99, mails=999))) == [Channel.DRAFT]


def test_the_same_patch_in_the_next_version_is_known_by_its_content() -> None:
    said = said_of(decided())
    renamed = replace(FAILURE, title="widget: count the halves", counter=2)
    second = decide(facts(key="m" * 40, version=2, complaints=(renamed,)), said, RULES, DecisionContext())
    assert second.skip_reasons[0] == "no mail: all of it was said before, of v1"


def test_a_patch_that_changed_is_known_by_its_subject() -> None:
    said = said_of(decided())
    changed = replace(FAILURE, patch_id="c" * 40, where="line 9 of the message")
    assert decide(facts(version=2, complaints=(changed,)), said, RULES, DecisionContext()).notifications == ()


def test_something_else_of_the_same_patch_is_new() -> None:
    said = said_of(decided())
    other = replace(FAILURE, source="sign-off/missing", message="nobody has signed it off")
    second = decide(facts(version=2, complaints=(FAILURE, other)), said, RULES, DecisionContext())
    assert [voice.complaints for voice in second.notifications] == [(other,)]


def test_line_numbers_make_nothing_new_and_other_files_do() -> None:
    moved = replace(FAILURE, where="widget.c:99", message="hunk 7 at line 12 of widget.c:12 fails")
    before = replace(FAILURE, where="widget.c:1", message="hunk 2 at line 10 of widget.c:10 fails")
    assert identities_of(moved) == identities_of(before)
    assert identities_of(replace(moved, where="drivers/8250.c:9")).isdisjoint(
        identities_of(replace(moved, where="drivers/8251.c:9"))
    )


@pytest.mark.parametrize("state", ["decided", "sending", "sent", "unknown"])
def test_what_may_have_been_heard_is_not_said_again(state: str) -> None:
    assert decide(FACTS, said_of(decided(), state=state), RULES, DecisionContext()).notifications == ()


def test_what_was_refused_is_said_of_the_next_version_and_not_of_this_one() -> None:
    said = said_of(decided(), state="failed")
    assert "refused or withdrawn" in decide(FACTS, said, RULES, DecisionContext()).skip_reasons[0]
    assert channels(decide(facts(key="m" * 40, version=2), said, RULES, DecisionContext())) == [Channel.AUTHOR]


def test_a_draft_counts_as_said_when_the_policy_becomes_another() -> None:
    assert decide(FACTS, said_of(decided(rules=DRAFT)), RULES, DecisionContext()).notifications == ()


def test_patchwork_hears_the_same_once_and_what_has_changed() -> None:
    said = said_of(decided(rules=PATCHWORK))
    assert "as they are now" in decide(FACTS, said, PATCHWORK, DecisionContext()).skip_reasons[1]
    changed = facts(contexts=(replace(FACTS.contexts[1], state="success"),))
    assert channels(decide(changed, said, PATCHWORK, DecisionContext())) == [Channel.PATCHWORK]


def test_checks_are_no_mail_and_do_not_silence_one() -> None:
    both = replace(RULES, has_patchwork=True)
    assert channels(decide(FACTS, said_of(decided(rules=PATCHWORK)), both, DecisionContext())) == [Channel.AUTHOR]


def test_the_rules_are_read_from_git_config() -> None:
    config = {
        "seriestool.bot.policy": ("all",), "seriestool.bot.from": ('"Bot, The" <Bot@Example.org>',),
        "seriestool.bot.optout": ("@Example.com", "x@y.org"), "seriestool.bot.patchwork": ("https://pw",),
        "seriestool.bot.patchworktoken": ("t",), "seriestool.bot.warnings": ("yes",),
        "seriestool.bot.mailsperauthor": ("1",), "seriestool.bot.mailsperday": ("7",),
    }  # fmt: skip
    rules = NotifyRules.from_config(read_bot_config(config), ["a", "b"])
    assert rules == NotifyRules(
        Policy.ALL, frozenset({"a", "b"}), "bot@example.org", ("@example.com", "x@y.org"), True, True, 1, 7
    )


# --- what holds of all of them ------------------------------------------------------------------------------------

_titles = st.sampled_from(["widget: one", "widget: two", "[PATCH 1/2] widget: one"])
_complaints = st.builds(
    Complaint,
    counter=st.sampled_from([None, 1, 2]),
    patch_id=st.sampled_from([None, "a" * 40, "b" * 40]),
    source=st.sampled_from(["x/a", "x/b", "apply/net"]),
    status=st.sampled_from(["warn", "fail"]),
    message=st.sampled_from(["one thing", "hunk 1 at line 2", "hunk 3 at line 4"]),
    where=st.sampled_from([None, "a.c:1", "a.c:2", "b.c"]),
    mend=st.none(),
    title=_titles,
)
_reports = st.builds(
    replace,
    st.just(FACTS),
    key=st.sampled_from(["k" * 40, "m" * 40, "n" * 40]),
    version=st.integers(1, 3),
    is_sure=st.booleans(),
    complaints=st.lists(_complaints, max_size=4).map(tuple),
    answer=st.sampled_from(["to-mend", "ready", "conflicts", "merged", "waits"]),
    hints=st.sampled_from([(), ("x-patchwork-hint: ignore",), ("auto-submitted: auto-generated",)]),
)
_rules = st.builds(
    replace,
    st.just(RULES),
    policy=st.sampled_from(list(Policy)),
    has_patchwork=st.booleans(),
    with_warnings=st.booleans(),
    opt_out=st.sampled_from([(), ("@example.org",)]),
)
_moments = st.builds(DecisionContext, is_superseded=st.booleans(), mails_to_author=st.integers(0, 4))
_MAILS = {Channel.DRAFT, Channel.AUTHOR, Channel.ALL}


@given(st.lists(st.tuples(_reports, _rules, _moments), max_size=8))
def test_nothing_is_said_twice_whatever_comes(
    history: list[tuple[ReportSummary, NotifyRules, DecisionContext]],
) -> None:
    said: tuple[EarlierMessage, ...] = ()
    told: set[str] = set()
    for report, rules, moment in history:
        decision = decide(report, said, rules, moment)
        assert decision == decide(report, tuple(reversed(said)), rules, moment)  # pure, and no matter in what order
        for voice in decision.notifications:
            assert voice.id not in {one.id for one in said}
            if voice.channel in _MAILS:
                assert all(told.isdisjoint(identities_of(one)) for one in voice.complaints)
                told |= set(voice.identities)
        said += said_of(decision, report.version)


@given(_reports, _rules, _moments)
def test_no_mail_where_none_is_due(report: ReportSummary, rules: NotifyRules, moment: DecisionContext) -> None:
    decision = decide(report, (), rules, moment)
    mails = [voice for voice in decision.notifications if voice.channel in _MAILS]
    assert len(mails) <= 1
    assert len(mails) + len(decision.skip_reasons) >= 1
    if mails:
        assert report.is_sure
        assert report.complaints
        assert report.answer != "merged"
        assert not report.hints
        assert not moment.is_superseded
        assert not rules.opt_out
    if rules.policy is Policy.NEVER:
        assert not decision.notifications


@given(_reports, _rules, _moments)
def test_the_state_of_a_report_is_told_once(report: ReportSummary, rules: NotifyRules, moment: DecisionContext) -> None:
    first = decide(report, (), rules, moment)
    assert decide(report, said_of(first), rules, moment).notifications == ()
