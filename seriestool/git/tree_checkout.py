# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a tree in a folder of our own, moved from tree to tree: what stays the same is not written again.

Git does it, with a repository that has nothing but an index: no hooks, no filters, no conversion of line ends whatever
the tree's .gitattributes say, no submodules, and its own guard against paths that lead out of the folder.
"""

import contextlib
import os
from pathlib import Path

from seriestool.git.process import Git, GitError

_CONFIG = """\
[core]
	repositoryformatversion = 1
	bare = false
	symlinks = true
	fileMode = true
[extensions]
	objectFormat = {object_format}
[checkout]
	workers = 2
"""
# What a tree says of its files is overruled here: gitattributes(5).
_ATTRIBUTES = "* -text -ident !filter !eol !working-tree-encoding\n"
_ENV = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "1"}


class Checkout:
    """The files below `work_tree`; `git_dir` is where git keeps what it knows of them."""

    def __init__(self, git_dir: Path, work_tree: Path, objects: Path, object_format: str) -> None:
        """Both folders are ours, and made where they are not there; `objects` are those of the repository."""
        self._work_tree = work_tree
        self._index = git_dir / "index"
        self._git = Git(git_dir)
        for folder in (git_dir / "objects/info", git_dir / "refs", git_dir / "info", work_tree):
            folder.mkdir(parents=True, exist_ok=True)
        (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
        (git_dir / "config").write_text(_CONFIG.format(object_format=object_format))
        (git_dir / "info/attributes").write_text(_ATTRIBUTES)
        (git_dir / "objects/info/alternates").write_bytes(os.fsencode(objects) + b"\n")

    def move(self, tree: str) -> None:
        """Write the files that differ, from the tree that it was moved to before; GitError where one was changed."""
        self._run("read-tree", "-m", "-u", tree)

    def restore(self, tree: str) -> None:
        """Make the files those of the tree whatever happened to them; those that are right are not written."""
        for name in ("index.lock", "HEAD.lock"):
            self._index.with_name(name).unlink(missing_ok=True)
        try:
            self._run("read-tree", "--reset", tree)
        except GitError:
            self._index.unlink(missing_ok=True)  # cut off, perhaps
            self._run("read-tree", "--reset", tree)
        # Looks into files whose times say nothing: their content may be right, and then their times stay.
        with contextlib.suppress(GitError):
            self._run("update-index", "-q", "--really-refresh")
        self._run("read-tree", "--reset", "-u", tree)
        self._run("clean", "-ffdxq")

    def _run(self, *arguments: str) -> None:
        self._git.run(*arguments, env={**_ENV, "GIT_WORK_TREE": str(self._work_tree)}, folder=self._work_tree)
