# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits that are named for a place in conflict: those that made the lines what they are, not the merges."""

import pytest

from seriestool.rebase.line_blame import MOST_COMMITS
from tests.support.repos import Repo
from tests.support.series import lines, make_series
from tests.support.session import rebase, the_conflict

TEXT = lines(1, 30)


def edited(number: int, text: str = TEXT, to: str = "changed") -> str:
    return text.replace(f"line {number}\n", f"line {number} {to}\n")


@pytest.fixture
def base(repo: Repo) -> str:
    repo.commit({"a": "1\n"}, "start")
    return repo.commit({"a": TEXT}, "base")


def culprits(repo: Repo, base: str, series: str | None = None, onto: str = "main") -> list[list[str]]:
    """The subjects of the commits that are named for each place, for a series that changes line 9."""
    mbox = make_series(repo, base, {"a": edited(9) if series is None else series})
    conflict = the_conflict(rebase(repo, mbox, onto, base=base).trees[0].patches[0])
    return [[repo.git("log", "-1", "--format=%s", oid) for oid in place.commits] for place in conflict.places]


def test_one_commit(repo: Repo, base: str) -> None:
    repo.commit({"a": edited(2)}, "elsewhere in the file")
    repo.commit({"a": edited(2, edited(9, to="x"))}, "the one")
    repo.commit({"a": edited(2, edited(9, edited(20), to="x"))}, "later elsewhere")
    repo.commit({"b": "1\n"}, "another file")
    assert culprits(repo, base) == [["the one"]]


def test_two_commits_the_newest_first(repo: Repo, base: str) -> None:
    repo.commit({"a": edited(9, to="x")}, "first")
    repo.commit({"a": edited(9, to="y")}, "second")
    assert culprits(repo, base) == [["second", "first"]]


def test_what_was_before_the_base_is_not_named(repo: Repo) -> None:
    repo.commit({"a": edited(9, to="old")}, "before")
    base = repo.commit({"a": TEXT}, "base")
    repo.commit({"a": edited(9, to="x")}, "after")
    assert culprits(repo, base) == [["after"]]


def test_the_commit_of_a_branch_that_was_merged(repo: Repo, base: str) -> None:
    topic = repo.commit({"a": edited(9, to="x")}, "on the topic", branch="topic", parent=base)
    topic = repo.commit({"t": "1\n"}, "more on the topic", branch="topic")
    main = repo.commit({"a": edited(25)}, "on main")
    repo.commit({"a": edited(25, edited(9, to="x")), "t": "1\n"}, "merge", parent=[main, topic])
    assert culprits(repo, base) == [["on the topic"]]


def test_a_merge_that_changes_lines_itself(repo: Repo, base: str) -> None:
    topic = repo.commit({"t": "1\n"}, "on the topic", branch="topic", parent=base)
    main = repo.commit({"a": edited(25)}, "on main")
    repo.commit({"a": edited(25, edited(9, to="x")), "t": "1\n"}, "evil merge", parent=[main, topic])
    assert culprits(repo, base) == [["evil merge"]]


def test_lines_that_were_removed(repo: Repo, base: str) -> None:
    repo.commit({"a": TEXT.replace("line 9\n", "")}, "removed")
    repo.commit({"a": "top\n" + TEXT.replace("line 9\n", "")}, "later")
    assert culprits(repo, base) == [["removed"]]


def test_lines_that_were_added_where_the_series_adds(repo: Repo, base: str) -> None:
    repo.commit({"a": TEXT.replace("line 9\n", "line 9\nother\n")}, "added")
    repo.commit({"a": "top\n" + TEXT.replace("line 9\n", "line 9\nother\n")}, "later")
    assert culprits(repo, base, TEXT.replace("line 9\n", "line 9\nmine\n")) == [["added"]]


def test_a_file_that_was_renamed(repo: Repo, base: str) -> None:
    repo.commit({"a": None, "b": TEXT}, "renamed")
    repo.commit({"b": edited(9, to="x")}, "changed under the new name")
    assert culprits(repo, base) == [["changed under the new name"]]


def test_each_place_has_its_own(repo: Repo, base: str) -> None:
    repo.commit({"a": edited(9, to="x")}, "line 9")
    repo.commit({"a": edited(9, edited(25, to="x"), to="x")}, "line 25")
    assert culprits(repo, base, edited(9, edited(25))) == [["line 9"], ["line 25"]]


def test_no_more_than_people_read(repo: Repo, base: str) -> None:
    for number in range(MOST_COMMITS + 3):
        repo.commit({"a": edited(9, to=f"x{number}")}, f"change {number}")
    (found,) = culprits(repo, base)
    assert found == [f"change {number}" for number in range(MOST_COMMITS + 2, 2, -1)]


def test_what_the_series_itself_did_before_is_seen_through(repo: Repo, base: str) -> None:
    """Patch 1 makes the file longer; the line that patch 2 conflicts with is still the tree's."""
    repo.commit({"a": edited(9, to="x")}, "the one")
    longer = "".join(f"new {n}\n" for n in range(5)) + TEXT
    mbox = make_series(repo, base, {"a": longer}, {"a": edited(9, longer)})
    first, second = rebase(repo, mbox, base=base).trees[0].patches
    assert first.is_in
    (place,) = the_conflict(second).places
    assert place.line == 14
    assert [repo.git("log", "-1", "--format=%s", oid) for oid in place.commits] == ["the one"]


def test_on_a_tree_that_began_anew(repo: Repo, base: str) -> None:
    """Its first commit has the file as it is: that is all there is to say."""
    repo.commit({"a": edited(9, to="x")}, "root", branch="other", parent=())
    assert culprits(repo, base, onto="other") == [["root"]]
