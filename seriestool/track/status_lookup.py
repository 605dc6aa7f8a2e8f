# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is to be told of tracked series: one ground for all of them, and what one lacks does not stop the others."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from seriestool.base.open_context import get_refs, read_history
from seriestool.base.search_context import SearchContext
from seriestool.git import Repository
from seriestool.series.model import Series
from seriestool.track.series_status import ApplyState, NewestVersion, SeriesStatus, TreeStatus
from seriestool.track.track_store import TrackStore
from seriestool.track.tracked_series import TrackedSeries
from seriestool.track.tree_status import find_tree_statuses
from seriestool.trees import list_tags, list_trees
from seriestool.trees.tip_journal import record_tips
from seriestool.util.errors import OutsideError, SeriestoolError
from seriestool.util.progress import ProgressMonitor


class StatusSources(Struct, frozen=True):
    """Where things are looked up."""

    mails: Callable[[TrackedSeries], Series]
    """The newest tracked version where its mails are not kept; raises SeriestoolError."""
    newest: Callable[[TrackedSeries], tuple[NewestVersion | None, str | None]]


def open_search_context(repository: Repository, monitor: ProgressMonitor, cache_dir: Path) -> SearchContext:
    """The ground for whatever series: all trees, in the order in which they matter while no series is known.

    Raises NotFoundError where there are no commits.
    """
    refs = get_refs(repository)
    trees = list_trees(refs, repository.config(), repository.head())
    with suppress(OutsideError):  # tips that cannot be remembered are no reason not to answer
        record_tips(repository, trees, int(time.time()))
    history = read_history(
        repository=repository, refs=refs, trees=trees, monitor=monitor, title="reading the history", cache_dir=cache_dir
    )
    return SearchContext(repository, history, trees, list_tags(refs))


def find_status(name: str, store: TrackStore, context: SearchContext, sources: StatusSources) -> SeriesStatus:
    """How the series stands; what could not be found out is told among its problems."""
    try:
        tracked = store.get(name)
    except SeriestoolError as error:
        return SeriesStatus(name, None, problems=(error.message,))
    problems = []
    trees: tuple[TreeStatus, ...] = ()
    try:
        trees = find_tree_statuses(_series(tracked, store, sources), tracked.trees, context)
    except SeriestoolError as error:
        problems.append(error.message)
    problems += [f"there is no tree '{tree.tree}' here" for tree in trees if tree.state is ApplyState.NO_TREE]
    newest, problem = sources.newest(tracked)
    if problem:
        problems.append(problem)
    return SeriesStatus(
        name=name,
        tracked=tracked,
        trees=trees,
        newest=newest,
        commits=context.commits(_named(trees)),
        problems=tuple(problems),
    )


def _series(tracked: TrackedSeries, store: TrackStore, sources: StatusSources) -> Series:
    if tracked.newest.mails is not None:
        return store.series(tracked, tracked.newest)
    return sources.mails(tracked)


def _named(trees: tuple[TreeStatus, ...]) -> list[str | None]:
    named: list[str | None] = [oid for tree in trees for oid in (tree.broke, *tree.behind)]
    return [*named, *(one.commit for tree in trees for one in tree.landed)]
