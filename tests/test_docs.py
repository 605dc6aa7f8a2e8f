# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documentation promises is there."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from seriestool.cli.command_table import COMMANDS, CliCommand
from tests.support.repos import ROOT
from tests.support.session import run_program

PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "COPYING")
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def markdown() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in listed.split()]


@pytest.mark.parametrize("name", PAGES)
def test_the_usual_pages_are_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_each_command_has_its_module_its_help_and_its_page(command: CliCommand) -> None:
    assert importlib.util.find_spec(command.module) is not None
    text = (ROOT / f"docs/man/seriestool-{command.name}.1.md").read_text()
    assert f"seriestool {command.name}" in text
    result = run_program(command.name, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"usage: seriestool {command.name} ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_page_has_each_option(command: CliCommand) -> None:
    own = run_program(command.name, "--help").out.partition("common options:")[0]
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", own)) - {
        "--help",
        "--repo",
        "--color",
        "--quiet",
        "--verbose",
    }
    text = (ROOT / f"docs/man/seriestool-{command.name}.1.md").read_text()
    assert {option for option in options if not re.search(re.escape(option) + r"(?![\w-])", text)} == set()


def test_the_readme_names_only_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"^(?:    |\$ |`)+\$? ?(?:git )?seriestool ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named
    assert named <= {command.name for command in COMMANDS}


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_number_and_says_what_was_decided(page: Path) -> None:
    text = page.read_text()
    assert re.match(rf"# {page.name[:4]}: ", text)
    assert re.search(r"^(## Decision$|\*\*Decision)", text, re.MULTILINE)


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [page.name[:4] for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in markdown()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_architecture_names_modules_that_exist() -> None:
    names = re.findall(r"`((?:[a-z0-9_]+/)*[a-z0-9_]+(?:\.py|/))`", (ROOT / "ARCHITECTURE.md").read_text())
    missing = {name for name in names if not (ROOT / "seriestool" / name).exists() and not (ROOT / name).exists()}
    assert missing == set()


def test_architecture_gives_every_module_its_layer() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    modules = {path.name for path in (ROOT / "seriestool").glob("*.py")} - {"__init__.py", "__main__.py"}
    packages = {f"{path.parent.name}/" for path in (ROOT / "seriestool").glob("*/__init__.py")}
    assert {name for name in modules | packages if f"`{name}`" not in text} == set()


def test_the_index_of_decisions_has_each_of_them() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    rows = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", index, re.MULTILINE)
    assert rows == [(page.name[:4], page.name, page.read_text().partition("\n")[0][8:]) for page in DECISIONS]
