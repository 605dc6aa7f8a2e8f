# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail as a row of the table of mails. Bounded, and of a form that SQLite and Postgres take, whatever the mail."""

import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.mail.mail_summary import MailSummary, clean, pack_summary, summarize_mail
from seriestool.series.mail.patch_mail import is_unnamed_patch, parse_author, take_apart
from seriestool.series.patch_id import find_patch_id
from seriestool.sources.lists.patch_index import normalize_mail

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
