# SPDX-License-Identifier: GPL-2.0-or-later
"""What the index keeps of one commit message: a few lines of text, made from what git prints of the commit.

A record is the title, then a line for each thing that the message says: one of the letters below and the value.
Trailers count where they stand (git-interpret-trailers(1)), reverts in the text but not in quotations.
"""

import re
from collections.abc import Iterator, Sequence
from zlib import crc32

from seriestool.series.mail.headers import decode_text
from seriestool.series.message.commit_message import CommitMessage
from seriestool.series.message.title_comparison import fold_title
from seriestool.util.lazy_pattern import lazy_pattern

LINK, MESSAGE_ID, CHANGE_ID, FIXES, REVERTS, PICKS = b"L", b"M", b"C", b"F", b"R", b"P"
TARGETS = (FIXES, REVERTS, PICKS)
"""The letters of lines whose value is a commit id, abbreviated or not."""

_LONGEST_TITLE = 1000
_LONGEST_VALUE = 500
_MOST_LINES = 100
"""Lines of a record after the title; so a record has less than 64 KiB."""
_MOST_READ = 1 << 16
"""Bytes of a message in which reverts are looked for, and of the last paragraph: a longer one is text."""
_LETTERS = {b"link": LINK, b"message-id": MESSAGE_ID, b"change-id": CHANGE_ID, b"fixes": FIXES}
_BLANK = lazy_pattern(rb"\n[ \t\r\f\v]+\n")
_ONLY_TRAILERS = lazy_pattern(rb"(?:[A-Za-z0-9][A-Za-z0-9-]*+[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z))++")
_OURS = lazy_pattern(
    rb"^(fixes|link|message-id|change-id)[ \t]*+:[ \t]*+([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE | re.MULTILINE
)
_TARGET = lazy_pattern(rb"(?:commit[ \t]+)?[<\[`']?([0-9a-fA-F]{7,64})(?![0-9A-Za-z_.-])")
_REVERT = lazy_pattern(rb"This reverts commit\s{1,2}([0-9a-f]{7,64})\b")
_PICK = lazy_pattern(rb"^\(cherry picked from commit ([0-9a-f]{7,64})\b", re.MULTILINE)
_QUOTING = (b" ", b"\t", b">", b"|")
_NO_CONTROLS = b"\n" + bytes(range(32, 256))
_FOLDED = bytes.maketrans(b'ABCDEFGHIJKLMNOPQRSTUVWXYZ`"', b"abcdefghijklmnopqrstuvwxyz''")
_SHORTEST, _SIGNIFICANT = 7, 15
"""Digits of an id that an abbreviation has at least, and that its key tells apart."""


def read_notes(message: bytes) -> list[bytes]:
    """The lines of the record after the title, from the whole message in UTF-8."""
    found: list[bytes] = []
    if b"This reverts commit" in message:
        found += _reverts(message[:_MOST_READ])
    block = _last_paragraph(message)
    if block:
        found += [PICKS + oid for oid in _PICK().findall(block)] if b"(cherry picked" in block else ()
        found += _trailers(block)
    return found[:_MOST_LINES]


def as_utf8(text: bytes) -> bytes:
    """The bytes as UTF-8; git recodes what has an encoding header, what is no UTF-8 then is taken for Latin-1."""
    return text if text.isascii() else decode_text(text).encode()


def cut_title(title: bytes) -> bytes:
    """The title, without what goes beyond the longest that is kept."""
    return title if len(title) <= _LONGEST_TITLE else title[:_LONGEST_TITLE].decode("utf-8", "ignore").encode()


def fold_titles(titles: Sequence[bytes]) -> list[bytes]:
    """`fold_title` of each; many at a time, because the plain ones, which nearly all are, cost little then."""
    text = b"\n".join(titles)
    folded = text.translate(_FOLDED, b"\\").split(b"\n")
    is_plain = not text.translate(None, _NO_CONTROLS)
    return [
        short if is_plain and _is_plain(title) else fold_title(title.decode("utf-8", "replace")).encode()
        for title, short in zip(titles, folded, strict=True)
    ]


def _is_plain(title: bytes) -> bool:
    """Whether folding changes no more than single letters."""
    return (
        title.isascii() and b"  " not in title and b"\\" not in title and title[-1:] not in b". " and title[:1] != b" "
    )


hash_text = crc32
"""The 32 bits under which the index has a folded title, and the line with a message-id or a change-id."""


def named_id(note: bytes) -> bytes | None:
    """The line under which the index has what a line of a record names; None where it is no id of a mail or change."""
    if note[:1] == CHANGE_ID:
        return note
    msgid = find_msgid(note)
    return MESSAGE_ID + msgid if msgid else None


def find_msgid(note: bytes) -> bytes | None:
    """The message-id that a line with a Link or Message-Id trailer names, without brackets, or None."""
    letter, value = note[:1], note[1:]
    if letter == MESSAGE_ID:
        return value.strip(b"<> ") or None
    if letter != LINK or b"@" not in value:
        return None
    url = value.split(None, 1)[0].split(b"#", 1)[0].rstrip(b"/")
    msgid = next((part for part in reversed(url.split(b"/")) if b"@" in part), b"")
    return msgid.replace(b"%40", b"@").strip(b"<>") or None


def target_key(oid: str) -> int:
    """The 64 bits under which the index has an abbreviated id: 15 digits, padded with 0, and how many there are."""
    digits = oid[:_SIGNIFICANT]
    return int(digits.ljust(_SIGNIFICANT, "0"), 16) << 4 | len(digits)


def target_keys(oid: str) -> Iterator[int]:
    """The keys of all abbreviations of the id."""
    return (target_key(oid[:length]) for length in range(_SHORTEST, min(len(oid), _SIGNIFICANT) + 1))


def _reverts(text: bytes) -> Iterator[bytes]:
    for match in _REVERT().finditer(text):
        line = text.rfind(b"\n", 0, match.start()) + 1
        if not text.startswith(_QUOTING, line):
            yield REVERTS + match[1]


def _last_paragraph(message: bytes) -> bytes:
    """The last paragraph but for the title; b"" where there is none, or none of a length that people write."""
    message = message.strip()
    at = message.rfind(b"\n\n")
    block = message[at + 2 :] if at >= 0 else message
    has_blanks = b"\n " in block or b"\n\t" in block or b"\n\r" in block
    if has_blanks and (blanks := _BLANK().split(block[-_MOST_READ:]))[1:]:
        at, block = 0, blanks[-1]
    return block if at >= 0 and len(block) < _MOST_READ else b""


def _trailers(block: bytes) -> Iterator[bytes]:
    ours = _OURS().findall(block)
    if ours and _ONLY_TRAILERS().fullmatch(block) is None:
        # Seldom: text and trailers in one paragraph, where git has rules for what it is.
        lines = block.decode("utf-8", "replace").split("\n")
        trailers = CommitMessage(("", "", *lines)).trailers
        ours = [(one.key.encode(), one.value.encode()) for one in trailers if one.key.encode() in _LETTERS]
    for name, value in ours:
        yield from _note(_LETTERS[name.lower()], value)


def _note(letter: bytes, value: bytes) -> Iterator[bytes]:
    flat = b" ".join(map(bytes.strip, value.split(b"\n"))) if b"\n" in value else value.strip()
    if letter == FIXES:
        target = _TARGET().match(flat)
        flat = target[1].lower() if target else b""
    if 0 < len(flat) <= _LONGEST_VALUE and b"\n" not in flat:
        yield letter + flat
