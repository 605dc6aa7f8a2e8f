# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool precheck SERIES`: all that is known of a series before a human reads it."""

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from seriestool.check.protocol import Status
from seriestool.check.runner import CheckCrash
from seriestool.cli.check_options import add_check_arguments, check_options, report_broken_checks
from seriestool.cli.exit_codes import EXIT_BUG, EXIT_CONFLICT, EXIT_NO, EXIT_OUTSIDE
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.prerequisite_options import add_prerequisites_argument
from seriestool.cli.session_options import series_input, session_options, session_settings
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer, SeriesVersion
from seriestool.precheck.precheck_run import run_precheck, version_of
from seriestool.precheck.resources import PrecheckResources
from seriestool.series.model import Series
from seriestool.session import Session
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.util.errors import InputError, SeriestoolError

_FORMATS = ("text", "json", "html", "markdown", "mail", "patchwork", "b4")
_MOST_VERSIONS = 30
_MISSED = 3
"""Versions in a row after which no more are looked for."""
_CODES = {
    PrecheckAnswer.MERGED: 0,
    PrecheckAnswer.READY: 0,
    PrecheckAnswer.NO_BASE: EXIT_NO,
    PrecheckAnswer.WAITS: EXIT_NO,
    PrecheckAnswer.TO_MEND: EXIT_NO,
    PrecheckAnswer.CONFLICTS: EXIT_CONFLICT,
}


class AnswerOptions(NamedTuple):
    """How the answer is printed, and to which file."""

    format: str
    output: Path | None
    force: bool


def add_arguments(parser: CliParser) -> None:
    """The options of precheck."""
    add_source_arguments(parser)
    group = parser.add_argument_group("on what")
    group.add_argument(
        "--base", metavar="COMMIT", help="what the series was made from (default: what find-base proves or rebuilds)"
    )
    group.add_argument(
        "--tree", dest="trees", metavar="NAME", action="append", default=[], help="look at this tree only (repeatable)"
    )
    add_prerequisites_argument(group)
    add_check_arguments(parser)
    group = parser.add_argument_group("the answer")
    group.add_argument("--format", choices=_FORMATS, default="text", help="how to print it (default: text)")
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")
    group.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file instead")
    group.add_argument("--force", action="store_true", help="let -o replace a file that says something else")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print all that is known of the series; the exit code says what it comes to."""
    broken: list[CheckCrash] = []
    with (
        Repository.open(arguments.repo) as repository,
        PrecheckResources(repository, session_settings(arguments, repository)) as resources,
        Session(
            series_input(arguments, repository, ui),
            resources,
            session_options(arguments, check_options(arguments)),
            ui,
            broken.append,
        ) as session,
    ):
        source = source_options(arguments, repository)
        versions = _versions(session, arguments.series, source, is_newest=arguments.wanted_version is None)
        precheck = run_precheck(session, resources.steps, versions)
    options = read_options(arguments, AnswerOptions)
    _write(_rendered(precheck, options, ui), options, ui)
    report_broken_checks(broken, ui)
    return exit_code(precheck)


def exit_code(precheck: Precheck) -> int:
    """What the answer is for a shell; a step that could not be done is told only where all else is well."""
    code = _CODES[answer_of(precheck)]
    if code:
        return code
    if precheck.checks and any(result.status is Status.ERROR for result in precheck.checks.results):
        return EXIT_BUG
    return EXIT_OUTSIDE if any(step.problem for step in precheck.steps) else 0


def _versions(session: Session, name: str, options: SourceOptions, is_newest: bool) -> tuple[SeriesVersion, ...]:
    """The versions that are where this one is, oldest first; where several in a row are not, none before them are.

    `name` is what the series was called, `is_newest` whether that means its newest version.
    """
    series = session.series
    if name == "-" or not series.patches:
        return (version_of(series, True),)
    newest = series.version if is_newest else _newest(name, options, series.version)
    known = {series.version - 1: session.previous, series.version: series}
    found: list[SeriesVersion] = []
    missed = 0
    for number in range(newest, max(0, newest - _MOST_VERSIONS), -1):
        one = known[number] if number in known else _find_version(name, options, number)
        if one is not None and one.version == number:
            found.append(version_of(one, number == series.version))
            missed = 0
        else:
            missed += 1
        if missed == _MISSED and number < series.version:
            break
    return tuple(reversed(found))


def _newest(name: str, options: SourceOptions, this: int) -> int:
    newest = _find_version(name, options, None)
    return max(newest.version if newest else this, this)


def _find_version(name: str, options: SourceOptions, number: int | None) -> Series | None:
    try:
        return resolve(name, replace(options, version=number, partial=True))
    except SeriestoolError:
        return None


def _rendered(precheck: Precheck, options: AnswerOptions, ui: Ui) -> str | object:
    """The text, or what is printed as JSON."""
    form = options.format
    if form == "json":
        from seriestool.precheck.precheck_json import precheck_dict

        return precheck_dict(precheck)
    if form in ("b4", "patchwork"):
        from seriestool.report.precheck_export import precheck_b4, precheck_patchwork

        return precheck_b4(precheck) if form == "b4" else precheck_patchwork(precheck)
    if form == "markdown":
        from seriestool.report.precheck_markdown import precheck_markdown

        return precheck_markdown(precheck).removesuffix("\n")
    if form in ("html", "mail"):
        name = "precheck_page" if form == "html" else "precheck_mail"
        write: Callable[[Precheck], str] = getattr(import_module(f"seriestool.report.{name}"), name)
        return write(precheck).removesuffix("\n")
    from seriestool.report.precheck_text import precheck_text
    from seriestool.report.style import Style

    return precheck_text(precheck, Style(ui.color and options.output is None), with_times=ui.verbose)


def _write(answer: str | object, options: AnswerOptions, ui: Ui) -> None:
    """Print it, or write it to the file that was named."""
    if options.output is None:
        ui.out(answer) if isinstance(answer, str) else ui.json(answer)
        return
    if options.output.is_dir():
        raise InputError(f"'{options.output}' is a folder", hint="name a file with -o")
    from seriestool.cli.output_file import write_file

    write_file(options.output, _bytes(answer), options.force)
    ui.note(f"wrote {options.output}")


def _bytes(answer: str | object) -> bytes:
    if isinstance(answer, str):
        return answer.encode("utf-8", "backslashreplace") + b"\n"
    import json

    return json.dumps(answer, indent=2).encode("ascii") + b"\n"
