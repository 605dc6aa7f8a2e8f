# SPDX-License-Identifier: GPL-2.0-or-later
"""Bots that are killed lose nothing and say nothing twice: some kills of what tests/e2e/bot_chaos.py does at length."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import asdict
from sqlalchemy import insert

from seriestool.bot.bot_tables import reports, sayings
from seriestool.bot.queue.series_queue import counts
from seriestool.bot.store import Store
from tests.e2e.bot_chaos import Bots, Outcome, chaos, judge, outside_of
from tests.support.bots import Ledger, fill, key_of, report_of
from tests.support.postgres import find_programs, running_server

KILLS = 8


def check(outcome: Outcome) -> None:
    assert outcome.kills >= KILLS
    assert outcome.done == outcome.series > 0
    assert (outcome.unlike, outcome.lost, outcome.duplicates, outcome.crashes) == (0, 0, 0, 0)
    assert outcome.unknown_sent + outcome.unknown_unsent <= 3 * outcome.kills  # two jobs send, and who sends what waits


def test_on_sqlite(tmp_path: Path) -> None:
    database, choice = f"sqlite:///{tmp_path}/bot.sqlite", random.Random(11)  # noqa: S311
    check(chaos(database, tmp_path, KILLS, 1, choice, longest=1.5, waiting=20))


@pytest.mark.parametrize("voice", ["drafts", "mails"])
def test_the_real_voice(tmp_path: Path, voice: str) -> None:
    database, choice = f"sqlite:///{tmp_path}/bot.sqlite", random.Random(13)  # noqa: S311
    with outside_of(voice, tmp_path) as outside:
        outcome = chaos(database, tmp_path, KILLS, 1, choice, longest=2.5, waiting=20, outside=outside)
    check(outcome)
    if voice == "drafts":  # a maildir can be asked
        assert (outcome.unknown_sent, outcome.unknown_unsent) == (0, 0)


def test_on_postgres_with_three_workers(tmp_path: Path) -> None:
    if find_programs() is None:
        pytest.skip("needs a Postgres server (Debian: postgresql), which is not there")
    with running_server() as server:
        choice = random.Random(12)  # noqa: S311
        check(chaos(server.new_database(), tmp_path, KILLS, 3, choice, longest=1.5, waiting=20))


def test_a_bot_that_was_stopped_and_comes_back_after_its_work_was_taken_over(tmp_path: Path) -> None:
    """It lives, and does not know that the others took it for dead."""
    if find_programs() is None:
        pytest.skip("needs a Postgres server (Debian: postgresql), which is not there")
    with running_server() as server:
        database = server.new_database()
        bots = Bots(database, tmp_path, 0.5)
        with closing(Store.open(database)) as store:
            fill(store, range(12))
            bots.start("sleeper")
            _wait(lambda: counts(store)["running"] >= 2)
            os.kill(bots.running["sleeper"].pid, signal.SIGSTOP)
            bots.start("other")
            _wait(lambda: "the worker 'sleeper' is gone" in (tmp_path / "other.log").read_text())
            _wait(lambda: counts(store)["done"] >= 8)
            os.kill(bots.running["sleeper"].pid, signal.SIGCONT)
            _wait(lambda: counts(store)["done"] == 12)
            time.sleep(1.0)
            codes = [_end(bot) for bot in bots.running.values()]
            outcome = Outcome(series=12)
            judge(store, Ledger(bots.ledger), outcome)
    assert codes == [0, 0]
    assert (outcome.done, outcome.lost, outcome.duplicates, outcome.unlike) == (12, 0, 0, 0)
    assert Counter(line.split()[1] for line in Ledger(bots.ledger).lines()) == Counter(map(key_of, range(12)))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_second_bot_of_the_same_name_says_so_and_leaves(tmp_path: Path, kind: str) -> None:
    if kind == "sqlite":
        _second_bot(f"sqlite:///{tmp_path}/bot.sqlite", tmp_path, "another bot works with")
    elif find_programs() is None:
        pytest.skip("needs a Postgres server (Debian: postgresql), which is not there")
    else:
        with running_server() as server:
            _second_bot(server.new_database(), tmp_path, "a bot called 'w' works on this database")


def _second_bot(database: str, folder: Path, message: str) -> None:
    first, second = Bots(database, folder, 0.1), Bots(database, folder / "second", 0.1)
    (folder / "second").mkdir()
    with closing(Store.open(database)) as store:
        fill(store, range(2))
        first.start("w")
        _wait(lambda: counts(store)["done"] == 2)
        second.start("w")
        assert second.running["w"].wait(30) == 4
        assert message in (folder / "second" / "w.log").read_text()
        assert _end(first.running["w"]) == 0


def _end(bot: "subprocess.Popen[bytes]") -> int:
    bot.send_signal(signal.SIGTERM)
    return bot.wait(30)


def _wait(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def test_what_went_wrong_is_seen(tmp_path: Path) -> None:
    """The judge of all the above, before a case of each kind."""
    ledger = Ledger(tmp_path / "ledger")
    said = [(0, "sent"), (1, "sent"), (2, "sent"), (3, "unknown"), (4, "unknown"), (5, "decided"), (8, "decided")]
    with closing(Store.open(f"sqlite:///{tmp_path}/bot.sqlite")) as store:
        fill(store, range(8), state="done")
        fill(store, [8], state="failed")
        with store.transaction() as connection:
            made = [(number, report_of(key_of(0 if number == 7 else number))) for number in (0, 1, 2, 3, 4, 5, 7)]
            connection.execute(insert(reports), [{"key": key_of(n), "made": 0, **asdict(one)} for n, one in made])
            connection.execute(insert(sayings), [_saying(number, state) for number, state in said])
        ledger.path.write_text("".join(f"id{number} {key_of(number)} x\n" for number in (0, 1, 1, 1, 3, 8)))
        outcome = Outcome(series=9)
        judge(store, ledger, outcome)
    assert outcome.done == 8
    assert outcome.unlike == 1  # 7 has the report of 0
    # No report: 6, and 8. Nothing was said of 6 and 7. Never sent: 5 and 8. Called sent, never seen: 2.
    assert outcome.lost == 2 + 2 + 2 + 1
    assert outcome.duplicates == 2 + 1  # two of 1 too many; 8 went out, and nobody knows
    assert (outcome.unknown_sent, outcome.unknown_unsent) == (1, 1)


def _saying(number: int, state: str) -> dict[str, object]:
    return {
        "id": f"id{number}", "key": key_of(number), "lineage": key_of(number), "channel": "author", "state": state,
        "reason": "new", "said": "[]", "message": b"", "msgid": f"{number}@bot", "decided": 0,
    }  # fmt: skip
