# SPDX-License-Identifier: GPL-2.0-or-later
"""A Patchwork server on loopback, as far as checks go; its answers are those recorded of a real one, filled in anew."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.helpers import ROOT

TOKEN = "0123456789abcdef"  # noqa: S105  # of nobody
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,255}")
_STATES = {"pending", "success", "warning", "fail"}


@cache
def recorded() -> dict[str, Any]:
    """Name -> request and answer, of a real server: tests/data/patchwork/answers.json."""
    answers: dict[str, Any] = json.loads((ROOT / "tests/data/patchwork/answers.json").read_text())["answers"]
    return answers


@dataclass
class Patchwork:
    """What the server has, and how it is to behave."""

    patches: dict[int, str] = field(default_factory=dict)
    """Id -> message-id."""
    checks: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Method -> (status, body) instead of an answer."""
    posts_until_failure: int | None = None
    """After so many posts the server takes one more, and hangs up instead of saying so."""
    page: int = 250
    """The most that it puts on a page."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/1.2"

    def told(self) -> list[tuple[int, str, str, str]]:
        """(patch, context, state, description) of each check, in the order in which they came."""
        return [(one["patch"], one["context"], one["state"], one["description"]) for one in self.checks]


@contextmanager
def patchwork_server(*msgids: str) -> Iterator[Patchwork]:
    """A server that has the patches with these message-ids."""
    state = Patchwork(dict(enumerate(msgids, 1)))

    class Handler(_Handler):
        patchwork = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    patchwork: Patchwork
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.patchwork.requests.append(("GET", self.path))
        if "GET" in self.patchwork.failures:
            self._answer(*self.patchwork.failures["GET"])
        elif parts.path == "/api/1.2/patches/":
            self._json(200, [_patch(one, msgid) for one, msgid in self.patchwork.patches.items()
                             if msgid == query.get("msgid")])  # fmt: skip
        elif match := re.fullmatch(r"/api/1\.2/patches/(\d+)/checks/", parts.path):
            self._checks(int(match[1]), query)
        else:
            self._json(404, {"detail": "Not found."})

    def do_POST(self) -> None:
        state = self.patchwork
        state.requests.append(("POST", self.path))
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match = re.fullmatch(r"/api/1\.2/patches/(\d+)/checks/", self.path)
        if "POST" in state.failures:
            self._answer(*state.failures["POST"])
        elif match is None or int(match[1]) not in state.patches:
            self._recorded("check-no-such-patch")
        elif self.headers.get("Authorization") != f"Token {TOKEN}":
            self._recorded("check-wrong-token" if "Authorization" in self.headers else "check-anonymous")
        elif body.get("state") not in _STATES:
            self._recorded("check-bad-state")
        elif _SLUG.fullmatch(body.get("context", "")) is None:
            self._recorded("check-bad-context")
        elif "\0" in body.get("description", ""):
            self._recorded("check-nul")
        else:
            self._create(int(match[1]), body)

    def _create(self, patch: int, body: dict[str, str]) -> None:
        state = self.patchwork
        check = deepcopy(recorded()["check-created"]["body"])
        check.update(
            id=len(state.checks) + 1, state=body["state"], context=body["context"],
            description=body.get("description", "").strip(), target_url=body.get("target_url"),
        )  # fmt: skip
        state.checks.append({**check, "patch": patch})
        if state.posts_until_failure == len(state.checks) - 1:
            self.close_connection = True
            self.connection.close()
            return
        self._json(201, check)

    def _checks(self, patch: int, query: dict[str, str]) -> None:
        if patch not in self.patchwork.patches:
            self._recorded("check-no-such-patch")
            return
        size, page = min(int(query.get("per_page", "30")), self.patchwork.page), int(query.get("page", "1"))
        found = [
            {key: value for key, value in one.items() if key != "patch"}
            for one in self.patchwork.checks
            if one["patch"] == patch
        ]
        pages = max(1, -(-len(found) // size))
        if page > pages:
            self._recorded("checks-no-such-page")
            return
        here = f"{self.patchwork.url}/patches/{patch}/checks/?per_page={size}&page="
        links = [f'<{here}{page + 1}>; rel="next"'] if page < pages else []
        links += [f'<{here}1>; rel="first"', f'<{here}{pages}>; rel="last"']
        self._json(200, found[(page - 1) * size : page * size], {"Link": ", ".join(links)})

    def _recorded(self, name: str) -> None:
        answer = recorded()[name]
        self._json(answer["status"], answer["body"])

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(value), {"Content-Type": "application/json", **(headers or {})})

    def _answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


def _patch(number: int, msgid: str) -> dict[str, Any]:
    patch: dict[str, Any] = deepcopy(recorded()["patch-by-msgid"]["body"][0])
    patch.update(id=number, msgid=f"<{msgid}>")
    return patch
