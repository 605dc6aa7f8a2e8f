# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bot reads besides mails: the index of patches, in which prerequisites are looked for."""

from collections.abc import Callable
from pathlib import Path

from seriestool.bot.intake.list_intake import ListIntake
from seriestool.bot.intake.list_reader import ReadLimits
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index import find_index
from seriestool.sources.lists.patch_index_writer import make_index
from tests.support.mails import fill, series
from tests.support.repos import Repo

Make = Callable[..., Repo]


def reading(tmp_path: Path, **lists: str) -> ListIntake:
    config = {f"seriestool.list.{name}.path": (path,) for name, path in lists.items()}
    return ListIntake((), tmp_path / "mirrors", 0, ReadLimits(), config)


def known(path: Path) -> dict[str, int]:
    index = find_index(path)
    assert index is not None
    with index:
        return index.lists()


def test_lists_that_are_in_the_index_stay_up_to_date(make_repo: Make, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "lists.sqlite"
    one, other = make_repo("one.git", bare=True), make_repo("other.git", bare=True)
    fill(one, series("a", 2))
    fill(other, series("b", 2))
    with make_index(path) as index:
        update_list(index, "one", str(one.path), tmp_path / "mirrors")
    fill(one, series("c", 3, day=2))
    reading(tmp_path, one=str(one.path), other=str(other.path)).index(path)
    assert known(path) == {"one": 5}
    assert said == []


def test_a_list_that_is_gone_is_told_and_the_others_go_on(make_repo: Make, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "lists.sqlite"
    one, other = make_repo("one.git", bare=True), make_repo("other.git", bare=True)
    with make_index(path) as index:
        for repo, name in ((one, "one"), (other, "other")):
            fill(repo, series(name, 2))
            update_list(index, name, str(repo.path), tmp_path / "mirrors")
    fill(other, series("c", 1, cover=False, day=2))
    reading(tmp_path, one=str(tmp_path / "nothing"), other=str(other.path)).index(path)
    assert known(path) == {"one": 2, "other": 3}
    assert [line.partition(":")[0] for line in said] == ["cannot index 'one'"]


def test_without_an_index_nothing_is_made(tmp_path: Path, said: list[str]) -> None:
    reading(tmp_path, one=str(tmp_path)).index(tmp_path / "lists.sqlite")
    assert not (tmp_path / "lists.sqlite").exists()
