# SPDX-License-Identifier: GPL-2.0-or-later
"""A precheck as a mail to the author, ready to be looked at and sent: `mutt -H`, `git send-email`."""

from seriestool.precheck.precheck_result import Precheck
from seriestool.report.author_mail import author_mail_of, author_mail_text
from seriestool.report.mail_writer import MailAddress, MailHeaders, is_address, is_msgid, make_mail, reply_subject
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header


def precheck_mail(precheck: Precheck) -> str:
    """The mail, a reply to the first one of the series; who sends it, and when, is left to the program that does."""
    series = precheck.series
    first = Mail(series.cover.raw if series.cover else series.patches[0].raw if series.patches else b"")
    headline = decode_header(first.header("subject") or b"") or f"[PATCH] {series.subject}"
    author = first.sender or (series.patches[0].author_email.lower() if series.patches else "")
    envelope = MailHeaders(
        subject=reply_subject(headline),
        sender=None,
        to=(MailAddress(author),) if is_address(author) else (),
        cc=tuple(MailAddress(one) for one in series.recipients if is_address(one) and one != author),
        in_reply_to=series.msgid if is_msgid(series.msgid) else None,
        references=(series.msgid,) if is_msgid(series.msgid) else (),
    )
    return make_mail(envelope, author_mail_text(author_mail_of(precheck))).decode("ascii").replace("\r\n", "\n")
