# SPDX-License-Identifier: GPL-2.0-or-later
"""A real series that applies to no tree, on real release trees; plain `git apply --cached` is the judge of all of it.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com states a base that none of them has.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repos import Repo, misplaced, patches_of, shared
from tests.support.session import FindBaseAnswer, leading, run_program

TREES = ("v6.12.8", "v6.12.107", "v7.1.8", "v7.2.12", "v7.2.13", "v7.3-rc7")
STATED = "4d4d6605de5f91a40335729b6a7cc15e83b280f3"


class Case:
    """The repository, the patches as git takes them out of the mails, and the program's answer."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo(folder / "kernel.git", bare=True)
        bundle = str(shared("data/kernel-subset.bundle"))
        self.repo.git("fetch", "--quiet", bundle, "+refs/*:refs/*")
        self.mbox = shared("data/tls-session-tags/series.mbox")
        (folder / "patches").mkdir()
        self.patches = [
            patch
            for patch in patches_of(self.repo, self.mbox.read_bytes(), folder / "patches")
            if patch.read_bytes().find(b"\ndiff --git ") >= 0
        ]
        self.index = folder / "index"
        result = run_program("find-base", "--json", "--repo", self.repo.path, self.mbox, cwd=folder)
        self.code, self.err = result.code, result.err
        self.answer: FindBaseAnswer = json.loads(result.out)

    def apply(self, commit: str | None, patch: Path, *options: str) -> tuple[bool, str]:
        """Whether git takes the patch on the commit (None: on what the index has), and what it says."""
        env = {"GIT_INDEX_FILE": str(self.index)}
        if commit is not None:
            self.repo.git("read-tree", commit, env=env)
        answer = subprocess.run(
            ["git", "apply", "--cached", *options, str(patch)],
            cwd=self.repo.path, env={**os.environ, **env}, capture_output=True, text=True)  # fmt: skip
        return answer.returncode == 0, answer.stderr

    def alone(self, commit: str) -> list[int]:
        """The counters of the patches that git takes on the bare commit."""
        return [n for n, patch in enumerate(self.patches, 1) if self.apply(commit, patch)[0]]

    def merged(self, commit: str) -> list[int]:
        """The counters of those that are there already: they do not apply, and can be taken off."""
        alone = self.alone(commit)
        return [n for n, patch in enumerate(self.patches, 1) if n not in alone and self.apply(commit, patch, "-R")[0]]

    def commit(self, name: str) -> str:
        return self.repo.git("rev-parse", f"{name}^{{commit}}")

    def candidate(self, name: str) -> FindBaseAnswer:
        """What the answer says of the commit."""
        oid = self.commit(name)
        return next(one for one in self.answer["candidates"] if one["commit"] == oid)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield Case(tmp_path_factory.mktemp("seed"))


def test_it_is_no_base(case: Case) -> None:
    assert case.code == 1
    assert all(line.startswith("hint: ") for line in case.err.splitlines())
    assert case.answer["verdict"] in ("partial", "none")
    assert case.answer["series"]["patches"] == len(case.patches) == 9


def test_stated_base_is_not_known(case: Case) -> None:
    stated = case.answer["stated"]
    assert (stated["commit"], stated["state"], stated["verdict"]) == (STATED, "unknown", None)


@pytest.mark.parametrize("name", TREES)
def test_patches_alone(case: Case, name: str) -> None:
    taken = [one["patch"] for one in case.candidate(name)["outcomes"] if one["alone"] in ("UNMODIFIED", "MODIFIED")]
    assert taken == case.alone(name)


def test_patches_alone_as_known_of_old(case: Case) -> None:
    """What people found by hand; the test above compares with git."""
    assert case.alone("v6.12.8") == [1, 7]
    assert case.alone("v7.1.8") == [3, 7]
    assert case.alone("v7.2.12") == case.alone("v7.3-rc7") == [3, 7, 9]


@pytest.mark.parametrize("name", TREES)
def test_patches_that_are_there_already(case: Case, name: str) -> None:
    there = [one["patch"] for one in case.candidate(name)["outcomes"] if one["alone"] == "ALREADY_MERGED"]
    assert there == case.merged(name)
    assert (1 in there) == (name != "v6.12.8")


