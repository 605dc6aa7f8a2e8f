# SPDX-License-Identifier: GPL-2.0-or-later
"""Random histories and random series: find-base says of every single commit what git itself says of it.

Exact is judged by `git ls-tree` and what `git diff-tree` says that the series touches, applies by `git apply --cached`.
SERIESTOOL_CASES sets how many histories are tried, SERIESTOOL_SEED the first seed.
"""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from seriestool.base import fit
from seriestool.base.contents import Contents
from seriestool.base.history_region import HistoryRegion
from seriestool.base.preimage import disambiguate_blobs, find_preimage
from seriestool.base.rank import PostingTime
from seriestool.git import Repository
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.trees.history import History, index_dir, update
from tests.support.repos import File, Repo, patches_of
from tests.support.session import commits_in_ranges, find

CASES = int(os.environ.get("SERIESTOOL_CASES", "30"))
SEED = int(os.environ.get("SERIESTOOL_SEED", "0"))
PATHS = ("a", "b", "dir/c", "dir/d", "e", "e/f", "ü g")
_SUBMODULE = 0o160000

Tree = dict[str, tuple[str, str]]
"""Path -> (mode, id)."""


class World:
    """A random history with its files' contents at hand."""

    def __init__(self, repo: Repo, seed: int) -> None:
        self.repo = repo
        self.dice = random.Random(seed)  # noqa: S311
        self.files: dict[str, dict[str, File]] = {}

    def grow(self, count: int) -> None:
        """Commits on a few branches: children, merges, now and then a root; then a tag, and a branch goes."""
        branches = ["main", "next", "topic"]
        for number in range(count):
            branch = branches[self.dice.randrange(len(branches))] if number else "main"
            self.commit(branch, self.parents(branch))
        self.repo.git("tag", "v1", self.pick())
        self.repo.git("tag", "v2", self.pick())
        if self.dice.random() < 0.5:
            self.repo.git("branch", "-D", "topic") if self.tip("topic") else None

    def parents(self, branch: str) -> list[str]:
        """Mostly the branch's tip; a merge with anything at times."""
        if not self.files or self.dice.random() < 0.03:
            return []
        first = self.tip(branch) or self.pick()
        if self.dice.random() < 0.2 and (other := self.pick()) != first:
            return [first, other]
        return [first]

    def commit(self, branch: str, parents: list[str]) -> str:
        """One commit: its first parent's files with some changed, or with some taken from the other parent."""
        files = dict(self.files[parents[0]]) if parents else {}
        if len(parents) > 1:
            for path, file in self.files[parents[1]].items():
                if self.dice.random() < 0.6:
                    set_file(files, path, file)
        changed = self.changed(files, self.dice.choice([0, 1, 1, 2]))
        before = self.files[parents[0]] if parents else {}
        delta = {path: changed.get(path) for path in before.keys() | changed.keys()}
        delta = {path: file for path, file in delta.items() if before.get(path) != file}
        # A removal must not come after the file that stands in its place.
        ordered = dict(sorted(delta.items(), key=lambda item: item[1] is not None))
        oid = self.repo.commit(ordered, branch=branch, parent=parents or ())
        self.files[oid] = changed
        return oid

    def changed(self, files: dict[str, File], edits: int) -> dict[str, File]:
        """The files after some random edits."""
        files = dict(files)
        for _ in range(edits):
            path = self.dice.choice(PATHS)
            how = self.dice.random()
            old = files.get(path)
            if old is None:
                set_file(files, path, self.content())
            elif how < 0.2:
                del files[path]
            elif how < 0.35:
                set_file(files, self.dice.choice(PATHS), files.pop(path))
            elif how < 0.42:
                content, mode = old if isinstance(old, tuple) else (old, 0o100644)
                if mode != _SUBMODULE:
                    files[path] = (content, 0o100755 if mode == 0o100644 else 0o100644)
            else:
                files[path] = self.edited(old)
        return files

    def content(self) -> File:
        """One of few, so that states come back."""
        if self.dice.random() < 0.08:
            return (str(self.dice.randrange(1, 4)) * 40, _SUBMODULE)
        return "".join(f"{self.dice.choice('abc')} {n}\n" for n in range(self.dice.choice([5, 9, 14])))

    def edited(self, old: File) -> File:
        content, mode = old if isinstance(old, tuple) else (old, 0o100644)
        if mode == _SUBMODULE or self.dice.random() < 0.2:
            return self.content()
        assert isinstance(content, str)
        text = content.splitlines(keepends=True)
        at = self.dice.randrange(len(text) + 1)
        text[at : at + self.dice.randrange(2)] = [f"new {self.dice.randrange(4)}\n"] * self.dice.randrange(1, 3)
        return ("".join(text), mode)

    def pick(self) -> str:
        return self.dice.choice(list(self.files))

    def tip(self, branch: str) -> str:
        return self.repo.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def series(self, base: str) -> tuple[bytes, str, str]:
        """(mbox, the commit below it, its tip): up to four patches, sometimes on work that nobody else has."""
        at, options = base, self.dice.choice([[], ["-M"], ["--no-renames"], ["-C"], ["--full-index"]])
        if self.dice.random() < 0.5:
            at = self.one("series", at)
        tip = at
        for _ in range(self.dice.choice([1, 1, 2, 3])):
            tip = self.one("series", tip)
        mbox = self.repo.format_patch(f"{at}..{tip}", "--binary", *options)
        self.repo.git("update-ref", "-d", "refs/heads/series")
        return mbox, at, tip

    def one(self, branch: str, parent: str) -> str:
        """A commit that changes something."""
        for _ in range(50):
            oid = self.commit(branch, [parent])
            if self.files[oid] != self.files[parent]:
                return oid
            del self.files[oid]
        raise AssertionError("nothing changes")


