# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of commits along lines of first parents, and the likeliest base among them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seriestool.base.history_region import FirstParentLines, HistoryRegion
from seriestool.base.rank import SAME_PUSH, CommitAtTime, PostingTime, likeliest, nearest
from seriestool.git import Repository
from seriestool.trees.history import History, is_absent, update
from tests.support.repos import FIRST_DATE, Repo

HOUR = 3600


class Asked:
    """A repository in which the file `f` is there or not; the region has the commits that have it."""

    def __init__(self, repo: Repo, folder: Path) -> None:
        self.repo = repo
        self.folder = folder
        self.history = History([])

    def region(self) -> HistoryRegion:
        with Repository.open(self.repo.path) as git:
            self.history = update(git, git.refs(), self.folder)
        events = [position for position, _ in self.history.changes(b"f")]
        return HistoryRegion(self.history, self.history.segments(b"f", lambda value: not is_absent(value)), events)

    def runs(self, tip: str) -> list[tuple[str, str, str | None]]:
        """(oldest, newest, ended by) along the line to the tip, newest first."""
        region = self.region()
        return [self.named(run.oldest, run.newest, run.ended_by) for run in region.runs(self.at(tip))]

    def side_runs(self, *tips: str) -> list[tuple[str, str, str | None]]:
        region = self.region()
        cover = FirstParentLines(self.history, [self.at(tip) for tip in tips])
        return sorted(
            self.named(run.oldest, run.newest, run.ended_by)
            for run in region.side_runs(cover, self.history.tips, FIRST_DATE, 100)
        )

    def at(self, oid: str) -> int:
        position = self.history.find(oid)
        assert position is not None
        return position

    def named(self, oldest: int, newest: int, ended_by: int | None) -> tuple[str, str, str | None]:
        oid = self.history.oid
        return oid(oldest), oid(newest), None if ended_by is None else oid(ended_by)


@pytest.fixture
def asked(repo: Repo, tmp_path: Path) -> Iterator[Asked]:
    yield Asked(repo, tmp_path / "index")


def test_file_comes_goes_and_comes_again(asked: Asked) -> None:
    repo = asked.repo
    repo.commit({"x": "1\n"})
    first = repo.commit({"f": "1\n"})
    second = repo.commit({"x": "2\n"})
    gone = repo.commit({"f": None})
    third = repo.commit({"f": "2\n"})
    asked.region()
    assert asked.runs(third) == [(third, third, None), (first, second, gone)]


def test_file_that_was_always_there(asked: Asked) -> None:
    root = asked.repo.commit({"f": "1\n"})
    tip = asked.repo.commit({"x": "1\n"})
    asked.region()
    assert asked.runs(tip) == [(root, tip, None)]
    assert asked.runs(root) == [(root, root, None)]


def test_file_that_never_was(asked: Asked) -> None:
    tip = asked.repo.commit({"x": "1\n"})
    asked.region()
    assert asked.runs(tip) == []
    assert not asked.region()


def test_topic_that_was_merged_and_spoiled(asked: Asked) -> None:
    repo = asked.repo
    start = repo.commit({"x": "1\n"})
    topic = repo.commit({"f": "1\n"}, branch="topic", parent=start)
    repo.commit({"y": "1\n"})
    merge = repo.commit({}, "ours", parent=["main", topic])
    repo.git("branch", "-D", "topic")
    asked.region()
    assert asked.runs(merge) == []
    assert asked.side_runs(merge) == [(topic, topic, None)]


def test_topic_that_was_merged_whole_is_part_of_the_run_of_the_merge(asked: Asked) -> None:
    repo = asked.repo
    start = repo.commit({"x": "1\n"})
    topic = repo.commit({"f": "1\n"}, branch="topic", parent=start)
    repo.commit({"y": "1\n"})
    merge = repo.commit({"f": "1\n"}, "merge", parent=["main", topic])
    repo.git("branch", "-D", "topic")
    asked.region()
    assert asked.runs(merge) == [(merge, merge, None)]
    assert asked.side_runs(merge) == []


def test_tag_on_no_branch(asked: Asked) -> None:
    repo = asked.repo
    start = repo.commit({"x": "1\n"})
    tagged = repo.commit({"f": "1\n"}, branch="topic", parent=start)
    later = repo.commit({"y": "1\n"}, branch="topic")
    repo.git("tag", "v1", tagged)
    repo.git("tag", "v2", later)
    repo.git("branch", "-D", "topic")
    asked.region()
    assert asked.side_runs(start) == [(tagged, later, None)]


# --- the likeliest one --------------------------------------------------------------------------------------------


def line_of(asked: Asked, *hours: float) -> list[str]:
    """Commits that all have the file, at these hours."""
    return [asked.repo.commit({"f": f"{n}\n"}, date=FIRST_DATE + int(h * HOUR)) for n, h in enumerate(hours)]


def guess(asked: Asked, tip: str, hour: float, *named: str) -> str:
    region = asked.region()
    posting = PostingTime(FIRST_DATE + int(hour * HOUR), frozenset(named))
    return asked.history.oid(likeliest(asked.history, region.runs(asked.at(tip)), posting))


def test_newest_one_before_the_posting(asked: Asked) -> None:
    commits = line_of(asked, 0, 10, 20, 30)
    assert guess(asked, commits[-1], 25) == commits[2]
    assert guess(asked, commits[-1], 20) == commits[2]
    assert guess(asked, commits[-1], 1000) == commits[3]


def test_oldest_one_after_the_posting_where_none_is_before(asked: Asked) -> None:
    commits = line_of(asked, 10, 20, 30)
    assert guess(asked, commits[-1], 0) == commits[0]


def test_a_line_that_joins_one_walked_before_gets_the_same_answer(asked: Asked) -> None:
    commits = line_of(asked, *range(200))
    tips = [
        asked.repo.commit({"g": f"{n}"}, branch=f"b{n}", parent=commits[n], date=FIRST_DATE + 10**7) for n in range(200)
    ]
    asked.region()
    before = CommitAtTime(asked.history, FIRST_DATE + 50 * HOUR)
    found = [before.find(asked.at(tip)) for tip in reversed(tips)][::-1]
    assert [asked.history.oid(position) for position, _ in found] == [commits[min(n, 50)] for n in range(200)]
    followers = [asked.history.oid(follower) for _, follower in found if follower is not None]
    assert followers == [*tips[:51], *[commits[51]] * 149]


def test_commits_of_one_push_count_as_its_last_one(asked: Asked) -> None:
    near = SAME_PUSH / HOUR / 2
    commits = line_of(asked, 0, 10, 10 + near, 10 + 2 * near)
    assert guess(asked, commits[-1], 10 + near) == commits[0]


def test_tagged_commit_needs_no_push(asked: Asked) -> None:
    near = SAME_PUSH / HOUR / 2
    commits = line_of(asked, 0, 10, 10 + near, 10 + 2 * near)
    assert guess(asked, commits[-1], 10 + near, commits[2]) == commits[2]


def test_nearest_prefers_what_is_before(asked: Asked) -> None:
    commits = line_of(asked, 0, 10, 11)
    asked.region()
    posting = PostingTime(FIRST_DATE + int(10.9 * HOUR))
    found = nearest(asked.history, [asked.at(oid) for oid in commits], posting)
    assert found == asked.at(commits[1])
    assert nearest(asked.history, [], posting) is None
