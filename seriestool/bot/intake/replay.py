# SPDX-License-Identifier: GPL-2.0-or-later
"""An old stretch of lists, read as the bot would have read it then: the same code, and time as the mails say it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from seriestool.bot.intake.due_mails import SETTLE, assemble_series
from seriestool.bot.intake.mail_table import IncomingMail, ListReadResult, insert_mails
from seriestool.bot.store import Store
from seriestool.git import Repository
from seriestool.series.mail import Mail
from seriestool.sources.archive.public_inbox import find_archive_changes, small_mails
from seriestool.sources.lists.indexed_mail import MAX_MAIL

if TYPE_CHECKING:
    from sqlalchemy import Row

_IMPORTED = 2 * 24 * 3600  # seconds after which a mail was not delivered, but an old archive imported
_BATCH = 1000
_PER_TURN = 500


class ReplayPeriod(NamedTuple):
    """A stretch of time, unix seconds; the end is not part of it."""

    since: int
    until: int


class ReplayList(NamedTuple):
    """A list, and the repositories of its archive, oldest first."""

    name: str
    epochs: tuple[Path, ...]


class _MailLocation(NamedTuple):
    time: int
    order: int
    list: str
    epoch: Path
    blob: str


class ReplayEvent(Struct, frozen=True, kw_only=True):
    """A series that was found."""

    time: int
    """When the bot would have found it."""
    key: str
    list: str
    msgid: str
    subject: str
    version: int
    expected: int
    missing: int
    state: str


def replay(
    store: Store, lists: Sequence[ReplayList], span: ReplayPeriod, interval: int = 300, settle: int = SETTLE
) -> Iterator[ReplayEvent]:
    """Each series that was found in the stretch, or given up, when it was; the store is of this replay alone.

    Mails come when the archive got them, or when they were sent where it got them much later (it was imported then).
    The bot looks each `interval` seconds. What the caller does between two events is done at the time of the first.
    """
    places = sorted(place for listed in lists for place in _places(listed, span))
    last = span.since
    for now, group in groupby(places, key=lambda place: (place.time // interval + 1) * interval):
        yield from _waited(store, last, now, settle)
        turn = list(group)
        for start in range(0, len(turn), _PER_TURN):
            _arrive(store, turn[start : start + _PER_TURN], now)
        yield from _look(store, now, settle)
        last = now
    yield from _waited(store, last, max(span.until, last) + settle + interval, settle)


def unfinished(store: Store) -> list[ReplayEvent]:
    """What was found and not done with: of a replay that was cut short."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import SeriesState, series

    with store.transaction() as connection:
        query = (
            select(series)
            .where(series.c.state.in_((SeriesState.WAITING, SeriesState.RUNNING)))
            .order_by(series.c.found, series.c.key)
        )
        return [_event(row, row.found) for row in connection.execute(query)]


def set_running(store: Store, key: str) -> None:
    """Say that the series is being looked at: a newer version does not make it void any more."""
    _set(store, key, {"state": "running"})


def set_done(store: Store, key: str, now: int) -> None:
    """Say that it was."""
    _set(store, key, {"state": "done", "finished": now})


def _set(store: Store, key: str, values: dict[str, object]) -> None:
    from sqlalchemy import update

    from seriestool.bot.bot_tables import series

    with store.transaction() as connection:
        connection.execute(update(series).where(series.c.key == key).values(values))


def _places(listed: ReplayList, span: ReplayPeriod) -> Iterator[_MailLocation]:
    """Where the mails of the stretch are, with the time at which each came."""
    order = 0
    for epoch in listed.epochs:
        with Repository.open(epoch) as archive:
            changes = find_archive_changes(archive, ())
            if changes is None:
                continue
            gone: set[str] = set()
            times: dict[str, int] = {}
            for batch in changes.batches(_BATCH):
                gone.update(one.blob for one in batch if one.is_gone)
                times.update((one.blob, one.time) for one in batch if not one.is_gone and one.time >= span.since)
            oids = [oid for oid in times if oid not in gone]
            for start in range(0, len(oids), _BATCH):
                for oid, raw in small_mails(archive, oids[start : start + _BATCH], MAX_MAIL):
                    order += 1
                    time = _arrival(raw, times[oid])
                    if span.since <= time < span.until:
                        yield _MailLocation(time=time, order=order, list=listed.name, epoch=epoch, blob=oid)


def _arrival(raw: bytes, imported: int) -> int:
    posted = int(Mail(raw).posted.timestamp())
    return imported if posted > imported - _IMPORTED else posted


def _arrive(store: Store, places: Sequence[_MailLocation], now: int) -> None:
    for (name, epoch), group in groupby(places, key=lambda place: (place.list, place.epoch)):
        with Repository.open(epoch) as archive:
            some = {place.blob: place.time for place in group}
            mails = [IncomingMail(raw, some[oid]) for oid, raw in small_mails(archive, list(some), MAX_MAIL)]
        with store.transaction() as connection:
            insert_mails(connection=connection, name=name, mails=mails, now=now, tally=ListReadResult())


def _waited(store: Store, last: int, now: int, settle: int) -> Iterator[ReplayEvent]:
    """What time alone makes of the mails between two moments."""
    while (due := _next_due(store)) is not None and last < due < now:
        yield from _look(store, due, settle)


def _next_due(store: Store) -> int | None:
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import mails

    with store.transaction() as connection:
        due: int | None = connection.execute(select(func.min(mails.c.due))).scalar()
        return due


def _look(store: Store, now: int, settle: int) -> Iterator[ReplayEvent]:
    found = assemble_series(store, now, settle)
    yield from _events(store, [*found.complete, *found.incomplete], now)


def _events(store: Store, keys: Iterable[str], now: int) -> Iterator[ReplayEvent]:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import series

    for key in keys:
        with store.transaction() as connection:
            row = connection.execute(select(series).where(series.c.key == key)).first()
        if row is not None:
            yield _event(row, now)


def _event(row: "Row[tuple[object, ...]]", now: int) -> ReplayEvent:
    return ReplayEvent(
        time=now,
        key=row.key,
        list=row.list,
        msgid=row.msgid,
        subject=row.subject,
        version=row.version,
        expected=row.expected,
        missing=row.missing,
        state=row.state,
    )


def format_minute(time: int) -> str:
    """The time to the minute, UTC."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}"
