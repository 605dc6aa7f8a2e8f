# SPDX-License-Identifier: GPL-2.0-or-later
"""Updates: what is new is added, nothing is forgotten, and whatever happens, the index answers right or is rebuilt."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import Ref, Repository
from seriestool.trees.history import History, fingerprint, index_dir, update
from seriestool.util.errors import OutsideError
from tests.support.histories import Maker, assert_like_git, ids, indexed
from tests.support.repos import Repo

Make = Callable[..., Repo]


def opened(repo: Repo, folder: Path) -> History | None:
    with Repository.open(repo.path) as git:
        return History.open(folder, fingerprint(git, git.refs()))


def oids(history: History) -> set[str]:
    return {history.oid(pos) for pos in range(len(history))}


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def assert_tidy(folder: Path) -> None:
    """Nothing is in the folder but what the manifest names, the manifest and the lock."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert files(folder) == {"manifest.json", "lock", manifest["tips"], *manifest["layers"]}


@pytest.mark.parametrize("seed", range(6))
def test_many_updates_answer_as_one_build(make_repo: Make, tmp_path: Path, seed: int) -> None:
    maker = Maker(make_repo(), seed)
    for step in (20, 1, 5, 2, 17, 1, 1, 9):
        maker.grow(step)
        history = indexed(maker.repo, tmp_path / "index")
        assert_tidy(tmp_path / "index")
    assert oids(history) == oids(indexed(maker.repo, tmp_path / "fresh")) == set(maker.commits)
    assert_like_git(history, maker.repo, maker.commits)


def test_layers_shrink_by_four(make_repo: Make, tmp_path: Path) -> None:
    maker = Maker(make_repo(), seed=1)
    for step in (120, 20, 4, 1):
        maker.grow(step)
        history = indexed(maker.repo, tmp_path / "index")
    assert [len(layer) for layer in history.layers] == [120, 20, 4, 1]
    maker.grow(2)
    history = indexed(maker.repo, tmp_path / "index")
    assert [len(layer) for layer in history.layers] == [120, 27]


def test_a_layer_that_lies_higher_than_its_bytes_are_many(make_repo: Make, tmp_path: Path) -> None:
    maker = Maker(make_repo(), seed=1)
    for step in (2000, 1):
        maker.grow(step)
        history = indexed(maker.repo, tmp_path / "index")
    top = tmp_path / "index" / str(history.manifest and history.manifest.layers[-1])
    assert history.layers[-1].offset > top.stat().st_size
    assert oids(history) == set(maker.commits)


def test_nothing_new_starts_no_git_and_writes_nothing(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit({"f": "1"})
    with Repository.open(repo.path) as git:
        refs = git.refs()
        update(git, refs, tmp_path / "index")
        before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "index").iterdir()}
        monkeypatch.setenv("PATH", "")
        assert len(update(git, refs, tmp_path / "index")) == 1
    assert before == {file.name: file.stat().st_mtime_ns for file in (tmp_path / "index").iterdir()}


def test_a_ref_that_moves_to_a_known_commit_adds_no_layer(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"f": "1"})
    repo.commit({"f": "2"})
    before = indexed(repo, tmp_path / "index").layers[0]
    repo.git("branch", "old", first)
    history = indexed(repo, tmp_path / "index")
    assert [len(layer) for layer in history.layers] == [2]
    assert opened(repo, tmp_path / "index") is not None
    assert before.oid(0) == history.layers[0].oid(0)


def test_a_rebased_branch_stays_findable(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "1"})
    old = repo.commit({"f": "old"}, branch="topic")
    indexed(repo, tmp_path / "index")
    new = repo.commit({"f": "new"}, branch="topic", parent=base)
    history = indexed(repo, tmp_path / "index")
    assert oids(history) == {base, old, new}
    assert_like_git(history, repo, [base, old, new])


def test_a_rebased_branch_stays_findable_when_its_objects_are_gone(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "1"})
    old = repo.commit({"f": "old"}, branch="topic")
    indexed(repo, tmp_path / "index")
    new = repo.commit({"f": "new"}, branch="topic", parent=base)
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--prune=now", "--quiet")
    history = indexed(repo, tmp_path / "index")
    assert oids(history) == {base, old, new}
    pos = history.find(old)
    assert pos is not None and history.oid(history.parent(pos)) == base


