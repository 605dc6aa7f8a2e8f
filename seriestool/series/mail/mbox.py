# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes of a mailbox -> bytes of its mails: mboxo, mboxrd, mboxcl, one bare mail, LF or CRLF, gzip or plain."""

import re

from seriestool.util.errors import InputError
from seriestool.util.lazy_pattern import lazy_pattern

MAX_BYTES = 200_000_000
"""A mailbox, or one mail, larger than this is refused: no series is, and everything is held in memory."""

_GZIP_MAGIC = b"\x1f\x8b"
# Only a From line that carries a date, with a header (or an escaped From line) below it, starts a mail: the same text
# in a commit message does not (https://git-scm.com/docs/git-mailsplit, `is_from_line`).
_FROM_LINE = re.compile(rb"^From [^\n]{0,200}\d:\d\d[^\n]{0,40} \d{4}\b[^\n]{0,40}\n(?=[!-9;-~]+[ \t]*:|>From )", re.M)
_CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*$", re.I | re.M)
_ESCAPED_FROM = lazy_pattern(rb"^>(?=From )", re.M)
_ESCAPED_FROM_RD = lazy_pattern(rb"^>(?=>*From )", re.M)
_HEADER = lazy_pattern(rb"\A(?:>?From [^\n]*\n)?[!-9;-~]+:", re.M)


class TooLargeError(InputError):
    """More than MAX_BYTES."""


def split_mbox(data: bytes, name: str = "mailbox") -> tuple[bytes, ...]:
    """The mails in `data`, without their From lines, `>From` unescaped, line ends LF.

    Carriage returns below a header without any belong to the files, and stay (`git mailsplit --keep-cr`).
    `data` may be one bare mail, and may be compressed. `name` is what error messages call it.
    Raises InputError where it is too large, or not whole.
    """
    data = gunzip(data, name)
    refuse_large(len(data), name)
    if data.partition(b"\n")[0].endswith(b"\r"):
        data = data.replace(b"\r\n", b"\n")
    data = data.lstrip(b"\n").removeprefix(b"\xef\xbb\xbf")
    if not data.startswith(b"From "):
        return (data,) if _HEADER().match(data) else ()
    starts = _starts(data)
    if not starts:
        return (data.partition(b"\n")[2],)
    return tuple(_unescape(data[start:end]) for start, end in zip(starts, [*starts[1:], len(data)], strict=True))


def gunzip(data: bytes, name: str = "mailbox") -> bytes:
    """`data`, uncompressed where it is gzip; concatenated members are all read.

    Raises InputError where the end is missing, the data is damaged, or more than MAX_BYTES would come out.
    """
    if not data.startswith(_GZIP_MAGIC):
        return data
    import zlib

    parts: list[bytes] = []
    room = MAX_BYTES + 1
    while data.startswith(_GZIP_MAGIC):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(data, room))
        except zlib.error as error:
            raise InputError(f"'{name}' is damaged: {error}", hint="fetch it again") from error
        room -= len(parts[-1])
        if room <= 0:
            refuse_large(MAX_BYTES + 1, name)
        if not unpacker.eof:
            raise InputError(f"'{name}' ends in the middle of its compressed data", hint="fetch it again")
        data = unpacker.unused_data
    return b"".join(parts)


def refuse_large(size: int, name: str) -> None:
    """Raises InputError where `size` bytes are more than we hold in memory."""
    if size > MAX_BYTES:
        raise TooLargeError(
            f"'{name}' is larger than {MAX_BYTES // 1_000_000} MB",
            hint="no patch series is that large; take the series out of it, or name it by message-id with --archive",
        )


def _starts(data: bytes) -> list[int]:
    """Offsets of the From lines; lines inside a body whose Content-Length proves true are skipped."""
    starts: list[int] = []
    skip_to = body = 0
    for match in _FROM_LINE.finditer(data):
        if match.start() < skip_to:
            continue
        starts.append(match.start())
        if match.end() <= body:
            continue  # still above the empty line that was found last: looked for anew each time it is quadratic
        body = data.find(b"\n\n", match.end())
        if body < 0:
            body = len(data)
        skip_to = _end_by_content_length(data, match.end(), body)
    return starts


def _end_by_content_length(data: bytes, start: int, body: int) -> int:
    """Where the mail ends whose headers stand from `start` to `body`; 0 where they do not say so truly."""
    match = _CONTENT_LENGTH.search(data, start, body + 1)
    if match is None:
        return 0
    end = body + 2 + int(match[1])
    return end if end == len(data) or data[end : end + 6].lstrip(b"\n").startswith(b"From ") else 0


def _unescape(mail: bytes) -> bytes:
    from_line, _, mail = mail.partition(b"\n")
    if b">From " not in mail:
        return mail
    if from_line.startswith(b"From mboxrd@"):
        return _ESCAPED_FROM_RD().sub(b"", mail)
    if from_line.endswith(b"Mon Sep 17 00:00:00 2001"):
        return mail  # git format-patch escapes nothing
    return _ESCAPED_FROM().sub(b"", mail)
