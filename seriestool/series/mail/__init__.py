# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails -> Series, without `email` or b4: start-up and correctness both want it (docs/decisions/0002)."""

from seriestool.series.mail.assemble import SeriesSelector, assemble, parse_mails
from seriestool.series.mail.mail_parser import Mail
from seriestool.series.mail.mbox import MAX_BYTES, gunzip, refuse_large, split_mbox
from seriestool.series.mail.posting import find_postings

__all__ = [
    "MAX_BYTES",
    "Mail",
    "SeriesSelector",
    "assemble",
    "find_postings",
    "gunzip",
    "parse_mails",
    "refuse_large",
    "split_mbox",
]
