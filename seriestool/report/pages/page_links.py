# SPDX-License-Identifier: GPL-2.0-or-later
"""Where links lead: to archives by message-id, and elsewhere only over http and https."""

import re
from urllib.parse import quote, urlsplit

_LORE = "https://lore.kernel.org/r/"
_LONGEST = 2000
_UNSAFE = re.compile(r"[^!-~]|[\\\"'<>`{}^|]")  # what no URL has, were it only that it is not escaped


def lore_url(msgid: str) -> str:
    """The mail in the archive of all lists."""
    return _LORE + quote(msgid, safe="@", errors="replace")


def find_url(text: str | None) -> str | None:
    """The text where it is a plain URL of a web page, without a user's name in it; else None."""
    if not text or len(text) > _LONGEST or _UNSAFE.search(text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return text
