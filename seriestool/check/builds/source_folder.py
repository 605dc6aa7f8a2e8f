# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel's source in a folder that is moved from tree to tree, and that survives being killed at any time."""

import contextlib
from pathlib import Path

from seriestool.git import GitError, ScratchRepository

_UNSURE = "moving"


class SourceFolder:
    """The files of a tree. Builds read them and write elsewhere, so that nothing of a build is ever found here."""

    def __init__(self, folder: Path, scratch_repo: ScratchRepository) -> None:
        """`folder` is ours."""
        self.path = folder / "source"
        self._state = folder / "state"
        self._files = scratch_repo.checkout(folder / "git", self.path)

    @property
    def tree(self) -> str | None:
        """What is there; None where that is not sure."""
        with contextlib.suppress(OSError):
            said = self._state.read_text()
            return None if said == _UNSURE else said
        return None

    def move_to(self, tree: str) -> None:
        """Write the files that differ; those that are the same keep their times, whatever happened before.

        GitError where the tree is not in the repository, or has a path that git refuses.
        """
        before = self.tree
        if before == tree:
            return
        self._state.write_text(_UNSURE)
        if before is None:
            self._files.restore(tree)
        else:
            self._move(tree)
        self._state.write_text(tree)

    def _move(self, tree: str) -> None:
        try:
            self._files.move(tree)
        except GitError:
            self._files.restore(tree)  # somebody has been at the files
