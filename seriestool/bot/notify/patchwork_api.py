# SPDX-License-Identifier: GPL-2.0-or-later
"""Patchwork's REST API: what is asked and told, and what the answers mean; send/patchwork.py speaks. Pure.

https://patchwork.readthedocs.io/en/latest/api/rest/; seen with Patchwork 3.2.1, see docs/speaking.md.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from msgspec import Struct

from seriestool.util.errors import InputError

STATES = frozenset({"pending", "success", "warning", "fail"})
_VERSION = "1.2"
"""The first in which patches are found by their message-id: servers of before give all patches instead."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TOKEN = re.compile(r"[!-~]{1,200}")
_MOST_BODIES = 10_000


class CheckPayload(Struct, frozen=True):
    """A check of one patch, as it is told."""

    msgid: str
    context: str
    state: str
    description: str
    target_url: str = ""

    def to_dict(self) -> dict[str, str]:
        """What is posted."""
        told = {"state": self.state, "context": self.context, "description": self.description}
        return {**told, "target_url": self.target_url} if self.target_url else told


class PatchworkServer(Struct, frozen=True):
    """A Patchwork server's API."""

    api: str
    """Without a slash at its end."""
    token: str

    def patches(self, msgid: str) -> str:
        """Where the patch of that message-id is found."""
        return f"{self.api}/patches/?msgid={quote(msgid, safe='')}"

    def checks(self, patch: int) -> str:
        """Where its checks are, and where a new one is posted."""
        return f"{self.api}/patches/{patch}/checks/"


def make_server(url: str, token: str) -> PatchworkServer:
    """The server behind `https://host`, `.../api` or `.../api/1.3`; raises InputError where it cannot be used."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError(f"'{url}' is no URL of a Patchwork server", hint="https://patchwork.example.org/api is one")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InputError(f"the token would go to {parts.hostname} for everybody to read", hint="use https")
    if _TOKEN.fullmatch(token) is None:
        raise InputError("seriestool.bot.patchworkToken is no token")
    base = url.rstrip("/")
    if not re.search(r"/api(/\d+\.\d+)?$", base):
        base += "/api"
    if base.endswith("/api"):
        base += f"/{_VERSION}"
    if tuple(map(int, base.rpartition("/")[2].split("."))) < (1, 2):
        raise InputError(f"{base} is too old an API", hint=f"version {_VERSION} or a later one is wanted")
    return PatchworkServer(base, token)


def parse_bodies(message: bytes) -> tuple[CheckPayload, ...]:
    """What a saying has for Patchwork; raises ValueError where it is none."""
    read = json.loads(message)
    if not isinstance(read, list) or len(read) > _MOST_BODIES:
        raise ValueError("it is no list of checks")
    names = ("msgid", "context", "state", "description", "target_url")
    try:
        bodies = tuple(CheckPayload(*(str(one[name]) for name in names)) for one in read)
    except (KeyError, TypeError) as error:
        raise ValueError(f"a check has no {error}") from error
    for body in bodies:
        if body.state not in STATES or _SLUG.fullmatch(body.context) is None:
            raise ValueError(f"'{body.context[:80]}: {body.state[:80]}' is no check")
    return bodies


def find_patch(answer: object, msgid: str) -> int | None:
    """The id of the patch in the answer to `?msgid=`; None where the server has it not yet.

    An old server, or one that does not know the question, answers with other patches. Raises ValueError of no answer.
    """
    if not isinstance(answer, list):
        raise ValueError("it is no list of patches")  # noqa: TRY004
    for one in answer:
        if isinstance(one, dict) and str(one.get("msgid", "")).strip("<> ") == msgid:
            number = one.get("id")
            if isinstance(number, int) and number > 0:
                return number
    return None


def find_missing(bodies: Iterable[CheckPayload], answers: Iterable[object]) -> tuple[CheckPayload, ...]:
    """Those that the server has not got yet: the latest of each context says something else, or there is none."""
    latest: dict[str, tuple[int, object, object]] = {}
    for one in answers:
        if not isinstance(one, dict) or not isinstance(one.get("id"), int):
            raise ValueError("it is no list of checks")  # noqa: TRY004
        context = str(one.get("context"))
        if context not in latest or latest[context][0] < one["id"]:
            latest[context] = (one["id"], one.get("state"), one.get("description") or "")
    return tuple(
        body for body in bodies if latest.get(body.context, (0, None, None))[1:] != (body.state, body.description)
    )
