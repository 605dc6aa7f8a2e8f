# SPDX-License-Identifier: GPL-2.0-or-later
"""The bots at one database: who has which name, who lives, who does what only one should.

A worker lives while its count of beats grows. Whoever wants to know looks several times, some time apart, so that no
two clocks are ever compared, and an outage of the database, in which nobody could look, makes nobody dead.
"""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from msgspec import Struct, field

from seriestool.bot.dialects import insert_new
from seriestool.bot.store import Store
from seriestool.util.errors import InputError, OutsideError
from seriestool.util.files import try_lock

if TYPE_CHECKING:
    from sqlalchemy import Connection

MISSED_BEATS = 5
"""How often in a row a worker is seen not to have moved before it counts as gone."""
_LONGEST_NAME = 80


class NameTakenError(OutsideError):
    """Another process has the worker's name."""


class WorkerRow(Struct, frozen=True):
    """A worker, as its row has it."""

    name: str
    token: str
    beats: int
    seen: int
    started: int

    @property
    def executor(self) -> str:
        """What DBOS knows the process by: new for each, so that nobody takes the work of one that lives."""
        return f"{self.name}:{self.token}"


class Worker(Struct):
    """This process among the others."""

    store: Store
    name: str
    now: Callable[[], float] = time.time
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    _still: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > _LONGEST_NAME or not self.name.isprintable() or ":" in self.name:
            raise InputError(f"'{self.name}' cannot be the name of a worker", hint="letters and digits, say")

    @property
    def executor(self) -> str:
        """What DBOS knows this process by."""
        return f"{self.name}:{self.token}"

    def claim(self, wait: Callable[[], None], is_alone: bool) -> None:
        """The name is this process's; raises NameTakenError where another one lives by it.

        `wait` waits for one beat. Whoever is alone, by a lock on the file, need not look whether others live.
        """
        if is_alone:
            self._drop_all()
        for _ in range(MISSED_BEATS):
            if self._enter():
                return
            wait()
            self.gone()
        if not self._enter():
            raise NameTakenError(
                f"a bot called '{self.name}' works on this database", hint="give this one another name: --name"
            )

    def beat(self) -> None:
        """Show that this process lives; raises NameTakenError where another one has its name now."""
        from sqlalchemy import update

        from seriestool.bot.bot_tables import workers

        mine = (workers.c.name == self.name) & (workers.c.token == self.token)
        with self.store.transaction() as connection:
            values = {"beats": workers.c.beats + 1, "seen": int(self.now())}
            if connection.execute(update(workers).where(mine).values(values)).rowcount:
                return
        # The others took this one for gone: it was stopped for long, or cut off.
        if not self._enter():
            raise NameTakenError(f"another bot has taken the name '{self.name}'", hint="this one was away for too long")

    def leave(self) -> None:
        """Nobody has the name any more."""
        from sqlalchemy import delete

        from seriestool.bot.bot_tables import workers

        with self.store.transaction() as connection:
            connection.execute(delete(workers).where(workers.c.name == self.name, workers.c.token == self.token))

    def all(self) -> tuple[WorkerRow, ...]:
        """All workers, by name."""
        with self.store.transaction() as connection:
            return read_workers(connection)

    def gone(self) -> tuple[WorkerRow, ...]:
        """Those that are now known to be gone; of several that look, one is told. To be asked once in a beat."""
        from sqlalchemy import delete

        from seriestool.bot.bot_tables import workers

        known = {(one.name, one.token, one.beats): one for one in self.all() if one.token != self.token}
        self._still = {row: self._still.get(row, 0) + 1 for row in known}
        gone = []
        for row, looks in self._still.items():
            if looks < MISSED_BEATS:
                continue
            same = (workers.c.name == row[0]) & (workers.c.token == row[1]) & (workers.c.beats == row[2])
            with self.store.transaction() as connection:
                if connection.execute(delete(workers).where(same)).rowcount:
                    gone.append(known[row])
        return tuple(gone)

    def has_lease(self, name: str) -> bool:
        """Whether this process is the one that does it; it is free when its holder is gone."""
        from sqlalchemy import select, update

        from seriestool.bot.bot_tables import leases, workers

        alive = select(workers.c.token)
        with self.store.transaction() as connection:
            insert_new(connection, leases, [{"name": name, "token": self.token}])
            free = (leases.c.token == self.token) | leases.c.token.not_in(alive)
            mine = update(leases).where(leases.c.name == name, free).values(token=self.token)
            return bool(connection.execute(mine).rowcount)

    def _enter(self) -> bool:
        from sqlalchemy import select

        from seriestool.bot.bot_tables import workers

        now = int(self.now())
        row: dict[str, object] = {"name": self.name, "token": self.token, "beats": 0, "seen": now, "started": now}
        with self.store.transaction() as connection:
            insert_new(connection, workers, [row])
            holder = connection.execute(select(workers.c.token).where(workers.c.name == self.name)).scalar_one_or_none()
        return bool(holder == self.token)

    def _drop_all(self) -> None:
        from sqlalchemy import delete

        from seriestool.bot.bot_tables import workers

        with self.store.transaction() as connection:
            connection.execute(delete(workers))


def read_workers(connection: "Connection") -> tuple[WorkerRow, ...]:
    """All workers, by name."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import workers as table

    columns = (table.c.name, table.c.token, table.c.beats, table.c.seen, table.c.started)
    return tuple(WorkerRow(*row) for row in connection.execute(select(*columns).order_by(table.c.name)))


def lock_file(database: Path) -> IO[bytes]:
    """The lock that only one bot has at a file of SQLite, until it is closed or the process ends.

    Raises OutsideError where another one has it.
    """
    said = OutsideError(
        f"another bot works with '{database}'",
        hint="one bot at a time has a file; with Postgres several share the work (seriestool.bot.database)",
    )
    return lock_or_raise(database.with_name(database.name + ".lock"), said)


def lock_or_raise(path: Path, said: OutsideError) -> IO[bytes]:
    """The locked file, until it is closed or the process ends; raises `said` where another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = try_lock(path)
    if lock is None:
        raise said
    return os.fdopen(lock, "r+b")
