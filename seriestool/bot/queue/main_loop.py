# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's round: admit, keep the work going, show that it lives; and its end.

Lists are read and trees fetched beside it: a server that is slow holds up nothing else.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from msgspec import Struct

from seriestool.bot.dialects import StoreError
from seriestool.bot.migrations import check_tables
from seriestool.bot.queue.error_handling import classify_error
from seriestool.bot.queue.reconcile import Reconciler
from seriestool.bot.queue.retry import StopRequested
from seriestool.bot.queue.series_queue import counts
from seriestool.bot.queue.workers import NameTakenError, Worker

_LOG = logging.getLogger(__name__)

LEASE = "lists"
_LONGEST = 60.0
_SOON = 0.5  # seconds between two rounds of a bot that is to end when all is done


class Task(Struct):
    """Something that is done every now and then."""

    name: str
    every: float
    """Seconds."""
    work: Callable[[], None]
    leader_only: bool = False
    """Only one worker at a time does it; that two do it at once must do no harm."""
    due: float = 0.0


@dataclass
class MainLoop:
    """All that turns the round."""

    reconciler: Reconciler
    worker: Worker
    tasks: tuple[Task, ...]
    stop: threading.Event
    log_crash: Callable[[BaseException], str]
    interval: float = 5.0
    """Seconds between two beats."""
    grace: float = 10.0
    """Seconds that what is done besides has to finish, once the bot is to leave."""
    _outage: str = field(default="", init=False)
    _passed: threading.Event = field(default_factory=threading.Event, init=False)
    """Whether all tasks were done once."""

    def run(self, once: bool = False) -> None:
        """Go round until told to stop; `once`: until there is nothing to do."""
        # A fetch that is not over when the bot leaves ends by itself, and does no harm.
        besides = threading.Thread(target=self._run_tasks, name="seriestool-bot-tasks", daemon=True)
        besides.start()
        try:
            self._rounds(once)
        except StopRequested:
            pass
        finally:
            self.stop.set()
            besides.join(self.grace)

    def _rounds(self, once: bool) -> None:
        pause = 1.0
        while not self.stop.is_set():
            try:
                passed = self._passed.is_set()
                idle = self._round()
                self._over()
            except StoreError as error:
                self._trouble(error.message)
                self.stop.wait(pause)
                pause = min(2 * pause, _LONGEST)
                continue
            pause = 1.0
            if once and passed and idle:
                return
            self.stop.wait(min(self.interval, _SOON) if once else self.interval)

    def _round(self) -> bool:
        """Whether there was nothing to do; raises SchemaError where a newer program has migrated the tables."""
        with self.reconciler.store.transaction() as connection:
            check_tables(connection)
        self.reconciler.take_over()
        is_leader = self.worker.has_lease(LEASE)
        admitted = self.reconciler.admit() if is_leader else 0
        in_hand = self.reconciler.reconcile() if is_leader else sum(self._in_hand())
        if is_leader:
            self.reconciler.collect()
        return not admitted and not in_hand

    def _in_hand(self) -> tuple[int, int]:
        found = counts(self.reconciler.store)
        return found["queued"], found["running"]

    def _run_tasks(self) -> None:
        while not self.stop.is_set():
            try:
                for task in self.tasks:
                    if not self.stop.is_set():
                        self._do(task)
                self._passed.set()
            except StoreError as error:
                self._trouble(error.message)
            self.stop.wait(self.interval)

    def _do(self, task: Task) -> None:
        if time.monotonic() < task.due or (task.leader_only and not self.worker.has_lease(LEASE)):
            return
        task.due = time.monotonic() + task.every
        try:
            task.work()
        except StoreError:
            task.due = 0.0
            raise
        except Exception as error:  # one list, one tree: the bot goes on with the others
            _LOG.warning("%s: %s", task.name, classify_error(error, self.log_crash).error)

    def _trouble(self, what: str) -> None:
        if not self._outage:
            self._outage = what
            _LOG.warning("%s; waiting for it", what)

    def _over(self) -> None:
        if self._outage:
            self._outage = ""
            _LOG.info("the bot's database is back")


class Heartbeat:
    """Beats as long as the process has work in hand: also while it leaves, or the others would take it for gone."""

    def __init__(self, worker: Worker, stop: threading.Event, interval: float) -> None:
        self.taken: NameTakenError | None = None
        """Set where another process has the worker's name now; the bot is told to leave then."""
        self._worker = worker
        self._stop = stop
        self._interval = interval
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="seriestool-bot-beat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(self._interval + 1)

    def _beat(self) -> None:
        while not self._end.wait(self._interval):
            try:
                self._worker.beat()
            except NameTakenError as error:
                self.taken = error
                self._stop.set()
                return
            except StoreError:
                continue  # the round says so
