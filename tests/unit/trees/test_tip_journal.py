# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal of tips: what it remembers, what it keeps from gc, what it leaves alone."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import Repository
from seriestool.trees import Tree, list_trees
from seriestool.trees.tip_journal import TIPS, past_tips, record_tips
from seriestool.util.errors import OutsideError
from tests.support.repos import Repo

Make = Callable[..., Repo]
NEXT = "refs/remotes/origin/next"


def trees_of(git: Repository) -> tuple[Tree, ...]:
    return list_trees(git.refs(), git.config(), git.head())


def move(repo: Repo, commit: str, now: int, ref: str = NEXT, keep: int = 400) -> bool:
    """The ref moved without a reflog, and the journal told of it."""
    repo.git("-c", "core.logAllRefUpdates=false", "update-ref", ref, commit)
    git = Repository.open(repo.path)
    return record_tips(git, trees_of(git), now, keep)


def tips(repo: Repo, tree: str = "origin/next") -> list[tuple[str, int, int | None]]:
    with Repository.open(repo.path) as git:
        return [tip[1:] for tip in past_tips(git, trees_of(git)) if tip.tree == tree]


def kept(repo: Repo) -> list[str]:
    return repo.git("for-each-ref", "--format=%(refname:lstrip=3)", TIPS).split()


@pytest.fixture
def commits(repo: Repo) -> list[str]:
    """A root, and three commits on top of it that know nothing of each other and that no branch has."""
    root = repo.commit({"a": "0"})
    found = [repo.commit({"a": str(n)}, branch="scratch", parent=root) for n in (1, 2, 3)]
    repo.git("branch", "-D", "scratch")
    return [root, *found]


def test_rebased_away_tip_outlives_gc(repo: Repo, commits: list[str]) -> None:
    move(repo, commits[1], 100)
    move(repo, commits[2], 200)
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")
    assert tips(repo) == [(commits[1], 100, 200), (commits[2], 200, None)]
    assert kept(repo) == [commits[1]]


def test_tip_that_was_built_upon_needs_no_ref(repo: Repo, commits: list[str]) -> None:
    move(repo, commits[0], 100)
    move(repo, commits[1], 200)
    assert kept(repo) == []
    assert tips(repo) == [(commits[0], 100, 200), (commits[1], 200, None)]


def test_tip_kept_for_one_rebase_covers_the_tips_below_it(repo: Repo, commits: list[str]) -> None:
    above = repo.commit({"b": "1"}, branch="scratch", parent=commits[1])
    repo.git("branch", "-D", "scratch")
    for time, commit in ((1, commits[1]), (2, above), (3, commits[2])):
        move(repo, commit, time)
    repo.git("gc", "--quiet", "--prune=now")
    assert kept(repo) == [above]
    assert [commit for commit, _, _ in tips(repo)] == [commits[1], above, commits[2]]


def test_tip_that_comes_back_is_told_twice(repo: Repo, commits: list[str]) -> None:
    for time, commit in ((1, commits[1]), (2, commits[2]), (3, commits[1])):
        move(repo, commit, time)
    assert tips(repo) == [(commits[1], 1, 2), (commits[2], 2, 3), (commits[1], 3, None)]


def test_deleted_remote_branch_is_kept(repo: Repo, commits: list[str]) -> None:
    move(repo, commits[1], 1)
    repo.git("update-ref", "-d", NEXT)
    git = Repository.open(repo.path)
    assert record_tips(git, trees_of(git), 2)
    assert kept(repo) == [commits[1]]
    assert tips(repo) == [(commits[1], 1, None)]


