# SPDX-License-Identifier: GPL-2.0-or-later
"""The program as a whole, as a user meets it first."""

import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool import __version__
from tests.support.repos import ROOT, Repo
from tests.support.session import Result

Cli = Callable[..., Result]
Golden = Callable[[str, str], None]


def test_help(cli: Cli, golden: Golden) -> None:
    golden("help", cli("--help").out)


def test_a_mistyped_command(cli: Cli, golden: Golden) -> None:
    result = cli("find-bsae", "20200101000000.1@example.com")
    assert result.code == 2
    golden("mistyped-command", result.err)


def test_outside_of_any_repository_help_still_works(cli: Cli, tmp_path: Path) -> None:
    assert cli("--help", cwd=tmp_path).code == 0


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_any_locale_will_do(cli: Cli, locale: str) -> None:
    result = cli("ümläut\x1b", env={"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert (result.code, len(result.err.splitlines())) == (2, 2)
    assert "\x1b" not in result.err


def test_git_finds_the_program_as_its_own_command(repo: Repo, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "git-seriestool"
    command.parent.mkdir()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["git-seriestool"].partition(":")
    command.write_text(f"#!{sys.executable}\nfrom {module} import {function}\n{function}()\n")
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    assert repo.git("seriestool", "--version", env={"PATH": path}) == f"seriestool {__version__}"
