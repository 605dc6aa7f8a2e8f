# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shells complete."""

import subprocess
from pathlib import Path

import pytest

from seriestool.cli.command_table import COMMANDS
from seriestool.cli.completion import SHELLS
from tests.support.session import run_program

_COMPLETE = r"""
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_shtab_seriestool
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "seriestool"
    file.write_text(run_program("completion", "bash").out)
    return file


def complete(script: Path, *words: str) -> list[str]:
    answer = subprocess.run(
        ["bash", "-c", _COMPLETE, "bash", str(script), *words], capture_output=True, text=True, cwd=script.parent
    )
    assert answer.stderr == ""
    return answer.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("seriestool", "find-"), ["find-base"]),
        (("seriestool", "trees", "upd"), ["update"]),
        (("seriestool", "find-base", "--off"), ["--offline"]),
        (("seriestool", "completion", "z"), ["zsh"]),
        (("seriestool", "bot", "ser"), ["serve"]),
        (("seriestool", "show", "--color", "alw"), ["always"]),
    ],
)
def test_bash(bash_script: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert complete(bash_script, *words) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_it(shell: str) -> None:
    result = run_program("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert [command.name for command in COMMANDS if command.name not in result.out] == []


def test_another_shell() -> None:
    assert run_program("completion", "tcsh").code == 2
