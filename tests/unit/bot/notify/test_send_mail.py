# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails handed to a real server on loopback: once, to those who should get it, and never where it is not known."""

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from seriestool.bot.bot_config import BotConfig, Policy
from seriestool.bot.bot_tables import MessageState, sayings
from seriestool.bot.notify.delivery import DeliveryStatus, Maildir
from seriestool.bot.notify.notifier import Notifier
from seriestool.bot.notify.notify_decision import DAY, Channel
from seriestool.bot.notify.send import (
    CLAIM_SECONDS,
    OpenChannels,
    find_decided,
    find_due,
    open_channels,
    recover_sending,
    send_message,
)
from seriestool.bot.notify.send.smtp import Smtp
from seriestool.bot.notify.smtp_settings import SmtpSettings, read_smtp
from seriestool.bot.store import Store
from seriestool.util.errors import InputError
from tests.support.notify import FACTS, NOW, RULES, WATCHED, add_series, facts, open_store, parsed, record, rows_of
from tests.support.servers import Mails, mail_server

ALL = replace(RULES, policy=Policy.ALL)


def smtp(mails: Mails, **settings: object) -> Smtp:
    return Smtp(replace(SmtpSettings("127.0.0.1", mails.port, timeout=5.0), **settings), "bot@example.org")  # type: ignore[arg-type]


def channels_to(mails: Mails) -> OpenChannels:
    way = smtp(mails)
    return OpenChannels({Channel.AUTHOR: way, Channel.ALL: way})


def the_row(store: Store) -> dict[str, object]:
    rows = rows_of(store)
    assert len(rows) == 1
    return rows[0]


def test_a_mail_is_sent_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store, rules=ALL)
        (saying,) = find_decided(store, FACTS.key)
        assert send_message(store, saying, channels_to(mails), NOW + 5) is MessageState.SENT
        assert send_message(store, saying, channels_to(mails), NOW + 6) is MessageState.SENT
        row = the_row(store)
        assert (row["state"], row["claimed"], row["sent"], row["error"]) == ("sent", NOW + 5, NOW + 5, None)
    assert len(mails.got) == 1
    assert mails.recipients == [["author@example.org", "widgets@lists.example.org", "reviewer@example.org"]]
    assert mails.senders == ["bot@example.org"]
    assert parsed(mails.got[0])["Message-ID"] == f"<{row['msgid']}>"
    assert mails.got[0].replace(b"\r\n", b"\n") == bytes(row["message"]).replace(b"\r\n", b"\n")  # type: ignore[arg-type]


def test_nothing_is_said_by_a_way_that_is_not_open(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store)
        (saying,) = find_decided(store)
        assert send_message(store, saying, OpenChannels(), NOW) is MessageState.DECIDED
        assert "no way open" in str(the_row(store)["error"])


@pytest.mark.parametrize(
    ("replies", "state", "words"),
    [
        ({"mail": "451 later"}, MessageState.DECIDED, "451 later"),
        ({"mail": "550 go away"}, MessageState.FAILED, "550 go away"),
        ({"rcpt": "450 greylisted"}, MessageState.DECIDED, "450 greylisted"),
        ({"author@example.org": "550 no such user"}, MessageState.FAILED, "550 no such user"),
        ({"reviewer@example.org": "451 greylisted"}, MessageState.DECIDED, "451 greylisted"),
        ({"after-data": "452 disk full"}, MessageState.DECIDED, "452 disk full"),
        ({"after-data": "554 spam"}, MessageState.FAILED, "554 spam"),
    ],
)
def test_what_the_server_refuses_is_not_sent(
    tmp_path: Path, replies: dict[str, str], state: MessageState, words: str
) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        mails.replies = replies
        record(store, rules=ALL)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(mails), NOW) is state
        assert words in str(the_row(store)["error"])
        assert mails.got == []
        mails.replies = {}
        again = send_message(store, saying, channels_to(mails), NOW + 60)
    assert again is (MessageState.SENT if state is MessageState.DECIDED else MessageState.FAILED)
    assert len(mails.got) == (1 if state is MessageState.DECIDED else 0)


def test_a_copy_that_is_refused_keeps_nobody_else_from_theirs(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        mails.replies = {"reviewer@example.org": "550 gone"}
        record(store, rules=ALL)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(mails), NOW) is MessageState.SENT
        assert "reviewer@example.org: gone" in str(the_row(store)["error"])
    assert mails.recipients == [["author@example.org", "widgets@lists.example.org"]]


