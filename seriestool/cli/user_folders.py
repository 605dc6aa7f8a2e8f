# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's own folders: for what can be fetched again, for data, for state.

https://specifications.freedesktop.org/basedir-spec/latest/ says where they are, and that a relative path is ignored.
"""

import os
from pathlib import Path


def cache_dir() -> Path:
    """The folder for what can be fetched again."""
    return _user_folder("XDG_CACHE_HOME", "~/.cache")


def state_dir() -> Path:
    """The folder for state files: logs, the bot's database."""
    return _user_folder("XDG_STATE_HOME", "~/.local/state")


def lists_path() -> Path:
    """The user's index of the patches on lists."""
    return _data_dir() / "lists.sqlite"


def list_mirrors_path() -> Path:
    """Where copies of lists' archives are kept that come from a URL."""
    return _data_dir() / "lists"


def _data_dir() -> Path:
    return _user_folder("XDG_DATA_HOME", "~/.local/share")


def _user_folder(variable: str, default: str) -> Path:
    folder = os.environ.get(variable, "")
    base = Path(folder) if folder.startswith("/") else Path(default).expanduser()
    return base / "seriestool"
