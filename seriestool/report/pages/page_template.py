# SPDX-License-Identifier: GPL-2.0-or-later
"""Templates to pages: all that comes from mails is escaped, and the page may load and run nothing but its own.

The Content-Security-Policy names the one style sheet and the one script by their hashes, so that markup which
slipped through all the same would be dead text.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from seriestool.report.pages.page_links import find_url, lore_url
from seriestool.report.terminal import printable, printable_line
from seriestool.series.model import path_text
from seriestool.util.text import count

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = "templates"
# In characters.
_LONGEST_TITLE, _LONGEST_LINE, _LONGEST_DETAILS, _LONGEST_TEXT = 250, 4000, 8000, 200_000


def render(template: str, values: Mapping[str, object], script: str | None = None) -> str:
    """The page; `script` is the name of the template's one script, where it has one."""
    style, code = _text("style.css"), _text(script) if script else ""
    policy = ["default-src 'none'", f"style-src '{_hash(style)}'", "base-uri 'none'", "form-action 'none'"]
    if code:
        policy.append(f"script-src '{_hash(code)}'")
    shown = {**values, "policy": "; ".join(policy), "style": style, "script": code}
    page: str = _environment().get_template(template).render(shown)
    return page


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seriestool.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": lambda text: _cut(printable_line(text), _LONGEST_LINE),
        "title": _title,
        "text": lambda text: _cut(printable(text), _LONGEST_TEXT),
        "details": lambda text: _cut(printable(text), _LONGEST_DETAILS),
        "path": lambda path: printable_line(path_text(path)),
        "url": find_url,
        "lore": lore_url,
        "day": _day,
        "minute": _minute,
        "count": count,
    }
    return environment


@cache
def _text(name: str) -> str:
    return (files("seriestool.report") / _TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The text as a source expression: https://www.w3.org/TR/CSP3/#grammardef-hash-source."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _title(text: str) -> str:
    """A subject, a name: on one line, and not longer than any that people write."""
    return _cut(printable_line(text), _LONGEST_TITLE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\u2026"


def _day(date: datetime) -> str:
    return date.astimezone(UTC).strftime("%Y-%m-%d")


def _minute(date: datetime) -> str:
    return date.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
