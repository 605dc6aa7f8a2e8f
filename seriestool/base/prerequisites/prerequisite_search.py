# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the lists, where there is something to ask: what a series builds on, and the base rebuilt from it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import FitLevel, Verdict
from seriestool.util.errors import NotFoundError
from seriestool.util.progress import ProgressMonitor

if TYPE_CHECKING:
    from seriestool.base.prerequisites.patch_source import PatchSource
    from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult, RebuiltBase
    from seriestool.sources.lists import PatchLists
    from seriestool.sources.lists.remote_lists import RemoteLists
    from seriestool.sources.lore import Lore

_MOST_ASKED = 80
"""Paths of which a server is asked before the search begins; more are not searched for."""


class PrerequisiteOptions(Struct, frozen=True, eq=False):
    """Whether lists are asked, and which."""

    wish: bool | None
    """None: where lists were added; True: the lore server, where none were."""
    index: Path
    """The user's index of the patches on lists, there or not."""
    offline: bool
    lore: Callable[[], "Lore"]


class FoundPrerequisites(Struct, frozen=True):
    """What the series builds on, and where its patches are read."""

    found: "PrerequisiteResult"
    source: "PatchSource"


def search_prerequisites(
    prerequisite_options: PrerequisiteOptions, verdict: Verdict, context: SearchContext, monitor: ProgressMonitor
) -> FoundPrerequisites | None:
    """What the series builds on; None where the lists are not asked.

    They are asked where there is no base, or where the author states prerequisites; on request also where the series
    applies to something else than its base, and then the lore server too.
    Raises NotFoundError where that is wanted offline and there are no lists, OutsideError where the server is away.
    """
    if prerequisite_options.wish is False or not verdict.series.patches or not _is_open(prerequisite_options, verdict):
        return None
    lists = _find_lists(prerequisite_options, verdict, monitor)
    if lists is None:
        return None
    from seriestool.base.prerequisites.patch_source import PatchSource
    from seriestool.base.prerequisites.rebuilt_base import find_prerequisites

    monitor.detail("searching the lists for what the series builds on")
    source = PatchSource(lists)
    return FoundPrerequisites(find_prerequisites(verdict, context, source), source)


def rebuild_from_trees(verdict: Verdict, context: SearchContext) -> "RebuiltBase | None":
    """The base put together from the trees alone; None where nothing needs to be."""
    from seriestool.base.prerequisites.patch_source import PatchSource
    from seriestool.base.prerequisites.rebuilt_base import find_prerequisites

    return find_prerequisites(verdict, context, PatchSource()).rebuilt


def _is_open(prerequisite_options: PrerequisiteOptions, verdict: Verdict) -> bool:
    """Whether there is anything to ask the lists."""
    if prerequisite_options.wish:
        return verdict.level is not FitLevel.EXACT or bool(verdict.series.base.prerequisites)
    return not verdict.level.is_base or bool(verdict.series.base.prerequisites)


def _find_lists(
    prerequisite_options: PrerequisiteOptions, verdict: Verdict, monitor: ProgressMonitor
) -> "PatchLists | None":
    from seriestool.sources.lists.patch_index import find_index

    index = find_index(prerequisite_options.index)
    if index is not None or not prerequisite_options.wish:
        return index
    if prerequisite_options.offline:
        raise NotFoundError("no lists were added", hint="'seriestool lists add NAME PATH|URL' adds an archive")
    from seriestool.sources.lists.remote_lists import RemoteLists

    server = prerequisite_options.lore()
    monitor.note(f"no lists were added: asking {server.url}")
    lists = RemoteLists(server)
    _prefetch(lists, verdict)
    return lists


def _prefetch(lists: "RemoteLists", verdict: Verdict) -> None:
    """Bring what will be asked for of the blobs that no tree has, ten to a request."""
    missing = [one for one in verdict.paths if one.blob and one.reason == "never"][:_MOST_ASKED]
    blobs = [one.blob for one in missing if one.blob]
    lists.prefetch(making=blobs, needing=blobs)
    lists.prefetch_touching([one.path for one in missing], verdict.series.posted)
    stated = verdict.series.base.prerequisites
    lists.prefetch_patch_ids(one.value.strip().lower() for one in stated if one.kind == "patch-id")
