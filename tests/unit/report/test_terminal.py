# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing that a mail carries may drive a terminal."""

import pytest

from seriestool.report.terminal import printable, printable_line, printable_styled
from tests.support.repos import Repo
from tests.support.series import make_series, with_stated
from tests.support.session import run_find_base


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcödé and 漢字", "plain, ünïcödé and 漢字"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J", "\\x1b[2J"),
        ("over\rwritten", "over\\x0dwritten"),
        ("nul \x00 del \x7f csi \x9b", "nul \\x00 del \\x7f csi \\x9b"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("\u2028\u200f\u061c", "\\u2028\\u200f\\u061c"),
        ("\udcff", "\\udcff"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_one_line_stays_one_line() -> None:
    assert printable_line("a\nb\x1b") == "a\\nb\\x1b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[2J\x1b[m\x1b[31", "\\x1b[2J\x1b[m\\x1b[31"),
        ("\x1b[" + "1" * 40 + "m", "\\x1b[" + "1" * 40 + "m"),
    ],
)
def test_styled_keeps_colours_and_nothing_else(text: str, shown: str) -> None:
    assert printable_styled(text) == shown


def test_with_colours_nothing_of_a_tree_or_a_mail_can_colour_what_follows(repo: Repo) -> None:
    base = repo.commit({"a": "1\n"}, "hidden \x1b[8m")
    mbox = with_stated(make_series(repo, base, {"a": "2\n"}), "x\x1b[8m").replace(b"part 1", b"part\x1b[8m")
    _, answer, _ = run_find_base(repo, mbox, "--color=always")
    repo.commit({"a": "3\n"}, "other \x1b[8m", parent=())
    _, failure, _ = run_find_base(repo, mbox.replace(b"index ", b"index 1"), "--color=always", "--tree=main")
    assert "\x1b[1m" in answer
    assert "\x1b[8m" not in answer + failure
    assert "hidden \\x1b[8m" in answer
