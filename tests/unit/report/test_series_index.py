# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of all series, and the feed of the newest ones."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.precheck.precheck_result import PrecheckAnswer
from seriestool.report.series_index import FEED_ROWS, IndexRow, Paging, atom_feed, index_page, page_href
from seriestool.util.errors import InputError
from tests.support.pages import DAY, EVIL, POSTED

ATOM = "{http://www.w3.org/2005/Atom}"
URL = "https://example.org/series/"


def row(n: int = 1) -> IndexRow:
    return IndexRow(
        f"net: series {n}",
        "Ned",
        1,
        "netdev",
        POSTED - n * DAY,
        f"m{n}@x.org",
        PrecheckAnswer.READY,
        "It goes in.",
        f"s/{n}.html",
        POSTED - n * DAY + DAY / 4,
    )


def parse(feed: str) -> ET.Element:
    return ET.fromstring(feed.encode())  # noqa: S314  # our own


def subjects(page: str) -> list[str]:
    return re.findall(r"<h2>(?:<a [^>]*>)?([^<]*)", page)


def test_the_newest_comes_first() -> None:
    assert subjects(index_page([row(2), row(1), row(3)], POSTED)) == ["net: series 1", "net: series 2", "net: series 3"]


def test_a_row_says_all_of_it() -> None:
    page = index_page([replace(row(), version=4)], POSTED)
    for text in ("net: series 1", "v4", "Ned", "netdev", "2026-01-18 15:04", "ready", "It goes in.", 'href="s/1.html"',
                 'href="https://lore.kernel.org/r/m1@x.org"'):  # fmt: skip
        assert text in page


def test_a_series_without_report_has_no_link_to_one() -> None:
    page = index_page([replace(row(), answer=None, href=None, sentence="It waits.")], POSTED)
    assert "no report yet" in page
    assert "<h2>net: series 1</h2>" in page


@pytest.mark.parametrize(
    ("newer", "older", "links"),
    [
        (None, "index-2.html", [("index-2.html", "next")]),
        ("index.html", "index-3.html", [("index.html", "prev"), ("index-3.html", "next")]),
        ("index-2.html", None, [("index-2.html", "prev")]),
    ],
)
def test_pages_are_linked(newer: str | None, older: str | None, links: list[tuple[str, str]]) -> None:
    page = index_page([row(n) for n in range(3)], POSTED, Paging(2, 3, newer, older))
    assert len(subjects(page)) == 3
    assert re.findall(r'<a href="(index[^"]*)" rel="(\w+)"', page) == links


def test_an_index_of_nothing_is_a_page() -> None:
    assert "No series yet." in index_page([], POSTED)


def test_the_policy_allows_the_one_script() -> None:
    page = index_page([row()], POSTED)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0].replace("&#39;", "'")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_search_box_is_hidden_until_a_script_shows_it() -> None:
    assert re.search(r'<form class="search"[^>]* hidden>', index_page([row()], POSTED))


def test_hostile_rows_stay_text() -> None:
    evil = IndexRow(EVIL, EVIL, 2, EVIL, POSTED, EVIL, PrecheckAnswer.READY, EVIL, f"s/{EVIL}", POSTED)
    page = index_page([evil], POSTED)
    assert page.count("<script>") == 1
    assert "<img" not in page
    assert "<svg" not in page
    assert "{{ 7*7 }}" in page
    assert not set("\x00\x1b\u202e\u2066") & set(page)


@pytest.mark.parametrize("href", ["/etc/passwd", "../x", "s/../../x", "//evil.example/", "s\\x"])
def test_a_row_leads_only_below_the_index(href: str) -> None:
    assert page_href(replace(row(), href=href)) is None


def test_what_looks_like_a_scheme_is_a_file() -> None:
    assert page_href(replace(row(), href="javascript:alert(1)")) == "javascript%3Aalert%281%29"


def test_the_feed_is_atom() -> None:
    """What RFC 4287 says must be there is there."""
    feed = parse(atom_feed([row(2), row(1)], URL))
    assert feed.tag == f"{ATOM}feed"
    assert feed.findtext(f"{ATOM}id") == URL
    assert feed.findtext(f"{ATOM}updated") == "2026-01-18T21:04:00Z"
    assert feed.findtext(f"{ATOM}title")
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "seriestool"
    assert [link.get("rel") for link in feed.findall(f"{ATOM}link")] == ["self", "alternate"]
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}id") for entry in entries] == ["mid:m1@x.org", "mid:m2@x.org"]
    for entry in entries:
        assert entry.findtext(f"{ATOM}title")
        assert datetime.fromisoformat(str(entry.findtext(f"{ATOM}updated"))).tzinfo == UTC
        assert entry.findtext(f"{ATOM}summary") == "It goes in."
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert str(link.get("href")).startswith(f"{URL}s/")


def test_the_feed_is_bounded_and_the_newest_report_first() -> None:
    feed = parse(atom_feed([row(n) for n in range(500)], URL))
    updated = [entry.findtext(f"{ATOM}updated") for entry in feed.findall(f"{ATOM}entry")]
    assert len(updated) == FEED_ROWS
    assert updated == sorted(map(str, updated), reverse=True)


def test_a_feed_of_nothing_is_a_feed() -> None:
    feed = parse(atom_feed([], URL, POSTED))
    assert feed.findtext(f"{ATOM}updated") == "2026-01-19T15:04:00Z"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "example.org", "", "https://example.org/\n"])
def test_a_feed_is_at_a_url(url: str) -> None:
    with pytest.raises(InputError, match="no URL of a page"):
        atom_feed([row()], url)


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text())
def test_any_text_makes_a_feed_that_parses(subject: str, msgid: str) -> None:
    evil = replace(row(), subject=subject, author=subject, sentence=subject, msgid=msgid, href=subject)
    feed = parse(atom_feed([evil], URL))
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    assert {child.tag.removeprefix(ATOM) for child in entry} == {
        "id", "title", "updated", "published", "author", "link", "category", "summary",
    }  # fmt: skip
    links = [str(link.get("href")) for link in feed.iter(f"{ATOM}link")]
    assert all(link.startswith(URL) for link in links)
