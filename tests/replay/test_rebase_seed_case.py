# SPDX-License-Identifier: GPL-2.0-or-later
"""The real case, rebased onto every tree at hand; git says where it stops, and what it makes of the patches that go in.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com was made on a branch that was rebased.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index_writer import make_index
from tests.support.repos import Repo, shared
from tests.support.session import Result, run_program

TREES = ("stable-6.12", "stable-7.1", "stable-7.2~1", "stable-7.2", "mainline")
OPEN = {
    2: ["Documentation/netlink/specs/handshake.yaml", "net/handshake/genl.c"],
    4: ["net/handshake/handshake.h", "net/handshake/netlink.c", "net/handshake/request.c", "net/handshake/tlshd.c"],
}
"""Where patches 2 and 4 conflict with what mainline did meanwhile."""


class Case:
    """The trees, the list's archive indexed, and the program's answer on all trees."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = Repo(folder / "kernel")
        self.repo.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
        self.repo.git("checkout", "--quiet", "stable-7.1")
        archive = Repo(folder / "linux-nfs.git", bare=True)
        archive.git("fetch", "--quiet", str(shared("data/linux-nfs-2026.bundle")), "+refs/heads/*:refs/heads/*")
        archive.git("symbolic-ref", "HEAD", "refs/heads/master")
        self.mbox = shared("data/tls-session-tags/series.mbox")
        self.am_ready = folder / "am.mbx"
        assert run_program("fetch", "-o", self.am_ready, self.mbox).code == 0
        with make_index(folder / "data/seriestool/lists.sqlite") as index:
            update_list(index, "linux-nfs", str(archive.path), folder / "mirrors")
        self.old = self.repo.git("rev-list", "--max-parents=0", "mainline")
        onto = [option for tree in (self.old, *TREES) for option in ("--onto", tree)]
        result = self.rebase("--json", *onto)
        assert result.code == 3, result.err
        self.answer: dict[str, Any] = json.loads(result.out)
        self.trees = {tree["name"]: tree for tree in self.answer["trees"]}

    def rebase(self, *arguments: str) -> Result:
        env = {"XDG_DATA_HOME": str(self.folder / "data")}
        return run_program("rebase", "--repo", self.repo.path, *arguments, self.mbox, env=env)

    def outcomes(self, tree: str) -> list[str]:
        return [patch["outcome"] for patch in self.trees[tree]["patches"]]

    def places(self, tree: str, patch: int) -> list[tuple[str, dict[str, Any]]]:
        conflicts = self.trees[tree]["patches"][patch - 1]["conflicts"]
        return [(conflict["path"], place) for conflict in conflicts for place in conflict["places"]]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        (home / ".gitconfig").write_text("[user]\n\tname = C O Mitter\n\temail = committer@example.com\n")
        for name, value in {"HOME": home, "XDG_CONFIG_HOME": home / ".config", "GIT_CONFIG_NOSYSTEM": "1"}.items():
            patch.setenv(name, str(value))
        yield Case(tmp_path_factory.mktemp("rebase-seed-case"))


def am(case: Case, tree: str, *options: str) -> tuple[int, str]:
    """(how many patches `git am` takes, what it says) on the tree, in a clone that has no other objects."""
    clone = case.folder / "clone"
    subprocess.run(["rm", "-rf", clone], check=True)
    url = f"file://{case.repo.path}"
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    commit = case.repo.git("rev-parse", tree)
    case.repo.git("branch", "-f", "judged", commit)
    subprocess.run(["git", "-C", clone, "fetch", "-q", "--depth=1", url, "judged"], check=True, capture_output=True)
    subprocess.run(["git", "-C", clone, "checkout", "-q", "FETCH_HEAD"], check=True)
    names = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        ["git", "-C", clone, *names, "am", *options, case.am_ready], capture_output=True, text=True, errors="replace"
    )
    count = subprocess.run(["git", "-C", clone, "rev-list", "--count", "FETCH_HEAD..HEAD"], capture_output=True)
    return int(count.stdout), done.stdout + done.stderr


