# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of a mail that is not read again: as much as says which others it was sent with. Bounded."""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from seriestool.series.mail.mail_parser import Mail
from seriestool.series.mail.patch_mail import is_empty_patch, stated_in_cover, stated_in_patch
from seriestool.series.mail.stated import change_id
from seriestool.series.mail.subject_line import SubjectLine

MAX_MSGID = 998
"""Characters; RFC 5322, 2.1.1: a line is not longer."""

_MAX_TEXT = 300
_MAX_REFERENCES = 10
_CLOCK_ERROR = timedelta(days=2)
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


class MailSummary(NamedTuple):
    """A mail as far as it says which others it was sent with."""

    msgid: str
    subject: SubjectLine
    sender: str
    posted: datetime
    references: tuple[str, ...]
    has_diff: bool
    change_id: str | None
    is_empty: bool = False
    """A patch that changes nothing."""


def summarize_mail(mail: Mail, has_diff: bool, imported: datetime | None = None) -> MailSummary:
    """The head of the mail; `imported` is when an archive got it: the mail was not sent later."""
    subject = mail.subject
    return MailSummary(
        msgid=clean_msgid(mail.msgid),
        subject=subject._replace(title=clean(subject.title), prefixes=()),
        sender=clean(mail.sender),
        posted=_posted(mail, imported),
        references=_references(mail),
        has_diff=has_diff,
        change_id=_change_id(mail, has_diff),
        is_empty=not has_diff and bool(subject.counter) and is_empty_patch(mail),
    )


def mail_of_summary(head: MailSummary) -> Mail:
    """A mail of which `posting` and `lineage` can ask what they ask of any; it has no text but what is stated."""
    mail = Mail(b"\n" + _text(head))
    vars(mail).update(
        msgid=head.msgid,
        subject=head.subject,
        sender=head.sender,
        posted=head.posted,
        references=head.references,
        has_diff=head.has_diff,
    )
    return mail


def pack_summary(head: MailSummary) -> str:
    """The head as JSON."""
    subject = [head.subject.title, *head.subject[1:6], head.subject.has_version]
    return json.dumps(
        [
            head.msgid,
            subject,
            head.sender,
            int(head.posted.timestamp()),
            head.references,
            head.has_diff,
            head.change_id,
            head.is_empty,
        ],
        ensure_ascii=False,
    )


def unpack_summary(text: str) -> MailSummary:
    """The head of that JSON."""
    msgid, subject, sender, posted, references, has_diff, stated, *empty = json.loads(text)
    title, is_reply, is_patch, version, counter, expected, has_version = subject
    return MailSummary(
        msgid=msgid,
        subject=SubjectLine(
            title=title,
            is_reply=is_reply,
            is_patch=is_patch,
            version=version,
            counter=counter,
            expected=expected,
            prefixes=(),
            has_version=has_version,
        ),
        sender=sender,
        posted=datetime.fromtimestamp(posted, UTC),
        references=tuple(references),
        has_diff=has_diff,
        change_id=stated,
        is_empty=bool(empty and empty[0]),
    )


def clean(text: str) -> str:
    """The text as a table can hold it: bounded, and without what UTF-8 does not have."""
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode()


def clean_msgid(msgid: str) -> str:
    """The message-id without what UTF-8 does not have."""
    return msgid.encode("utf-8", "replace").decode()


def _text(head: MailSummary) -> bytes:
    stated = f"change-id: {head.change_id}\n".encode() if head.change_id else b""
    return b"---\n" + stated if head.has_diff or head.is_empty else stated


def _references(mail: Mail) -> tuple[str, ...]:
    """The first one, which is what the thread is about, and the last ones."""
    found = [clean_msgid(one) for one in mail.references if len(one) <= MAX_MSGID]
    return tuple(found if len(found) <= _MAX_REFERENCES else [found[0], *found[1 - _MAX_REFERENCES :]])


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
