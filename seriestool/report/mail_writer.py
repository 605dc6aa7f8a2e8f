# SPDX-License-Identifier: GPL-2.0-or-later
"""A text -> a mail as RFC 5322 and RFC 2047 want it, whatever the names and subjects in it are.

Made with the standard library's email package, and read again before it is given away: a header that is not there as it
was meant is no mail of ours.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from seriestool.series.mail.mbox_writer import encode_words, format_address, format_date
from seriestool.util.errors import SeriestoolError

if TYPE_CHECKING:
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import EmailPolicy, Policy

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_ADDRESS = re.compile(
    r"(?!\.|[^@]*\.@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*"
)
_MSGID = re.compile(r"[!-;=?-~]{1,600}")
_LONGEST_NAME = 100  # characters
_LONGEST_SUBJECT = 400
_MOST_RECIPIENTS = 100
_WIDTH = 76
_NEXT_LINE = "\r\n "
_LONGEST_LINE = 998  # RFC 5322, 2.1.1


class MailFormatError(SeriestoolError):
    """A mail that cannot be written as it was meant."""

    exit_code = 2


class MailAddress(Struct, frozen=True):
    """Whom a mail is from or to."""

    address: str
    name: str = ""


class MailHeaders(Struct, frozen=True, kw_only=True):
    """What stands above the text."""

    subject: str
    sender: MailAddress | None
    """None in a draft: the program that sends it puts the user there."""
    to: tuple[MailAddress, ...]
    cc: tuple[MailAddress, ...] = ()
    msgid: str | None = None
    date: datetime | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = field(default=())
    """Our own headers: (name, value), ASCII."""


def is_address(address: str) -> bool:
    """Whether it is an address that can be written to: ASCII, nothing quoted."""
    return len(address) <= 254 and _ADDRESS.fullmatch(address) is not None and ".." not in address


def is_msgid(msgid: str) -> bool:
    """Whether a reply can name it: visible ASCII, no angle brackets, nothing that readers decode, not too long."""
    return _MSGID.fullmatch(msgid) is not None and "=?" not in msgid


def reply_subject(headline: str) -> str:
    """The subject of a reply: `Re: ` before it, once."""
    line = re.sub(r"^(?:re\s*:\s*)+", "", _one_line(headline), flags=re.I)
    return f"Re: {line[:_LONGEST_SUBJECT]}".strip()


def _one_line(text: str) -> str:
    """One line that reads as it stands: what is an encoded word after decoding is an encoded word of a liar's."""
    return " ".join(_CONTROL.sub(" ", text).replace("=?", "= ?").split())


def make_mail(envelope: MailHeaders, text: str) -> bytes:
    """The mail, line ends CRLF; ASCII only. Raises EnvelopeError where a header would not come out as it is meant."""
    for with_names in (True, False):
        mail = _compose(envelope, text, with_names)
        problem = _find_problem(mail, envelope, text)
        if problem is None:
            return mail
    raise MailFormatError(f"a mail cannot be written: {problem}")


def _compose(envelope: MailHeaders, text: str, with_names: bool) -> bytes:
    """The mail; there are names that the email package cannot read again, so there is also a way without them."""
    from email.message import EmailMessage

    policy = _policy()
    message = EmailMessage(policy)
    for name, value in _headers(envelope, with_names):
        message[name] = value
    is_plain = text.isascii() and all(len(line) <= _LONGEST_LINE for line in text.split("\n"))
    message.set_content(text, charset="utf-8", cte="7bit" if is_plain else "quoted-printable")
    return message.as_bytes()


def _headers(envelope: MailHeaders, with_names: bool) -> list[tuple[str, object]]:
    sender = _people([envelope.sender], with_names) if envelope.sender else None
    optional = [
        ("From", sender),
        ("To", _people(envelope.to, with_names)),
        ("Cc", _people(envelope.cc, with_names)),
        ("Subject", _one_line(envelope.subject)),
        ("Date", format_date(envelope.date) if envelope.date is not None else None),
        ("Message-ID", f"<{envelope.msgid}>" if envelope.msgid else None),
        ("In-Reply-To", f"<{envelope.in_reply_to}>" if envelope.in_reply_to else None),
        ("References", " ".join(f"<{one}>" for one in envelope.references)),
    ]
    return [(name, value) for name, value in (*optional, *envelope.extra) if value]


