# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: a parser that speaks as the rest of the program does, and the options of every command."""

import argparse
import os
from typing import TYPE_CHECKING, NoReturn

from seriestool.util.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import NamedTuple, TypeVar

    OptionsT = TypeVar("OptionsT", bound=NamedTuple)


class CliParser(argparse.ArgumentParser):
    """An argument parser that raises InputError instead of printing a usage and leaving."""

    def __init__(self, prog: str, **options: object) -> None:
        super().__init__(prog=prog, allow_abbrev=False, formatter_class=_formatter, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raise InputError with argparse's line."""
        raise InputError(message, hint=f"see '{self.prog} --help'")


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options that every command has, before or after its name; a nested sub-command may add them again."""
    # No defaults here: they stand in default_options, so that an option given earlier is not reset by a later parser.
    group = parser.add_argument_group("common options")
    unset = argparse.SUPPRESS
    group.add_argument("--repo", metavar="DIR", type=_folder, default=unset, help="the git repository (default: here)")
    group.add_argument("--color", choices=("auto", "always", "never"), default=unset, help="when to use colours")
    group.add_argument("-q", "--quiet", action="store_true", default=unset, help="print results and errors only")
    group.add_argument("-v", "--verbose", action="store_true", default=unset, help="say more about the work")


def default_options() -> argparse.Namespace:
    """The common options as they are when nobody gives them."""
    return argparse.Namespace(repo=_folder(""), color="auto", quiet=False, verbose=False)


def _folder(text: str) -> "Path":
    from pathlib import Path  # here, for `--help` has no use for it

    return Path(text)


def read_options(arguments: argparse.Namespace, kind: "type[OptionsT]") -> "OptionsT":
    """A command's options as its own type: each field is the argument of that name."""
    return kind._make(getattr(arguments, name) for name in kind._fields)


def _formatter(prog: str) -> argparse.HelpFormatter:
    # Left to itself argparse imports shutil for the width, at the first add_argument.
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() and len(columns) < 5 else 80
    return argparse.RawDescriptionHelpFormatter(prog, width=max(width, 40) - 2, max_help_position=28)
