# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commands there are: data, so that what lists them imports none of them."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from argparse import Namespace

    from seriestool.cli.options import CliParser
    from seriestool.cli.ui import Ui


class CommandModule(Protocol):
    """What a command's module has."""

    def add_arguments(self, parser: "CliParser") -> None:
        """Declare the command's own options on `parser`."""

    def run(self, arguments: "Namespace", ui: "Ui") -> int:
        """Do the work; the result is the exit code."""


class CliCommand(NamedTuple):
    """A command's name, the module that it lives in, and its line in the help."""

    name: str
    module: str
    summary: str


COMMANDS = (
    CliCommand("bot", "seriestool.cli.bot", "look at each new series on a list, and report before a human has to ask"),
    CliCommand("check", "seriestool.cli.check", "check each patch of a series as a careful reviewer does"),
    CliCommand("completion", "seriestool.cli.completion", "print what makes a shell complete the command line"),
    CliCommand("fetch", "seriestool.cli.fetch", "write a series as an mbox that git am takes"),
    CliCommand(
        "find-base", "seriestool.cli.find_base", "find the commits that a series applies to, or say why there are none"
    ),
    CliCommand("lists", "seriestool.cli.lists", "add, update and list the mailing lists to look for patches in"),
    CliCommand("precheck", "seriestool.cli.precheck", "all that is known of a series before a human reads it"),
    CliCommand("rebase", "seriestool.cli.rebase", "put a series on other trees: what goes in, what conflicts, and why"),
    CliCommand("show", "seriestool.cli.show", "show what a series is"),
    CliCommand(
        "split", "seriestool.cli.split", "plan which patches of a series go to which tree, in which order, and try it"
    ),
    CliCommand(
        "status", "seriestool.cli.status", "say of tracked series whether they still apply, and what broke them"
    ),
    CliCommand("track", "seriestool.cli.track", "keep a series, its versions and reports in a folder of its own"),
    CliCommand("trees", "seriestool.cli.trees", "list, add, update and suggest the trees to look in"),
)
