# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's database: SQLite in a file, or Postgres by its URL; the one place where SQLAlchemy's errors become ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seriestool.util.errors import InputError, OutsideError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")

_PATIENCE = 60  # seconds to wait for another process
_BATCH = 500  # values in one statement: databases have a limit


class StoreError(OutsideError):
    """The database cannot be used now: it is gone, locked or full. What was begun can go on once it is back."""


class Store:
    """An open database with all tables in it."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> "Store":
        """The database at the URL (`sqlite:////path/bot.sqlite`, `postgresql://...`), its tables made where missing.

        Raises InputError where that is no such URL, StoreError where it cannot be used.
        """
        from seriestool.bot.bot_tables import metadata

        with database_errors():
            store = cls(_engine(with_driver(url)))
            metadata.create_all(store.engine)
        return store

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """A connection; what the block does with it is done whole or not at all. Raises StoreError."""
        with database_errors(), self.engine.begin() as connection:
            yield connection


def with_driver(url: str) -> str:
    """The URL as SQLAlchemy wants it, of what people write: postgres://, postgresql://. Raises InputError."""
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/"):
        return url
    if separator and scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return f"postgresql+psycopg://{rest}"
    raise InputError(
        "the bot's database is no URL that it knows", hint="sqlite:////path/bot.sqlite, or postgresql://user@host/name"
    )


def insert_new(connection: "Connection", table: Any, rows: list[dict[str, object]]) -> None:
    """Insert the rows, but for those whose key is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def _engine(url: str) -> "Engine":
    from sqlalchemy import create_engine

    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    Path(url.partition(":///")[2]).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _PATIENCE})
    # What is recorded as sent must still be so after a power cut.
    set_up_sqlite(engine, ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"), "BEGIN IMMEDIATE")
    return engine


def set_up_sqlite(engine: "Engine", pragmas: Sequence[str], begin: str) -> None:
    """Each connection of the engine executes `pragmas` first, and begins each transaction with `begin`.

    pysqlite's own BEGIN comes too late, or not at all: what is read would not be of the transaction.
    """
    from sqlalchemy import event

    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))


def in_batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in their order, 500 at a time: as many as one statement may name."""
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


@contextmanager
def database_errors(
    failed: str = "cannot use the bot's database", hint: str = "what was begun goes on later"
) -> Iterator[None]:
    """The errors of SQLAlchemy and sqlite3 in the block, raised as ours: InputError for a wrong URL, else StoreError.

    `failed` is what the message begins with; what the database says follows it.
    """
    import sqlite3

    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        yield
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InputError("the bot's database is no URL that it knows", hint="see seriestool-bot(1)") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = (str(getattr(error, "orig", None) or error).splitlines() or ["no answer"])[0]
        raise StoreError(f"{failed}: {reason}", hint=hint) from error
