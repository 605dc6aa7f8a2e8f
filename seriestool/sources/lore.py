# SPDX-License-Identifier: GPL-2.0-or-later
"""Public-inbox servers and Patchwork, through liblore and requests: the one module that opens a socket.

Answers are kept in a cache; with `offline` the cache is all that is asked.
"""

import time
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool import __version__
from seriestool.series.mail import MAX_BYTES, gunzip, split_mbox
from seriestool.series.mail.mbox import TooLargeError
from seriestool.util.config import Config, parse_boolean
from seriestool.util.errors import InputError, NotFoundError, OutsideError, SeriestoolError
from seriestool.util.files import write_whole

if TYPE_CHECKING:
    from liblore import LoreNode

DEFAULT_URL = "https://lore.kernel.org/all"
_FRESH = 600  # seconds for which an answer is not asked for again, as in b4
_TIMEOUT = (5.0, 30.0)  # seconds to connect, and between two pieces of the answer
_PATIENCE = 120.0  # seconds for a whole answer, however it trickles in
_PIECE = 1 << 16
_CHECK_NETWORK = "check the network and the address; --offline uses what is in the cache, --archive a local archive"


class LargeAnswerError(OutsideError):
    """An answer of more bytes than can be held, as it came or unpacked."""


class Lore(Struct, frozen=True):
    """A public-inbox server (or one inbox of it) at `url`, and the cache of its answers."""

    url: str = DEFAULT_URL
    config: Callable[[], Config] = dict
    cache_dir: Path | None = None
    offline: bool = False

    def get_thread(self, msgid: str) -> tuple[bytes, ...]:
        """The mails of the thread that has the message-id.

        Raises NotFoundError where the server does not have it, OutsideError where it gives no sensible answer.
        """
        return split_mbox(self._cached("thread", msgid, lambda node: _get_thread(node, msgid)))

    def search(self, query: str) -> tuple[bytes, ...]:
        """The mails of all threads in which a mail matches the query (the server's `/_/text/help/`); () if none does.

        Raises OutsideError where the server gives no sensible answer.
        """
        try:
            return split_mbox(self._cached("search", query, lambda node: _search(node, query)))
        except NotFoundError:
            return ()

    def find_mails(self, query: str) -> tuple[bytes, ...]:
        """The mails that match the query, without their threads, asked for anew each time; () if none does.

        Raises OutsideError where the server gives no sensible answer, or sends us to another server.
        """
        try:
            data = self._ask(query, lambda node: _search_mails(node, query))
        except NotFoundError:
            return ()
        mails = split_mbox(data)
        if data.strip() and not mails:
            raise OutsideError(f"{self.url} answered with something that is no mailbox", hint=_CHECK_NETWORK)
        return mails

    def check_inbox(self) -> None:
        """Nothing, where there is an inbox; raises NotFoundError where not, OutsideError where nobody answers."""
        import requests

        try:
            with _same_host_session() as session:
                status = session.get(f"{self.url.rstrip('/')}/", timeout=_TIMEOUT).status_code
        except requests.RequestException as error:
            raise OutsideError(f"cannot reach {self.url}: {_short(error)}", hint=_CHECK_NETWORK) from error
        if status == 404:
            raise NotFoundError(f"there is no list at '{self.url}'")
        if status != 200:
            raise OutsideError(f"{self.url} answered {status}", hint="try again later")

    def _cached(self, kind: str, what: str, fetch: "Callable[[LoreNode], bytes]") -> bytes:
        file = self._cache_file(kind, what)
        kept = _read_cache(file, None if self.offline else _FRESH)
        if kept is not None:
            return kept
        if self.offline:
            raise NotFoundError(
                f"'{what}' is neither in the cache nor in an archive",
                hint="ask again without --offline, or name a local archive with --archive",
            )
        data = self._ask(what, fetch)
        _write_cache(file, data)
        return data

    def _cache_file(self, kind: str, what: str) -> Path | None:
        if self.cache_dir is None:
            return None
        import hashlib

        name = hashlib.sha256("\0".join((self.url, kind, what)).encode("utf-8", "surrogateescape")).hexdigest()
        return self.cache_dir / "lore" / f"{name}.mbox"

    def _ask(self, what: str, fetch: "Callable[[LoreNode], bytes]") -> bytes:
        import liblore
        import requests

        _silence("liblore")
        try:
            with _open_node(self.url, self.config()) as node:
                return fetch(node)
        except liblore.RemoteError as error:
            raise _explain(self.url, what, error.status_code) from error
        except SeriestoolError:
            raise
        except (liblore.LibloreError, requests.RequestException) as error:
            raise OutsideError(f"cannot reach {self.url}: {_short(error)}", hint=_CHECK_NETWORK) from error
        except (OSError, EOFError, ValueError) as error:  # what gzip raises for damaged or cut data
            raise OutsideError(f"{self.url} gave a damaged answer: {_short(error)}", hint="try again") from error


