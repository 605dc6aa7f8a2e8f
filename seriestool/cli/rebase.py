# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool rebase SERIES --onto TREE`: the series on the trees that matter, patch by patch."""

from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

from seriestool.cli.exit_codes import EXIT_CONFLICT
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.rebase_answer import print_answer
from seriestool.cli.rebase_options import SplitOptions, add_base_arguments, add_by_file_argument, check_notes
from seriestool.cli.session_options import open_session
from seriestool.cli.source_options import add_source_options
from seriestool.cli.ui import Ui
from seriestool.rebase.rebase_state import RebaseOutputOptions
from seriestool.rebase.tree_rebaser import Target
from seriestool.session import Session
from seriestool.util.errors import InputError


class RebaseOptions(NamedTuple):
    """What rebase was asked for, but for the series itself and how it is looked at."""

    series: str | None
    onto: Sequence[str]
    all_trees: bool
    split: bool
    format: str
    test_merge: Sequence[str]
    branch: str | None
    notes: bool
    output: str | None
    force: bool
    resolve: bool

    @property
    def products(self) -> RebaseOutputOptions:
        """What is to be made of the result."""
        return RebaseOutputOptions(branch=self.branch, output=self.output, notes=self.notes, force=self.force)


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
    for action in ("abort", "skip", "continue"):
        name = getattr(arguments, f"do_{action}")
        if name is not None:
            from seriestool.cli.rebase_resolve import continue_rebase

            return continue_rebase(arguments.repo, action, name or None, ui)
    options = read_options(arguments, RebaseOptions)
    _refuse_contradictions(options)
    with open_session(arguments, ui) as session:
        if options.split:
            from seriestool.cli.split_answer import answer_split

            return answer_split(session, read_options(arguments, SplitOptions), ui)
        return _rebase(session, options, ui)


def _refuse_contradictions(options: RebaseOptions) -> None:
    """Nothing, where the options go together; else InputError."""
    if options.series is None:
        raise InputError("the following arguments are required: SERIES", hint="see 'seriestool rebase --help'")
    if options.split and (options.all_trees or options.test_merge or options.resolve):
        raise InputError("--split chooses the trees itself", hint="drop --all-trees, --test-merge and --resolve")
    if not (options.split or options.onto or options.all_trees):
        raise InputError("rebase onto what?", hint="--onto TREE, or --all-trees; see 'seriestool trees list'")
    check_notes(options.notes, options.branch)


def _rebase(session: Session, options: RebaseOptions, ui: Ui) -> int:
    """Print how the series fares on its trees, and make what was asked for; exit codes as of `run`."""
    targets = session.targets(options.onto, options.all_trees)
    if options.branch is not None:
        from seriestool.cli.rebase_products import check_branch_names

        check_branch_names(options.branch, session.series, targets, session.repository)
    if options.resolve:
        from seriestool.cli.rebase_resolve import start_rebase

        return start_rebase(session, targets, options.products, ui)
    answer = session.rebase(targets)
    if not (options.test_merge or options.branch or options.output):
        print_answer(answer, options.format, ui)
    else:
        from seriestool.cli.rebase_products import RebaseProducts

        products = RebaseProducts(session=session, stack=session.stack, answer=answer, wanted=options.products, ui=ui)
        if options.test_merge:
            answer = products.with_test_merges(_merge_targets(session, options.test_merge, targets))
        print_answer(answer, options.format, ui)
        products.write()
    return 0 if answer.is_clean else EXIT_CONFLICT


def _merge_targets(session: Session, names: Sequence[str], targets: Sequence[Target]) -> Sequence[Target]:
    """The trees that results are merged with: those named, and for 'all' the other targets, or all known trees."""
    named = session.targets([name for name in names if name != "all"])
    if "all" not in names:
        return named
    return tuple(dict.fromkeys([*named, *(targets if len(targets) > 1 else session.targets((), every=True))]))
