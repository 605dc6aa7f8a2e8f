# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's site: real requests on loopback, kind ones and hostile ones."""

import contextlib
import gzip
import re
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from seriestool import __version__
from seriestool.bot.migrations import NEWEST
from seriestool.bot.site import serve as listener
from seriestool.bot.site.serve import is_loopback, parse_address
from seriestool.report.series_index import PAGE_ROWS
from seriestool.util.errors import InputError
from tests.support.site import (
    DOCUMENT,
    NOW,
    PAGE,
    Served,
    alive,
    fill,
    key_of,
    report_row,
    series_row,
    serve,
    sqlite_url,
)

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    url = sqlite_url(tmp_path)
    fill(
        url,
        series=[
            series_row(1),
            series_row(2, state="waiting", list="cables", subject="cable: 100% longer", admitted=None, finished=None),
            series_row(3, version=2, lineage=key_of(1), author_name="Jane Doe", author="jane@example.com"),
            series_row(4, subject=HOSTILE, author_name=HOSTILE, state="failed", error="secret /path"),
        ],
        reports=[report_row(1), report_row(3)],
        sayings=[
            {
                "id": "1", "key": key_of(1), "lineage": key_of(1), "channel": "draft", "state": "sent", "reason": "new",
                "said": "[]", "message": b"the whole mail", "msgid": "said@example.com", "decided": NOW,
                "sent": NOW + 5, "error": None,
            }
        ],
        mails=[
            {
                "msgid": "series-1/patch@example.com", "list": "lamps", "seen": NOW, "posted": NOW, "sender": "a@b",
                "is_patch": 1, "series": key_of(1), "head": "{}", "sender_name": "", "raw": None,
            }
        ],
        **alive(),
    )  # fmt: skip
    with serve(url) as served:
        yield served


# --- what is there ------------------------------------------------------------------------------------------------


def test_the_index_has_each_series(site: Served) -> None:
    reply = site.get("/")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = reply.body.decode()
    assert f'href="series/{key_of(1)}/"' in text
    assert "cable: 100% longer" in text
    assert site.get("/index.html").body == reply.body
    assert site.get("/index-2.html").status == 404


def test_the_index_has_pages(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    fill(url, series=[series_row(number) for number in range(1, PAGE_ROWS + 2)])
    with serve(url) as site:
        first, second = site.get("/").body.decode(), site.get("/index-2.html").body.decode()
        assert site.get("/index-3.html").status == 404
    assert "index-2.html" in first
    assert f"part {PAGE_ROWS + 1}<" in first
    assert "part 1<" in second
    assert "part 1<" not in first


def test_an_empty_database_has_an_empty_index(tmp_path: Path) -> None:
    fill(sqlite_url(tmp_path))
    with serve(sqlite_url(tmp_path)) as site:
        assert site.get("/").status == 200
        assert site.get("/feed.atom").status == 200
        assert site.get("/api/series").json == {"schema": 1, "series": [], "next": None}
        assert site.get("/api/lists").json == {"schema": 1, "lists": []}


@pytest.mark.parametrize("path", ["/feed.atom", "/atom.xml"])
def test_the_feed_names_pages_where_people_find_them(site: Served, path: str) -> None:
    reply = site.get(path)
    feed = ET.fromstring(reply.body)  # noqa: S314
    assert reply.headers["content-type"].startswith("application/atom+xml")
    links = {link.get("href") for entry in feed.iter(f"{ATOM}entry") for link in entry.iter(f"{ATOM}link")}
    assert links == {f"https://example.org/bot/series/{key_of(number)}/" for number in (1, 3)}


def test_a_page_and_its_document(site: Served) -> None:
    page = site.get(f"/series/{key_of(1)}/")
    assert (page.status, page.body.decode()) == (200, PAGE)
    document = site.get(f"/series/{key_of(1)}.json")
    assert (document.status, document.headers["content-type"], document.json) == (200, "application/json", DOCUMENT)
    assert site.get(f"/series/{key_of(1)}").headers["location"] == f"/series/{key_of(1)}/"
    for path in (f"/series/{key_of(2)}/", f"/series/{key_of(9)}/", f"/series/{key_of(2)}.json"):
        assert site.get(path).status == 404


def test_a_message_id_leads_to_its_page(site: Served) -> None:
    for msgid in (
        "series-1@example.com",
        "series-1/patch@example.com",
        "%3Cseries-1@example.com%3E",
        "series-1@example.com/",
    ):
        reply = site.get(f"/r/{msgid}")
        assert (reply.status, reply.headers["location"]) == (302, f"/series/{key_of(1)}/")
    assert site.get("/r/none@example.com").status == 404


# --- the API ------------------------------------------------------------------------------------------------------


def test_the_api_lists_series_newest_first(site: Served) -> None:
    answer = site.get("/api/series").json
    assert [one["key"] for one in answer["series"]] == [key_of(number) for number in (4, 3, 2, 1)]
    assert answer["series"][3] == {
        "key": key_of(1), "lineage": key_of(1), "list": "lamps", "msgid": "series-1@example.com",
        "subject": "lamp: part 1", "author": "A U Thor", "version": 1, "patches": 3, "expected": 3,
        "posted": "2026-05-28T17:40:01+00:00", "found": "2026-05-28T17:56:41+00:00", "state": "done", "answer": "ready",
        "sentence": "It goes in.", "made": "2026-05-28T18:15:01+00:00", "page": f"/series/{key_of(1)}/",
        "report": f"/series/{key_of(1)}.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("list=cables", [2]),
        ("state=done", [3, 1]),
        ("author=jane@example.com", [3]),
        ("author=jane%20DOE", [3]),
        ("q=PART", [3, 1]),
        ("q=%25", [2]),
        ("q=_", []),
        ("q=100%25+longer&list=cables", [2]),
        ("q=%27+OR+1%3D1+--", []),
        ("list=", [4, 3, 2, 1]),
    ],
)
def test_the_api_is_asked_for_some(site: Served, query: str, numbers: list[int]) -> None:
    answer = site.get(f"/api/series?{query}").json
    assert [one["key"] for one in answer["series"]] == [key_of(number) for number in numbers]


