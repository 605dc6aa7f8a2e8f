# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands that run checks have in common: which checks, how, and what is said of those that broke."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seriestool.check.profiles import PROFILES
from seriestool.check.runner import CheckCrash
from seriestool.check.selection import CheckOptions, split_names
from seriestool.cli.options import CliParser
from seriestool.cli.ui import Ui
from seriestool.util.errors import InputError

if TYPE_CHECKING:
    from argparse import _ArgumentGroup


def add_check_arguments(parser: CliParser) -> "_ArgumentGroup":
    """Which checks are run, and how; the group that has these options."""
    group = parser.add_argument_group("what to check")
    group.add_argument("--only", metavar="CHECK", action="append", default=[], help="only these (repeatable, or a,b)")
    group.add_argument("--skip", metavar="CHECK", action="append", default=[], help="not these (repeatable, or a,b)")
    names = ", ".join(profile.name for profile in PROFILES)
    group.add_argument(
        "--profile", metavar="NAME", help=f"how grave things are: {names} (default: by subject and tree)"
    )
    group.add_argument(
        "--severity",
        metavar="CHECK[/RULE]=LEVEL",
        action="append",
        default=[],
        help="how grave this is: note, warn, fail or off (repeatable)",
    )
    group.add_argument("--no-cache", action="store_true", help="look anew at what was looked at before")
    group.add_argument("-j", "--jobs", metavar="N", type=_jobs, help="processes at a time (default: one per processor)")
    group.add_argument(
        "--unsandboxed",
        action="store_true",
        help="run code from patches and trees without a sandbox: with your rights, on your files",
    )
    return group


def check_options(arguments: Namespace) -> CheckOptions:
    """What the options of `add_check_arguments` say."""
    return CheckOptions(
        split_names(arguments.only), split_names(arguments.skip), arguments.profile, tuple(arguments.severity)
    )


def report_broken_checks(broken: Sequence[CheckCrash], ui: Ui) -> None:
    """Name the logs of what broke, as `cli/main.py` does for the program itself."""
    from seriestool.cli.crash_log import write_crash_log

    for one in broken:
        try:
            path = write_crash_log(one.error, ["check", one.check])
        except OSError as error:
            ui.note(f"the check '{one.check}' broke; no log: {error}")
        else:
            ui.note(f"the check '{one.check}' broke; please report it with the log '{path}'")


def _jobs(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:4]) <= 256:
        return int(text[:4])
    raise InputError(f"'{text}' is no number of processes", hint="--jobs wants a number from 1 to 256")
