# SPDX-License-Identifier: GPL-2.0-or-later
"""Descriptions from the index, against git itself."""

import random
from pathlib import Path
from unittest.mock import patch

import pytest

from seriestool.base.git_describe import start_describe
from seriestool.git import Repository
from seriestool.trees import list_tags
from seriestool.trees.history import DescribeUndecidedError, History, find_nearest_tag
from tests.support.histories import Maker, indexed
from tests.support.repos import FIRST_DATE, Repo


def git_says(repo: Repo, commit: str) -> str | None:
    with Repository.open(repo.path) as repository:
        return repository.describe(commit)


def tagged(repo: Repo) -> dict[str, str]:
    """The tags, by commit."""
    with Repository.open(repo.path) as repository:
        return {tag.commit: tag.name for tag in list_tags(repository.refs())}


def assert_described_like_git(history: History, repo: Repo, commits: list[str]) -> int:
    """The index says what git says or nothing; how often it says it."""
    names = tagged(repo)
    told = 0
    for commit in commits:
        position = history.find(commit)
        assert position is not None
        try:
            found = find_nearest_tag(history, position, names)
        except DescribeUndecidedError:
            continue
        text = found and names[found[0]] + (f"-{found[1]}-g{commit[:12]}" if found[1] else "")
        assert text == git_says(repo, commit)
        told += 1
    return told


@pytest.mark.parametrize(("seed", "tags"), [(1, 1), (2, 4), (3, 9), (4, 12), (5, 25), (6, 60), (7, 0)])
def test_random_histories_with_wrong_clocks(tmp_path: Path, seed: int, tags: int) -> None:
    maker = Maker(Repo(tmp_path / "repo"), seed)
    for step in (100, 20, 5):
        maker.grow(step)
        indexed(maker.repo, tmp_path / "index")
    chosen = random.Random(seed).sample(maker.commits, tags)  # noqa: S311
    maker.repo.git("update-ref", "--stdin", input="".join(f"create refs/tags/v{oid} {oid}\n" for oid in chosen))
    history = indexed(maker.repo, tmp_path / "index")
    assert assert_described_like_git(history, maker.repo, maker.commits) > 60


@pytest.mark.parametrize("seed", range(6))
def test_random_merges_of_equal_dates(repo: Repo, tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311
    stream = []
    for number in range(120):
        count = min(number, choose.choice([1, 1, 1, 2, 2, 2, 2, 2, 3]))
        near = choose.sample(range(max(0, number - 6), number), count)
        time = FIRST_DATE + 60 * (number // 5 - choose.choice([0, 0, 0, 0, 9]))
        stream.append(f"commit refs/heads/c{number}\nmark :{number + 1}\ncommitter C <c@example.com> {time} +0000\n")
        stream.append(f"data {len(str(number))}\n{number}\n")
        stream += [f"{'merge' if at else 'from'} :{parent + 1}\n" for at, parent in enumerate(near)]
    stream += [f"reset refs/tags/v{number}\nfrom :{number + 1}\n" for number in range(120) if not choose.randrange(6)]
    repo.git("fast-import", "--quiet", input="".join(stream))
    commits = repo.git("for-each-ref", "--format=%(objectname)", "refs/heads").split()
    told = assert_described_like_git(indexed(repo, tmp_path / "index"), repo, commits)
    assert told > 20


def described(repo: Repo, folder: Path, commit: str) -> tuple[str | None, bool]:
    """The description, and whether git was asked for it."""
    with Repository.open(repo.path) as repository:
        history, tags = indexed(repo, folder), list_tags(repository.refs())
        with patch.object(repository, "start_describe", wraps=repository.start_describe) as asked:
            return start_describe(repository, history, tags, commit)(), asked.called


@pytest.mark.parametrize(
    ("tags", "is_asked"),
    [
        ([], False),
        ([("tag", "light")], False),
        ([("tag", "-m", "x", "annotated")], False),
        ([("tag", "-m", "x", "inner"), ("tag", "-m", "y", "outer", "inner"), ("tag", "-d", "inner")], False),
        ([("tag", "light"), ("tag", "-m", "x", "annotated")], True),
        ([("tag", "-m", "x", "b-older"), ("tag", "-m", "x", "a-newer")], True),
        ([("tag", "-m", "x", "a-older"), ("tag", "-m", "x", "b-newer")], True),
        ([("tag", "-m", "x", "inside"), ("update-ref", "refs/tags/outside", "inside"), ("tag", "-d", "inside")], True),
        ([("tag", "ü/deep.er")], False),
    ],
)
def test_names_of_tags(repo: Repo, tmp_path: Path, tags: list[tuple[str, ...]], is_asked: bool) -> None:
    first = repo.commit({"a": "1"})
    for arguments in tags:
        repo.git(*arguments)
    second = repo.commit({"a": "2"})
    for commit in (first, second):
        assert described(repo, tmp_path / "index", commit) == (git_says(repo, commit), is_asked)


def test_a_tag_of_a_blob_is_none_of_a_commit(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"a": "1"})
    repo.git("tag", "key", f"{first}:a")
    assert described(repo, tmp_path / "index", first) == (None, False)


def test_a_commit_that_is_not_in_the_index(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"a": "1"})
    repo.git("tag", "v1")
    lost = repo.git("commit-tree", "-p", first, "-m", "lost", f"{first}^{{tree}}")
    assert described(repo, tmp_path / "index", lost) == (f"v1-1-g{lost[:12]}", True)


def test_a_ref_that_looks_like_the_abbreviated_id(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"a": "1"})
    repo.git("tag", "v1")
    second = repo.commit({"a": "2"})
    repo.git("branch", second[:12], first)
    assert described(repo, tmp_path / "index", second) == (f"v1-1-g{second[:12]}", True)


def test_another_view_of_the_history(repo: Repo, tmp_path: Path) -> None:
    """With replace refs, grafts and a shallow boundary git sees another history, and so does the index."""
    commits = [repo.commit({"a": str(number)}) for number in range(9)]
    repo.git("tag", "v1", commits[0])
    repo.git("tag", "v2", commits[2])
    repo.git("replace", "--graft", commits[4], commits[1])
    assert described(repo, tmp_path / "index", commits[8]) == (f"v1-6-g{commits[8][:12]}", False)
    repo.write(".git/info/grafts", f"{commits[6]} {commits[0]}\n")
    assert described(repo, tmp_path / "index", commits[8]) == (git_says(repo, commits[8]), False)
    (repo.path / ".git/shallow").write_text(f"{commits[7]}\n")
    assert described(repo, tmp_path / "index", commits[8]) == (None, False)
    assert git_says(repo, commits[8]) is None
