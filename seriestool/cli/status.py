# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool status`: of each tracked series whether it still applies, what broke it, what became of it."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from seriestool.cli.exit_codes import EXIT_NO, EXIT_OUTSIDE
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.source_options import make_source_options
from seriestool.cli.track_options import add_dir_argument, find_tracked
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import cache_dir, lists_path
from seriestool.git import Repository
from seriestool.series.model import Series
from seriestool.sources.lists import PatchLists
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.track.series_status import NewestVersion, SeriesStatus, statuses_dict
from seriestool.track.status_lookup import StatusSources, find_status, open_search_context
from seriestool.track.track_store import TrackStore
from seriestool.track.tracked_series import TrackedSeries
from seriestool.util.errors import NotFoundError


class LookupOptions(NamedTuple):
    """Which repository, and where newer versions are looked for."""

    repo: Path
    offline: bool
    lore: str | None


def add_arguments(parser: CliParser) -> None:
    """The options of status."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="a tracked series, or its folder (default: all)")
    add_dir_argument(parser)
    group = parser.add_argument_group("where to look for newer versions")
    group.add_argument("--offline", action="store_true", help="ask no server: only the lists that were added")
    group.add_argument("--lore", metavar="URL", help="the public-inbox server (git-config seriestool.lore)")
    group = parser.add_argument_group("the answer")
    group.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print how they stand; 0 where all go in, 1 where one does not any more, 4 where something could not be asked."""
    store = TrackStore(arguments.dir)
    names = _chosen(store, arguments.names)
    if not names and not arguments.json:
        ui.note(f"nothing is tracked in '{store.root}': 'seriestool track SERIES' does it")
        return 0
    standings = list(_standings(read_options(arguments, LookupOptions), store, names, ui)) if names else []
    if arguments.json:
        ui.json(statuses_dict(standings))
    else:
        from seriestool.report.status_text import status_text
        from seriestool.report.style import Style

        ui.out(status_text(standings, Style(ui.color), bool(arguments.names) or ui.verbose))
    if any(one.is_broken for one in standings):
        return EXIT_NO
    return EXIT_OUTSIDE if any(one.problems for one in standings) else 0


def _chosen(store: TrackStore, words: Sequence[str]) -> tuple[str, ...]:
    if not words:
        return store.names()
    found = [find_tracked(store, word) for word in words]
    for word, name in zip(words, found, strict=True):
        if name is None:
            raise NotFoundError(
                f"no series '{word}' is tracked in '{store.root}'", hint="'seriestool status' shows those that are"
            )
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _standings(options: LookupOptions, store: TrackStore, names: Sequence[str], ui: Ui) -> Iterator[SeriesStatus]:
    with Repository.open(options.repo) as repository, _lists() as lists:
        source = make_source_options(
            repo=options.repo, lore=options.lore, offline=options.offline, repository=repository
        )
        sources = StatusSources(mails=partial(_fetch, source), newest=partial(_find_newest, source, lists))
        context = open_search_context(repository, ui, cache_dir())
        with ui.progress("looking at the tracked series", len(names)) as progress:
            for number, name in enumerate(names, 1):
                yield find_status(name, store, context, sources)
                progress(number)


@contextmanager
def _lists() -> Iterator[PatchLists | None]:
    from seriestool.sources.lists.patch_index import find_index

    index = find_index(lists_path())
    if index is None:
        yield None
        return
    with index:
        yield index


def _find_newest(
    source: SourceOptions, lists: PatchLists | None, tracked: TrackedSeries
) -> tuple[NewestVersion | None, str | None]:
    from seriestool.track.newest_version import find_newest

    ask = None if source.offline else partial(resolve, options=replace(source, partial=True))
    return find_newest(tracked, lists, ask)


def _fetch(source: SourceOptions, tracked: TrackedSeries) -> Series:
    """The newest tracked version from where mails are looked up."""
    newest = tracked.newest
    return resolve(newest.msgid, replace(source, version=newest.version))
