# SPDX-License-Identifier: GPL-2.0-or-later
"""What is to be said -> the bytes that go out: a mail for people, a list of checks for Patchwork."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from seriestool.bot.bot_config import BotConfig
from seriestool.bot.notify.etiquette import has_opted_out, pick_recipients
from seriestool.bot.notify.notify_decision import Channel, Notification
from seriestool.bot.notify.summary import PatchSummary, ReportSummary
from seriestool.report.author_mail import AuthorMail, author_mail_text, guarded, render
from seriestool.report.mail_writer import MailAddress, MailHeaders, is_address, is_msgid, make_mail, reply_subject
from seriestool.util.errors import InputError

MARK = "X-Seriestool"
"""The header by which the bot knows its own mails, and another one those of its like."""
_FROM = re.compile(r'\s*(?:"?([^"<>]*?)"?\s*<)?\s*([^\s<>"]+@[^\s<>"]+?)\s*>?\s*')


class Wording(Struct, frozen=True):
    """Who speaks, and in whose words."""

    sender: MailAddress | None = None
    url: str | None = None
    """Where the pages are."""
    templates: Path | None = None
    opt_out: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, config: BotConfig) -> "Wording":
        """Those of the configuration; raises InputError where seriestool.bot.from or a template is none."""
        folder = Path(config.templates) if config.templates else None
        if folder is not None and not folder.is_dir():
            raise InputError(f"seriestool.bot.templates: there is no folder '{folder}'")
        return cls(parse_sender(config.sender) if config.sender else None, config.url, folder, config.opt_out)


def parse_sender(text: str) -> MailAddress:
    """Who `Name <address>` or a bare address is; raises InputError where it is neither."""
    match = _FROM.fullmatch(text)
    if match is None or not is_address(match[2]):
        raise InputError(f"seriestool.bot.from is '{text}'", hint="'Name <address>' is wanted")
    return MailAddress(match[2], match[1] or "")


def compose_message(
    notification: Notification, summary: ReportSummary, wording: Wording, date: datetime
) -> tuple[bytes, str]:
    """(the bytes that go out, the message-id in them); the id is '' for Patchwork.

    The same arguments give the same bytes. Raises InputError where a template is wrong, or nobody is there to speak.
    """
    if notification.channel is Channel.PATCHWORK:
        return _checks(notification, summary, wording), ""
    msgid = _msgid(notification, wording)
    letter = author_mail_text(_letter(notification, summary, wording), wording.templates)
    text = f"{letter}\n-- \n{_footer(notification, wording)}"
    return make_mail(
        _envelope(notification=notification, summary=summary, wording=wording, msgid=msgid, date=date), text
    ), msgid


def page_url(url: str, key: str) -> str:
    """Where the page of a series is, below the site's address."""
    return f"{url.rstrip('/')}/series/{key}/"


def _letter(notification: Notification, summary: ReportSummary, wording: Wording) -> AuthorMail:
    return AuthorMail(
        subject=summary.subject,
        version=summary.version,
        patches=summary.expected,
        sentence=summary.sentence,
        base=summary.base,
        base_name=summary.base_name,
        how=summary.how,
        complaints=notification.complaints,
        takers=summary.takers,
        url=page_url(wording.url, summary.key) if wording.url else None,
    )


def _footer(notification: Notification, wording: Wording) -> str:
    values: dict[str, object] = {
        "address": wording.sender.address if wording.sender else None,
        "is_draft": notification.channel is Channel.DRAFT,
    }
    return guarded(render("seriestool.bot.notify", "footer.txt", wording.templates, values))


def _envelope(
    notification: Notification, summary: ReportSummary, wording: Wording, msgid: str, date: datetime
) -> MailHeaders:
    if wording.sender is None and notification.channel is not Channel.DRAFT:
        raise InputError("a mail has no sender", hint="set seriestool.bot.from")
    patch = _only_patch(notification, summary)
    parent = patch.msgid if patch is not None and is_msgid(patch.msgid) else summary.msgid
    headline = patch.headline if patch is not None and parent == patch.msgid else summary.headline
    above = [one for one in dict.fromkeys((summary.msgid, parent)) if is_msgid(one)]
    return MailHeaders(
        subject=reply_subject(headline or summary.subject),
        sender=wording.sender,
        to=(MailAddress(summary.author, summary.author_name),),
        cc=_copies(notification, summary, wording),
        msgid=msgid,
        date=date.astimezone(UTC),
        in_reply_to=parent,
        references=tuple(above),
        extra=_marks(notification),
    )


def _only_patch(notification: Notification, summary: ReportSummary) -> PatchSummary | None:
    """The patch that all of it is about, so that the reply stands below it; None where it is about more than one."""
    counters = {one.counter for one in notification.complaints}
    if len(counters) != 1:
        return None
    return next((patch for patch in summary.patches if patch.counter in counters), None)


def _copies(notification: Notification, summary: ReportSummary, wording: Wording) -> tuple[MailAddress, ...]:
    if notification.channel is Channel.AUTHOR:
        return ()
    own = {summary.author, wording.sender.address.lower() if wording.sender else ""}
    return tuple(
        MailAddress(one)
        for one in pick_recipients(summary.recipients, summary.list, summary.hints)
        if is_address(one) and one not in own and not has_opted_out(one, wording.opt_out)
    )


def _marks(notification: Notification) -> tuple[tuple[str, str], ...]:
    """What tells other programs not to answer (RFC 3834, 5); a draft is sent by a person, and has not got them."""
    gravity = "fail" if any(one.is_grave for one in notification.complaints) else "warn"
    ours = ((MARK, f"{gravity}; {notification.id}"),)
    if notification.channel is Channel.DRAFT:
        return ours
    return (*ours, ("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"), ("X-Auto-Response-Suppress", "All"))


def _msgid(notification: Notification, wording: Wording) -> str:
    host = wording.sender.address.rpartition("@")[2] if wording.sender else "seriestool.invalid"
    return f"seriestool-{notification.id}@{host}"


def _checks(notification: Notification, summary: ReportSummary, wording: Wording) -> bytes:
    url = page_url(wording.url, summary.key) if wording.url else ""
    bodies = [
        {
            "msgid": one.msgid,
            "context": one.context,
            "state": one.state,
            "description": one.description,
            "target_url": url,
        }
        for one in notification.contexts
    ]
    return json.dumps(bodies).encode("ascii")
