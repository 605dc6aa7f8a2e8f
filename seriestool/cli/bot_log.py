# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the bot's log goes: to stderr, a line for each record; with syslog's priorities where stderr is the journal."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from seriestool.cli.ui import Ui

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


@contextmanager
def log_to(ui: Ui, environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """In the block records of seriestool are printed: from level info on, with --verbose all, with --quiet none."""
    log = logging.getLogger("seriestool")
    handler = _UiHandler(ui, is_journal(ui.stderr, environ))
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG if ui.verbose else logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream leads to the journal: systemd says which file it is, by device and inode (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _UiHandler(logging.Handler):
    """Prints records. Of a signal handler in the middle of another record RuntimeError is raised, as by the stream."""

    def __init__(self, ui: Ui, has_priorities: bool) -> None:
        super().__init__()
        self._ui = ui
        self._has_priorities = has_priorities

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self._ui.note("\n".join(_journal_lines(record, text)) if self._has_priorities else text)


def _journal_lines(record: logging.LogRecord, text: str) -> Iterator[str]:
    """The lines with their priority before them (sd-daemon(3)); the first one ends with the series' key, for --grep."""
    priority = next((number for level, number in _PRIORITIES if record.levelno >= level), _DEBUG)
    series = getattr(record, "series", None)
    for line in (f"{text} (series {series})" if series else text).split("\n"):
        yield f"<{priority}>{line}"
