# SPDX-License-Identifier: GPL-2.0-or-later
"""Git's memory of resolved conflicts (git-rerere(1)), in a namespace of our own: the user's rr-cache is not touched."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from seriestool.git.merge_tree import MergeResult
from seriestool.git.objects import TreeEntry
from seriestool.git.process import Git, temporary_folder
from seriestool.git.scratch_repository import ScratchRepository

_CONFIG = """\
[core]
	repositoryformatversion = 1
[extensions]
	objectFormat = {object_format}
[rerere]
	enabled = true
	autoUpdate = false
"""
_SEALED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class Rerere:
    """One memory at work: a private git directory whose rr-cache is `memory`."""

    def __init__(self, git_dir: Path, memory: Path, objects: Path, object_format: str) -> None:
        """`git_dir` is made where it is not there; `objects` are those that the index names."""
        self._git_dir = git_dir
        if not (git_dir / "HEAD").exists():
            info = git_dir / "objects/info"
            info.mkdir(parents=True, exist_ok=True)
            (git_dir / "refs").mkdir(exist_ok=True)
            (git_dir / "config").write_text(_CONFIG.format(object_format=object_format))
            (info / "alternates").write_bytes(os.fsencode(objects) + b"\n")
            (git_dir / "rr-cache").unlink(missing_ok=True)
            (git_dir / "rr-cache").symlink_to(memory)
            (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
        memory.mkdir(parents=True, exist_ok=True)

    def run(self, index: Path, work_tree: Path) -> None:
        """Remember the conflicts of the index, or how those of the last run were resolved; resolve what is known."""
        env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(work_tree), **_SEALED}
        Git(self._git_dir).run("rerere", env=env, folder=work_tree)


class RerereCache:
    """The resolutions that are remembered for one repository, used on merges in memory."""

    def __init__(self, folder: Path, object_format: str) -> None:
        self._folder = folder
        self._format = object_format
        self._lock = threading.Lock()

    def replay(self, scratch_repo: ScratchRepository, merge: MergeResult) -> Mapping[bytes, TreeEntry]:
        """The files in conflict that were resolved before, resolved in the same way."""
        import shutil

        texts = {path: text for path in merge.stages if (text := _text(scratch_repo, merge, path)) is not None}
        if not texts or not self._known():
            return {}
        with self._lock, temporary_folder() as folder:
            memory = folder / "memory"  # a copy: git writes to it whatever comes
            for known in self._known():
                shutil.copytree(known, memory / known.name)
            rerere = Rerere(folder / "git", memory, scratch_repo.object_folder, self._format)
            work_tree = folder / "work"
            work_tree.mkdir()
            index = scratch_repo.write_index(folder / "index", {path: merge.stages[path] for path in texts}, work_tree)
            for path, (_, content) in texts.items():
                _write(work_tree, path, content)
            rerere.run(index, work_tree)
            return {
                path: TreeEntry(mode, "blob", scratch_repo.write("blob", resolved))
                for path, (mode, content) in texts.items()
                if (resolved := (work_tree / os.fsdecode(path)).read_bytes()) != content
                and not _is_open(resolved, merge)
            }

    def _known(self) -> list[Path]:
        """The folders of conflicts of which the resolution is known."""
        return sorted(path.parent for path in self._folder.glob("*/postimage*"))


def _text(scratch_repo: ScratchRepository, merge: MergeResult, path: bytes) -> tuple[int, bytes] | None:
    """(mode, content with markers) of a file in conflict; None where it is no such file."""
    entry = scratch_repo.entries(merge.tree, [path]).get(path)
    if entry is None or entry.mode not in (0o100644, 0o100755) or set(merge.stages[path]) != {1, 2, 3}:
        return None
    return entry.mode, scratch_repo.blob(entry.oid)


def _write(work_tree: Path, path: bytes, text: bytes) -> None:
    """A file of the tree in a folder of our own; a tree's paths never lead out of it."""
    file = work_tree / os.fsdecode(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)


def _is_open(text: bytes, merge: MergeResult) -> bool:
    return any(f"{mark} {oid}".encode() in text for mark, oid in (("<" * 7, merge.ours), (">" * 7, merge.theirs)))
