# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands on tracked series have in common: their folder, and the words that mean one of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.cli.options import CliParser
from seriestool.track.track_store import TrackStore

if TYPE_CHECKING:
    from argparse import _ArgumentGroup


def add_dir_argument(group: "_ArgumentGroup | CliParser") -> None:
    """Where the tracked series are."""
    group.add_argument(
        "--dir", metavar="DIR", type=Path, default=Path("series"), help="the folder of all tracked series (./series)"
    )


def find_tracked(store: TrackStore, word: str) -> str | None:
    """The name of the tracked series that is meant by the word, its name or its folder; None where it means none."""
    names = store.names()
    path = Path(word)
    if path.name in names and path.is_dir() and path.resolve() == (store.root / path.name).resolve():
        return path.name
    return word if word in names and not path.exists() else None
