# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool bot replay`: an old stretch of a list as the bot would have met it; nothing is sent to anybody."""

import os
from argparse import Namespace
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from seriestool.cli.bot_options import parse_count, read_config
from seriestool.cli.crash_log import log_bot_crash
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import list_mirrors_path
from seriestool.git import config_at
from seriestool.sources.archive.public_inbox import fetch_epochs, find_epochs
from seriestool.sources.lists.list_config import configured_lists
from seriestool.util.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from seriestool.bot.intake.replay import ReplayEvent, ReplayList, ReplayPeriod
    from seriestool.bot.queue.dry_run import DryRunResult
    from seriestool.bot.store import Store

    _Begun = tuple[ReplayEvent, Callable[[], DryRunResult] | None]

_SUBJECT = 72
_AHEAD = 16  # series that are being looked at, or wait for it, while the first of them is waited for
_NOBODY = "seriestool <seriestool@localhost>"  # speaks where nobody is configured: nothing is sent


Begin = Callable[[str, int], Callable[[], "DryRunResult"]]
"""(key of the series, unix time) -> a function that waits for what is found of it, and decided."""


class DryRunOptions(NamedTuple):
    """How series are looked at, and by which policy it is decided what would have been said."""

    repo: Path
    policy: str | None
    jobs: int | None
    no_precheck: bool


