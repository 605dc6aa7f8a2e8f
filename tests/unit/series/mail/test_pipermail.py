# SPDX-License-Identifier: GPL-2.0-or-later
import time
from datetime import UTC, datetime

import pytest

from seriestool.series.mail.pipermail import parse_diffstat, parse_page, parse_shortlog, quoted_series
from seriestool.series.model import Series
from tests.support.repos import ROOT, shared


def quoted(data: bytes) -> Series:
    page = parse_page(data)
    assert page is not None
    series = quoted_series(page)
    assert series is not None
    return series


def test_a_quoted_cover_letter() -> None:
    series = quoted((ROOT / "tests/data/mail/pipermail-reply.txt").read_bytes())
    assert (series.subject, series.version, series.expected, series.patches) == ("Some French", 2, 2, ())
    assert series.titles == ("hello: say two in French", "hello: say three in French")
    assert series.paths == (b"hello.txt", b"new/moved.txt", b"old/moved.txt")
    assert series.base.commit == "1" * 40
    assert series.change_id == "20260101-french-0123456789ab"
    assert series.posted == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_the_real_question() -> None:
    series = quoted(shared("data/tls-session-tags/reply-pipermail.txt").read_bytes())
    assert (series.expected, len(series.titles), len(series.paths)) == (9, 9, 29)
    assert series.base.commit == "4d4d6605de5f91a40335729b6a7cc15e83b280f3"
    assert series.change_id == "20260512-tls-session-tags-9d0042583f44"
    assert series.posted == datetime(2026, 6, 5, 17, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    "data", [b"", b"just\nsome\nwords\n", b"[PATCH] x\n\nA U Thor author at example.org\nnot a date\n", b"\0" * 100]
)
def test_no_page(data: bytes) -> None:
    assert parse_page(data) is None


def test_a_page_without_cover_letter() -> None:
    page = parse_page(b"[PATCH] x\n\nA author at example.org\nMon Jan 5 10:00:00 CET 2026\n\n\n> some words\n\nYes.\n")
    assert page is not None
    assert quoted_series(page) is None


def test_wrapped_titles_of_two_authors() -> None:
    text = "words (not a name)\n\nA (2):\n      one\n        goes on\n      two\n\nB (1):\n      three\n\n a | 1 +\n"
    assert parse_shortlog(text) == ("one goes on", "two", "three")


def test_shortlog_of_git_shortlog() -> None:
    assert parse_shortlog("A (2):\n  one\n  two\n") == ("one", "two")


def test_diffstat() -> None:
    text = " b.c | 2 +-\n a => c | 0\n x/{ => y}/z | 1 +\n pic.png | Bin 0 -> 10 bytes\n .../long.c | 1 +\n| no |\n"
    assert parse_diffstat(text) == (b"a", b"b.c", b"c", b"pic.png", b"x/y/z", b"x/z")


def test_lines_without_end_take_no_time() -> None:
    start = time.monotonic()
    blank = " " * 2_000_000
    assert parse_page(f"subject\nx{blank}y<\nMon x\n".encode()) is None
    assert parse_diffstat(f" x{blank}y") == ()
    assert time.monotonic() - start < 2
