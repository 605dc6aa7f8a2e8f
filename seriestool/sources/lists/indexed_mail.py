# SPDX-License-Identifier: GPL-2.0-or-later
"""One mail -> what the index keeps of it. Bounded, whatever the mail."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from seriestool.series.diff import parse_diff
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.mail.mail_summary import MAX_MSGID, MailSummary, clean, summarize_mail
from seriestool.series.mail.patch_mail import parse_author, take_apart
from seriestool.series.mail.subject_line import clean_title
from seriestool.series.model import FileDiff
from seriestool.series.patch_id import find_patch_id
from seriestool.sources.lists import BlobEdge

MAX_MAIL = 32_000_000
"""Bytes of a mail that is read."""

_MAX_FILES = 10_000
_MAX_PATH = 4096


class IndexedMail(NamedTuple):
    """A mail that is no reply; one that is a patch has edges."""

    known: MailSummary
    subject: str = ""
    author: str = ""
    patch_id: str | None = None
    edges: tuple[BlobEdge, ...] = ()


def parse_entry(raw: bytes, imported: datetime | None = None) -> IndexedMail | None:
    """What is kept of the mail; None of a reply, or of a mail without a usable message-id.

    `imported` is when the archive got it: the mail was not sent later. Raises InputError where its diff is damaged.
    """
    mail = Mail(raw)
    if mail.subject.is_reply or not 0 < len(mail.msgid) <= MAX_MSGID:
        return None
    text = take_apart(mail)
    files = parse_diff(text.diff) if text.diff and mail.has_diff else ()
    known = summarize_mail(mail, bool(files), imported)
    if not files:
        return IndexedMail(known)
    name, address = parse_author(text.inbody.get("from") or decode_header(mail.header("from") or b""))
    return IndexedMail(
        known=known,
        subject=clean(clean_title(text.inbody["subject"]) if "subject" in text.inbody else mail.subject.title),
        author=clean(f"{name} <{address}>"),
        patch_id=find_patch_id(text.diff),
        edges=tuple(edge for diff in files[:_MAX_FILES] if (edge := _edge(diff))),
    )


def work_number(sender: str, title: str) -> int:
    """A number that versions of a patch have in common: from who sent it and what it is called."""
    digest = hashlib.sha1(f"{sender}\0{title.casefold()}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "big")


def _edge(diff: FileDiff) -> BlobEdge | None:
    old_path = diff.old_path if diff.old_path != diff.path else None
    if len(diff.path) > _MAX_PATH or (old_path and len(old_path) > _MAX_PATH):
        return None
    return BlobEdge(path=diff.path, old_path=old_path, old=diff.old_blob, new=diff.new_blob, kind=diff.kind.value)
