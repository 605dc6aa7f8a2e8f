# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails of the table -> rows of the table of series: each complete series once, whenever and wherever its mails came.

Which mails were sent together is said by `mail.posting`, of few mails at a time. A series is found when all its
patches are there. Where its cover letter may still be on its way, that is awaited for some minutes; where patches are,
for as long as `settle` says: then the series is listed as incomplete, and a straggler completes it. Mails of a series
that was found are not taken apart again. A row and the mails that belong to it go in together.

Time is what the caller says. What a clock says that was set back is not waited for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seriestool.bot.dialects import in_batches, lock_until_commit
from seriestool.bot.intake.related_mails import MOST, StoredMail, find_mails, find_own_thread, find_related_mails
from seriestool.bot.intake.series_assembly import COVER_WAIT, AssemblyResult, SeriesAssembly
from seriestool.bot.store import Store
from seriestool.series.mail.posting import Posting
from seriestool.util.groups import connected_groups

if TYPE_CHECKING:
    from sqlalchemy import Connection

Lot = list[StoredMail]
"""Mails that may belong together, oldest first."""

SETTLE = 3600
"""Seconds to wait for the patches of a series."""

_TOGETHER = 2 * 24 * 3600
_LOT = 100  # mails that are due, in a transaction
_LOCK = 0x5E21E5  # two that assemble at once would find a series twice


def assemble_series(store: Store, now: int, settle: int = SETTLE) -> AssemblyResult:
    """What the mails that came, and the time that went by, make of series; the tables have it now.

    `now` is unix time, `settle` seconds. Raises OutsideError where the database cannot be used.
    """
    found = AssemblyResult()
    crowd: set[str] = set()
    while True:
        with store.transaction() as connection:
            lock_until_commit(connection, _LOCK)
            due = _find_due(connection, now, max(settle, COVER_WAIT))
            if not due:
                return found
            lots = _find_lots(connection, due, crowd)
            if crowd:  # of few mails that are due much was read: all of it is looked at now
                due = list({*due, *(one.head.msgid for lot in lots for one in lot)})
            assemblies = [
                SeriesAssembly(connection=connection, lot=lot, now=now, settle=settle, found=found) for lot in lots
            ]
            for assembly, posting in _postings(assemblies, set(due)):
                assembly.judge(posting)
            _set_looked_at(connection, due, now, max(settle, COVER_WAIT))


def _find_lots(connection: "Connection", due: Sequence[str], crowd: set[str]) -> list[Lot]:
    """The mails that are due, and what may belong to them; `crowd` gets those that are too many to be looked at."""
    if not crowd:
        stored = find_related_mails(connection, due)
        if len(stored) < MOST:
            return _split(stored, due)
    return _crowded(connection, due, crowd)


def _postings(assemblies: Sequence[SeriesAssembly], due: set[str]) -> list[tuple[SeriesAssembly, Posting]]:
    """The postings of which a mail is due, oldest first: what was posted earlier is found earlier."""
    found = [
        (assembly, posting)
        for assembly in assemblies
        for posting in assembly.postings()
        if any(mail.msgid in due for mail in posting.mails)
    ]
    return sorted(found, key=lambda pair: (pair[1].first.posted, pair[1].first.msgid))


def _split(stored: Mapping[str, StoredMail], due: Iterable[str]) -> list[Lot]:
    """The mails in lots that may belong together, those lots of which a mail is due."""
    wanted = set(due)
    ties = {msgid: list(one.head.references) for msgid, one in stored.items()}
    for msgid, name in _companies(stored.values()):
        ties[msgid].append(name)
    return [_sorted(stored[one] for one in names) for names in connected_groups(ties) if not wanted.isdisjoint(names)]


def _crowded(connection: "Connection", due: Sequence[str], crowd: set[str]) -> list[Lot]:
    """The same where together they are too many: one by one, and of those that are too many by themselves what
    threads and senders alone say. So nobody keeps others' series from being found by a flood of mails."""
    from seriestool.bot.bot_tables import mails

    lots: list[Lot] = []
    seen: set[str] = set()
    for one in list(find_mails(connection, mails.c.msgid, due)):
        if one.head.msgid in seen:
            continue
        if crowd.isdisjoint((one.head.msgid, *one.head.references)):
            stored = find_related_mails(connection, [one.head.msgid])
            if len(stored) < MOST:
                lots += _split(stored, [one.head.msgid])
                seen.update(stored)
                continue
            crowd.update(stored)
        stored = find_own_thread(connection, one)
        lots.append(_sorted(stored.values()))
        seen.update(stored)
    return lots


def _sorted(stored: Iterable[StoredMail]) -> Lot:
    return sorted(stored, key=lambda one: (one.posted, one.head.msgid))


def _companies(stored: Iterable[StoredMail]) -> Iterator[tuple[str, str]]:
    """(message-id, name) of counting patches that one sender sent, none more than two days after another."""
    free = [one for one in stored if one.is_patch and one.series is None and one.head.subject.counter is not None]
    last: dict[str, tuple[int, str]] = {}
    for one in sorted(free, key=lambda one: (one.posted, one.head.msgid)):
        posted, name = last.get(one.head.sender, (one.posted - _TOGETHER - 1, ""))
        if one.posted - posted > _TOGETHER:
            name = f"company {one.head.msgid}"
        last[one.head.sender] = one.posted, name
        yield one.head.msgid, name


def _find_due(connection: "Connection", now: int, longest: int) -> list[str]:
    """Mails to look at, oldest first."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails

    query = (
        select(mails.c.msgid)
        .where(_is_due(now, longest))
        .order_by(mails.c.seen, mails.c.posted, mails.c.msgid)
        .limit(_LOT)
    )
    return list(connection.execute(query).scalars())


def _set_looked_at(connection: "Connection", due: Sequence[str], now: int, longest: int) -> None:
    """What is still due after it was looked at is part of nothing."""
    from sqlalchemy import update

    from seriestool.bot.bot_tables import mails

    for some in in_batches(due):
        is_left = mails.c.msgid.in_(some) & _is_due(now, longest)
        connection.execute(update(mails).where(is_left).values(due=None))


def _is_due(now: int, longest: int) -> Any:
    """What is due later than anything can be was put off by a clock that has gone back since."""
    from seriestool.bot.bot_tables import mails

    return (mails.c.due <= now) | (mails.c.due > now + longest)
