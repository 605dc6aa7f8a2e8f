# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's database for those who only look: nothing can be written through it, and no writer waits for it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seriestool.bot.dialects import database_errors, set_up_sqlite, with_driver

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping

_PATIENCE = 5  # seconds for the database to answer at all
_LONGEST_MS = 10_000  # milliseconds for one question to Postgres


class DatabaseReader:
    """The database at a URL (`sqlite:////path/bot.sqlite`, `postgresql://...`); it need not be there yet.

    Raises InputError where that is no such URL.
    """

    def __init__(self, url: str) -> None:
        known = with_driver(url)
        self.file = Path(known.partition(":///")[2]) if known.startswith("sqlite") else None
        """Where it is, of SQLite."""
        with _read_errors():
            self._engine = _postgres(known) if self.file is None else _sqlite(self.file)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def look(self) -> "Iterator[Connection]":
        """A connection on which all questions see the same state; raises OutsideError."""
        with _read_errors(), self._engine.connect() as connection, connection.begin():
            yield connection

    def rows(self, query: Any) -> "list[Mapping[str, Any]]":
        """The rows that answer one question; raises OutsideError."""
        with self.look() as connection:
            return rows(connection, query)


def rows(connection: "Connection", query: Any) -> "list[Mapping[str, Any]]":
    """The rows that answer a question, each by the names of its columns."""
    found: list[RowMapping] = list(connection.execute(query).mappings())
    return [dict(row) for row in found]


def _sqlite(file: Path) -> "Engine":
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    # mode=rw: a file that is not there is an error, not a new database. No pool: a file that was replaced is seen.
    url = f"sqlite:///file:{quote(str(file))}?mode=rw&uri=true"
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": _PATIENCE})
    set_up_sqlite(engine, ("PRAGMA query_only = ON",), "BEGIN")
    return engine


def _postgres(url: str) -> "Engine":
    from sqlalchemy import create_engine

    options = f"-c default_transaction_read_only=on -c statement_timeout={_LONGEST_MS}"
    settings = {"options": options, "connect_timeout": _PATIENCE}
    engine = create_engine(url, pool_pre_ping=True, pool_timeout=_PATIENCE, connect_args=settings)
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _read_errors() -> AbstractContextManager[None]:
    return database_errors("cannot read the bot's database", "try again later")
