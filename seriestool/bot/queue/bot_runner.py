# SPDX-License-Identifier: GPL-2.0-or-later
"""A bot put together and run: the database, the name, the engine, the round; and taken apart again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seriestool.bot.bot_config import Bounds
from seriestool.bot.queue.handlers import Handlers
from seriestool.bot.queue.main_loop import Heartbeat, MainLoop, Task
from seriestool.bot.queue.pipeline import Pipeline
from seriestool.bot.queue.reconcile import Reconciler
from seriestool.bot.queue.retry import Retrier, StopRequested
from seriestool.bot.queue.worker_process import ProcessPool
from seriestool.bot.queue.workers import Worker, lock_file
from seriestool.bot.store import Store, StoreError, with_driver
from seriestool.report.terminal import printable_line as one_line


@dataclass(frozen=True)
class BotSetup:
    """What is to be run, and how."""

    database: str
    name: str
    crew: Handlers
    tasks: tuple[Task, ...]
    """What is done besides, in this order: lists are read, trees are fetched."""
    bounds: Bounds
    jobs: int
    tries: int
    limit: float
    """Seconds for one look."""
    note: Callable[[str], None]
    detail: Callable[[str], None]
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


def run_bot(plan: BotSetup, stop: threading.Event) -> None:
    """Run until told to stop, or (`once`) until there is nothing to do.

    Raises InputError for a URL that is none, OutsideError where another bot has the file or the name.
    """
    url = with_driver(plan.database)
    with suppress(StopRequested), ExitStack() as stack:
        is_alone = url.startswith("sqlite")
        if is_alone:
            stack.enter_context(lock_file(Path(url.partition(":///")[2])))
        patience = Retrier(stop, plan.note)
        store = patience.until(lambda: Store.open(url))
        stack.callback(store.close)
        worker = stack.enter_context(_named(store, plan, patience, is_alone))
        _run(plan, stop, store, worker, patience, stack)


@contextmanager
def _named(store: Store, plan: BotSetup, patience: Retrier, is_alone: bool) -> Iterator[Worker]:
    worker = Worker(store, plan.name)
    patience.until(lambda: worker.claim(lambda: patience.wait(plan.interval), is_alone))
    try:
        yield worker
    finally:
        with suppress(StoreError):  # a row that stays is found to be of nobody
            worker.leave()


def _run(
    plan: BotSetup, stop: threading.Event, store: Store, worker: Worker, patience: Retrier, stack: ExitStack
) -> None:
    from seriestool.bot.queue.workflows import WorkflowEngine

    heart = stack.enter_context(Heartbeat(worker, stop, plan.interval))
    bench = ProcessPool(plan.crew.look, plan.crew.log_crash, plan.limit, plan.crew.preload)
    stack.callback(bench.close)
    tell = make_done_callback(store, plan.note)
    course = Pipeline(store, plan.crew, bench, patience, worker.name, plan.tries, plan.pause, tell=tell)
    engine = WorkflowEngine(plan.database, worker.executor, plan.jobs, course, plan.detail)
    stack.callback(lambda: engine.close(plan.grace))
    patience.until(lambda: engine.launch(plan.poll))
    keeper = Reconciler(store, engine, worker, plan.bounds, plan.note, plan.backoff)
    MainLoop(keeper, worker, plan.tasks, stop, plan.note, plan.crew.log_crash, plan.interval).run(plan.once)
    if heart.taken:
        raise heart.taken


def make_done_callback(store: Store, note: Callable[[str], None]) -> Callable[[str], None]:
    """What notes a series that is done with, in a line, by its key."""

    def tell(key: str) -> None:
        with suppress(StoreError):
            note(_line(store, key))

    return tell


def _line(store: Store, key: str) -> str:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import reports, series

    wanted = select(series.c.subject, series.c.version, series.c.error, reports.c.answer, reports.c.decision)
    question = wanted.join(reports, reports.c.key == series.c.key, isouter=True).where(series.c.key == key)
    with store.transaction() as connection:
        row = connection.execute(question).one()
    said = [row.answer, *(row.decision or "").splitlines()] if row.answer and not row.error else [row.error or "failed"]
    return f"{key[:12]}  {one_line(row.subject)} v{row.version}: {one_line('; '.join(said))}"
