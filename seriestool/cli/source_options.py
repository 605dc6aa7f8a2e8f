# SPDX-License-Identifier: GPL-2.0-or-later
"""The arguments with which each command names a series and says where to look for it."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from seriestool.cli.options import CliParser
from seriestool.cli.user_folders import cache_dir
from seriestool.git import Repository, config_at
from seriestool.series.mail import MAX_BYTES, refuse_large
from seriestool.sources.resolve import SourceOptions
from seriestool.util.config import Config
from seriestool.util.errors import InputError

SERIES_HELP = """\
SERIES is one of
  <message-id>       of any mail of the series: in an --archive, the cache, or on the lore server
  https://...        a mail's URL on a public-inbox server, or a Patchwork URL
  <change-id>        as b4 makes them, or change-id:<anything>
  <file>             an mbox (also .gz), a mail, or the text of a list archive's page
  <folder>           a maildir, or patches (*.patch, *.eml)
  <base>..<tip>      commits of the repository
  <branch>           one that 'b4 prep' manages
  -                  an mbox on standard input"""


def add_source_arguments(parser: CliParser) -> None:
    """SERIES, and the options that say which version of it and where to look."""
    parser.add_argument("series", metavar="SERIES", help="what the series is called, see below")
    add_source_options(parser)


def add_source_options(parser: CliParser) -> None:
    """The options alone, and what a series may be called."""
    group = parser.add_argument_group("the series")
    group.add_argument(
        "--version", dest="wanted_version", metavar="N", type=_version, help="this version (default: the newest)"
    )
    group.add_argument("--partial", action="store_true", help="accept a series of which patches are missing")
    group.add_argument(
        "--archive",
        dest="archives",
        metavar="PATH",
        type=Path,
        action="append",
        default=[],
        help="look for the message-id in this mbox, maildir or public-inbox git archive first",
    )
    group.add_argument("--offline", action="store_true", help="ask no server: only archives and the cache")
    group.add_argument("--lore", metavar="URL", help="the public-inbox server (git-config seriestool.lore)")
    parser.epilog = SERIES_HELP


def source_options(arguments: Namespace, repository: Repository | None = None) -> SourceOptions:
    """What the arguments of `add_source_options` say."""
    return make_source_options(
        repo=arguments.repo,
        lore=arguments.lore,
        offline=arguments.offline,
        repository=repository,
        version=arguments.wanted_version,
        partial=arguments.partial,
        archives=arguments.archives,
    )


def make_source_options(
    repo: Path,
    lore: str | None,
    offline: bool,
    repository: Repository | None = None,
    version: int | None = None,
    partial: bool = False,
    archives: Sequence[Path] = (),
) -> SourceOptions:
    """Where series are looked for; git-config and the repository at `repo` are read when they are needed.

    `repository` is the one at `repo`, where it is open. Raises InputError where `lore` is no URL.
    """

    @cache
    def config() -> Config:
        return repository.config() if repository else config_at(repo)

    @cache
    def opened() -> Repository:
        return repository or Repository.open(repo)

    return SourceOptions(
        version=version,
        partial=partial,
        archives=tuple(archives),
        offline=offline,
        lore_url=_checked_url(lore),
        cache_dir=cache_dir(),
        config=config,
        repository=opened,
        read_stdin=_read_stdin,
    )


def _version(text: str) -> int:
    number = text.lower().removeprefix("v")
    if number.isascii() and number.isdigit() and 0 < int(number[:9]) < 10_000:
        return int(number[:9])
    raise InputError(f"'{text}' is no version of a series", hint="--version wants a number: 2 or v2")


def _checked_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("https://", "http://")):
        raise InputError(f"'{url}' is no URL of a server", hint="for example --lore https://lore.kernel.org/all")
    return url


def _read_stdin() -> bytes:
    if sys.stdin is None:
        return b""
    if sys.stdin.isatty():
        raise InputError("no mails on standard input", hint="pipe an mbox in, or name a file")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    refuse_large(len(data), "standard input")
    return data
