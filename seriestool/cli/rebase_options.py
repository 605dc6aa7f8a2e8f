# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands that put a series on trees have in common: which trees, and what the series was made from."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seriestool.base.find import find_base
from seriestool.base.prerequisites.prerequisite_search import find_rebuilt_base
from seriestool.base.search_context import SearchContext
from seriestool.base.stated_base import push_log_lookup
from seriestool.cli.prerequisite_options import add_prerequisites_argument, prerequisite_options_of
from seriestool.cli.ui import Ui
from seriestool.git import Repository, ScratchRepository
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import SeriesBase, find_series_base
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.model import Series
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


def find_start(
    arguments: Namespace, series: Series, context: SearchContext, scratch_repo: ScratchRepository, ui: Ui
) -> SeriesBase | None:
    """What the series was made from: as the user says, or as find-base proves or rebuilds it; None where unknown."""
    if arguments.base is not None:
        return given_base(series, _commit_target(arguments.base, context.repository).commit, scratch_repo)
    verdict = find_base(series, context, push_log_lookup(context.repository))
    return find_series_base(
        verdict, find_rebuilt_base(prerequisite_options_of(arguments, context.repository), verdict, context, ui)
    )
