# SPDX-License-Identifier: GPL-2.0-or-later
"""What no open work can need any more goes, so that the tables of mails stay as large as half a year of lists.

* The text of a mail that is in no complete series goes after 30 days: what is missing then does not come any more.
* A mail goes after 200 days, which is how far back versions of one work are looked for.
* Nothing goes of a series that waits, runs, or failed and may be tried again.

Rows of series stay: they are what says that a series was found already.
"""

from seriestool.bot.dialects import in_batches
from seriestool.bot.store import Store

_DAY = 24 * 3600
UNUSED = 30 * _DAY
"""Seconds for which the text of a mail that belongs to nothing is kept."""
OLD = 200 * _DAY
"""Seconds for which a mail is known."""

_LOT = 1000


def purge(store: Store, now: int) -> int:
    """How many mails were forgotten, or lost their text; `now` is unix time.

    Raises OutsideError where the database cannot be used.
    """
    return _forget_texts(store, now - UNUSED) + _forget_mails(store, now - OLD)


def _forget_texts(store: Store, before: int) -> int:
    from sqlalchemy import select, update

    from seriestool.bot.bot_tables import mails

    unused = (
        select(mails.c.msgid)
        .where(mails.c.seen < before, mails.c.series.is_(None), mails.c.raw.is_not(None))
        .order_by(mails.c.seen)
        .limit(_LOT)
    )
    count = 0
    while True:
        with store.transaction() as connection:
            done = connection.execute(
                update(mails).where(mails.c.msgid.in_(unused)).values(raw=None, due=None)
            ).rowcount
        count += done
        if done < _LOT:
            return count


def _forget_mails(store: Store, before: int) -> int:
    from sqlalchemy import delete, select

    from seriestool.bot.bot_tables import SeriesState, links, mails, series

    is_open = series.c.state.in_((SeriesState.WAITING, SeriesState.QUEUED, SeriesState.RUNNING, SeriesState.FAILED))
    needed = select(series.c.key).where(is_open, series.c.key == mails.c.series).exists()
    old = select(mails.c.msgid).where(mails.c.seen < before, ~needed).order_by(mails.c.seen).limit(_LOT)
    count = 0
    while True:
        with store.transaction() as connection:
            msgids = list(connection.execute(old).scalars())
            for some in in_batches(msgids):
                connection.execute(delete(links).where(links.c.child.in_(some)))
                connection.execute(delete(mails).where(mails.c.msgid.in_(some)))
        count += len(msgids)
        if len(msgids) < _LOT:
            return count
