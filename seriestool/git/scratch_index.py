# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches tried and committed by git itself, away from the user's index and work tree."""

from collections.abc import Mapping
from pathlib import Path

from seriestool.git.objects import TreeEntry
from seriestool.git.process import Git, GitError, unknown_identity


class ScratchIndex:
    """An index of our own, on which git itself tries patches: the user's index and work tree are not touched."""

    def __init__(self, git: Git, folder: Path, env: Mapping[str, str]) -> None:
        self._git = git
        self._folder = folder
        self._index = folder / "index"
        self._env = {"GIT_INDEX_FILE": str(self._index), "GIT_WORK_TREE": str(folder), **env}

    def load(self, entries: Mapping[bytes, TreeEntry]) -> None:
        """Fill the index with just these entries."""
        self._index.unlink(missing_ok=True)
        lines = (f"{entry.mode:o} {entry.oid}\t".encode() + path + b"\0" for path, entry in entries.items())
        self._run("update-index", "-z", "--index-info", stdin=b"".join(lines))

    def put(self, files: Mapping[bytes, tuple[int, bytes]]) -> None:
        """Set paths of the index to (mode, content)."""
        names = [self._folder / f"blob-{number}" for number in range(len(files))]
        for name, (_, content) in zip(names, files.values(), strict=True):
            name.write_bytes(content)
        listed = "".join(f"{name}\n" for name in names).encode()
        oids = self._run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed).decode().split()
        lines = (
            f"{mode:o} {oid}\t".encode() + path + b"\0"
            for (path, (mode, _)), oid in zip(files.items(), oids, strict=True)
        )
        self._run("update-index", "-z", "--add", "--index-info", stdin=b"".join(lines))

    def load_commit(self, commit: str) -> None:
        """Fill the index with all that the commit has."""
        self._run("read-tree", commit)

    def apply(self, diff: bytes, strip: int) -> bool:
        """Whether plain `git apply --cached` takes the diff; if so the index has it."""
        return self._apply(diff, f"-p{strip}")

    def apply_three_way(self, diff: bytes, strip: int) -> bool:
        """The same, with a three-way merge where the diff alone does not apply."""
        return self._apply(diff, f"-p{strip}", "--3way")

    def commit(self, parent: str, message: bytes, author: Mapping[str, str]) -> str:
        """The id of a new commit of what the index has; `author` has GIT_AUTHOR_NAME, _EMAIL and _DATE.

        Raises InputError where git does not know who the committer is.
        """
        tree = self._run("write-tree").decode().strip()
        arguments = ("commit-tree", "--no-gpg-sign", "-p", parent, "-F", "-", tree)
        try:
            return self._git.run(*arguments, stdin=message, env=author).decode().strip()
        except GitError as error:
            if "ident" not in error.stderr:
                raise
            raise unknown_identity() from error

    def _run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        return self._git.run(*arguments, stdin=stdin, env=self._env, folder=self._folder)

    def _apply(self, diff: bytes, *options: str) -> bool:
        # In our own folder: even with --cached a three-way merge makes directories for files that it cannot merge.
        arguments = ("apply", "--cached", *options, "-")
        return self._git.attempt(*arguments, stdin=diff, env=self._env, folder=self._folder) is not None
