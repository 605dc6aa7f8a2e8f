# SPDX-License-Identifier: GPL-2.0-or-later
"""Where mails are handed in, as git-send-email(1) is told: sendemail.* and sendemail.<identity>.*."""

from msgspec import Struct

from seriestool.util.config import Config
from seriestool.util.errors import InputError

_PORTS = {"none": 25, "tls": 587, "ssl": 465}
_LOOPBACK = ("localhost", "::1", "127.0.0.1")


class SmtpSettings(Struct, frozen=True):
    """A mail server, and how to speak to it."""

    host: str
    port: int
    encryption: str = "none"
    """none, tls (STARTTLS) or ssl; certificates are verified."""
    user: str | None = None
    password: str | None = None
    certificates: str | None = None
    """File or folder of authorities; None: those of the system."""
    domain: str | None = None
    """What we say that we are called (EHLO)."""
    timeout: float = 60.0
    """Seconds."""

    def __repr__(self) -> str:
        """Without the user and the password: values end up in logs."""
        return f"SmtpSettings({self.host!r}, {self.port}, {self.encryption!r})"


def read_smtp(config: Config) -> SmtpSettings:
    """The server that git-config names; raises InputError where it names none, or one that we do not use."""
    host = _value(config, "smtpserver")
    if _value(config, "sendmailcmd") or (host or "").startswith(("/", "~")):
        raise InputError(
            "sendemail.smtpServer names a program, and the bot starts none to send mails",
            hint="set it to the name of a mail server; one that runs on this machine is 'localhost'",
        )
    if host is None:
        raise InputError("no mail server is set", hint="set sendemail.smtpServer, as for git send-email")
    encryption = (_value(config, "smtpencryption") or "none").lower()
    if encryption not in _PORTS:
        raise InputError(f"sendemail.smtpEncryption is '{encryption}'", hint="tls, ssl or none is wanted")
    return _checked(
        SmtpSettings(
            host=host,
            port=_port(_value(config, "smtpserverport"), _PORTS[encryption]),
            encryption=encryption,
            user=_value(config, "smtpuser"),
            password=_value(config, "smtppass"),
            certificates=_certificates(config),
            domain=_value(config, "smtpdomain"),
        )
    )


def _checked(settings: SmtpSettings) -> SmtpSettings:
    if settings.user is not None and settings.password is None:
        raise InputError(
            "sendemail.smtpUser is set, and sendemail.smtpPass is not: nobody is there to be asked",
            hint="set it in a file that only the bot can read, and name that with include.path",
        )
    if settings.user is not None and settings.encryption == "none" and settings.host not in _LOOPBACK:
        raise InputError(
            f"the password would go to {settings.host} for everybody to read",
            hint="set sendemail.smtpEncryption to tls or ssl",
        )
    return settings


def _certificates(config: Config) -> str | None:
    """Where authorities are; git takes an empty value for "verify nothing", which the bot does not do."""
    if config.get("sendemail.smtpsslcertpath", ("x",))[-1] == "":
        raise InputError(
            "sendemail.smtpSSLCertPath is empty: the bot sends nothing to a server that it cannot verify",
            hint="set it to the certificates of your authority, or leave it out",
        )
    return _value(config, "smtpsslcertpath")


def _port(text: str | None, default: int) -> int:
    if text is None:
        return default
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536:
        return int(text)
    raise InputError(f"sendemail.smtpServerPort is '{text}'", hint="a number below 65536 is wanted")


def _value(config: Config, key: str) -> str | None:
    """What the identity has of it, else what holds for all."""
    identity = config.get("sendemail.identity", ("",))[-1]
    for name in (*([f"sendemail.{identity}.{key}"] if identity else []), f"sendemail.{key}"):
        if value := config.get(name, ("",))[-1].strip():
            return value
    return None
