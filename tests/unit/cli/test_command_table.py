# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of commands, and the contract that keeps them apart."""

import tomllib
from pathlib import Path

from seriestool.cli.bot import ACTIONS
from seriestool.cli.command_table import COMMANDS

_PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_the_contract_knows_every_command() -> None:
    contracts = tomllib.loads(_PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    (apart,) = [one for one in contracts if one["name"].startswith("no command imports another command")]
    commands = {one.module for one in (*COMMANDS, *ACTIONS)}
    assert set(apart["modules"]) == {"seriestool.cli.main", *commands}
    assert "ignore_imports" not in apart