def test_the_api_goes_on_where_it_ended(site: Served) -> None:
    first = site.get("/api/series?limit=3").json
    assert len(first["series"]) == 3
    second = site.get(f"/api/series?limit=3&before={first['next']}").json
    assert [one["key"] for one in second["series"]] == [key_of(1)]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=-1", "limit=1e3", "limit=%D9%A1", "limit=99999999999", "before=x", "before=1-g",
        "before=9999999999999-0", "state=gone", "colour=red", "q=a&q=b", "q=" + "x" * 201, "x=1&" * 30,
        "q=" + "%41" * 1000, "q=%00", "list=%0d%0aX:1",
    ],
)  # fmt: skip
def test_the_api_refuses_what_is_no_question(site: Served, query: str) -> None:
    reply = site.get(f"/api/series?{query}")
    assert (reply.status, reply.body.count(b"\n")) == (400, 1)


def test_the_api_tells_all_of_one(site: Served) -> None:
    answer = site.get(f"/api/series/{key_of(1)}").json
    assert [one["version"] for one in answer["versions"]] == [2, 1]
    assert [(one["channel"], one["state"], one["reason"]) for one in answer["said"]] == [("draft", "sent", "new")]
    assert site.get(f"/api/series/{key_of(9)}").status == 404


def test_no_address_no_mail_and_no_inner_error_goes_out(site: Served) -> None:
    paths = ("/", "/api/series", f"/api/series/{key_of(1)}", f"/api/series/{key_of(4)}", "/feed.atom", "/api/lists",
             "/metrics", "/health")  # fmt: skip
    for path in paths:
        body = site.get(path).body
        for secret in (b"author@example.com", b"jane@example.com", b"the whole mail", b"secret"):
            assert secret not in body, path


def test_the_lists(site: Served) -> None:
    assert site.get("/api/lists").json["lists"] == [
        {"list": "lamps", "read": "2026-05-28T20:25:40+00:00", "failing": False, "series": 3}
    ]


# --- every answer -------------------------------------------------------------------------------------------------

PATHS = ["/", "/feed.atom", f"/series/{key_of(1)}/", f"/series/{key_of(1)}.json", "/api/series", "/health", "/metrics",
         "/nothing", "/r/series-1@example.com", "/api/series?limit=x"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers_that_keep_browsers_safe(site: Served, path: str) -> None:
    headers = site.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'unsafe" not in policy
    assert "server" not in headers


def test_the_index_states_its_own_policy_as_a_header(site: Served) -> None:
    policy = site.get("/").headers["content-security-policy"]
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]+'", policy)
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(site: Served, path: str) -> None:
    get, head = site.get(path), site.get(path, "HEAD")
    assert (head.status, head.body) == (get.status, b"")
    ignored = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in get.headers.items() if k not in ignored
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_but_get_and_head(site: Served, method: str) -> None:
    reply = site.get("/", method)
    assert (reply.status, reply.headers.get("allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", f"/series/{key_of(1)}/", "/api/series", "/feed.atom"])
