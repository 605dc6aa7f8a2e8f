# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool fetch SERIES`: the series as an mbox that git am takes."""

from argparse import Namespace
from pathlib import Path

from seriestool.cli.options import CliParser
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.series.mail.mbox_writer import mbox_name, write_mbox
from seriestool.series.model import Series
from seriestool.sources.resolve import resolve
from seriestool.util.errors import InputError, OutsideError
from seriestool.util.files import write_whole


def add_arguments(parser: CliParser) -> None:
    """The options of fetch."""
    add_source_arguments(parser)
    parser.add_argument("-o", "--output", metavar="PATH", help="a file, a folder, or '-' (default: a file here)")
    parser.add_argument("--force", action="store_true", help="replace a file that is there and says something else")


def run(arguments: Namespace, ui: Ui) -> int:
    """Write the mbox and print its name; 0."""
    series = resolve(arguments.series, source_options(arguments))
    if not series.patches:
        raise InputError(
            f"there are no patches of '{series.subject}' in '{arguments.series}'",
            hint="name the series by the message-id of one of its mails",
        )
    for remark in series.remarks:
        ui.note(remark)
    data = write_mbox(series)
    if arguments.output == "-":
        ui.raw(data)
        return 0
    path = output_path(arguments.output, series)
    write_file(path, data, arguments.force)
    ui.out(str(path))
    count = len(series.patches)
    ui.note(f"{count} {'patch' if count == 1 else 'patches'} of '{series.subject}', v{series.version}")
    return 0


def output_path(output: str | None, series: Series) -> Path:
    """Where the mbox goes: a folder gets a file named after the series."""
    path = Path(output or ".")
    return path / mbox_name(series) if path.is_dir() or (output or "").endswith("/") else path


def write_file(path: Path, data: bytes, force: bool) -> None:
    """Write all of the file or nothing.

    Raises InputError where another content stands there and `force` is not given, OutsideError where it cannot be
    written.
    """
    try:
        check_file(path, data, force)
        write_whole(path, data)
    except OSError as error:
        raise OutsideError(f"cannot write '{path}': {error.strerror}") from error


def check_file(path: Path, data: bytes, force: bool) -> None:
    """Nothing, where the file may be written; InputError where another content stands there."""
    if not force and path.exists() and path.read_bytes() != data:
        raise InputError(f"'{path}' is there already", hint="name another file with -o, or replace it with --force")
