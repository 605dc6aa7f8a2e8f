# SPDX-License-Identifier: GPL-2.0-or-later
"""One series on one repository: whatever is to be known of it, each thing found once, and when it is first asked for.

`Session` is the one place that wires the steps: series -> search context -> verdict -> prerequisites -> base -> patches
as trees -> rebases, plan, checks. The commands, precheck, tracked series and the bot ask it, and so may other programs
(docs/python-api.md). What a question does not need is not imported.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypedDict, TypeVar, Unpack

from msgspec import Struct, field
from msgspec.structs import replace

from seriestool.base.open_context import get_refs, make_search_context, open_search_context
from seriestool.base.prerequisites.prerequisite_search import (
    FoundPrerequisites,
    PrerequisiteOptions,
    rebuild_from_trees,
    search_prerequisites,
)
from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import FitLevel, Verdict
from seriestool.git import Ref, Repository, ScratchRepository
from seriestool.series.model import Series
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.util.errors import NotFoundError, OutsideError, SeriestoolError
from seriestool.util.progress import NullProgressMonitor, ProgressMonitor

if TYPE_CHECKING:
    from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult, RebuiltBase
    from seriestool.check.protocol import CheckEnvironment, CheckSubject, Report
    from seriestool.check.result_cache import ResultCache
    from seriestool.check.runner import CheckCrash
    from seriestool.check.selection import CheckOptions, CheckSelection, ProgramRunners
    from seriestool.rebase.patch_stack import PatchStack, SeriesBase
    from seriestool.rebase.rebase_result import Rebase
    from seriestool.rebase.tree_rebaser import Target
    from seriestool.sandbox import Sandbox
    from seriestool.sources.lore import Lore
    from seriestool.split.plan_series import OwnershipSources, PlannedSeries
    from seriestool.split.subseries_proof import Split
    from seriestool.trees.history import History


def _no_lore() -> "Lore":
    raise OutsideError("no lore server is known here")


class SessionSettings(Struct, frozen=True, eq=False):
    """What does not change from series to series; may be sent to another process, but for `lore`."""

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


class SessionOptions(Struct, frozen=True):
    """How one series is looked at."""

    trees: tuple[str, ...] = ()
    """Only these; () for all."""
    base: str | None = None
    """The commit that it was made from, in place of what find-base says."""
    prerequisites: bool | None = None
    """Whether the lists are asked what it builds on; None: those that were added, where there is no base."""
    checks: "CheckOptions | None" = None
    """Which checks; None: all that fit."""
    by_file: bool = False
    """Whether the plan cuts patches that straddle trees."""


class SeriesInput(Struct, frozen=True, eq=False):
    """The series in question, and what is known of it from elsewhere."""

    series: Series
    previous: Series | None = None
    """The version before it, where that is at hand."""
    base: str | None = None
    """The commit that it was made from, as far as whoever asks knows; not believed unseen."""
    counters: frozenset[int] | None = None
    """Only these patches are asked about by checks; None: all of it."""
    name: str | None = None
    """What it was called, where its other versions, or the commit below a range, are found by that."""
    source: SourceOptions | None = None


def read_series(name: str, source: SourceOptions) -> SeriesInput:
    """The series that `name` means: a message-id, URL, file, folder, or a range of commits; raises as `resolve`."""
    return SeriesInput(resolve(name, source), name=name, source=source)


class _Closable(Protocol):
    def close(self) -> None: ...


CacheT = TypeVar("CacheT", bound=_Closable)


class SessionResources:
    """One repository, and what stays open from series to series: thousands are looked at in memory that stays flat.

    Resources belong to one thread: the readers of git objects and the SQLite files in them do. `beside()` makes some
    for another thread, of the same repository; the two share what does not change (the settings, the sandbox).
    """

    def __init__(
        self, repository: Repository, settings: SessionSettings, runners: "ProgramRunners | None" = None
    ) -> None:
        """`repository` stays the caller's to close; `runners` start programs, where they were looked for already."""
        self.repository = repository
        self.settings = settings
        self._runners = runners
        self._refs: Sequence[Ref] = ()
        self._fingerprint = ""
        self._history: History | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files with what is kept."""
        self._opened.close()

    def beside(self, repository: Repository) -> Self:
        """The same for another thread; `repository` is `self.repository.beside()`, and the caller's to close."""
        return type(self)(repository, self.settings, self._runners)

    @cached_property
    def config(self) -> Mapping[str, tuple[str, ...]]:
        """git-config, read once."""
        return self.repository.config()

    @cached_property
    def own(self) -> "Sandbox":
        """What starts the user's own programs."""
        from seriestool.sandbox import Unsandboxed

        return Unsandboxed()

    def context(self, series: Series, trees: Sequence[str], monitor: ProgressMonitor) -> SearchContext:
        """The trees called so, or all of them, as they are now, those first that the series is meant for.

        The refs are read each time; the history index is only brought up to date where they have moved.
        Raises as `open_search_context`.
        """
        from seriestool.trees.history import fingerprint

        refs = get_refs(self.repository)
        key = fingerprint(self.repository, refs)
        if self._history is not None and (refs, key) == (self._refs, self._fingerprint):
            return make_search_context(
                repository=self.repository, history=self._history, refs=refs, series=series, names=trees
            )
        context = open_search_context(
            repository=self.repository,
            series=series,
            names=trees,
            monitor=monitor,
            cache_dir=self.settings.cache_dir,
            refs=refs,
        )
        self._refs, self._fingerprint, self._history = refs, key, context.history
        return context

    def runners(self, is_sandbox_wanted: bool) -> "ProgramRunners":
        """What starts programs; the sandbox is looked for once."""
        from seriestool.check.selection import ProgramRunners, find_runners

        if not is_sandbox_wanted:
            return ProgramRunners(self.own)
        if self._runners is None:
            self._runners = find_runners(self.own, True, self.settings.is_unsandboxed)
        return self._runners

    def prerequisite_options(self, wish: bool | None) -> PrerequisiteOptions:
        """How prerequisites are asked for."""
        return PrerequisiteOptions(wish, self.settings.lists_index, self.settings.offline, self.settings.lore)

    @cached_property
    def check_cache(self) -> "ResultCache | None":
        """The answers of costly checks; None where they are not wanted, or cannot be kept."""
        from seriestool.check.result_cache import ResultCache

        return self.open_cache(ResultCache.open)

    def open_cache(self, open_in: "Callable[[Path], CacheT]") -> "CacheT | None":
        """The cache in the user's cache folder, closed with these resources; None as `check_cache`."""
        if not self.settings.keeps:
            return None
        try:
            return self._opened.enter_context(closing(open_in(self.settings.cache_dir)))
        except (OSError, OutsideError):  # a cache that cannot be used is no reason to stop
            return None