def test_unchanged_trees_write_nothing_and_start_nothing(
    repo: Repo, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    move(repo, commits[1], 1)
    git = Repository.open(repo.path)
    trees = trees_of(git)
    monkeypatch.setenv("PATH", "/nowhere")
    assert not record_tips(git, trees, 2)


def test_own_branches_of_a_work_tree_are_left_alone(repo: Repo, commits: list[str]) -> None:
    for time, commit in ((1, commits[1]), (2, commits[2])):
        move(repo, commit, time, ref="refs/heads/mine")
    assert kept(repo) == []
    assert tips(repo, "mine") == []


def test_branches_of_a_bare_mirror_are_followed(make_repo: Make) -> None:
    bare = make_repo(bare=True)
    first, second = (bare.commit({"a": name}, branch="main", parent=()) for name in "12")
    for time, commit in ((1, first), (2, second)):
        move(bare, commit, time, ref="refs/heads/main")
    assert kept(bare) == [first]
    assert tips(bare, "main") == [(first, 1, 2), (second, 2, None)]


def test_reflogs_are_read_too(repo: Repo, commits: list[str]) -> None:
    for time, commit in ((1700000100, commits[1]), (1700000200, commits[2])):
        env = {"GIT_COMMITTER_DATE": f"{time} +0000"}
        repo.git("update-ref", "--create-reflog", NEXT, commit, env=env)
    assert tips(repo) == [(commits[1], 1700000100, 1700000200), (commits[2], 1700000200, None)]


def test_journal_and_reflog_of_the_same_moves_are_one_story(repo: Repo, commits: list[str]) -> None:
    for time, commit in ((1700000100, commits[1]), (1700000200, commits[2])):
        repo.git("update-ref", "--create-reflog", NEXT, commit, env={"GIT_COMMITTER_DATE": f"{time} +0000"})
        git = Repository.open(repo.path)
        record_tips(git, trees_of(git), time + 50)
    assert tips(repo) == [(commits[1], 1700000100, 1700000200), (commits[2], 1700000200, None)]


def test_tip_whose_commit_is_gone_is_not_told(repo: Repo, commits: list[str]) -> None:
    move(repo, commits[1], 1)
    log = repo.path / ".git/seriestool/tips/log"
    log.write_text(f"0 {'f' * 40} origin/next\n" + log.read_text())
    assert tips(repo) == [(commits[1], 1, None)]


def test_growth_is_bounded_for_each_tree(repo: Repo, commits: list[str]) -> None:
    for time in range(8):
        move(repo, commits[1 + time % 3], time, keep=2)
    assert [time for _, time, _ in tips(repo)] == [6, 7]
    assert len(kept(repo)) <= 2


def test_damaged_journal_is_read_as_far_as_it_makes_sense(repo: Repo, commits: list[str]) -> None:
    move(repo, commits[1], 5)
    log = repo.path / ".git/seriestool/tips/log"
    log.write_bytes(b"\xff\xfe\nx y z\n12\n9 short origin/next\n" + log.read_bytes() + b"77 abc")
    assert tips(repo) == [(commits[1], 5, None)]


def test_place_that_cannot_be_written(repo: Repo, commits: list[str]) -> None:
    (repo.path / ".git/seriestool").write_text("a file in the way")
    with pytest.raises(OutsideError, match="cannot write the journal of tips"):
        move(repo, commits[1], 1)
    assert tips(repo) == []


def _record_alone(path: Path, time: int) -> None:
    git = Repository.open(path)
    record_tips(git, trees_of(git), time)


def test_two_recorders_at_once(repo: Repo, commits: list[str]) -> None:
    move(repo, commits[1], 1)
    repo.git("-c", "core.logAllRefUpdates=false", "update-ref", NEXT, commits[2])
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_record_alone, args=(repo.path, 2)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert tips(repo) == [(commits[1], 1, 2), (commits[2], 2, None)]


def test_head_branches_index_and_config_are_untouched(repo: Repo, commits: list[str]) -> None:
    def state() -> tuple[str, bytes, bytes]:
        refs = repo.git("for-each-ref", "refs/heads")
        return refs, (repo.path / ".git/config").read_bytes(), (repo.path / ".git/HEAD").read_bytes()

    before = state()
    move(repo, commits[1], 1)
    move(repo, commits[2], 2)
    assert state() == before
