# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of rebase's products and of conflicts by hand share: a series, and trees that moved on."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bases import lines, make_series
from tests.helpers import Repo, Result, run_program

TEXT = lines(1, 30)
SERIES = "a series of three"


@dataclass(frozen=True, slots=True)
class Case:
    """A repository with the trees `main` and `next`, on which patch 2 of 3 conflicts, and `clean`, on which none does.

    The user has a work tree with changes of his own on the branch `main`.
    """

    repo: Repo
    base: str
    mbox: Path

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> Result:
        """`seriestool rebase` in the repository."""
        return run_program("rebase", *arguments, cwd=cwd or self.repo.path)

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """The answer of `rebase --json` on the series."""
        result = self.run("--json", *arguments, self.mbox)
        assert result.code in (0, 3), result.err
        answer: dict[str, Any] = json.loads(result.out)
        return answer

    def outcomes(self, *arguments: str | Path) -> list[str]:
        """The patches' outcomes on the first tree, and how they came about."""
        return [f"{patch['outcome']} {patch['how']}" for patch in self.json(*arguments)["trees"][0]["patches"]]

    def worktree(self) -> Path:
        """The work tree made for the one conflict that waits."""
        listed = self.repo.git("worktree", "list", "--porcelain")
        found = [Path(path) for path in re.findall(r"^worktree (.*)$", listed, re.M) if Path(path) != self.repo.path]
        assert len(found) == 1, listed
        return found[0]

    def resolve(self, text: str = "line ten, both\n") -> Path:
        """The conflict in the work tree resolved and added."""
        tree = self.worktree()
        file = tree / "a.c"
        file.write_text(re.sub(r"<{7} .*?>{7} [^\n]*\n", text, file.read_text(), flags=re.S))
        Repo.git(_at(self.repo, tree), "add", "a.c")
        return tree

    def state(self) -> dict[str, object]:
        """Everything of the user's that must not change: branches, HEAD, index, work tree, configuration, hooks."""
        git = self.repo.path / ".git"
        files = [path for path in self.repo.path.rglob("*") if path.is_file() and ".git" not in path.parts]
        kept = [git / "HEAD", git / "config", git / "index", *(git / "hooks").glob("*"), *(git / "rr-cache").rglob("*")]
        return {
            "refs": self.repo.git(
                "for-each-ref", "refs/heads", "refs/tags", "refs/notes", "refs/remotes", "refs/stash"
            ),
            **{str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in [*files, *kept] if path.is_file()},
        }

    def leftovers(self) -> list[str]:
        """What a rebase that is over must not leave behind."""
        trees = self.repo.git("worktree", "list").splitlines()[1:]
        refs = self.repo.git("for-each-ref", "--format=%(refname)", "refs/seriestool/rebase").splitlines()
        folder = self.repo.path / ".git/seriestool/rebase"
        return [*trees, *refs, *(str(path) for path in folder.rglob("*"))]


def _at(repo: Repo, path: Path) -> Repo:
    other = object.__new__(Repo)
    other.__dict__.update({**repo.__dict__, "path": path})
    return other


def make_case(folder: Path) -> Case:
    """The repository below the folder."""
    repo = Repo(folder / "repo")
    base = repo.commit({"a.c": TEXT, "b.c": TEXT}, "start")
    changes = (
        {"a.c": TEXT.replace("line 3\n", "line three\n")},
        {"a.c": TEXT.replace("line 3\n", "line three\n").replace("line 10\n", "line ten of the series\n")},
        {"b.c": TEXT.replace("line 20\n", "line twenty\n")},
    )
    mbox = folder / "series.mbox"
    mbox.write_bytes(make_series(repo, base, *changes, options=["--subject-prefix=PATCH v3"]))
    other = TEXT.replace("line 10\n", "line ten of the tree\n")
    repo.commit({"c.c": "1\n"}, "c: one", branch="clean", parent=base)
    repo.commit(
        {"a.c": other, "d.c": "1\n"}, "a: line ten\n\nLink: https://lore.kernel.org/r/1@x", branch="next", parent=base
    )
    repo.commit({"a.c": other}, "a: line ten")
    repo.git("read-tree", "-u", "--reset", "HEAD")
    repo.write("b.c", "changed by the user\n")
    repo.git("add", "b.c")
    repo.write("new.c", "untracked\n")
    (repo.path / ".git/hooks").mkdir(exist_ok=True)
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "post-rewrite"):
        hook = repo.path / ".git/hooks" / name
        hook.write_text('#!/bin/sh\necho ran >> "$(git rev-parse --git-common-dir)/hook-ran"\n')
        hook.chmod(0o755)
    return Case(repo, base, mbox)
