# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of git-config are what git takes them for; only keys of the table can be read."""

import subprocess
from pathlib import Path

import pytest

from seriestool.git.process import parse_config
from seriestool.report.config_page import config_page
from seriestool.util.config import (
    KEYS,
    all_texts,
    find_text,
    get_boolean,
    get_number,
    parse_boolean,
    parse_number,
)
from seriestool.util.errors import InputError
from tests.support.repos import ROOT

WARNINGS, TRIES = "seriestool.bot.warnings", "seriestool.bot.tries"


def git_says(file: Path, kind: str, text: str) -> str | None:
    """What git makes of the text as a value of this kind; None where it refuses."""
    file.write_text(f'[a]\n\tb = "{text}"\n')
    found = subprocess.run(
        ["git", "config", "--file", file, f"--type={kind}", "a.b"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else None


@pytest.mark.parametrize(
    "text",
    ["true", "TRUE", "yes", "On", "1", "2", "-1", "0", "00", "1k", "0k", "false", "No", "off", "2x", "maybe"],
)
def test_a_boolean_is_what_git_takes_for_one(tmp_path: Path, text: str) -> None:
    said = git_says(tmp_path / "config", "bool", text)
    assert parse_boolean(text) == (None if said is None else said == "true")


@pytest.mark.parametrize("text", ["0", "7", "-7", "+7", "1k", "2M", "1g", "1t", "x", "1 k", "k", "1.5"])
def test_a_number_is_what_git_takes_for_one(tmp_path: Path, text: str) -> None:
    said = git_says(tmp_path / "config", "int", text)
    assert parse_number(text) == (None if said is None else int(said))


def test_a_key_without_a_value_is_true(tmp_path: Path) -> None:
    (tmp_path / "config").write_text('[seriestool "bot"]\n\twarnings\n')
    listed = subprocess.run(
        ["git", "config", "--file", tmp_path / "config", "--list", "-z"], capture_output=True, check=True
    )
    assert get_boolean(parse_config(listed.stdout), WARNINGS, default=False)


def test_a_key_that_is_set_to_nothing_is_false_and_no_text() -> None:
    assert not get_boolean({WARNINGS: ("",)}, WARNINGS, default=True)
    assert find_text({"seriestool.lore": ("",)}, "seriestool.lore") is None


def test_the_last_value_counts() -> None:
    assert find_text({"seriestool.lore": ("a", "b")}, "seriestool.lore") == "b"
    assert all_texts({"seriestool.bot.skip": ("a", " ", "b")}, "seriestool.bot.skip") == ("a", "b")


@pytest.mark.parametrize("text", ["perhaps", "2x"])
def test_what_is_no_boolean_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match=f"^seriestool.bot.warnings is '{text}'$"):
        get_boolean({WARNINGS: (text,)}, WARNINGS, default=True)


@pytest.mark.parametrize("text", ["0", "-1", "many"])
def test_what_is_no_number_or_too_small_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match=f"^seriestool.bot.tries is '{text}'$"):
        get_number({TRIES: (text,)}, TRIES, 3, least=1)


def test_a_key_is_read_in_any_case_and_named_as_people_write_it() -> None:
    assert get_number({"seriestool.bot.mailsperday": ("2k",)}, "seriestool.bot.mailsPerDay", 1) == 2048
    with pytest.raises(InputError, match=r"^seriestool\.bot\.mailsPerDay is"):
        get_number({"seriestool.bot.mailsperday": ("x",)}, "seriestool.bot.mailsperday", 1)


def test_the_name_of_a_tree_keeps_its_case_and_its_dots() -> None:
    assert find_text({"seriestool.tree.Linux-6.1.y.url": ("x",)}, "seriestool.tree.Linux-6.1.y.url") == "x"


@pytest.mark.parametrize("key", ["seriestool.unknown", "seriestool.tree.url", "seriestool.bot.lore", "user.name"])
def test_a_key_that_is_not_in_the_table_cannot_be_read(key: str) -> None:
    with pytest.raises(KeyError):
        find_text({}, key)


def test_the_manual_page_is_made_of_the_table(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs/man/seriestool-config.5.md"
    if request.config.getoption("--refresh-golden"):
        page.write_text(config_page())
    assert page.read_text() == config_page(), "the keys have changed: `make golden`, and read the diff"
    assert len({key.name.lower() for key in KEYS}) == len(KEYS)
