# SPDX-License-Identifier: GPL-2.0-or-later
"""Header values -> text, dates and addresses. Our own few lines: importing `email` costs more than parsing a series.

Nothing here raises on odd input; what cannot be read comes out as near as can be, or as None.
"""

import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from seriestool.util.lazy_pattern import lazy_pattern

_MAX_HEADER = 50_000  # bytes of one value that are looked at
_ENCODED_WORD = lazy_pattern(r"=\?([!-9;-~]{1,60}?)(?:\*[a-zA-Z-]*)?\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = lazy_pattern(r"(\?=)\s+(?==\?)")
_DATE = re.compile(
    r"(\d{1,2})[ -]+([A-Za-z]{3})[a-z]*[ -]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?"
    r"\s*([+-]\d{4}|[A-Za-z]+)?"
)
# "Sat Jun 6 06:26:10 PDT 2026", as mailing list archives and C's ctime print it.
_CTIME = lazy_pattern(r"([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2}):(\d{2})\s+(?:([A-Z]{3,4}|[+-]\d{4})\s+)?(\d{4})")
_ISO = lazy_pattern(r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})\s*([+-]\d{2}:?\d{2}|Z)?")
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2}
# Python's codecs include some that are no charsets (punycode is quadratic).
_TEXT_CHARSET = re.compile(r"(?:us-)?ascii|utf|iso|latin|windows|cp\d|koi8|gb|big5|euc|shift|sjis|mac|tis|ks_c", re.I)
# Of others git makes no date either (date.c, tm_to_time_t()), and a day added to the last year there is cannot be told.
_FIRST_YEAR, _LAST_YEAR = 1970, 2099
_QUOTED = re.compile(r'"(?:[^"\\]|\\.){0,300}"')
_BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:()\"]+")
_MSGID = re.compile(r"<\s*([^<>\s]+)\s*>")


def decode_text(data: bytes, charset: str = "") -> str:
    """`data` as text: UTF-8 where it is that, else in `charset`, else Latin-1."""
    if charset.lower().startswith(("iso-2022-", "utf-7")):
        return decode_declared(data, charset)  # these are ASCII on the outside, so they always look like UTF-8
    return _decode(data, ("utf-8", charset))


def decode_declared(data: bytes, charset: str) -> str:
    """`data` as text in `charset`; UTF-8 where that is no charset, or the data is none of it, else Latin-1."""
    return _decode(data, (charset, "utf-8"))


def _decode(data: bytes, charsets: Iterable[str]) -> str:
    for name in filter(_TEXT_CHARSET.match, charsets):
        try:
            text = data.decode(name)
            text.encode()  # UTF-7 can spell half of a surrogate pair, which is no text
        except (LookupError, ValueError):
            continue
        return text
    return data.decode("latin-1")


def decode_header(value: bytes) -> str:
    """An unfolded header value with its encoded words (RFC 2047) decoded."""
    text = decode_text(value[:_MAX_HEADER])
    if "=?" not in text:
        return text
    return _ENCODED_WORD().sub(_decode_word, _BETWEEN_WORDS().sub(r"\1", text))


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, payload = match.groups()
    raw = payload.encode("utf-8", "replace")
    try:
        if encoding in "bB":
            data = binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
        else:
            data = binascii.a2b_qp(raw, header=True)
        if _TEXT_CHARSET.match(charset):
            return data.decode(charset, "replace").encode("utf-8", "replace").decode()
        return decode_text(data)
    except (LookupError, ValueError):
        return match[0]


def parse_date(text: str) -> datetime | None:
    """The moment in UTC, or None where the text names none. A date without a zone, or with '-0000', is UTC."""
    text = text[:200]
    if match := _DATE.search(text):
        day, month, year, hour, minute, second, zone = match.groups()
    elif match := _CTIME().search(text):
        month, day, hour, minute, second, zone, year = match.groups()
    elif match := _ISO().search(text):
        year, month, day, hour, minute, second, zone = match.groups()
    else:
        return None
    return _moment(year=year, month=month, day=day, clock=(hour, minute, second or "0"), zone=zone)


def _moment(year: str, month: str, day: str, clock: tuple[str, str, str], zone: str | None) -> datetime | None:
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
    years = int(year)
    if len(year) < 4:  # RFC 5322, 4.3: two digits below 50 are this century
        years += 2000 if years < 50 else 1900
    if not _FIRST_YEAR <= years <= _LAST_YEAR:
        return None
    hour, minute, second = (int(part) for part in clock)
    try:
        local = datetime(years, number, int(day), hour, minute, min(second, 59), tzinfo=timezone(_offset(zone)))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if not zone:
        return timedelta()
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return -offset if zone[0] == "-" else offset
    return timedelta(hours=_ZONES.get(zone.upper(), 0))


def parse_msgids(value: bytes) -> tuple[str, ...]:
    """The message-ids in a header such as References, in order, without angle brackets."""
    text = decode_text(value[:_MAX_HEADER])
    found = tuple(_MSGID.findall(text))
    return found or tuple(word for word in text.split() if "@" in word and not word.startswith("("))


def parse_addresses(value: bytes) -> tuple[str, ...]:
    """The bare addresses in a header such as To, lower case, in order; quoted names that hold one are not taken."""
    text = _QUOTED.sub(" ", decode_text(value[:_MAX_HEADER]))
    if "@" not in text:
        text = text.replace(" at ", "@")  # as list archives print them
    return tuple(word.lower() for word in _BETWEEN_ADDRESSES.split(text) if "@" in word[1:-1])