def test_a_server_that_is_not_there_is_tried_later(tmp_path: Path) -> None:
    with mail_server() as mails:
        gone = channels_to(mails)
    with open_store(tmp_path) as store:
        record(store)
        (saying,) = find_decided(store)
        assert send_message(store, saying, gone, NOW) is MessageState.DECIDED
        assert "refused" in str(the_row(store)["error"]).lower()


def test_a_connection_lost_before_the_mail_is_tried_later(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        mails.hang_up = "mail"
        record(store)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(mails), NOW) is MessageState.DECIDED


def test_a_connection_lost_after_the_mail_leaves_it_unknown_for_good(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        mails.hang_up = "after-data"
        record(store)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(mails), NOW) is MessageState.UNKNOWN
        mails.hang_up = None
        assert send_message(store, saying, channels_to(mails), NOW + 9999) is MessageState.UNKNOWN
        assert recover_sending(store, channels_to(mails), NOW + 9999) == {}
    assert len(mails.got) == 1  # the server had it: sent again, it would have come twice


def test_a_newer_version_withdraws_what_was_not_sent_yet(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store)
        (saying,) = find_decided(store)
        add_series(store, "v2", version=2)
        assert send_message(store, saying, channels_to(mails), NOW) is MessageState.FAILED
        assert the_row(store)["error"] == "withdrawn: a newer version was mailed"
        # Not heard, so it is said of the next version.
        decision = record(store, facts(key="v2" * 20, version=2))
        assert [voice.channel for voice in decision.notifications] == [Channel.AUTHOR]
    assert mails.got == []


@pytest.mark.parametrize("opt_out", ["author@example.org", "@example.org", "reviewer@example.org"])
def test_who_has_opted_out_since_gets_nothing(tmp_path: Path, opt_out: str) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store, rules=ALL)
        (saying,) = find_decided(store)
        channels = replace(channels_to(mails), opt_out=(opt_out,))
        assert send_message(store, saying, channels, NOW) is MessageState.FAILED
        assert "has opted out" in str(the_row(store)["error"])
    assert mails.got == []


def test_what_could_not_be_sent_for_days_is_not_sent_any_more(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store)
        (saying,) = find_decided(store)
        assert send_message(store, saying, channels_to(mails), NOW + 4 * DAY) is MessageState.FAILED
    assert mails.got == []


