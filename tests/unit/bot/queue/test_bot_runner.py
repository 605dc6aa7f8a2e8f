# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole engine, with stand-ins for what looks, decides and speaks; DBOS and the databases are real."""

import errno
import itertools
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError

from seriestool.bot.bot_tables import reports, sayings, series, workers
from seriestool.bot.queue.bot_runner import run_bot
from seriestool.bot.queue.handlers import Handlers, ReportRow
from seriestool.bot.queue.main_loop import Task
from seriestool.bot.queue.requeue import retry_failed
from seriestool.bot.queue.series_queue import counts
from seriestool.bot.queue.workers import NameTakenError, Worker
from seriestool.bot.store import Store
from seriestool.git import GitError
from seriestool.util.errors import OutsideError
from tests.support.bots import Crashes, Ledger, collected, decide, fill, key_of, plan_of, report_of
from tests.support.postgres import Server


@dataclass(frozen=True)
class Told:
    """A look that does what a file says, and writes down that it was asked."""

    folder: Path

    def __call__(self, key: str) -> ReportRow:
        with (self.folder / "looks").open("a") as looks:
            looks.write(f"{key}\n")
        order = self.folder / key
        if order.exists():
            return getattr(self, order.read_text())() or report_of(key)
        return report_of(key)

    def large(self) -> ReportRow:
        return replace(report_of("large"), document=os.urandom(1_000_000))

    def outside(self) -> None:
        raise OutsideError("no network")

    def bug(self) -> None:
        raise ZeroDivisionError("a bug of ours")

    def killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def long(self) -> None:
        time.sleep(1000)

    def second(self) -> None:
        time.sleep(1.0)

    def full(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def broken(self) -> None:
        raise GitError("git log failed: bad object HEAD")


@dataclass
class Scene:
    """A bot, its database, and the orders to its looks."""

    database: str
    folder: Path
    said: list[str]
    running: list[tuple[threading.Thread, threading.Event]] = field(default_factory=list)

    def order(self, number: int, what: str) -> Path:
        path = self.folder / key_of(number)
        path.write_text(what)
        return path

    def handlers(self, **changes: Any) -> Handlers:
        ledger = Ledger(self.folder / "ledger")
        return Handlers(
            **{"look": Told(self.folder), "decide": decide, "say": ledger, "log_crash": Crashes(self.folder), **changes}
        )

    def run(self, stop: threading.Event | None = None, handlers: Handlers | None = None, **changes: Any) -> None:
        with collected(self.said):
            run_bot(plan_of(self.database, handlers or self.handlers(), **changes), stop or threading.Event())

    def start(self, **changes: Any) -> "tuple[threading.Thread, threading.Event]":
        stop = threading.Event()
        thread = threading.Thread(target=lambda: self.run(stop, once=False, **changes), daemon=True)
        thread.start()
        self.running.append((thread, stop))
        return thread, stop

    def end(self) -> None:
        """No bot goes on behind the back of the next test, whatever became of this one."""
        for _, stop in self.running:
            stop.set()
        for thread, _ in self.running:
            thread.join(30)

    def looks(self) -> dict[str, int]:
        path = self.folder / "looks"
        return dict(Counter(path.read_text().split())) if path.exists() else {}

    def messages(self) -> Counter[str]:
        return Counter(line.split()[1] for line in Ledger(self.folder / "ledger").lines())


@pytest.fixture
def file_database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.sqlite"


@pytest.fixture
def scene(file_database: str, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(file_database, tmp_path, [])
    yield scene
    scene.end()


@pytest.fixture
def filed(file_database: str) -> Iterator[Store]:
    with closing(Store.open(file_database)) as opened:
        yield opened


def row_of(store: Store, number: int) -> Any:
    with store.transaction() as connection:
        return connection.execute(select(series).where(series.c.key == key_of(number))).one()


def wait_for(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


# --- what goes well ---------------------------------------------------------------------------------------------------


def test_all_that_wait_are_done_once_and_said_once(database: str, store: Store, tmp_path: Path) -> None:
    fill(store, range(8))
    Scene(database, tmp_path, []).run()
    scene = Scene(database, tmp_path, [])
    keys = [key_of(number) for number in range(8)]
    assert counts(store)["done"] == 8
    assert scene.looks() == dict.fromkeys(keys, 1)
    assert scene.messages() == Counter(keys)
    with store.transaction() as connection:
        made = {row.key: row for row in connection.execute(select(reports))}
        assert set(connection.execute(select(sayings.c.state)).scalars()) == {"sent"}
    assert {key: made[key].document for key in keys} == {key: report_of(key).document for key in keys}


def test_each_series_that_is_done_with_is_logged_with_its_level_and_key(
    scene: Scene, filed: Store, caplog: pytest.LogCaptureFixture
) -> None:
    fill(filed, range(2))
    scene.order(1, "bug")
    scene.run()
    logged = {getattr(one, "series", None): one for one in caplog.records if one.name.startswith("seriestool.bot")}
    done, failed = logged[key_of(0)], logged[key_of(1)]
    assert (done.levelname, done.name) == ("INFO", "seriestool.bot.queue.bot_runner")
    assert failed.levelname == "WARNING"
    assert "ZeroDivisionError" in failed.getMessage() or "bug" in failed.getMessage()


def test_nothing_to_do(scene: Scene) -> None:
    scene.run()
    assert scene.said == []


def test_dbos_keeps_json_and_forgets_what_is_over(scene: Scene, filed: Store, tmp_path: Path) -> None:
    fill(filed, range(5))
    scene.run()
    question = (
        "SELECT count(*), sum(serialization != 'portable_json'), sum(application_version != '1') FROM workflow_status"
    )
    with closing(sqlite3.connect(tmp_path / "bot.dbos.sqlite")) as connection:
        count, other, versions = connection.execute(question).fetchone()
        assert (count <= 2, other or 0, versions or 0) == (True, 0, 0)  # those that ended in the last round
        largest = connection.execute("SELECT max(length(output)) FROM operation_outputs").fetchone()[0] or 0
        assert largest < 100
    scene.run()
    with closing(sqlite3.connect(tmp_path / "bot.dbos.sqlite")) as connection:
        for table in ("workflow_status", "workflow_input", "workflow_output", "operation_outputs"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


# --- what goes wrong with one series ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "looks", "error"),
    [
        ("outside", 3, "no network"),
        ("bug", 1, "a bug: ZeroDivisionError: a bug of ours"),
        ("killed", 3, "was ended by SIGKILL"),
        ("long", 1, "it took longer than 0.5 seconds"),
    ],
)
def test_it_fails_in_the_end_and_the_others_do_not(
    scene: Scene, filed: Store, order: str, looks: int, error: str
) -> None:
    fill(filed, range(4))
    scene.order(2, order)
    scene.run(limit=0.5)
    assert (counts(filed)["done"], counts(filed)["failed"]) == (3, 1)
    row = row_of(filed, 2)
    assert (row.state, row.tries, scene.looks()[key_of(2)]) == ("failed", looks, looks)
    assert error in row.error
    assert key_of(2) not in scene.messages()
    assert len(list(scene.folder.glob("crash-*"))) == (order == "bug")


def test_it_goes_on_where_a_later_try_helps(scene: Scene, filed: Store) -> None:
    fill(filed, range(1))
    order = scene.order(0, "outside")
    thread, stop = scene.start()
    wait_for(lambda: scene.looks().get(key_of(0), 0) == 2)
    order.unlink()
    wait_for(lambda: counts(filed)["done"] == 1)
    stop.set()
    thread.join()
    assert (row_of(filed, 0).tries, row_of(filed, 0).error) == (3, None)


def test_what_failed_is_tried_again_when_a_person_says_so(scene: Scene, filed: Store) -> None:
    fill(filed, range(2))
    order = scene.order(0, "bug")
    scene.run()
    assert counts(filed)["failed"] == 1
    order.unlink()
    assert retry_failed(filed) == 1
    assert row_of(filed, 0).state == "waiting"
    scene.run()
    row = row_of(filed, 0)
    assert (row.state, row.rounds, row.tries, row.error) == ("done", 1, 1, None)
    assert scene.looks()[key_of(1)] == 1


def test_a_series_that_kills_the_whole_bot_is_not_tried_for_ever(
    scene: Scene, filed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seriestool.bot.queue.workflows.DEATHS", 0)
    fill(filed, range(2))
    scene.order(0, "long")
    thread, stop = scene.start(grace=0.0)
    wait_for(lambda: scene.looks().get(key_of(0), 0) == 1 and counts(filed)["done"] == 1)
    stop.set()
    thread.join(15)
    scene.run()
    assert (row_of(filed, 0).state, scene.looks()[key_of(0)]) == ("failed", 1)
    assert row_of(filed, 0).error == "the bots that looked at it were ended again and again: out of memory?"


# --- what goes wrong around -------------------------------------------------------------------------------------------


def test_a_full_disk_is_waited_for_and_no_try_is_lost(scene: Scene, filed: Store) -> None:
    fill(filed, range(2))
    orders = [scene.order(number, "full") for number in range(2)]
    thread, stop = scene.start()
    wait_for(lambda: sum(scene.looks().values()) >= 4)
    for order in orders:
        order.unlink()
    wait_for(lambda: counts(filed)["done"] == 2)
    stop.set()
    thread.join()
    assert (row_of(filed, 0).tries, row_of(filed, 1).tries) == (1, 1)
    full = "OSError: [Errno 28] No space left on device"
    assert scene.said.count(f"{full}; waiting for it") <= 1 + scene.said.count("going on")


def test_a_damaged_mirror_is_made_anew_and_work_goes_on(scene: Scene, filed: Store) -> None:
    fill(filed, range(3))
    orders = [scene.order(number, "broken") for number in range(2)]
    mended: list[int] = []

    def repair() -> None:
        mended.append(1)
        for order in orders:
            order.unlink(missing_ok=True)

    scene.run(handlers=scene.handlers(repair=repair))
    assert counts(filed)["done"] == 3
    assert {row_of(filed, number).tries for number in range(3)} == {1}
    assert 1 <= len(mended) <= 2


def test_a_repository_that_is_not_ours_to_mend_fails_the_series(scene: Scene, filed: Store) -> None:
    fill(filed, range(1))
    scene.order(0, "broken")
    scene.run()
    assert row_of(filed, 0).error == "git log failed: bad object HEAD"


def test_a_message_that_cannot_be_sent_is_tried_again_and_nothing_is_looked_at_again(
    scene: Scene, filed: Store
) -> None:
    fill(filed, range(1))
    ledger, failing = Ledger(scene.folder / "ledger"), iter([True, True, False])

    def say(store: Store, key: str) -> None:
        if next(failing):
            raise OutsideError("no mail server")
        ledger(store, key)

    scene.run(handlers=scene.handlers(say=say))
    assert (row_of(filed, 0).state, row_of(filed, 0).tries) == ("done", 3)
    assert scene.looks() == {key_of(0): 1}
    assert scene.messages() == {key_of(0): 1}


def test_rows_without_workflows_get_them(scene: Scene, filed: Store) -> None:
    """As a kill between the two databases leaves them."""
    fill(filed, range(2), state="queued", admitted=1, tries=1)
    fill(filed, [2], state="running", admitted=1, tries=2, worker="dead")
    scene.run()
    assert counts(filed)["done"] == 3


def test_what_dbos_could_not_record_goes_on(scene: Scene, filed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is full, say: the workflow stays pending in a bot that lives."""
    from dbos._sys_db import SystemDatabase

    record, calls = SystemDatabase.record_operation_result, itertools.count()

    def failing(*arguments: Any, **named: Any) -> Any:
        if next(calls) in (0, 3):
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        return record(*arguments, **named)

    monkeypatch.setattr(SystemDatabase, "record_operation_result", failing)
    fill(filed, range(3))
    scene.run()
    assert counts(filed)["done"] == 3
    assert scene.messages() == Counter(key_of(number) for number in range(3))


def test_a_workflow_that_broke_off_fails_its_series(
    scene: Scene, filed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("seriestool.bot.queue.pipeline.Pipeline.decide", broken)
    fill(filed, range(1))
    scene.run()
    assert (row_of(filed, 0).state, row_of(filed, 0).error) == ("failed", "a bug: its workflow broke off")


# --- leaving ----------------------------------------------------------------------------------------------------------


def test_told_to_leave_it_finishes_what_runs_and_takes_no_more(scene: Scene, filed: Store) -> None:
    fill(filed, range(12))
    for number in range(12):
        scene.order(number, "second")
    thread, stop = scene.start()
    wait_for(lambda: counts(filed)["running"] == 2)
    stop.set()
    thread.join(15)
    assert not thread.is_alive()
    assert counts(filed)["running"] == 0
    assert 2 <= counts(filed)["done"] <= 4
    with filed.transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM workers")).scalar() == 0


def test_while_it_leaves_the_others_see_it_alive(scene: Scene, filed: Store) -> None:
    fill(filed, range(1))
    scene.order(0, "second")
    thread, stop = scene.start(interval=0.05)
    wait_for(lambda: scene.looks().get(key_of(0)) == 1)
    stop.set()
    other = Worker(filed, "other")
    gone = []
    while thread.is_alive():
        gone += other.gone()
        time.sleep(0.1)
    assert gone == []
    assert counts(filed)["done"] == 1


def test_a_bot_whose_name_another_has_taken_leaves(scene: Scene, filed: Store) -> None:
    errors: list[NameTakenError] = []

    def run() -> None:
        try:
            scene.run(once=False)
        except NameTakenError as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def rename() -> bool:
        with filed.transaction() as connection:
            return bool(connection.execute(update(workers).values(token="f" * 16)).rowcount)

    wait_for(rename)
    thread.join(20)
    assert [error.message for error in errors] == ["another bot has taken the name 'w'"]


def test_what_takes_too_long_to_finish_goes_on_at_the_next_run(scene: Scene, filed: Store) -> None:
    fill(filed, range(2))
    order = scene.order(1, "long")
    thread, stop = scene.start(grace=1.0)
    wait_for(lambda: counts(filed)["done"] == 1 and scene.looks().get(key_of(1)) == 1)
    stop.set()
    thread.join(15)
    assert not thread.is_alive()
    assert row_of(filed, 1).state == "running"
    order.unlink()
    scene.run()
    assert (row_of(filed, 1).state, row_of(filed, 1).tries, row_of(filed, 1).error) == ("done", 1, None)


# --- the database -----------------------------------------------------------------------------------------------------


def test_a_database_that_goes_away_and_comes_back(postgres: Server, tmp_path: Path) -> None:
    database = postgres.new_database()
    scene = Scene(database, tmp_path, [])
    with closing(Store.open(database)) as store:
        fill(store, range(14))
    for number in range(14):
        scene.order(number, "second")
    thread, stop = scene.start(jobs=4)
    with closing(Store.open(database)) as store:
        wait_for(lambda: counts(store)["done"] > 2)
    postgres.stop("immediate")
    time.sleep(1.0)
    postgres.start()
    with closing(Store.open(database)) as store:
        wait_for(lambda: counts(store)["done"] == 14, 60)
        assert {row_of(store, number).tries for number in range(14)} == {1}
        with store.transaction() as connection:
            unknown = set(connection.execute(select(sayings.c.key).where(sayings.c.state == "unknown")).scalars())
    wait_for(lambda: any("the bot's database is back" in line for line in scene.said))
    stop.set()
    thread.join(20)
    assert set(scene.messages().values()) == {1}
    assert {key_of(number) for number in range(14)} - set(scene.messages()) <= unknown
    assert len([line for line in scene.said if "the bot's database is back" in line]) == 1


def test_a_file_that_is_full_is_waited_for(scene: Scene, filed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from seriestool.bot import store as module

    set_up, pages = module.set_up_sqlite, [1]

    def limited(engine: Any, *rest: Any) -> None:
        event.listen(engine, "begin", lambda one: one.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}"))
        set_up(engine, *rest)

    fill(filed, range(4))
    for number in range(4):
        scene.order(number, "large")
    monkeypatch.setattr(module, "set_up_sqlite", limited)
    thread, stop = scene.start()
    wait_for(lambda: any("database or disk is full" in line for line in scene.said))
    time.sleep(1.0)
    assert counts(filed)["done"] == 0
    pages[0] = 10**6
    wait_for(lambda: counts(filed)["done"] == 4, 60)
    stop.set()
    thread.join(20)
    assert scene.messages() == Counter(key_of(number) for number in range(4))


def test_told_to_leave_while_it_waits_for_a_database_it_leaves(tmp_path: Path) -> None:
    scene = Scene("postgresql://nobody@127.0.0.1:1/x", tmp_path, [])
    thread, stop = scene.start()
    wait_for(lambda: bool(scene.said))
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(scene.said) == 1
    assert scene.said[0].startswith("cannot use the bot's database: ")


# --- the round --------------------------------------------------------------------------------------------------------


def test_what_is_done_besides_is_done_and_may_fail(scene: Scene, filed: Store) -> None:
    calls: list[str] = []

    def fails() -> None:
        calls.append("trees")
        raise OutsideError("no network")

    def breaks() -> None:
        calls.append("lists")
        raise ZeroDivisionError("of ours")

    tasks = (
        Task("trees", 1000, fails),
        Task("lists", 1000, breaks, leader_only=True),
        Task("more", 1000, lambda: fill(filed, [0])),
    )
    scene.run(tasks=tasks)
    assert calls == ["trees", "lists"]
    assert scene.said[0] == "trees: no network"
    assert scene.said[1].startswith("lists: a bug: ZeroDivisionError: of ours (log: ")
    assert counts(filed)["done"] == 1


def test_a_list_server_that_hangs_holds_up_nothing(scene: Scene, filed: Store) -> None:
    hanging = threading.Event()
    fill(filed, range(2))
    thread, stop = scene.start(tasks=(Task("lists", 1000, lambda: bool(hanging.wait(60)) and None),))
    wait_for(lambda: counts(filed)["done"] == 2)
    hanging.set()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_bounds_are_kept_and_nothing_is_lost(scene: Scene, filed: Store) -> None:
    from seriestool.bot.bot_config import Bounds

    fill(filed, range(6), author="flood@example.com", list="net")
    fill(filed, range(6, 8))
    scene.run(bounds=Bounds(per_author=2))
    assert (counts(filed)["done"], counts(filed)["waiting"]) == (4, 4)
    with filed.transaction() as connection:  # an hour later
        connection.execute(
            update(series).where(series.c.admitted.is_not(None)).values(admitted=series.c.admitted - 3600)
        )
    scene.run(bounds=Bounds(per_author=2))
    assert (counts(filed)["done"], counts(filed)["waiting"]) == (6, 2)
