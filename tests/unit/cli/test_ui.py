# SPDX-License-Identifier: GPL-2.0-or-later
"""What reaches the two streams."""

import io
import json
import sys
import time
from argparse import Namespace

import pytest

from seriestool.cli import ui as ui_module
from seriestool.cli.ui import Ui, open_ui
from seriestool.util.progress import TransferState


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_results_and_talk_go_their_own_ways() -> None:
    out, err = io.StringIO(), io.StringIO()
    ui = Ui(out, err)
    ui.out("result\x1b[31m")
    ui.note("talk\x07")
    ui.detail("detail")
    assert out.getvalue() == "result\\x1b[31m\n"
    assert err.getvalue() == "talk\\x07\n"


def test_quiet_and_verbose() -> None:
    err = io.StringIO()
    Ui(io.StringIO(), err, quiet=True, verbose=True).detail("detail")
    assert err.getvalue() == ""
    Ui(io.StringIO(), err, verbose=True).detail("detail")
    assert err.getvalue() == "detail\n"


def test_colours_pass_only_where_wanted() -> None:
    out = io.StringIO()
    Ui(out, out, color=True).out("\x1b[31mred\x1b[0m \x1b[2J")
    assert out.getvalue() == "\x1b[31mred\x1b[0m \\x1b[2J\n"


def test_json_is_ascii_and_comes_back_the_same() -> None:
    out = io.StringIO()
    value = {"subject": "\x7f\x9b\u202e ü \udcff"}
    Ui(out, out).json(value)
    assert out.getvalue().isascii()
    assert "\x7f" not in out.getvalue()
    assert json.loads(out.getvalue()) == value


def test_raw_bytes_come_after_what_was_printed_before() -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, "utf-8")
    ui = Ui(stream, stream)
    ui.out("first")
    ui.raw(b"\xff\x1b\r\n")
    assert data.getvalue() == b"first\n\xff\x1b\r\n"


@pytest.mark.parametrize(
    ("when", "terminal", "environ", "color"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {}, False),
    ],
)
def test_when_there_are_colours(
    monkeypatch: pytest.MonkeyPatch, when: str, terminal: bool, environ: dict[str, str], color: bool
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal() if terminal else io.StringIO())
    assert open_ui(Namespace(color=when, quiet=False, verbose=False), environ).color is color


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("", 80), ("0", 80), ("x", 80), ("²", 80)])
def test_width(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert open_ui(Namespace(color="auto", quiet=False, verbose=False), {"COLUMNS": columns}).width == width


def test_no_bar_where_nobody_watches() -> None:
    err = io.StringIO()
    with Ui(err, err).progress("indexing", 10) as show:
        show(5)
    with Ui(Terminal(), Terminal(), quiet=True).progress("indexing", 10) as show:
        show(5)
    assert err.getvalue() == ""


def test_a_short_work_draws_no_bar_and_a_long_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    short, long = Terminal(), Terminal()
    with Ui(short, short).progress("indexing", 10) as show:
        show(5)
    assert short.getvalue() == ""
    monkeypatch.setattr(ui_module, "_PATIENCE", 0.0)
    with Ui(long, long).progress("indexing [red]\x1b", 10) as show:
        show(5)
        time.sleep(0.2)
    assert "indexing [red]\\x1b" in long.getvalue()
    assert "5/10" in long.getvalue()


def test_nobody_is_told_of_a_transfer_where_nobody_watches() -> None:
    with Ui(io.StringIO(), io.StringIO()).transfer("fetching") as listener:
        assert listener is None
    with Ui(Terminal(), Terminal(), quiet=True).transfer("fetching") as listener:
        assert listener is None


def test_a_transfer_says_how_much_of_how_much_and_is_away_after_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(ui_module, "_PATIENCE", 0.0)
    err = Terminal()
    with Ui(err, err).transfer("fetching 'a\x1b'") as listener:
        assert listener is not None
        listener(TransferState("receiving", 1234, 5000, "1.20 MiB | 3.00 MiB/s"))
        time.sleep(0.2)
        assert "fetching 'a\\x1b': receiving, 1,234 of 5,000 objects, 1.20 MiB | 3.00 MiB/s" in err.getvalue()
        listener(TransferState("receiving", 5000, 5000))
        shown = err.getvalue()
        time.sleep(0.3)
        assert err.getvalue() == shown


def test_a_short_transfer_draws_nothing() -> None:
    err = Terminal()
    with Ui(err, err).transfer("fetching") as listener:
        assert listener is not None
        listener(TransferState("counting", 1, None))
    assert err.getvalue() == ""
