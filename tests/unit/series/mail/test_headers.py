# SPDX-License-Identifier: GPL-2.0-or-later
import time
from datetime import UTC, datetime

import pytest

from seriestool.series.mail import headers
from seriestool.series.mail.headers import decode_header, decode_text, parse_addresses, parse_date, parse_msgids
from seriestool.series.mail.mail_parser import Mail


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 5 Jan 2026 10:00:00 +0100", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("5 Jan 2026 10:00 -0330", datetime(2026, 1, 5, 13, 30, tzinfo=UTC)),
        ("Mon, 05 Jan 26 10:00:00 GMT", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("Mon, 05 Jan 99 10:00:00 EST", datetime(1999, 1, 5, 15, tzinfo=UTC)),
        ("Mon, 5 Jan 2026 10:00:60 +0000 (UTC)", datetime(2026, 1, 5, 10, 0, 59, tzinfo=UTC)),
        ("Mon Jan 5 06:26:10 PST 2026", datetime(2026, 1, 5, 14, 26, 10, tzinfo=UTC)),
        ("Mon Jan  5 06:26:10 2026", datetime(2026, 1, 5, 6, 26, 10, tzinfo=UTC)),
        ("2026-01-05T10:00:00+01:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("2026-01-05 10:00:00", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("Fri, 31 Feb 2026 10:00:00 +0000", None),
        ("Mon, 5 Jan 2026 25:61:00 +0000", None),
        ("Mon, 5 Jan 2026 10:00:00 +9999", None),
        ("1 Jan 0001 00:00:00 +0100", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_date(text: str, moment: datetime | None) -> None:
    assert parse_date(text) == moment


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        ("é".encode(), "é"),
        (b"caf\xe9", "café"),
        (b"=?utf-8?q?caf=C3=A9_au?= lait", "café au lait"),
        (b"=?utf-8?b?Y2Fm?= =?iso-8859-1?q?=E9?=", "café"),
        (b"=?utf-8?b?Y2FmZQ?=", "cafe"),
        (b"=?nonsense?q?abc?=", "abc"),
        (b"=?utf-8?b?!!!!?=", ""),
        (b"=?utf-8*en?q?abc?=", "abc"),
        (b"=?punycode?q?abc?=", "abc"),
        (b"=?utf-7?q?+2AA-?=", "?"),  # half of a surrogate pair
    ],
)
def test_header(value: bytes, text: str) -> None:
    assert decode_header(value) == text


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("é".encode(), "", "é"),
        ("é".encode(), "us-ascii", "é"),
        (b"\xe9", "iso-8859-1", "é"),
        (b"\xe9", "unknown", "é"),
        (b'\x1b$B$"\x1b(B', "iso-2022-jp", "あ"),
        (b"\x82\xa0", "shift_jis", "あ"),
        (b"+2AA-", "utf-7", "+2AA-"),
    ],
)
def test_text(data: bytes, charset: str, text: str) -> None:
    assert decode_text(data, charset) == text


def test_addresses() -> None:
    value = b'"x@example.org via list" <List@Example.org>, b@example.org (who), (no@comment), C <c@example.org>'
    assert parse_addresses(value) == ("list@example.org", "b@example.org", "no@comment", "c@example.org")
    assert parse_addresses(b"a at example.org (A)") == ("a@example.org",)
    assert parse_addresses(b"undisclosed-recipients:;") == ()


def test_msgids() -> None:
    assert parse_msgids(b"<a@x> garbage\t< b@x >") == ("a@x", "b@x")
    assert parse_msgids(b"a@x") == ("a@x",)
    assert parse_msgids(b"") == ()


@pytest.mark.parametrize("piece", [b"=?", b"a", b'"', b"<", b" at ", b"=?a?b?", b"1 ", b"@", b"<a@b> ", b";a=", b'\\"'])
@pytest.mark.parametrize("name", [b"From", b"Subject", b"Date", b"References", b"To", b"Content-Type", b"Received"])
def test_hostile_headers_take_no_time(name: bytes, piece: bytes) -> None:
    mail = Mail(name + b": " + piece * (200_000 // len(piece)) + b"\n\nbody\n")
    start = time.monotonic()
    assert mail.date and mail.posted and mail.parts
    assert isinstance((mail.subject, mail.sender, mail.references, mail.recipients, mail.has_diff), tuple)
    assert time.monotonic() - start < 2


def test_bounds_are_those_of_the_module() -> None:
    assert headers.decode_header(b"a" * 100_000) == "a" * 50_000


@pytest.mark.parametrize("year", ["0001", "1969", "2100", "9999"])
def test_years_of_which_git_makes_no_date(year: str) -> None:
    assert parse_date(f"Fri, 31 Dec {year} 23:00:00 +0000") is None
