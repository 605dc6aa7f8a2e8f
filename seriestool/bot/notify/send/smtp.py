# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails by SMTP. A server cannot be asked whether it has a mail, so what is not known of one stays unknown."""

import smtplib
import ssl
from contextlib import closing, suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from msgspec import Struct

from seriestool.bot.notify.delivery import DeliveryResult, DeliveryStatus
from seriestool.bot.notify.smtp_settings import SmtpSettings

_MOST_BYTES = 1_000_000


def recipients_of(message: bytes) -> tuple[str, ...]:
    """Addresses of To and Cc of a mail of ours."""
    read = message_from_bytes(message, policy=default)
    headers = (header for name in ("to", "cc") for header in read.get_all(name, []))
    return tuple(dict.fromkeys(one.addr_spec for header in headers for one in header.addresses))


class Smtp(Struct, frozen=True):
    """A mail server. It cannot be asked whether it has a mail."""

    settings: SmtpSettings
    sender: str
    """Address of the envelope."""
    is_repeatable: bool = False

    def deliver(self, outbox_id: str, message: bytes) -> DeliveryResult:  # noqa: ARG002
        """Hand the mail to the server; all who get it, or nobody who may yet get it, in one go."""
        to = recipients_of(message)
        if not to or len(message) > _MOST_BYTES:
            return DeliveryResult(DeliveryStatus.REFUSED, "it is too large" if to else "it is to nobody")
        try:
            with closing(self._connect()) as server:
                return self._hand_over(server, to, message)
        except (smtplib.SMTPException, OSError) as error:  # of what comes before the mail: it has not gone
            return DeliveryResult(DeliveryStatus.LATER, f"{self.settings.host}: {_words(error)}")

    def _connect(self) -> smtplib.SMTP:
        ours = self.settings
        context = self._context() if ours.encryption != "none" else None
        if ours.encryption == "ssl":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                ours.host, ours.port, ours.domain, timeout=ours.timeout, context=context
            )
        else:
            server = smtplib.SMTP(ours.host, ours.port, ours.domain, timeout=ours.timeout)
        try:
            if ours.encryption == "tls":
                server.starttls(context=context)
            if ours.user is not None:
                server.login(ours.user, ours.password or "")
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _context(self) -> ssl.SSLContext:
        place = self.settings.certificates
        if place is None:
            return ssl.create_default_context()
        is_folder = Path(place).is_dir()
        return ssl.create_default_context(cafile=None if is_folder else place, capath=place if is_folder else None)

    def _hand_over(self, server: smtplib.SMTP, to: tuple[str, ...], message: bytes) -> DeliveryResult:
        refused = []
        code, words = server.mail(self.sender, [f"size={len(message)}"] if server.has_extn("size") else [])
        if code != 250:
            return _refusal(code, words)
        for address in to:
            code, words = server.rcpt(address)
            if code not in (250, 251):
                # The first one is the author: a mail that they do not get is none; a greylisting holds it for all.
                if code < 500 or address == to[0]:
                    return _refusal(code, words)
                refused.append(f"{address}: {_decoded(words)}")
        return self._data(server, message, refused)

    def _data(self, server: smtplib.SMTP, message: bytes, refused: list[str]) -> DeliveryResult:
        try:
            code, words = server.data(message)
        except smtplib.SMTPDataError as error:  # before the first byte of it
            return _refusal(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return DeliveryResult(
                DeliveryStatus.UNKNOWN, f"the connection was lost in the middle of the mail: {_words(error)}"
            )
        if code != 250:
            return _refusal(code, words)
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        return DeliveryResult(DeliveryStatus.DELIVERED, f"refused for {'; '.join(refused)}" if refused else None)


def _refusal(code: int, words: bytes | str) -> DeliveryResult:
    if not 400 <= code < 600:
        return DeliveryResult(DeliveryStatus.LATER, f"the server said {code} {_decoded(words)}")
    return DeliveryResult(DeliveryStatus.REFUSED if code >= 500 else DeliveryStatus.LATER, f"{code} {_decoded(words)}")


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error) or type(error).__name__


def _decoded(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
