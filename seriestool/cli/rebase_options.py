# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands that put a series on trees have in common: which trees, and what the series was made from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seriestool.base.search_context import SearchContext
from seriestool.cli.prerequisite_options import add_prerequisites_argument
from seriestool.git import Repository
from seriestool.rebase.tree_rebaser import Target
from seriestool.util.errors import NotFoundError

if TYPE_CHECKING:
    from argparse import _ArgumentGroup


def add_base_arguments(group: "_ArgumentGroup") -> None:
    """How to say what the series was made from."""
    group.add_argument(
        "--base", metavar="COMMIT", help="what the series was made from (default: what find-base proves or rebuilds)"
    )
    add_prerequisites_argument(group)


def add_by_file_argument(group: "_ArgumentGroup") -> None:
    """Whether split cuts patches."""
    group.add_argument(
        "--by-file",
        action="store_true",
        help="split: cut patches that straddle trees into one for each, where that is possible",
    )


def find_targets(names: Sequence[str], every: bool, context: SearchContext) -> tuple[Target, ...]:
    """The trees that were asked for, each once, in that order; NotFoundError where there is no such tree or ref."""
    known = {place.tree.name: Target(place.tree.name, place.tree.commit) for place in context.tree_tips}
    asked = [known.get(name) or _commit_target(name, context.repository) for name in names]
    return tuple(dict.fromkeys([*asked, *(known.values() if every else ())]))


def _commit_target(name: str, repository: Repository) -> Target:
    commit = repository.resolve(name)
    if commit is None:
        raise NotFoundError(f"there is no tree, ref or commit '{name}'", hint="see 'seriestool trees list'")
    return Target(name, commit)
