# SPDX-License-Identifier: GPL-2.0-or-later
"""Some months of a history answer as the whole does, for the commits that are in them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import Ref, Repository
from seriestool.trees.history import index_window, is_absent
from tests.support.histories import PATHS, Maker, assert_like_git, ids, states
from tests.support.repos import FIRST_DATE, Repo

Make = Callable[..., Repo]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_window_answers_like_git(make_repo: Make, seed: int, object_format: str) -> None:
    maker = Maker(make_repo(object_format=object_format), seed)
    maker.grow(60)
    since, until = FIRST_DATE + 60 * 25, FIRST_DATE + 60 * 45
    with Repository.open(maker.repo.path) as git:
        found = index_window(git, git.refs(), since, until)
        history = found.history([*PATHS, b"never/there"])
    inside = [history.oid(pos) for pos in range(len(history) - len(found), len(history))]
    assert 0 < len(inside) < len(history) < 60
    assert all(since <= history.time(history.find(oid) or 0) <= until for oid in inside)
    assert_like_git(history, maker.repo, [history.oid(pos) for pos in range(len(history))])


def test_the_edge_has_its_dates(repo: Repo) -> None:
    commits = [repo.commit({"f": str(number)}, date=FIRST_DATE + 100 * number) for number in range(5)]
    with Repository.open(repo.path) as git:
        history = index_window(git, git.refs(), FIRST_DATE + 250, FIRST_DATE + 350).history([b"f"])
    assert {history.oid(pos): history.time(pos) for pos in range(len(history))} == {
        commits[2]: FIRST_DATE + 200,
        commits[3]: FIRST_DATE + 300,
    }


def test_a_file_older_than_the_window_is_there(repo: Repo) -> None:
    old = repo.commit({"old/file": "1"}, date=FIRST_DATE)
    new = repo.commit({"new": "1"}, date=FIRST_DATE + 1000)
    with Repository.open(repo.path) as git:
        history = index_window(git, git.refs(), FIRST_DATE + 500, FIRST_DATE + 5000).history(
            [b"old/file", b"new", b"old"]
        )
    assert ids(history, history.segments(b"old/file", states(repo, old)[b"old/file"].__eq__)) == {old, new}
    assert ids(history, history.segments(b"new", is_absent)) == {old}
    assert ids(history, history.segments(b"old", is_absent)) == {old, new}


def test_a_window_in_which_nothing_happened(repo: Repo) -> None:
    repo.commit({"f": "1"}, date=FIRST_DATE)
    with Repository.open(repo.path) as git:
        history = index_window(git, git.refs(), FIRST_DATE + 500, FIRST_DATE + 900).history([b"f"])
    assert len(history) == 0
    assert history.segments(b"f", is_absent) == []


def test_a_window_over_everything_has_no_edge(repo: Repo) -> None:
    commits = [repo.commit({"f": str(number)}) for number in range(3)]
    with Repository.open(repo.path) as git:
        found = index_window(git, git.refs(), 0, 2**31)
        history = found.history([b"f"])
    assert len(found) == len(history) == 3
    assert_like_git(history, repo, commits)


def test_a_window_of_a_repository_without_commits(repo: Repo, tmp_path: Path) -> None:
    with Repository.open(repo.path) as git:
        assert len(index_window(git, git.refs(), 0, 2**31).history([b"f"])) == 0


def test_a_window_over_refs_to_blobs_and_trees(repo: Repo) -> None:
    commit = repo.commit({"f": "1"})
    blob, tree = repo.git("rev-parse", "HEAD:f", "HEAD^{tree}").split()
    refs = [Ref("refs/tags/key", blob), Ref("refs/tags/tree", tree)]
    with Repository.open(repo.path) as git:
        assert len(index_window(git, refs, 0, 2**31).history([b"f"])) == 0
        history = index_window(git, [*refs, Ref("refs/heads/main", commit)], 0, 2**31).history([b"f"])
    assert [history.oid(pos) for pos in range(len(history))] == [commit]
