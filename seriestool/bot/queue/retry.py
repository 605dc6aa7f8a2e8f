# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for what comes back by itself: a database, room on a disk, a repository that others use."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from seriestool.bot.dialects import SchemaError, StoreError

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST = 60.0


class StopRequested(BaseException):
    """The bot leaves: what is being done stays as it is recorded, and goes on at the next run.

    Not an Exception, so that nothing on the way takes it for a failure of the work, and records it as one.
    """


class Retrier:
    """Tries again, longer and longer apart, until it works or the bot leaves; what is wrong is said once."""

    def __init__(self, stop: threading.Event, first: float = 1.0) -> None:
        self.stop = stop
        self.schema_error: SchemaError | None = None
        """Why the bot was told to leave, where the tables of its database are not those that it knows."""
        self._first = first
        self._said: dict[str, int] = {}
        self._lock = threading.Lock()

    def until(self, work: Callable[[], T]) -> T:
        """What the work gives, once the database lets it; raises Stopped."""
        pause = self._first
        told = None
        while True:
            try:
                answer = work()
            except SchemaError as error:  # waiting does not help: what is being done goes on once a person has acted
                self.schema_error = error
                self.stop.set()
                raise StopRequested from error
            except StoreError as error:
                told = told or self.trouble(error.message)
                self.wait(pause)
                pause = min(2 * pause, _LONGEST)
                continue
            if told:
                self.over(told)
            return answer

    def trouble(self, what: str) -> str:
        """`what`, said unless somebody said it before and it is not over."""
        with self._lock:
            known = self._said.get(what, 0)
            self._said[what] = known + 1
        if not known:
            _LOG.warning("%s; waiting for it", what)
        return what

    def over(self, what: str) -> None:
        """Say so, when the last one that it troubled goes on."""
        with self._lock:
            left = self._said.get(what, 1) - 1
            if left:
                self._said[what] = left
            else:
                self._said.pop(what, None)
        if not left:
            _LOG.info("going on")

    def wait(self, seconds: float) -> None:
        """Some time; raises Stopped."""
        if self.stop.wait(seconds):
            raise StopRequested


class RepairLock:
    """Many use it at a time, or one repairs it. What was fixed has a new number."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False
        self.number = 0

    @contextmanager
    def shared(self) -> Iterator[int]:
        """In use; the number of what is used."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._inside += 1
            number = self.number
        try:
            yield number
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def repair(self, number: int, work: Callable[[], None]) -> None:
        """Do the work while nobody is inside, unless it was done since it had that number."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            if self.number != number:
                return
            self._closed = True
            self._changed.wait_for(lambda: not self._inside)
        try:
            work()
        finally:
            with self._changed:
                self.number += 1
                self._closed = False
                self._changed.notify_all()
