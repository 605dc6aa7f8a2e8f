# SPDX-License-Identifier: GPL-2.0-or-later
"""What a real series builds on, from a real list's archive; git makes each blob that is said to be proven once more.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com was made on a branch that was rebased.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from seriestool.base.prerequisites.blob_proof import EFFORT
from seriestool.base.prerequisites.patch_routes import SearchEffort
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index_writer import make_index
from tests.support.repos import Repo, shared
from tests.support.session import FindBaseAnswer, find, run_program

BRANCH = "review/tags"
OUT_OF_REACH = {
    "drivers/nvme/target/tcp.c",  # changes to it went to linux-nvme
    "net/handshake/netlink.c",  # a treewide conversion, mailed to linux-fsdevel
    "net/handshake/request.c",  # a script's treewide conversion, and fixes mailed to netdev
}
"""What no mail in this archive explains."""
MOST_CONTENT = 3_000_000_000
"""Bytes of contents that are made and hashed for all blobs; 300 MB take a second."""


class Case:
    """A work tree with changes of its own, the list's archive, and the program's answer on the series."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = Repo(folder / "kernel")
        self.repo.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
        self.repo.git("checkout", "--quiet", "stable-7.1")
        self.repo.write("lib/Makefile", "changed\n")
        self.repo.git("add", "lib/Makefile")
        self.repo.write("lib/Kconfig.local", "new\n")
        self.archive = Repo(folder / "linux-nfs.git", bare=True)
        self.archive.git("fetch", "--quiet", str(shared("data/linux-nfs-2026.bundle")), "+refs/heads/*:refs/heads/*")
        self.archive.git("symbolic-ref", "HEAD", "refs/heads/master")
        self.mbox = shared("data/tls-session-tags/series.mbox")
        self.data = folder / "data"
        with make_index(self.data / "seriestool/lists.sqlite") as index:
            self.tally = update_list(index, "linux-nfs", str(self.archive.path), folder / "mirrors")
        self.before = self.state()
        arguments = ("--json", "--prerequisites", "--branch", BRANCH, "--repo", self.repo.path, self.mbox)
        result = run_program("find-base", *arguments, cwd=folder)
        assert result.code in (0, 1), result.err
        self.code, self.err = result.code, result.err
        self.answer: FindBaseAnswer = json.loads(result.out)
        self.blobs: dict[str, dict[str, Any]] = {one["path"]: one for one in self.answer["rebuilt"]["blobs"]}

    def state(self) -> dict[str, object]:
        """What is the user's: refs, HEAD, index, work tree, configuration."""
        git = self.repo.path / ".git"
        refs = self.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {
            "refs": [line for line in refs if not line.startswith("refs/seriestool/")],
            "head": (git / "HEAD").read_bytes(),
            "index": (git / "index").read_bytes(),
            "status": self.repo.git("status", "--porcelain"),
            "config": (git / "config").read_bytes(),
        }

    def mail(self, msgid: str) -> bytes:
        """The mail as the archive has it."""
        return self._mails()[msgid]

    @cache  # noqa: B019
    def _mails(self) -> dict[str, bytes]:
        """Message-id -> mail, of the whole archive."""
        names = "".join(f"{oid}:m\n" for oid in self.archive.git("log", "--format=%H").splitlines())
        data = self.archive.git_bytes("cat-file", "--batch", input=names)
        found = {}
        at = 0
        while at < len(data):
            head = data.index(b"\n", at)
            size = int(data[at:head].split()[2])
            raw, at = data[head + 1 : head + 1 + size], head + 2 + size
            if msgid := re.search(rb"^message-id:\s*<([^<>]+)>", raw, re.I | re.M):
                found[msgid[1].decode()] = raw
        return found


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("seed")
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("HOME", str(folder))  # wider than a test, so the sealed one is not there yet
        (folder / ".gitconfig").write_text("[user]\n\tname = A U Thor\n\temail = author@example.com\n")
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        yield Case(folder)


def test_the_archive_is_indexed_whole(case: Case) -> None:
    assert case.tally.mails == 5147
    assert case.tally.added > 2300
    assert case.tally.damaged < 10


def test_there_is_no_base_but_one_that_can_be_rebuilt(case: Case) -> None:
    assert case.code == 1
    assert case.answer["verdict"] in ("partial", "none")
    assert case.answer["rebuilt"]["verdict"] == "applies"


