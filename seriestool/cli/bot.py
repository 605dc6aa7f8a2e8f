# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool bot`: looks at each new series on a list before a human asks. Each action is a module of its own."""

from argparse import SUPPRESS, Namespace
from importlib import import_module
from typing import cast

from seriestool.cli.command_table import CliCommand, CommandModule
from seriestool.cli.options import CliParser, add_common_options
from seriestool.cli.ui import Ui, open_ui
from seriestool.util.errors import InputError

ACTIONS = (
    CliCommand("run", "seriestool.cli.bot_run", "watch the lists and look at each new series"),
    CliCommand("status", "seriestool.cli.bot_status", "show how the bot stands: lists, series, workers, what failed"),
    CliCommand("retry", "seriestool.cli.bot_retry", "have what failed, or a series, looked at again"),
    CliCommand("replay", "seriestool.cli.bot_replay", "go through old mails and print what would have been said"),
    CliCommand("serve", "seriestool.cli.bot_serve", "show the reports: pages, a JSON API, health and metrics"),
)


def add_arguments(parser: CliParser) -> None:
    """The action, and what is left for it."""
    parser.epilog = "actions:\n" + "\n".join(f"  {one.name:<12}{one.summary}" for one in ACTIONS)
    parser.epilog += "\n\n'seriestool bot <action> --help' has more on each."
    parser.usage = "seriestool bot [options] <action> [<arguments>]"
    parser.add_argument("action", metavar="<action>", nargs="?", help=SUPPRESS)
    parser.add_argument("rest", nargs="...", help=SUPPRESS)


def run(arguments: Namespace, ui: Ui) -> int:  # noqa: ARG001
    """Do what the action says; its exit code."""
    action = get_action(arguments.action)
    module = cast(CommandModule, import_module(action.module))
    parser = CliParser(f"seriestool bot {action.name}", description=action.summary)
    module.add_arguments(parser)
    add_common_options(parser)
    try:
        parser.parse_args(arguments.rest, arguments)
    except SystemExit:  # --help has been printed
        return 0
    return module.run(arguments, open_ui(arguments))  # the common options may stand after the action


def get_action(name: str | None) -> CliCommand:
    """The action of that name; raises InputError."""
    for action in ACTIONS:
        if action.name == name:
            return action
    if name is None:
        raise InputError("no action was given", hint="see 'seriestool bot --help'")
    import difflib

    near = difflib.get_close_matches(name, [action.name for action in ACTIONS], 1)
    raise InputError(
        f"'{name}' is not an action of the bot",
        hint=f"did you mean '{near[0]}'?" if near else "see 'seriestool bot --help'",
    )
