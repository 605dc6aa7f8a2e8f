# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool bot status`: how the bot stands."""

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from seriestool.cli.bot_options import add_database_option, open_store
from seriestool.cli.options import CliParser
from seriestool.cli.ui import Ui

if TYPE_CHECKING:
    from seriestool.bot.queue.overview import Overview

_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
_STATES = ("waiting", "incomplete", "queued", "running", "done", "failed", "superseded")


def add_arguments(parser: CliParser) -> None:
    """Its options."""
    add_database_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print it."""
    from seriestool.bot.queue.overview import read_overview

    with closing(open_store(arguments.repo, arguments.database)) as store:
        overview = read_overview(store)
    if arguments.json:
        ui.json(overview.to_dict())
    else:
        ui.out("\n".join(status_lines(overview, int(time.time()))))
    return 0


def status_lines(overview: "Overview", now: int) -> Iterator[str]:
    """The overview as text."""
    yield "series      " + ", ".join(f"{overview.states[state]} {state}" for state in _STATES)
    if overview.oldest_waiting is not None:
        yield f"            the oldest has waited {_span(now - overview.oldest_waiting)}"
    said = overview.sayings
    yield "messages    " + ", ".join(f"{said[state]} {state}" for state in ("decided", "sent", "failed", "unknown"))
    for number, one in enumerate(overview.lists):
        yield f"{'lists' if not number else '':<12}{one.list}: read {_span(now - one.read_at)} ago"
        if one.error:
            yield f"            error: {one.error}"
    if not overview.lists:
        yield "lists       none was read yet"
    for number, worker in enumerate(overview.workers):
        title = "workers" if not number else ""
        yield f"{title:<12}{worker.name}: seen {_span(now - worker.seen)} ago, {worker.in_hand} in hand"
    if not overview.workers:
        yield "workers     none"
    for failed in overview.failed:
        yield f"failed      {failed.key[:12]} {failed.subject}"
        yield f"            {failed.error or 'no reason is known'}"
    for unknown in overview.unknown:
        yield f"unknown     {unknown.channel} <{unknown.msgid}> about {unknown.key[:12]}"
        yield f"            {unknown.error or 'it may have gone out'}"


def _span(seconds: int) -> str:
    """About how long; of a clock that went back, no time."""
    seconds = max(seconds, 0)
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"