def test_most_blobs_are_proven_and_the_others_named(case: Case) -> None:
    proven = {path for path, one in case.blobs.items() if one["proven"]}
    assert len(case.blobs) == case.answer["rebuilt"]["expected"] == 26
    assert len(proven) == case.answer["rebuilt"]["matched"] >= 22
    assert set(case.blobs) - proven <= OUT_OF_REACH
    assert all(case.blobs[path]["kind"] == "nearest" for path in set(case.blobs) - proven)


def test_blobs_are_those_that_the_mails_name(case: Case) -> None:
    text = case.mbox.read_text()
    for path, one in case.blobs.items():
        first = re.search(rf"^diff --git a/{re.escape(path)} .*\n(?:.*\n)*?index ([0-9a-f]+)\.\.", text, re.M)
        assert first
        assert one["blob"] == first[1]


def test_each_proven_blob_is_in_the_rebuilt_base(case: Case) -> None:
    """What git says of the commit, whatever the recipe."""
    for path, one in case.blobs.items():
        assert case.repo.git("rev-parse", f"{BRANCH}~9:{path}").startswith(one["blob"]) == one["proven"], path


def test_a_stand_in_is_the_version_that_it_is_said_to_be(case: Case) -> None:
    for path in OUT_OF_REACH & {path for path, one in case.blobs.items() if not one["proven"]}:
        assert case.repo.git("rev-parse", f"{BRANCH}~9:{path}") == version(case, path)


def version(case: Case, path: str) -> str:
    return case.repo.git("rev-parse", f"{case.blobs[path]['commit']}:{path}")


def recipes(case: Case, *kinds: str) -> dict[str, dict[str, Any]]:
    return {path: one for path, one in case.blobs.items() if one["kind"] in kinds}


def test_recipe_of_a_version(case: Case) -> None:
    found = recipes(case, "base", "version")
    assert len(found) == 15
    assert all(version(case, path).startswith(one["blob"]) for path, one in found.items())


def test_recipe_of_patches(case: Case) -> None:
    """The mails are put on and taken off by `git apply`, as mailinfo takes them apart."""
    found = recipes(case, "patches")
    assert {"fs/nfsd/export.c", "fs/nfsd/trace.h", "net/sunrpc/xprtsock.c"} <= set(found)
    env = {"GIT_INDEX_FILE": str(case.folder / "index")}
    for path, one in found.items():
        case.repo.git("read-tree", "--empty", env=env)
        if one["commit"]:
            case.repo.git("update-index", "--add", "--cacheinfo", f"100644,{version(case, path)},{path}", env=env)
        for step in one["patches"]:
            diff = case.folder / "diff"
            case.repo.git("mailinfo", "/dev/null", str(diff), input=case.mail(step["msgid"]))
            removal = ["-R"] if step["taken_off"] else []
            case.repo.git("apply", "--cached", f"--include={path}", *removal, str(diff), env=env)
        assert case.repo.git("ls-files", "-s", path, env=env).split()[1].startswith(one["blob"]), path


def test_recipe_of_a_merge(case: Case) -> None:
    for path, one in recipes(case, "merge").items():
        names = ("ours", "base", "theirs")
        for name, commit in zip(names, (one["commit"], *one["others"]), strict=True):
            (case.folder / name).write_bytes(case.repo.git_bytes("cat-file", "blob", f"{commit}:{path}"))
        merged = case.repo.git_bytes("merge-file", "-p", *(str(case.folder / name) for name in names))
        assert case.repo.git("hash-object", "--stdin", input=merged).startswith(one["blob"]), path


def test_recipe_of_a_subset(case: Case) -> None:
    """The blob has no line that neither of the two versions has, and lies as many changes away as is said."""
    found = recipes(case, "subset")
    assert found
    for path, one in found.items():
        sides = [one["commit"], *one["others"]]
        known = {
            line for side in sides for line in case.repo.git_bytes("cat-file", "blob", f"{side}:{path}").split(b"\n")
        }
        made = case.repo.git_bytes("cat-file", "blob", f"{BRANCH}~9:{path}")
        assert set(made.split(b"\n")) <= known, path
        hunks = case.repo.git("diff", "-U0", "--patience", f"{one['commit']}:{path}", f"{BRANCH}~9:{path}")
        assert 0 < one["changes"] <= len(re.findall("^@@", hunks, re.M)), path


