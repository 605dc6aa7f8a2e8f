# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool split SERIES`: one sub-series for each maintainer's tree, in which order, and whether each goes in."""

from argparse import Namespace

from seriestool.cli.options import CliParser
from seriestool.cli.rebase_options import (
    add_base_arguments,
    add_by_file_argument,
)
from seriestool.cli.session_options import open_session
from seriestool.cli.source_options import add_source_arguments
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.split.plan_series import PlannedSeries
from seriestool.split.subseries_proof import Split
from seriestool.util.errors import InputError

EXIT_CONFLICT = 3
_PLURAL = (("does", "it"), ("do", "them"))


def add_arguments(parser: CliParser) -> None:
    """The options of split."""
    add_source_arguments(parser)
    group = parser.add_argument_group("how to split")
    add_by_file_argument(group)
    group.add_argument(
        "--onto",
        metavar="[DEST=]TREE",
        action="append",
        default=[],
        help="the tree, ref or commit to try a destination on; without DEST= all that are not here (repeatable)",
    )
    add_base_arguments(group)
    group = parser.add_argument_group("the answer")
    group.add_argument(
        "--format", choices=("text", "json", "dot"), default="text", help="how to print it (default: text)"
    )
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")
    group = parser.add_argument_group("what to make of it")
    group.add_argument(
        "--branch",
        metavar="NAME",
        help="make a new branch for each sub-series; {tree}, {number} and {series} in it stand for their names",
    )
    group.add_argument(
        "--notes",
        action="store_true",
        help="keep what stands below '---' in the mails as notes (refs/notes/seriestool)",
    )
    group.add_argument(
        "-o", "--output", metavar="DIR", help="write each sub-series as a series of its own, an mbox each"
    )
    group.add_argument("--force", action="store_true", help="let -o replace a file that says something else")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print the plan with its proof, and make what was asked for; 0 where all goes in, 3 where a patch conflicts."""
    if arguments.notes and arguments.branch is None:
        raise InputError("notes are made for the commits of a branch", hint="--notes goes with --branch NAME")
    with open_session(arguments, ui) as session:
        ui.detail("reading what ties the patches")
        planned = session.planned
        if arguments.branch is not None:
            _check_names(arguments.branch, planned, session.repository)
        answer = session.split(arguments.onto)
        _print(answer, arguments.format, ui)
        if arguments.branch is not None or arguments.output is not None:
            from seriestool.cli.split_products import SplitProducts

            SplitProducts(
                arguments=arguments,
                planned=planned,
                answer=answer,
                context=session.context,
                scratch_repo=session.scratch_repo,
                ui=ui,
            ).write()
    return 0 if answer.is_clean else EXIT_CONFLICT


def _check_names(template: str, planned: PlannedSeries, repository: Repository) -> None:
    """Nothing, where all branches could be made; InputError before the work is done where one could not."""
    from seriestool.base.branch import check_branch_name
    from seriestool.split.subseries_mails import branch_names

    for name in branch_names(template, planned.series, planned.plan).values():
        check_branch_name(repository, name)


def _print(answer: Split, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json(answer.to_dict())
    elif form == "dot":
        from seriestool.report.split_dot import plan_dot

        stopped = {one.counter for proof in answer.proofs for one in proof.stopped}
        ui.out(plan_dot(answer.plan, stopped))
    else:
        from seriestool.report.split_text import split_text
        from seriestool.report.style import Style

        ui.out(split_text(answer, Style(ui.color)))