@pytest.mark.parametrize("tree", TREES)
def test_git_am_stops_at_the_first_patch_for_want_of_blobs(case: Case, tree: str) -> None:
    assert am(case, tree)[0] == 0
    count, said = am(case, tree, "-3")
    assert count == 0
    assert "sha1 information is lacking or useless (Documentation/netlink/specs/handshake.yaml)" in said


def test_only_the_oldest_tree_takes_some_patches(case: Case) -> None:
    assert (am(case, case.old)[0], am(case, case.old, "-3")[0]) == (2, 2)


def test_it_starts_from_the_rebuilt_base(case: Case) -> None:
    base = case.answer["base"]
    assert (base["footing"], base["matched"], base["expected"]) == ("rebuilt", 23, 26)


@pytest.mark.parametrize("tree", ["stable-7.2~1", "stable-7.2", "mainline"])
def test_seven_of_nine_go_in_and_two_conflict(case: Case, tree: str) -> None:
    outcomes = case.outcomes(tree)
    assert outcomes[0] == "ALREADY_MERGED"
    assert [number for number, outcome in enumerate(outcomes, 1) if outcome == "CONFLICT"] == [2, 4]
    assert {outcomes[number - 1] for number in (3, 5, 6, 7, 8, 9)} <= {"UNMODIFIED", "MODIFIED"}
    assert case.trees[tree]["tree_oid"] is None


@pytest.mark.parametrize("tree", ["stable-7.2~1", "stable-7.2", "mainline"])
def test_there_are_seven_places_in_six_files(case: Case, tree: str) -> None:
    assert {number: sorted({path for path, _ in case.places(tree, number)}) for number in OPEN} == OPEN
    assert sum(len(case.places(tree, number)) for number in OPEN) == 7


@pytest.mark.parametrize("tree", TREES)
def test_in_other_trees_the_same_two_patches_conflict_first(case: Case, tree: str) -> None:
    assert case.outcomes(tree)[:4] == ["ALREADY_MERGED", "CONFLICT", case.outcomes(tree)[2], "CONFLICT"]


def test_each_place_has_its_three_sides_and_the_commit_behind_the_trees(case: Case) -> None:
    tip = case.repo.git("rev-parse", "mainline")
    text = case.repo.git("show", "mainline:net/handshake/tlshd.c").splitlines()
    for number in OPEN:
        for path, place in case.places("mainline", number):
            assert place["tree"] != place["series"]
            assert place["expected"] != place["tree"]
            assert place["commits"][0] == tip, path
    [(_, place)] = [found for found in case.places("mainline", 4) if found[0] == "net/handshake/tlshd.c"]
    assert "\ttreq->th_consumer_done(treq->th_consumer_data, status," in place["tree"]
    assert "\ttreq->th_consumer_done(treq->th_consumer_data, -status," in place["expected"]
    assert text[place["line"] - 1 :][: len(place["tree"])] == place["tree"]


def test_no_side_is_taken_where_taking_one_would_compile_and_be_wrong(case: Case) -> None:
    result = case.rebase("--onto", "mainline", "--branch", "wrong", "-o", str(case.folder / "out"))
    assert result.code == 3
    assert "nothing made for mainline: patch 2 conflicts" in result.err
    assert "wrong" not in case.repo.git("branch")
    assert not (case.folder / "out").exists()


def test_the_patches_between_are_what_git_makes_of_them(case: Case) -> None:
    """Patches 3 and 7 touch no file that is in conflict: `git am` takes each alone, to the same blobs."""
    from seriestool.sources.resolve import resolve

    series = resolve(str(case.mbox))
    for number in (3, 7):
        patch = series.patches[number - 1]
        env = {"GIT_INDEX_FILE": str(case.folder / f"index-{number}")}
        case.repo.git("read-tree", "mainline", env=env)
        case.repo.git("apply", "--cached", "-", input=patch.diff, env=env)
        assert case.outcomes("mainline")[number - 1] in ("UNMODIFIED", "MODIFIED")