def test_patches_that_were_needed_are_listed_once_with_what_they_prove(case: Case) -> None:
    needs = case.answer["prerequisites"]
    used = {step["msgid"] for one in case.blobs.values() for step in one["patches"]}
    assert {need["msgid"] for need in needs} == used
    assert len(needs) == len(used)
    assert {need["source"] for need in needs} == {"discovered"}
    for need in needs:
        by_recipe = {path for path, one in case.blobs.items() if need["msgid"] in {s["msgid"] for s in one["patches"]}}
        assert set(need["proven"]) == by_recipe


def test_git_am_takes_the_series_on_the_rebuilt_base(case: Case) -> None:
    tree = case.folder / "scratch"
    case.repo.git("clone", "--quiet", "--shared", "--no-checkout", str(case.repo.path), str(tree))
    scratch = Repo(tree)
    scratch.git("checkout", "--quiet", "--detach", f"origin/{BRANCH}~9")
    (case.folder / "mails").mkdir()
    scratch.git("mailsplit", f"-o{case.folder}/mails", str(case.mbox))
    cover, *mails = sorted((case.folder / "mails").iterdir())
    assert b" 0/9]" in cover.read_bytes()
    scratch.git("am", "--quiet", *map(str, mails))
    assert scratch.git("rev-list", "--count", f"origin/{BRANCH}~9..HEAD") == "9"
    assert scratch.git("rev-parse", "HEAD^{tree}") == scratch.git("rev-parse", f"origin/{BRANCH}^{{tree}}")
    log = ("log", "--format=%an <%ae> %at%n%B", "-9")
    assert scratch.git(*log, "HEAD") == scratch.git(*log, f"origin/{BRANCH}")


def test_the_rebuilt_base_says_what_it_is(case: Case) -> None:
    message = case.repo.git("log", "-1", "--format=%B", f"{BRANCH}~9")
    assert case.repo.git("rev-parse", f"{BRANCH}~10") == case.answer["rebuilt"]["commit"]
    assert message.startswith("Rebuilt base of ")
    assert set(re.findall(r"^  (\S+) [0-9a-f]+: NOT PROVEN", message, re.M)) == set(case.blobs) - {
        path for path, one in case.blobs.items() if one["proven"]
    }


def test_nothing_of_the_users_is_touched(case: Case) -> None:
    after = case.state()
    new = f"refs/heads/{BRANCH} {case.repo.git('rev-parse', BRANCH)}"
    assert after["refs"] == sorted([*case.before["refs"], new])  # type: ignore[misc]
    assert {**after, "refs": case.before["refs"]} == case.before


@pytest.fixture
def without_branch(case: Case) -> Iterator[None]:
    """The repository as it was: with the branch there is a base."""
    tip = case.repo.git("rev-parse", BRANCH)
    case.repo.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    yield
    case.repo.git("update-ref", f"refs/heads/{BRANCH}", tip)


def test_the_search_makes_few_contents(
    case: Case, without_branch: None, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    efforts: list[SearchEffort] = []
    start = SearchEffort.__init__

    def record(self: SearchEffort, size: int) -> None:
        start(self, size)
        efforts.append(self)

    monkeypatch.setattr(SearchEffort, "__init__", record)
    monkeypatch.setenv("XDG_DATA_HOME", str(case.data))
    found = find(case.repo, case.mbox.read_bytes(), "--prerequisites")
    assert found["rebuilt"] == case.answer["rebuilt"]
    spent = sum(EFFORT - effort.left for effort in efforts)
    assert 0 < spent < MOST_CONTENT


def test_text_says_it_in_a_sentence(case: Case, without_branch: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(case.data))
    result = run_program("find-base", "--repo", case.repo.path, case.mbox)
    matched = case.answer["rebuilt"]["matched"]
    assert re.search(rf"^rebuilt base: \S+ \(v\S+\) .* gives {matched} of 26 blobs$", result.out, re.M)
    assert "on it all 9 patches apply" in result.out
    for path, one in case.blobs.items():
        if not one["proven"]:
            assert re.search(rf"^  nothing explains .*{re.escape(path)}", result.out, re.M)
