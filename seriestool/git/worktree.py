# SPDX-License-Identifier: GPL-2.0-or-later
"""A linked work tree of our own (git-worktree(1)) in which a person resolves a conflict.

Git makes it, fills it and removes it; hooks do not run. The user's own work tree is another one.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from seriestool.git.objects import TreeEntry
from seriestool.git.process import Git, GitError, run_long

_TIMEOUT = 3600.0  # a kernel tree on a slow disk

Stages = Mapping[bytes, Mapping[int, TreeEntry]]


class Worktree:
    """The work tree at `path`; `add` makes it where it is not there."""

    def __init__(self, git_dir: Path, path: Path) -> None:
        """`git_dir` is the repository's."""
        self.path = path
        self._main = Git(git_dir)
        self._git_dir = git_dir

    def add(self, commit: str) -> None:
        """Make the work tree with the commit checked out, its HEAD detached; what stood there before goes."""
        self.remove()
        command = [*self._main.command, "worktree", "add", "--quiet", "--detach", "--", str(self.path), commit]
        run_long(command, _TIMEOUT)

    def remove(self) -> None:
        """Take the work tree away, with whatever was changed in it; nothing where there is none."""
        import shutil

        with contextlib.suppress(GitError):
            run_long([*self._main.command, "worktree", "remove", "--force", "--force", "--", str(self.path)], _TIMEOUT)
        shutil.rmtree(self.path, ignore_errors=True)
        self._main.attempt("worktree", "prune", "--expire=now")

    @property
    def is_there(self) -> bool:
        """Whether it is a work tree still."""
        return (self.path / ".git").is_file() and self._own.attempt("rev-parse", "--verify", "HEAD") is not None

    @property
    def git_dir(self) -> Path:
        """The folder in which git keeps its index and HEAD."""
        text = (self.path / ".git").read_text(errors="surrogateescape")
        return Path(text.removeprefix("gitdir:").strip())

    @property
    def index(self) -> Path:
        """Its index."""
        return self.git_dir / "index"

    @property
    def _own(self) -> Git:
        return Git(self.git_dir)

    def _run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        return self._own.run(*arguments, stdin=stdin, env={"GIT_WORK_TREE": str(self.path)}, folder=self.path)

    def set_up(self, tip: str, tree: str, stages: Stages) -> None:
        """HEAD at the commit `tip`, the files of `tree`, and in the index `stages` for the paths in conflict.

        Whatever was changed before is gone.
        """
        self._run("update-ref", "--no-deref", "HEAD", tip)
        self._run("read-tree", "--reset", "-u", tip)
        self._run("read-tree", "-m", "-u", tip, tree)
        nothing = "0" * len(tip)
        lines = [b"0 %s\t%s\0" % (nothing.encode(), path) for path in stages]
        lines += [
            b"%o %s %d\t%s\0" % (entry.mode, entry.oid.encode(), stage, path)
            for path, entries in stages.items()
            for stage, entry in sorted(entries.items())
        ]
        self._run("update-index", "-z", "--index-info", stdin=b"".join(lines))

    def unmerged(self) -> tuple[bytes, ...]:
        """The paths that are in conflict still."""
        lines = self._run("ls-files", "--unmerged", "-z").split(b"\0")[:-1]
        return tuple(dict.fromkeys(line.partition(b"\t")[2] for line in lines))

    def unstaged(self) -> tuple[bytes, ...]:
        """The paths whose files were changed and not added to the index."""
        self._own.attempt("update-index", "-q", "--refresh", env={"GIT_WORK_TREE": str(self.path)}, folder=self.path)
        out = self._run("diff-files", "--name-only", "-z", "--ignore-submodules")
        return tuple(dict.fromkeys(out.split(b"\0")[:-1]))

    def write_tree(self) -> str:
        """Git's tree of what the index has; GitError while paths are in conflict."""
        return self._run("write-tree").decode().strip()

    def staged(self, paths: Iterable[bytes]) -> dict[bytes, bytes]:
        """What the index has at these paths, as far as it has them."""
        names = [os.fsdecode(path) for path in paths]
        out = (
            self._own.run(
                "ls-files",
                "--stage",
                "-z",
                "--",
                *names,
                env={"GIT_LITERAL_PATHSPECS": "1", "GIT_WORK_TREE": str(self.path)},
                folder=self.path,
            )
            if names
            else b""
        )
        found = {}
        for line in out.split(b"\0")[:-1]:
            meta, _, path = line.partition(b"\t")
            mode, oid, _ = meta.decode().split()
            if mode != "160000":
                found[path] = self._run("cat-file", "blob", oid)
        return found
