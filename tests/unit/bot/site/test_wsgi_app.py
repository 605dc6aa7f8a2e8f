# SPDX-License-Identifier: GPL-2.0-or-later
"""The site's application without a socket: whatever is asked, there is one answer, and its headers are headers."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.bot.site.database_reader import DatabaseReader
from seriestool.bot.site.responses import policy_of
from seriestool.bot.site.wsgi_app import SiteContext, WsgiApp
from tests.support.site import NOW, alive, fill, key_of, report_row, series_row, sqlite_url

Ask = Callable[..., tuple[str, dict[str, str], bytes]]
PATHS = st.one_of(
    st.text(),
    st.builds(lambda tail: f"/r/{tail}", st.text(max_size=50)),
    st.builds(lambda tail: f"/series/{tail}", st.text("0123456789abcdef/.js\n\r\0", max_size=50)),
    st.builds(lambda tail: f"/{tail}", st.text("index-0123456789.html\n", max_size=20)),
    st.sampled_from(["/", "/api/series", "/feed.atom", "/health", "/metrics", f"/series/{key_of(1)}/"]),
)
QUERIES = st.one_of(
    st.text(max_size=100),
    st.lists(
        st.tuples(st.sampled_from(["list", "state", "author", "q", "before", "limit"]), st.text(max_size=20)),
        max_size=4,
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    url = sqlite_url(tmp_path_factory.mktemp("app"))
    odd = series_row(2, msgid="odd\r\nX: y@example.com", subject="a\0b")
    fill(url, series=[series_row(1), odd], reports=[report_row(1)], **alive())
    reader, bugs = DatabaseReader(url), list[Exception]()
    app = WsgiApp(SiteContext(reader, "http://127.0.0.1/", lambda: float(NOW), on_error=bugs.append))

    def ask(**environ: Any) -> tuple[str, dict[str, str], bytes]:
        said: list[Any] = []
        body = b"".join(
            app({"REQUEST_METHOD": "GET", **environ}, lambda status, headers: said.extend((status, headers)))
        )
        assert bugs == []
        status, headers = said
        return status, dict(headers), body

    yield ask
    reader.close()


@settings(max_examples=300, deadline=None)
@given(PATHS, QUERIES, st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_whatever_is_asked_there_is_an_answer(
    ask: Ask, path: str, query: str, tags: str, since: str, encodings: str
) -> None:
    status, headers, body = ask(
        PATH_INFO=path.encode("utf-8", "replace").decode("latin-1"), QUERY_STRING=query, HTTP_IF_NONE_MATCH=tags,
        HTTP_IF_MODIFIED_SINCE=since, HTTP_ACCEPT_ENCODING=encodings,
    )  # fmt: skip
    assert status.split()[0] in ("200", "302", "304", "400", "404")
    for name, value in headers.items():
        assert re.fullmatch(r"[A-Za-z-]+", name)
        assert value.isascii()
        assert value.isprintable()
    assert int(headers.get("Content-Length", len(body))) == len(body)
    assert headers.get("Location", "/series/").startswith("/series/")


@given(st.text())
def test_whatever_method_is_asked_nothing_else_is_done(ask: Ask, method: str) -> None:
    status = ask(REQUEST_METHOD=method, PATH_INFO="/")[0]
    assert status.startswith("200" if method in ("GET", "HEAD") else "405")


@given(st.binary(), st.binary())
def test_a_page_cannot_state_more_than_ours_do(before: bytes, stated: bytes) -> None:
    meta = b'<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;' + stated + b'">'
    policy = policy_of(before + meta)
    assert policy.isascii()
    assert policy.isprintable()
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy


def test_an_odd_message_id_is_found_and_redirected_safely(ask: Ask, tmp_path: Path) -> None:
    assert ask(PATH_INFO="/r/odd\r\nX: y@example.com")[0].startswith("404")
    status, headers, _ = ask(PATH_INFO="/r/series-1@example.com")
    assert (status, headers["Location"]) == ("302 Found", f"/series/{key_of(1)}/")