def _people(people: Sequence[MailAddress], with_names: bool) -> tuple["Address", ...]:
    from email.headerregistry import Address

    for person in people:
        if not is_address(person.address):
            raise MailFormatError(f"'{person.address[:80]}' is no address")
    unique = {person.address.lower(): person for person in reversed(people)}
    ordered = [person for person in people if unique[person.address.lower()] is person][:_MOST_RECIPIENTS]
    return tuple(Address(_name(one) if with_names else "", addr_spec=one.address) for one in ordered)


def _name(person: MailAddress) -> str:
    return _one_line(person.name)[:_LONGEST_NAME].strip()


def _policy() -> "EmailPolicy[EmailMessage]":
    """SMTP's, with folding of our own: the package cuts message-ids, and makes encoded words longer than may be.

    The stubs do not know that such classes are mixed with BaseHeader.
    """
    from email.headerregistry import BaseHeader, HeaderRegistry, UniqueAddressHeader, UniqueUnstructuredHeader
    from email.policy import SMTP

    class Msgids(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]
        def fold(self, *, policy: "Policy") -> str:  # noqa: ARG002
            return f"{self.name}: " + _NEXT_LINE.join(str(self).split()) + "\r\n"

    class Text(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]
        def fold(self, *, policy: "Policy") -> str:  # noqa: ARG002
            return _folded(f"{self.name}: {_encoded(str(self))}") + "\r\n"

    class People(UniqueAddressHeader, BaseHeader):  # type: ignore[misc]
        def fold(self, *, policy: "Policy") -> str:  # noqa: ARG002
            people = ", ".join(format_address(one.display_name, one.addr_spec) for one in self.addresses)
            return _folded(f"{self.name}: {people}") + "\r\n"

    registry = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references"):
        registry.map_to_type(name, Msgids)
    registry.map_to_type("subject", Text)
    for name in ("from", "to", "cc"):
        registry.map_to_type(name, People)
    return SMTP.clone(header_factory=registry)


def _encoded(text: str) -> str:
    """The text in encoded words (RFC 2047) from the first word on that needs it."""
    words = text.split(" ")
    plain = next((n for n, word in enumerate(words) if not word.isascii() or "=?" in word), len(words))
    rest = " ".join(words[plain:])
    return " ".join([*words[:plain], *([encode_words(rest)] if rest else [])])


def _folded(line: str) -> str:
    """The line, cut at blanks where it is longer than RFC 5322 likes it; encoded words one a line."""
    words = line.split(" ")
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > _WIDTH and word:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return _NEXT_LINE.join(lines)


def _find_problem(mail: bytes, envelope: MailHeaders, text: str) -> str | None:
    """Why the mail is not what was meant, found by reading it as a stranger does; None where it is."""
    from email import message_from_bytes
    from email.policy import default

    read = message_from_bytes(mail, policy=default)
    names = [name.lower() for name in read]
    if not mail.isascii() or any(len(line) > _LONGEST_LINE for line in mail.split(b"\r\n")):
        return "a line is no ASCII or too long"
    if len(names) != len(set(names)):
        return "a header is there twice"
    for name, people in (("To", envelope.to), ("Cc", envelope.cc)):
        wanted = {person.address.lower() for person in people[:_MOST_RECIPIENTS]}
        found = {one.addr_spec.lower() for one in read[name].addresses} if name in read else set()
        if found != wanted:
            return f"{name} reads as {sorted(found)}"
    if str(read["Subject"]) != _one_line(envelope.subject):
        return f"the subject reads as {str(read['Subject'])!r}"
    expected = {name.lower() for name, _ in _headers(envelope, True)}
    if not set(names) <= expected | {"mime-version", "content-type", "content-transfer-encoding"}:
        return f"headers {sorted(set(names) - expected)}"
    return None if read.get_content().replace("\r\n", "\n") == text else "the text reads as another one"
