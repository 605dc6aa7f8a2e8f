# SPDX-License-Identifier: GPL-2.0-or-later
"""A real mail server on loopback, which can be told to refuse, to hang up and to lie."""

import asyncio
import random
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


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
    controller = Controller(mails, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    mails.port = controller.port
    try:
        yield mails
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