def set_file(files: dict[str, File], path: str, file: File) -> None:
    """The file at the path, and nothing in its way."""
    for other in list(files):
        if other.startswith(path + "/") or path.startswith(other + "/"):
            del files[other]
    files[path] = file


# --- the oracle ---------------------------------------------------------------------------------------------------


def tree_of(repo: Repo, commit: str) -> Tree:
    found: Tree = {}
    for line in repo.git("ls-tree", "-r", "-z", commit).split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        mode, _, oid = meta.split()
        found[path] = mode, oid
    return found


def expected_of(repo: Repo, base: str, tip: str, mbox: bytes) -> dict[str, tuple[str, str] | None]:
    """What the base must have at each path that the mails name: (mode, id), each '' where they do not name it."""
    first = tree_of(repo, base)
    options = ["-C"] if b"\ncopy from " in mbox else ["-M"] if b"\nrename from " in mbox else ["--no-renames"]
    now: dict[str, str | None] = {path: path for path in first}
    wanted: dict[str, tuple[str, str] | None] = {}
    for commit in repo.git("rev-list", "--reverse", f"{base}..{tip}").split():
        before = dict(now)
        for diff in raw_diffs(repo, commit, options):
            source = before.get(diff.old)
            if diff.status != "A" and source is not None:
                mode, oid = wanted.get(source) or ("", "")
                has_index = diff.old_blob != diff.new_blob
                names_mode = has_index or diff.old_mode != diff.new_mode
                wanted[source] = first[source][0] if names_mode else mode, first[source][1] if has_index else oid
            if diff.status in "ARC" and diff.new not in before and diff.new not in first:
                wanted.setdefault(diff.new, None)
            if diff.status in "RD":
                now.pop(diff.old, None)
            if diff.status == "A":
                now[diff.new] = None
            elif diff.status in "RC":
                now[diff.new] = source
    return wanted


class RawDiff(NamedTuple):
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    status: str
    old: str
    new: str


def raw_diffs(repo: Repo, commit: str, options: list[str]) -> Iterator[RawDiff]:
    tokens = repo.git("diff-tree", "-r", "-z", "--no-commit-id", "--abbrev=40", *options, commit).split("\0")
    at = 0
    while at < len(tokens) - 1:
        old_mode, new_mode, old_blob, new_blob, status = tokens[at][1:].split(" ")
        two = status[0] in "RC"
        yield RawDiff(
            old_mode, new_mode, old_blob, new_blob, status[0], tokens[at + 1], tokens[at + 1 + two])  # fmt: skip
        at += 3 if two else 2


