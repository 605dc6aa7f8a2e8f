# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills bots at random points, and looks whether anything is lost, or done twice towards the outside.

    python -m tests.e2e.bot_chaos [--kills 200] [--workers 3] [--database sqlite|postgres] [--seed N] [--voice NAME]

Bots whose looks are stand-ins (tests/support/bots.py) work on made-up series, of which some always wait. Every now
and then one of them is ended by SIGKILL, or the process that looks for it is, or all of them are, and some of those
times just when a message is being sent; then they are started again. In the end each series must have the report of an
undisturbed run, each message must have reached the outside once, and those of which the bot does not know must be few
and be called so. It is the real code that sends: into a file of lines, or with --voice as it also decides and writes,
`drafts` into a maildir, `mails` to a server on loopback.
"""

import argparse
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select

from seriestool.bot.bot_tables import MessageState, reports, sayings, series
from seriestool.bot.queue.series_queue import counts
from seriestool.bot.store import Store
from tests.support.bots import PATIENCE, Ledger, fill, key_of, report_of, voice_of
from tests.support.postgres import running_server
from tests.support.repos import ROOT
from tests.support.servers import Mails, mail_server

WAITING = 60  # series that wait, at least, while there are kills to come


@dataclass
class Outcome:
    """What was seen in the end."""

    kills: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    series: int = 0
    seconds: float = 0.0
    done: int = 0
    unlike: int = 0
    """Reports that are not those of an undisturbed run."""
    lost: int = 0
    """Series without a report, messages that nobody sent and nobody calls unknown."""
    duplicates: int = 0
    """Messages that reached the outside more than once."""
    unknown_sent: int = 0
    """Called unknown, and had gone out."""
    unknown_unsent: int = 0
    tries: dict[int, int] = field(default_factory=dict)
    crashes: int = 0


@dataclass
class Bots:
    """The bots' processes."""

    database: str
    folder: Path
    look: float
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    voice: str | None = None
    """As tests.support.bots takes it."""

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def start(self, name: str, *more: str) -> None:
        command = [
            sys.executable, "-m", "tests.support.bots", self.database, name, str(self.ledger),
            "--look", str(self.look), *more,
            *(["--voice", self.voice] if self.voice else []),
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def kill_looks(self, name: str) -> bool:
        """Whether a process that looks for that bot was there to be killed."""
        killed = False
        for server in children_of(self.running[name].pid):
            for child in children_of(server):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                    killed = True
        return killed

    def revive(self) -> None:
        """Those that left by themselves (the name was still taken) come again."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(name)


def chaos(
    database: str,
    folder: Path,
    kills: int,
    workers: int,
    choice: random.Random,
    longest: float = 4.0,
    waiting: int = WAITING,
    outside: "Outside | None" = None,
) -> Outcome:
    """What became of the series and the messages; `longest` is the time between two kills, at most."""
    outcome, began = Outcome(), time.monotonic()
    store, bots = Store.open(database), Bots(database, folder, 0.1, voice=outside.voice if outside else None)
    kinds: Counter[str] = Counter()
    names = [f"w{number}" for number in range(workers)]
    while outcome.kills < kills:
        outcome.series = _top_up(store, outcome.series, waiting)
        for name in names:
            if name not in bots.running:
                bots.start(name)
        time.sleep(choice.uniform(0.1, longest))
        bots.revive()
        kind = choice.choices(("bot", "look", "all", "sending"), (6, 2, 1, 2))[0] if kinds["sending"] > 1 else "sending"
        if kind == "sending":
            _wait_for_sending(store)
        outcome.kills += _strike(bots, kind, choice)
        kinds[kind] += 1
    _finish(bots, names)
    time.sleep(PATIENCE)  # whose claim is left over from the last kill
    voice_of(bots.voice or f"ledger:{bots.ledger}").send_pending(store, PATIENCE)
    outcome.kinds = dict(kinds)
    outcome.seconds = round(time.monotonic() - began, 1)
    judge(store, outside or Ledger(bots.ledger), outcome)
    outcome.crashes = len(list(folder.glob("crash-*")))
    store.close()
    return outcome


class Arrivals(Protocol):
    """What reached the outside."""

    def lines(self) -> list[str]:
        """A line for each message, its id in front."""


class Outside(Arrivals, Protocol):
    """The same, of what the real voice says."""

    @property
    def voice(self) -> str:
        """As tests.support.bots takes it."""


@dataclass(frozen=True)
class Drafts:
    """A maildir."""

    folder: Path

    @property
    def voice(self) -> str:
        return f"drafts:{self.folder}"

    def lines(self) -> list[str]:
        found = [MARK.search(one.read_bytes()) for name in ("new", "cur") for one in (self.folder / name).glob("*")]
        return [one[1].decode() if one else "no-id" for one in found]


@dataclass(frozen=True)
class Letters:
    """A mail server."""

    mails: Mails

    @property
    def voice(self) -> str:
        return f"smtp:{self.mails.port}"

    def lines(self) -> list[str]:
        found = [MARK.search(one) for one in self.mails.got]
        return [one[1].decode() if one else "no-id" for one in found]


MARK = re.compile(rb"^X-Seriestool: \w+; ([0-9a-f]{40})\r?$", re.M)


@contextlib.contextmanager
def outside_of(kind: str | None, folder: Path) -> Iterator[Outside | None]:
    """Where the real voice speaks to, by the name of the way; None where it is the stand-in that speaks."""
    if kind == "mails":
        with mail_server() as mails:
            mails.delay = 0.05
            yield Letters(mails)
    else:
        yield Drafts(folder / "drafts") if kind else None


def judge(store: Store, ledger: Arrivals, outcome: Outcome) -> None:
    """Compare what is in the database with an undisturbed run, and with what reached the outside."""
    arrived = Counter(line.split()[0] for line in ledger.lines())
    with store.transaction() as connection:
        states = {row.key: row.state for row in connection.execute(select(series.c.key, series.c.state))}
        made = {row.key: row for row in connection.execute(select(reports))}
        said = list(connection.execute(select(sayings.c.id, sayings.c.key, sayings.c.state)))
        tries = connection.execute(select(series.c.tries, func.count()).group_by(series.c.tries))
        outcome.tries = dict(sorted(map(tuple, tries)))
    keys = [key_of(number) for number in range(outcome.series)]
    outcome.done = sum(states.get(key) == "done" for key in keys)
    outcome.unlike = sum(key in made and not _is_like(made[key]) for key in keys)
    by_state = {state: {row.id for row in said if row.state == state} for state in {row.state for row in said}}
    unknown = by_state.pop("unknown", set())
    sent = by_state.pop("sent", set())
    unsaid = set(keys) - {row.key for row in said}
    outcome.lost = (
        sum(states.get(key) != "done" or key not in made for key in keys)
        + len(unsaid)
        + sum(map(len, by_state.values()))
        + len(sent - set(arrived))
    )
    outcome.duplicates = sum(count - 1 for count in arrived.values()) + len(set(arrived) - sent - unknown)
    outcome.unknown_sent = len(unknown & set(arrived))
    outcome.unknown_unsent = len(unknown - set(arrived))


def _is_like(row: object) -> bool:
    wanted = report_of(row.key)  # type: ignore[attr-defined]
    return all(
        getattr(row, name) == getattr(wanted, name) for name in ("answer", "sentence", "facts", "document", "page")
    )


def _strike(bots: Bots, kind: str, choice: random.Random) -> int:
    name = choice.choice(sorted(bots.running))
    if kind == "look":
        return int(bots.kill_looks(name))
    struck = [name] if kind == "bot" else sorted(bots.running)
    for one in struck:
        bots.kill(one)
    return len(struck)


def _wait_for_sending(store: Store, seconds: float = 20) -> None:
    """A message is claimed and not marked yet; chance alone seldom strikes there, a bot that starts is busy longer."""
    end = time.monotonic() + seconds
    began = int(time.time())  # older claims are those of bots that were killed
    wanted = select(func.count()).where(sayings.c.state == MessageState.SENDING, sayings.c.claimed >= began)
    while time.monotonic() < end:
        with store.transaction() as connection:
            if connection.execute(wanted).scalar_one():
                return
        time.sleep(0.03)  # each look takes the file's lock


def _top_up(store: Store, known: int, waiting: int) -> int:
    missing = waiting - counts(store)["waiting"]
    if missing > 0:
        fill(store, range(known, known + missing))
        return known + missing
    return known


def _finish(bots: Bots, names: list[str]) -> None:
    for name in list(bots.running):
        bots.running[name].send_signal(signal.SIGTERM)
        bots.running.pop(name).wait(60)
    for name in names:
        bots.start(name, "--once")
    for process in bots.running.values():
        process.wait(300)


def children_of(parent: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{parent}/task").iterdir():
            found += [int(one) for one in (thread / "children").read_text().split()]
    return found


@contextlib.contextmanager
def database_of(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bot.sqlite"
        return
    with running_server() as server:
        yield server.new_database()


def main() -> int:
    parser = argparse.ArgumentParser("bot_chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=3, help="on Postgres; a file of SQLite has one bot")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--voice", choices=("drafts", "mails"), help="the real voice, by that way")
    given = parser.parse_args()
    workers = given.workers if given.database == "postgres" else 1
    with (
        tempfile.TemporaryDirectory(prefix="seriestool-chaos-") as name,
        database_of(given.database, Path(name)) as url,
        outside_of(given.voice, Path(name)) as outside,
    ):
        choice = random.Random(given.seed)  # noqa: S311
        outcome = chaos(url, Path(name), given.kills, workers, choice, outside=outside)
        print(json.dumps({"database": given.database, "workers": workers, **asdict(outcome)}, indent=2))
        for log in sorted(Path(name).glob("*.log"))[:3]:
            print(log.name, log.read_text()[-1500:], sep="\n", file=sys.stderr)
    return int(bool(outcome.lost or outcome.duplicates or outcome.unlike or outcome.crashes))


if __name__ == "__main__":
    sys.exit(main())
