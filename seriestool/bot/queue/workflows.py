# SPDX-License-Identifier: GPL-2.0-or-later
"""The durable part: a workflow of DBOS for each try of a series. The only module that knows DBOS.

What DBOS keeps of a step is small: a word and an error. Reports are in our own tables. Its serializer is JSON, not its
default, pickle: whoever can write to a shared database must not run code on the machines that read it.

The version of the application is pinned. DBOS's own is a digest of the source, and work that was begun before an
upgrade would wait for the old version for ever. VERSION changes where old work must not go on with new steps.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from seriestool.bot.dialects import database_errors, with_driver
from seriestool.bot.queue.handlers import StepStatus
from seriestool.bot.queue.pipeline import Attempt, Pipeline
from seriestool.bot.queue.retry import StopRequested

if TYPE_CHECKING:
    from dbos import DBOS

_LOG = logging.getLogger(__name__)

VERSION = "1"
QUEUE = "series"
SCHEMA = "seriestool_dbos"
DEATHS = 20
"""How often a workflow may be begun. Each look has a process of its own, so a series seldom takes the bot with it."""

_NAME = "seriestool-bot"
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""DBOS's words for a workflow that does not go on."""


class StepNotRecorded(BaseException):
    """DBOS could not record a step: the workflow stays pending, and is begun again. Not an Exception: see Stopped."""


class WorkflowEngine:
    """DBOS, running. There is one in a process."""

    def __init__(self, database: str, executor: str, jobs: int, pipeline: Pipeline) -> None:
        self.executor = executor
        self._pipeline = pipeline
        self._jobs = jobs
        self._slots = threading.Semaphore(jobs)
        self._active: set[str] = set()
        self._idle_once: set[str] = set()
        self._dbos = _configure(database, executor)

        def series(key: str, rounds: int, tries: int) -> str:  # DBOS takes functions, not methods
            return self._series(Attempt(key, rounds, tries))

        self._workflow = self._dbos.workflow(name="series", max_recovery_attempts=DEATHS)(series)

    def launch(self, poll: float = 1.0) -> None:
        """Begin to take work. Raises StoreError."""
        with database_errors():
            self._dbos.launch()
            self._dbos.register_queue(
                QUEUE,
                # One number for all workers: a queue's row is shared. Each one's own is kept by `_slots`. Twice what is
                # looked at, so that the next ones are here when a place is free, and nobody waits for a poll.
                worker_concurrency=max(2 * self._jobs, _concurrency(self._dbos)),
                polling_interval_sec=poll,
                on_conflict="always_update",
            )

    def close(self, grace: float) -> None:
        """Take no more, let what runs finish for so many seconds, and end the rest: it goes on elsewhere, or later."""
        self._dbos.destroy(destroy_registry=True, workflow_completion_timeout_sec=int(grace) if self._active else 0)
        self._pipeline.processes.close()

    def enqueue(self, attempt: Attempt, delay: float = 0) -> None:
        """The turn in the queue, once, however often it is asked for."""
        from dbos import SetEnqueueOptions, SetWorkflowID

        with database_errors(), SetWorkflowID(str(attempt)), SetEnqueueOptions(delay_seconds=delay or None):
            self._dbos.enqueue_workflow(QUEUE, self._workflow, *attempt)

    def statuses(self, attempts: Iterable[Attempt]) -> dict[str, str]:
        """Id -> status of those workflows that are known."""
        return {one.workflow_id: one.status for one in self._list(workflow_ids=[str(attempt) for attempt in attempts])}

    def executors(self) -> frozenset[str]:
        """Those that have work in hand, alive or not."""
        return frozenset(one.executor_id for one in self._list(status="PENDING") if one.executor_id)

    def take_over(self, executors: Sequence[str]) -> None:
        """What executors that are gone had in hand goes back into the queue; asked twice, it is done once."""
        with database_errors():
            _requeue_if_owned_by(self._dbos, executors)

    def requeue_dropped(self) -> None:
        """What is pending here and was dropped, because DBOS could not record a step, goes back into the queue."""
        mine = {one.workflow_id for one in self._list(status="PENDING", executor_id=self.executor)}
        idle = mine - self._active
        for dropped in idle & self._idle_once:
            with database_errors():
                self._dbos.resume_workflow(dropped, queue_name=QUEUE)
        self._idle_once = idle

    def ended(self, limit: int) -> tuple[str, ...]:
        """Ids of workflows that have ended, oldest first."""
        return tuple(one.workflow_id for one in self._list(status=list(ENDED), limit=limit))

    def forget(self, ids: Sequence[str]) -> None:
        """Nothing is kept of those workflows."""
        if ids:
            with database_errors():
                self._dbos.delete_workflows(list(ids))

    def _list(self, **wanted: Any) -> list[Any]:
        with database_errors():
            return self._dbos.list_workflows(load_input=False, load_output=False, **wanted)

    def _series(self, attempt: Attempt) -> str:
        self._active.add(str(attempt))
        try:
            with self._slots, _recorded():
                if self._pipeline.retry.stop.is_set():
                    raise StopRequested
                return self._steps(attempt)
        finally:
            self._active.discard(str(attempt))

    def _steps(self, attempt: Attempt) -> str:
        pipeline = self._pipeline
        status, error = str(StepStatus.DONE), ""
        for name, work in (("look", pipeline.look), ("decide", pipeline.decide), ("say", pipeline.say)):
            status, error = self._step(name, lambda work=work: _pair(work(attempt)))  # type: ignore[misc]
            if status != StepStatus.DONE:
                break
        self._step("settle", lambda: [str(pipeline.settle(attempt, StepStatus(status), error) or "")])
        return status

    def _step(self, name: str, work: Callable[[], list[str]]) -> list[str]:
        return self._dbos.run_step({"name": name}, work)


