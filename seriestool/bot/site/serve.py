# SPDX-License-Identifier: GPL-2.0-or-later
"""The one module that listens: waitress, a small and old HTTP server, with bounds on all that clients may do.

Its main loop reads requests and writes answers without a thread for each connection, so a slow client keeps nobody
waiting. Whoever takes too long with a request, or with reading an answer, is cut off.
"""

import ipaddress
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from seriestool.util.errors import InputError, OutsideError

if TYPE_CHECKING:
    from waitress.server import TcpWSGIServer

PORT = 8087
_THREADS = 4
_MOST_CONNECTIONS = 500
_SILENCE = 15  # seconds without a byte from or to a client
_LONGEST = 60  # seconds for a connection, whatever goes on in it
_LOOK_AROUND = 2  # seconds between two looks for such clients
_LARGEST_HEAD = 16_384  # bytes: request line and headers
_LARGEST_BODY = 1024  # bytes: nobody needs to send any
_LARGEST_ANSWER = 128_000_000  # bytes that wait for a client, on disk beyond the first ones

Application = Callable[[Any, Any], Iterable[bytes]]


def parse_address(text: str) -> tuple[str, int]:
    """(address, port) of `127.0.0.1`, `0.0.0.0:80`, `[::1]:8087`, `localhost`; raises InputError."""
    host, port = text, str(PORT)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        port = port if bracket and not rest else rest.removeprefix(":") if rest.startswith(":") else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise InputError(
            f"'{text}' is no address to listen on", hint="for example 127.0.0.1:8087, or [::]:80"
        ) from error
    if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise InputError(f"'{text}' has no port that there is", hint="a port is a number below 65536")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    return ipaddress.ip_address(host).is_loopback


def make_server(app: Application, host: str, port: int) -> "TcpWSGIServer":
    """A server that listens already; `.run()` serves until it is interrupted, `.effective_port` says where.

    Raises OutsideError where the address cannot be had.
    """
    from waitress.adjustments import Adjustments
    from waitress.server import TcpWSGIServer

    class Server(TcpWSGIServer):  # type: ignore[misc]  # it has no types
        def maintenance(self, now: float) -> None:
            super().maintenance(now)
            for channel in list(self.active_channels.values()):
                if channel.creation_time < now - _LONGEST:  # one that sends a byte now and then is never silent
                    channel.will_close = True

    logging.getLogger("waitress").setLevel(logging.ERROR)
    try:
        settings = Adjustments(
            host=host,
            port=port,
            threads=_THREADS,
            connection_limit=_MOST_CONNECTIONS,
            channel_timeout=_SILENCE,
            cleanup_interval=_LOOK_AROUND,
            max_request_header_size=_LARGEST_HEAD,
            max_request_body_size=_LARGEST_BODY,
            outbuf_high_watermark=_LARGEST_ANSWER,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            expose_tracebacks=False,
            log_socket_errors=False,
            ident="",
        )
        return Server(app, map={}, adj=settings, sockinfo=settings.listen[0])
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutsideError(f"cannot listen on {host} port {port}: {reason}", hint="--listen names another") from error
