# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's tables from one version to the next, on both kinds of databases."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, inspect, select, text

from seriestool.bot.bot_tables import metadata, schema_versions, series
from seriestool.bot.dialects import SchemaError, StoreError, with_driver
from seriestool.bot.migrations import MIGRATIONS, NEWEST, Migration, find_version, migrate
from seriestool.bot.queue.bot_runner import run_bot
from seriestool.bot.queue.handlers import Handlers
from seriestool.bot.store import Store
from tests.support.bots import Crashes, Ledger, SleepyLook, decide, fill, key_of, plan_of, series_row
from tests.support.repos import ROOT

UNNUMBERED = ROOT / "tests" / "data" / "bot_database"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """The empty database, as any other program would open it."""
    engine = create_engine(with_driver(database))
    yield engine
    engine.dispose()


def make_unnumbered(engine: Engine) -> None:
    """The tables as the release before there were numbers made them, with a series in them."""
    script = (UNNUMBERED / f"unnumbered.{engine.dialect.name}.sql").read_text()
    with engine.begin() as connection:
        for statement in filter(str.strip, script.split(";\n")):
            connection.exec_driver_sql(statement)
    with engine.begin() as connection:
        connection.execute(insert(series).values(series_row(1)))


def number_as_newer(engine: Engine) -> None:
    """As the next program leaves it."""
    with engine.begin() as connection:
        row = {"version": NEWEST + 1, "migrated": 1, "program": "9.9"}
        connection.execute(insert(schema_versions).values(row))


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def shape_of(engine: Engine) -> dict[str, Any]:
    """Tables with their columns and indexes."""
    seen = inspect(engine)
    return {
        name: (
            {one["name"]: (str(one["type"]), one["nullable"]) for one in seen.get_columns(name)},
            sorted((str(one["name"]), tuple(one["column_names"])) for one in seen.get_indexes(name)),
        )
        for name in seen.get_table_names()
    }


def versions_in(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(select(schema_versions.c.version).order_by(schema_versions.c.version)).scalars())


def test_a_new_database_has_the_newest_version(database: str, engine: Engine) -> None:
    Store.open(database).close()
    assert versions_in(engine) == [NEWEST]
    assert set(shape_of(engine)) == set(metadata.tables)


def test_the_numbers_have_no_gaps() -> None:
    assert [one.number for one in MIGRATIONS] == list(range(1, NEWEST + 1))


def test_a_database_without_a_number_is_migrated_from_its_state(database: str, engine: Engine) -> None:
    make_unnumbered(engine)
    with closing(Store.open(database)) as store, store.transaction() as connection:
        row = connection.execute(select(series)).one()
        assert (row.key, row.state) == (key_of(1), "waiting")
        assert find_version(connection) == NEWEST
    assert versions_in(engine) == list(range(1, NEWEST + 1))
    Store.open(database).close()
    assert versions_in(engine) == list(range(1, NEWEST + 1))


def test_a_migrated_database_is_as_a_new_one(tmp_path: Path) -> None:
    old, new = (create_engine(f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("old", "new"))
    make_unnumbered(old)
    for each in (old, new):
        Store.open(str(each.url)).close()
    assert shape_of(old) == shape_of(new)
    old.dispose()
    new.dispose()


def test_a_migration_is_done_whole_or_not_at_all(store: Store) -> None:
    def breaks(connection: Any) -> None:
        connection.exec_driver_sql("ALTER TABLE series ADD COLUMN half INTEGER")
        connection.exec_driver_sql("ALTER TABLE no_such ADD COLUMN other INTEGER")

    steps = (*MIGRATIONS, Migration(NEWEST + 1, "of a test", breaks))
    with pytest.raises(SchemaError), store.transaction() as connection:
        migrate(connection, steps)
    with store.transaction() as connection:
        assert "half" not in {one["name"] for one in inspect(connection).get_columns("series")}
        assert find_version(connection) == NEWEST


def test_workers_that_start_at_once_migrate_once(database: str, engine: Engine) -> None:
    make_unnumbered(engine)
    began, done = threading.Barrier(6), []

    def work(_: int) -> None:
        began.wait()
        with closing(Store.open(database)) as store, store.transaction() as connection:
            migrate(connection, steps)

    steps = (*MIGRATIONS, Migration(NEWEST + 1, "of a test", lambda connection: done.append(str(connection))))
    with ThreadPoolExecutor(6) as pool:
        errors = [error for error in pool.map(lambda number: _error_of(lambda: work(number)), range(6)) if error]
    # One that opens after another has migrated is an old program at a new database.
    assert all(isinstance(error, SchemaError) for error in errors)
    assert len(done) == 1
    assert versions_in(engine) == list(range(1, NEWEST + 2))


def _error_of(work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except Exception as error:
        return error
    return None


def test_a_newer_database_says_what_to_do(database: str, engine: Engine) -> None:
    Store.open(database).close()
    number_as_newer(engine)
    with pytest.raises(SchemaError) as error:
        Store.open(database)
    assert error.value.message == (
        f"the bot's database has schema version {NEWEST + 1}, made by seriestool 9.9, and this program knows {NEWEST}"
    )
    assert error.value.hint == "install that version here too, or go back to the backup made before the upgrade"


def test_a_table_without_a_column_is_no_outage(database: str, engine: Engine) -> None:
    make_unnumbered(engine)
    execute(engine, "ALTER TABLE series DROP COLUMN superseded_by")
    with pytest.raises(SchemaError) as error:
        Store.open(database)
    assert not isinstance(error.value, StoreError)
    assert error.value.message == "the bot's database has no column 'series.superseded_by'"
    assert error.value.hint == "restore a backup of it, or name another database (--database)"


@pytest.mark.parametrize("change", ["ALTER TABLE series DROP COLUMN rounds", "newer"])
def test_a_bot_that_runs_leaves_where_the_tables_are_not_its_own_any_more(
    database: str, engine: Engine, tmp_path: Path, change: str
) -> None:
    """It was waited for, as for an outage, for ever."""
    with closing(Store.open(database)) as store:
        fill(store, range(1))
    errors: list[BaseException] = []
    handlers = Handlers(SleepyLook(0), decide, Ledger(tmp_path / "ledger"), Crashes(tmp_path))
    thread = threading.Thread(
        target=lambda: errors.append(_error_of(lambda: run_bot(plan_of(database, handlers, once=False), stop)) or OK),
        daemon=True,
    )
    stop = threading.Event()
    thread.start()
    _wait_until_done(database)
    if change == "newer":
        number_as_newer(engine)
    else:
        execute(engine, change)
    thread.join(15)
    was_alive = thread.is_alive()
    stop.set()
    thread.join(15)
    assert not was_alive
    assert isinstance(errors[0], SchemaError)


OK = AssertionError("it ended without an error")


def _wait_until_done(database: str) -> None:
    with closing(Store.open(database)) as store:
        for _ in range(600):
            with store.transaction() as connection:
                if connection.execute(text("SELECT state FROM series")).scalars().all() == ["done"]:
                    return
            threading.Event().wait(0.05)
    raise AssertionError("it was never done")
