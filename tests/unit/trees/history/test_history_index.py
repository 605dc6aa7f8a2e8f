# SPDX-License-Identifier: GPL-2.0-or-later
"""What the index answers, against git itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.trees.history import History, blob_prefix, is_absent, match_value, mode_of, tips_containing
from tests.support.histories import PATHS, Maker, assert_like_git, ids, indexed, states
from tests.support.repos import Repo

Make = Callable[..., Repo]


@pytest.fixture(scope="module", params=["one layer", "many layers"])
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[History, Repo, list[str]]:
    """The same random history, indexed at once and step by step."""
    folder = tmp_path_factory.mktemp("grown")
    maker = Maker(Repo(folder / "repo"), seed=7)
    steps = [150] if request.param == "one layer" else [96, 30, 8, 8, 4, 2, 1, 1]
    for step in steps:
        maker.grow(step)
        history = indexed(maker.repo, folder / "index")
    assert (len(history.layers) > 1) == (request.param == "many layers")
    return history, maker.repo, maker.commits


Grown = tuple[History, Repo, list[str]]


def test_states_are_those_of_git(grown: Grown) -> None:
    history, repo, commits = grown
    assert_like_git(history, repo, commits)


def test_every_commit_has_one_position(grown: Grown) -> None:
    history, _, commits = grown
    assert sorted(history.oid(pos) for pos in range(len(history))) == sorted(commits)
    assert [history.oid(pos) for pos in map(history.find, commits) if pos is not None] == commits


def test_times_parents_and_depths_are_those_of_git(grown: Grown) -> None:
    history, repo, _ = grown
    for line in repo.git("log", "--all", "--format=%H %ct %P").splitlines():
        oid, time, *parents = line.split()
        pos = history.find(oid)
        assert pos is not None
        assert history.time(pos) == int(time)
        first = history.parent(pos)
        assert (history.oid(first) if first >= 0 else None) == (parents[0] if parents else None)
        assert history.depth(pos) == int(repo.git("rev-list", "--count", "--first-parent", oid)) - 1


def test_a_line_is_the_first_parents_of_its_tip(grown: Grown) -> None:
    history, repo, commits = grown
    for tip in commits[::11]:
        pos = history.find(tip)
        assert pos is not None
        line = history.on_line(pos)
        found = {history.oid(other) for other in range(len(history)) if line.has(other)}
        assert found == set(repo.git("rev-list", "--first-parent", tip).split())


def test_descends_is_the_reverse_of_lines(grown: Grown) -> None:
    history, _, _ = grown
    lines = [history.on_line(pos) for pos in range(len(history))]
    for pos in range(0, len(history), 5):
        found = {other for start, stop in history.descends(pos) for other in range(start, stop)}
        assert found == {other for other, line in enumerate(lines) if line.has(pos)}


def test_ancestry_is_that_of_all_parents(grown: Grown) -> None:
    history, repo, commits = grown
    for new in commits[::7]:
        ancestors = set(repo.git("rev-list", new).split())
        pos = history.find(new)
        assert pos is not None
        found = {history.oid(old) for old in range(len(history)) if tips_containing(history, old, [pos])}
        assert found == ancestors


def test_merges_are_found_by_their_other_parents(grown: Grown) -> None:
    history, repo, _ = grown
    wanted = set()
    for line in repo.git("log", "--all", "--merges", "--format=%H %P").splitlines():
        merge, _, *others = line.split()
        wanted |= {(merge, other) for other in others}
    found = {(history.oid(merge), history.oid(parent)) for merge, parent in history.merges_into(0, len(history))}
    assert found == wanted
    half = len(history) // 2
    below, above = history.merges_into(0, half), history.merges_into(half, len(history))
    assert all(parent < half for _, parent in below) and all(parent >= half for _, parent in above)
    assert len(below) + len(above) == len(history.merges_into(0, len(history)))


def test_changes_are_where_a_commit_differs_from_its_first_parent(grown: Grown) -> None:
    history, _, _ = grown
    for path in PATHS:
        found = dict(history.changes(path))
        assert list(found) == sorted(found)
        for pos in range(len(history)):
            before = history.value(history.parent(pos), path)
            now = history.value(pos, path)
            assert found.get(pos, before) == now


def test_segments_are_disjoint_sorted_and_do_not_touch(grown: Grown) -> None:
    history, _, _ = grown
    for path in PATHS:
        found = history.segments(path, lambda value: value != 0)
        ends = [end for segment in found for end in segment]
        assert ends == sorted(ends)
        assert all(start < stop for start, stop in found)


def test_accept_is_asked_once_for_each_value(grown: Grown) -> None:
    history, _, _ = grown
    asked: list[int] = []

    def accept(value: int) -> bool:
        asked.append(value)
        return True

    assert sum(stop - start for start, stop in history.segments(b"plain", accept)) == len(history)
    assert len(asked) == len(set(asked))


def test_paths_below_a_folder(grown: Grown) -> None:
    history, _, _ = grown
    assert history.paths_under(b"dir") == [b"dir/inner", b"dir/with space"]
    assert history.paths_under(b"dir/") == history.paths_under(b"dir")
    assert history.paths_under(b"both") == [b"both/file-and-folder"]
    assert history.paths_under(b"di") == []
    assert history.paths_under(b"plain") == []
    assert history.paths_under(b"") == sorted(PATHS)


def test_paths_below_a_folder_are_bounded(repo: Repo, tmp_path: Path) -> None:
    repo.commit({f"d/{number}": "x" for number in range(30)})
    assert len(indexed(repo, tmp_path / "index").paths_under(b"d", limit=10)) == 10


def test_an_abbreviation_must_be_unique(grown: Grown) -> None:
    history, _, commits = grown
    for oid in commits[::9]:
        for digits in (7, 8, 15, 39, 40):
            same = [other for other in commits if other.startswith(oid[:digits])]
            assert history.find(oid[:digits]) == (history.find(oid) if len(same) == 1 else None)


@pytest.mark.parametrize(
    "name", ["", "abc", "0" * 40, "g" * 40, "0" * 41, "main", "é" * 7, " " * 8, "1234567 ", "0" * 7]
)
def test_what_is_no_id_is_not_found(grown: Grown, name: str) -> None:
    assert grown[0].find(name) is None


def test_an_upper_case_id_is_found(grown: Grown) -> None:
    assert grown[0].find(grown[2][3].upper()) == grown[0].find(grown[2][3])


def test_a_position_that_is_none_is_an_error_of_the_caller(grown: Grown) -> None:
    history = grown[0]
    for pos in (-1, len(history)):
        with pytest.raises(IndexError):
            history.oid(pos)


@pytest.mark.parametrize("seed", range(8))
def test_random_histories(make_repo: Make, tmp_path: Path, seed: int) -> None:
    maker = Maker(make_repo(), seed)
    maker.grow(60)
    assert_like_git(indexed(maker.repo, tmp_path / "index"), maker.repo, maker.commits)


def test_an_octopus_merge(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "0"})
    sides = [repo.commit({f"side{n}": "x"}, branch=f"side{n}", parent=base) for n in range(3)]
    merge = repo.commit({"side0": "x", "side1": "x", "side2": "x"}, parent=[base, *sides])
    history = indexed(repo, tmp_path / "index")
    pos = history.find(merge)
    assert pos is not None
    assert ids(history, history.segments(b"side1", lambda value: value != 0)) == {sides[1], merge}
    assert all(tips_containing(history, history.find(side) or 0, [pos]) for side in sides)


def test_a_mode_alone_is_a_change(repo: Repo, tmp_path: Path) -> None:
    plain = repo.commit({"f": ("same", 0o100644)})
    executable = repo.commit({"f": ("same", 0o100755)})
    history = indexed(repo, tmp_path / "index")
    modes = {history.oid(pos): mode_of(value) for pos, value in history.changes(b"f")}
    assert modes == {plain: 0o100644, executable: 0o100755}


def test_a_submodule_is_a_state(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"sub": ("1" * 40, 0o160000)})
    history = indexed(repo, tmp_path / "index")
    found = history.segments(b"sub", lambda value: match_value(value, "1111111") and mode_of(value) == 0o160000)
    assert ids(history, found) == {commit}


def test_a_deleted_file_comes_back(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"f": "one"})
    gone = repo.commit({"f": None})
    back = repo.commit({"f": "one"})
    history = indexed(repo, tmp_path / "index")
    blob = states(repo, first)[b"f"]
    assert ids(history, history.segments(b"f", blob.__eq__)) == {first, back}
    assert ids(history, history.segments(b"f", is_absent)) == {gone}


def test_a_sha256_repository(make_repo: Make, tmp_path: Path) -> None:
    maker = Maker(make_repo(object_format="sha256"), seed=3)
    maker.grow(40)
    history = indexed(maker.repo, tmp_path / "index")
    assert_like_git(history, maker.repo, maker.commits)
    assert len(history.oid(0)) == 64
    assert history.find(history.oid(5)[:12]) == 5


def test_a_history_of_empty_commits(repo: Repo, tmp_path: Path) -> None:
    commits = [repo.commit({}) for _ in range(3)]
    history = indexed(repo, tmp_path / "index")
    assert len(history) == 3
    assert ids(history, history.segments(b"any", is_absent)) == set(commits)
    assert history.changes(b"any") == []


def test_a_repository_without_commits(repo: Repo, tmp_path: Path) -> None:
    history = indexed(repo, tmp_path / "index")
    assert len(history) == 0
    assert history.find("0" * 40) is None
    assert history.segments(b"f", is_absent) == []
    assert history.changes(b"f") == history.paths_under(b"") == []


def test_the_longest_names_that_a_value_keeps(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"f": "x"})
    history = indexed(repo, tmp_path / "index")
    oid = repo.git("rev-parse", "HEAD:f")
    assert blob_prefix(history.value(0, b"f")) == oid[:15]


def odd_commit(repo: Repo, committer: str, parents: tuple[str, ...] = (), tree: str | None = None) -> str:
    """A commit as git would not write it, on a branch of its own."""
    tree = tree or repo.git("mktree", input="")
    lines = [
        f"tree {tree}",
        *(f"parent {oid}" for oid in parents),
        "author A <a@example.com> 1 +0000",
        committer,
        "",
        "m\n",
    ]
    oid = repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", input="\n".join(lines))
    repo.git("update-ref", "refs/heads/odd", oid)
    return oid


@pytest.mark.parametrize(
    ("date", "time"),
    [("0", 0), (str(2**31), 2**31), (str(2**32 - 1), 2**32 - 1), (str(2**33), 2**32 - 1), ("-5", 0), ("", 0), ("x", 0)],
)
def test_a_date_out_of_the_ordinary(repo: Repo, tmp_path: Path, date: str, time: int) -> None:
    oid = odd_commit(repo, f"committer A <a@example.com> {date} +0000")
    history = indexed(repo, tmp_path / "index")
    assert (history.oid(0), history.time(0)) == (oid, time)


def test_a_committer_that_cannot_be_read(repo: Repo, tmp_path: Path) -> None:
    oid = odd_commit(repo, "committer nobody at no time")
    assert indexed(repo, tmp_path / "index").oid(0) == oid


def test_a_merge_that_names_a_parent_twice(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "1"})
    oid = odd_commit(
        repo, "committer A <a@example.com> 1 +0000", (base, base), repo.git("rev-parse", f"{base}^{{tree}}")
    )
    history = indexed(repo, tmp_path / "index")
    assert len(history) == 2
    assert history.value(history.find(oid) or 0, b"f") == states(repo, base)[b"f"]
