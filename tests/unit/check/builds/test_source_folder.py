# SPDX-License-Identifier: GPL-2.0-or-later
"""A source moved from tree to tree: only what differs is written, and being killed does no harm."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seriestool.check.builds.source_folder import SourceFolder
from seriestool.git import GitError, ScratchRepository, TreeEntry
from seriestool.git.objects import format_tree
from tests.support.repos import ROOT, Repo
from tests.support.session import open_scratch_repo

OLD = 1_600_000_000


@pytest.fixture
def scratch_repo(repo: Repo) -> Iterator[ScratchRepository]:
    repo.commit({"Makefile": "all:\n", "a/one.c": "1\n", "a/two.c": "2\n", "b/three.c": ("3\n", 0o100755)})
    with open_scratch_repo(repo) as scratch_repo:
        yield scratch_repo


@pytest.fixture
def source(scratch_repo: ScratchRepository, tmp_path: Path) -> SourceFolder:
    return SourceFolder(tmp_path / "site", scratch_repo)


def files(source: SourceFolder) -> dict[str, str]:
    found = sorted(path for path in source.path.rglob("*") if not path.is_dir())
    return {str(path.relative_to(source.path)): path.read_text() for path in found}


def make_old(source: SourceFolder) -> None:
    """Give all files a time long past, as if they had been there for long; git learns of it."""
    for path in source.path.rglob("*"):
        os.utime(path, (OLD, OLD))


def written(source: SourceFolder) -> set[str]:
    """The files that are not old."""
    found = [path for path in source.path.rglob("*") if path.is_file()]
    return {str(path.relative_to(source.path)) for path in found if path.stat().st_mtime != OLD}


def test_the_first_time_all_files_are_written(source: SourceFolder, repo: Repo) -> None:
    source.move_to(repo.git("rev-parse", "HEAD"))
    assert files(source) == {"Makefile": "all:\n", "a/one.c": "1\n", "a/two.c": "2\n", "b/three.c": "3\n"}
    assert (source.path / "b/three.c").stat().st_mode & 0o111


def test_a_move_writes_what_differs_and_no_more(
    source: SourceFolder, repo: Repo, scratch_repo: ScratchRepository
) -> None:
    first = repo.git("rev-parse", "HEAD")
    second = repo.commit({"a/one.c": "1.1\n", "a/two.c": None, "new/four.c": "4\n"})
    source.move_to(first)
    keep = {name: (source.path / name).stat() for name in ("Makefile", "b/three.c")}
    time.sleep(0.02)
    source.move_to(scratch_repo.tree_of(second))
    assert files(source) == {"Makefile": "all:\n", "a/one.c": "1.1\n", "b/three.c": "3\n", "new/four.c": "4\n"}
    assert {name: (source.path / name).stat().st_mtime_ns for name in keep} == {
        name: one.st_mtime_ns for name, one in keep.items()
    }
    source.move_to(first)
    assert files(source)["a/one.c"] == "1\n"
    assert not (source.path / "new").exists()


def test_a_move_to_where_it_is_writes_nothing(source: SourceFolder, repo: Repo) -> None:
    source.move_to(repo.git("rev-parse", "HEAD"))
    make_old(source)
    source.move_to(repo.git("rev-parse", "HEAD"))
    assert written(source) == set()


def test_after_a_run_that_was_killed_right_files_keep_their_times(source: SourceFolder, repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    source.move_to(first)
    make_old(source)
    (source.path / "a/one.c").write_text("half")  # as a run that was killed leaves it
    (source.path / "stray.h").write_text("of the tree that it was going to")
    (source.path.parent / "git/index.lock").write_text("")
    (source.path.parent / "state").write_text("moving")
    source.move_to(first)
    assert files(source) == {"Makefile": "all:\n", "a/one.c": "1\n", "a/two.c": "2\n", "b/three.c": "3\n"}
    assert written(source) == {"a/one.c"}


@pytest.mark.parametrize("index", [b"", b"DIRC garbage", None])
def test_an_index_that_is_lost_does_not_cost_the_times(source: SourceFolder, repo: Repo, index: bytes | None) -> None:
    first = repo.git("rev-parse", "HEAD")
    source.move_to(first)
    make_old(source)
    file = source.path.parent / "git/index"
    file.unlink()
    if index is not None:
        file.write_bytes(index)
    (source.path.parent / "state").unlink()
    source.move_to(first)
    assert files(source)["a/one.c"] == "1\n"
    assert written(source) == set()


def test_a_file_that_somebody_changed_is_put_right(source: SourceFolder, repo: Repo) -> None:
    source.move_to(repo.git("rev-parse", "HEAD"))
    (source.path / "a/one.c").write_text("changed by hand\n")
    source.move_to(repo.commit({"a/one.c": "1.1\n"}))
    assert files(source)["a/one.c"] == "1.1\n"


def test_a_file_in_the_place_of_a_folder_and_back(source: SourceFolder, repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    second = repo.commit({"a/one.c": None, "a/two.c": None, "a": "a file\n"})
    for tree in (first, second, first):
        source.move_to(tree)
    assert files(source)["a/two.c"] == "2\n"


def test_what_a_tree_says_of_its_files_is_not_heeded(source: SourceFolder, repo: Repo) -> None:
    attributes = "* text eol=crlf ident filter=evil working-tree-encoding=UTF-16\n"
    source.move_to(repo.commit({".gitattributes": attributes, "file": "$Id$\nline\n"}))
    assert (source.path / "file").read_bytes() == b"$Id$\nline\n"
    assert (source.path / "a/one.c").read_bytes() == b"1\n"


def test_a_submodule_is_an_empty_folder(source: SourceFolder, repo: Repo) -> None:
    head = repo.git("rev-parse", "HEAD")
    modules = '[submodule "s"]\n\tpath = sub\n\turl = ext::touch pwned\n'
    source.move_to(repo.commit({"sub": (head, 0o160000), ".gitmodules": modules}))
    assert list((source.path / "sub").iterdir()) == []


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT"])
def test_a_path_that_leads_out_is_refused_and_the_next_move_is_right(
    source: SourceFolder, repo: Repo, scratch_repo: ScratchRepository, name: bytes, tmp_path: Path
) -> None:
    head = repo.git("rev-parse", "HEAD")
    source.move_to(head)
    inner = scratch_repo.write(
        "tree", format_tree({b"x": TreeEntry(0o100644, "blob", scratch_repo.write("blob", b"out\n"))})
    )
    hostile = scratch_repo.write("tree", format_tree({name: TreeEntry(0o40000, "tree", inner)}))
    with pytest.raises(GitError):
        source.move_to(hostile)
    assert not (tmp_path / "site/x").exists()
    source.move_to(head)
    assert files(source)["a/one.c"] == "1\n"


def test_a_link_of_a_tree_is_never_written_through(source: SourceFolder, repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    source.move_to(repo.commit({"a/one.c": None, "a/two.c": None, "a": (str(outside), 0o120000)}))
    source.move_to(repo.commit({"a": None, "a/one.c": "1\n"}))
    assert list(outside.iterdir()) == []
    assert (source.path / "a/one.c").read_text() == "1\n"


def test_the_user_s_repository_is_as_it_was(source: SourceFolder, repo: Repo) -> None:
    index = (repo.path / ".git/index").read_bytes()
    source.move_to(repo.git("rev-parse", "HEAD"))
    assert (repo.path / ".git/index").read_bytes() == index
    assert repo.git("status", "--porcelain") == ""


MOVER = """\
import sys
from pathlib import Path
from seriestool.check.builds.source_folder import SourceFolder
from seriestool.git import Repository
with Repository.open(Path(sys.argv[1])) as repository, repository.scratch_repository() as bench:
    source = SourceFolder(Path(sys.argv[2]), bench)
    print("ready", flush=True)
    while True:
        for tree in sys.argv[3:]:
            source.move_to(tree)
"""


@pytest.mark.parametrize("after", [0.01, 0.03, 0.05, 0.08])
def test_killed_at_any_time_the_next_one_finds_its_way(
    source: SourceFolder, repo: Repo, tmp_path: Path, after: float, make_repo: Callable[..., Repo]
) -> None:
    first = repo.commit({f"dir{n % 7}/file{n}.c": f"{n}\n" for n in range(400)})
    second = repo.commit({f"dir{n % 7}/file{n}.c": (f"{n} changed\n" if n % 2 else None) for n in range(400)})
    command = [sys.executable, "-c", MOVER, str(repo.path), str(tmp_path / "site"), first, second]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as mover:
        assert mover.stdout is not None
        mover.stdout.readline()
        time.sleep(after)
        os.killpg(mover.pid, signal.SIGKILL)
    for tree in (second, first):
        source.move_to(tree)
        assert set(files(source)) == set(repo.git("ls-tree", "-r", "--name-only", tree).splitlines())
        assert (source.path / "dir1/file1.c").read_text() == ("1 changed\n" if tree == second else "1\n")