def test_what_is_known_is_not_sent_again(site: Served, path: str) -> None:
    first = site.get(path)
    tag = first.headers["etag"]
    for known in (tag, f'"x", {tag}', "*", tag.removeprefix("W/")):
        again = site.get(path, If_None_Match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert site.get(path, If_None_Match='"other"').status == 200


def test_a_page_is_as_old_as_its_report(site: Served) -> None:
    path = f"/series/{key_of(1)}/"
    date = site.get(path).headers["last-modified"]
    assert date == "Thu, 28 May 2026 18:15:01 GMT"
    assert site.get(path, If_Modified_Since=date).status == 304
    assert site.get(path, If_Modified_Since="Thu, 28 May 2026 18:15:00 GMT").status == 200
    assert site.get(path, If_Modified_Since="yesterday").status == 200
    assert site.get(path, If_Modified_Since=date, If_None_Match='"other"').status == 200


def test_gzip_for_those_who_take_it(site: Served) -> None:
    path = f"/series/{key_of(1)}/"
    plain = site.get(path)
    assert "content-encoding" not in plain.headers
    for accepted in ("gzip", "br, GZIP;q=0.5", "*"):
        packed = site.get(path, Accept_Encoding=accepted)
        assert packed.headers["content-encoding"] == "gzip"
        assert len(packed.body) < len(plain.body) / 4
        assert gzip.decompress(packed.body) == plain.body
    for refused in ("gzip;q=0", "br", "identity", ""):
        assert "content-encoding" not in site.get(path, Accept_Encoding=refused).headers


# --- hostile paths, headers and rows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/series/../../etc/passwd", "/series/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
        "/series/", "/series", "/series//", "/series/%00/", "/series/ABC/", f"/series/{key_of(1)}/x",
        f"/series/{key_of(1)}%0a/", f"/series/{key_of(1)}.json%00", f"/series/{'a' * 41}/", "//evil.example/", "/api/",
        "/api/series/", "/api/series/x", "/index-0.html", "/index-00001.html", "/index-99999999999.html", "/%FF%FE",
        "/series/%D9%A1/", "/.git/config", "/bot.sqlite", "/%2e%2e/bot.sqlite",
    ],
)  # fmt: skip
def test_no_path_leads_anywhere_else(site: Served, path: str) -> None:
    assert site.get(path).status in (400, 404)


@pytest.mark.parametrize(
    "msgid",
    ["x%0d%0aSet-Cookie:%20a=b", "series-1@example.com%0d%0aX:y", "%0aLocation:%20//evil", "//evil.example",
     "%2f%2fevil", "x" * 1500, "%00", "%ff%fe@x", "../../x", "<script>", "javascript:alert(1)"],
)  # fmt: skip
def test_a_message_id_never_becomes_a_header(site: Served, msgid: str) -> None:
    answer = site.raw(f"GET /r/{msgid} HTTP/1.0\r\n\r\n".encode())
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert answer.split(b" ")[1] in (b"404", b"400")
    assert b"set-cookie" not in head
    assert b"location" not in head
    assert b"evil" not in head


