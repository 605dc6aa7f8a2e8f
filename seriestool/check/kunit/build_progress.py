# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told while a build runs: how long it has been at it, of how long it will take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

_EVERY = 20.0


def duration(seconds: float) -> str:
    """The time as people say it."""
    return f"{round(seconds)} s" if seconds < 100 else f"{round(seconds / 60)} minutes"


@contextmanager
def reporting_progress(report: Callable[[str], None], what: str, every: float = _EVERY) -> Iterator[None]:
    """A block during which `report` hears what is done, at once and then every few seconds with the time that it took.

    It is called by another thread meanwhile.
    """
    report(what)
    done, started = Event(), monotonic()

    def tell() -> None:
        last = ""
        while not done.wait(every):
            so_far = duration(monotonic() - started)
            if so_far != last:
                report(f"{what}; {so_far} so far")
            last = so_far

    thread = Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
