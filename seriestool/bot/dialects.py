# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bot asks of SQLite and of Postgres alike: URLs, errors, locks, inserts.

The one place where the errors of SQLAlchemy become ours.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from seriestool.util.errors import InputError, OutsideError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")

BACKUP = "restore a backup of it, or name another database (--database)"
"""What to do with a database whose tables are not ours."""
_BATCH = 500  # values in one statement: databases have a limit
_UNDEFINED = ("42703", "42P01")  # Postgres: no such column, no such table
_NO_SUCH = ("no such column", "no such table", "has no column named")  # SQLite


class StoreError(OutsideError):
    """The database cannot be used now: it is gone, locked or full. What was begun can go on once it is back."""


class SchemaError(OutsideError):
    """The tables of the database are not those that this program knows: waiting does not help, a person has to act."""


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


def lock_until_commit(connection: "Connection", number: int) -> None:
    """Waits until no other transaction holds the lock of that number; SQLite has one writer at a time anyway."""
    from sqlalchemy import func, select

    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(number)))


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
    """The errors of SQLAlchemy and sqlite3 in the block, raised as ours: InputError, SchemaError, StoreError.

    `failed` is what the message begins with; what the database says follows it.
    """
    import sqlite3

    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        yield
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InputError("the bot's database is no URL that it knows", hint="see seriestool-bot(1)") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        reason = (str(cause).splitlines() or ["no answer"])[0]
        if getattr(cause, "sqlstate", None) in _UNDEFINED or reason.startswith(_NO_SUCH) or _NO_SUCH[-1] in reason:
            raise SchemaError(f"{failed}: {reason}", hint=BACKUP) from error
        raise StoreError(f"{failed}: {reason}", hint=hint) from error