def add_arguments(parser: CliParser) -> None:
    """The options of bot replay."""
    parser.add_argument("since", metavar="SINCE", help="the first day, or moment: 2026-06-01, 2026-06-01T12:00 (UTC)")
    parser.add_argument("until", metavar="UNTIL", help="the day, or moment, before which it ends")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--list", dest="name", metavar="NAME", help="only this list (default: all that are configured)")
    where.add_argument("--archive", type=Path, metavar="PATH", help="this public-inbox archive, configured or not")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="keep the database there, and go on with one that was cut short"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=parse_count, help="series to look at at a time (default: processors)"
    )
    parser.add_argument(
        "--policy", metavar="NAME", help="what the bot would have said by this policy (default: the one configured)"
    )
    parser.add_argument("--no-precheck", action="store_true", help="only find the series")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print what would have been found, and decided; the exit code."""
    from seriestool.bot.intake.replay import ReplayPeriod

    span = ReplayPeriod(parse_moment(arguments.since), parse_moment(arguments.until))
    if span.since >= span.until:
        raise InputError(f"'{arguments.until}' is not after '{arguments.since}'")
    lists = _lists(arguments.repo, arguments.name, arguments.archive, ui)
    options = read_options(arguments, DryRunOptions)
    with _open_store(arguments.state) as store, _open_dry_run(options, store, lists) as begin:
        shown = []
        for event, found in _replay(store, lists, span, begin):
            if not arguments.json:
                ui.out(_line(event, found))
            shown.append(_to_dict(event, found))
    if arguments.json:
        ui.json({"schema": 1, "since": span.since, "until": span.until, "series": shown})
    complete = sum(1 for one in shown if not one["missing"])
    ui.note(f"{complete} series, {len(shown) - complete} of which patches never came")
    return 0


@contextmanager
def _open_dry_run(options: DryRunOptions, store: "Store", lists: "Sequence[ReplayList]") -> "Iterator[Begin | None]":
    """What begins a look; None where no looks are wanted."""
    if options.no_precheck:
        yield None
        return
    from concurrent.futures import ThreadPoolExecutor

    from seriestool.bot.bot_config import parse_policy
    from seriestool.bot.notify.message_composer import Wording
    from seriestool.bot.notify.notify_decision import NotifyRules
    from seriestool.bot.queue.dry_run import DryRun
    from seriestool.bot.queue.report_job import PRELOAD, ReportJob
    from seriestool.bot.queue.worker_process import ProcessPool
    from seriestool.cli.bot_setup import make_report_job_config

    config = read_config(options.repo)
    if options.policy:
        config = replace(config, policy=parse_policy(options.policy))
    wording = Wording.from_config(replace(config, sender=config.sender or _NOBODY))
    job_config = make_report_job_config(str(store.engine.url), options.repo, config)
    processes = ProcessPool(ReportJob(job_config, log_bot_crash), log_bot_crash, config.limit, PRELOAD)
    jobs = options.jobs or config.jobs or len(os.sched_getaffinity(0))
    pool = ThreadPoolExecutor(jobs)
    try:
        yield DryRun(
            store=store,
            processes=processes,
            pool=pool,
            rules=NotifyRules.from_config(config, [one.name for one in lists]),
            wording=wording,
        ).begin
    finally:
        processes.close()
        pool.shutdown(cancel_futures=True)


def parse_moment(text: str) -> int:
    """The unix time of an ISO date (its midnight) or moment, UTC where it says no zone; raises InputError."""
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise InputError(f"'{text}' is no date", hint="for example 2026-06-01, or 2026-06-01T12:00") from error


def _replay(
    store: "Store", lists: "list[ReplayList]", span: "ReplayPeriod", begin: Begin | None
) -> "Iterator[tuple[ReplayEvent, DryRunResult | None]]":
    """Each series, and what was found of it."""
    from seriestool.bot.intake.replay import set_done

    for event, finish in _ahead(_begun(store, lists, span, begin)):
        found = finish() if finish else None
        if event.state in ("waiting", "running") and not event.missing:
            set_done(store, event.key, event.time)
        yield event, found


def _begun(store: "Store", lists: "list[ReplayList]", span: "ReplayPeriod", begin: Begin | None) -> "Iterator[_Begun]":
    """Each series as it is found, its look begun."""
    from seriestool.bot.intake.replay import replay, set_running, unfinished

    for event in chain(unfinished(store), replay(store, lists, span)):
        if event.missing or event.state not in ("waiting", "running"):
            yield event, None
            continue
        set_running(store, event.key)
        yield event, begin(event.key, event.time) if begin else None


def _ahead(begun: "Iterator[_Begun]") -> "Iterator[_Begun]":
    """The same, with so many begun before the first is waited for."""
    waiting = deque(islice(begun, _AHEAD))
    while waiting:
        yield waiting.popleft()
        waiting.extend(islice(begun, 1))


def _line(event: "ReplayEvent", looked: "DryRunResult | None") -> str:
    from seriestool.bot.intake.replay import format_minute

    patches = f"{event.expected} patch{'' if event.expected == 1 else 'es'}"
    if event.missing:
        patches += f", {event.missing} missing"
    said = (
        [text for text in (looked.answer, looked.decision) if text]
        if looked
        else [event.state] * (event.state != "waiting")
    )
    subject = event.subject if len(event.subject) <= _SUBJECT else event.subject[: _SUBJECT - 1] + "…"
    title = f"{subject} (v{event.version}, {patches})"
    return "  ".join([format_minute(event.time), event.key[:12], event.list, title.replace("\n", " "), *said])


def _to_dict(event: "ReplayEvent", looked: "DryRunResult | None") -> dict[str, object]:
    return {
        "time": event.time,
        "key": event.key,
        "list": event.list,
        "msgid": event.msgid,
        "subject": event.subject,
        "version": event.version,
        "expected": event.expected,
        "missing": event.missing,
        "state": event.state,
        "answer": looked.answer if looked else None,
        "decision": looked.decision if looked else None,
    }


def _lists(repo: Path, name: str | None, archive: Path | None, ui: Ui) -> "list[ReplayList]":
    from seriestool.bot.intake.replay import ReplayList

    if archive:
        epochs = find_epochs(archive)
        if not epochs:
            raise NotFoundError(f"'{archive}' is no public-inbox archive")
        return [ReplayList(archive.name.removesuffix(".git") or "list", epochs)]
    known = configured_lists(config_at(repo))
    wanted = [each for each in known if name in (None, each.name)]
    if not wanted:
        problem = f"no list '{name}' is configured" if name else "no list was added"
        raise NotFoundError(problem, hint="see 'seriestool lists', or name an archive with --archive")
    return [ReplayList(each.name, _epochs(each.name, each.source, ui)) for each in wanted]


def _epochs(name: str, source: str, ui: Ui) -> tuple[Path, ...]:
    with ui.transfer(f"fetching '{name}'") as listener:
        epochs = fetch_epochs(source, list_mirrors_path(), listener)
    if not epochs:
        raise NotFoundError(f"the list '{name}' has no git archive", hint="only those can be replayed")
    return epochs


@contextmanager
def _open_store(folder: Path | None) -> "Iterator[Store]":
    from seriestool.bot.store import Store
    from seriestool.git.process import temporary_folder

    if folder is not None:
        store = Store.open(f"sqlite:///{folder.absolute()}/replay.sqlite")
        try:
            yield store
        finally:
            store.close()
        return
    with temporary_folder() as own:
        store = Store.open(f"sqlite:///{own}/replay.sqlite")
        try:
            yield store
        finally:
            store.close()