def test_commits_below_a_tip_that_is_gone_are_not_taken_twice(repo: Repo, tmp_path: Path) -> None:
    commits = [repo.commit({"f": str(number)}) for number in range(5)]
    indexed(repo, tmp_path / "index")
    repo.git("update-ref", "refs/heads/main", commits[3])
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--prune=now", "--quiet")
    newest = repo.commit({"f": "new"})
    history = indexed(repo, tmp_path / "index")
    assert len(history) == 6
    assert_like_git(history, repo, [*commits[:4], newest])


def test_a_shallow_clone_and_its_deepening(repo: Repo, make_repo: Make, tmp_path: Path) -> None:
    commits = [repo.commit({"f": str(number), f"g{number}": "x"}) for number in range(8)]
    clone = make_repo("clone", bare=True)
    clone.git("fetch", "--quiet", "--depth=3", repo.path.as_uri(), "main:refs/heads/main")
    history = indexed(clone, tmp_path / "index")
    assert oids(history) == set(commits[-3:])
    assert_like_git(history, clone, commits[-3:])
    clone.git("fetch", "--quiet", "--unshallow", repo.path.as_uri(), "main:refs/heads/main")
    assert opened(clone, tmp_path / "index") is None
    history = indexed(clone, tmp_path / "index")
    assert oids(history) == set(commits)
    assert_like_git(history, clone, commits)


def test_a_blobless_clone_is_indexed_without_fetching_blobs(make_repo: Make, tmp_path: Path) -> None:
    maker = Maker(make_repo(), seed=5)
    maker.grow(30)
    maker.repo.git("config", "uploadpack.allowFilter", "true")
    maker.repo.git(
        "clone", "--quiet", "--mirror", "--filter=blob:none", maker.repo.path.as_uri(), str(tmp_path / "partial")
    )
    with Repository.open(tmp_path / "partial") as git:
        missing = count_missing(tmp_path / "partial", maker.repo)
        history = update(git, git.refs(), tmp_path / "index")
    assert missing > 0
    assert count_missing(tmp_path / "partial", maker.repo) == missing
    assert_like_git(history, maker.repo, maker.commits)


def count_missing(partial: Path, repo: Repo) -> int:
    listed = repo.git("--git-dir", str(partial), "rev-list", "--objects", "--all", "--missing=print").splitlines()
    return sum(line.startswith("?") for line in listed)


def test_bare_repositories_and_worktrees_share_their_index(make_repo: Make, tmp_path: Path) -> None:
    repo = make_repo("bare", bare=True)
    commit = repo.commit({"f": "1"}, branch="main")
    repo.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "main")
    with Repository.open(repo.path) as bare, Repository.open(tmp_path / "tree") as tree:
        assert index_dir(bare) == index_dir(tree) == repo.path / "seriestool" / "history"
        assert oids(update(tree, tree.refs(), index_dir(tree))) == {commit}
        assert History.open(index_dir(bare), fingerprint(bare, bare.refs())) is not None


def test_a_replaced_commit_means_a_new_index(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "1"})
    first = repo.commit({"f": "2"})
    other = repo.commit({"f": "3"}, branch="other", parent=base)
    history = indexed(repo, tmp_path / "index")
    was = history.value(history.find(first) or 0, b"f")
    repo.git("replace", first, other)
    assert opened(repo, tmp_path / "index") is None
    history = indexed(repo, tmp_path / "index")
    assert history.value(history.find(first) or 0, b"f") != was
    assert_like_git(history, repo, [base, first, other])
    repo.git("replace", "-d", first)
    history = indexed(repo, tmp_path / "index")
    assert history.value(history.find(first) or 0, b"f") == was


def test_a_graft_means_a_new_index(repo: Repo, tmp_path: Path) -> None:
    commits = [repo.commit({"f": str(number)}) for number in range(3)]
    assert len(indexed(repo, tmp_path / "index")) == 3
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/grafts").write_text(f"{commits[2]} {commits[0]}\n")
    history = indexed(repo, tmp_path / "index")
    assert oids(history) == {commits[0], commits[2]}
    assert_like_git(history, repo, [commits[0], commits[2]])


