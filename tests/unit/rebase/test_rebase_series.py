# SPDX-License-Identifier: GPL-2.0-or-later
"""A series on many trees, and what becomes of it there: commits, test merges, the answer as values."""

import json

from seriestool.base.find import find_base
from seriestool.git import CommitIdent
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_commits import commit_series
from seriestool.rebase.patch_stack import BaseKind, find_series_base, make_stack
from seriestool.rebase.rebase_result import Rebase
from seriestool.rebase.rebase_series import rebase_series, try_merges
from seriestool.rebase.tree_rebaser import NoResolutions, Target
from seriestool.sources.resolve import SeriesSelector, series_of_text
from tests.support.repos import Repo
from tests.support.series import lines, make_series
from tests.support.session import open_repo, rebase

TEXT = lines(1, 30)
ME = CommitIdent("C O Mitter", "committer@example.com", 1_700_000_000)


def edited(number: int, text: str = TEXT, to: str = "changed") -> str:
    return text.replace(f"line {number}\n", f"line {number} {to}\n")


def many_trees(repo: Repo, base: str) -> list[str]:
    """Branches on which a series that changes lines 9 and 20 fares differently."""
    states = [{}, {"a": edited(7)}, {"a": edited(9, to="x")}, {"a": edited(9)}, {"a": None}, {"a": "top\n" + TEXT},
              {"a": edited(9, edited(20, to="y"), to="x")}, {"a": None, "d/b": TEXT}]  # fmt: skip
    for number, files in enumerate(states):
        repo.commit(files, f"tree {number}", branch=f"t{number}", parent=base)  # type: ignore[arg-type]
    return [f"t{number}" for number in range(len(states))]