@pytest.mark.parametrize("name", TREES)
def test_how_far_it_gets_in_order(case: Case, name: str) -> None:
    commit: str | None = name
    taken = 0
    for patch in case.patches:
        fine, _ = case.apply(commit, patch)
        if not fine:
            break
        commit, taken = None, taken + 1
    assert leading(case.candidate(name)) == taken


@pytest.mark.parametrize("name", TREES)
def test_first_failing_hunk_of_each_patch_alone(case: Case, name: str) -> None:
    """Of each patch that conflicts on its own; git names path and line of the hunk."""
    outcomes = {one["patch"]: one for one in case.candidate(name)["outcomes"]}
    for counter, patch in enumerate(case.patches, 1):
        fine, stderr = case.apply(name, patch)
        if fine or outcomes[counter]["outcome"] is not None:
            continue
        said = outcomes[counter]["failure"]
        assert (said["path"], said["line"]) == misplaced(stderr)


@pytest.mark.parametrize("name", TREES)
def test_first_failure_in_order(case: Case, name: str) -> None:
    """Patches that are there already are passed over, as a maintainer would."""
    commit: str | None = name
    for outcome, patch in zip(case.candidate(name)["outcomes"], case.patches, strict=True):
        fine, stderr = case.apply(commit, patch)
        if fine:
            assert outcome["outcome"] in ("UNMODIFIED", "MODIFIED")
            commit = None
        elif outcome["outcome"] == "ALREADY_MERGED":
            assert case.apply(commit, patch, "-R", "--check")[0]
            commit = None
        else:
            assert outcome["outcome"] == "CONFLICT"
            assert (outcome["failure"]["path"], outcome["failure"]["line"]) == misplaced(stderr)
            return
    raise AssertionError("it applies")


def expected_blobs(case: Case) -> dict[str, str]:
    """Path -> the blob that the first patch to touch it names; new files left out."""
    found: dict[str, str] = {}
    for patch in case.patches:
        text = patch.read_text()
        for diff in re.split(r"^(?=diff --git )", text, flags=re.M)[1:]:
            path = re.match(r"diff --git a/(\S+) ", diff)
            index = re.search(r"^index ([0-9a-f]+)\.\.", diff, flags=re.M)
            assert path
            assert index
            found.setdefault(path[1], "" if "\nnew file mode" in diff else index[1])
    return {path: blob for path, blob in found.items() if blob}


def test_who_has_each_blob(case: Case) -> None:
    wanted = expected_blobs(case)
    assert len(wanted) == 26
    said = {one["path"]: one for one in case.answer["preimage"] if one["blob"]}
    assert {path: one["blob"] for path, one in said.items()} == wanted
    history = case.repo.git("rev-list", "--all").split()
    branches = dict(
        line.split() for line in case.repo.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        .splitlines())  # fmt: skip
    have = {oid: blobs_at(case, oid, wanted) for oid in history}
    for path, blob in wanted.items():
        holders = {oid for oid in history if have[oid].get(path, "").startswith(blob)}
        by_git = {name for name, tip in branches.items() if holders & line_of(case, tip)}
        assert {one["tree"] for one in said[path]["holders"]} == by_git, path
        assert (said[path]["reason"] == "never") == (not holders), path


def line_of(case: Case, tip: str) -> set[str]:
    return set(case.repo.git("rev-list", "--first-parent", tip).split())


def blobs_at(case: Case, commit: str, paths: dict[str, str]) -> dict[str, str]:
    listed = case.repo.git("ls-tree", commit, "--", *paths).splitlines()
    return {line.partition("\t")[2]: line.split()[2] for line in listed}


@pytest.mark.parametrize("name", TREES)
def test_matched_paths(case: Case, name: str) -> None:
    wanted = expected_blobs(case)
    have = blobs_at(case, name, wanted)
    absent = sum(one["expects"] == "absent" for one in case.answer["preimage"])
    by_git = sum(have.get(path, "").startswith(blob) for path, blob in wanted.items())
    assert case.candidate(name)["matched"] == by_git + absent
    assert case.candidate(name)["expected"] == len(wanted) + absent


def test_text_names_all_of_it(case: Case) -> None:
    result = run_program("find-base", "--repo", case.repo.path, case.mbox)
    assert result.code == 1
    assert f"stated base-commit {STATED}: not in any known tree" in result.out
    for name in TREES:
        assert name in result.out or case.commit(name)[:12] in result.out
