# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool rebase SERIES --onto TREE`: the series on the trees that matter, patch by patch."""

from argparse import Namespace
from collections.abc import Sequence

from seriestool.cli.ground import open_ground
from seriestool.cli.options import Parser
from seriestool.cli.rebase_options import add_base_arguments, find_start, find_targets
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.errors import InputError
from seriestool.git import Repository
from seriestool.model import Series
from seriestool.rebase.onto import Target
from seriestool.rebase.result import Rebase
from seriestool.rebase.run import rebase_series
from seriestool.rebase.stack import make_stack
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
    add_base_arguments(group)
    group = parser.add_argument_group("the answer")
    group.add_argument("--format", choices=("text", "json"), default="text", help="how to print it (default: text)")
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")
    group.add_argument(
        "--test-merge", metavar="TREE", nargs="?", const="", action="append", default=[],
        help="also say whether the result merges with this tree (default: with the other trees; repeatable)",
    )  # fmt: skip
    group = parser.add_argument_group("what to make of it")
    group.add_argument(
        "--branch", metavar="NAME", help="make new branches; {tree} and {series} in it stand for their names"
    )
    group.add_argument(
        "--notes",
        action="store_true",
        help="keep what stands below '---' in the mails as notes (refs/notes/seriestool)",
    )
    group.add_argument(
        "-o", "--output", metavar="DIR", help="write the next version of the series, an mbox for each tree"
    )
    group.add_argument("--force", action="store_true", help="let -o replace a file that says something else")


def run(arguments: Namespace, ui: Ui) -> int:
    """Try the series on each tree and print how it fares; 0 where all goes in everywhere, 3 where a patch conflicts."""
    if not arguments.onto and not arguments.all_trees:
        raise InputError("rebase onto what?", hint="--onto TREE, or --all-trees; see 'seriestool trees list'")
    if arguments.notes and arguments.branch is None:
        raise InputError("notes are made for the commits of a branch", hint="--notes goes with --branch NAME")
    with Repository.open(arguments.repo) as repository:
        series = resolve(arguments.series, source_options(arguments, repository))
        for remark in series.remarks:
            ui.note(remark)
        ground = open_ground(repository, series, (), ui)
        targets = find_targets(arguments.onto, arguments.all_trees, ground)
        if arguments.branch is not None:
            check_names(arguments.branch, series, targets, repository)
        with repository.workbench() as bench:
            stack = make_stack(series, find_start(arguments, series, ground, bench, ui), bench)
            with ui.progress("rebasing", len(targets)) as progress:
                answer = rebase_series(series, stack, targets, ground, bench, progress=progress)
            if arguments.test_merge or arguments.branch or arguments.output:
                from seriestool.cli.rebase_products import Products

                products = Products(arguments, answer, stack, ground, bench, ui)
                answer = products.with_test_merges(targets)
                _print(answer, arguments.format, ui)
                products.write()
            else:
                _print(answer, arguments.format, ui)
    return 0 if answer.is_clean else EXIT_CONFLICT


def check_names(template: str, series: Series, targets: Sequence[Target], repository: Repository) -> None:
    """Nothing, where all branches could be made; InputError before any work is done where one could not."""
    from seriestool.base.branch import check_branch_name
    from seriestool.rebase.products import branch_names

    for name in branch_names(template, series, [target.name for target in targets]).values():
        check_branch_name(repository, name)


def _print(answer: Rebase, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json(answer.to_dict())
        return
    from seriestool.report.rebase import rebase_text
    from seriestool.report.style import Style

    ui.out(rebase_text(answer, Style(ui.color)))
