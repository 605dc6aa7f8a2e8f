# SPDX-License-Identifier: GPL-2.0-or-later
"""One mail -> what the index keeps of it. Bounded, whatever the mail."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from seriestool.diff import parse_diff
from seriestool.lists import Edge
from seriestool.mail import Mail
from seriestool.mail.headers import decode_header
from seriestool.mail.patch import parse_author, stated_in_cover, stated_in_patch, take_apart
from seriestool.mail.stated import change_id
from seriestool.mail.subject import Subject, clean_title
from seriestool.model import FileDiff
from seriestool.patch_id import find_patch_id

MAX_MAIL = 32_000_000
"""Bytes of a mail that is read."""

_MAX_FILES = 10_000
_MAX_PATH = 4096
_MAX_TEXT = 300
_MAX_MSGID = 998  # RFC 5322, 2.1.1: a line is not longer
_MAX_REFERENCES = 10
_CLOCK_ERROR = timedelta(days=2)
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


class Known(NamedTuple):
    """A mail as far as it says which others it was sent with."""

    msgid: str
    subject: Subject
    sender: str
    posted: datetime
    references: tuple[str, ...]
    has_diff: bool
    change_id: str | None


class Entry(NamedTuple):
    """A mail that is no reply; one that is a patch has edges."""

    known: Known
    subject: str = ""
    author: str = ""
    patch_id: str | None = None
    edges: tuple[Edge, ...] = ()


def parse_entry(raw: bytes, imported: datetime | None = None) -> Entry | None:
    """What is kept of the mail; None of a reply, or of a mail without a usable message-id.

    `imported` is when the archive got it: the mail was not sent later. Raises InputError where its diff is damaged.
    """
    mail = Mail(raw)
    if mail.subject.is_reply or not 0 < len(mail.msgid) <= _MAX_MSGID:
        return None
    text = take_apart(mail)
    files = parse_diff(text.diff) if text.diff and mail.has_diff else ()
    known = _known(mail, bool(files), imported)
    if not files:
        return Entry(known)
    name, address = parse_author(text.inbody.get("from") or decode_header(mail.header("from") or b""))
    return Entry(
        known,
        clean(clean_title(text.inbody["subject"]) if "subject" in text.inbody else mail.subject.title),
        clean(f"{name} <{address}>"),
        find_patch_id(text.diff),
        tuple(edge for diff in files[:_MAX_FILES] if (edge := _edge(diff))),
    )


def work_number(sender: str, title: str) -> int:
    """A number that versions of a patch have in common: from who sent it and what it is called."""
    digest = hashlib.sha1(f"{sender}\0{title.casefold()}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "big")


def clean(text: str) -> str:
    """The text as the index can hold it: bounded, and without what UTF-8 does not have."""
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode()


def _known(mail: Mail, has_diff: bool, imported: datetime | None) -> Known:
    subject = mail.subject
    return Known(
        clean_msgid(mail.msgid),
        subject._replace(title=clean(subject.title), prefixes=()),
        clean(mail.sender),
        _posted(mail, imported),
        tuple(clean_msgid(one) for one in mail.references[-_MAX_REFERENCES:] if len(one) <= _MAX_MSGID),
        has_diff,
        _change_id(mail, has_diff),
    )


def clean_msgid(msgid: str) -> str:
    """The message-id without what UTF-8 does not have."""
    return msgid.encode("utf-8", "replace").decode()


def _posted(mail: Mail, imported: datetime | None) -> datetime:
    posted = mail.posted
    if imported and posted > imported + _CLOCK_ERROR:
        return imported
    if _FIRST_YEAR <= posted.year < _LAST_YEAR:
        return posted
    return imported or datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)


def _change_id(mail: Mail, has_diff: bool) -> str | None:
    if b"change-id" not in mail.body.lower() or (has_diff and (mail.subject.counter or 1) > 1):
        return None
    found = change_id(stated_in_patch(mail) if has_diff else stated_in_cover(mail))
    return clean(found) if found else None


def _edge(diff: FileDiff) -> Edge | None:
    old_path = diff.old_path if diff.old_path != diff.path else None
    if len(diff.path) > _MAX_PATH or (old_path and len(old_path) > _MAX_PATH):
        return None
    return Edge(diff.path, old_path, diff.old_blob, diff.new_blob, diff.kind.value)
