# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool lists`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.cli.user_folders import lists_path
from seriestool.sources.lists.patch_index import find_index
from tests.support.mails import diff, fill, mail, series
from tests.support.repos import Repo
from tests.support.session import Result

Cli = Callable[..., Result]
Make = Callable[..., Repo]


@pytest.fixture
def archive(make_repo: Make, tmp_path: Path) -> Path:
    fill(make_repo("inbox/git/0.git", bare=True), series("one", 2))
    return tmp_path / "inbox"


def test_from_adding_to_removing(cli_here: Cli, repo: Repo, archive: Path) -> None:
    added = cli_here("lists", "add", "devel", archive, cwd=repo.path)
    assert (added.code, added.out) == (0, "")
    assert "'seriestool lists update devel' reads it" in added.err
    assert repo.git("config", "seriestool.list.devel.path") == str(archive)
    assert cli_here("lists", "list", cwd=repo.path).out == f"devel         0  {archive}\n"
    updated = cli_here("lists", "update", cwd=repo.path)
    assert updated.code == 0
    assert "3 new mails, 2 new patches\n2 patches in all\n" in updated.err
    assert json.loads(cli_here("lists", "list", "--json", cwd=repo.path).out) == {
        "schema": 1, "lists": [{"name": "devel", "url": None, "path": str(archive), "patches": 2}],
    }  # fmt: skip
    index = find_index(lists_path())
    assert index is not None
    with index:
        assert len(index.series_of("one-v1-0@x")) == 2
    assert cli_here("lists", "remove", "devel", cwd=repo.path).code == 0
    assert cli_here("lists", "list", cwd=repo.path).out == ""
    index = find_index(lists_path())
    assert index is not None
    with index:
        assert len(index) == 0


def test_a_relative_path_is_kept_whole(cli_here: Cli, repo: Repo, archive: Path) -> None:
    cli_here("lists", "add", "devel", "../inbox", "--repo", repo.path, cwd=repo.path)
    assert cli_here("lists", "update", "-q", cwd=repo.path) == Result(0, "", "")


def test_in_the_users_own_config_no_repository_is_needed(
    cli_here: Cli, tmp_path: Path, archive: Path, sealed: Path
) -> None:
    (tmp_path / "nowhere").mkdir()
    assert cli_here("lists", "add", "--global", "devel", archive, cwd=tmp_path / "nowhere").code == 0
    assert "devel" in (sealed / ".gitconfig").read_text()
    assert cli_here("lists", "update", "devel", cwd=tmp_path / "nowhere").code == 0
    assert cli_here("lists", "remove", "--global", "devel", cwd=tmp_path / "nowhere").code == 0
    assert "devel" not in (sealed / ".gitconfig").read_text()


def test_an_archive_at_a_url_is_copied_and_the_copy_goes_with_the_list(
    cli_here: Cli, repo: Repo, archive: Path
) -> None:
    cli_here("lists", "add", "devel", f"file://{archive}", cwd=repo.path)
    assert "2 new patches" in cli_here("lists", "update", cwd=repo.path).err
    mirrors = lists_path().with_name("lists")
    assert len(list(mirrors.glob("*/0.git"))) == 1
    cli_here("lists", "remove", "devel", cwd=repo.path)
    assert list(mirrors.iterdir()) == []


def test_one_list_that_cannot_be_read_does_not_stop_the_others(
    cli_here: Cli, repo: Repo, archive: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.mbox"
    gone.write_bytes(b"")
    cli_here("lists", "add", "a-gone", gone, cwd=repo.path)
    cli_here("lists", "add", "devel", archive, cwd=repo.path)
    gone.unlink()
    result = cli_here("lists", "update", cwd=repo.path)
    assert result.code == 4
    assert "2 new patches" in result.err
    assert "seriestool: cannot read 'a-gone'\nhint: the other lists are up to date\n" in result.err


def test_a_password_in_a_url_is_not_shown(cli_here: Cli, repo: Repo) -> None:
    cli_here("lists", "add", "devel", "https://me:secret@example.invalid/devel", cwd=repo.path)
    for result in (cli_here("lists", "list", cwd=repo.path), cli_here("lists", "list", "--json", cwd=repo.path)):
        assert "example.invalid/devel" in result.out
        assert "secret" not in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "devel", "none"), "'none' does not exist"),
        (("add", "a b", "."), "'a b' cannot be the name of a list"),
        (("add", "-x", "."), "the following arguments are required"),
        (("add", "devel"), "the following arguments are required"),
        (("remove", "devel"), "no list 'devel' is configured"),
        (("update", "devel"), "no list 'devel' is configured"),
        (("update",), "no list was added"),
        ((), "the following arguments are required"),
    ],
)
def test_wrong_command_lines(cli_here: Cli, repo: Repo, arguments: tuple[str, ...], said: str) -> None:
    result = cli_here("lists", *arguments, cwd=repo.path)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_name_is_given_once(cli_here: Cli, repo: Repo, archive: Path) -> None:
    cli_here("lists", "add", "devel", archive, cwd=repo.path)
    result = cli_here("lists", "add", "devel", archive, cwd=repo.path)
    assert (result.code, "the list 'devel' exists" in result.err) == (2, True)


def test_a_damaged_index_is_made_again(cli_here: Cli, repo: Repo, archive: Path) -> None:
    cli_here("lists", "add", "devel", archive, cwd=repo.path)
    cli_here("lists", "update", cwd=repo.path)
    lists_path().write_bytes(b"SQLite format 3\0" + b"x" * 9000)
    assert "run 'seriestool lists update'" in cli_here("lists", "list", cwd=repo.path).err
    assert "2 new patches" in cli_here("lists", "update", cwd=repo.path).err


def test_a_mail_in_between_is_no_reason_to_read_all(cli_here: Cli, repo: Repo, archive: Path) -> None:
    cli_here("lists", "add", "devel", archive, cwd=repo.path)
    cli_here("lists", "update", cwd=repo.path)
    fill(Repo(archive / "git/0.git", bare=True), [mail("late@x", "[PATCH] f", diff())])
    assert "1 new mails, 1 new patches\n3 patches in all\n" in cli_here("lists", "update", cwd=repo.path).err
