# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool find-base SERIES`: the commits that a series applies to, or exactly why there are none."""

from argparse import Namespace
from typing import NamedTuple

from seriestool.base.prerequisites.prerequisite_search import FoundPrerequisites
from seriestool.base.verdict import StatedBase, StatedBaseState, Verdict
from seriestool.cli.exit_codes import EXIT_NO
from seriestool.cli.options import CliParser, read_options
from seriestool.cli.prerequisite_options import (
    NO_PREREQUISITES,
    add_prerequisites_argument,
    write_rebuilt,
)
from seriestool.cli.session_options import open_session
from seriestool.cli.source_options import add_source_arguments
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.session import Session
from seriestool.util.errors import InputError, SeriestoolError


class FindBaseOptions(NamedTuple):
    """How the answer is printed, and what is made of it."""

    format: str
    fetch: bool
    output: str | None
    force: bool
    branch: str | None


def add_arguments(parser: CliParser) -> None:
    """The options of find-base."""
    add_source_arguments(parser)
    group = parser.add_argument_group("the answer")
    group.add_argument(
        "--format", choices=("text", "json", "b4"), default="text", help="how to print it (default: text)"
    )
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")
    group.add_argument(
        "--tree", dest="trees", metavar="NAME", action="append", default=[], help="look in this tree only (repeatable)"
    )
    add_prerequisites_argument(group)
    group.add_argument(
        "--fetch", action="store_true", help="fetch a stated base that was rebased away, if a push log knows from where"
    )
    group.add_argument("-o", "--output", metavar="PATH", help="write an mbox that states the base, to a file or folder")
    group.add_argument("--force", action="store_true", help="let -o replace a file that says something else")
    group.add_argument("--branch", metavar="NAME", help="make a new branch: the series on its base")


def run(arguments: Namespace, ui: Ui) -> int:
    """Find the base and print it; 0 where there is one, 1 where there is none."""
    options = read_options(arguments, FindBaseOptions)
    if options.output == "-":
        raise InputError("standard output has the answer already", hint="name a file or a folder with -o")
    with open_session(arguments, ui) as session:
        repository = session.repository
        if options.branch is not None:
            from seriestool.base.branch import check_branch_name

            check_branch_name(repository, options.branch)
        if options.fetch and _fetch(repository, session.verdict.stated, ui):
            with session.anew() as other:
                return _answer(options, other, ui)
        return _answer(options, session, ui)


def _answer(options: FindBaseOptions, session: Session, ui: Ui) -> int:
    """Print what the session says of the base, and make what was asked for."""
    verdict, needed = session.verdict, session.found_prerequisites
    _print(verdict, needed, options.format, ui)
    if verdict.level.is_base:
        _write(options, session.repository, verdict, ui)
        return 0
    if options.format == "text":
        ui.note(f"hint: {_next_step(verdict, options.fetch)}")
    if options.branch is not None:
        write_rebuilt(repository=session.repository, verdict=verdict, needed=needed, name=options.branch, ui=ui)
    return EXIT_NO


def _fetch(repository: Repository, stated: StatedBase | None, ui: Ui) -> bool:
    """Whether the stated base was fetched from where the push log saw it."""
    if stated is None or stated.state is not StatedBaseState.REBASED_AWAY or stated.verdict or not stated.sightings:
        return False
    from seriestool.cli.pushed_commit import fetch_pushed_commit

    try:
        fetch_pushed_commit(repository, stated.sightings, ui)
    except SeriestoolError as error:
        ui.note(f"the stated base could not be fetched: {error.message}")
        return False
    return True


def _print(verdict: Verdict, needed: FoundPrerequisites | None, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json({**verdict.to_dict(), **(needed.found.to_dict() if needed else NO_PREREQUISITES)})
    elif form == "b4":
        from seriestool.report.b4_base import b4_lines

        ui.out(b4_lines(verdict))
    else:
        from seriestool.report.find_base_text import verdict_text
        from seriestool.report.style import Style

        ui.out(verdict_text(verdict, Style(ui.color)))
        if needed is not None:
            from seriestool.report.prerequisites_text import prerequisites_text

            if text := prerequisites_text(needed.found, verdict, Style(ui.color)):
                ui.out(f"\n{text}")


def _next_step(verdict: Verdict, fetched: bool) -> str:
    """What may lead on to a base where there is none."""
    series = verdict.series
    if not series.patches and series.change_id:
        return f"'seriestool find-base {series.change_id}' looks for the patches on the server"
    if not series.patches:
        return "name the series by a message-id: then its patches are looked for on the server"
    if not fetched and verdict.stated and verdict.stated.sightings and verdict.stated.verdict is None:
        return "--fetch asks the server that had the stated base for it"
    suggest = "'seriestool trees suggest' says which tree it may be for, 'seriestool trees add' brings one here"
    foreign = all(path.reason == "never" for path in verdict.paths if path.blob)
    return f"no tree here ever had a file that the series was made from; {suggest}" if foreign else suggest


def _write(options: FindBaseOptions, repository: Repository, verdict: Verdict, ui: Ui) -> None:
    """What was asked for besides the answer: the mbox, the branch."""
    if options.output is not None and verdict.base is not None:
        from seriestool.cli.output_file import output_path, write_file
        from seriestool.series.mail.mbox_writer import write_mbox

        path = output_path(options.output, verdict.series)
        write_file(path, write_mbox(verdict.series, verdict.base.commit), options.force)
        ui.note(f"wrote {path}")
    if options.branch is not None:
        from seriestool.base.branch import make_branch

        tip = make_branch(repository, verdict, options.branch)
        ui.note(f"branch {options.branch} is at {tip[:12]}")
