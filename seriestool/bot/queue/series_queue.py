# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of series as a queue: who waits, whose turn it is, which turns are running, who tries again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from seriestool.bot.bot_config import Bounds
from seriestool.bot.bot_tables import SeriesState
from seriestool.bot.dialects import in_batches, lock_until_commit
from seriestool.bot.queue.admission import AHEAD, HOUR, AdmittedSeries, WaitingSeries, admit
from seriestool.bot.queue.pipeline import Attempt
from seriestool.bot.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

IN_HAND = (SeriesState.QUEUED, SeriesState.RUNNING)
_LOOKED_AT = 5000  # waiting series in one look; an author's first ones come before any other's second
_LOCK = 0x5E71E5


def admit_waiting(store: Store, bounds: Bounds, now: int) -> tuple[str, ...]:
    """Keys of the series whose turn has come now; they are queued."""
    from sqlalchemy import func, select, update

    from seriestool.bot.bot_tables import series

    with store.transaction() as connection:
        lock_until_commit(connection, _LOCK)  # two that admit at once would each use the whole of the bounds
        in_hand = connection.execute(select(func.count()).where(series.c.state.in_(IN_HAND))).scalar_one()
        keys = admit(
            waiting=_waiting(connection, bounds),
            recent=_recent(connection, now),
            bounds=bounds,
            now=now,
            in_hand=in_hand,
        )
        for some in in_batches(keys):
            connection.execute(
                update(series)
                .where(series.c.key.in_(some), series.c.state == SeriesState.WAITING)
                .values(state=SeriesState.QUEUED, admitted=now, tries=1)
            )
    return keys


def active_attempts(store: Store, limit: int = 10_000) -> tuple[Attempt, ...]:
    """The turns that are queued or running, oldest first."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    wanted = select(series.c.key, series.c.rounds, series.c.tries).where(series.c.state.in_(IN_HAND))
    with store.transaction() as connection:
        rows = connection.execute(wanted.order_by(series.c.admitted, series.c.key).limit(limit))
        return tuple(Attempt(*row) for row in rows)


def fail_attempt(store: Store, attempt: Attempt, error: str, now: int) -> bool:
    """Whether the turn was in hand; it has failed, and a person has to look."""
    from sqlalchemy import update

    from seriestool.bot.bot_tables import series

    mine = (series.c.key == attempt.key) & (series.c.rounds == attempt.rounds) & (series.c.tries == attempt.tries)
    values = {"state": SeriesState.FAILED, "error": error[:2000], "finished": now}
    with store.transaction() as connection:
        done = connection.execute(update(series).where(mine, series.c.state.in_(IN_HAND)).values(values))
    return bool(done.rowcount)


def counts(store: Store) -> dict[str, int]:
    """State -> how many series are in it; every state is there."""
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import series

    with store.transaction() as connection:
        rows = connection.execute(select(series.c.state, func.count()).group_by(series.c.state))
        found: dict[str, int] = {state: count for state, count in rows}  # noqa: C416
    return {str(state): found.get(str(state), 0) for state in SeriesState}


def _waiting(connection: "Connection", bounds: Bounds) -> Iterable[WaitingSeries]:
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import series

    place = func.row_number().over(
        partition_by=(series.c.list, series.c.author), order_by=(series.c.found, series.c.key)
    )
    columns = (series.c.key, series.c.list, series.c.author, series.c.found)
    ranked = select(*columns, place.label("place")).where(series.c.state == SeriesState.WAITING).subquery()
    wanted = (
        select(ranked.c.key, ranked.c.list, ranked.c.author, ranked.c.found)
        .where(ranked.c.place <= bounds.per_author)
        .order_by(ranked.c.place, ranked.c.found, ranked.c.key)
        .limit(_LOOKED_AT)
    )
    return [WaitingSeries(*row) for row in connection.execute(wanted)]


def _recent(connection: "Connection", now: int) -> Iterable[AdmittedSeries]:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    wanted = select(series.c.list, series.c.author, series.c.admitted).where(
        series.c.admitted > now - HOUR, series.c.admitted <= now + AHEAD
    )
    return [AdmittedSeries(*row) for row in connection.execute(wanted)]