def test_side_by_side_is_as_one_by_one(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    trees = many_trees(repo, base)
    mbox = make_series(repo, base, {"a": edited(9)}, {"a": edited(9, edited(20))})
    together = rebase(repo, mbox, *trees, *trees[::-1], base=base)
    alone = [rebase(repo, mbox, name, base=base).trees[0] for name in trees]
    assert list(together.trees) == [*alone, *alone[::-1]]
    assert [tree.is_clean for tree in alone] == [True, True, False, True, False, True, False, True]
    assert not together.is_clean


def test_every_commit_that_is_named_is_told_of(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    trees = many_trees(repo, base)
    mbox = make_series(repo, base, {"a": edited(9)}, {"a": edited(9, edited(20))})
    answer = rebase(repo, mbox, *trees, base=base).to_dict()
    text = json.dumps(answer)
    oids = repo.git("rev-list", "--all").split()
    named = {oid for oid in oids if oid in text}
    assert {commit["commit"] for commit in answer["commits"]} == named  # type: ignore[attr-defined]
    assert len(named) == 9


def test_rebased_patches_become_commits_as_mailed(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    author = "J\u00f6rg M\u00fcller <j@example.com>"
    tip = repo.commit(
        {"a": edited(9)}, "a: one\n\nWhy.\n\nSigned-off-by: J <j@example.com>\n", branch="s", author=author
    )
    repo.commit({"a": edited(9, edited(20))}, "a: two", branch="s", parent=tip)
    repo.commit({"a": edited(9, edited(20)), "new": "1\n"}, "a: three", branch="s")
    mbox = repo.format_patch(f"{base}..s")
    onto = repo.commit({"a": edited(9)}, "a: one came another way")
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        start = given_base(series, base, place.scratch_repo)
        stack = make_stack(series, start, place.scratch_repo)
        answer = rebase_series(
            series, stack, [Target("main", onto)], place.context, place.scratch_repo, NoResolutions()
        )
        (tree,) = answer.trees
        made = commit_series(place.scratch_repo, onto, series.patches, tree.trees, ME)
        assert [patch.counter for patch, _ in made] == [2, 3]  # the first one changes nothing here
        env = {"GIT_DIR": str(place.scratch_repo._folder)}
        told = repo.git("log", "--reverse", "--format=%P %s|%an <%ae> %at|%cn %ct", f"{onto}..{made[-1][1]}", env=env)
        first, second = told.splitlines()
        assert first == f"{onto} a: two|A U Thor <author@example.com> 1700000180|C O Mitter 1700000000"
        assert second.startswith(f"{made[0][1]} a: three|")
        assert place.scratch_repo.tree_of(made[-1][1]) == tree.tree_oid
        on_base = [step.after or "" for step in stack.steps]
        all_made = commit_series(place.scratch_repo, base, series.patches, on_base, ME)
        body = repo.git("log", "-1", "--format=%an%n%B", all_made[0][1], env=env)
        assert body.rstrip("\n") == "J\u00f6rg M\u00fcller\na: one\n\nWhy.\n\nSigned-off-by: J <j@example.com>"


def test_nobody_can_break_a_commit_with_a_name() -> None:
    assert CommitIdent("A <b>\nx", "c\0@d>", -5).line == "A bx <c@d> 0 +0000"
    assert CommitIdent("", "c@d", 1).line == "c@d <c@d> 1 +0000"


def merges_with(repo: Repo, mbox: bytes, base: str, *others: str) -> Rebase:
    """The series on main, and how the result merges with other trees."""
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        onto = Target("main", repo.git("rev-parse", "main"))
        stack = make_stack(series, given_base(series, base, place.scratch_repo), place.scratch_repo)
        answer = rebase_series(series, stack, [onto], place.context, place.scratch_repo, NoResolutions())
        made = commit_series(place.scratch_repo, onto.commit, series.patches, answer.trees[0].trees, ME)
        targets = [Target(name, repo.git("rev-parse", name)) for name in others]
        return try_merges(answer, {"main": made[-1][1]}, targets, place.scratch_repo)


def test_a_test_merge_tells_of_what_the_series_breaks_and_of_no_more(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT, "c": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {"b": edited(9)})
    repo.commit({"a": edited(9, to="x"), "c": edited(9, to="x")}, branch="other", parent=base)
    repo.commit({"c": edited(20)}, branch="fine", parent=base)
    repo.commit({"z": "1\n"}, branch="elsewhere", parent=())
    repo.commit({"c": edited(9, to="y")})
    (tree,) = merges_with(repo, mbox, base, "other", "fine", "elsewhere").trees
    other, fine, elsewhere = tree.test_merges
    assert (other.tree, other.paths, other.problem) == ("other", (b"a",), None)  # c conflicts without the series too
    assert (fine.paths, fine.problem) == ((), None)
    assert "unrelated histories" in (elsewhere.problem or "")
    assert [set(merge.to_dict()) for merge in tree.test_merges] == [{"tree", "commit", "conflicts", "problem"}] * 3


def test_the_best_footing_that_is_known(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit({"a": "2\n"})
    exact = rebase(repo, mbox, proven=True).base
    assert exact is not None
    assert (exact.footing, exact.commit) == (BaseKind.EXACT, base)
    lost = repo.commit({"a": TEXT}, branch="lost", parent=())
    other = make_series(repo, lost, {"a": edited(9)})
    repo.git("update-ref", "-d", "refs/heads/lost")
    applies = rebase(repo, other.replace(b"index ", b"index f"), proven=True).base
    assert applies is not None
    assert (applies.footing, applies.commit, applies.matched) == (BaseKind.APPLIES, base, 0)


def test_nothing_is_known_without_a_verdict(repo: Repo) -> None:
    base = repo.commit({"a": "1\n"})
    mbox = make_series(repo, base, {"a": "2\n"})
    series = series_of_text(mbox.replace(b"-1\n", b"-3\n").replace(b"index ", b"index f"), SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        assert find_series_base(find_base(series, place.context), None) is None
        steps = make_stack(series, None, place.scratch_repo).steps
    assert [step.after for step in steps] == [None]
