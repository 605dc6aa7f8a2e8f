# SPDX-License-Identifier: GPL-2.0-or-later
"""A real public-inbox server on loopback, filled with the test's own mails; and servers that answer nonsense."""

import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

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
