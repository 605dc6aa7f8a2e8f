# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's database: SQLite in a file, or Postgres by its URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.bot.dialects import database_errors, set_up_sqlite, with_driver

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_PATIENCE = 60  # seconds to wait for another process


class Store:
    """An open database with all tables in it."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> "Store":
        """The database at the URL (`sqlite:////path/bot.sqlite`, `postgresql://...`), its tables of the newest version.

        Raises InputError where that is no such URL, StoreError where it cannot be used now, SchemaError where a newer
        program made its tables, or they are none of ours.
        """
        from seriestool.bot.migrations import migrate

        with database_errors():
            store = cls(_engine(with_driver(url)))
        try:
            with store.transaction() as connection:
                migrate(connection)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """A connection; what the block does with it is done whole or not at all. Raises StoreError."""
        with database_errors(), self.engine.begin() as connection:
            yield connection


def _engine(url: str) -> "Engine":
    from sqlalchemy import create_engine

    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    Path(url.partition(":///")[2]).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _PATIENCE})
    # What is recorded as sent must still be so after a power cut.
    set_up_sqlite(engine, ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"), "BEGIN IMMEDIATE")
    return engine
