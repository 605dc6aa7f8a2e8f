# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the bot's log goes, and in which form."""

import io
import logging
import os
from pathlib import Path

import pytest

from seriestool.cli.bot_log import is_journal, log_to
from seriestool.cli.ui import Ui

LOG = logging.getLogger("seriestool.bot.queue.of_a_test")


def log_some() -> None:
    LOG.debug("a detail")
    LOG.info("done: %s", "it", extra={"series": "0123abcd"})
    LOG.warning("cannot read\nthe list")
    LOG.error("a bug")


def written(path: Path, environ: dict[str, str], quiet: bool = False, verbose: bool = False) -> list[str]:
    with path.open("w") as stream:
        if environ:
            status = os.fstat(stream.fileno())
            environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        with log_to(Ui(io.StringIO(), stream, quiet=quiet, verbose=verbose), environ):
            log_some()
        log_some()  # nobody listens any more
    return path.read_text().splitlines()


def test_plain_lines(tmp_path: Path) -> None:
    assert written(tmp_path / "log", {}) == ["done: it", "cannot read", "the list", "a bug"]


@pytest.mark.parametrize(("quiet", "verbose", "lines"), [(True, False, 0), (False, True, 5)])
def test_levels(tmp_path: Path, quiet: bool, verbose: bool, lines: int) -> None:
    assert len(written(tmp_path / "log", {}, quiet, verbose)) == lines


def test_the_journal_gets_priorities_and_the_series(tmp_path: Path) -> None:
    assert written(tmp_path / "log", {"JOURNAL_STREAM": "this one"}, verbose=True) == [
        "<7>a detail",
        "<6>done: it (series 0123abcd)",
        "<4>cannot read",
        "<4>the list",
        "<3>a bug",
    ]


@pytest.mark.parametrize("environ", [{}, {"JOURNAL_STREAM": ""}, {"JOURNAL_STREAM": "1:2"}])
def test_another_stream_is_no_journal(tmp_path: Path, environ: dict[str, str]) -> None:
    with (tmp_path / "log").open("w") as stream:
        assert not is_journal(stream, environ)
    assert not is_journal(io.StringIO(), environ)
