# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool rebase SERIES --onto TREE`: the series on the trees that matter, patch by patch."""

from argparse import Namespace
from collections.abc import Sequence
from functools import partial

from seriestool.base.find import find_base
from seriestool.base.ground import Ground
from seriestool.cli.find_base import look_up
from seriestool.cli.ground import open_ground
from seriestool.cli.options import Parser
from seriestool.cli.prerequisites import add_prerequisites_argument, find_rebuilt
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.errors import InputError, NotFoundError
from seriestool.git import Repository, Workbench
from seriestool.model import Series
from seriestool.rebase.given import given_base
from seriestool.rebase.onto import Target
from seriestool.rebase.result import Rebase
from seriestool.rebase.run import rebase_series
from seriestool.rebase.stack import Base, find_footing
from seriestool.source import resolve

EXIT_CONFLICT = 3


def add_arguments(parser: Parser) -> None:
    """The options of rebase."""
    add_source_arguments(parser)
    group = parser.add_argument_group("where to")
    group.add_argument(
        "--onto", metavar="TREE", action="append", default=[], help="a known tree, or any ref or commit (repeatable)"
    )
    group.add_argument("--all-trees", action="store_true", help="every known tree, those it is meant for first")
    group.add_argument(
        "--base", metavar="COMMIT", help="what the series was made from (default: what find-base proves or rebuilds)"
    )
    add_prerequisites_argument(group)
    group = parser.add_argument_group("the answer")
    group.add_argument("--format", choices=("text", "json"), default="text", help="how to print it (default: text)")
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")


def run(arguments: Namespace, ui: Ui) -> int:
    """Try the series on each tree and print how it fares; 0 where all goes in everywhere, 3 where a patch conflicts."""
    if not arguments.onto and not arguments.all_trees:
        raise InputError("rebase onto what?", hint="--onto TREE, or --all-trees; see 'seriestool trees list'")
    with Repository.open(arguments.repo) as repository:
        series = resolve(arguments.series, source_options(arguments, repository))
        for remark in series.remarks:
            ui.note(remark)
        ground = open_ground(repository, series, (), ui)
        targets = find_targets(arguments, ground)
        with repository.workbench() as bench:
            base = find_start(arguments, series, ground, bench, ui)
            with ui.progress("rebasing", len(targets)) as progress:
                answer = rebase_series(series, base, targets, ground, bench, progress=progress)
    _print(answer, arguments.format, ui)
    return 0 if answer.is_clean else EXIT_CONFLICT


def find_targets(arguments: Namespace, ground: Ground) -> Sequence[Target]:
    """The trees that were asked for, each once, in that order; NotFoundError where there is no such tree or ref."""
    known = {place.tree.name: Target(place.tree.name, place.tree.commit) for place in ground.places}
    asked = [known.get(name) or _commit_target(name, ground.repository) for name in arguments.onto]
    every = list(known.values()) if arguments.all_trees else []
    return tuple(dict.fromkeys([*asked, *every]))


def _commit_target(name: str, repository: Repository) -> Target:
    commit = repository.resolve(name)
    if commit is None:
        raise NotFoundError(f"there is no tree, ref or commit '{name}'", hint="see 'seriestool trees list'")
    return Target(name, commit)


def find_start(arguments: Namespace, series: Series, ground: Ground, bench: Workbench, ui: Ui) -> Base | None:
    """What the series was made from: as the user says, or as find-base proves or rebuilds it; None where unknown."""
    if arguments.base is not None:
        return given_base(series, _commit_target(arguments.base, ground.repository).commit, bench)
    verdict = find_base(series, ground, partial(look_up, ground.repository))
    return find_footing(verdict, find_rebuilt(arguments, verdict, ground, ui))


def _print(answer: Rebase, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json(answer.to_dict())
        return
    from seriestool.report.rebase import rebase_text
    from seriestool.report.style import Style

    ui.out(rebase_text(answer, Style(ui.color)))
