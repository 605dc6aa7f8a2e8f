# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the bot's site share: a database with reports, a server on loopback, a plain client."""

import http.client
import json
import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seriestool.bot.dialects import insert_new
from seriestool.bot.site.database_reader import DatabaseReader
from seriestool.bot.site.health import HealthLimits
from seriestool.bot.site.serve import make_server
from seriestool.bot.site.wsgi_app import SiteContext, WsgiApp
from seriestool.bot.store import Store

NOW = 1_780_000_000


PAGE = "<!DOCTYPE html>\n<title>a page</title>\n<p>" + "all about it " * 200


DOCUMENT = {"schema": 1, "series": {"subject": "lamp: fade"}}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Served:
    """A server, and its database."""

    port: int
    url: str
    """Of the database."""

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        reply = Reply(answer.status, found, answer.read())
        connection.close()
        return reply

    def raw(self, data: bytes, patience: float = 30) -> bytes:
        """All that comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as connection:
            connection.sendall(data)
            pieces = []
            while piece := connection.recv(65536):
                pieces.append(piece)
            return b"".join(pieces)


def key_of(number: int) -> str:
    return f"{number:040x}"


def series_row(number: int, **changes: Any) -> dict[str, Any]:
    """A row of the table series."""
    return {
        "key": key_of(number),
        "lineage": key_of(number),
        "list": "lamps",
        "msgid": f"series-{number}@example.com",
        "version": 1,
        "expected": 3,
        "missing": 0,
        "subject": f"lamp: part {number}",
        "author_name": "A U Thor",
        "author": "author@example.com",
        "posted": NOW - 10_000 + number,
        "found": NOW - 9_000 + number,
        "state": "done",
        "admitted": NOW - 8_000,
        "finished": NOW - 7_900,
        "tries": 1,
        "worker": "w1",
        "error": None,
        **changes,
    }


def report_row(number: int, page: str | bytes = PAGE, **changes: Any) -> dict[str, Any]:
    """A row of the table reports; a page of bytes is stored as it is."""
    return {
        "key": key_of(number),
        "made": NOW - 7_900 + number,
        "answer": "ready",
        "sentence": "It goes in.",
        "facts": "{}",
        "document": zlib.compress(json.dumps(DOCUMENT).encode()),
        "page": zlib.compress(page.encode()) if isinstance(page, str) else page,
        **changes,
    }


def fill(url: str, **tables: list[dict[str, Any]]) -> None:
    """Put rows into tables of the database, which is made where it is missing."""
    from seriestool.bot import bot_tables as known

    store = Store.open(url)
    with store.transaction() as connection:
        for name, rows in tables.items():
            insert_new(connection, getattr(known, name), rows)
    store.close()


def alive() -> dict[str, list[dict[str, Any]]]:
    """Rows of a bot that does its work."""
    return {
        "cursors": [{"list": "lamps", "position": "1", "read_at": NOW - 60, "error": None}],
        "workers": [{"name": "w1", "token": "x", "seen": NOW - 5, "started": NOW - 500}],
    }


@contextmanager
def serve(url: str, clock: float = NOW) -> Iterator[Served]:
    """A server of the database on loopback; it ends after the block."""
    bugs: list[Exception] = []
    reader = DatabaseReader(url)
    site = SiteContext(reader, "https://example.org/bot/", lambda: clock, HealthLimits(), bugs.append)
    server = make_server(WsgiApp(site), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Served(int(server.effective_port), url)
    finally:
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)
        thread.join(timeout=10)
        reader.close()
    assert not thread.is_alive()
    assert bugs == []


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'bot.sqlite'}"