def is_exact(tree: Tree, wanted: dict[str, tuple[str, str] | None]) -> bool:
    for path, state in wanted.items():
        there = tree.get(path)
        if state is None:
            folders = [path[:at] for at, char in enumerate(path) if char == "/"]
            if there or any(folder in tree and folder not in wanted for folder in folders):
                return False
            if any(other.startswith(path + "/") and other not in wanted for other in tree):
                return False
        elif there is None or not there[0].startswith(state[0][:2]) or (state[1] and there[1] != state[1]):
            return False
    return True


def applying(repo: Repo, commits: list[str], mbox: bytes, folder: Path) -> set[str]:
    """The commits on which git takes all patches in order; one shell for all of them."""
    patches = [str(patch) for patch in patches_of(repo, mbox, folder)]
    script = (
        'for c in $COMMITS; do git read-tree $c; ok=$c; for p; do git apply --cached "$p" 2>/dev/null || ok=; done; '
    )
    script += "echo $ok; done"
    env = {**os.environ, "GIT_INDEX_FILE": str(folder / "index"), "COMMITS": " ".join(commits)}
    answer = subprocess.run(["sh", "-c", script, "sh", *patches], cwd=repo.path, env=env, capture_output=True)
    return set(answer.stdout.decode().split())


# --- the comparison -----------------------------------------------------------------------------------------------


def regions(repo: Repo, mbox: bytes) -> tuple[set[str], set[str]]:
    """(exact, applies): every commit that find-base's own questions answer with."""
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with Repository.open(repo.path) as git:
        history = update(git, git.refs(), index_dir(git))
        contents = Contents(git, history)
        preimage = disambiguate_blobs(find_preimage(series), history, contents)
        exact = fit.find_exact(history, preimage)
        found = fit.find_applying(history, preimage, contents, PostingTime(int(series.posted.timestamp())))
        assert not found.cut_short
        assert not found.missing_contents
        return members(history, exact), members(history, found.region)


def members(history: History, region: HistoryRegion) -> set[str]:
    return {history.oid(position) for start, stop in region.intervals for position in range(start, stop)}


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_every_commit_is_judged_as_git_judges_it(make_repo: Callable[..., Repo], tmp_path: Path, seed: int) -> None:
    world = World(make_repo(bare=True), seed)
    world.grow(22)
    base = world.pick()
    mbox, below, tip = world.series(base)
    repo = world.repo
    everywhere = repo.git("rev-list", "--all").split()
    wanted = expected_of(repo, below, tip, mbox)
    by_oracle = {commit for commit in everywhere if is_exact(tree_of(repo, commit), wanted)}
    folder = tmp_path / "patches"
    folder.mkdir()
    by_git = applying(repo, everywhere, mbox, folder)
    assert by_oracle <= by_git
    exact, applies = regions(repo, mbox)
    assert exact == by_oracle
    assert applies == by_git
    answer = find(repo, mbox)
    truth = by_oracle or by_git
    assert answer["verdict"] in (
        ("exact",) if by_oracle else ("applies",) if by_git else ("three-way", "partial", "none")
    )
    told = commits_in_ranges(repo, answer)
    assert told <= truth
    assert_reachable(repo, truth - told, told, truth)
    if truth:
        assert answer["base"]["commit"] in told


def assert_reachable(repo: Repo, untold: set[str], told: set[str], truth: set[str]) -> None:
    """What no range has was merged, through commits for which the same holds, into one that has a range."""
    children: dict[str, list[str]] = {}
    for line in repo.git("rev-list", "--all", "--parents").splitlines():
        child, *parents = line.split()
        for parent in parents:
            children.setdefault(parent, []).append(child)
    for commit in untold:
        waiting, seen = [commit], set()
        while waiting and not (set(waiting) & told):
            one = waiting.pop()
            seen.add(one)
            waiting += [child for child in children.get(one, []) if child in truth and child not in seen]
        assert waiting, f"{commit} is in no range"
