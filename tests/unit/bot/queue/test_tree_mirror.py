# SPDX-License-Identifier: GPL-2.0-or-later
"""The worker's own copy of the trees."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.bot.queue.tree_mirror import Mirror, update_trees
from seriestool.git import Repository
from seriestool.trees import list_trees
from seriestool.trees.history import History, fingerprint, index_dir
from seriestool.util.errors import InputError, OutsideError
from tests.support.repos import Repo

NOW = 1_700_000_000


@pytest.fixture
def upstream(make_repo: Callable[..., Repo]) -> Repo:
    repo = make_repo("upstream")
    repo.commit({"a": "1\n"})
    repo.commit({"a": "2\n"})
    return repo


def config_of(**trees: Repo | str) -> dict[str, tuple[str, ...]]:
    config: dict[str, tuple[str, ...]] = {}
    for name, where in trees.items():
        config[f"seriestool.tree.{name}.url"] = (str(where.path if isinstance(where, Repo) else where),)
        config[f"seriestool.tree.{name}.branch"] = ("main",)
    return config


@pytest.fixture
def make_mirror(tmp_path: Path, said: list[str]) -> Callable[..., Mirror]:
    return lambda **trees: Mirror(tmp_path / "mirror", config_of(**trees))


def tips(folder: Path) -> dict[str, str]:
    with Repository.open(folder) as repository:
        trees = list_trees(repository.refs(), repository.config(), repository.head())
        return {tree.name: tree.commit for tree in trees}


def has_index(folder: Path) -> bool:
    with Repository.open(folder) as repository:
        return History.open(index_dir(repository), fingerprint(repository, repository.refs())) is not None


def test_it_is_made_with_the_trees_of_the_configuration_and_an_index(
    make_mirror: Callable[..., Mirror], upstream: Repo
) -> None:
    with make_mirror(up=upstream) as mirror:
        (fetched,) = mirror.update(lambda: NOW)
    assert fetched.error is None
    assert tips(mirror.folder) == {"up": upstream.git("rev-parse", "main")}
    assert has_index(mirror.folder)
    with Repository.open(mirror.folder) as repository:
        assert repository.is_bare


def test_it_follows(make_mirror: Callable[..., Mirror], upstream: Repo) -> None:
    with make_mirror(up=upstream) as mirror:
        mirror.update(lambda: NOW)
        newer = upstream.commit({"a": "3\n"})
        mirror.update(lambda: NOW)
    assert tips(mirror.folder) == {"up": newer}


def test_a_tree_that_cannot_be_fetched_is_noted_and_the_others_come(
    make_mirror: Callable[..., Mirror], upstream: Repo, said: list[str], tmp_path: Path
) -> None:
    with make_mirror(gone=str(tmp_path / "nowhere"), up=upstream) as mirror:
        fetched = mirror.update(lambda: NOW)
    assert [bool(one.error) for one in fetched] == [True, False]
    assert list(tips(mirror.folder)) == ["up"]
    assert [line for line in said if line.startswith("cannot fetch 'gone': ")] == said


def test_a_tree_that_is_configured_no_more_goes(make_mirror: Callable[..., Mirror], upstream: Repo) -> None:
    with make_mirror(one=upstream, two=upstream) as mirror:
        mirror.update(lambda: NOW)
    with make_mirror(two=upstream) as mirror:
        mirror.update(lambda: NOW)
    assert list(tips(mirror.folder)) == ["two"]


def damage_pack(folder: Path) -> None:
    """A packed object, damaged in the middle."""
    for pack in (folder / "objects/pack").glob("*.pack"):
        pack.chmod(0o644)
        data = bytearray(pack.read_bytes())
        data[12:60] = b"\xff" * 48
        pack.write_bytes(data)
    for loose in (folder / "objects").glob("[0-9a-f][0-9a-f]/*"):
        loose.chmod(0o644)
        loose.write_bytes(b"")


def damage_head(folder: Path) -> None:
    (folder / "HEAD").write_bytes(b"\0\0\0")


def damage_ref(folder: Path) -> None:
    (folder / "packed-refs").unlink(missing_ok=True)
    ref = folder / "refs/seriestool/trees/up/main"
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text("1234567890123456789012345678901234567890\n")


def damage_objects(folder: Path) -> None:
    shutil.rmtree(folder / "objects")


@pytest.mark.parametrize("damage", [damage_pack, damage_head, damage_ref, damage_objects])
@pytest.mark.parametrize("way", ["update", "repair"])
def test_a_damaged_one_is_set_aside_and_made_anew(
    make_mirror: Callable[..., Mirror], upstream: Repo, said: list[str], damage: Callable[[Path], None], way: str
) -> None:
    with make_mirror(up=upstream) as mirror:
        mirror.update(lambda: NOW)
        damage(mirror.folder)
        newer = upstream.commit({"a": "3\n"})
        getattr(mirror, way)()
    assert tips(mirror.folder) == {"up": newer}
    assert has_index(mirror.folder)
    assert mirror.folder.with_name("mirror.damaged").is_dir()
    assert len(said) == 1
    assert "is damaged" in said[0]
    assert said[0].endswith("it is made anew")


def test_one_that_is_well_is_not_made_anew(make_mirror: Callable[..., Mirror], upstream: Repo, said: list[str]) -> None:
    with make_mirror(up=upstream) as mirror:
        mirror.update(lambda: NOW)
        mirror.repair()
    assert said == []
    assert not mirror.folder.with_name("mirror.damaged").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(make_mirror: Callable[..., Mirror], tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is not empty, and no mirror"):
        make_mirror()


def test_one_process_at_a_time_has_it(make_mirror: Callable[..., Mirror], upstream: Repo) -> None:
    with make_mirror(up=upstream), pytest.raises(OutsideError, match="another bot has the mirror"):
        make_mirror(up=upstream)
    with make_mirror(up=upstream):
        pass


def test_keys_of_the_bot_and_passwords_of_others_are_not_copied(tmp_path: Path, upstream: Repo) -> None:
    config = {
        **config_of(up=upstream), "seriestool.bot.patchworktoken": ("secret",), "sendemail.smtppass": ("secret",),
        "seriestool.check.profile": ("strict",),
    }  # fmt: skip
    with Mirror(tmp_path / "mirror", config) as mirror:
        mirror.update(lambda: NOW)
    text = (mirror.folder / "config").read_text()
    assert "secret" not in text
    assert "strict" in text


def test_the_users_own_repository_is_updated_in_place(upstream: Repo, repo: Repo, said: list[str]) -> None:
    repo.commit({"b": "1\n"})
    before = repo.git("rev-parse", "HEAD"), repo.git("status", "--porcelain")
    repo.git("config", "seriestool.tree.up.url", str(upstream.path))
    repo.git("config", "seriestool.tree.up.branch", "main")
    with Repository.open(repo.path) as repository:
        update_trees(repository, lambda: NOW)
    assert tips(repo.path)["up"] == upstream.git("rev-parse", "main")
    assert (repo.git("rev-parse", "HEAD"), repo.git("status", "--porcelain")) == before
    assert said == []
