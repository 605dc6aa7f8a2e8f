# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails -> Series, without `email` or b4: start-up and correctness both want it (docs/decisions/0002)."""

from seriestool.mail.assemble import Wanted, assemble, parse_mails
from seriestool.mail.mbox import MAX_BYTES, gunzip, refuse_large, split_mbox
from seriestool.mail.message import Mail
from seriestool.mail.posting import find_postings

__all__ = [
    "MAX_BYTES",
    "Mail",
    "Wanted",
    "assemble",
    "find_postings",
    "gunzip",
    "parse_mails",
    "refuse_large",
    "split_mbox",
]
