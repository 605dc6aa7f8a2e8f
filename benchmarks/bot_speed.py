# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's engine: whether workers share the work, whether memory and DBOS's tables stay as they are.

    python -m benchmarks.bot_speed [--series 300] [--long 2000] [--quick]

The looks are stand-ins (tests/support/bots.py) that sleep 0.2 s on average, so that what is measured is the engine, and
two cores are enough for several workers. Sharing is measured on a Postgres server of its own, between the first and
the last tenth of the series; memory on SQLite, of the bot and of the processes that look for it.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from seriestool.bot.queue.series_queue import counts
from seriestool.bot.store import Store
from tests.e2e.bot_chaos import children_of
from tests.support.bots import fill
from tests.support.postgres import running_server
from tests.support.repos import ROOT

WANTED = 1.7
GROWTH = 1.15  # memory after the last series against that after the first hundred


def main() -> int:
    """1 where two workers do too little, or memory or DBOS's tables grow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=300)
    parser.add_argument("--long", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="fewer series")
    given = parser.parse_args()
    if given.quick:
        given.series, given.long = 100, 300
    return measure_sharing(given.series) | measure_memory(given.long)


def measure_sharing(count: int) -> int:
    rates = {}
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        for workers in (1, 2):
            rates[workers] = _rate(server.new_database(), Path(folder), workers, count)
            print(f"{workers} worker(s): {rates[workers]:.2f} series a second", flush=True)
    print(f"two do {rates[2] / rates[1]:.2f} times the work of one (wanted: {WANTED})")
    return int(rates[2] < WANTED * rates[1])


def measure_memory(count: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = f"sqlite:///{folder}/bot.sqlite"
        with closing(Store.open(database)) as store:
            fill(store, range(count))
            bot = _start(database, folder, "w", "--look", "0.01", "--jobs", "4")
            seen = {}
            for done in (100, count // 2, count):
                _wait(lambda done=done: counts(store)["done"] >= done)  # type: ignore[misc]
                seen[done] = {
                    "bot_kib": _rss(bot.pid),
                    "looks_kib": [_rss(pid) for pid in _looks(bot.pid)],
                    **_sizes(folder),
                }
                print(done, json.dumps(seen[done]), flush=True)
            time.sleep(2)
            print("at rest", json.dumps(_sizes(folder)))
            bot.send_signal(signal.SIGTERM)
            bot.wait(60)
    first, last = seen[100], seen[count]
    grown = last["bot_kib"] / first["bot_kib"]  # type: ignore[operator]
    print(f"the bot's memory: {grown:.2f} times that after 100 (wanted: less than {GROWTH})")
    return int(grown > GROWTH or last["workflows"] > 2000)  # type: ignore[operator]


def _rate(database: str, folder: Path, workers: int, count: int) -> float:
    with closing(Store.open(database)) as store:
        fill(store, range(count))
        bots = [_start(database, folder, f"w{number}", "--look", "0.2") for number in range(workers)]
        marks = []
        for done in (count // 10, count - count // 10):
            _wait(lambda done=done: counts(store)["done"] >= done)  # type: ignore[misc]
            marks.append((counts(store)["done"], time.monotonic()))
        for bot in bots:
            bot.send_signal(signal.SIGTERM)
        for bot in bots:
            bot.wait(60)
    (first, began), (last, ended) = marks
    return (last - first) / (ended - began)


def _start(database: str, folder: Path, name: str, *more: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "tests.support.bots",
        database,
        name,
        str(folder / "ledger"),
        "--poll",
        "0.25",
        *more,
    ]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def _wait(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.1)


def _rss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def _looks(pid: int) -> list[int]:
    return [look for server in children_of(pid) for look in children_of(server)]


def _sizes(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(folder / "bot.dbos.sqlite")) as connection:
        rows = connection.execute("SELECT count(*) FROM workflow_status").fetchone()[0]
        steps = connection.execute("SELECT count(*) FROM operation_outputs").fetchone()[0]
    return {"workflows": rows, "steps": steps, "dbos_kib": (folder / "bot.dbos.sqlite").stat().st_size // 1024}


if __name__ == "__main__":
    sys.exit(main())