def test_one_author_gets_so_many_mails_a_day(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        counts = [
            len(record(store, facts(key=f"{n:040}", lineage=f"l{n}"), now=NOW + n).notifications) for n in range(6)
        ]  # fmt: skip
        assert counts == [1, 1, 1, 0, 0, 0]
        assert len(record(store, facts(key="x" * 40, lineage="lx"), now=NOW + 2 * DAY).notifications) == 1


def test_what_was_decided_is_decided_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        first = record(store)
        second = record(store, now=NOW + 1)
        assert len(first.notifications) == 1
        assert second.skip_reasons[0] == "no mail: all of it was said before, of v1"
        assert the_row(store)["id"] == first.notifications[0].id


def test_a_claim_of_another_worker_is_left_to_it_and_then_given_up(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store)
        (saying,) = find_decided(store)
        assert seize(store, saying) is MessageState.SENDING
        assert send_message(store, saying, channels_to(mails), NOW + 1) is MessageState.SENDING
        assert recover_sending(store, channels_to(mails), NOW + 1) == {}
        assert recover_sending(store, channels_to(mails), NOW + CLAIM_SECONDS) == {saying: MessageState.UNKNOWN}
        assert "have a look" in str(the_row(store)["error"])
    assert mails.got == []


def seize(store: Store, saying: str) -> MessageState:
    """The saying, claimed by a worker that never comes back."""

    class Dead:
        is_repeatable = False

        def deliver(self, saying: str, message: bytes) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_message(store, saying, OpenChannels({Channel.AUTHOR: Dead()}), NOW)  # type: ignore[dict-item]
    return MessageState(rows_of(store)[0]["state"])


# --- TLS, passwords and git's configuration -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost` that nobody else vouches for, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
         folder / "cert.pem", "-days", "3650", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def a_mail(tmp_path: Path) -> bytes:
    with open_store(tmp_path) as store:
        record(store)
        return bytes(rows_of(store)[0]["message"])


@pytest.mark.parametrize("encryption", ["tls", "ssl"])
def test_a_server_is_spoken_to_only_where_its_certificate_is_good(
    tmp_path: Path, certificate: Path, encryption: str
) -> None:
    message = a_mail(tmp_path)
    with mail_server(server_context(certificate), is_ssl=encryption == "ssl") as mails:
        trusted = str(certificate / "cert.pem")
        good = smtp(mails, host="localhost", encryption=encryption, certificates=trusted)
        assert good.deliver("x", message).status is DeliveryStatus.DELIVERED
        stranger = smtp(mails, host="localhost", encryption=encryption).deliver("x", message)
        assert stranger.status is DeliveryStatus.LATER
        assert "certificate" in str(stranger.error).lower()
        other_name = smtp(mails, host="127.0.0.1", encryption=encryption, certificates=trusted)
        assert other_name.deliver("x", message).status is DeliveryStatus.LATER
    assert len(mails.got) == 1


def test_a_server_that_knows_no_tls_gets_nothing_where_tls_is_wanted(tmp_path: Path) -> None:
    with mail_server() as mails:
        outcome = smtp(mails, host="localhost", encryption="tls").deliver("x", a_mail(tmp_path))
    assert outcome.status is DeliveryStatus.LATER
    assert "STARTTLS" in str(outcome.error)
    assert mails.got == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_is_given_and_a_wrong_one_is_no_reason_to_give_up(tmp_path: Path) -> None:
    message = a_mail(tmp_path)
    with mail_server(password="secret") as mails:
        assert smtp(mails, user="bot", password="wrong").deliver("x", message).status is DeliveryStatus.LATER
        assert smtp(mails, user="bot", password="secret").deliver("x", message).status is DeliveryStatus.DELIVERED
    assert len(mails.got) == 1


def test_a_silent_server_is_given_up_after_a_while(tmp_path: Path) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings = SmtpSettings("127.0.0.1", silent.getsockname()[1], timeout=0.3)
        outcome = Smtp(settings, "bot@example.org").deliver("x", a_mail(tmp_path))
    assert outcome.status is DeliveryStatus.LATER
    assert "timed out" in str(outcome.error)


def test_a_mail_to_nobody_and_one_too_large_are_refused() -> None:
    way = Smtp(SmtpSettings("127.0.0.1", 1), "bot@example.org")
    assert way.deliver("x", b"Subject: x\r\n\r\nx\r\n").status is DeliveryStatus.REFUSED
    assert way.deliver("x", b"To: a@example.org\r\n\r\n" + b"x" * 2_000_000).status is DeliveryStatus.REFUSED


def test_the_server_is_that_of_git_send_email() -> None:
    config = {
        "sendemail.smtpserver": ("mail.example.org",), "sendemail.smtpencryption": ("tls",),
        "sendemail.smtpuser": ("me",), "sendemail.smtppass": ("p",), "sendemail.smtpserverport": ("2525",),
        "sendemail.smtpdomain": ("here.example.org",), "sendemail.smtpsslcertpath": ("/certs",),
    }  # fmt: skip
    assert read_smtp(config) == SmtpSettings("mail.example.org", 2525, "tls", "me", "p", "/certs", "here.example.org")
    assert "p'" not in repr(read_smtp(config))  # the password is in no log
    identity = {**config, "sendemail.identity": ("Bot",), "sendemail.Bot.smtpserver": ("bots.example.org",),
                "sendemail.Bot.smtpencryption": ("ssl",), "sendemail.smtpserverport": ("",)}  # fmt: skip
    assert (read_smtp(identity).host, read_smtp(identity).port) == ("bots.example.org", 465)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "no mail server is set"),
        ({"smtpserver": "/usr/sbin/sendmail"}, "names a program"),
        ({"sendmailcmd": "msmtp"}, "names a program"),
        ({"smtpserver": "x", "smtpencryption": "maybe"}, "smtpEncryption is 'maybe'"),
        ({"smtpserver": "x", "smtpserverport": "99999"}, "smtpServerPort is '99999'"),
        ({"smtpserver": "x", "smtpuser": "me"}, "nobody is there to be asked"),
        ({"smtpserver": "x", "smtpuser": "me", "smtppass": "p"}, "for everybody to read"),
        ({"smtpserver": "x", "smtpsslcertpath": ""}, "cannot verify"),
    ],
)
def test_a_server_that_cannot_be_used_is_told(config: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        read_smtp({f"sendemail.{key}": (value,) for key, value in config.items()})
    assert error.value.hint


def test_ways_are_open_only_where_the_operator_says_so(tmp_path: Path) -> None:
    config = BotConfig(
        maildir=str(tmp_path), sender="Bot <bot@example.org>", patchwork="https://pw.example.org", patchwork_token="t"
    )
    git_config = {"sendemail.smtpserver": ("localhost",)}

    def transports(may_send: bool, **changes: Any) -> set[Channel]:
        channels = open_channels(replace(config, **changes), git_config, may_send)
        assert channels.barred.isdisjoint(channels.transports)
        return set(channels.transports)

    assert transports(may_send=False, policy=Policy.DRAFT) == {Channel.DRAFT}
    assert transports(may_send=True, policy=Policy.DRAFT) == {Channel.DRAFT, Channel.PATCHWORK}
    assert transports(may_send=True, policy=Policy.AUTHOR) == {Channel.AUTHOR, Channel.PATCHWORK}
    assert transports(may_send=True, policy=Policy.ALL) == {Channel.ALL, Channel.PATCHWORK}
    assert transports(may_send=True, policy=Policy.ALL, sender=None, patchwork_token=None) == set()
    assert transports(may_send=True, policy=Policy.PATCHWORK) == {Channel.PATCHWORK}
    assert transports(may_send=True, policy=Policy.NEVER) == set()


def test_checks_alone_need_no_mail_server(tmp_path: Path) -> None:
    config = BotConfig(
        policy=Policy.PATCHWORK, sender="bot@example.org", patchwork="https://pw.example.org", patchwork_token="t"
    )
    assert set(open_channels(config, {}, may_send=True).transports) == {Channel.PATCHWORK}


@pytest.mark.parametrize("policy", [Policy.NEVER, Policy.PATCHWORK, Policy.DRAFT, Policy.ALL])
@pytest.mark.parametrize("way", ["say", "say_rest"])
def test_what_was_decided_under_another_policy_is_not_said(tmp_path: Path, policy: Policy, way: str) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store)  # a mail to the author
        git_config = {"sendemail.smtpserver": ("127.0.0.1",), "sendemail.smtpserverport": (str(mails.port),)}
        config = BotConfig(policy=policy, sender="Bot <bot@example.org>", maildir=str(tmp_path / "box"))
        notifier = replace(Notifier.open(config, git_config, [WATCHED], may_send=True), now=lambda: NOW + 1)
        states = notifier.say(store, FACTS.key) if way == "say" else notifier.send_pending(store)
        row = the_row(store)
    assert list(states.values()) == [MessageState.FAILED] == [row["state"]]
    assert row["error"] == "withdrawn: the policy of now says nothing by 'author'"
    assert not mails.got
    assert not (tmp_path / "box").exists()


