# SPDX-License-Identifier: GPL-2.0-or-later
"""How a series stands on the tips of trees; git says which commit it is after which it does not apply any more."""

from collections.abc import Sequence

from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.track.series_status import ApplyState, TreeStatus
from seriestool.track.tree_status import find_home_trees, find_tree_statuses
from tests.support.repos import Repo, git_applies
from tests.support.series import lines, make_series
from tests.support.session import open_repo

FADE = {"lamp.c": lines(1, 4) + "fade\n" + lines(5, 9)}
DIM = {"lamp.c": lines(1, 4) + "fade\n" + lines(5, 9) + "dim\n"}


def begin(repo: Repo) -> str:
    return repo.commit({"lamp.c": lines(1, 9), "README": "lamp\n"}, "lamp: begin")


def look(repo: Repo, mbox: bytes, names: Sequence[str] | None = ("main",)) -> tuple[TreeStatus, ...]:
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        return find_tree_statuses(series, names, place.context)


def on_main(repo: Repo, mbox: bytes) -> TreeStatus:
    (standing,) = look(repo, mbox)
    assert standing.tip == repo.git("rev-parse", "main")
    return standing


def test_it_is_exact_while_its_files_do_not_change(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE, DIM)
    repo.commit({"README": "lamps\n"})
    standing = on_main(repo, mbox)
    assert (standing.state, standing.patch, standing.broke, standing.landed) == (ApplyState.EXACT, None, None, ())


def test_it_applies_beside_another_change(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE)
    repo.commit({"lamp.c": "first\n" + lines(1, 9)})
    assert on_main(repo, mbox).state is ApplyState.APPLIES
    assert git_applies(repo, "main", mbox) == 1


def test_the_commit_that_broke_it_is_the_first_that_git_refuses(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE)
    good = repo.commit({"README": "lamps\n"})
    bad = repo.commit({"lamp.c": lines(1, 4) + "blink\n" + lines(5, 9)}, "lamp: blink")
    repo.commit({"README": "many lamps\n"})
    standing = on_main(repo, mbox)
    assert (standing.state, standing.patch, standing.path) == (ApplyState.CONFLICTS, 1, b"lamp.c")
    assert standing.broke == bad
    assert standing.behind == (bad,)
    assert (git_applies(repo, good, mbox), git_applies(repo, bad, mbox)) == (1, 0)


def test_behind_a_merge_that_broke_it_is_the_commit_that_was_merged(repo: Repo) -> None:
    base = begin(repo)
    mbox = make_series(repo, base, FADE)
    side = repo.commit({"lamp.c": lines(1, 4) + "blink\n" + lines(5, 9)}, "lamp: blink", branch="side", parent=base)
    merge = repo.commit({"lamp.c": lines(1, 4) + "blink\n" + lines(5, 9)}, "Merge side", parent=(base, side))
    standing = on_main(repo, mbox)
    assert (standing.broke, standing.behind) == (merge, (side,))


def test_a_change_that_only_a_merge_takes_is_told_apart(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE)
    bad = repo.commit({"lamp.c": "0\n" * 3 + lines(1, 1, 3, 9)}, "lamp: another line goes")
    standing = on_main(repo, mbox)
    assert git_applies(repo, "main", mbox) == 0
    assert (standing.state, standing.broke) == (ApplyState.MERGES, bad)


def test_all_of_it_merged_names_the_commits(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE, DIM)
    one = repo.commit(FADE, "part 1")
    two = repo.commit(DIM, "part 2")
    standing = on_main(repo, mbox)
    assert standing.state is ApplyState.MERGED
    assert [(patch.counter, patch.commit) for patch in standing.landed] == [(1, one), (2, two)]


def test_the_first_merged_breaks_nothing_and_the_rest_goes_in(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE, DIM)
    one = repo.commit(FADE, "part 1")
    standing = on_main(repo, mbox)
    assert (standing.state, standing.broke) == (ApplyState.MERGES, None)
    assert [(patch.counter, patch.commit) for patch in standing.landed] == [(1, one)]


def test_each_tree_has_its_own_answer(repo: Repo) -> None:
    base = begin(repo)
    mbox = make_series(repo, base, FADE)
    repo.commit({"lamp.c": lines(1, 9) + "more\n"}, "more", branch="next", parent=base)
    repo.commit({"lamp.c": lines(1, 4) + "blink\n" + lines(5, 9)}, "blink", branch="old", parent=base)
    found = {one.tree: one.state for one in look(repo, mbox, ("old", "main", "gone", "next", "main"))}
    assert found == {
        "old": ApplyState.CONFLICTS, "main": ApplyState.EXACT, "gone": ApplyState.NO_TREE, "next": ApplyState.APPLIES
    }  # fmt: skip
    assert list(found) == ["old", "main", "gone", "next"]
    everywhere = {one.tree: one.state for one in look(repo, mbox, None)}
    assert everywhere == {name: state for name, state in found.items() if name != "gone"}


def test_where_nothing_is_known_to_merge_from_it_conflicts_all_the_same(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE)
    other = Repo(repo.path.parent / "other")
    other.commit({"lamp.c": "else\n"})
    standing = on_main(other, mbox)
    assert (standing.state, standing.patch, standing.broke) == (ApplyState.CONFLICTS, 1, None)


def test_home_are_the_trees_that_it_applies_or_applied_to(repo: Repo) -> None:
    base = begin(repo)
    series = series_of_text(make_series(repo, base, FADE), SeriesSelector(), "mbox")
    repo.commit({"lamp.c": "else\n"}, "rewritten", branch="rewritten", parent=base)
    repo.commit({"README": "no lamp\n"}, "root", branch="foreign", parent=())
    with open_repo(repo) as place:
        assert set(find_home_trees(series, place.context)) == {"main", "rewritten"}


def test_home_is_the_first_tree_where_it_applies_nowhere(repo: Repo) -> None:
    mbox = make_series(repo, begin(repo), FADE)
    other = Repo(repo.path.parent / "other")
    other.commit({"lamp.c": "else\n"})
    other.commit({"lamp.c": "else\n", "x": "y"}, branch="second")
    with open_repo(other) as place:
        series = series_of_text(mbox, SeriesSelector(), "mbox")
        assert find_home_trees(series, place.context) == (place.context.tree_tips[0].tree.name,)
