# SPDX-License-Identifier: GPL-2.0-or-later
"""How work that takes long says what it does, without knowing who listens: a terminal, a bot's log, nobody."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol


class TransferState(NamedTuple):
    """How far a clone, fetch or push is, in objects or, while `stage` is "resolving deltas", in deltas."""

    stage: str
    """What is being done, in a word or two: "receiving"."""
    done: int
    total: int | None
    """None while nobody knows."""
    volume: str = ""
    """As git says it: "1.20 MiB | 3.00 MiB/s"; or nothing."""

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,d}"
        return ", ".join(filter(None, (f"{self.stage}, {self.done:,d}{of} {self.unit}", self.volume)))

    @property
    def unit(self) -> str:
        """What is counted."""
        return "deltas" if self.stage == "resolving deltas" else "objects"


_NOTED_EVERY = 60  # seconds
TransferListener = Callable[[TransferState], None]


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


def noted_transfer(
    note: Callable[[str], None], title: str, now: Callable[[], float] = time.monotonic
) -> TransferListener:
    """A listener for a log: a line when a transfer has lasted a minute, and each minute after that."""
    due = now() + _NOTED_EVERY

    def listen(state: TransferState) -> None:
        nonlocal due
        if now() >= due:
            due = now() + _NOTED_EVERY
            note(f"{title}: {state}")

    return listen
