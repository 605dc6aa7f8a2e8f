# SPDX-License-Identifier: GPL-2.0-or-later
"""How work that takes long says what it does, without knowing who listens: a terminal, a bot's log, nobody."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class ProgressMonitor(Protocol):
    """Who is told; `cli/ui.py` has the one of the terminal."""

    def note(self, text: str) -> None:
        """Say something about the work."""

    def detail(self, text: str) -> None:
        """Say something that only few want to know."""

    def progress(self, title: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """A function to call with how much is done so far."""


class NullProgressMonitor:
    """Nobody listens."""

    def note(self, text: str) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def progress(self, title: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:  # noqa: ARG002
        """A function that does nothing."""
        return nullcontext(_nothing)


def _nothing(done: int) -> None:
    """Progress that nobody watches."""
