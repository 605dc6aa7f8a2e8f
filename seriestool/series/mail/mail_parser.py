# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes of one mail -> headers and decoded body, with the transfer encoding undone as `git mailinfo` undoes it."""

import binascii
import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from seriestool.series.mail.headers import decode_header, decode_text, parse_addresses, parse_date, parse_msgids
from seriestool.series.mail.subject_line import SubjectLine, parse_subject
from seriestool.util.lazy_pattern import lazy_pattern

_MAX_DEPTH = 8
_MAX_PARTS = 200
_CLOCK_ERROR = timedelta(days=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOLD = re.compile(rb"\n[ \t]+")
_PARAMETER = re.compile(rb';\s*([A-Za-z-]+)\*?(?:0\*?)?\s*=\s*(?:"([^"]*)"|([^\s;"]+))')
_HEADER_LINE = re.compile(rb"^([!-9;-~]+)[ \t]*:[ \t]*(.*)$")
# What `git format-patch` writes above each patch; attached to a mail, it is the patch, and the mail's text is talk.
_FORMAT_PATCH = lazy_pattern(rb"From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\n(?=[A-Za-z-]+:)")
_DIFF = re.compile(rb"^(?:diff --git |diff -|Index: |--- \S[^\n]*\n\+\+\+ )", re.M)

Headers = dict[str, list[bytes]]


class Mail:
    """One mail; what is decoded is decoded when it is asked for."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def _split(self) -> tuple[Headers, bytes]:
        return split_headers(self.raw)

    def header(self, name: str) -> bytes | None:
        """The first header of that name (lower case), unfolded, or None."""
        values = self._split[0].get(name)
        return values[0] if values else None

    def headers(self, name: str) -> list[bytes]:
        """All headers of that name (lower case), unfolded, first one first."""
        return self._split[0].get(name, [])

    @cached_property
    def msgid(self) -> str:
        """Without angle brackets; '' where the mail has none."""
        ids = parse_msgids(self.header("message-id") or b"")
        return ids[0] if ids else ""

    @cached_property
    def subject(self) -> SubjectLine:
        """The subject, decoded and taken apart."""
        return parse_subject(decode_header(self.header("subject") or b""))

    @cached_property
    def sender(self) -> str:
        """Address of From, lower case; '' where there is none."""
        addresses = parse_addresses(self.header("from") or b"")
        return addresses[-1] if addresses else ""

    @cached_property
    def references(self) -> tuple[str, ...]:
        """References and then In-Reply-To: the direct parent is the last one."""
        parents = [one for value in self.headers("in-reply-to") for one in parse_msgids(value)[:1]]
        found = [one for value in self.headers("references") for one in parse_msgids(value)]
        return tuple(dict.fromkeys([one for one in found if one not in parents] + parents))

    @cached_property
    def recipients(self) -> tuple[str, ...]:
        """Addresses of To and Cc."""
        return tuple(one for name in ("to", "cc") for value in self.headers(name) for one in parse_addresses(value))

    @cached_property
    def date(self) -> datetime:
        """What Date says, else when the first server received it, else 1970; UTC."""
        stated = parse_date(decode_text(self.header("date") or b""))
        return stated if stated is not None else self._received or _EPOCH

    @cached_property
    def posted(self) -> datetime:
        """When it was sent: Date, unless the first server's clock contradicts it by days."""
        received = self._received
        if received is None or abs(received - self.date) <= _CLOCK_ERROR:
            return self.date
        return received

    @cached_property
    def _received(self) -> datetime | None:
        dates = (parse_date(decode_text(value.rpartition(b";")[2])) for value in self.headers("received"))
        return min((date for date in dates if date is not None), default=None)

    @cached_property
    def charset(self) -> str:
        """Of the text: that of the mail, or of its first part that names one; '' where none does."""
        return next((part.charset for part in self.parts if part.charset), "")

    @cached_property
    def parts(self) -> tuple["MailPart", ...]:
        """The text parts in order."""
        headers, body = self._split
        parts: list[MailPart] = []
        _collect_parts(headers, body, parts, _MAX_DEPTH)
        return tuple(parts)

    @cached_property
    def body(self) -> bytes:
        """The text as `git am` would see it; of a mail with an attached `git format-patch` file, that file."""
        texts = [part.text for part in self.parts]
        for place, text in enumerate(texts[1:], 1):
            if _FORMAT_PATCH().match(text) and not _DIFF.search(b"".join(texts[:place])):
                return text.partition(b"\n")[2]
        return b"".join(texts)

    @cached_property
    def has_diff(self) -> bool:
        """Whether a diff stands in the body, unquoted."""
        return _DIFF.search(self.body) is not None


class MailPart(NamedTuple):
    """One text part; `text` has its transfer encoding undone."""

    text: bytes
    charset: str


def split_headers(raw: bytes) -> tuple[Headers, bytes]:
    """Unfolded headers by lower-case name, and what stands below the first empty line."""
    head, _, body = raw.partition(b"\n\n") if not raw.startswith(b"\n") else (b"", b"", raw[1:])
    headers: Headers = {}
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        if match := _HEADER_LINE.match(line):
            headers.setdefault(match[1].decode("ascii").lower(), []).append(match[2].strip())
    return headers, body


def _content_type(headers: Headers) -> str:
    value = headers.get("content-type", [b""])[0].partition(b";")[0]
    return value.strip().decode("ascii", "replace").lower() or "text/plain"


def _parameters(headers: Headers, name: str) -> dict[str, bytes]:
    value = headers.get(name, [b""])[0][:4000]
    return {match[1].decode("ascii").lower(): match[2] or match[3] or b"" for match in _PARAMETER.finditer(value)}


def _collect_parts(headers: Headers, body: bytes, parts: list[MailPart], depth: int) -> None:
    kind = _content_type(headers)
    parameters = _parameters(headers, "content-type")
    boundary = parameters.get("boundary")
    if kind.startswith("multipart/") and boundary:
        if depth:
            _collect_multipart(kind=kind, body=body, boundary=boundary, parts=parts, depth=depth - 1)
        return
    if len(parts) >= _MAX_PARTS or not _is_text(kind, headers, parameters):
        return
    charset = parameters.get("charset", b"").decode("ascii", "replace").strip().lower()
    text = _undo_transfer_encoding(body, headers.get("content-transfer-encoding", [b""])[0].strip().lower())
    if parameters.get("format", b"").lower() == b"flowed":
        text = unflow(text, parameters.get("delsp", b"").lower() == b"yes")
    parts.append(MailPart(text if not text or text.endswith(b"\n") else text + b"\n", charset))


def _collect_multipart(kind: str, body: bytes, boundary: bytes, parts: list[MailPart], depth: int) -> None:
    had = len(parts)
    for piece in _pieces(body, boundary):
        _collect_parts(*split_headers(piece), parts, depth)
        if kind == "multipart/alternative" and len(parts) > had:
            return  # the other parts say the same again, in HTML


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    mark = b"--" + boundary
    pieces: list[bytes] = []
    start = None
    at = 0 if body.startswith(mark) else body.find(b"\n" + mark) + 1
    while body.startswith(mark, at) and len(pieces) < _MAX_PARTS:
        if start is not None:
            pieces.append(body[start : max(start, at - 1)] + b"\n")
        line_end = body.find(b"\n", at)
        if line_end < 0 or body.startswith(b"--", at + len(mark)):
            return pieces
        start = line_end + 1
        # A boundary directly below a boundary begins where we stand.
        at = start if body.startswith(mark, start) else body.find(b"\n" + mark, start) + 1
        if at == 0:
            break
    if start is not None and start < len(body):
        pieces.append(body[start:])  # the closing boundary is missing: a truncated mail
    return pieces


def _is_text(kind: str, headers: Headers, parameters: dict[str, bytes]) -> bool:
    if kind == "text/html":
        return False
    if kind.startswith("text/") or "/" not in kind:
        return True
    name = _parameters(headers, "content-disposition").get("filename") or parameters.get("name", b"")
    return name.lower().endswith((b".patch", b".diff", b".txt", b".eml"))


def _undo_transfer_encoding(body: bytes, encoding: bytes) -> bytes:
    try:
        if encoding == b"quoted-printable":
            return binascii.a2b_qp(body)
        if encoding == b"base64":
            return _decode_base64(body)
    except (binascii.Error, ValueError):
        pass
    return body


def _decode_base64(body: bytes) -> bytes:
    # Mailing lists append their footer in plain text to a base64 body: what is no base64 is kept as it stands.
    head, blank, rest = body.partition(b"\n\n")
    data = binascii.a2b_base64(head)
    if not rest.strip():
        return data
    try:
        return data + binascii.a2b_base64(rest, strict_mode=False) if b" " not in rest.strip() else data + blank + rest
    except binascii.Error:
        return data + blank + rest


def unflow(text: bytes, delsp: bool) -> bytes:
    """format=flowed undone (RFC 3676) as git does it, unless that breaks the diff: then only what fixes it.

    Many mailers say `flowed` and never stuff or break a line; a diff's empty context line ends in a blank, and joining
    it with the next one would break the patch.
    """
    lines = text.split(b"\n")
    readings = (_unflow_as_git(lines, delsp), b"\n".join(_unstuff(line) for line in lines), text)
    return next((reading for reading in readings if has_whole_hunks(reading)), readings[0])


def _unstuff(line: bytes) -> bytes:
    return line.removeprefix(b" ")


def _unflow_as_git(lines: list[bytes], delsp: bool) -> bytes:
    out: list[bytes] = []
    held: list[bytes] = []
    for line in lines:
        if line.rstrip(b"\r") == b"-- ":
            if held:
                out.append(b"".join(held))
                held = []
            out.append(line)
            continue
        line = _unstuff(line.removesuffix(b"\r"))  # noqa: PLW2901
        if line.endswith(b" "):
            held.append(line[:-1] if delsp else line)
            continue
        out.append(b"".join([*held, line]))
        held = []
    if held:
        out.append(b"".join(held))
    return b"\n".join(out)


_HUNK = lazy_pattern(rb"@@ -\d+(?:,(\d{1,18}))? \+\d+(?:,(\d{1,18}))? @@")


def has_whole_hunks(text: bytes) -> bool:
    """Whether every hunk in `text` has as many lines as its header says (and there is one, or nothing to judge)."""
    old = new = 0
    for line in text.removesuffix(b"\n").split(b"\n"):
        if old <= 0 and new <= 0:
            if match := _HUNK().match(line):
                old, new = (int(count) if count is not None else 1 for count in match.groups())
        elif line[:1] == b" " or not line:
            old, new = old - 1, new - 1
        elif line[:1] == b"-":
            old -= 1
        elif line[:1] == b"+":
            new -= 1
        elif line[:1] != b"\\":
            return False
    return old <= 0 and new <= 0
