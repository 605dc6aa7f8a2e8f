# SPDX-License-Identifier: GPL-2.0-or-later
import time

import pytest

from seriestool.series.mail.subject_line import SubjectLine, clean_title, parse_subject


def fields(text: str) -> tuple[int, int | None, int, tuple[str, ...], str]:
    subject = parse_subject(text)
    return subject.version, subject.counter, subject.expected, subject.prefixes, subject.title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[PATCH] net: do", (1, None, 1, (), "net: do")),
        ("[PATCH v3 2/9] net: do", (3, 2, 9, (), "net: do")),
        ("[PATCHv3 net-next] do", (3, None, 1, ("net-next",), "do")),
        ("[PATCH-v3 02/10] do", (3, 2, 10, (), "do")),
        ("[PATCH V2 1/1] do", (2, 1, 1, (), "do")),
        ("[RFC PATCH net-next v2 0/4] do", (2, 0, 4, ("RFC", "net-next"), "do")),
        ("[PATCH RFC v2 1/2] do", (2, 1, 2, ("RFC",), "do")),
        ("[RFCv2 1/2] do", (2, 1, 2, ("RFC",), "do")),
        ("[LTP] [PATCH v4] do", (4, None, 1, ("LTP",), "do")),
        ("[libgpiod][PATCH 0/3] do", (1, 0, 3, ("libgpiod",), "do")),
        ("[PATCH net-next,v2,1/3] do", (2, 1, 3, ("net-next",), "do")),
        ("[PATCH 1 of 3] do", (1, 1, 3, (), "do")),
        ("[PATCH02/13] do", (1, 2, 13, (), "do")),
        ("[v2,3/9] do", (2, 3, 9, (), "do")),
        ("[PATCH 5.10/5.15] do", (1, None, 1, ("5.10/5.15",), "do")),
        ("[PATCH v7.0.2] do", (1, None, 1, ("v7.0.2",), "do")),
        ("[PATCH 6.6.y v2 1/2] do", (2, 1, 2, ("6.6.y",), "do")),
        ("[PATCH 2/1] do", (1, 2, 1, (), "do")),
        ("[PATCH v0 1/2] do", (1, 1, 2, (), "do")),
        ("[PATCH  v2   1/2]   do    this", (2, 1, 2, (), "do this")),
        ("PATCH v2: do", (2, None, 1, (), "PATCH v2: do")),
        ("do", (1, None, 1, (), "do")),
        ("", (1, None, 1, (), "")),
    ],
)
def test_subject(text: str, expected: tuple[int, int | None, int, tuple[str, ...], str]) -> None:
    assert fields(text) == expected


@pytest.mark.parametrize(
    "text",
    ["Re: [PATCH] do", "RE: [PATCH] do", "[LTP] Re: [PATCH] do", "AW: [PATCH] do", "Re[2]: [PATCH] do", "Fwd: do"],
)
def test_reply(text: str) -> None:
    assert parse_subject(text).is_reply


@pytest.mark.parametrize("text", ["[PATCH] fw: load it once", "[PATCH] re: parse it", "recovery: do", "[PATCH] Revert"])
def test_no_reply(text: str) -> None:
    assert not parse_subject(text).is_reply


@pytest.mark.parametrize(
    ("text", "is_patch"), [("[PATCH] do", True), ("[1/2] do", True), ("[ANNOUNCE] do", False), ("do", False)]
)
def test_is_patch(text: str, is_patch: bool) -> None:
    assert parse_subject(text).is_patch is is_patch


@pytest.mark.parametrize(
    ("text", "title"),
    [("Re: re: [PATCH] [media] do [it]", "do [it]"), (": : do", "do"), ("[PATCH do", "[PATCH do"), ("[a] [b]", "")],
)
def test_title_as_mailinfo_cleans_it(text: str, title: str) -> None:
    assert clean_title(text) == title


@pytest.mark.parametrize("piece", ["[", "[PATCH ", "Re: ", " ", "[a] ", "1/", "v1 "])
def test_a_hostile_subject_takes_no_time(piece: str) -> None:
    start = time.monotonic()
    assert isinstance(parse_subject(piece * 20_000), SubjectLine)
    assert time.monotonic() - start < 2
