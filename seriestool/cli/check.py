# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool check SERIES`: what a careful reviewer checks on each patch, before they read a line."""

import os
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from seriestool.check.protocol import Report, Status
from seriestool.check.registry import find_checks
from seriestool.check.runner import CheckCrash
from seriestool.check.selection import CheckOptions
from seriestool.check.user_commands import find_commands
from seriestool.cli.check_options import add_check_arguments, check_options, report_broken_checks
from seriestool.cli.exit_codes import EXIT_BUG, EXIT_NO
from seriestool.cli.options import CliParser
from seriestool.cli.prerequisite_options import add_prerequisites_argument
from seriestool.cli.session_options import open_session
from seriestool.cli.source_options import add_source_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.sandbox import Unsandboxed
from seriestool.util.config import Config
from seriestool.util.errors import InputError


def add_arguments(parser: CliParser) -> None:
    """The options of check."""
    parser.add_argument("series", metavar="SERIES", nargs="?", help="what the series is called, see below")
    add_source_options(parser)
    group = parser.add_argument_group("on what")
    group.add_argument(
        "--base", metavar="COMMIT", help="what the series was made from (default: what find-base proves or rebuilds)"
    )
    group.add_argument(
        "--tree", dest="trees", metavar="NAME", action="append", default=[], help="look for the base in this tree only"
    )
    add_prerequisites_argument(group)
    group = add_check_arguments(parser)
    group.add_argument("--list", action="store_true", help="list the checks, and what each looks at")
    group = parser.add_argument_group("the answer")
    group.add_argument(
        "--format",
        choices=("text", "json", "b4", "patchwork", "html"),
        default="text",
        help="how to print it (default: text)",
    )
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print what the checks say; 0 where nothing fails, 1 where something does, 70 where a check of ours broke."""
    if arguments.list:
        _print_list(arguments.repo, check_options(arguments), ui)
        return 0
    if arguments.series is None:
        raise InputError("no series was named", hint="see 'seriestool check --help'")
    broken: list[CheckCrash] = []
    with open_session(arguments, ui, check_options(arguments), broken.append) as session:
        report = session.checks
    _print(report, arguments.format, ui)
    report_broken_checks(broken, ui)
    if report.status is Status.FAIL:
        return EXIT_NO
    return EXIT_BUG if any(result.status is Status.ERROR for result in report.results) else 0


def _print(report: Report, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json(report.to_dict())
    elif form == "b4":
        from seriestool.report.check_export import b4_items

        ui.json(b4_items(report))
    elif form == "patchwork":
        from seriestool.report.check_export import patchwork_checks

        ui.json(patchwork_checks(report))
    elif form == "html":
        from seriestool.report.check_page import report_page

        ui.out(report_page(report))
    else:
        from seriestool.report.check_text import report_text
        from seriestool.report.style import Style

        ui.out(report_text(report, Style(ui.color), with_notes=not ui.quiet))


def _print_list(repo: Path, choice: CheckOptions, ui: Ui) -> None:
    """All the checks; outside of a repository those that every one has."""
    from seriestool.report.style import Style
    from seriestool.report.table import table

    config: Config = {}
    with suppress(InputError), Repository.open(repo) as repository:
        config = repository.config()
    commands = find_commands(config, os.environ, Unsandboxed())
    checks = find_checks(choice.only, choice.skip, commands)
    rows = [(check.name, str(check.scope), check.summary) for check in checks]
    ui.out("\n".join(table(rows, Style(ui.color))))
