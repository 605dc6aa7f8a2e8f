# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps the series' rows and DBOS's workflows in step, whatever was killed between the two.

The rows are what counts: a turn that is in hand has a workflow, or gets one. A workflow that ended without settling its
turn fails it. Workflows of turns that are over are deleted, so that DBOS's tables stay as small as the work in hand.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from seriestool.bot.bot_config import Bounds
from seriestool.bot.dialects import in_batches
from seriestool.bot.queue.pipeline import Attempt
from seriestool.bot.queue.series_queue import active_attempts, admit_waiting, fail_attempt
from seriestool.bot.queue.workers import Worker
from seriestool.bot.queue.workflows import ENDED
from seriestool.bot.store import Store

_LOG = logging.getLogger(__name__)

_WHY = {
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "the bots that looked at it were ended again and again: out of memory?",
    "CANCELLED": "its workflow was cancelled",
}
_BATCH = 500
_LONGEST = 3600.0


class WorkflowQueue(Protocol):
    """What is asked of the engine (`workflows.WorkflowEngine`)."""

    def enqueue(self, attempt: Attempt, delay: float = 0) -> None:
        """Once, however often it is asked for."""

    def statuses(self, attempts: Sequence[Attempt]) -> dict[str, str]:
        """Id -> status of those that are known."""

    def executors(self) -> frozenset[str]:
        """Those that have work in hand."""

    def take_over(self, executors: Sequence[str]) -> None:
        """Their work goes back into the queue."""

    def requeue_dropped(self) -> None:
        """What was dropped here goes back into the queue."""

    def ended(self, limit: int) -> tuple[str, ...]:
        """Ids of workflows that have ended."""

    def forget(self, ids: Sequence[str]) -> None:
        """Nothing is kept of them."""


class Reconciler(Struct, frozen=True, dict=True, kw_only=True):
    """What is kept in step."""

    store: Store
    work: WorkflowQueue
    worker: Worker
    bounds: Bounds
    backoff: float = 60.0
    """Seconds before the second try; each later one waits five times as long."""
    now: Callable[[], float] = time.time

    def admit(self) -> int:
        """How many series' turn has come."""
        return len(admit_waiting(self.store, self.bounds, int(self.now())))

    def reconcile(self) -> int:
        """How many turns are in hand, each of them with a workflow now."""
        attempts = active_attempts(self.store)
        for some in in_batches(attempts):
            known = self.work.statuses(some)
            for attempt in some:
                status = known.get(str(attempt))
                if status is None:
                    self.work.enqueue(attempt, self._delay(attempt.tries))
                elif status in ENDED:
                    self._fail(attempt, status)
        return len(attempts)

    def take_over(self) -> None:
        """Work of processes that are gone is taken over: by whoever asks first, once."""
        for gone in self.worker.gone():
            _LOG.warning("the worker '%s' is gone; its work is taken over", gone.name)
        # In this order: a worker is in the table before it has work, so who has work and is not in it is gone.
        busy = self.work.executors()
        alive = {one.executor for one in self.worker.all()}
        if lost := sorted(busy - alive - {self.worker.executor}):
            self.work.take_over(lost)
        self.work.requeue_dropped()

    def collect(self) -> int:
        """How many workflows of turns that are over were deleted."""
        ended = self.work.ended(_BATCH)
        if not ended:
            return 0
        in_hand = {str(attempt) for attempt in active_attempts(self.store)}
        over = [one for one in ended if one not in in_hand]
        self.work.forget(over)
        return len(over)

    def _fail(self, attempt: Attempt, status: str) -> None:
        # A turn that was settled meanwhile is not in hand any more, and is left alone.
        if fail_attempt(self.store, attempt, _WHY.get(status, "a bug: its workflow broke off"), int(self.now())):
            why = _WHY.get(status, "its workflow broke off")
            _LOG.error("series %s failed: %s", attempt.key, why, extra={"series": attempt.key})

    def _delay(self, tries: int) -> float:
        return 0.0 if tries < 2 else min(self.backoff * 5 ** (tries - 2), _LONGEST)
