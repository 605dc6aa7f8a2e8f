# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of mails: a mail as a row, each message-id once, into the table and out of it.

A row is bounded, and of a form that SQLite and Postgres both take, whatever the mail.
"""

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from seriestool.bot.dialects import in_batches, insert_new
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.mail.mail_summary import MailSummary, clean, pack_summary, summarize_mail
from seriestool.series.mail.patch_mail import is_unnamed_patch, parse_author, take_apart
from seriestool.series.patch_id import find_patch_id
from seriestool.sources.lists.patch_index import normalize_mail

if TYPE_CHECKING:
    from sqlalchemy import Connection


MAX_MSGID = 500
"""Bytes; a longer one cannot be a key of Postgres, and nobody sends any."""

_MAX_LETTER = 200_000  # bytes of a mail that is kept because it may turn out to be a cover letter
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STABLE = re.compile(
    r"(?<![\w.])(?:v?\d{1,2}\.\d{1,3}(?:\.(?:y|\d{1,3}))?|stable[\w.-]{0,20}|linux-\d[\w.]{0,10})(?![\w.])", re.I
)
_BRACKETS = re.compile(r"\s*\[([^\[\]]{0,300})\]")
_AUTOSEL = re.compile(r"\bAUTOSEL\b", re.I)
_RFC = re.compile(r"\bRF[CT]\b", re.I)
_HINTS = (b"x-patchwork-hint", b"x-patchwork-action")


class MailRow(NamedTuple):
    """The row, and the mails that this one hangs below; of a reply only the row."""

    values: dict[str, object]
    parents: tuple[str, ...]


def parse_row(raw: bytes, name: str, now: int, imported: datetime | None = None) -> MailRow | None:
    """What is kept of a mail of the list `name`; None where its message-id is none that a mailer makes.

    `now` is when it was read, `imported` when the archive had it.
    """
    mail = Mail(normalize_mail(raw))
    if not is_usable_msgid(mail.msgid):
        return None
    head = summarize_mail(mail, mail.has_diff, imported)
    head = head._replace(
        sender=plain_text(head.sender), references=tuple(one for one in head.references if is_usable_msgid(one))
    )
    if is_unnamed_patch(mail):
        head = head._replace(subject=head.subject._replace(is_patch=True))
    is_patch = _is_patch(head)
    sender = decode_header(mail.header("from") or b"")
    values: dict[str, object] = {
        "msgid": head.msgid,
        "list": name,
        "seen": now,
        "posted": int(head.posted.timestamp()),
        "sender": head.sender,
        "sender_name": plain_text(parse_author(sender)[0]),
        "is_patch": int(is_patch),
        "head": pack_summary(head),
        "patch_id": find_patch_id(take_apart(mail).diff) if is_patch and head.has_diff else None,
        "hints": " ".join(find_hints(mail)) or None,
        "due": 0 if is_patch else None,
        "raw": zlib.compress(mail.raw) if _is_worth(mail, head, is_patch) else None,
    }
    return MailRow(values, () if head.subject.is_reply else head.references)


def is_usable_msgid(msgid: str) -> bool:
    """Whether the message-id can be a key; one with control characters, or longer than any mailer makes it, cannot."""
    return 0 < len(msgid) <= MAX_MSGID and not _CONTROL.search(msgid) and len(_utf8(msgid)) <= MAX_MSGID


def find_hints(mail: Mail) -> Iterator[str]:
    """What the mail says of itself in short words.

    stable: it is for an old branch, and for:NAME which; autosel: picked for one by a program; review: of a stable
    queue; rfc; auto: sent by a program; ignore: its sender wants no program to look at it (X-Patchwork-Hint, -Action).
    """
    words = _bracketed(decode_header(mail.header("subject") or b""))
    if branches := _STABLE.findall(words):
        yield "stable"
        yield from dict.fromkeys(f"for:{name.lower()}" for name in branches)
    if _AUTOSEL.search(words):
        yield "autosel"
    if mail.header("x-stable") or mail.header("x-kernel-test-branch"):
        yield "review"
    if _RFC.search(words):
        yield "rfc"
    if (mail.header("auto-submitted") or b"no").strip().lower() != b"no":
        yield "auto"
    if any((mail.header(name.decode()) or b"").strip().lower() == b"ignore" for name in _HINTS):
        yield "ignore"


def _bracketed(subject: str) -> str:
    """What stands in the brackets that the subject begins with."""
    words: list[str] = []
    at = 0
    while match := _BRACKETS.match(subject, at):
        words.append(match[1])
        at = match.end()
    return " ".join(words)


def _is_patch(head: MailSummary) -> bool:
    subject = head.subject
    if subject.is_reply or not subject.is_patch:
        return False
    return subject.counter == 0 or head.has_diff or head.is_empty


def _is_worth(mail: Mail, head: MailSummary, is_patch: bool) -> bool:
    return is_patch or (not head.subject.is_reply and len(mail.raw) <= _MAX_LETTER)


def plain_text(text: str) -> str:
    """The text as both databases take it: bounded, and without control characters."""
    return clean(_CONTROL.sub("", text))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


class ListReadResult(Struct):
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
    for some in in_batches(msgids):
        found.update(connection.execute(select(mails.c.msgid).where(mails.c.msgid.in_(some))).scalars())
    return [one for one in msgids if one not in found]
