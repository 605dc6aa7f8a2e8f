# SPDX-License-Identifier: GPL-2.0-or-later
"""The verbs that move refs: reflogs, transactions, fetching, git-config."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import GitError, Repository
from tests.support.repos import Repo

Make = Callable[..., Repo]


def test_reflog_names_ref_commit_and_time(repo: Repo) -> None:
    first = repo.commit({"a": "1"})
    second = repo.commit({"a": "2"}, branch="topic", parent=first)
    repo.git("update-ref", "refs/heads/topic", first, env={"GIT_COMMITTER_DATE": "1700009000 +0000"})
    entries = Repository.open(repo.path).reflog()
    assert ("refs/heads/topic", first, 1700009000) in entries
    assert ("refs/heads/topic", second) in {entry[:2] for entry in entries}
    assert len(Repository.open(repo.path).reflog(limit=1)) == 1


def test_reflog_of_a_repository_without_any(make_repo: Make) -> None:
    assert Repository.open(make_repo(bare=True).path).reflog() == ()


def test_missing_from_tells_what_no_tip_leads_to(repo: Repo) -> None:
    root = repo.commit({"a": "1"})
    lost = repo.commit({"a": "2"}, branch="x", parent=root)
    tip = repo.commit({"a": "3"}, branch="y", parent=root)
    assert Repository.open(repo.path).missing_from([tip], [root, lost, "f" * 40]) == {lost}


def test_update_refs_moves_all_or_none(repo: Repo) -> None:
    commit = repo.commit({"a": "1"})
    git = Repository.open(repo.path)
    git.update_refs({"refs/x/a": commit, "refs/x/b": commit})
    git.update_refs({"refs/x/a": None})
    with pytest.raises(GitError):
        git.update_refs({"refs/x/new": commit, "refs/x/bad": "f" * 40})
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/x") == "refs/x/b"


def test_fetch_writes_only_the_refs_asked_for(make_repo: Make) -> None:
    there, here = make_repo("there"), make_repo("here")
    commit = there.commit({"a": "1"})
    there.git("tag", "v1")
    Repository.open(here.path).fetch(there.path.as_uri(), ["+refs/heads/*:refs/x/*"], timeout=60)
    assert here.git("for-each-ref", "--format=%(refname) %(objectname)") == f"refs/x/main {commit}"
    assert not (here.path / ".git/FETCH_HEAD").exists()


def test_fetch_that_fails_says_why_in_one_line(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"^'?.*/nowhere'? does not appear to be a git repository$"):
        Repository.open(repo.path).fetch(str(tmp_path / "nowhere"), ["+refs/heads/*:refs/x/*"], timeout=60)


def test_fetch_of_an_option_is_not_an_option(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(GitError):
        Repository.open(repo.path).fetch(f"--upload-pack=touch {tmp_path}/run", ["refs/heads/x"], timeout=60)
    assert not (tmp_path / "run").exists()


def test_fetch_gives_up_after_its_time(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git-remote-slow"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(GitError, match="longer than 1 seconds"):
        Repository.open(repo.path).fetch("slow://example.org/x", ["refs/heads/x"], timeout=1)


def test_config_is_written_and_taken_away(repo: Repo) -> None:
    git = Repository.open(repo.path)
    git.set_config("seriestool.tree.Net.url", "first")
    git.set_config("seriestool.tree.Net.url", "u")
    git.add_config("seriestool.x", "1")
    git.add_config("seriestool.x", "2.*")
    git.unset_config("seriestool.x", "1")
    assert git.config()["seriestool.tree.Net.url"] == ("u",)
    assert git.config()["seriestool.x"] == ("2.*",)
    git.remove_config_section("seriestool.tree.Net")
    assert "seriestool.tree.Net.url" not in git.config()


def test_create_makes_a_bare_repository_once(tmp_path: Path) -> None:
    made = Repository.create(tmp_path / "a/b.git")
    assert made.is_bare
    assert Repository.create(tmp_path / "a/b.git").git_dir == made.git_dir
