# SPDX-License-Identifier: GPL-2.0-or-later
"""`split` on a real series that straddles four trees, with nothing given by hand: no tie, no owner, no base.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com; each pair was looked up by hand.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index_writer import make_index
from tests.support.cases import fared, where
from tests.support.repos import Repo, shared
from tests.support.session import Result, run_program

TIES = {
    "text": {"2<-1", "5<-4", "6<-4", "8<-4"},
    "symbol": {"4<-2", "4<-3", "5<-4", "6<-4", "7<-3", "8<-2", "8<-3", "8<-7", "9<-2", "9<-3", "9<-8"},
    "scope": {"7<-4"},
}


class Case:
    """The subset of the kernel, the list's archive, and the program's answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = Repo(folder / "kernel")
        self.repo.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
        self.repo.git("checkout", "--quiet", "stable-7.1")
        archive = Repo(folder / "linux-nfs.git", bare=True)
        archive.git("fetch", "--quiet", str(shared("data/linux-nfs-2026.bundle")), "+refs/heads/*:refs/heads/*")
        archive.git("symbolic-ref", "HEAD", "refs/heads/master")
        with make_index(folder / "data/seriestool/lists.sqlite") as index:
            update_list(index, "linux-nfs", str(archive.path), folder / "mirrors")
        self.before = self.state()

    def split(self, *options: str | Path) -> Result:
        """The program run on the series."""
        mbox = shared("data/tls-session-tags/series.mbox")
        return run_program("split", *options, "--repo", self.repo.path, mbox, cwd=self.folder)

    def state(self) -> list[object]:
        """What is the user's."""
        refs = self.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        git = self.repo.path / ".git"
        return [
            [line for line in refs if not line.startswith("refs/seriestool/")],
            [(git / name).read_bytes() for name in ("HEAD", "index", "config")],
            self.repo.git("status", "--porcelain"),
        ]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Made once; the environment is wider than a test, so the sealed one is not there yet."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("seed")
        (folder / "config").write_text("[user]\nname = C\nemail = c@example.com\n[init]\ndefaultBranch = main\n")
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("HOME", str(folder))
        yield Case(folder)


@pytest.fixture(autouse=True)
def with_lists(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(case.folder / "data"))


@pytest.fixture(scope="module")
def found(case: Case) -> dict[str, Any]:
    """The answer of --json."""
    import json

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(case.folder / "data"))
        result = case.split("--json")
    assert result.code == 3, result.err
    answer: dict[str, Any] = json.loads(result.out)
    return answer


def patch_of(found: dict[str, Any], counter: int) -> dict[str, Any]:
    return next(one for sub in found["subseries"] for one in sub["patches"] if one["counter"] == counter)


def test_who_takes_what_in_which_order(found: dict[str, Any]) -> None:
    assert where(found) == [("net", [1]), ("undecided", [3]), ("net-next", [2, 4, 5, 6]), ("cel/linux", [7, 8, 9])]
    assert [sub["flavour"] for sub in found["subseries"]] == ["fixes", "next", "next", "next"]
    assert [[wait["on"] for wait in sub["waits"]] for sub in found["subseries"]] == [[], [], [1, 2], [2, 3]]
    assert [sub["verdicts"][0] for sub in found["subseries"]] == ["now", "choose", "after", "after"]
    assert (patch_of(found, 1)["fix"], found["cycles"]) == (True, [])


def test_what_ties_them(found: dict[str, Any]) -> None:
    pairs: dict[str, set[str]] = {}
    for one in found["dependencies"]:
        pairs.setdefault(one["tie"], set()).add(f"{one['patch']}<-{one['needs']}")
    assert pairs == TIES
    (scope,) = (one for one in found["dependencies"] if one["tie"] == "scope")
    assert scope["names"] == ["tags"]


def test_the_choices_of_the_library(found: dict[str, Any]) -> None:
    choices = [choice["destination"] for choice in found["subseries"][1]["choices"]]
    assert set(choices[:2]) == {"git.lwn.net/linux docs-next", "mm mm-nonmm-unstable"}
    assert choices[2:] == ["net"]


def test_the_callback_holds_a_patch_together(found: dict[str, Any]) -> None:
    one = patch_of(found, 4)
    assert one["indivisible"] == ["th_consumer_done", "tls_done_func_t"]
    assert one["parts"] == []
    assert [patch_of(found, n)["indivisible"] for n in (1, 2, 3, 5, 6, 7, 8, 9)] == [[]] * 8
    assert [ack["trees"] for ack in one["acks"]] == [["nvme"], ["cel/linux", "linux-nfs"]]


def test_each_is_tried_and_what_stands_for_its_tree_is_said(found: dict[str, Any]) -> None:
    assert {(one["tree"], one["own_tree"]) for one in found["proofs"]} == {("stable-7.2", False)}
    assert "net, net-next, cel/linux" in found["notes"][0]
    fix, library, handshake, nfsd = fared(found)
    assert fix == {1: "ALREADY_MERGED"}
    assert library == {3: "UNMODIFIED"}
    assert list(handshake) == [1, 3, 2, 4, 5, 6]
    assert list(nfsd) == [1, 3, 2, 4, 7, 8, 9]
    assert [nfsd[n] for n in (7, 8, 9)] == ["UNMODIFIED", "MODIFIED", "MODIFIED"]
    assert found["base"]["footing"] == "rebuilt"


def test_by_file(case: Case) -> None:
    import json

    found = json.loads(case.split("--json", "--by-file").out)
    assert found["parts"] == [3, 4, 9, 10]
    assert dict(where(found))["net-next"] == [2, 5, 6, 7, 10]
    assert dict(where(found))["mm mm-nonmm-unstable"] == [4]
    assert patch_of(found, 5)["indivisible"] == ["th_consumer_done", "tls_done_func_t"]


def test_what_goes_in_is_made(case: Case) -> None:
    result = case.split("--branch", "split/{tree}", "-o", case.folder / "out")
    assert result.code == 3
    assert "nothing made for net: stable-7.2 has all patches already" in result.err
    assert "nothing made for net-next: patch 2 conflicts on stable-7.2" in result.err
    assert case.repo.git("log", "--format=%s", "stable-7.2..split/undecided") == 'lib: Add a "tagset" data structure'
    assert [path.name.partition("-")[0] for path in (case.folder / "out").iterdir()] == ["2"]
    refs, files, status = case.state()
    assert isinstance(refs, list)
    assert [[line for line in refs if "heads/split/" not in line], files, status] == case.before


def test_the_text_answers_first(case: Case) -> None:
    lines = case.split().out.splitlines()
    assert lines[0].endswith("9 patches in 4 sub-series")
    assert " ".join(lines[1].split()) == "1 net patch 1 now, on its own; merged already in stable-7.2"
    assert lines[3].endswith(
        "patch 4 with Acked-by of nvme and cel/linux or linux-nfs; patches 2, 4 conflict on stable-7.2"
    )
    assert "     cannot be cut by file: th_consumer_done and tls_done_func_t change with their users" in lines