def test_a_stored_key_that_is_none_is_not_followed(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    fill(url, series=[series_row(1, key="x\r\nSet-Cookie: a=b", msgid="evil@example.com")], **alive())
    with serve(url) as site:
        assert site.get("/r/evil@example.com").status == 404
        assert site.get("/").status == 200


def test_hostile_words_are_text_everywhere(site: Served) -> None:
    page = site.get("/").body.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    (found,) = [one for one in site.get("/api/series").json["series"] if one["key"] == key_of(4)]
    assert found["subject"] == HOSTILE


def test_odd_rows_are_shown_all_the_same(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    odd = series_row(
        1, posted=2**62, found=-5, subject="\x00\x1b[31m\u202e\r\nX: y", author_name="", list='a"b\\c\nd', state="odd"
    )
    cursor = {"list": 'a"b\\c\nd', "position": "", "read_at": NOW, "error": "x"}
    fill(url, series=[odd], reports=[report_row(1, answer="odd", sentence="")], cursors=[cursor])
    with serve(url) as site:
        for path in ("/", "/feed.atom", "/api/series", f"/api/series/{key_of(1)}", "/api/lists", "/metrics"):
            assert site.get(path).status == 200, path
        assert b'list="a\\"b\\\\c\\nd"' in site.get("/metrics").body
        assert b"\x1b" not in site.get("/").body
        ET.fromstring(site.get("/feed.atom").body)  # noqa: S314


@pytest.mark.parametrize("stored", [b"no zlib", zlib.compress(b"x" * 10)[:-3], zlib.compress(b"\0" * 65_000_000)])
def test_a_damaged_or_swollen_report_is_told(tmp_path: Path, stored: bytes) -> None:
    url = sqlite_url(tmp_path)
    fill(url, series=[series_row(1)], reports=[report_row(1, stored)])
    with serve(url) as site:
        assert site.get(f"/series/{key_of(1)}/").status == 503
        assert site.get(f"/series/{key_of(1)}.json").status == 200


def test_a_page_that_states_another_policy_gets_none_of_it(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    stated = "default-src &#39;none&#39;; script-src *; x\r\nSet-Cookie: 1"
    evil = f'<meta http-equiv="Content-Security-Policy" content="{stated}">'
    fill(url, series=[series_row(1)], reports=[report_row(1, evil)])
    with serve(url) as site:
        headers = site.get(f"/series/{key_of(1)}/").headers
    assert "script-src" not in headers["content-security-policy"]
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\0\1\2\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(5000)) + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET / HTTP/1.0\r\nX : y\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_gets_a_short_answer(site: Served, request_bytes: bytes) -> None:
    try:
        answer = site.raw(request_bytes + b"\r\n" * 2, patience=3)
    except (ConnectionResetError, TimeoutError):  # cut off, or waited for until it is
        answer = b""
    assert len(answer) < 20_000
    assert b"Traceback" not in answer
    assert site.get("/health").status == 200


# --- bounds -------------------------------------------------------------------------------------------------------


def test_slow_clients_keep_nobody_waiting(site: Served) -> None:
    slow = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        started = time.monotonic()
        assert site.get("/").status == 200
        assert time.monotonic() - started < 5
    finally:
        for connection in slow:
            connection.close()


def test_clients_that_do_not_read_keep_nobody_waiting(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    fill(url, series=[series_row(1)], reports=[report_row(1, "x" * 8_000_000)], **alive())
    with serve(url) as site:
        lazy = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(12)]
        try:
            for connection in lazy:
                connection.sendall(f"GET /series/{key_of(1)}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            started = time.monotonic()
            assert site.get("/health").status == 200
            assert time.monotonic() - started < 10
        finally:
            for connection in lazy:
                connection.close()


def test_who_dribbles_is_cut_off(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_LONGEST", 1)
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        started = time.monotonic()
        gone = threading.Event()

        def dribble() -> None:
            while not gone.wait(0.2):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        try:
            assert connection.recv(100) == b""
        except ConnectionResetError:
            pass
        finally:
            gone.set()
            thread.join()
        assert time.monotonic() - started < 15


def test_many_at_once(site: Served) -> None:
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(site.get, ["/", "/api/series", f"/series/{key_of(1)}/", "/metrics"] * 25))
    assert {reply.status for reply in replies} == {200}


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 8087), ("localhost:80", "127.0.0.1", 80), ("[::1]:81", "::1", 81),
        ("::1", "::1", 8087), ("192.0.2.1:0", "192.0.2.1", 0), ("[::]", "::", 8087),
    ],
)  # fmt: skip
def test_addresses(text: str, host: str, port: int) -> None:
    assert parse_address(text) == (host, port)
    assert is_loopback(host) == (host in ("127.0.0.1", "::1"))


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "1.2.3", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "[::1", "[::1]x", "[::1]:", "*"],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InputError):
        parse_address(text)


# --- health and metrics -------------------------------------------------------------------------------------------


def test_health_of_a_bot_that_works(site: Served) -> None:
    reply = site.get("/health")
    assert reply.status == 200
    assert reply.json == {
        "schema": 1, "ok": True, "version": {"program": __version__, "schema": NEWEST, "database": NEWEST},
        "checks": {name: {"ok": True, "reason": None} for name in ("database", "tables", "lists", "workers", "disk")},
    }  # fmt: skip
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("clock", "failing"),
    [(NOW + 1000, {"workers"}), (NOW + 10_000, {"workers", "lists"}), (NOW - 700, {"workers"}),
     (NOW - 10_000, {"workers", "lists"})],
)  # fmt: skip
def test_health_of_one_that_does_not_and_of_a_clock_gone_back(tmp_path: Path, clock: int, failing: set[str]) -> None:
    url = sqlite_url(tmp_path)
    fill(url, **alive())
    with serve(url, clock) as site:
        reply = site.get("/health")
    assert reply.status == 503
    assert {name for name, check in reply.json["checks"].items() if not check["ok"]} == failing


