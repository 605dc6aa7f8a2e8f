# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's database: SQLite in a file, or Postgres by its URL; the one place where SQLAlchemy's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seriestool.util.errors import InputError, OutsideError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_PATIENCE = 60  # seconds to wait for another process


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

        with _explained(url):
            store = cls(_engine(with_driver(url)))
            metadata.create_all(store.engine)
        return store

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """A connection; what the block does with it is done whole or not at all. Raises StoreError."""
        with _explained(str(self.engine.url)), self.engine.begin() as connection:
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
    from sqlalchemy import create_engine, event

    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    Path(url.partition(":///")[2]).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _PATIENCE})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # pysqlite's own BEGIN comes too late: reads would not be of the transaction
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # what is said to be sent must still be said after a power cut


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        yield
    except ArgumentError as error:
        raise InputError(f"'{url}' is no URL of a database: {error}") from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreError(f"cannot use the bot's database: {reason}", hint="what was begun goes on later") from error
