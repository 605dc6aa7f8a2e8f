# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands have in common that ask the lists: the option, and where lists are."""

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING

from seriestool.base.prerequisites.prerequisite_search import FoundPrerequisites
from seriestool.base.verdict import Verdict
from seriestool.cli.ui import Ui
from seriestool.git import Repository

if TYPE_CHECKING:
    from argparse import _ArgumentGroup


NO_PREREQUISITES: dict[str, object] = {"prerequisites": [], "rebuilt": None, "dependence_hints": []}
"""What the answer says where the lists were not asked."""


def add_prerequisites_argument(group: "_ArgumentGroup") -> None:
    """Whether the lists are asked."""
    group.add_argument(
        "--prerequisites",
        action=BooleanOptionalAction,
        default=None,
        help="where there is no base, search the lists for what it is made of; the lore server, where none were added "
        "(default: if lists were added)",
    )


def write_rebuilt(
    repository: Repository, verdict: Verdict, needed: FoundPrerequisites | None, name: str, ui: Ui
) -> None:
    """The branch on the rebuilt base, where there is one that takes all patches."""
    rebuilt = needed.found.rebuilt if needed else None
    if needed is None or rebuilt is None or not rebuilt.level.is_base:
        ui.note(f"no branch {name}: there is no base that takes all patches")
        return
    from seriestool.base.branch import make_rebuilt_branch

    tip = make_rebuilt_branch(repository=repository, verdict=verdict, rebuilt=rebuilt, source=needed.source, name=name)
    proven = f"{rebuilt.matched} of {rebuilt.expected} blobs are proven"
    ui.note(f"branch {name} is at {tip[:12]}, on a base that was rebuilt: {proven}")
