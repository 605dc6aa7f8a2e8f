# SPDX-License-Identifier: GPL-2.0-or-later
"""What checks ask of the history: the index's table of messages answers as the commits themselves do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seriestool.check.commits.commit_lookup import CommitLookup
from seriestool.check.commits.subject_habits import SubjectHabits
from seriestool.git import ObjectReader, Repository, ScratchRepository
from seriestool.rebase.merged_commit import find_merged_commit
from seriestool.trees.history import History, index_window
from tests.support.histories import indexed
from tests.support.repos import FIRST_DATE, Repo
from tests.support.series import SIGNED, mail_series, parse_series

FILES = {"Makefile": "0\n", "a.c": "0\n", "b.c": "0\n"}


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    """Two releases, a title that stands twice, a merge, a revert, and a patch that was merged and then reverted."""
    base = repo.commit(FILES, "Linux 6.12")
    repo.commit({"a.c": "1\n"}, "a: begin")
    side = repo.commit({"b.c": "side\n"}, "b: beside", branch="side", parent=base)
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge b", side)
    repo.commit({"Makefile": "1\n"}, "Linux 6.13")
    repo.commit({"a.c": "2\n", "b.c": "2\n"}, "A: Begin")
    repo.commit({"Makefile": "2\n"}, "kbuild: no release")
    gone = repo.commit({"a.c": "3\n"}, "a: more")
    repo.commit({"a.c": "2\n"}, f'Revert "a: more"\n\nThis reverts commit {gone}.')
    repo.commit({"a.c": "4\n"}, "a: go on")
    return repo


@contextmanager
def opened(repo: Repo, folder: Path) -> Iterator[tuple[Repository, ScratchRepository, tuple[History, History]]]:
    """The repository, a scratch repository, and its history with a table of messages and without."""
    whole = indexed(repo, folder)
    with Repository.open(repo.path) as git, git.scratch_repository() as scratch_repo:
        window = index_window(git, git.refs(), 0, FIRST_DATE * 2)
        yield git, scratch_repo, (whole, window.history([path.encode() for path in FILES]))


def test_titles_and_releases_are_those_of_the_commits(kernel: Repo, tmp_path: Path) -> None:
    tip = kernel.git("rev-parse", "main")
    with opened(kernel, tmp_path) as (git, scratch_repo, histories):
        for history in histories:
            commits = CommitLookup(git, scratch_repo, history)
            assert [one.subject for one in commits.with_title("a:  begin.", [b"a.c", b"b.c"])] == [
                "A: Begin",
                "a: begin",
            ]
            assert list(commits.with_title("a: begin", [b"Makefile"])) == []
            release = commits.last_release(tip)
            assert release is not None and release.subject == "Linux 6.13"


def test_the_commits_of_a_title_are_the_only_ones_read(
    kernel: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = ObjectReader.commit

    def counted(reader: ObjectReader, name: str) -> object:
        read.append(name)
        return plain(reader, name)

    patch = parse_series(mail_series(kernel, (f"a: else\n\n{SIGNED}\n", {"a.c": "5\n"}))).patches[0]
    with opened(kernel, tmp_path) as (git, scratch_repo, (history, _)):
        monkeypatch.setattr(ObjectReader, "commit", counted)
        (found,) = CommitLookup(git, scratch_repo, history).with_title("a: go on", [b"a.c"])
        assert read == [found.oid]
        tip = history.find(kernel.git("rev-parse", "main"))
        assert SubjectHabits(patch, history, scratch_repo.objects).titles and tip is not None
        assert find_merged_commit(patch, history, tip, scratch_repo) is None
        assert read == [found.oid]


def test_habits_leave_out_merges_and_reverts(kernel: Repo, tmp_path: Path) -> None:
    patch = parse_series(mail_series(kernel, (f"b: else\n\n{SIGNED}\n", {"a.c": "5\n", "b.c": "5\n"}))).patches[0]
    with opened(kernel, tmp_path) as (_, scratch_repo, histories):
        for history in histories:
            titles = SubjectHabits(patch, history, scratch_repo.objects).titles
            assert titles == ("a: go on", "a: more", "A: Begin", "b: beside", "a: begin", "Linux 6.12")


@pytest.mark.parametrize(("content", "found"), [("4\n", "a: go on"), ("3\n", None)])
def test_who_is_merged(kernel: Repo, tmp_path: Path, content: str, found: str | None) -> None:
    base = kernel.git("rev-parse", "main~3")
    title = "a: go on" if found else "a: more"
    patch = parse_series(mail_series(kernel, (f"{title}\n\n{SIGNED}\n", {"a.c": content}), base=base)).patches[0]
    with opened(kernel, tmp_path) as (_, scratch_repo, histories):
        for history in histories:
            tip = history.find(kernel.git("rev-parse", "main"))
            assert tip is not None
            merged = find_merged_commit(patch, history, tip, scratch_repo)
            assert (merged.commit.subject if merged else None) == found