def server_of_url(url: str) -> str:
    """The part of a mail's URL that names its inbox: `https://host/list` of `https://host/list/<msgid>/`."""
    parts = urllib.parse.urlsplit(url)
    inbox = next((part for part in parts.path.split("/") if part), "")
    is_inbox = inbox and "@" not in urllib.parse.unquote(inbox) and inbox != "r"
    return f"{parts.scheme}://{parts.netloc}" + (f"/{inbox}" if is_inbox else "")


def get_patchwork_msgid(url: str) -> str:
    """The message-id of the patch, or of the series' first mail, behind a Patchwork URL that only has a number.

    Asks Patchwork's REST API. Raises NotFoundError, or OutsideError.
    """
    parts = urllib.parse.urlsplit(url)
    words = [word for word in parts.path.split("/") if word]
    numbers = urllib.parse.parse_qs(parts.query).get("series", [])
    kind, number = ("series", numbers[0]) if numbers else _numbered(words)
    if not number.isdigit():
        raise NotFoundError(f"'{url}' names neither a patch nor a series")
    server = f"{parts.scheme}://{parts.netloc}"
    answer = _get_json(f"{server}/api/{kind}/{number}/", url)
    mails = [answer] if kind != "series" else [answer.get("cover_letter"), *(answer.get("patches") or ())]
    for mail in mails:
        if isinstance(mail, dict) and isinstance(mail.get("msgid"), str):
            return str(mail["msgid"]).strip("<> ")
    raise OutsideError(f"{server} gave no message-id for '{url}'")


def _numbered(words: list[str]) -> tuple[str, str]:
    kinds = {"patch": "patches", "patches": "patches", "cover": "covers", "covers": "covers", "series": "series"}
    for word, number in pairwise(words):
        if word in kinds and number.isdigit():
            return kinds[word], number
    return "", ""


def _get_json(api: str, url: str) -> dict[str, Any]:
    import requests

    try:
        with _bounded_session() as session:
            answer = session.get(api, timeout=_TIMEOUT)
        if answer.status_code == 404:
            raise NotFoundError(f"no such patch or series: {url}")
        if answer.status_code != 200:
            raise OutsideError(f"{api} answered {answer.status_code}", hint="try again later")
        value = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise OutsideError(f"no sensible answer from {api}: {_short(error)}", hint="try again later") from error
    if not isinstance(value, dict):
        raise OutsideError(f"no sensible answer from {api}", hint="try again later")
    return value


def _get_thread(node: "LoreNode", msgid: str) -> bytes:
    data = node.get_mbox_by_msgid(msgid, nocache=True)
    if not split_mbox(data):
        raise OutsideError(f"{node.url} answered with something that is no mailbox", hint=_CHECK_NETWORK)
    return data


def _search(node: "LoreNode", query: str) -> bytes:
    return node.get_mbox_by_query(query, full_threads=True, nocache=True)


def _search_mails(node: "LoreNode", query: str) -> bytes:
    node.set_requests_session(_same_host_session())
    return node.get_mbox_by_query(query, nocache=True)


def _open_node(url: str, config: Config) -> "LoreNode":
    """The node with what git-config says for its server: section `liblore.<origin>`, or `lore` for lore.kernel.org."""
    from liblore import LoreNode

    parts = urllib.parse.urlsplit(url)
    values = _section(config, f"liblore.{parts.scheme}://{parts.netloc}.")
    if not values and parts.netloc == "lore.kernel.org":
        values = _section(config, "lore.")
    node = LoreNode(url, **_node_options(values))
    node.set_requests_session(_bounded_session(values.get("useragentplus", ("",))[-1]))
    return node


def _section(config: Config, prefix: str) -> dict[str, tuple[str, ...]]:
    found = {key[len(prefix) :]: values for key, values in config.items() if key.startswith(prefix)}
    return {key: values for key, values in found.items() if "." not in key}


