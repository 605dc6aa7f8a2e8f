# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills bots that really look at series, and compares reports and drafts with those of an undisturbed run.

    python -m tests.e2e.bot_replay_chaos REPO ARCHIVE SINCE UNTIL [--kills 200] [--workers 1] [--database postgres]

REPO is copied. Prechecks, decisions and drafts are the program's own; only the checks that build are left out.
Where all series are done before all kills are, they are looked at once more.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from seriestool.bot.bot_tables import metadata, reports, sayings, series
from seriestool.bot.dialects import with_driver
from seriestool.bot.store import Store
from tests.support.postgres import running_server
from tests.support.repos import ROOT

_CONFIG = {
    "policy": "draft", "from": "Bot <bot@example.org>", "skip": "kunit-build,bisect", "trees": "0",
    "perAuthor": "100000", "perList": "100000", "perHour": "100000", "queue": "100000", "interval": "100000",
}  # fmt: skip


def main() -> int:
    arguments = _parse()
    with tempfile.TemporaryDirectory(prefix="seriestool-chaos-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        repos = {name: _copy(arguments.repo, folder, name, arguments.archive) for name in ("calm", "wild")}
        _program(folder, "bot", "replay", "--no-precheck", "--repo", repos["calm"], "--archive", arguments.archive,
                 arguments.since, arguments.until, "--state", folder / "found")  # fmt: skip
        found = f"sqlite:///{folder}/found/replay.sqlite"
        calm, wild = f"sqlite:///{folder}/calm.sqlite", f"sqlite:///{folder}/wild.sqlite"
        if arguments.database == "postgres":
            wild = stack.enter_context(running_server()).new_database()
        for url in (calm, wild):
            _fill(url, found)
        begun = time.monotonic()
        _run_to_the_end(folder, repos["calm"], calm)
        print(f"undisturbed: {_count(calm)} series in {time.monotonic() - begun:.0f} s", flush=True)
        kills = _disturb(folder, repos["wild"], wild, arguments)
        for process in [_start(folder, repos["wild"], wild, "last")]:
            _wait_until_done(wild)
            process.terminate()
            process.wait()
        return _compare(calm, wild, folder, kills)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", type=Path)
    parser.add_argument("archive", type=Path)
    parser.add_argument("since")
    parser.add_argument("until")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _copy(repo: Path, folder: Path, name: str, archive: Path) -> Path:
    """A copy that watches the list of the archive, in which nothing is new."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder / "quiet.git")], check=True)
    to = folder / f"{name}.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", "--shared", str(repo), str(to)], check=True)
    for key, value in {**_CONFIG, "maildir": str(folder / f"drafts-{name}")}.items():
        subprocess.run(["git", "-C", str(to), "config", f"seriestool.bot.{key}", value], check=True)
    key = f"seriestool.list.{archive.name.removesuffix('.git')}.path"
    subprocess.run(["git", "-C", str(to), "config", key, str(folder / "quiet.git")], check=True)
    return to


def _environment(folder: Path) -> dict[str, str]:
    own = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "DATA", "STATE")}
    return {**os.environ, **own}


def _program(folder: Path, *words: object) -> None:
    command = [sys.executable, "-m", "seriestool", *map(str, words)]
    subprocess.run(command, cwd=ROOT, env=_environment(folder), check=True, stdout=subprocess.DEVNULL)


def _fill(url: str, found: str) -> None:
    """The series that were found, all of them waiting."""
    source, target = Store.open(found), Store.open(with_driver(url))
    with source.transaction() as old, target.transaction() as new:
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in old.execute(select(table)).mappings()]
            for start in range(0, len(rows), 500):
                new.execute(insert(table), rows[start : start + 500])
        new.execute(update(series).where(series.c.state == "done").values(state="waiting", finished=None))
    source.close()
    target.close()


def _start(folder: Path, repo: Path, url: str, name: str, *more: str) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable, "-m", "seriestool", "bot", "run", "--repo", str(repo), "--database", url, "--name", name, *more
    ]  # fmt: skip
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )  # fmt: skip


def _run_to_the_end(folder: Path, repo: Path, url: str) -> None:
    if code := _start(folder, repo, url, "calm", "--once").wait():
        raise SystemExit(f"the undisturbed run ended with {code}: {(folder / 'calm.log').read_text()[-2000:]}")


def _disturb(folder: Path, repo: Path, url: str, arguments: argparse.Namespace) -> int:
    chance = random.Random(arguments.seed)  # noqa: S311
    running = {f"w{n}": _start(folder, repo, url, f"w{n}") for n in range(arguments.workers)}
    kills = 0
    while kills < arguments.kills:
        time.sleep(chance.uniform(0.3, 6.0))
        victims = list(running) if chance.random() < 0.15 else [chance.choice(list(running))]
        for name in victims:
            running[name].send_signal(signal.SIGKILL)
            running[name].wait()
            kills += 1
        if not _left(url):
            _again(url)
        for name in victims:
            running[name] = _start(folder, repo, url, name)
    for process in running.values():
        process.kill()
        process.wait()
    return kills


def _left(url: str) -> int:
    store = Store.open(with_driver(url))
    try:
        with store.transaction() as connection:
            states = series.c.state.in_(("waiting", "queued", "running"))
            count: int = connection.execute(select(func.count()).select_from(series).where(states)).scalar_one()
            return count
    finally:
        store.close()


def _again(url: str) -> None:
    """All of them once more, as `bot retry` says it."""
    store = Store.open(with_driver(url))
    with store.transaction() as connection:
        connection.execute(delete(reports))
        values: dict[str, Any] = {"state": "waiting", "tries": 0, "rounds": series.c.rounds + 1, "worker": None}
        connection.execute(update(series).where(series.c.state.in_(("done", "failed"))).values(values))
    store.close()
    print("all were done: once more", flush=True)


def _wait_until_done(url: str) -> None:
    deadline = time.monotonic() + 3600
    while _left(url):
        if time.monotonic() > deadline:
            raise SystemExit("it does not come to an end")
        time.sleep(2)


def _count(url: str) -> int:
    return len(_reports(url))


def _reports(url: str) -> dict[str, Any]:
    store = Store.open(with_driver(url))
    try:
        with store.transaction() as connection:
            rows = list(connection.execute(select(reports)))
    finally:
        store.close()
    return {
        row.key: (row.answer, row.sentence, row.facts, _timeless(json.loads(zlib.decompress(row.document))))
        for row in rows
    }


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in ("seconds", "kept")}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def _sayings(url: str) -> dict[str, str]:
    store = Store.open(with_driver(url))
    try:
        with store.transaction() as connection:
            return {row.id: row.state for row in connection.execute(select(sayings.c.id, sayings.c.state))}
    finally:
        store.close()


def _compare(calm: str, wild: str, folder: Path, kills: int) -> int:
    wanted, found = _reports(calm), _reports(wild)
    unlike = [key for key in wanted if key in found and wanted[key] != found[key]]
    said, again = _sayings(calm), _sayings(wild)
    drafts = [sorted(path.name for path in (folder / f"drafts-{name}" / "new").glob("*")) for name in ("calm", "wild")]
    crashes = len(list((folder / "state" / "seriestool").glob("crash-*.log")))
    print(
        f"kills {kills}, series {len(wanted)}, lost {len(wanted.keys() - found.keys())}, unlike {len(unlike)}, "
        f"messages {len(said)}, lost {len(said.keys() - again.keys())}, more {len(again.keys() - said.keys())}, "
        f"states {sorted(set(again.values()))}, drafts {len(drafts[0])} and {len(drafts[1])}, crash logs {crashes}",
        flush=True,
    )
    for key in unlike[:5]:
        print("unlike:", key, [n for n, (a, b) in enumerate(zip(wanted[key], found[key], strict=True)) if a != b])
    return 0 if not unlike and wanted.keys() == found.keys() and said.keys() == again.keys() and not crashes else 1


if __name__ == "__main__":
    sys.exit(main())
