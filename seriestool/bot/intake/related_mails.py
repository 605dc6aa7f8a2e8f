# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails that may belong together: all that hang together by their threads or, of patches that count, by their sender.

Bounded: what one mail can pull in is looked up by indexes, and ends at so many mails.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool.bot.dialects import in_batches
from seriestool.series.mail import Mail
from seriestool.series.mail.mail_summary import MailSummary, mail_of_summary, unpack_summary

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST = 4000
"""Mails that are looked at together."""

_TOGETHER = 2 * 24 * 3600  # seconds within which one sender's mails can be one posting, as mail.posting has it
_MOST_OF_SENDER = 500


class StoredMail(Struct, frozen=True, kw_only=True):
    """A mail of the table, as far as assembling looks at it."""

    head: MailSummary
    mail: Mail
    """Of the head."""
    list: str
    seen: int
    posted: int
    sender_name: str
    is_patch: bool
    series: str | None
    patch_id: str | None
    hints: tuple[str, ...]


def find_related_mails(connection: "Connection", msgids: Iterable[str]) -> dict[str, StoredMail]:
    """The mails of these message-ids, and all that may belong to them; complete where they are fewer than MOST."""
    return _gather(connection, msgids, list, _companions)


def find_own_thread(connection: "Connection", stored: StoredMail) -> dict[str, StoredMail]:
    """The same of one mail in a crowd: what hangs together by threads alone, and what its sender sent."""

    def own(fresh: Sequence[StoredMail]) -> list[StoredMail]:
        return [one for one in fresh if one.head.sender == stored.head.sender]

    found = _gather(connection, [stored.head.msgid], own, lambda *_: [])
    return {
        msgid: one
        for msgid, one in found.items()
        if one.head.sender == stored.head.sender or one.series is not None or not one.is_patch
    }


def _gather(
    connection: "Connection",
    msgids: Iterable[str],
    choose: Callable[[Sequence[StoredMail]], list[StoredMail]],
    find_companions: Callable[["Connection", Sequence[StoredMail]], list[str]],
) -> dict[str, StoredMail]:
    """The mails, and what hangs together with those that are chosen."""
    from seriestool.bot.bot_tables import mails

    found: dict[str, StoredMail] = {}
    asked: set[str] = set()
    todo = list(msgids)
    while todo and len(found) < MOST:
        todo = [one for one in dict.fromkeys(todo) if one not in asked][: MOST - len(found)]
        asked.update(todo)
        fresh = [stored for stored in find_mails(connection, mails.c.msgid, todo) if stored.head.msgid not in found]
        found.update((stored.head.msgid, stored) for stored in fresh)
        chosen = choose(fresh)
        # Parents that nobody has count too: the mails below them belong together all the same.
        absent = [one for one in todo if one not in found]
        todo = [one for stored in chosen for one in stored.head.references]
        todo += _children(connection, [stored.head.msgid for stored in chosen] + absent)
        todo += find_companions(connection, chosen)
    return found


def find_mails(connection: "Connection", column: Any, values: Sequence[str]) -> Iterator[StoredMail]:
    """The mails of which the column has one of the values, oldest first, in lots."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails

    wanted = (
        mails.c.head,
        mails.c.list,
        mails.c.seen,
        mails.c.posted,
        mails.c.sender_name,
        mails.c.is_patch,
        mails.c.series,
        mails.c.patch_id,
        mails.c.hints,
    )
    for some in in_batches(values):
        query = select(*wanted).where(column.in_(some)).order_by(mails.c.posted, mails.c.msgid)
        for head, name, seen, posted, sender_name, is_patch, series, patch_id, hints in connection.execute(query):
            stored = unpack_summary(head)
            yield StoredMail(
                head=stored,
                mail=mail_of_summary(stored),
                list=name,
                seen=seen,
                posted=posted,
                sender_name=sender_name,
                is_patch=bool(is_patch),
                series=series,
                patch_id=patch_id,
                hints=tuple((hints or "").split()),
            )


def read_raw(connection: "Connection", column: Any, values: Sequence[str]) -> Iterator[bytes]:
    """The mails themselves, those that are still kept, oldest first in lots."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails

    for some in in_batches(values):
        query = select(mails.c.raw).where(column.in_(some)).order_by(mails.c.posted, mails.c.msgid)
        for (raw,) in connection.execute(query):
            if raw is not None:
                yield zlib.decompress(raw)


def _children(connection: "Connection", msgids: Sequence[str]) -> list[str]:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import links

    found: list[str] = []
    for some in in_batches(msgids):
        query = select(links.c.child).where(links.c.parent.in_(some)).order_by(links.c.child).limit(MOST)
        found += connection.execute(query).scalars()
    return found


def _companions(connection: "Connection", mails: Sequence[StoredMail]) -> list[str]:
    """Patches of the same senders and days that are in no series yet: they may have been sent without threads."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails as table

    spans: dict[str, tuple[int, int]] = {}
    for stored in mails:
        if stored.is_patch and stored.series is None and stored.head.subject.counter is not None:
            first, last = spans.get(stored.head.sender, (stored.posted, stored.posted))
            spans[stored.head.sender] = min(first, stored.posted), max(last, stored.posted)
    found: list[str] = []
    for sender, (first, last) in spans.items():
        query = (
            select(table.c.msgid)
            .where(table.c.sender == sender, table.c.series.is_(None), table.c.is_patch == 1)
            .where(table.c.posted.between(first - _TOGETHER, last + _TOGETHER))
            .order_by(table.c.posted, table.c.msgid)
            .limit(_MOST_OF_SENDER)
        )
        found += connection.execute(query).scalars()
    return found
