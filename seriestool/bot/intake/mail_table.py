# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails into the table of mails, each message-id once, and out of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from seriestool.bot.intake.mail_row import MailRow, parse_row
from seriestool.bot.store import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PER_QUESTION = 500


@dataclass(slots=True)
class ListReadResult:
    """What a look at a list brought."""

    mails: int = 0
    """That were read."""
    added: int = 0
    """That were not known."""
    left_out: int = 0
    """Larger than a mail may be, or without a usable message-id."""
    gone: int = 0
    """That the archive took back."""
    error: str | None = None
    """Why it could not be read, or not to the end."""


class IncomingMail(NamedTuple):
    """A mail as a list had it."""

    raw: bytes
    imported: int | None = None
    """When the list had it, where that is known."""


def insert_mails(
    connection: "Connection", name: str, mails: Iterable[IncomingMail], now: int, tally: ListReadResult
) -> None:
    """Put the mails into the table, those that it does not have; of two with one message-id the first counts."""
    from seriestool.bot.bot_tables import links
    from seriestool.bot.bot_tables import mails as table

    rows: dict[str, MailRow] = {}
    for row in _rows(name, mails, now, tally):
        rows.setdefault(str(row.values["msgid"]), row)
    fresh = [rows[msgid] for msgid in _unknown(connection, list(rows))]
    tally.added += len(fresh)
    insert_new(connection, table, [row.values for row in fresh])
    below = [{"parent": one, "child": row.values["msgid"]} for row in fresh for one in row.parents]
    insert_new(connection, links, below)


def remove_mails(connection: "Connection", msgids: Sequence[str]) -> None:
    """Forget mails that the archive does not have any more.

    A series that nobody has begun to look at loses them, and is incomplete again; of another one only the mail's
    text goes, and what was found of it stays.
    """
    from sqlalchemy import delete, select, update

    from seriestool.bot.bot_tables import SeriesState, links, mails, series

    for msgid in msgids:
        key = connection.execute(select(mails.c.series).where(mails.c.msgid == msgid)).scalar()
        waits = (series.c.key == key) & series.c.state.in_((SeriesState.WAITING, SeriesState.SUPERSEDED))
        if key is None or connection.execute(delete(series).where(waits)).rowcount:
            connection.execute(update(mails).where(mails.c.series == (key or "")).values(series=None, due=0))
            connection.execute(delete(mails).where(mails.c.msgid == msgid))
            connection.execute(delete(links).where(links.c.child == msgid))
        else:
            connection.execute(update(mails).where(mails.c.msgid == msgid).values(raw=None))


def _rows(name: str, mails: Iterable[IncomingMail], now: int, tally: ListReadResult) -> Iterator[MailRow]:
    for raw, time in mails:
        imported = datetime.fromtimestamp(min(time, 2**32), UTC) if time is not None else None
        row = parse_row(raw, name, now, imported)
        if row is None:
            tally.left_out += 1
        else:
            yield row


def _unknown(connection: "Connection", msgids: Sequence[str]) -> list[str]:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails

    found: set[str] = set()
    for start in range(0, len(msgids), _PER_QUESTION):
        some = msgids[start : start + _PER_QUESTION]
        found.update(connection.execute(select(mails.c.msgid).where(mails.c.msgid.in_(some))).scalars())
    return [one for one in msgids if one not in found]
