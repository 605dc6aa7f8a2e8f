# SPDX-License-Identifier: GPL-2.0-or-later
"""What the folder of a tracked series is called; change-ids, subjects and message-ids are whatever a mail says."""

import hashlib
import re

from seriestool.series.mail.compose import slug
from seriestool.series.model import Series

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_LONGEST_SLUG = 60
_DIGITS = 12


def folder_name(series: Series) -> str:
    """The name: the change-id where that is plain, else words of the title and a digest of what is unique.

    Lower case ASCII without dots or slashes, at most 100 characters: no path, no hidden file, and no two names that a
    file system without upper case takes for one.
    """
    if series.change_id is not None and is_name(series.change_id):
        return series.change_id
    unique = series.change_id or series.msgid or f"{series.subject}\n{series.posted.isoformat()}"
    digest = hashlib.sha256(unique.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{slug(series.subject, _LONGEST_SLUG)}-{digest[:_DIGITS]}"


def is_name(text: str) -> bool:
    """Whether a tracked series may be called so."""
    return _PLAIN.fullmatch(text) is not None
