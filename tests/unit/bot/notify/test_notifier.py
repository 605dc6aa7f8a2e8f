# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's voice as an engine uses it: decided, said, and said later where a server was gone."""

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from seriestool.bot.bot_config import BotConfig, Policy
from seriestool.bot.bot_tables import MessageState, cursors, reports
from seriestool.bot.notify.notifier import Notifier
from seriestool.bot.notify.notify_decision import Channel
from seriestool.bot.notify.send import CLAIM_SECONDS, OpenChannels
from seriestool.bot.notify.send.smtp import Smtp
from seriestool.bot.notify.smtp_settings import SmtpSettings
from seriestool.bot.notify.summary import ReportSummary, summary_to_json
from seriestool.bot.store import Store
from seriestool.util.errors import InputError
from tests.support.notify import FACTS, NOW, RULES, WORDING, facts, open_store, rows_of
from tests.support.servers import mail_server


def add_report(store: Store, report: ReportSummary = FACTS) -> None:
    row = {"key": report.key, "made": NOW, "answer": report.answer, "sentence": report.sentence,
           "facts": summary_to_json(report), "document": b"", "page": b""}  # fmt: skip
    with store.transaction() as connection:
        connection.execute(insert(reports).values(row))


def notifier(port: int, now: int = NOW) -> Notifier:
    way = Smtp(SmtpSettings("127.0.0.1", port, timeout=5.0), "bot@example.org")
    return Notifier(RULES, WORDING, OpenChannels({Channel.AUTHOR: way}), lambda: now)


def test_a_report_is_decided_and_said(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        add_report(store)
        voice = notifier(mails.port)
        for _ in range(2):
            decision = voice.decide(store, FACTS.key)
            assert decision is not None
            voice.say(store, FACTS.key)
        assert [row["state"] for row in rows_of(store)] == ["sent"]
        assert voice.decide(store, "nothing") is None
    assert len(mails.got) == 1


def test_a_worker_without_lists_of_its_own_speaks_of_those_that_others_read(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        add_report(store)
        worker = replace(notifier(1), rules=replace(RULES, lists=frozenset()))
        decision = worker.decide(store, FACTS.key)
        assert decision is not None
        assert decision.notifications == ()
        with store.transaction() as connection:
            connection.execute(insert(cursors).values(list=FACTS.list, position="{}", read_at=NOW))
        decision = worker.decide(store, FACTS.key)
        assert decision is not None
        assert len(decision.notifications) == 1


def test_each_series_says_its_own_and_the_rest_is_said_in_the_next_round(tmp_path: Path) -> None:
    with mail_server() as gone:
        pass
    with open_store(tmp_path) as store, mail_server() as mails:
        for key, lineage in (("a" * 40, "x"), ("b" * 40, "y")):
            add_report(store, facts(key=key, lineage=lineage))
            notifier(gone.port).decide(store, key)
        assert list(notifier(gone.port).say(store, "a" * 40).values()) == [MessageState.DECIDED]
        assert list(notifier(mails.port).say(store, "b" * 40).values()) == [MessageState.SENT]
        assert list(notifier(mails.port, NOW + CLAIM_SECONDS).send_pending(store).values()) == [MessageState.SENT]
        assert notifier(mails.port, NOW + 2 * CLAIM_SECONDS).send_pending(store) == {}
    assert len(mails.got) == 2


def test_the_voice_is_that_of_the_configuration(tmp_path: Path) -> None:
    config = BotConfig(policy=Policy.DRAFT, maildir=str(tmp_path / "box"), opt_out=("x@example.org",))
    voice = Notifier.open(config, {}, ["widgets"], may_send=False)
    assert voice.rules.lists == frozenset({"widgets"})
    assert set(voice.channels.transports) == {Channel.DRAFT}
    with open_store(tmp_path) as store:
        add_report(store)
        voice = replace(voice, now=lambda: NOW)
        voice.decide(store, FACTS.key)
        assert list(voice.say(store, FACTS.key).values()) == [MessageState.SENT]
    assert len(list((tmp_path / "box/new").iterdir())) == 1
    with pytest.raises(InputError, match="no mail server"):
        Notifier.open(replace(config, policy=Policy.AUTHOR, sender="b@example.org"), {}, [], may_send=True)


def test_a_server_that_does_not_answer_holds_up_one_round_only_so_long(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, socket.create_server(("127.0.0.1", 0)) as silent:
        way = Smtp(SmtpSettings("127.0.0.1", silent.getsockname()[1], timeout=0.3), "bot@example.org")
        voice = Notifier(RULES, WORDING, OpenChannels({Channel.AUTHOR: way}), lambda: NOW, round=0.5)
        for number in range(6):
            add_report(store, facts(key=f"{number}" * 40, lineage=f"{number}", author=f"a{number}@example.org"))
            voice.decide(store, f"{number}" * 40)
        first = voice.send_pending(store)
        assert 1 <= len(first) <= 3
        assert set(first.values()) == {MessageState.DECIDED}
        assert not set(voice.send_pending(store)) & set(first)  # the others have their turn


def test_nothing_is_begun_by_a_bot_that_leaves(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        add_report(store)
        notifier(mails.port).decide(store, FACTS.key)
        assert notifier(mails.port).send_pending(store, is_leaving=lambda: True) == {}
        assert [row["state"] for row in rows_of(store)] == ["decided"]
