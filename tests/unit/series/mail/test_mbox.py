# SPDX-License-Identifier: GPL-2.0-or-later
import gzip
import time

import pytest

from seriestool.series.mail import mbox, split_mbox
from seriestool.util.errors import InputError

FIRST = b"From: a@example.org\nSubject: one\n\nbody\n"
SECOND = b"From: b@example.org\nSubject: two\n\nbody\n"
RD = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
O_LINE = b"From a@example.org Mon Jan  5 10:00:00 2026\n"
PATCH_LINE = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"


def bodies(data: bytes) -> list[bytes]:
    return [mail.partition(b"\n\n")[2].strip(b"\n") for mail in split_mbox(data)]


@pytest.mark.parametrize(
    ("case", "data"),
    [
        ("mboxrd", RD + FIRST + b"\n" + RD + SECOND),
        ("mboxo", O_LINE + FIRST + b"\n" + O_LINE + SECOND),
        ("format-patch", PATCH_LINE + FIRST + b"\n" + PATCH_LINE + SECOND),
        ("no empty line between", RD + FIRST + RD + SECOND),
        ("empty lines before", b"\n\n" + RD + FIRST + b"\n" + RD + SECOND),
        ("gzip", gzip.compress(RD + FIRST + b"\n" + RD + SECOND)),
        ("two gzip members", gzip.compress(RD + FIRST + b"\n") + gzip.compress(RD + SECOND)),
        ("CRLF", (RD + FIRST + b"\n" + RD + SECOND).replace(b"\n", b"\r\n")),
        ("From line of pipermail", O_LINE.replace(b"@", b" at ") + FIRST + b"\n" + O_LINE + SECOND),
    ],
)
def test_two_mails(case: str, data: bytes) -> None:
    assert [mail.strip() for mail in split_mbox(data)] == [FIRST.strip(), SECOND.strip()]


def test_a_single_mail_without_from_line() -> None:
    assert split_mbox(FIRST) == (FIRST,)


def test_a_single_mail_may_hold_a_format_patch_file() -> None:
    assert split_mbox(FIRST + PATCH_LINE + SECOND) == (FIRST + PATCH_LINE + SECOND,)


@pytest.mark.parametrize(
    ("from_line", "written", "read"),
    [
        (RD, b">From here", b"From here"),
        (RD, b">>From here", b">From here"),
        (O_LINE, b">From here", b"From here"),
        (O_LINE, b">>From here", b">>From here"),
        (PATCH_LINE, b">From here", b">From here"),
    ],
)
def test_escaped_from(from_line: bytes, written: bytes, read: bytes) -> None:
    assert bodies(from_line + b"From: a@example.org\n\n" + written + b"\n") == [read]


@pytest.mark.parametrize(
    "line",
    [b"From here on it is simple", b"From 12:30 to 2026", b"From x Mon Jan  5 10:00:00 2026", b"From: not a header"],
)
def test_a_line_of_text_starts_no_mail(line: bytes) -> None:
    data = RD + b"From: a@example.org\n\n" + line + b"\nmore text\n"
    assert bodies(data) == [line + b"\nmore text"]


def test_content_length_that_proves_true_protects_the_body() -> None:
    body = b"text\n" + O_LINE + b"Header: in the body\n"
    first = b"From: a@example.org\nContent-Length: %d\n\n" % len(body) + body
    assert len(split_mbox(O_LINE + first + b"\n" + O_LINE + SECOND)) == 2


def test_content_length_that_is_wrong_is_ignored() -> None:
    first = b"From: a@example.org\nContent-Length: 100000\n\nbody\n\n"
    assert len(split_mbox(O_LINE + first + O_LINE + SECOND)) == 2


@pytest.mark.parametrize("end", [b"", b"\n\nbody\n"])
def test_a_hundred_thousand_from_lines_without_a_body_take_no_time(end: bytes) -> None:
    start = time.monotonic()
    assert len(split_mbox(b"From a 1:11 2000\nX: y\n" * 100_000 + end)) == 100_000
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\0\1\2", b"just words\n", b"#!/bin/sh\nexit 1\n"])
def test_no_mail(data: bytes) -> None:
    assert split_mbox(data) == ()


def test_a_cut_gzip_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"'x\.gz' ends in the middle"):
        split_mbox(gzip.compress(FIRST)[:-12], "x.gz")


def test_a_damaged_gzip_file_is_refused() -> None:
    data = bytearray(gzip.compress(FIRST * 50))
    data[30] ^= 0xFF
    with pytest.raises(InputError, match=r"'x\.gz' (is damaged|ends in the middle)"):
        split_mbox(bytes(data), "x.gz")


def test_a_huge_mailbox_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="is larger than"):
        split_mbox(FIRST * 100, "x")


def test_a_gzip_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="is larger than"):
        split_mbox(gzip.compress(bytes(100_000)), "x.gz")
