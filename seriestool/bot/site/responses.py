# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to HTTP requests as values, and what every one of them carries: nothing here knows of a socket."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from msgspec import Struct

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

_WORTH_PACKING = 1000  # bytes
_MOST_PACKED = 16_000_000  # bytes: packing more would keep others waiting
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# What our own pages state at their very beginning, before anything that came from a mail.
_STATED = re.compile(
    rb'<meta http-equiv="Content-Security-Policy" content="(default-src &#39;none&#39;[^"<>\r\n]{0,500})">'
)
_POLICY = re.compile(r"[A-Za-z0-9 ;'+/=-]+")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


class HttpResponse(Struct, frozen=True):
    """One answer; `modified` is when its content became what it is, in unix seconds."""

    status: HTTPStatus
    kind: str
    body: bytes
    modified: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    policy: str = _NOTHING
    is_kept: bool = True
    """Whether it may be kept and asked for again with its ETag."""


def html(text: bytes, modified: int | None = None) -> HttpResponse:
    """A page of ours, with the policy that it states itself."""
    return HttpResponse(HTTPStatus.OK, "text/html; charset=utf-8", text, modified, policy=policy_of(text))


def as_json(value: object, status: HTTPStatus = HTTPStatus.OK, is_kept: bool = True) -> HttpResponse:
    """A value as JSON, ASCII only."""
    text = json.dumps(value, indent=2).encode() + b"\n"
    return HttpResponse(status, "application/json", text, is_kept=is_kept)


def error_response(status: HTTPStatus, message: str, *headers: tuple[str, str]) -> HttpResponse:
    """What went wrong, in a line."""
    line = " ".join(message.split())
    return HttpResponse(
        status=status,
        kind="text/plain; charset=utf-8",
        body=f"{line}\n".encode("utf-8", "replace"),
        modified=None,
        headers=headers,
        is_kept=False,
    )


def redirect(path: str) -> HttpResponse:
    """Go to another path of this site, for now; the path is one that we made."""
    if not path.startswith("/") or path.startswith("//") or not path.isascii() or not path.isprintable():
        return error_response(HTTPStatus.NOT_FOUND, "there is nothing here")
    return error_response(HTTPStatus.FOUND, f"see {path}", ("Location", path))


def policy_of(page: bytes) -> str:
    """The Content-Security-Policy for a page of ours: its own, and that nobody puts it into a frame."""
    found = _STATED.search(page[:4096])
    stated = found[1].decode("ascii", "replace").replace("&#39;", "'") if found else ""
    return (
        f"{stated}; frame-ancestors 'none'" if _POLICY.fullmatch(stated) else f"{_NOTHING}; style-src 'unsafe-inline'"
    )


def respond(response: HttpResponse, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The answer sent as WSGI (PEP 3333) wants it: not again where it is known, packed where that is understood."""
    headers = [*_HEADERS, ("Content-Security-Policy", response.policy), *response.headers]
    if response.status is HTTPStatus.OK and response.is_kept:
        tag = _tag(response)
        headers += [("ETag", tag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")]
        if response.modified is not None:
            headers.append(("Last-Modified", formatdate(response.modified, usegmt=True)))
        if _is_known(environ, tag, response.modified):
            start_response("304 Not Modified", headers)
            return []
    else:
        headers.append(("Cache-Control", "no-store"))
    body = response.body
    if _takes_gzip(environ) and _WORTH_PACKING < len(body) <= _MOST_PACKED:
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    headers += [("Content-Type", response.kind), ("Content-Length", str(len(body)))]
    start_response(f"{response.status.value} {response.status.phrase}", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def _tag(response: HttpResponse) -> str:
    """Weak: the same for the packed and the plain form."""
    return f'W/"{hashlib.sha256(response.body).hexdigest()[:32]}"'


def _is_known(environ: Environ, tag: str, modified: int | None) -> bool:
    """RFC 9110, 13.2.2: If-None-Match counts alone where it is there."""
    known = environ.get("HTTP_IF_NONE_MATCH")
    if known is not None:
        tags = [one.strip().removeprefix("W/") for one in known.split(",")]
        return known.strip() == "*" or tag.removeprefix("W/") in tags
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if since is None or modified is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since).timestamp()
    except (ValueError, OverflowError):
        return False


def _takes_gzip(environ: Environ) -> bool:
    for one in environ.get("HTTP_ACCEPT_ENCODING", "").lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
