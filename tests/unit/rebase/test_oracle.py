# SPDX-License-Identifier: GPL-2.0-or-later
"""Random small histories: a series goes onto a tree as `git rebase` puts it there, in a work tree of its own.

Where git stops, the answer stops at the same patch with the same files, or says by which rule of `onto.py` the patch
is in all the same; `git apply` and the history are the judges of that. SERIESTOOL_CASES sets how many histories are
tried, SERIESTOOL_SEED the first seed.
"""

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.rebase.rebase_result import OutcomeReason, PatchResult, TreeResult
from seriestool.series.model import Outcome
from seriestool.sources.resolve import SeriesSelector, series_of_text
from tests.support.repos import File, Repo, patches_of, try_git, unmerged
from tests.support.session import rebase

CASES = int(os.environ.get("SERIESTOOL_CASES", "16"))
SEED = int(os.environ.get("SERIESTOOL_SEED", "0"))
PATHS = ("a", "b", "d/a", "d/b", "d/s/c", "e/a", "\u00fc g")
PLACELESS = {"file/directory", "directory rename unclear split", "directory rename collision"}
"""Conflicts of which git's index has nothing: what to do is in the messages only."""
OPTIONS = ([], ["--full-index"], ["--no-renames"], ["-M", "-C"])

Files = dict[str, File]


class World:
    """A base, a series on it, and a tree that went on from it."""

    def __init__(self, repo: Repo, seed: int) -> None:
        self.repo = repo
        self.dice = random.Random(seed)  # noqa: S311
        first = {path: self.content(path) for path in PATHS if self.dice.random() < 0.75} or {"a": self.content("a")}
        self.base = repo.commit(first)
        self.series = [self.base]
        self.states: list[Files] = [first]
        for number in range(self.dice.choice([1, 2, 2, 3])):
            self.states.append(self.changed(self.states[-1], self.dice.choice([1, 1, 2])))
            self.series.append(self.commit(number + 1, "series", self.series[-1], f"part {number + 1}"))
        self.tree = self.go_on(first)

    def commit(self, state: int, branch: str, parent: str, subject: str) -> str:
        return self.repo.commit(self.delta(self.states[state - 1], self.states[state]), subject, branch=branch,
                                parent=parent)  # fmt: skip

    def go_on(self, files: Files) -> str:
        """Upstream's own commits; some of them are patches of the series, as they are or changed, or reverted again."""
        at = self.base
        for number in range(self.dice.choice([1, 2, 3])):
            before, subject = files, f"upstream {number}"
            if self.dice.random() < 0.3:
                pick = self.dice.randrange(1, len(self.states))
                files = self.taken(files, pick)
                subject = f"part {pick}" if self.dice.random() < 0.7 else subject
            if files == before or self.dice.random() < 0.3:
                files = self.changed(files, self.dice.choice([1, 1, 2]))
            at = self.repo.commit(self.delta(before, files), subject, branch="tree", parent=at)
            if self.dice.random() < 0.1:
                text = f'Revert "{subject}"\n\nThis reverts commit {at}.\n'
                at, files = self.repo.commit(self.delta(files, before), text, branch="tree", parent=at), before
        return at

    def taken(self, files: Files, pick: int) -> Files:
        """The files with what one patch of the series makes of the paths that it changes."""
        before, after = self.states[pick - 1], self.states[pick]
        files = dict(files)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                files.pop(path, None)
                if path in after:
                    set_file(files, path, after[path])
        return files

    def delta(self, before: Files, after: Files) -> Files:
        delta = {path: after.get(path) for path in before.keys() | after.keys()}
        delta = {path: file for path, file in delta.items() if before.get(path) != file}
        return dict(sorted(delta.items(), key=lambda item: (item[1] is not None, item[0])))

    def changed(self, files: Files, edits: int) -> Files:
        """The files after some random edits; something is different."""
        new = dict(files)
        while new == files:
            for _ in range(edits):
                self.edit(new)
        return new

    def edit(self, files: Files) -> None:
        path = self.dice.choice(list(files) or ["a"])
        how = self.dice.random()
        if path not in files or how < 0.12:
            set_file(files, self.dice.choice([*PATHS, "d/new", "d/s/new", "a/x", "d"]), self.content(str(how)))
        elif how < 0.18:
            del files[path]
        elif how < 0.28:
            set_file(files, self.dice.choice([*PATHS, "d/moved", "n/a"]), files.pop(path))
        elif how < 0.36 and "/" in path:
            folder = path.rpartition("/")[0]
            to = self.dice.choice(["e", "f", "d/t"])
            for one in [one for one in files if one.startswith(folder + "/")]:
                set_file(files, to + one[len(folder) :], files.pop(one))
        elif how < 0.4:
            content, mode = split(files[path])
            files[path] = (content, {0o100644: 0o100755, 0o100755: 0o100644}.get(mode, mode))
        elif how < 0.42:
            files[path] = (f"target {how}", 0o120000)
        elif split(files[path])[1] != 0o120000:
            files[path] = self.edited(files[path])

    def content(self, path: str) -> File:
        return "".join(f"{path} {n}\n" for n in range(self.dice.choice([8, 14]))), 0o100644

    def edited(self, file: File) -> File:
        content, mode = split(file)
        text = content.splitlines(keepends=True)
        for _ in range(self.dice.choice([1, 1, 2])):
            at = self.dice.randrange(len(text) + 1)
            new = [f"new {self.dice.randrange(3)}\n"] * self.dice.randrange(3)
            text[at : at + self.dice.randrange(3)] = new
        if self.dice.random() < 0.05:
            text[-1:] = ["no newline"]
        return ("".join(text), mode)


