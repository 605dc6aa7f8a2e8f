# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool completion`: what makes a shell complete the command line, made by shtab of the parsers there are."""

from argparse import Action, Namespace, _SubParsersAction
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from seriestool.cli.command_table import COMMANDS
from seriestool.cli.options import CliParser, add_common_options
from seriestool.cli.ui import Ui

SHELLS = ("bash", "zsh", "fish")
_FOLDERS = ("DIR", "FOLDER")  # metavars
_FILES = ("PATH", "FILE", "SERIES", "PATH|URL")  # what may also be something else is completed as a file


def add_arguments(parser: CliParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=SHELLS, help="for example: source <(seriestool completion bash)")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print the script."""
    import shtab

    ui.raw(shtab.complete(whole_parser(), shell=arguments.shell).encode())
    return 0


def whole_parser() -> CliParser:
    """One parser with all commands in it; a run of the program has that of one command only."""
    import shtab

    top = CliParser("seriestool")
    top.add_argument("--version", action="version", version="", help="print the version")
    add_common_options(top)
    commands = top.add_subparsers(metavar="<command>")
    for command in COMMANDS:
        _add(commands.add_parser(command.name, help=command.summary), import_module(command.module))
    for action in _actions(top):
        if action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar in _FILES or action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return top


def _add(parser: CliParser, module: Any) -> None:
    """A command's arguments, or its actions where these are modules of their own, as the bot's are."""
    if not hasattr(module, "ACTIONS"):
        module.add_arguments(parser)
    else:
        actions = parser.add_subparsers(metavar="<action>")
        for action in module.ACTIONS:
            _add(actions.add_parser(action.name, help=action.summary), import_module(action.module))
    add_common_options(parser)


def _actions(parser: Any) -> Iterator[Action]:
    """Every option and argument of the parser, and of those of its sub-commands."""
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to them, and shtab takes the same
        yield action
        if isinstance(action, _SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