def _pair(trouble: Any) -> list[str]:
    return [str(trouble.status), trouble.error]


def engine_url(database: str) -> str:
    """Where DBOS keeps its own: beside a file of SQLite, in the same database of Postgres."""
    url = with_driver(database)
    return url.removesuffix(".sqlite") + ".dbos.sqlite" if url.startswith("sqlite") else url


def _configure(database: str, executor: str) -> "type[DBOS]":
    from dbos import DBOS, DBOSPortableJSONSerializer

    _redirect_dbos_log()
    url = engine_url(database)
    if url.startswith("sqlite"):
        _prepare(url.partition(":///")[2])
    DBOS(
        config={
            "name": _NAME,
            "system_database_url": url,
            "dbos_system_schema": SCHEMA,
            "executor_id": executor,
            "application_version": VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
        }
    )
    return DBOS


def _prepare(path: str) -> None:
    """A file that readers and a writer use at once: SQLite remembers it."""
    import sqlite3

    with database_errors(), contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    os.chmod(path, 0o600)  # noqa: PTH101


class _DbosLogHandler(logging.Handler):
    """DBOS's warnings as details of ours, a line each: what they mean for a series is logged where it is known."""

    def emit(self, record: logging.LogRecord) -> None:
        _LOG.debug("dbos: %s", record.getMessage().partition("\n")[0][:500])


def _redirect_dbos_log() -> None:
    # With a handler there, DBOS makes none of its own, which would write to stderr.
    log = logging.getLogger("dbos")
    log.handlers = [_DbosLogHandler(logging.WARNING)]
    log.propagate = False


def _requeue_if_owned_by(dbos: "type[DBOS]", executors: Sequence[str]) -> None:
    """Pending workflows of those executors go back into their queue, each only if it is still theirs.

    The one private call of DBOS. Its own recovery is this one, for the executor's own id; ours are new for each
    process, so that nobody takes the work of a process that lives. The public `resume_workflow` gives less: it also
    takes what a living executor has begun meanwhile, and sets the count of recoveries, our DEATHS, back to 0.
    """
    dbos._recover_pending_workflows(list(executors))  # noqa: SLF001


def _concurrency(dbos: "type[DBOS]") -> int:
    known = dbos.retrieve_queue(QUEUE)
    return (known.worker_concurrency or 0) if known else 0


@contextlib.contextmanager
def _recorded() -> Any:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise StepNotRecorded from error