def split(file: File) -> tuple[str, int]:
    content, mode = file if isinstance(file, tuple) else (file, 0o100644)
    assert isinstance(content, str)
    return content, mode


def set_file(files: Files, path: str, file: File) -> None:
    """The file at the path, and nothing in its way."""
    for other in list(files):
        if other.startswith(path + "/") or path.startswith(other + "/"):
            del files[other]
    files[path] = file


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_a_series_goes_in_as_git_rebase_puts_it(make_repo: Callable[..., Repo], tmp_path: Path, seed: int) -> None:
    world = World(make_repo(), seed)
    repo = world.repo
    mbox = repo.format_patch(f"{world.base}..{world.series[-1]}", "--binary", *world.dice.choice(OPTIONS))
    result = rebase(repo, mbox, world.tree, base=world.base).trees[0]
    repo.git("checkout", "--quiet", "--force", "--detach", world.series[-1])
    is_clean = try_git(repo, "rebase", "--quiet", "--merge", "--onto", world.tree, world.base) == 0
    assert OutcomeReason.NO_BASE not in {patch.how for patch in result.patches}
    if is_clean:
        assert result.is_clean, describe(result)
        assert result.tree_oid == repo.git("rev-parse", "HEAD^{tree}")
        return
    stopped = int((repo.path / ".git/rebase-merge/msgnum").read_text())
    assert all(patch.is_in for patch in result.patches[: stopped - 1]), describe(result)
    below = repo.git("rev-parse", "HEAD^{tree}")
    before = result.trees[stopped - 2] if stopped > 1 else repo.git("rev-parse", f"{world.tree}^{{tree}}")
    assert before == below
    folder = tmp_path / "patches"
    folder.mkdir()
    patch = patches_of(repo, mbox, folder)[stopped - 1]
    judge(repo, result.patches[stopped - 1], patch, result.trees[stopped - 1], below, world)
    assert len(series_of_text(mbox, SeriesSelector(), "mbox").patches) == len(result.patches)


def judge(repo: Repo, mine: PatchResult, patch: Path, tree: str, below: str, world: World) -> None:
    """Where git stops: the same conflict, or a reason for none."""
    paths = {re.sub(r"~[^/]*$", "", path) for path in unmerged(repo)}
    env = {"GIT_INDEX_FILE": str(patch.parent / "index")}
    repo.git("read-tree", below, env=env)
    if mine.outcome is Outcome.CONFLICT:
        found = {os.fsdecode(conflict.path) for conflict in mine.conflicts}
        more = {one.kind for one in mine.conflicts if os.fsdecode(one.path) not in paths}
        assert paths <= found
        assert more <= PLACELESS
        assert try_git(repo, "apply", "--cached", "--reverse", "--check", str(patch), env=env) != 0
    elif mine.how is OutcomeReason.REVERSE:
        repo.git("apply", "--cached", "--reverse", "--check", str(patch), env=env)
    elif mine.outcome is Outcome.ALREADY_MERGED:
        assert mine.how in (OutcomeReason.SUBJECT, OutcomeReason.PATCH_ID)
        assert mine.merged_as is not None
        assert try_git(repo, "merge-base", "--is-ancestor", mine.merged_as, world.tree) == 0
        if mine.how is OutcomeReason.SUBJECT:
            assert repo.git("log", "-1", "--format=%s", mine.merged_as) == f"part {mine.counter}"
    else:
        assert mine.how in (OutcomeReason.PLAIN, OutcomeReason.OFFSET)
        repo.git("apply", "--cached", str(patch), env=env)
        assert repo.git("write-tree", env=env) == tree


def describe(result: TreeResult) -> str:
    return str([(patch.outcome, patch.how, [one.path for one in patch.conflicts]) for patch in result.patches])
