# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool split SERIES`: one sub-series for each maintainer's tree, in which order, and whether each goes in."""

from argparse import Namespace

from seriestool.cli.options import CliParser, read_options
from seriestool.cli.rebase_options import SplitOptions, add_base_arguments, add_by_file_argument, check_notes
from seriestool.cli.session_options import open_session
from seriestool.cli.source_options import add_source_arguments
from seriestool.cli.split_answer import answer_split
from seriestool.cli.ui import Ui


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
    options = read_options(arguments, SplitOptions)
    check_notes(options.notes, options.branch)
    with open_session(arguments, ui) as session:
        return answer_split(session, options, ui)
