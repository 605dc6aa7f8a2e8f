# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool bot retry`: what a person wants done again; a bot that runs sees it at its next round."""

import time
from argparse import Namespace
from contextlib import closing

from seriestool.cli.bot_options import add_database_option, open_store
from seriestool.cli.options import CliParser
from seriestool.cli.ui import Ui
from seriestool.util.errors import InputError
from seriestool.util.text import count


def add_arguments(parser: CliParser) -> None:
    """Its options."""
    add_database_option(parser)
    parser.add_argument("series", metavar="KEY|MSGID", nargs="*", help="series to look at anew, whatever came of them")
    parser.add_argument("--failed", action="store_true", help="all series that failed")
    parser.add_argument(
        "--unknown", action="store_true", help="send the messages that may have gone out already: look first"
    )


def run(arguments: Namespace, ui: Ui) -> int:
    """Write it down."""
    from seriestool.bot.queue.requeue import retry_failed, retry_series, retry_unknown

    if not (arguments.series or arguments.failed or arguments.unknown):
        raise InputError("nothing to retry was named", hint="a key or a message-id, --failed, or --unknown")
    with closing(open_store(arguments.repo, arguments.database)) as store:
        for name in arguments.series:
            ui.out(f"{retry_series(store, name)} waits again")
        if arguments.failed:
            ui.out(f"{count(retry_failed(store), 'series', 'series')} that failed: waiting again")
        if arguments.unknown:
            messages = count(retry_unknown(store, int(time.time())), "message", "messages")
            ui.out(f"{messages} of unknown fate: sent at the next round")
    return 0