class _KnownAnswers(TypedDict, total=False):
    verdict: Verdict
    prerequisites: "PrerequisiteResult | None"
    base: "SeriesBase | None"


class Session:
    """One series on one repository; to be closed, as it owns a scratch repository. It belongs to one thread.

    Each property is found when it is first asked for, and stays as it was found. What cannot be found raises
    SeriestoolError, each time it is asked for.
    """

    def __init__(
        self,
        asked: SeriesInput,
        resources: SessionResources,
        options: SessionOptions | None = None,
        monitor: ProgressMonitor | None = None,
        broke: "Callable[[CheckCrash], None]" = lambda _: None,
    ) -> None:
        """`resources` stay the caller's to close; `broke` is called with each check of ours that broke."""
        self.asked = asked
        self.series = asked.series
        self.resources = resources
        self.repository = resources.repository
        self.options = options or SessionOptions()
        self.monitor = monitor or NullProgressMonitor()
        self._broke = broke
        self._opened = ExitStack()

    @classmethod
    def open(
        cls,
        name: str,
        repo: Path | str = ".",
        options: SessionOptions | None = None,
        source: SourceOptions | None = None,
        settings: SessionSettings | None = None,
        monitor: ProgressMonitor | None = None,
    ) -> Self:
        """The series called `name` (as on the command line) on the repository at `repo`; all is closed with it.

        Unless `source` and `settings` say something else, no server is asked, and what is kept stands below the
        repository's own folder. Raises NotFoundError, InputError, OutsideError.
        """
        with ExitStack() as opened:
            repository = opened.enter_context(Repository.open(Path(repo)))
            folder = repository.common_dir / "seriestool" / "cache"
            settings = settings or SessionSettings(folder, folder / "lists.sqlite", offline=True)
            source = source or SourceOptions(
                offline=True, cache_dir=folder, config=repository.config, repository=lambda: repository
            )
            asked = read_series(name, source)
            resources = opened.enter_context(SessionResources(repository, settings))
            session = cls(asked, resources, options, monitor)
            session._opened.push(opened.pop_all())
            return session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the scratch repository, and close what `open` opened."""
        self._opened.close()

    def adopt(self, **answers: Unpack[_KnownAnswers]) -> None:
        """Take these answers as the session's own, unless it has found its own already: they are known from before.

        All that rests on them is found from them. `prerequisites=None` stands for "not to be found out".
        """
        for name, answer in answers.items():
            self.__dict__.setdefault(name, answer)

    def anew(self) -> "Session":
        """A session of the same that knows nothing yet: something was fetched since. The caller closes it."""
        return type(self)(self.asked, self.resources, self.options, self.monitor, self._broke)

    # --- the base -------------------------------------------------------------------------------------------------

    @cached_property
    def previous(self) -> Series | None:
        """The version before this one, from where this one is; None where it is not to be had."""
        asked = self.asked
        if asked.previous is not None or self.series.version < 2 or not asked.source or asked.name in (None, "-"):
            return asked.previous
        try:
            return resolve(str(asked.name), replace(asked.source, version=self.series.version - 1, partial=True))
        except SeriestoolError:
            return None

    @cached_property
    def context(self) -> SearchContext:
        """The repository's trees, tips and history."""
        return self.resources.context(self.series, self.options.trees, self.monitor)

    @cached_property
    def verdict(self) -> Verdict:
        """What find-base answers."""
        from seriestool.base.find import find_base
        from seriestool.base.stated_base import push_log_lookup

        return find_base(self.series, self.context, push_log_lookup(self.repository))

    @cached_property
    def found_prerequisites(self) -> FoundPrerequisites | None:
        """What the lists say it builds on, and where its patches are read; None where the lists are not asked."""
        wanted = self.resources.prerequisite_options(self.options.prerequisites)
        return search_prerequisites(wanted, self.verdict, self.context, self.monitor)

    @cached_property
    def prerequisites(self) -> "PrerequisiteResult | None":
        """What it builds on: from the lists, or where they are not asked what the trees alone tell; None: nothing."""
        from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult

        if (found := self.found_prerequisites) is not None:
            return found.found
        if self._has_fit or not self.series.patches:
            return None
        rebuilt = rebuild_from_trees(self.verdict, self.context)
        return PrerequisiteResult((), rebuilt, ()) if rebuilt else None

    @property
    def _has_fit(self) -> bool:
        """Whether a commit is proven, so that nothing needs to be rebuilt."""
        return self.verdict.level in (FitLevel.EXACT, FitLevel.APPLIES)

    @cached_property
    def base(self) -> "SeriesBase | None":
        """What the series is put on: as the user says, or as is proven or rebuilt; None where nothing is known.

        Raises NotFoundError where the user names a commit that is not here.
        """
        from seriestool.rebase.given_base import given_base
        from seriestool.rebase.patch_stack import BaseKind, find_series_base

        if self.options.base is not None:
            return given_base(self.series, self._commit_target(self.options.base).commit, self.scratch_repo)
        known = self.asked.base or self._below_range()
        if known is not None:
            base = given_base(self.series, known, self.scratch_repo)
            if base.footing is not BaseKind.GIVEN:
                return base
        return find_series_base(self.verdict, self._rebuilt())

    def _rebuilt(self) -> "RebuiltBase | None":
        if self._has_fit:
            return None
        return self.prerequisites.rebuilt if self.prerequisites else None

    def _below_range(self) -> str | None:
        """The commit below the first one of a range; None where the name is none, or the range has merges."""
        name = self.asked.name
        if name is None or ".." not in name or Path(name).exists():
            return None
        tip = name.partition("..")[2] or "HEAD"
        return self.repository.resolve(f"{tip}~{len(self.series.patches)}")

    # --- patches on trees -----------------------------------------------------------------------------------------

    @cached_property
    def scratch_repo(self) -> ScratchRepository:
        """A repository of our own on top of the user's objects, for trees and commits that nobody else sees."""
        return self._opened.enter_context(self.repository.scratch_repository())

    @cached_property
    def stack(self) -> "PatchStack":
        """The trees before and after each patch on the base; InputError where the series has no patches."""
        from seriestool.rebase.patch_stack import make_stack

        return make_stack(self.series, self.base, self.scratch_repo)

    def targets(self, names: Sequence[str], every: bool = False) -> "tuple[Target, ...]":
        """The trees (or refs, or commits) called so, and `every` known tree; each once, in that order.

        Raises NotFoundError where there is no such tree or ref.
        """
        from seriestool.rebase.tree_rebaser import Target

        known = {place.tree.name: Target(place.tree.name, place.tree.commit) for place in self.context.tree_tips}
        asked = [known.get(name) or self._commit_target(name) for name in names]
        return tuple(dict.fromkeys([*asked, *(known.values() if every else ())]))

    def _commit_target(self, name: str) -> "Target":
        from seriestool.rebase.tree_rebaser import Target

        commit = self.repository.resolve(name)
        if commit is None:
            raise NotFoundError(f"there is no tree, ref or commit '{name}'", hint="see 'seriestool trees list'")
        return Target(name, commit)

    def rebase(self, targets: "Sequence[Target]") -> "Rebase":
        """How the series fares on each of these; found anew each time."""
        from seriestool.rebase.rebase_series import rebase_series
        from seriestool.rebase.resolve_conflicts import find_resolutions

        stack = self.stack
        with self.monitor.progress("rebasing", len(targets)) as progress:
            return rebase_series(
                series=self.series,
                stack=stack,
                targets=targets,
                context=self.context,
                scratch_repo=self.scratch_repo,
                resolutions=find_resolutions(self.repository),
                progress=progress,
            )

    @cached_property
    def ownership(self) -> "OwnershipSources":
        """What says who owns which files."""
        from seriestool.split.plan_series import find_ownership_sources

        return find_ownership_sources(self.context, self.base)

    @cached_property
    def planned(self) -> "PlannedSeries":
        """Which patch goes to which tree, in which order."""
        from seriestool.split.plan_series import plan_series

        return plan_series(
            series=self.series,
            stack=self.stack,
            known=self.ownership,
            scratch_repo=self.scratch_repo,
            by_file=self.options.by_file,
        )

    def split(self, onto: Sequence[str] = ()) -> "Split":
        """The plan, and how each sub-series fares on its tree.

        `onto` has words as of `split --onto`: TREE for all sub-series whose tree is not here, DEST=TREE for one.
        Raises NotFoundError where a destination or a tree is not known.
        """
        from seriestool.rebase.resolve_conflicts import find_resolutions
        from seriestool.split.proof_targets import choose_targets, split_notes
        from seriestool.split.subseries_proof import prove

        chosen = [(name, self.targets((tree,))[0]) for name, _, tree in (text.rpartition("=") for text in onto)]
        targets = choose_targets(self.planned, chosen, self.context)
        with self.monitor.progress("trying the sub-series", len(targets)) as progress:
            return prove(
                planned=self.planned,
                proof_targets=targets,
                context=self.context,
                scratch_repo=self.scratch_repo,
                resolutions=find_resolutions(self.repository),
                notes=split_notes(self.planned, self.ownership, targets),
                progress=progress,
            )

    # --- checks ---------------------------------------------------------------------------------------------------

    @cached_property
    def check_selection(self) -> "CheckSelection":
        """Which checks are asked; InputError where a check, a profile or a severity is none."""
        from seriestool.check.selection import CheckOptions, select_checks

        resources = self.resources
        return select_checks(
            self.options.checks or CheckOptions(), resources.config, resources.settings.environ, resources.own
        )

    @cached_property
    def checks(self) -> "Report":
        """What the checks say."""
        return self.run_checks(self.check_selection)

    def run_checks(self, chosen: "CheckSelection") -> "Report":
        """What these checks say; found anew each time, but for answers of costly checks that were kept."""
        from seriestool.check.selection import plan_checks, run_plan

        runners = self.resources.runners(chosen.wants_sandbox)
        profile, plan = plan_checks(self.check_subject, chosen, runners, self.asked.counters)
        return run_plan(
            profile=profile, plan=plan, cache=self.resources.check_cache, monitor=self.monitor, broke=self._broke
        )

    @cached_property
    def check_subject(self) -> "CheckSubject":
        """The series on its base, as checks are asked about it."""
        from seriestool.check.protocol import CheckSubject

        return CheckSubject(
            series=self.series,
            steps=self.stack.steps,
            base=self.base,
            environment=self._check_environment(),
            step=None,
            previous=self.previous,
            is_mailed=bool(self.series.recipients),
        )

    def _check_environment(self) -> "CheckEnvironment":
        from seriestool.check.protocol import CheckEnvironment

        settings = self.resources.settings
        return CheckEnvironment(
            repository=self.repository,
            scratch_repo=self.scratch_repo,
            cache_dir=settings.cache_dir,
            config=self.resources.config,
            sandbox=self.resources.runners(self.check_selection.wants_sandbox).sandbox,
            history=self.context.history,
            trees=tuple(one.tree for one in self.context.tree_tips),
            offline=settings.offline,
            jobs=settings.jobs,
            report=self.monitor.note,
        )
