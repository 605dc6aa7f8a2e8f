# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool find-base SERIES`: the commits that a series applies to, or exactly why there are none."""

from argparse import Namespace

from seriestool.base.find import find_base
from seriestool.base.ground import Ground
from seriestool.base.verdict import Verdict
from seriestool.cli.options import Parser
from seriestool.cli.ui import Ui
from seriestool.errors import NotFoundError
from seriestool.git import Repository
from seriestool.history import index_dir, update
from seriestool.source import SourceOptions, resolve
from seriestool.trees import list_tags, list_trees

EXIT_NO_BASE = 1


def add_arguments(parser: Parser) -> None:
    """The options of find-base."""
    parser.add_argument("series", metavar="SERIES")
    parser.add_argument(
        "--format", choices=("text", "json", "b4"), default="text", help="how to print the answer (default: text)"
    )
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")


def run(arguments: Namespace, ui: Ui) -> int:
    """Find the base and print it; 0 where there is one, 1 where there is none."""
    with Repository.open(arguments.repo) as repository:
        series = resolve(arguments.series, SourceOptions())
        refs = repository.refs()
        if not refs:
            raise NotFoundError(f"the repository '{arguments.repo}' has no commits", hint="fetch a tree into it first")
        config = repository.config()
        with ui.progress("reading the history") as progress:
            history = update(repository, refs, index_dir(repository), progress)
        ground = Ground(repository, history, list_trees(refs, config, repository.head()), list_tags(refs))
        verdict = find_base(series, ground)
    _print(verdict, arguments.format, ui)
    return 0 if verdict.level.is_base else EXIT_NO_BASE


def _print(verdict: Verdict, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json(verdict.to_dict())
    elif form == "b4":
        from seriestool.report.b4 import b4_lines

        ui.out(b4_lines(verdict))
    else:
        from seriestool.report.style import Style
        from seriestool.report.text import verdict_text

        ui.out(verdict_text(verdict, Style(ui.color)))
