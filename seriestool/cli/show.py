# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool show SERIES`: what a series is."""

from argparse import Namespace

from seriestool.cli.options import CliParser
from seriestool.cli.source_options import add_source_arguments, source_options
from seriestool.cli.ui import Ui
from seriestool.report.series_text import series_dict, series_text
from seriestool.report.style import Style
from seriestool.sources.resolve import resolve


def add_arguments(parser: CliParser) -> None:
    """The options of show."""
    add_source_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print what the series is; 0."""
    series = resolve(arguments.series, source_options(arguments))
    if arguments.json:
        ui.json(series_dict(series))
    else:
        ui.out(series_text(series, Style(ui.color)))
    return 0