def test_health_before_anything_ran(tmp_path: Path) -> None:
    fill(sqlite_url(tmp_path))
    with serve(sqlite_url(tmp_path)) as site:
        checks = site.get("/health").json["checks"]
    assert (checks["lists"]["reason"], checks["workers"]["reason"]) == (
        "no list was read yet",
        "no worker was ever seen",
    )


@pytest.mark.parametrize(
    ("change", "found", "reason"),
    [
        ("DELETE FROM schema_versions", None, "they have no version yet, and"),
        ("DROP TABLE schema_versions", None, "they have no version yet, and"),
        ("UPDATE schema_versions SET version = 99", 99, "they have version 99, and"),
    ],
)
def test_health_of_tables_of_another_version(
    site: Served, tmp_path: Path, change: str, found: int | None, reason: str
) -> None:
    import sqlite3

    with contextlib.closing(sqlite3.connect(tmp_path / "bot.sqlite")) as connection:
        connection.execute(change)
        connection.commit()
    reply = site.get("/health")
    assert (reply.status, reply.json["version"]["database"]) == (503, found)
    assert reply.json["checks"]["tables"]["reason"].startswith(reason)
    assert [name for name, check in reply.json["checks"].items() if not check["ok"]] == ["tables"]


def test_a_full_disk_is_told(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1_000_000))  # type: ignore[attr-defined]
    assert site.get("/health").json["checks"]["disk"] == {"ok": False, "reason": "only 1 MB are free"}


def test_database_gone_and_back(site: Served, tmp_path: Path) -> None:
    file, aside = tmp_path / "bot.sqlite", tmp_path / "aside.sqlite"
    for name in (file, aside):
        assert (name is file) == name.exists()
    file.rename(aside)
    for path in ("/", "/api/series", "/metrics", f"/series/{key_of(1)}/", "/feed.atom"):
        reply = site.get(path)
        assert (reply.status, reply.headers["retry-after"]) == (503, "30"), path
        assert b"Traceback" not in reply.body
    health = site.get("/health")
    assert (health.status, health.json["checks"]["database"]["ok"]) == (503, False)
    assert not file.exists()
    aside.rename(file)
    assert site.get("/health").status == 200
    assert site.get("/").status == 200


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite").write_text("no database" * 1000)
    with serve(sqlite_url(tmp_path)) as site:
        assert site.get("/").status == 503
        assert site.get("/health").status == 503


def test_nothing_is_written_and_no_writer_waits(site: Served) -> None:
    from seriestool.bot.site.database_reader import DatabaseReader
    from seriestool.bot.store import Store
    from seriestool.util.errors import OutsideError

    reader, store = DatabaseReader(site.url), Store.open(site.url)
    with reader.look() as connection:
        with store.transaction() as writing:
            writing.exec_driver_sql("UPDATE series SET tries = 7")
        with pytest.raises(Exception, match="readonly"):
            connection.exec_driver_sql("DELETE FROM series")
    with pytest.raises(OutsideError, match="readonly"), reader.look() as connection:
        connection.exec_driver_sql("DROP TABLE series")
    reader.close()
    store.close()


def test_metrics_are_what_prometheus_reads(site: Served) -> None:
    reply = site.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = reply.body.decode().splitlines()
    sample = re.compile(r'seriestool_[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? \d+')
    assert [line for line in lines if not line.startswith(("# HELP ", "# TYPE ")) and not sample.fullmatch(line)] == []
    assert 'seriestool_series{state="done"} 2' in lines
    assert 'seriestool_series{state="running"} 0' in lines
    assert "seriestool_queue_length 1" in lines
    assert "seriestool_oldest_waiting_seconds 8998" in lines
    assert 'seriestool_reports{answer="ready"} 2' in lines
    assert 'seriestool_sayings{channel="draft",state="sent"} 1' in lines
    assert "seriestool_series_done_seconds 200" in lines
    assert 'seriestool_list_read_seconds{list="lamps"} 60' in lines
    assert 'seriestool_worker_seen_seconds{worker="w1"} 5' in lines


def test_a_bug_is_told_to_us_and_not_to_the_client(tmp_path: Path) -> None:
    from seriestool.bot.site.database_reader import DatabaseReader
    from seriestool.bot.site.wsgi_app import SiteContext, WsgiApp

    bugs: list[Exception] = []

    def broken() -> float:
        raise RuntimeError("secret")

    app = WsgiApp(SiteContext(DatabaseReader(sqlite_url(tmp_path)), "http://127.0.0.1/", broken, on_error=bugs.append))
    said: list[str] = []
    body = b"".join(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda status, headers: said.append(status)))
    assert said == ["500 Internal Server Error"]
    assert b"secret" not in body
    assert len(bugs) == 1
