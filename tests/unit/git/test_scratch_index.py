# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches tried by git itself, in an index of our own."""

from pathlib import Path

import pytest

from seriestool.git import GitError, Repository
from seriestool.util.errors import InputError
from tests.support.repos import Repo


def test_a_three_way_merge_writes_nothing_where_the_user_stands(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For a file that both sides add, git apply --cached --3way checks it out, in the current directory.
    base = repo.commit({"a": "a\n"})
    repo.commit({"dir/new": "theirs\n"})
    diff = repo.format_patch(f"{base}..")
    repo.git("update-ref", "refs/heads/main", base)
    ours = repo.commit({"dir/new": "ours\n"})
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    with Repository.open(repo.path) as repository, repository.scratch() as scratch:
        scratch.load(repository.ls_tree(ours, [b"dir/new"]))
        assert not scratch.apply_three_way(diff, 1)

    assert not list(here.iterdir())
    assert (repo.path / "dir/new").read_text() == "ours\n"


def test_a_draft_makes_commits_that_no_ref_leads_to(repo: Repo) -> None:
    base = repo.commit({"a": "1\n", "b": "b\n"})
    repo.commit({"a": "2\n"})
    diff = repo.format_patch(f"{base}..")
    refs, status = repo.git("for-each-ref"), repo.git("status", "--short")
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "1700000000 +0000"}

    with Repository.open(repo.path) as repository, repository.draft() as draft:
        draft.load_commit(base)
        assert draft.apply(diff, 1)
        commit = draft.commit(base, b"two\n", author)

    assert repo.git("show", f"{commit}:a") == "2"
    assert repo.git("show", f"{commit}:b") == "b"
    assert repo.git("log", "-1", "--format=%an %ae %at %s", commit) == "A a@example.org 1700000000 two"
    assert (repo.git("for-each-ref"), repo.git("status", "--short")) == (refs, status)


def test_a_message_that_git_refuses_is_said_to_be_commit_trees_fault(repo: Repo) -> None:
    base = repo.commit({"a": "1\n"})
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "1700000000 +0000"}
    with Repository.open(repo.path) as repository, repository.draft() as draft:
        draft.load_commit(base)
        with pytest.raises(GitError, match=r"git commit-tree failed: .*NUL"):
            draft.commit(base, b"a\0b\n", author)


@pytest.mark.parametrize("setting", [("core.attributesFile", "{attributes}"), ("merge.default", "own")])
def test_a_three_way_merge_runs_no_merge_driver_of_the_user(
    setting: tuple[str, str], repo: Repo, tmp_path: Path
) -> None:
    numbers = [f"{n}\n" for n in range(20)]
    base = repo.commit({"a": "".join(numbers)})
    repo.commit({"a": "".join([*numbers[:9], "theirs\n", *numbers[10:]])})
    diff = repo.format_patch(f"{base}..", "--full-index")
    repo.git("update-ref", "refs/heads/main", base)
    ours = repo.commit({"a": "".join([*numbers[:9], "ours\n", *numbers[10:]])})
    attributes = tmp_path / "attributes"
    attributes.write_text("* merge=own\n")
    repo.git("config", "--global", setting[0], setting[1].format(attributes=attributes))
    repo.git("config", "--global", "merge.own.driver", f"touch {tmp_path}/ran; cp %B %A")

    with Repository.open(repo.path) as repository, repository.scratch() as scratch:
        scratch.load(repository.ls_tree(ours, [b"a"]))
        assert not scratch.apply_three_way(diff, 1)

    assert not (tmp_path / "ran").exists()


def test_who_commits_must_be_known(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = repo.commit({"a": "1\n"})
    empty = tmp_path / "nobody"
    empty.mkdir()
    monkeypatch.setenv("HOME", str(empty))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(empty))
    repo.git("config", "user.useConfigOnly", "true")
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "1700000000 +0000"}
    with Repository.open(repo.path) as repository, repository.draft() as draft:
        draft.load_commit(base)
        with pytest.raises(InputError, match="git does not know who you are"):
            draft.commit(base, b"x\n", author)
