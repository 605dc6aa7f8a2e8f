# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's tables from one version to the next: numbered steps, each done once, all of them in one transaction.

To change a table, change it in bot.bot_tables and add a step to MIGRATIONS that does the same to a database that is
there. A new database gets the tables as they are now, and the newest number. One without a number is of the release
before there were numbers: its tables are those of version 1.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from seriestool import __version__
from seriestool.bot.bot_tables import metadata, schema_versions
from seriestool.bot.dialects import BACKUP, SchemaError, lock_until_commit

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = 0x5E21E6
"""Held by whoever migrates."""


class Migration(NamedTuple):
    """A step from the version before to `number`."""

    number: int
    about: str
    """What it does, for whoever reads the code."""
    apply: Callable[["Connection"], None]


def _make_missing_tables(connection: "Connection") -> None:
    metadata.create_all(connection)


MIGRATIONS = (Migration(1, "the tables have a version", _make_missing_tables),)
NEWEST = MIGRATIONS[-1].number
"""The version that this program knows."""


def migrate(connection: "Connection", migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """The tables are those of the newest version now; of several workers that start at once, one sees to it.

    Raises SchemaError where a newer program made them, or they are none of ours, with what to do.
    """
    lock_until_commit(connection, _LOCK)
    found = find_version(connection)
    newest = migrations[-1].number
    if found == newest:
        return
    if found is None and not _has_tables(connection):
        metadata.create_all(connection)
        _record(connection, newest)
        return
    check_version(found, newest, find_program(connection) if found else None)
    for step in migrations:
        if step.number > (found or 0):
            step.apply(connection)
            _record(connection, step.number)
    _check_columns(connection)


def find_version(connection: "Connection") -> int | None:
    """The version of the tables; None where they have none, or there are no tables."""
    from sqlalchemy import func, inspect, select

    if not inspect(connection).has_table(schema_versions.name):
        return None
    return connection.execute(select(func.max(schema_versions.c.version))).scalar_one_or_none()


def find_program(connection: "Connection") -> str | None:
    """The version of the program that made the tables what they are."""
    from sqlalchemy import select

    newest = select(schema_versions.c.program).order_by(schema_versions.c.version.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()


def check_version(found: int | None, newest: int = NEWEST, program: str | None = None) -> None:
    """Nothing, where a program that knows `newest` can work with tables of that version; raises SchemaError."""
    if found is None or found <= newest:
        return
    by = f", made by seriestool {program}," if program else ""
    raise SchemaError(
        f"the bot's database has schema version {found}{by} and this program knows {newest}",
        hint="install that version here too, or go back to the backup made before the upgrade",
    )


def check_tables(connection: "Connection") -> None:
    """Nothing, where the tables are still those of a version that this program knows; raises SchemaError."""
    from sqlalchemy import func, select

    found = connection.execute(select(func.max(schema_versions.c.version))).scalar_one_or_none()
    if found is not None and found > NEWEST:
        check_version(found, NEWEST, find_program(connection))


def _has_tables(connection: "Connection") -> bool:
    from sqlalchemy import inspect

    return inspect(connection).has_table("series")


def _record(connection: "Connection", number: int) -> None:
    from sqlalchemy import insert

    row = {"version": number, "migrated": int(time.time()), "program": __version__}
    connection.execute(insert(schema_versions).values(row))


def _check_columns(connection: "Connection") -> None:
    """A database that was changed by hand, or was made before there was a release, is told at once."""
    from sqlalchemy import inspect

    seen = inspect(connection)
    for table in metadata.sorted_tables:
        present = {column["name"] for column in seen.get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                raise SchemaError(f"the bot's database has no column '{table.name}.{column.name}'", hint=BACKUP)
