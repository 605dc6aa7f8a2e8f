# SPDX-License-Identifier: GPL-2.0-or-later
"""A bot put together and run: the database, the name, the engine, the round; and taken apart again."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from seriestool.bot.bot_config import Bounds
from seriestool.bot.dialects import StoreError, with_driver
from seriestool.bot.queue.handlers import Handlers
from seriestool.bot.queue.main_loop import Heartbeat, MainLoop, Task
from seriestool.bot.queue.pipeline import Pipeline
from seriestool.bot.queue.reconcile import Reconciler
from seriestool.bot.queue.retry import Retrier, StopRequested
from seriestool.bot.queue.worker_process import ProcessPool
from seriestool.bot.queue.workers import Worker, lock_file
from seriestool.bot.store import Store
from seriestool.report.terminal import printable_line as one_line

_LOG = logging.getLogger(__name__)


class BotSetup(Struct, frozen=True, dict=True, kw_only=True):
    """What is to be run, and how."""

    database: str
    name: str
    handlers: Handlers
    tasks: tuple[Task, ...]
    """What is done besides, in this order: lists are read, trees are fetched."""
    bounds: Bounds
    jobs: int
    tries: int
    limit: float
    """Seconds for one look."""
    once: bool = False
    interval: float = 5.0
    """Seconds between two beats; a worker that misses five is gone."""
    poll: float = 0.25
    """Seconds between two looks at the queue."""
    grace: float = 60.0
    """Seconds for what runs to finish, once the bot is to leave."""
    backoff: float = 60.0
    """Seconds before a second try."""
    pause: float = 30.0
    """Seconds between two looks at whether a full disk has room again."""


def run_bot(setup: BotSetup, stop: threading.Event) -> None:
    """Run until told to stop, or (`once`) until there is nothing to do.

    Raises InputError for a URL that is none, OutsideError where another bot has the file or the name, and SchemaError
    where the tables are not those that this program knows, also when a newer one migrates them meanwhile.
    """
    url = with_driver(setup.database)
    retry = Retrier(stop)
    with suppress(StopRequested), ExitStack() as stack:
        is_alone = url.startswith("sqlite")
        if is_alone:
            stack.enter_context(lock_file(Path(url.partition(":///")[2])))
        store = retry.until(lambda: Store.open(url))
        stack.callback(store.close)
        worker = stack.enter_context(_named(store, setup, retry, is_alone))
        _run(setup=setup, stop=stop, store=store, worker=worker, retry=retry, stack=stack)
    if retry.schema_error:
        raise retry.schema_error


@contextmanager
def _named(store: Store, setup: BotSetup, retry: Retrier, is_alone: bool) -> Iterator[Worker]:
    worker = Worker(store, setup.name)
    retry.until(lambda: worker.claim(lambda: retry.wait(setup.interval), is_alone))
    try:
        yield worker
    finally:
        with suppress(StoreError):  # a row that stays is found to be of nobody
            worker.leave()


def _run(
    setup: BotSetup, stop: threading.Event, store: Store, worker: Worker, retry: Retrier, stack: ExitStack
) -> None:
    from seriestool.bot.queue.workflows import WorkflowEngine

    heartbeat = stack.enter_context(Heartbeat(worker, stop, setup.interval))
    processes = ProcessPool(setup.handlers.look, setup.handlers.log_crash, setup.limit, setup.handlers.preload)
    stack.callback(processes.close)
    pipeline = Pipeline(
        store=store,
        handlers=setup.handlers,
        processes=processes,
        retry=retry,
        worker=worker.name,
        tries=setup.tries,
        pause=setup.pause,
        tell=lambda key: log_done(store, key),
    )
    engine = WorkflowEngine(database=setup.database, executor=worker.executor, jobs=setup.jobs, pipeline=pipeline)
    stack.callback(lambda: engine.close(setup.grace))
    retry.until(lambda: engine.launch(setup.poll))
    reconciler = Reconciler(store=store, work=engine, worker=worker, bounds=setup.bounds, backoff=setup.backoff)
    MainLoop(
        reconciler=reconciler,
        worker=worker,
        tasks=setup.tasks,
        stop=stop,
        log_crash=setup.handlers.log_crash,
        interval=setup.interval,
    ).run(setup.once)
    if heartbeat.taken:
        raise heartbeat.taken


def log_done(store: Store, key: str) -> None:
    """Log a line on a series that is done with: its title, the answer, and what is said of it. Failed, it warns."""
    with suppress(StoreError):
        level, line = _describe_done(store, key)
        _LOG.log(level, line, extra={"series": key})


def _describe_done(store: Store, key: str) -> tuple[int, str]:
    """The level of the series' record, and its line."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import SeriesState, reports, series

    wanted = select(
        series.c.subject, series.c.version, series.c.state, series.c.error, reports.c.answer, reports.c.decision
    )
    query = wanted.join(reports, reports.c.key == series.c.key, isouter=True).where(series.c.key == key)
    with store.transaction() as connection:
        row = connection.execute(query).one()
    said = [row.answer, *(row.decision or "").splitlines()] if row.answer and not row.error else [row.error or "failed"]
    level = logging.WARNING if row.state == SeriesState.FAILED else logging.INFO
    return level, f"{key[:12]}  {one_line(row.subject)} v{row.version}: {one_line('; '.join(said))}"
