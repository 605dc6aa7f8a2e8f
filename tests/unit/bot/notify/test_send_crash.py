# SPDX-License-Identifier: GPL-2.0-or-later
"""Kill -9 at each point between a decision and its mark: one message at most, and never one that nobody knows of."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.bot.bot_config import Policy
from seriestool.bot.bot_tables import MessageState
from seriestool.bot.notify.delivery import Maildir
from seriestool.bot.notify.notify_decision import Channel, NotifyRules
from seriestool.bot.notify.patchwork_api import make_server
from seriestool.bot.notify.send import CLAIM_SECONDS, OpenChannels, find_decided, recover_sending, send_message
from seriestool.bot.notify.send.patchwork import Patchwork as PatchworkWay
from seriestool.bot.notify.send.smtp import Smtp
from seriestool.bot.notify.smtp_settings import SmtpSettings
from seriestool.bot.store import Store
from tests.support.notify import NOW, RULES, open_store, record, rows_of
from tests.support.repos import ROOT
from tests.support.servers import TOKEN, mail_server, patchwork_server

POINTS = ("before-claim", "claim-not-committed", "after-claim", "half-way", "after-delivery", "mark-not-committed",
          "after-mark")  # fmt: skip
_DIES = """
import os, signal, smtplib, sys
from pathlib import Path
import requests
from seriestool.bot.notify.send import find_decided, outbox, send_message
from tests.support.notify import NOW, open_store
from tests.unit.bot.notify.test_send_crash import ways_of

folder, point, channel, place = sys.argv[1:]


def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(function):
    def run(*arguments, **options):
        function(*arguments, **options)
        die()
    return run


channels = ways_of(channel, place)
way = next(iter(channels.transports.values()))
with open_store(Path(folder)) as store:
    (saying,) = find_decided(store)
    if point == "before-claim":
        die()
    if point == "claim-not-committed":
        outbox._claim = then_die(outbox._claim)
    if point == "after-claim":
        type(way).deliver = die
    if point == "half-way":
        send, post, write = smtplib.SMTP.send, requests.Session.request, os.fsync
        smtplib.SMTP.send = lambda self, text: (
            (send(self, text[: len(text) // 2]), die()) if len(text) > 500 else send(self, text))
        requests.Session.request = lambda self, method, *rest, **options: (
            (post(self, method, *rest, **options), die()) if method == "POST"
            else post(self, method, *rest, **options))
        os.fsync = die
    if point == "after-delivery":
        type(way).deliver = then_die(type(way).deliver)
    if point == "mark-not-committed":
        outbox._mark = then_die(outbox._mark)
    send_message(store, saying, channels, NOW)
    if point == "after-mark":
        die()
"""


def ways_of(channel: str, place: str) -> OpenChannels:
    """The way to say it, and where it leads."""
    if channel == Channel.DRAFT:
        return OpenChannels({Channel.DRAFT: Maildir(Path(place))})
    if channel == Channel.PATCHWORK:
        return OpenChannels({Channel.PATCHWORK: PatchworkWay(make_server(place, TOKEN))})
    smtp = Smtp(SmtpSettings("127.0.0.1", int(place), timeout=5.0), "bot@example.org")
    return OpenChannels({Channel.AUTHOR: smtp, Channel.ALL: smtp})


def crash(folder: Path, point: str, channel: str, place: str) -> None:
    """A worker that is killed at that point."""
    worker = subprocess.run(
        [sys.executable, "-c", _DIES, folder, point, channel, place], cwd=ROOT, capture_output=True, text=True
    )
    assert worker.returncode == -signal.SIGKILL, worker.stderr


def carry_on(store: Store, channel: str, place: str) -> MessageState:
    """Where it stands once other workers have done all that they do, more than once."""
    channels = ways_of(channel, place)
    (saying,) = (row["id"] for row in rows_of(store))
    for later in (1, CLAIM_SECONDS + 1, CLAIM_SECONDS + 2, 2 * CLAIM_SECONDS):
        recover_sending(store, channels, NOW + later)
        for one in find_decided(store):
            send_message(store, one, channels, NOW + later)
        send_message(store, saying, channels, NOW + later)
    return MessageState(rows_of(store)[0]["state"])


def policy(name: Policy) -> NotifyRules:
    return replace(RULES, policy=name, has_patchwork=name is Policy.PATCHWORK)


@pytest.mark.parametrize("point", POINTS)
def test_a_mail_goes_out_once_at_most(tmp_path: Path, point: str) -> None:
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store, rules=policy(Policy.ALL))
        crash(tmp_path, point, Channel.ALL, str(mails.port))
        state = carry_on(store, Channel.ALL, str(mails.port))
        reason = rows_of(store)[0]["error"]
    expected = {
        "before-claim": (MessageState.SENT, 1),
        "claim-not-committed": (MessageState.SENT, 1),
        "after-claim": (MessageState.UNKNOWN, 0),
        "half-way": (MessageState.UNKNOWN, 0),
        "after-delivery": (MessageState.UNKNOWN, 1),
        "mark-not-committed": (MessageState.UNKNOWN, 1),
        "after-mark": (MessageState.SENT, 1),
    }
    assert (state, len(mails.got)) == expected[point]
    assert ("have a look" in str(reason)) == (state is MessageState.UNKNOWN)


@pytest.mark.parametrize("point", POINTS)
def test_a_draft_is_there_exactly_once(tmp_path: Path, point: str) -> None:
    box = tmp_path / "box"
    with open_store(tmp_path) as store:
        record(store, rules=policy(Policy.DRAFT))
        crash(tmp_path, point, Channel.DRAFT, str(box))
        assert carry_on(store, Channel.DRAFT, str(box)) is MessageState.SENT
    assert len(list((box / "new").iterdir())) == 1


@pytest.mark.parametrize("point", POINTS)
def test_each_check_is_there_exactly_once(tmp_path: Path, point: str) -> None:
    with open_store(tmp_path) as store, patchwork_server("one@example.org", "two@example.org") as server:
        record(store, rules=policy(Policy.PATCHWORK))
        crash(tmp_path, point, Channel.PATCHWORK, server.url)
        assert carry_on(store, Channel.PATCHWORK, server.url) is MessageState.SENT
        told = server.told()
    assert len(told) == len(set(told)) == 3


def test_of_many_workers_one_sends(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from seriestool.bot.notify.send import send_message;"
        "from tests.support.notify import NOW, open_store; from tests.unit.bot.notify.test_send_crash import ways_of\n"
        "with open_store(Path(sys.argv[1])) as store:\n"
        "    sys.stdin.read()\n"
        "    print(send_message(store, sys.argv[2], ways_of('all', sys.argv[3]), NOW))\n"
    )
    with open_store(tmp_path) as store, mail_server() as mails:
        record(store, rules=policy(Policy.ALL))
        (saying,) = find_decided(store)
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", code, tmp_path, saying, str(mails.port)], cwd=ROOT, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True,
            )
            for _ in range(6)
        ]  # fmt: skip
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
            worker.stdin = None
        answers = [worker.communicate()[0].strip() for worker in workers]
    assert len(mails.got) == 1
    assert set(answers) <= {"sent", "sending"}
    assert "sent" in answers
