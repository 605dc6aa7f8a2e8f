# SPDX-License-Identifier: GPL-2.0-or-later
"""SQLite files of ours: opened to ask or to add to, safe with two processes at once, made again where damaged."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool.util.errors import OutsideError

if TYPE_CHECKING:
    import sqlite3

_PATIENCE = 60  # seconds to wait for another process
_CACHE = 65_536  # KiB of pages in memory while adding
_PREFIX = 15  # hex digits that SQLite's signed 64 bits hold


class DatabaseSchema(Struct, frozen=True):
    """What a file is to contain."""

    version: int
    """Files of another version are made anew."""
    statements: str
    """CREATE statements, a semicolon and a newline after each."""
    name: str
    """What error messages call it."""
    hint: str
    """How a damaged one is made again."""


class Database:
    """One open file; SQLite's errors become ours."""

    def __init__(self, connection: "sqlite3.Connection", path: Path, schema: DatabaseSchema) -> None:
        self.connection = connection
        self.path = path
        self._schema = schema

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def rows(self, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question; raises OutsideError where the file is damaged or cannot be read."""
        with _explained(self.path, self._schema):
            return self.connection.execute(question, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator["sqlite3.Connection"]:
        """The connection; what the block does with it is done whole or not at all."""
        with _explained(self.path, self._schema), self.connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection


def find_database(path: Path, schema: DatabaseSchema) -> Database | None:
    """The file to ask, or None where there is none; raises OutsideError where it is damaged."""
    if not path.exists():
        return None
    import sqlite3

    with _explained(path, schema):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
        if not _is_current(connection, schema):
            connection.close()
            raise sqlite3.DatabaseError("another version")
    return Database(connection, path, schema)


def make_database(path: Path, schema: DatabaseSchema) -> Database:
    """The file to add to: the one that is there, or a new one where there is none or it is damaged."""
    import sqlite3

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Database(_connect(path, schema), path, schema)
    except sqlite3.OperationalError as error:
        raise OutsideError(f"cannot open {schema.name} '{path}': {error}") from error
    except sqlite3.DatabaseError:
        path.unlink()  # all that it knows can be read again
        return Database(_connect(path, schema), path, schema)


def make_temporary(schema: DatabaseSchema) -> Database:
    """An empty one in memory."""
    path = Path(":memory:")
    return Database(_connect(path, schema), path, schema)


def prefix_number(oid: str) -> int:
    """The first 60 bits of an id as a number."""
    return int(oid[:_PREFIX], 16)


def prefix_range(oid: str) -> tuple[int, int]:
    """The lowest and the highest number of ids that begin so."""
    head = oid[:_PREFIX]
    return int(head.ljust(_PREFIX, "0"), 16), int(head.ljust(_PREFIX, "f"), 16)


def _connect(path: Path, schema: DatabaseSchema) -> "sqlite3.Connection":
    import sqlite3

    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in schema.statements.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.version}")
    connection.execute("COMMIT")
    if not _is_current(connection, schema):
        connection.close()
        raise sqlite3.DatabaseError("another version")
    return connection


def _is_current(connection: "sqlite3.Connection", schema: DatabaseSchema) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == schema.version)


@contextmanager
def _explained(path: Path, schema: DatabaseSchema) -> Iterator[None]:
    import sqlite3

    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutsideError(f"cannot use {schema.name} '{path}': {error}") from error
    except sqlite3.DatabaseError as error:
        raise OutsideError(f"{schema.name} '{path}' is damaged", hint=schema.hint) from error
