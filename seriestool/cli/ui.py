# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a command speaks: results to stdout, talk and progress to stderr.

Whatever goes out is escaped, so that no mail and no tree can send control sequences to a terminal.
"""

import contextlib
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from seriestool.report.terminal import printable, printable_line, printable_styled

if TYPE_CHECKING:
    from rich.progress import Progress

    from seriestool.util.progress import TransferListener, TransferState

__all__ = ["Ui", "open_ui", "printable", "printable_line"]

_DEFAULT_WIDTH = 80
_PATIENCE = 0.5  # seconds before a progress bar shows: importing rich takes longer than most questions


class Ui:
    """The two streams, and how the user wants them."""

    def __init__(  # by hand: whatever would write it costs `--help` its import
        self,
        stdout: TextIO,
        stderr: TextIO,
        *,
        color: bool = False,
        width: int = _DEFAULT_WIDTH,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.color = color
        self.width = width
        self.quiet = quiet
        self.verbose = verbose

    def out(self, text: str) -> None:
        """Print a result: `text` and a newline."""
        self.stdout.write((printable_styled(text) if self.color else printable(text)) + "\n")

    def json(self, value: object) -> None:
        """Print a result as JSON; pure ASCII, so that it needs no other escapes."""
        import json

        self.stdout.write(json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n")

    def raw(self, data: bytes) -> None:
        """Print a result as it is, byte for byte: an mbox."""
        self.stdout.flush()
        self.stdout.buffer.write(data)

    def note(self, text: str) -> None:
        """Say something about the work; silent with --quiet."""
        if not self.quiet:
            self.stderr.write(printable(text) + "\n")

    def detail(self, text: str) -> None:
        """Say something that only --verbose wants to know."""
        if self.verbose:
            self.note(text)

    @contextlib.contextmanager
    def progress(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A function to call with how much is done so far; it draws a bar if stderr is a terminal."""
        if self.quiet or not self.stderr.isatty():
            yield _nothing
            return
        with contextlib.ExitStack() as stack:
            yield _ProgressBar(self.stderr, printable_line(title), total, stack).show

    @contextlib.contextmanager
    def transfer(self, title: str) -> "Iterator[TransferListener | None]":
        """Who is told of a clone, fetch or push in the block; None where stderr is no terminal, and nobody watches."""
        if self.quiet or not self.stderr.isatty():
            yield None
            return
        bar = _TransferBar(self.stderr, printable_line(title))
        try:
            yield bar.show
        finally:
            bar.stop()


class _ProgressBar:
    """A progress bar that appears only when the work turns out to be long."""

    def __init__(self, stream: TextIO, title: str, total: int | None, stack: contextlib.ExitStack) -> None:
        self._stream = stream
        self._title = title
        self._total = total
        self._stack = stack
        self._due = time.monotonic() + _PATIENCE
        self._draw: Callable[[int], None] | None = None

    def show(self, done: int) -> None:
        if self._draw is None and time.monotonic() >= self._due:
            self._draw = self._start()
        if self._draw is not None:
            self._draw(done)

    def _start(self) -> Callable[[int], None]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,d}" if self._total is None else "{task.completed:,d}/{task.total:,d}"),
            TimeElapsedColumn(),
        )
        bar = self._stack.enter_context(Progress(*columns, console=Console(file=self._stream), transient=True))
        task = bar.add_task(self._title, total=self._total)
        return lambda done: bar.update(task, completed=done)


class _TransferBar:
    """A bar for each stage of a transfer that turns out to be long; away between them, where others may draw."""

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream = stream
        self._title = title
        self._due = time.monotonic() + _PATIENCE
        self._bar: Progress | None = None

    def show(self, state: "TransferState") -> None:
        if state.done == state.total:
            self.stop()
        elif time.monotonic() >= self._due:
            self._draw(state)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _draw(self, state: "TransferState") -> None:
        if self._bar is None:
            self._bar = self._start()
        amount = printable_line(f"{self._title}: {state}")
        self._bar.update(self._bar.task_ids[0], description=amount, completed=state.done, total=state.total)

    def _start(self) -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(20))
        bar = Progress(*columns, console=Console(file=self._stream), transient=True)
        bar.add_task(self._title, total=None)
        bar.start()
        return bar


def open_ui(arguments: Namespace, environ: Mapping[str, str] = os.environ) -> Ui:
    """The Ui for the common options and the environment: NO_COLOR (https://no-color.org), TERM, COLUMNS."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # an ASCII terminal gets escapes, not a traceback
    return Ui(
        stdout=sys.stdout,
        stderr=sys.stderr,
        color=_wants_color(arguments.color, sys.stdout, environ),
        width=_width(sys.stdout, environ),
        quiet=arguments.quiet,
        verbose=arguments.verbose,
    )


def _wants_color(when: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    if when != "auto":
        return when == "always"
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns[:6]) > 0:
        return int(columns[:6])
    try:
        return os.get_terminal_size(stream.fileno()).columns or _DEFAULT_WIDTH
    except (OSError, ValueError):
        return _DEFAULT_WIDTH


def _nothing(done: int) -> None:
    """Progress that nobody watches."""
