# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks on a Patchwork server by its REST API; patchwork_api.py knows what the answers mean."""

import json
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from msgspec import Struct

from seriestool.bot.notify.delivery import DeliveryResult, DeliveryStatus
from seriestool.bot.notify.patchwork_api import CheckPayload, PatchworkServer, find_missing, find_patch, parse_bodies

_MOST_BYTES = 4_000_000
_BAD = 400
_MOST_PAGES = 20
_PAGE = 100
_PATIENCE = (10, 60)  # seconds to connect, and between two bytes


class _PatchworkError(Exception):
    """A server that does not answer as it should, or not at all."""

    def __init__(self, words: str, status: DeliveryStatus = DeliveryStatus.LATER) -> None:
        super().__init__(words)
        self.status = status


class _PatchworkResponse(NamedTuple):
    """What a server answers."""

    code: int
    value: object
    has_more: bool
    """Whether there is another page of it."""


class _TokenAuth(requests.auth.AuthBase):
    """The token; set as auth, because requests would prefer what ~/.netrc says to a header of ours."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self._token}"
        return request


class Patchwork(Struct, frozen=True):
    """A Patchwork server: it is asked what it has before it is told anything."""

    server: PatchworkServer
    budget: float = 600.0
    """Seconds that an attempt takes at most: the rest is told of later, before anybody gives this worker up."""
    is_repeatable: bool = True

    def deliver(self, outbox_id: str, message: bytes) -> DeliveryResult:  # noqa: ARG002
        """Post the checks that the server has not got."""
        try:
            bodies = parse_bodies(message)
        except ValueError as error:
            return DeliveryResult(DeliveryStatus.REFUSED, str(error))
        try:
            with requests.Session() as session:
                session.auth = _TokenAuth(self.server.token)
                return _tell_all(_PatchworkConnection(session, self.server, time.monotonic() + self.budget), bodies)
        except _PatchworkError as error:
            return DeliveryResult(error.status, f"Patchwork: {error}")
        except requests.RequestException as error:
            return DeliveryResult(DeliveryStatus.LATER, f"Patchwork: {error}")
        except ValueError as error:
            return DeliveryResult(
                DeliveryStatus.LATER, f"{self.server.api} does not answer as a Patchwork server does: {error}"
            )


def _tell_all(visit: "_PatchworkConnection", bodies: tuple[CheckPayload, ...]) -> DeliveryResult:
    refused: list[str] = []
    absent: list[str] = []
    for msgid in dict.fromkeys(body.msgid for body in bodies):
        patch = visit.find_patch(msgid)
        if patch is None:
            absent.append(msgid)
        else:
            refused += visit.tell(patch, [body for body in bodies if body.msgid == msgid])
    if absent:
        return DeliveryResult(DeliveryStatus.LATER, f"Patchwork has no patch {absent[0]} yet")
    if refused and len(refused) == len(bodies):
        return DeliveryResult(DeliveryStatus.REFUSED, f"Patchwork: {refused[0]}")
    return DeliveryResult(
        DeliveryStatus.DELIVERED, f"Patchwork refused {len(refused)} checks: {refused[0]}" if refused else None
    )


class _PatchworkConnection(Struct, frozen=True):
    """A connection to a server, and how long it may last."""

    session: requests.Session
    server: PatchworkServer
    deadline: float

    def find_patch(self, msgid: str) -> int | None:
        """The id of the patch, or None where the server has it not yet."""
        return find_patch(self._ask("GET", self.server.patches(msgid)).value, msgid)

    def tell(self, patch: int, bodies: list[CheckPayload]) -> list[str]:
        """What was refused, in words."""
        refused = []
        for body in find_missing(bodies, self._checks(patch)):
            answer = self._ask("POST", self.server.checks(patch), body.to_dict())
            if answer.code == _BAD:
                refused.append(f"{body.context}: {answer.value}")
        return refused

    def _checks(self, patch: int) -> Iterator[object]:
        """What the server has of the patch's checks, whoever posted them."""
        for page in range(1, _MOST_PAGES + 1):
            answer = self._ask("GET", f"{self.server.checks(patch)}?per_page={_PAGE}&page={page}")
            if not isinstance(answer.value, list):
                raise ValueError("it is no list of checks")  # noqa: TRY004
            yield from answer.value
            if not answer.has_more:
                return

    def _ask(self, method: str, url: str, body: dict[str, str] | None = None) -> _PatchworkResponse:
        """The answer; raises _PatchworkError where it is not what a request of this kind gets."""
        host = urlsplit(url).hostname
        # A server's word on where else to go is not followed: the token would go there too.
        with self.session.request(
            method, url, json=body, timeout=_PATIENCE, allow_redirects=False, stream=True
        ) as answer:
            code = answer.status_code
            if code in (401, 403):
                words = "the token is none, or not that of a maintainer of the project"
                raise _PatchworkError(f"{host} says {code}: {words}", DeliveryStatus.REFUSED)
            if code not in ((200,) if method == "GET" else (201, _BAD)):
                raise _PatchworkError(f"{host} says {code}")
            return _PatchworkResponse(code, self._json(answer), "next" in answer.links)

    def _json(self, answer: requests.Response) -> object:
        """The answer read, bounded; raises ValueError where it is no JSON."""
        data = b""
        for piece in answer.iter_content(65536):
            data += piece
            if len(data) > _MOST_BYTES:
                raise ValueError("its answer is too large")
            if time.monotonic() > self.deadline:
                raise _PatchworkError("it takes too long: the rest is for later")
        try:
            found: object = json.loads(data)
        except RecursionError as error:
            raise ValueError("its answer is too deep") from error
        return found
