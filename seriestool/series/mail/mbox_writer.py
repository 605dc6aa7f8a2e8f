# SPDX-License-Identifier: GPL-2.0-or-later
"""Series -> an mbox that `git am` takes, giving the trees that the original mails give."""

import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from seriestool.series.model import Patch, Series

_FROM_LINE = b"From git@z Thu Jan  1 00:00:00 1970\n"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORD = 45  # bytes: in base64 an encoded word stays below the 75 characters that RFC 2047 allows
# Read back, such a line would be escaped, end the mail, or be a carriage return that mailsplit strips.
_NEEDS_ENCODING = re.compile(rb"^>*From |[\r\0]", re.M)
_SPECIALS = set('()<>@,;:\\".[]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
# Git would take such a first line of a commit message for an in-body header (mailinfo.c, check_inbody_header()).
_LIKE_INBODY = re.compile(r"(?:from|subject|date)[ \t]*:|\[PATCH\]\s|>From\s", re.I)
_BASE_COMMIT = re.compile(rb"^base-commit:[^\n]*\n?", re.I | re.M)


def write_mbox(series: Series, base_commit: str | None = None) -> bytes:
    """The patches of the series as one mbox, in order; the first one states `base_commit` where it is given.

    Dates are in UTC. The transfer encoding is 8bit; quoted-printable where a line would not survive.
    """
    patches = list(series.patches)
    if patches and base_commit:
        patches[0] = _with_base(patches[0], base_commit)
    return b"".join(_write_mail(patch, series) for patch in patches)


def mbox_name(series: Series) -> str:
    """A file name for the series as b4 makes them: `v2_20260605_author_subject.mbx`."""
    author = series.patches[0].author_email.partition("@")[0] if series.patches else ""
    words = re.sub(r"[^a-z0-9]+", "_", f"{series.posted:%Y%m%d}_{author}_{series.subject}".lower()).strip("_")
    version = f"v{series.version}_" if series.version > 1 else ""
    return f"{version}{words[:96].rstrip('_')}.mbx"


def format_date(date: datetime) -> str:
    """The date as mail headers have it (RFC 5322, 3.3), whatever the locale."""
    day, month = _DAYS[date.weekday()], _MONTHS[date.month - 1]
    return f"{day}, {date.day} {month} {date.year:04} {date:%H:%M:%S} +0000"


def _with_base(patch: Patch, commit: str) -> Patch:
    notes = _BASE_COMMIT.sub(b"", patch.notes.encode("utf-8", "surrogateescape")).decode("utf-8", "replace").strip("\n")
    stated = f"base-commit: {commit}\n"
    return replace(patch, notes=f"{notes}\n\n{stated}" if notes else stated, diff=_BASE_COMMIT.sub(b"", patch.diff))


def _write_mail(patch: Patch, series: Series) -> bytes:
    version = f" v{series.version}" if series.version > 1 else ""
    width = len(str(series.expected))
    headers = [
        f"From: {format_address(patch.author_name, patch.author_email)}",
        f"Date: {format_date(patch.date)}",
        f"Subject: [PATCH{version} {patch.counter:0{width}}/{series.expected}] {encode_words(patch.subject)}",
        *([f"Message-ID: <{_CONTROL.sub('', patch.msgid)}>"] if patch.msgid else []),
    ]
    return format_mail(headers, patch_body(patch))


def format_mail(headers: Sequence[str], body: bytes) -> bytes:
    """One mail of an mbox, with these headers and those that say how its text is encoded."""
    encoding = "8bit"
    if _NEEDS_ENCODING.search(body):
        encoding, body = "quoted-printable", _quoted_printable(body)
    lines = [
        *headers,
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="utf-8"',
        f"Content-Transfer-Encoding: {encoding}",
    ]
    return _FROM_LINE + "\n".join(lines).encode("utf-8", "replace") + b"\n\n" + body


def patch_body(patch: Patch, sender: str | None = None) -> bytes:
    """The text of a patch's mail; it names the author where `sender` is somebody else."""
    is_other = sender is not None and sender.lower() != patch.author_email.lower()
    author = format_address(patch.author_name, patch.author_email)
    inbody = f"From: {author}\n\n" if is_other or _LIKE_INBODY.match(patch.message) else ""
    message = f"{patch.message}\n" if patch.message else ""
    notes = f"{patch.notes}\n\n" if patch.notes else ""
    head = f"{inbody}{message}---\n{notes}".encode("utf-8", "replace")
    # The empty line at the end parts two mails; a diff that was read from an mbox has it already.
    text = head + patch.diff
    return text if text.endswith(b"\n\n") else text.removesuffix(b"\n") + b"\n\n"


def format_address(name: str, address: str) -> str:
    """A person as a mail header has them: `"O'Neil, A." <a@example.com>`."""
    name, address = _CONTROL.sub(" ", name), _CONTROL.sub("", address)
    if not name.isascii():
        name = encode_words(name)
    elif _SPECIALS & set(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>" if name else address


def encode_words(text: str) -> str:
    """The text as a header value: as it is where it is ASCII, else in encoded words (RFC 2047)."""
    text = _CONTROL.sub(" ", text)
    if text.isascii() and "=?" not in text:
        return text
    return " ".join(
        f"=?utf-8?b?{binascii.b2a_base64(piece, newline=False).decode()}?=" for piece in _pieces(text, _WORD)
    )


def _pieces(text: str, longest: int) -> Iterator[bytes]:
    """The text in UTF-8, cut between characters."""
    piece = b""
    for character in text:
        more = character.encode("utf-8", "replace")
        if len(piece) + len(more) > longest:
            yield piece
            piece = b""
        piece += more
    yield piece


def _quoted_printable(body: bytes) -> bytes:
    # Line by line: a2b_qp would make all line ends CRLF as soon as it sees one.
    lines = (binascii.b2a_qp(line, istext=False) for line in body.split(b"\n"))
    text = b"\n".join(line.replace(b"\r", b"=0D") for line in lines)
    return re.sub(rb"^(>*)From ", lambda match: match[1].replace(b">", b"=3E") + b"=46rom ", text, flags=re.M)
