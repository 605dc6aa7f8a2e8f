# SPDX-License-Identifier: GPL-2.0-or-later
"""The way to the pages of all series: an index, newest first, that can be searched, and a feed of the newest."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urljoin
from xml.etree import ElementTree as ET

from msgspec import Struct

from seriestool.precheck.precheck_result import PrecheckAnswer
from seriestool.report.pages.answer_words import ANSWERS
from seriestool.report.pages.page_links import find_url
from seriestool.report.pages.page_template import render
from seriestool.report.terminal import printable_line
from seriestool.util.errors import InputError

PAGE_ROWS = 200
"""Series on one page of the index."""
FEED_ROWS = 100
"""Series in the feed."""
_LONGEST = 1000  # characters of what a mail says, in a feed
_ATOM = "http://www.w3.org/2005/Atom"
# What XML 1.0 has no place for, not even escaped: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class IndexRow(Struct, frozen=True):
    """One series of the index."""

    subject: str
    author: str
    """Their name; not their address."""
    version: int
    list: str
    posted: datetime
    msgid: str
    answer: PrecheckAnswer | None
    """None where there is no report yet."""
    sentence: str
    """The answer in a sentence, or why there is none yet."""
    href: str | None
    """Of its page, relative to the index; None where there is none yet."""
    updated: datetime
    """When the report was made, or else when the series was found."""


class Paging(Struct, frozen=True):
    """Which page of the index it is, from 1, and where the others are; links relative to this one."""

    number: int = 1
    pages: int = 1
    newer: str | None = None
    older: str | None = None


ONLY = Paging()


def index_page(rows: Iterable[IndexRow], now: datetime, paging: Paging = ONLY, feed: str | None = None) -> str:
    """The page with these series, newest first, made at `now`; `feed` is where the Atom feed is.

    Callers bound the rows: PAGE_ROWS to a page.
    """
    values = {
        "rows": newest_first(rows),
        "now": now,
        "paging": paging,
        "feed": feed,
        "answers": ANSWERS,
        "href": page_href,
    }
    return render("index.html", values, script="search.js")


def page_name(number: int) -> str:
    """The file name of a page of the index."""
    return "index.html" if number == 1 else f"index-{number}.html"


def newest_first(rows: Iterable[IndexRow]) -> tuple[IndexRow, ...]:
    """The rows by the time of their posting, the newest first; the same order for the same rows."""
    return tuple(sorted(rows, key=lambda row: (row.posted, row.msgid, row.version), reverse=True))


def page_href(row: IndexRow) -> str | None:
    """Where the row leads: a relative path below the index, or nowhere; never another scheme or host."""
    if row.href is None:
        return None
    parts = row.href.split("/")
    if row.href.startswith("/") or ".." in parts or "\\" in row.href:
        return None
    return quote(row.href, safe="/@+=,", errors="replace")


def atom_feed(rows: Iterable[IndexRow], url: str, now: datetime | None = None) -> str:
    """The newest series as an Atom feed (RFC 4287); `url` is where the index is, with `/` at its end.

    The feed's date is that of its newest entry, or `now` where it has none. Raises InputError where `url` is no URL
    of http or https.
    """
    if find_url(url) is None:
        raise InputError(f"'{printable_line(url)}' is no URL of a page", hint="for example https://example.org/series/")
    shown: Sequence[IndexRow] = sorted(rows, key=lambda row: (row.updated, row.msgid, row.version), reverse=True)[
        :FEED_ROWS
    ]
    ET.register_namespace("", _ATOM)
    feed = ET.Element(_tag("feed"))
    _add(feed, "id", url)
    _add(feed, "title", "seriestool: patch series")
    _add(feed, "updated", _time(shown[0].updated if shown else now or datetime.fromtimestamp(0, UTC)))
    _link(feed, "self", urljoin(url, "feed.atom"), "application/atom+xml")
    _link(feed, "alternate", url, "text/html")
    _add(_add(feed, "author"), "name", "seriestool")
    for row in shown:
        _entry(feed, row, url)
    ET.indent(feed)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(feed, encoding="unicode")}\n'


def _entry(feed: ET.Element, row: IndexRow, url: str) -> None:
    entry = _add(feed, "entry")
    version = f"v{row.version} " if row.version > 1 else ""
    _add(entry, "id", f"mid:{quote(row.msgid, safe='@', errors='replace')}")  # RFC 2392
    _add(entry, "title", f"{version}{row.subject}")
    _add(entry, "updated", _time(row.updated))
    _add(entry, "published", _time(row.posted))
    _add(_add(entry, "author"), "name", row.author or "unknown")
    href = page_href(row)
    _link(entry, "alternate", urljoin(url, href) if href else url, "text/html")
    if row.answer is not None:
        _add(entry, "category").set("term", str(row.answer))
    _add(entry, "summary", row.sentence)


def _add(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    child = ET.SubElement(parent, _tag(name))
    if text is not None:
        child.text = _NOT_XML.sub("\ufffd", printable_line(text[:_LONGEST]))
    return child


def _link(parent: ET.Element, relation: str, url: str, kind: str) -> None:
    link = _add(parent, "link")
    link.attrib |= {"rel": relation, "href": url, "type": kind}


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _time(date: datetime) -> str:
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