def test_a_draft_begun_under_another_policy_is_shown_to_a_person(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, rules=replace(RULES, policy=Policy.DRAFT))
        with store.transaction() as connection:
            connection.execute(update(sayings).values(state=MessageState.SENDING, claimed=NOW))
        now = open_channels(BotConfig(), {}, may_send=True)
        assert list(recover_sending(store, now, NOW + CLAIM_SECONDS).values()) == [MessageState.UNKNOWN]


def test_a_claim_of_a_clock_that_was_wrong_does_not_hold_for_ever(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store)
        with store.transaction() as connection:
            connection.execute(update(sayings).values(state=MessageState.SENDING, claimed=NOW + 10**9))
        assert list(recover_sending(store, OpenChannels(), NOW).values()) == [MessageState.UNKNOWN]


def test_what_no_way_is_open_for_does_not_stand_before_the_rest(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        for number in range(3):
            record(store, facts(key=f"{number}" * 40, lineage=f"{number}"))
        record(store, facts(key="d" * 40, lineage="d"), replace(RULES, policy=Policy.DRAFT), NOW + 1)
        drafts = OpenChannels({Channel.DRAFT: Maildir(tmp_path / "box")})
        (draft,) = find_due(store, drafts, NOW + 2, most=1)
        assert draft == find_decided(store, "d" * 40)[0]
        assert len(find_due(store, drafts, NOW + 4 * DAY)) == 4  # those are withdrawn


def test_what_was_tried_least_recently_is_tried_first(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, mail_server() as gone:
        for number in range(3):
            record(store, facts(key=f"{number}" * 40, lineage=f"{number}"), now=NOW + number)
    channels = channels_to(gone)
    with open_store(tmp_path) as store:
        first, second, third = find_due(store, channels, NOW + 5)
        assert send_message(store, first, channels, NOW + 5) is MessageState.DECIDED
        assert find_due(store, channels, NOW + 5) == (second, third, first)
