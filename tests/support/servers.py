# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers on loopback: public-inbox with the test's mails, a mail server, Patchwork, and ones that answer nonsense."""

import asyncio
import http.server
import json
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.repos import ROOT

ADDRESS = "list@example.org"


_PROGRAMS = ("public-inbox-init", "public-inbox-mda", "public-inbox-index", "public-inbox-httpd")


_PATIENCE = 30.0


@contextmanager
def public_inbox(folder: Path, mails: Sequence[bytes], name: str = "french") -> Iterator[str]:
    """The URL of an inbox `name` that has the mails; the server ends after the block."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: public-inbox libsearch-xapian-perl)")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}/{name}"
    env = {**os.environ, "HOME": str(folder), "PI_CONFIG": str(folder / "config"), "ORIGINAL_RECIPIENT": ADDRESS}

    def run(*command: str, data: bytes = b"") -> None:
        subprocess.run(command, input=data, env=env, check=True, capture_output=True, cwd=folder)

    run("public-inbox-init", "-V2", "-L", "full", name, str(folder / name), url, ADDRESS)
    run("git", "config", "-f", str(folder / "config"), "publicinboxmda.spamcheck", "none")
    for mail in mails:
        run("public-inbox-mda", "--no-precheck", data=mail)
    run("public-inbox-index", str(folder / name))
    server = subprocess.Popen(
        ["public-inbox-httpd", "-W0", "-l", f"http://127.0.0.1:{port}"],
        env=env,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=_PATIENCE)


@contextmanager
def http_server(answer: Callable[[str], tuple[int, str, bytes]]) -> Iterator[str]:
    """The URL of a server that answers each path with (status, content type, body) as `answer` says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))  # left unread, it would end the connection
            status, kind, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815
        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def free_port() -> int:
    """A port on which nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends and server.poll() is None:
        try:
            urllib.request.urlopen(url + "/", timeout=5).read()  # noqa: S310
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"public-inbox-httpd did not answer on {url}")


@dataclass
class Mails:
    """What the server got, and how it is to behave: a reply for a step (rcpt, data, after-data) or a recipient."""

    replies: dict[str, str] = field(default_factory=dict)
    hang_up: str | None = None
    """The step at which the connection is closed instead of an answer."""
    got: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    port: int = 0
    delay: float = 0.0
    """Seconds, at most, that pass before a mail is taken, and before that is said."""

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hang_up == "mail":
            _close(server)
        if "mail" not in self.replies:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.replies.get("mail", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(address, self.replies.get("rcpt", "250 OK"))
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(random.uniform(0, self.delay))  # noqa: S311
        reply = self.replies.get("after-data", "250 OK")
        content = envelope.content
        assert isinstance(content, bytes)
        if reply.startswith("2"):
            self.got.append(content)
            self.recipients.append(list(envelope.rcpt_tos))
            self.senders.append(envelope.mail_from or "")
        await asyncio.sleep(random.uniform(0, self.delay))  # noqa: S311
        if self.hang_up == "after-data":
            _close(server)
        return reply


def _close(server: SMTP) -> None:
    assert server.transport is not None
    server.transport.abort()


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, is_ssl: bool = False, password: str | None = None
) -> Iterator[Mails]:
    """A server on a free port of loopback; with `tls` it speaks STARTTLS, or TLS from the first byte."""
    mails = Mails()
    options: dict[str, Any] = {}
    if tls is not None and is_ssl:
        options["ssl_context"] = tls
    elif tls is not None:
        options.update(tls_context=tls, require_starttls=True)
    if password is not None:
        options.update(
            auth_required=True, auth_require_tls=False,
            authenticator=lambda _server, _session, _envelope, _mechanism, data: AuthResult(
                success=data.login == b"bot" and data.password == password.encode()
            ),
        )  # fmt: skip
    controller = Controller(mails, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    mails.port = controller.port
    try:
        yield mails
    finally:
        controller.stop()


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
