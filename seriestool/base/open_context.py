# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository made into the ground on which bases are looked for: its trees, its tips, its history."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from seriestool.base.find import find_base
from seriestool.base.preimage import find_preimage
from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import utc
from seriestool.git import Ref, Repository
from seriestool.series.model import Series
from seriestool.trees import Tree, list_tags, list_trees
from seriestool.trees.history import History, fingerprint, index_dir, index_window, update
from seriestool.trees.tip_journal import past_tips, record_tips
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.progress import ProgressMonitor

LARGE = 100_000_000
"""Bytes of packs from which on reading the history for the first time takes longer than people wait for an answer."""
_FIRST_WINDOW = 180 * 24 * 3600
_LATEST = 2**32 - 1


def open_search_context(
    repository: Repository,
    series: Series,
    names: Sequence[str],
    monitor: ProgressMonitor,
    cache_dir: Path,
    refs: Sequence[Ref] = (),
) -> SearchContext:
    """The ground for a series: the trees called `names`, or all of them, those that it is meant for first.

    `refs` are those of `get_refs`, where they were read already. The history index is brought up to date, or made;
    it is below `cache_dir` where the repository cannot be written to.
    Raises NotFoundError where there are no commits, InputError where there is no tree of such a name.
    """
    refs = refs or get_refs(repository)
    trees = list_trees(refs, repository.config(), repository.head())
    chosen = order(repository, series, _chosen(trees, names))
    _record(repository, trees, monitor)
    folder = _index_folder(repository, cache_dir)
    if repository.packed_bytes() > LARGE and not History.open(folder, fingerprint(repository, refs)):
        _say_first_answer(repository=repository, series=series, refs=refs, trees=chosen, monitor=monitor)
    history = read_history(
        repository=repository,
        refs=refs,
        trees=trees,
        monitor=monitor,
        title="reading the history (once)",
        cache_dir=cache_dir,
    )
    return SearchContext(repository, history, chosen, list_tags(refs))


def make_search_context(
    repository: Repository, history: History, refs: Sequence[Ref], series: Series, names: Sequence[str]
) -> SearchContext:
    """The same where the history is known to have all that the refs lead to."""
    trees = list_trees(refs, repository.config(), repository.head())
    return SearchContext(repository, history, order(repository, series, _chosen(trees, names)), list_tags(refs))


def get_refs(repository: Repository) -> Sequence[Ref]:
    """The refs; NotFoundError where there are none."""
    refs = repository.refs()
    if not refs:
        raise NotFoundError(f"no commits in '{repository.git_dir}'", hint="fetch a tree into the repository first")
    return refs


def read_history(
    repository: Repository,
    refs: Sequence[Ref],
    trees: Sequence[Tree],
    monitor: ProgressMonitor,
    title: str,
    cache_dir: Path,
) -> History:
    """The history index with all that the refs lead to, and all that the trees led to before."""
    with monitor.progress(title) as progress:
        folder = _index_folder(repository, cache_dir)
        return update(
            repository=repository, refs=refs, folder=folder, progress=progress, past=lambda: _past(repository, trees)
        )


def _chosen(trees: Sequence[Tree], names: Sequence[str]) -> Sequence[Tree]:
    unknown = [name for name in names if name not in {tree.name for tree in trees}]
    if unknown:
        raise InputError(f"there is no tree '{unknown[0]}'", hint="see 'seriestool trees list'")
    return [tree for tree in trees if tree.name in names] if names else trees


def order(repository: Repository, series: Series, trees: Sequence[Tree]) -> Sequence[Tree]:
    """The trees that the series is meant for first."""
    if len(trees) < 2:
        return trees
    from seriestool.trees.suggestions import order_trees

    return order_trees(series, trees, repository)


def _record(repository: Repository, trees: Sequence[Tree], monitor: ProgressMonitor) -> None:
    """Remember where the trees point today; a repository that cannot be written to is no reason to stop."""
    try:
        record_tips(repository, trees, int(time.time()))
    except OutsideError as error:
        monitor.detail(f"{error.message}: today's tips will not be found again once they are rebased away")


def _past(repository: Repository, trees: Sequence[Tree]) -> set[str]:
    return {tip.commit for tip in past_tips(repository, trees)}


def _index_folder(repository: Repository, cache_dir: Path) -> Path:
    """Where the history index is: with the repository, or in the cache where that is somebody else's."""
    if os.access(repository.common_dir, os.W_OK):
        return index_dir(repository)
    from urllib.parse import quote

    return cache_dir / "history" / quote(str(repository.common_dir), safe="")


def _say_first_answer(
    repository: Repository, series: Series, refs: Sequence[Ref], trees: Sequence[Tree], monitor: ProgressMonitor
) -> None:
    """An answer from the months around the posting, while the whole history is not in."""
    if not series.patches:
        return
    preimage = find_preimage(series)
    since = max(int(series.posted.timestamp()) - _FIRST_WINDOW, 0)
    with monitor.progress("reading the months around the posting") as progress:
        months = index_window(repository=repository, refs=refs, since=since, until=_LATEST, progress=progress)
    context = SearchContext(repository, months.history((*preimage.paths, *preimage.barred)), trees, list_tags(refs))
    verdict = find_base(series, context)
    name = verdict.base.describe or verdict.base.commit if verdict.base else "no base"
    monitor.note(f"first answer, from commits since {utc(since):%Y-%m-%d}: {name} ({verdict.level})")
    monitor.note("reading the whole history now; this is done once")
