# SPDX-License-Identifier: GPL-2.0-or-later
"""A series that was found, from the mails of the table, with what is known of its other versions."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool.bot.intake.related_mails import read_raw
from seriestool.bot.store import Store
from seriestool.precheck.precheck_result import SeriesVersion
from seriestool.series.mail import SeriesSelector, assemble, parse_mails
from seriestool.series.model import Series
from seriestool.util.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection


class LoadedSeries(Struct, frozen=True, kw_only=True):
    """What a precheck is made of."""

    key: str
    list: str
    hints: tuple[str, ...]
    series: Series
    previous: Series | None
    """The newest complete version that was posted before; None where there is none, or its mails are gone."""
    versions: tuple[SeriesVersion, ...]
    """All complete ones that were known when this one was found, oldest first, this one among them."""


def load_series(store: Store, key: str) -> LoadedSeries:
    """The series of that key.

    Raises NotFoundError where there is none, InputError where its mails are damaged or not there any more,
    OutsideError where the database cannot be used.
    """
    with store.transaction() as connection:
        rows = _lineage(connection, key)
        row = next((one for one in rows if one.key == key), None)
        if row is None:
            raise NotFoundError(f"no series has the key '{key[:50]}'")
        rows = [one for one in rows if one.found <= row.found]  # the same whenever it is asked
        before = [one for one in rows if (one.posted, one.key) < (row.posted, row.key)]
        return LoadedSeries(
            key=key,
            list=row.list,
            hints=tuple((row.hints or "").split()),
            series=_series(connection, row, before),
            previous=_previous(connection, before),
            versions=tuple(_version(one, row.key) for one in rows),
        )


def _lineage(connection: "Connection", key: str) -> list[Any]:
    """The complete series of the lineage, oldest first."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    name = select(series.c.lineage).where(series.c.key == key).scalar_subquery()
    query = select(series).where(series.c.lineage == name, series.c.missing == 0)
    return list(connection.execute(query.order_by(series.c.posted, series.c.key)))


def _series(connection: "Connection", row: Any, before: list[Any]) -> Series:
    from seriestool.bot.bot_tables import mails

    keys = [row.key]
    hints = (row.hints or "").split()
    if "partial" in hints:
        keys += [one.key for one in before if one.expected == row.expected]
    if "added" in hints:
        keys += [one.key for one in before if one.version == row.version]
    raws = list(read_raw(connection, mails.c.series, keys))
    if not raws:
        raise InputError(f"the mails of '{row.msgid}' are not kept any more", hint="name it by its message-id")
    return assemble(parse_mails(raws), SeriesSelector(row.msgid, version=row.version), row.msgid)


def _previous(connection: "Connection", before: list[Any]) -> Series | None:
    for place in range(len(before) - 1, -1, -1):
        try:
            return _series(connection, before[place], before[:place])
        except InputError:
            continue
    return None


def _version(row: Any, key: str) -> SeriesVersion:
    posted = datetime.fromtimestamp(row.posted, UTC)
    return SeriesVersion(
        version=row.version,
        msgid=row.msgid,
        subject=row.subject,
        posted=posted,
        patches=row.expected,
        is_this=row.key == key,
    )
