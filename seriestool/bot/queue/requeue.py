# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person wants done again: series that failed or are to be looked at anew, messages that nobody knows of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seriestool.bot.bot_tables import MessageState, SeriesState
from seriestool.bot.dialects import in_batches
from seriestool.bot.store import Store
from seriestool.util.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OVER = (SeriesState.DONE, SeriesState.FAILED, SeriesState.SUPERSEDED)
_SHORTEST = 7


def retry_series(store: Store, name: str) -> str:
    """The key of the series of that key (or its beginning) or message-id; it waits again, and is looked at anew.

    Raises NotFoundError where there is none, InputError where it waits or runs as it is, or cannot be read any
    more: the report that there is must not give way to one that says so.
    """
    from sqlalchemy import delete

    from seriestool.bot.bot_tables import reports

    with store.transaction() as connection:
        key, state = _find(connection, name)
        if state not in _OVER:
            raise InputError(f"series {key[:12]} is {state} as it is")
        if not _has_mails(connection, key):
            raise InputError(f"the mails of series {key[:12]} are not kept any more")
        connection.execute(delete(reports).where(reports.c.key == key))
        _wait_again(connection, [key])
    return key


def retry_failed(store: Store) -> int:
    """How many series had failed; they wait again."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    with store.transaction() as connection:
        keys = connection.execute(select(series.c.key).where(series.c.state == SeriesState.FAILED)).scalars().all()
        _wait_again(connection, keys)
    return len(keys)


def retry_unknown(store: Store, now: int) -> int:
    """How many messages nobody knew of; they are sent, whether they had gone out or not: a person has looked.

    They count as decided now, or what is old would be withdrawn.
    """
    from sqlalchemy import update

    from seriestool.bot.bot_tables import sayings

    unknown = update(sayings).where(sayings.c.state == MessageState.UNKNOWN)
    with store.transaction() as connection:
        return connection.execute(unknown.values(state=MessageState.DECIDED, error=None, decided=now)).rowcount


def _find(connection: "Connection", name: str) -> tuple[str, str]:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    by_msgid = series.c.msgid == name.strip("<> ")
    wanted = select(series.c.key, series.c.state).where(by_msgid | series.c.key.startswith(name, autoescape=True))
    rows = connection.execute(wanted.order_by(series.c.key).limit(2)).all() if len(name) >= _SHORTEST else []
    if not rows:
        raise NotFoundError(f"the bot knows no series '{name}'", hint="see 'seriestool bot status'")
    if len(rows) > 1:
        raise InputError(f"'{name}' is the beginning of several series' keys")
    return rows[0].key, rows[0].state


def _has_mails(connection: "Connection", key: str) -> bool:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails

    mine = select(mails.c.msgid).where(mails.c.series == key, mails.c.raw.is_not(None)).limit(1)
    return connection.execute(mine).first() is not None


def _wait_again(connection: "Connection", keys: Sequence[str]) -> None:
    from sqlalchemy import update

    from seriestool.bot.bot_tables import series

    values: dict[str, Any] = {
        "state": SeriesState.WAITING,
        "tries": 0,
        "rounds": series.c.rounds + 1,
        "error": None,
        "worker": None,
        "finished": None,
    }
    for some in in_batches(keys):
        connection.execute(update(series).where(series.c.key.in_(some)).values(values))