@pytest.fixture
def built(repo: Repo, tmp_path: Path) -> tuple[Repo, Path, list[str]]:
    """An index of two layers."""
    folder = tmp_path / "index"
    commits = [repo.commit({"f": str(number), f"d/{number}": "x"}) for number in range(12)]
    indexed(repo, folder)
    commits.append(repo.commit({"f": "last"}))
    assert len(indexed(repo, folder).layers) == 2
    return repo, folder, commits


Built = tuple[Repo, Path, list[str]]


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("keep", [0, 7, 40, 72, 100, -8, -1])
def test_a_layer_that_is_cut_short_is_rebuilt(built: Built, layer: int, keep: int) -> None:
    repo, folder, commits = built
    file = folder / json.loads((folder / "manifest.json").read_bytes())["layers"][layer]
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[:keep] if keep >= 0 else data[: len(data) + keep])
    assert opened(repo, folder) is None
    assert_like_git(indexed(repo, folder), repo, commits)
    assert_tidy(folder)


@pytest.mark.parametrize("at", range(0, 72, 8))
def test_a_layer_with_a_foreign_header_is_rebuilt(built: Built, at: int) -> None:
    repo, folder, commits = built
    file = folder / json.loads((folder / "manifest.json").read_bytes())["layers"][1]
    data = bytearray(file.read_bytes())
    for noise in (b"\xff" * 8, b"\0" * 7 + b"\1", b"\1\0\0\0\1\0\0\0"):
        data[at : at + 8] = noise
        file.write_bytes(data)
        assert opened(repo, folder) is None
    assert_like_git(indexed(repo, folder), repo, commits)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', '{"layers": 3}', '{"layers": []}', "\0\0\0", "[" * 100_000]
    + [json.dumps({"key": "k", "refs": "r", "tips": "t", "layers": layers, "version": 2}) for layers in ([], [1], None)]
    + [json.dumps({"key": "k", "refs": "r", "tips": "t", "layers": [], "version": 99})],
)
def test_a_manifest_that_is_damaged_is_rebuilt(built: Built, text: str) -> None:
    repo, folder, commits = built
    (folder / "manifest.json").write_text(text)
    assert opened(repo, folder) is None
    assert oids(indexed(repo, folder)) == set(commits)
    assert_tidy(folder)


@pytest.mark.parametrize("swap", [True, False])
def test_layers_that_do_not_stack_are_rebuilt(built: Built, swap: bool) -> None:
    repo, folder, commits = built
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["layers"] = manifest["layers"][::-1] if swap else manifest["layers"][1:]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert opened(repo, folder) is None
    assert oids(indexed(repo, folder)) == set(commits)


def test_a_layer_that_is_gone_is_rebuilt(built: Built) -> None:
    repo, folder, commits = built
    next(folder.glob("layer-*")).unlink()
    assert opened(repo, folder) is None
    assert oids(indexed(repo, folder)) == set(commits)


def test_a_list_of_tips_that_is_gone_costs_time_only(built: Built) -> None:
    repo, folder, commits = built
    next(folder.glob("tips-*")).unlink()
    commits.append(repo.commit({"f": "newest"}))
    assert_like_git(indexed(repo, folder), repo, commits)


def test_what_a_killed_updater_left_is_removed_later(built: Built) -> None:
    repo, folder, _ = built
    for name in ("layer-dead", "tips-dead", "manifest.json.tmp"):
        (folder / name).write_bytes(b"half")
    (folder / "notes").write_text("not ours")
    repo.commit({"f": "newest"})
    indexed(repo, folder)
    (folder / "notes").unlink()
    assert_tidy(folder)


def test_an_interrupted_update_leaves_nothing_behind(built: Built) -> None:
    repo, folder, commits = built
    before = files(folder)
    repo.commit({"f": "newest"})

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with Repository.open(repo.path) as git, pytest.raises(KeyboardInterrupt):
        update(git, git.refs(), folder, interrupt)
    assert files(folder) == before
    old = opened(repo, folder)
    assert old is not None and oids(old) == set(commits)


def _update_slowly(path: Path, folder: Path, gate: Path) -> None:
    def wait(_: int) -> None:
        gate.touch()
        time.sleep(60)

    with Repository.open(path) as git:
        update(git, git.refs(), folder, wait)


