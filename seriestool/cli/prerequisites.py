# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of find-base that asks the lists: what the series builds on, and the base rebuilt from it."""

from argparse import BooleanOptionalAction, Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seriestool.base.ground import Ground
from seriestool.base.verdict import Level, Verdict
from seriestool.cli.source_options import lists_path, source_options
from seriestool.cli.ui import Ui
from seriestool.errors import NotFoundError
from seriestool.git import Repository

if TYPE_CHECKING:
    from argparse import _ArgumentGroup

    from seriestool.base.prerequisites.answer import Prerequisites, Rebuilt
    from seriestool.base.prerequisites.sources import PatchSource
    from seriestool.lists import PatchLists
    from seriestool.lists.remote import RemoteLists

_MOST_ASKED = 80
"""Paths of which a server is asked before the search begins; more are not searched for."""
NOTHING: dict[str, object] = {"prerequisites": [], "rebuilt": None, "dependence_hints": []}
"""What the answer says where the lists were not asked."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What the series builds on, and where its patches are read."""

    found: "Prerequisites"
    source: "PatchSource"


def add_prerequisites_argument(group: "_ArgumentGroup") -> None:
    """Whether the lists are asked."""
    group.add_argument(
        "--prerequisites",
        action=BooleanOptionalAction,
        default=None,
        help="where there is no base, search the lists for what it is made of; the lore server, where none were added "
        "(default: if lists were added)",
    )


def find_needed(arguments: Namespace, verdict: Verdict, ground: Ground, ui: Ui) -> Needed | None:
    """What the series builds on; None where the lists are not asked.

    They are asked where there is no base, or where the author states prerequisites; on request also where the series
    applies to something else than its base, and then the lore server too.
    Raises NotFoundError where that is wanted offline and there are no lists, OutsideError where the server is away.
    """
    if arguments.prerequisites is False or not verdict.series.patches or not _is_open(arguments, verdict):
        return None
    lists = _find_lists(arguments, verdict, ground, ui)
    if lists is None:
        return None
    from seriestool.base.prerequisites.listed import ListedSource
    from seriestool.base.prerequisites.rebuild import find_prerequisites

    ui.detail("searching the lists for what the series builds on")
    source = ListedSource(lists)
    return Needed(find_prerequisites(verdict, ground, source), source)


def find_rebuilt(arguments: Namespace, verdict: Verdict, ground: Ground, ui: Ui) -> "Rebuilt | None":
    """The base put together from the trees, and from the lists where they are asked; None where one was found.

    Raises as `find_needed` does.
    """
    if verdict.level in (Level.EXACT, Level.APPLIES):
        return None
    needed = find_needed(arguments, verdict, ground, ui)
    if needed is not None:
        return needed.found.rebuilt
    from seriestool.base.prerequisites.rebuild import find_prerequisites
    from seriestool.base.prerequisites.sources import NoSource

    return find_prerequisites(verdict, ground, NoSource()).rebuilt


def _is_open(arguments: Namespace, verdict: Verdict) -> bool:
    """Whether there is anything to ask the lists."""
    if arguments.prerequisites:
        return verdict.level is not Level.EXACT or bool(verdict.series.base.prerequisites)
    return not verdict.level.is_base or bool(verdict.series.base.prerequisites)


def _find_lists(arguments: Namespace, verdict: Verdict, ground: Ground, ui: Ui) -> "PatchLists | None":
    from seriestool.lists.index import find_index

    index = find_index(lists_path())
    if index is not None or not arguments.prerequisites:
        return index
    if arguments.offline:
        raise NotFoundError("no lists were added", hint="'seriestool lists add NAME PATH|URL' adds an archive")
    from seriestool.lists.remote import RemoteLists
    from seriestool.source import lore_of

    server = lore_of(source_options(arguments, ground.repository))
    ui.note(f"no lists were added: asking {server.url}")
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


def write_rebuilt(repository: Repository, verdict: Verdict, needed: Needed | None, name: str, ui: Ui) -> None:
    """The branch on the rebuilt base, where there is one that takes all patches."""
    rebuilt = needed.found.rebuilt if needed else None
    if needed is None or rebuilt is None or not rebuilt.level.is_base:
        ui.note(f"no branch {name}: there is no base that takes all patches")
        return
    from seriestool.base.branch import make_rebuilt_branch

    tip = make_rebuilt_branch(repository, verdict, rebuilt, needed.source, name)
    proven = f"{rebuilt.matched} of {rebuilt.expected} blobs are proven"
    ui.note(f"branch {name} is at {tip[:12]}, on a base that was rebuilt: {proven}")
