# SPDX-License-Identifier: GPL-2.0-or-later
"""How the bot stands: lists, series by state, workers, what failed and what nobody knows; read from its tables."""

from typing import Any

import msgspec
from msgspec import Struct

from seriestool.bot.bot_tables import MessageState, SeriesState
from seriestool.bot.queue.series_queue import counts
from seriestool.bot.queue.workers import read_workers
from seriestool.bot.store import Store
from seriestool.series.model import SCHEMA
from seriestool.util.json_struct import JsonStruct

SHOWN = 100
"""Failed series and unknown messages that are listed; all of them are counted."""


class ListStatus(Struct, frozen=True):
    """A list, and how far it was read."""

    list: str
    position: str
    read_at: int
    error: str | None


class FailedSeries(Struct, frozen=True):
    """A series that a person has to look at."""

    key: str
    msgid: str
    subject: str
    tries: int
    finished: int | None
    error: str | None


class UnknownMessage(Struct, frozen=True):
    """A message that may have gone out."""

    id: str
    key: str
    channel: str
    msgid: str
    decided: int
    error: str | None


class WorkerStatus(Struct, frozen=True):
    """A worker, as it was seen last."""

    name: str
    seen: int
    started: int
    in_hand: int


class Overview(JsonStruct, frozen=True, kw_only=True):
    """All of it."""

    lists: tuple[ListStatus, ...]
    states: dict[str, int]
    oldest_waiting: int | None
    """When the series was complete that has waited longest; unix seconds."""
    workers: tuple[WorkerStatus, ...]
    failed: tuple[FailedSeries, ...]
    """Newest first."""
    sayings: dict[str, int]
    unknown: tuple[UnknownMessage, ...]

    def to_dict(self) -> dict[str, object]:
        """The overview as JSON shows it."""
        return {"schema": SCHEMA, **msgspec.to_builtins(self)}


def read_overview(store: Store) -> Overview:
    """How the bot stands now. Raises StoreError."""
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import cursors, sayings, series

    c = cursors.c
    states = counts(store)
    with store.transaction() as connection:
        lists = connection.execute(select(c.list, c.position, c.read_at, c.error).order_by(c.list)).all()
        oldest = connection.execute(
            select(func.min(series.c.found)).where(series.c.state == SeriesState.WAITING)
        ).scalar()
        busy = _counted(connection, series.c.worker, series.c.state == SeriesState.RUNNING)
        said = _counted(connection, sayings.c.state)
        workers = read_workers(connection)
        failed = connection.execute(_failed()).all()
        unknown = connection.execute(_unknown()).all()
    return Overview(
        lists=tuple(ListStatus(*row) for row in lists),
        states=states,
        oldest_waiting=oldest,
        workers=tuple(WorkerStatus(one.name, one.seen, one.started, busy.get(one.name, 0)) for one in workers),
        failed=tuple(FailedSeries(*row) for row in failed),
        sayings={str(state): said.get(str(state), 0) for state in MessageState},
        unknown=tuple(UnknownMessage(*row) for row in unknown),
    )


def _counted(connection: Any, column: Any, *conditions: Any) -> dict[str, int]:
    from sqlalchemy import func, select

    rows = connection.execute(select(column, func.count()).where(*conditions).group_by(column))
    return {name: count for name, count in rows}  # noqa: C416


def _failed() -> Any:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    c = series.c
    wanted = select(c.key, c.msgid, c.subject, c.tries, c.finished, c.error).where(c.state == SeriesState.FAILED)
    return wanted.order_by(c.finished.desc(), c.key).limit(SHOWN)


def _unknown() -> Any:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import sayings

    c = sayings.c
    wanted = select(c.id, c.key, c.channel, c.msgid, c.decided, c.error).where(c.state == MessageState.UNKNOWN)
    return wanted.order_by(c.decided.desc(), c.id).limit(SHOWN)