def test_a_killed_updater_leaves_a_usable_index(built: Built, tmp_path: Path) -> None:
    repo, folder, commits = built
    commits.append(repo.commit({"f": "newest"}))
    gate = tmp_path / "started"
    process = multiprocessing.get_context("spawn").Process(target=_update_slowly, args=(repo.path, folder, gate))
    process.start()
    while not gate.exists():
        assert process.is_alive()
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    old = opened(repo, folder)
    assert old is not None and len(old) == len(commits) - 1
    assert_like_git(indexed(repo, folder), repo, commits)
    assert_tidy(folder)


def _update(path: Path, folder: Path) -> None:
    with Repository.open(path) as git:
        raise SystemExit(0 if len(update(git, git.refs(), folder)) == 40 else 1)


def test_updaters_at_once_agree(make_repo: Make, tmp_path: Path) -> None:
    maker = Maker(make_repo(), seed=2)
    maker.grow(40)
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=_update, args=(maker.repo.path, tmp_path / "index")) for _ in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0] * 4
    history = opened(maker.repo, tmp_path / "index")
    assert history is not None and oids(history) == set(maker.commits)
    assert_tidy(tmp_path / "index")


def test_a_reader_keeps_the_layers_that_it_has(built: Built) -> None:
    repo, folder, commits = built
    reader = opened(repo, folder)
    for number in range(20):
        repo.commit({"f": f"later {number}"})
    indexed(repo, folder)
    assert reader is not None and oids(reader) == set(commits)
    assert_like_git(reader, repo, commits)


def test_a_folder_that_cannot_be_made(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"f": "1"})
    (tmp_path / "file").write_text("in the way")
    with (
        Repository.open(repo.path) as git,
        pytest.raises(OutsideError, match="cannot write the history index") as raised,
    ):
        update(git, git.refs(), tmp_path / "file" / "index")
    assert raised.value.hint


def test_a_tip_that_is_not_there_is_left_out(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"f": "1"})
    refs = (Ref("refs/heads/main", commit), Ref("refs/heads/lost", "1" * 40))
    with Repository.open(repo.path) as git:
        assert oids(update(git, refs, tmp_path / "index")) == {commit}


def test_refs_to_blobs_and_trees_are_left_out(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"f": "1"})
    repo.git("tag", "-a", "-m", "a key", "key", "HEAD:f")
    repo.git("tag", "tree", "HEAD^{tree}")
    assert oids(indexed(repo, tmp_path / "index")) == {commit}
    newer = repo.commit({"f": "2"})
    assert oids(indexed(repo, tmp_path / "index")) == {commit, newer}


def test_a_tip_that_comes_later_is_indexed_then(repo: Repo, make_repo: Make, tmp_path: Path) -> None:
    ours = repo.commit({"f": "1"})
    other = make_repo("other")
    theirs = other.commit({"f": "2"}, "theirs")
    refs = (Ref("refs/heads/main", ours), Ref("refs/heads/lost", theirs))
    with Repository.open(repo.path) as git:
        update(git, refs, tmp_path / "index")
        repo.git("fetch", "--quiet", str(other.path), theirs)
        again = (*refs, Ref("refs/heads/extra", repo.commit({"f": "3"})))
        assert {ours, theirs} < oids(update(git, again, tmp_path / "index"))


def test_a_corrupt_commit_is_an_error_and_leaves_no_index(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"f": "1"})
    repo.commit({"f": "2"})
    loose = repo.path / ".git/objects" / first[:2] / first[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"not an object")
    with Repository.open(repo.path) as git, pytest.raises(OutsideError):
        update(git, (Ref("refs/heads/main", git.resolve("main") or ""),), tmp_path / "index")
    assert files(tmp_path / "index") == {"lock"}


def test_progress_counts_commits(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        repo.commit({"f": str(number)})
    seen: list[int] = []
    with Repository.open(repo.path) as git:
        update(git, git.refs(), tmp_path / "index", seen.append)
    assert seen[-1] == 3


def test_answers_across_layers(built: Built) -> None:
    repo, folder, commits = built
    history = indexed(repo, folder)
    first = ids(history, history.segments(b"d/3", lambda value: value != 0))
    assert first == set(commits[3:])
