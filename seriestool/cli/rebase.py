# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool rebase SERIES --onto TREE`: the series on the trees that matter, patch by patch."""

from argparse import Namespace
from collections.abc import Sequence

from seriestool.cli.options import CliParser
from seriestool.cli.rebase_options import (
    add_base_arguments,
    add_by_file_argument,
)
from seriestool.cli.session_options import open_session
from seriestool.cli.source_options import add_source_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.rebase.rebase_result import Rebase
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.model import Series
from seriestool.util.errors import InputError

EXIT_CONFLICT = 3


def add_arguments(parser: CliParser) -> None:
    """The options of rebase."""
    parser.add_argument("series", metavar="SERIES", nargs="?", help="what the series is called, see below")
    add_source_options(parser)
    group = parser.add_argument_group("where to")
    group.add_argument(
        "--onto", metavar="TREE", action="append", default=[], help="a known tree, or any ref or commit (repeatable)"
    )
    group.add_argument("--all-trees", action="store_true", help="every known tree, those it is meant for first")
    add_base_arguments(group)
    group.add_argument(
        "--split",
        action="store_true",
        help="each part of it on its own maintainer's tree: the same as 'seriestool split'",
    )
    add_by_file_argument(group)
    group = parser.add_argument_group("the answer")
    group.add_argument("--format", choices=("text", "json"), default="text", help="how to print it (default: text)")
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")
    group.add_argument(
        "--test-merge",
        metavar="TREE",
        action="append",
        default=[],
        help="also say whether the result merges with this tree, or with 'all' others (repeatable)",
    )
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
    group = parser.add_argument_group("conflicts by hand (NAME: of a rebase under way, where there are several)")
    group.add_argument("--resolve", action="store_true", help="stop at a conflict, in a work tree made for it")
    for name, what in (
        ("continue", "take on what was resolved and added there, and go on"),
        ("skip", "leave the patch out, and go on"),
        ("abort", "give up: remove the work tree and all that is kept"),
    ):
        group.add_argument(f"--{name}", dest=f"do_{name}", metavar="NAME", nargs="?", const="", help=what)


def run(arguments: Namespace, ui: Ui) -> int:
    """Try the series on each tree and print how it fares; 0 where all goes in everywhere, 3 where a patch conflicts."""
    if _is_continuing(arguments):
        from seriestool.cli.rebase_resolve import continue_rebase

        return continue_rebase(arguments, ui)
    if arguments.series is None:
        raise InputError("the following arguments are required: SERIES", hint="see 'seriestool rebase --help'")
    if arguments.split and (arguments.all_trees or arguments.test_merge or arguments.resolve):
        raise InputError("--split chooses the trees itself", hint="drop --all-trees, --test-merge and --resolve")
    if arguments.split:
        from seriestool.cli.split import run as split

        return split(arguments, ui)
    if not arguments.onto and not arguments.all_trees:
        raise InputError("rebase onto what?", hint="--onto TREE, or --all-trees; see 'seriestool trees list'")
    if arguments.notes and arguments.branch is None:
        raise InputError("notes are made for the commits of a branch", hint="--notes goes with --branch NAME")
    with open_session(arguments, ui) as session:
        targets = session.targets(arguments.onto, arguments.all_trees)
        if arguments.branch is not None:
            check_names(arguments.branch, session.series, targets, session.repository)
        if arguments.resolve:
            from seriestool.cli.rebase_resolve import start_rebase

            return start_rebase(
                arguments=arguments,
                series=session.series,
                stack=session.stack,
                targets=targets,
                context=session.context,
                scratch_repo=session.scratch_repo,
                ui=ui,
            )
        answer = session.rebase(targets)
        if arguments.test_merge or arguments.branch or arguments.output:
            from seriestool.cli.rebase_products import RebaseProducts

            products = RebaseProducts(
                arguments=arguments,
                answer=answer,
                stack=session.stack,
                context=session.context,
                scratch_repo=session.scratch_repo,
                ui=ui,
            )
            answer = products.with_test_merges(targets)
            print_answer(answer, arguments.format, ui)
            products.write()
        else:
            print_answer(answer, arguments.format, ui)
    return 0 if answer.is_clean else EXIT_CONFLICT


def check_names(template: str, series: Series, targets: Sequence[Target], repository: Repository) -> None:
    """Nothing, where all branches could be made; InputError before any work is done where one could not."""
    from seriestool.base.branch import check_branch_name
    from seriestool.rebase.rebased_branches import branch_names

    for name in branch_names(template, series, [target.name for target in targets]).values():
        check_branch_name(repository, name)


def _is_continuing(arguments: Namespace) -> bool:
    """Whether it is about a rebase that is under way."""
    return any(name is not None for name in (arguments.do_continue, arguments.do_skip, arguments.do_abort))


def print_answer(answer: Rebase, form: str, ui: Ui) -> None:
    """Print it as text or as JSON."""
    if form == "json":
        ui.json(answer.to_dict())
        return
    from seriestool.report.rebase_text import rebase_text
    from seriestool.report.style import Style

    ui.out(rebase_text(answer, Style(ui.color)))
