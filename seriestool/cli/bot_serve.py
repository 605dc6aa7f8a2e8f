# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool bot serve`: the pages of all series, a read-only API, health and metrics; or all of it as files."""

import logging
import signal
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.cli.bot_log import log_to
from seriestool.cli.bot_options import add_database_option, database_url, read_config
from seriestool.cli.options import CliParser
from seriestool.cli.ui import Ui
from seriestool.util.errors import InputError

if TYPE_CHECKING:
    from seriestool.bot.site.database_reader import DatabaseReader
    from seriestool.bot.site.wsgi_app import SiteContext

_LOG = logging.getLogger(__name__)

_MOST_LOGS = 20  # of bugs, in one run
_LIST_UNREAD = 1800  # seconds after which a list that nobody reads is told


def add_arguments(parser: CliParser) -> None:
    """The options of bot serve."""
    add_database_option(parser)
    parser.add_argument(
        "--listen", metavar="ADDRESS[:PORT]", default="127.0.0.1", help="where to listen (default: 127.0.0.1:8087)"
    )
    parser.add_argument("--export", metavar="DIR", type=Path, help="write the site into a folder instead, and end")
    parser.add_argument("--url", metavar="URL", help="where people find the site (git-config seriestool.bot.url)")


def run(arguments: Namespace, ui: Ui) -> int:
    """Serve until it is interrupted, or export; 0."""
    from seriestool.bot.site.database_reader import DatabaseReader
    from seriestool.bot.site.health import HealthLimits
    from seriestool.bot.site.serve import parse_address
    from seriestool.bot.site.wsgi_app import SiteContext

    host, port = parse_address(arguments.listen)
    config = read_config(arguments.repo)
    reader = DatabaseReader(database_url(arguments.database, config))
    url = site_url(arguments.url or config.url, host, port)
    try:
        if arguments.export is not None:
            return _export(reader, arguments.export, url, ui)
        limits = HealthLimits(list_unread=max(_LIST_UNREAD, 3 * config.interval))
        with log_to(ui):
            return _serve(
                SiteContext(reader=reader, url=url, clock=time.time, limits=limits, on_error=_teller()), host, port
            )
    finally:
        reader.close()


def site_url(url: str | None, host: str, port: int) -> str:
    """Where people find the site, with `/` at its end; raises InputError where that is no URL."""
    if url is None:
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{port}/"
    if not url.startswith(("https://", "http://")) or not url.isprintable() or " " in url:
        raise InputError(f"'{url}' is no URL of a site", hint="for example https://example.org/series/")
    return url if url.endswith("/") else f"{url}/"


def _export(reader: "DatabaseReader", folder: Path, url: str, ui: Ui) -> int:
    from seriestool.bot.site.site_export import export_site

    with ui.progress("writing the site") as progress:
        done = export_site(reader=reader, folder=folder, url=url, now=time.time(), progress=progress)
    ui.out(f"{folder}: {done.written} files written, {done.kept} as they were")
    return 0


def _serve(site: "SiteContext", host: str, port: int) -> int:
    from seriestool.bot.site.serve import is_loopback, make_server
    from seriestool.bot.site.wsgi_app import WsgiApp

    server = make_server(WsgiApp(site), host, port)
    _LOG.info("listening on http://%s:%s/", server.effective_host, server.effective_port)
    if not is_loopback(host):
        _LOG.warning("whoever reaches this machine can read all of it")
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        server.run()
    finally:
        signal.signal(signal.SIGTERM, before)
        server.close()
    return 0


def _teller() -> Callable[[Exception], None]:
    """Who is told of bugs: the log, and of the first ones a file each."""
    numbers = count(1)

    def tell(error: Exception) -> None:
        from seriestool.cli.crash_log import write_crash_log

        if next(numbers) > _MOST_LOGS:
            return
        with suppress(OSError):
            _LOG.error("a bug: %s (log: %s)", type(error).__name__, write_crash_log(error, ["bot", "serve"]))

    return tell


def _stop(number: int, frame: object) -> None:  # noqa: ARG001
    """What systemd sends ends it as ^C does."""
    raise KeyboardInterrupt
