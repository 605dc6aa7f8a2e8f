# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands that put a series on trees have in common: what it was made from, and how it is split."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from seriestool.cli.prerequisite_options import add_prerequisites_argument
from seriestool.util.errors import InputError

if TYPE_CHECKING:
    from argparse import _ArgumentGroup


class SplitOptions(NamedTuple):
    """How the plan of a split is tried and printed, and what is made of it."""

    onto: Sequence[str]
    format: str
    branch: str | None
    notes: bool
    output: str | None
    force: bool


def add_base_arguments(group: "_ArgumentGroup") -> None:
    """How to say what the series was made from."""
    group.add_argument(
        "--base", metavar="COMMIT", help="what the series was made from (default: what find-base proves or rebuilds)"
    )
    add_prerequisites_argument(group)


def add_by_file_argument(group: "_ArgumentGroup") -> None:
    """Whether split cuts patches."""
    group.add_argument(
        "--by-file",
        action="store_true",
        help="split: cut patches that straddle trees into one for each, where that is possible",
    )


def check_notes(notes: bool, branch: str | None) -> None:
    """Nothing, where there is a branch whose commits may get the notes; InputError where there is none."""
    if notes and branch is None:
        raise InputError("notes are made for the commits of a branch", hint="--notes goes with --branch NAME")
