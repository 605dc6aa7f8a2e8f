# SPDX-License-Identifier: GPL-2.0-or-later
"""A bot with stand-ins for what looks, decides and speaks, and the outside world as a file of lines.

    python -m tests.support.bots DATABASE NAME LEDGER [--look SECONDS] [--jobs N] [--once] ...

runs one such bot, as `seriestool bot run` does, so that it can be killed. With --voice it is the real voice that
decides and speaks, by drafts in a maildir (drafts:FOLDER) or mails to a server on loopback (smtp:PORT).
"""

import argparse
import hashlib
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec.structs import replace
from sqlalchemy import insert, select

from seriestool.bot.bot_config import Bounds, Policy
from seriestool.bot.bot_tables import reports, sayings, series
from seriestool.bot.dialects import insert_new
from seriestool.bot.notify.delivery import DeliveryResult, DeliveryStatus, Maildir
from seriestool.bot.notify.notifier import Notifier
from seriestool.bot.notify.notify_decision import Channel
from seriestool.bot.notify.send import OpenChannels
from seriestool.bot.notify.send.smtp import Smtp
from seriestool.bot.notify.smtp_settings import SmtpSettings
from seriestool.bot.notify.summary import summary_to_json
from seriestool.bot.queue.bot_runner import BotSetup, run_bot
from seriestool.bot.queue.handlers import Handlers, ReportRow
from seriestool.bot.queue.main_loop import Task
from seriestool.bot.store import Store
from seriestool.util.errors import SeriestoolError
from tests.support.notify import FACTS, RULES, WORDING

NOW = 1_770_000_000


@dataclass(frozen=True)
class SleepyLook:
    """A report that only depends on the key, after a while that does not."""

    seconds: float

    def __call__(self, key: str) -> ReportRow:
        time.sleep(_some(0.2, 1.8) * self.seconds)
        return report_of(key)


@dataclass(frozen=True)
class KillingLook:
    """One series kills the whole bot, as running out of memory does where there is no telling processes apart."""

    key: str
    pidfile: Path

    def __call__(self, key: str) -> ReportRow:
        if key == self.key:
            os.kill(int(self.pidfile.read_text()), signal.SIGKILL)
            time.sleep(10)
        return report_of(key)


def report_of(key: str) -> ReportRow:
    digest = hashlib.sha256(key.encode()).hexdigest()
    document = json.dumps({"schema": 1, "key": key, "digest": digest * 20}).encode()
    facts = summary_to_json(replace(FACTS, key=key, lineage=key, author=f"{key[:8]}@example.com", sentence=digest))
    return ReportRow("ready", f"it is {digest[:8]}", facts, zlib.compress(document), zlib.compress(b"<p>" + document))


def decide(store: Store, key: str) -> None:
    """One message about each series, and no second one about a work."""
    wanted = select(series.c.lineage, reports.c.facts).join(reports, reports.c.key == series.c.key)
    with store.transaction() as connection:
        lineage, facts = connection.execute(wanted.where(series.c.key == key)).one()
        if connection.execute(select(sayings.c.id).where(sayings.c.lineage == lineage)).first():
            return
        name = hashlib.sha256(f"{lineage} mail".encode()).hexdigest()[:40]
        row: dict[str, object] = {
            "id": name,
            "key": key,
            "lineage": lineage,
            "channel": "author",
            "state": "decided",
            "reason": "new",
            "said": "[]",
            "message": f"{key} {json.loads(facts)['sentence']}".encode(),
            "msgid": f"{name}@bot",
            "decided": int(time.time()),
            "author": f"{key[:8]}@example.com",
            "version": 1,
        }
        insert_new(connection, sayings, [row])


@dataclass(frozen=True)
class Ledger:
    """The outside world: a line for each message that reached it. It is a transport that nobody can ask what it has."""

    path: Path
    linger: float = 0.01
    """Seconds, at most, from when it has a message until it says so: in them a kill leaves nobody who knows."""
    is_repeatable: bool = False

    def __call__(self, store: Store, key: str) -> None:
        notifier_to(self).say(store, key)

    def deliver(self, outbox_id: str, message: bytes) -> DeliveryResult:
        time.sleep(_some(0, 0.01))
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, f"{outbox_id} {message.decode()}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
        time.sleep(_some(0, self.linger))
        return DeliveryResult(DeliveryStatus.DELIVERED)

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


@dataclass(frozen=True)
class Crashes:
    """Where logs of bugs go. Not by the environment: the server of processes keeps that of the first test."""

    folder: Path

    def __call__(self, error: BaseException) -> str:
        path = self.folder / f"crash-{os.getpid()}-{time.monotonic_ns()}.log"
        path.write_text("".join(traceback.format_exception(error)))
        return str(path)


