# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool fetch SERIES`: the series as an mbox that git am takes."""

from argparse import Namespace

from seriestool.cli.options import CliParser
from seriestool.cli.output_file import output_path, write_file
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.series.mail.mbox_writer import write_mbox
from seriestool.sources.resolve import resolve
from seriestool.util.errors import InputError


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