def _node_options(values: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "autoprobe": ("auto_probe", _truth),
        "probetimeout": ("probe_timeout", float),
        "probettl": ("probe_ttl", int),
        "requesttimeout": ("request_timeout", _timeout),
        "followupstream": ("follow_upstream", _truth),
        "partialsearch": ("partial_search", str.lower),
        "upstreamholdoff": ("upstream_holdoff", float),
    }
    options: dict[str, Any] = {"request_timeout": _TIMEOUT}
    for key, (name, read) in readers.items():
        if key in values:
            try:
                options[name] = read(values[key][-1].strip())
            except ValueError as error:
                raise SeriestoolError(f"git-config has a value for lore's '{key}' that is none: {error}") from error
    for key, name in (("fallback", "fallback_urls"), ("allowupstream", "allowed_upstreams")):
        if key in values:
            options[name] = list(values[key])
    return options


def _truth(value: str) -> bool:
    truth = parse_boolean(value)
    if truth is None:
        raise ValueError(value)
    return truth


def _timeout(value: str) -> "float | tuple[float, float]":
    connect, comma, read = value.partition(",")
    return (float(connect), float(read)) if comma else float(value)


def _bounded_session(useragentplus: str = "") -> Any:
    """A requests session whose answers end: bounded in size, packed and unpacked, and in time."""
    import requests

    class BoundedSession(requests.Session):
        def request(self, *arguments: Any, **options: Any) -> requests.Response:
            response = super().request(*arguments, **{**options, "stream": True})
            response._content = _read_bounded(response)  # noqa: SLF001
            return response

    session = BoundedSession()
    session.headers["User-Agent"] = f"seriestool/{__version__}" + (f"+{useragentplus}" if useragentplus else "")
    return session


def _same_host_session() -> Any:
    """A bounded session that is not led to another server: what is watched is named by whom we were told to ask."""
    session = _bounded_session()
    find_target = session.get_redirect_target

    def find_own_target(response: Any) -> str | None:
        target: str | None = find_target(response)
        if target and _host(urllib.parse.urljoin(response.url, target)) != _host(response.url):
            raise OutsideError(f"{response.url} sends us to another server: {target[:200]}", hint=_CHECK_NETWORK)
        return target

    session.get_redirect_target = find_own_target
    return session


def _host(url: str) -> str | None:
    try:
        return urllib.parse.urlsplit(url).hostname
    except ValueError:
        return None


def _read_bounded(response: Any) -> bytes:
    ends = time.monotonic() + _PATIENCE
    data = bytearray()
    for piece in response.iter_content(_PIECE):
        data += piece
        if len(data) > MAX_BYTES:
            raise LargeAnswerError(f"{response.url} answered with more than {MAX_BYTES // 1_000_000} MB")
        if time.monotonic() > ends:
            raise OutsideError(f"{response.url} took longer than {_PATIENCE:g} seconds", hint="try again later")
    try:
        gunzip(bytes(data), response.url)  # refuses what unpacks to more than we can hold
    except TooLargeError as error:
        raise LargeAnswerError(error.message) from error
    except InputError as error:
        raise OutsideError(error.message, hint="try again later") from error
    return bytes(data)


def _explain(url: str, what: str, status: int | None) -> SeriestoolError:
    if status == 404:
        return NotFoundError(f"no such message on {url}: '{what}'", hint="check the message-id, or the list in the URL")
    if status is None:
        return OutsideError(f"cannot reach {url}", hint=_CHECK_NETWORK)
    return OutsideError(f"{url} answered {status}", hint="try again later")


def _short(error: BaseException) -> str:
    return (str(error).split("\n")[0] or type(error).__name__)[:200]


def _silence(name: str) -> None:
    import logging

    logging.getLogger(name).addHandler(logging.NullHandler())
    logging.getLogger(name).propagate = False


def _read_cache(file: Path | None, max_age: int | None) -> bytes | None:
    if file is None:
        return None
    try:
        if max_age is not None and time.time() - file.stat().st_mtime > max_age:
            return None
        return file.read_bytes()
    except OSError:
        return None


def _write_cache(file: Path | None, data: bytes) -> None:
    if file is None:
        return
    with suppress(OSError):  # a full disk makes the cache useless, not the answer
        write_whole(file, data)