def key_of(number: int) -> str:
    return hashlib.sha256(f"series {number}".encode()).hexdigest()[:40]


def series_row(number: int, **changes: object) -> dict[str, object]:
    key = key_of(number)
    return {
        "key": key,
        "lineage": key,
        "list": f"list{number % 3}",
        "msgid": f"{number}@example.com",
        "version": 1,
        "expected": 3,
        "missing": 0,
        "subject": f"[PATCH] number {number}",
        "author_name": "A U Thor",
        "author": f"author{number % 7}@example.com",
        "posted": NOW + number,
        "found": NOW + number,
        "state": "waiting",
        **changes,
    }


def fill(store: Store, numbers: Iterable[int], **changes: object) -> None:
    """Made-up series that wait."""
    with store.transaction() as connection:
        connection.execute(insert(series), [series_row(number, **changes) for number in numbers])


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("tests.support.bots")
    parser.add_argument("database")
    parser.add_argument("name")
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--look", type=float, default=0.05)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--interval", type=float, default=0.2)
    parser.add_argument("--poll", type=float, default=0.05)
    parser.add_argument("--grace", type=float, default=10)
    parser.add_argument("--voice", type=voice_of, help="drafts:FOLDER or smtp:PORT, in place of the ledger")
    parser.add_argument("--kill", metavar="KEY", help="the look at this series kills the bot whose pid is in --pidfile")
    parser.add_argument("--pidfile", type=Path)
    given = parser.parse_args(argv)
    return run_stand_in(given)


def plan_of(database: str, handlers: Handlers, **changes: Any) -> BotSetup:
    """A bot in a hurry, with bounds that nobody meets."""
    setup = BotSetup(
        database=database,
        name="w",
        handlers=handlers,
        tasks=(),
        bounds=Bounds(10**6, 10**6, 10**6, 200),
        jobs=2,
        tries=3,
        limit=60,
        interval=0.2,
        poll=0.05,
        grace=10,
        backoff=0.1,
        once=True,
        pause=0.1,
    )
    return replace(setup, **changes)


class _Collector(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.INFO)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def collected(said: list[str]) -> Iterator[list[str]]:
    """What the bot logs in the block, from level info on, is added to the list."""
    log, handler = logging.getLogger("seriestool.bot"), _Collector(said)
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield said
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def run_stand_in(given: argparse.Namespace) -> int:
    log = logging.getLogger("seriestool")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.DEBUG if os.environ.get("LOUD") else logging.INFO)
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    look = KillingLook(given.kill, given.pidfile) if given.kill else SleepyLook(given.look)
    if given.pidfile:
        given.pidfile.write_text(str(os.getpid()))
    notifier = given.voice or notifier_to(Ledger(given.ledger, linger=0.2))
    decision = given.voice.decide if given.voice else decide
    handlers = Handlers(look, decision, notifier.say, Crashes(given.ledger.parent))
    setup = plan_of(
        given.database,
        handlers,
        name=given.name,
        jobs=given.jobs,
        interval=given.interval,
        poll=given.poll,
        grace=given.grace,
        once=given.once,
        tasks=tuple(_rest(notifier, given.database, stop)),
    )
    try:
        run_bot(setup, stop)
    except SeriestoolError as error:
        _note(f"{error.message}; {error.hint}")
        return error.exit_code
    return 0


def voice_of(text: str) -> Notifier:
    """The real voice, that speaks by one way and knows no bounds."""
    kind, _, place = text.partition(":")
    rules = replace(RULES, policy=Policy.DRAFT if kind == "drafts" else Policy.AUTHOR, per_author=10**9, per_day=10**9)
    if kind == "drafts":
        return Notifier(rules, WORDING, OpenChannels({Channel.DRAFT: Maildir(Path(place))}))
    if kind == "ledger":
        return notifier_to(Ledger(Path(place)))
    way = Smtp(SmtpSettings("127.0.0.1", int(place), timeout=10.0), "bot@example.org")
    return Notifier(rules, WORDING, OpenChannels({Channel.AUTHOR: way}))


def notifier_to(ledger: Ledger) -> Notifier:
    """The real sending, into the ledger."""
    return Notifier(RULES, WORDING, OpenChannels({Channel.AUTHOR: ledger}))


PATIENCE = 2
"""Seconds after which a claim is taken for that of a worker that is no more: no attempt here takes that long."""


def _rest(voice: Notifier, database: str, stop: threading.Event) -> Iterable[Task]:
    opened: list[Store] = []

    def work() -> None:
        if not opened:
            opened.append(Store.open(database))
        voice.send_pending(opened[0], PATIENCE, stop.is_set)

    yield Task("messages", 0.3, work, leader_only=True)


def _some(least: float, most: float) -> float:
    return random.uniform(least, most)  # noqa: S311


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
