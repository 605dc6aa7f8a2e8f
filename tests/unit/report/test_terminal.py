# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing that a mail carries may drive a terminal."""

import pytest

from seriestool.report.terminal import printable, printable_line, printable_styled


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
