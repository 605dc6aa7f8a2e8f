# SPDX-License-Identifier: GPL-2.0-or-later
"""What stays open from series to series, so that thousands can be looked at in one process, in memory that stays flat.

A workshop belongs to one thread: the readers of git objects and the SQLite files in it do. `beside()` makes one for
another thread, of the same repository; the two share what does not change (the settings, the sandbox).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from seriestool.base.open_context import get_refs, make_search_context, open_search_context
from seriestool.base.prerequisites.prerequisite_search import PrerequisiteOptions
from seriestool.base.search_context import SearchContext
from seriestool.check.result_cache import ResultCache
from seriestool.check.selection import ProgramRunners, find_runners
from seriestool.git import Ref, Repository
from seriestool.precheck.step_cache import StepCache
from seriestool.sandbox import Sandbox, Unsandboxed
from seriestool.series.model import Series
from seriestool.trees.history import History, fingerprint
from seriestool.util.errors import OutsideError
from seriestool.util.progress import ProgressMonitor

if TYPE_CHECKING:
    from seriestool.sources.lore import Lore


Kept_ = TypeVar("Kept_", StepCache, ResultCache)


def _no_lore() -> "Lore":
    raise OutsideError("no lore server is known here")


@dataclass(frozen=True, slots=True, eq=False)
class PrecheckSettings:
    """What does not change while a workshop is open."""

    cache_dir: Path
    """Where what can be made again is kept."""
    lists_index: Path
    """The index of the patches on lists, there or not."""
    offline: bool = False
    lore: Callable[[], "Lore"] = _no_lore
    """The server that is asked for prerequisites, where that is wished and no list was added."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Processes of a build at a time."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """For the user's own commands."""
    is_unsandboxed: bool = False
    """Whether code from patches runs with the user's rights."""
    keeps: bool = True
    """Whether answers of earlier runs are used, and those of this one kept."""


class PrecheckResources:
    """One repository with all that the steps work with; to be closed."""

    def __init__(self, repository: Repository, settings: PrecheckSettings) -> None:
        """`repository` stays the caller's to close."""
        self.repository = repository
        self.settings = settings
        self.config = repository.config()
        self.own: Sandbox = Unsandboxed()
        self._runners: ProgramRunners | None = None
        self._refs: Sequence[Ref] = ()
        self._fingerprint = ""
        self._history: History | None = None
        self._opened: list[StepCache | ResultCache] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files with what is kept."""
        while self._opened:
            self._opened.pop().close()

    def beside(self, repository: Repository) -> "PrecheckResources":
        """A workshop for another thread; `repository` is `self.repository.beside()`, and the caller's to close."""
        other = PrecheckResources(repository, self.settings)
        other._runners = self._runners
        return other

    def context(self, series: Series, trees: Sequence[str], monitor: ProgressMonitor) -> SearchContext:
        """The trees called so, or all of them, as they are now, those first that the series is meant for.

        The refs are read each time; the history index is only brought up to date where they have moved.
        """
        refs = get_refs(self.repository)
        key = fingerprint(self.repository, refs)
        if self._history is not None and (refs, key) == (self._refs, self._fingerprint):
            return make_search_context(
                repository=self.repository, history=self._history, refs=refs, series=series, names=trees
            )
        context = open_search_context(
            repository=self.repository, series=series, names=trees, monitor=monitor, cache_dir=self.settings.cache_dir
        )
        self._refs, self._fingerprint, self._history = refs, key, context.history
        return context

    def runners(self, is_sandbox_wanted: bool) -> ProgramRunners:
        """What starts programs; the sandbox is looked for once."""
        if not is_sandbox_wanted:
            return ProgramRunners(self.own)
        if self._runners is None:
            self._runners = find_runners(self.own, True, self.settings.is_unsandboxed)
        return self._runners

    def prerequisite_options(self, wish: bool | None) -> PrerequisiteOptions:
        """How prerequisites are asked for."""
        return PrerequisiteOptions(wish, self.settings.lists_index, self.settings.offline, self.settings.lore)

    @cached_property
    def steps(self) -> StepCache | None:
        """The answers of steps of earlier runs; None where they are not wanted, or cannot be kept."""
        return self._closing(self._open(StepCache.open))

    @cached_property
    def checks(self) -> ResultCache | None:
        """The answers of costly checks; None as above."""
        return self._closing(self._open(ResultCache.open))

    def _open(self, opened: Callable[[Path], Kept_]) -> Kept_ | None:
        if not self.settings.keeps:
            return None
        try:
            return opened(self.settings.cache_dir)
        except (OSError, OutsideError):  # a cache that cannot be used is no reason to stop
            return None

    def _closing(self, opened: Kept_ | None) -> Kept_ | None:
        if opened is not None:
            self._opened.append(opened)
        return opened
