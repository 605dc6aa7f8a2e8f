# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool bot run`: the bot itself, until it is told to leave."""

import logging
import os
import platform
import signal
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from seriestool.cli.bot_log import log_to
from seriestool.cli.bot_options import add_database_option, database_url, parse_count, read_config
from seriestool.cli.exit_codes import EXIT_INTERRUPTED
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository, config_at
from seriestool.sources.lists.list_config import get_lists

if TYPE_CHECKING:
    from seriestool.bot.bot_config import BotConfig
    from seriestool.bot.queue.main_loop import Task
    from seriestool.bot.queue.tree_mirror import Mirror

_LOG = logging.getLogger(__name__)


class BotRunOptions(NamedTuple):
    """Where the bot works, and what it may do."""

    repo: Path
    database: str | None
    send: bool
    once: bool
    name: str | None
    jobs: int | None
    mirror: Path | None


def add_arguments(parser: CliParser) -> None:
    """Its options."""
    add_database_option(parser)
    parser.add_argument(
        "--send", action="store_true", help="let messages leave this machine: mails, and checks for Patchwork"
    )
    parser.add_argument("--once", action="store_true", help="end when there is nothing left to do now")
    parser.add_argument("--name", help="what this worker is called among those at one database (default: the machine)")
    parser.add_argument(
        "--jobs", metavar="N", type=parse_count, help="series to look at at a time (default: processors)"
    )
    parser.add_argument(
        "--mirror", metavar="DIR", type=Path, help="keep a copy of the trees there, in place of using --repo itself"
    )


def run(arguments: Namespace, ui: Ui) -> int:
    """Run it; 130 where ^C ended it."""
    with log_to(ui):
        return _run(read_options(arguments, BotRunOptions))


def _run(options: BotRunOptions) -> int:
    from seriestool.bot.notify.notifier import Notifier
    from seriestool.bot.queue.bot_runner import BotSetup, run_bot
    from seriestool.cli import bot_setup

    config = read_config(options.repo)
    bot_setup.check_policy(config, options.send)
    git_config = config_at(options.repo)
    lists = get_lists(git_config, config.lists)
    if not lists:
        _LOG.warning("no list is watched here: 'seriestool lists add NAME URL' adds one")
    notifier = Notifier.open(config, git_config, [each.name for each in lists], options.send)
    intake = bot_setup.make_intake(config, git_config, lists)
    url = database_url(options.database, config)
    stop_signal = StopSignal()
    with ExitStack() as stack:
        mirror = stack.enter_context(_mirror(options.mirror, options.repo)) if options.mirror else None
        repository = mirror.folder if mirror else options.repo
        setup = BotSetup(
            database=url,
            name=options.name or platform.node() or "worker",
            handlers=bot_setup.make_handlers(
                bot_setup.make_report_job_config(url, repository, config), notifier, mirror.repair if mirror else None
            ),
            tasks=(
                *_trees(repository, mirror, config),
                *bot_setup.make_tasks(url, config.interval, intake, notifier, stop_signal.stop.is_set),
            ),
            bounds=config.bounds,
            jobs=options.jobs or config.jobs or len(os.sched_getaffinity(0)),
            tries=config.tries,
            limit=config.limit,
            once=options.once,
        )
        with stop_on_signals(stop_signal):
            run_bot(setup, stop_signal.stop)
        return EXIT_INTERRUPTED if stop_signal.was_interrupted else 0


class StopSignal:
    """How the bot is told to leave."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.was_interrupted = False


@contextmanager
def stop_on_signals(stop_signal: StopSignal) -> Iterator[None]:
    """SIGTERM and ^C set `stop`: what runs is finished. A second ^C does not wait for it."""

    def leave(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            if stop_signal.was_interrupted:
                raise KeyboardInterrupt
            stop_signal.was_interrupted = True
        is_first = not stop_signal.stop.is_set()
        stop_signal.stop.set()
        if is_first:
            with suppress(RuntimeError):  # in the middle of another record
                _LOG.info("leaving: what is being looked at is finished first")

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _mirror(folder: Path, repo: Path) -> "Iterator[Mirror]":
    from seriestool.bot.queue.tree_mirror import Mirror

    with Mirror(folder, config_at(repo)) as mirror:
        yield mirror


def _trees(repository: Path, mirror: "Mirror | None", config: "BotConfig") -> "Iterator[Task]":
    """The trees brought up to date; of a mirror, all workers bring their own."""
    from seriestool.bot.queue.main_loop import Task

    if mirror:
        yield Task("trees", float(config.trees or 3600), lambda: _ignore(mirror.update()))
    elif config.trees:
        yield Task("trees", float(config.trees), partial(_update_trees, repository))


def _update_trees(repository: Path) -> None:
    from seriestool.bot.queue.tree_mirror import update_trees

    with Repository.open(repository) as opened:
        update_trees(opened)


def _ignore(_: object) -> None:
    """What went wrong was logged."""
