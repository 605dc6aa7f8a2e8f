# SPDX-License-Identifier: GPL-2.0-or-later
"""Git's own three-way merge of trees, without an index and a work tree (git-merge-tree(1))."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import IO

from msgspec import Struct

from seriestool.git.objects import TreeEntry, kind_of
from seriestool.git.process import GitError

FIRST_WITH_STDIN = (2, 39)
"""The version of git from which on one process merges many times."""


class MergeConflict(Struct, frozen=True):
    """One thing that git could not merge by itself."""

    kind: str
    """As git names it: contents, modify/delete, rename/delete, file/directory, binary, ..."""
    paths: tuple[bytes, ...]
    message: str


class MergeResult(Struct, frozen=True, kw_only=True):
    """The result of a merge; with conflicts its tree has files with markers in them."""

    tree: str
    stages: Mapping[bytes, Mapping[int, TreeEntry]]
    """Path -> stage (1 base, 2 ours, 3 theirs) -> what stands there; only of paths in conflict."""
    conflicts: tuple[MergeConflict, ...]
    is_clean: bool
    ours: str
    """The commits that were merged: the labels of conflict markers begin with their ids."""
    theirs: str
    base: str = ""
    """The commit that they have in common, where it was made for them."""


class Merger:
    """Merges, one after the other: in one long-lived process, or a process each where git has no `--stdin` yet."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], idle: str, version: Sequence[int]) -> None:
        """`idle` is a commit that merged with itself gives nothing to do."""
        self._command = (*command, "merge-tree", "--write-tree", "--messages", "-z")
        self._env = dict(env)
        self._idle = idle
        self._server = _MergeTreeProcess(self._command, self._env) if tuple(version[:2]) >= FIRST_WITH_STDIN else None

    def merge(self, ours: str, theirs: str) -> MergeResult:
        """The merge of two commits; GitError where git cannot (contents that are not here, a damaged repository)."""
        if self._server is None:
            return self._merge_alone(ours, theirs)
        # Git may hold the last byte of an answer back until the next one: ask for one thing more, which is cheap.
        self._server.ask(f"{ours} {theirs}\n{self._idle} {self._idle}\n")
        is_clean = self._server.flag() == b"1"
        merge = _read_merge(self._server.tokens(), is_clean, ours, theirs)
        self._server.flag()
        _read_merge(islice(self._server.tokens(), 2), True, self._idle, self._idle)
        return merge

    def close(self) -> None:
        """End the process, if one was started."""
        if self._server is not None:
            self._server.close()

    def _merge_alone(self, ours: str, theirs: str) -> MergeResult:
        answer = subprocess.run([*self._command, ours, theirs], capture_output=True, env=self._env)
        if answer.returncode not in (0, 1):
            raise _error(answer.stderr)
        tokens = iter([*answer.stdout.split(b"\0")[:-1], b""])
        return _read_merge(tokens, answer.returncode == 0, ours, theirs)


class _MergeTreeProcess:
    """A long-lived `git merge-tree --stdin`, started with the first question."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command = (*command, "--stdin")
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._buffer = b""

    def ask(self, lines: str) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # why it ended is read with the answer
            self._process.stdin.write(lines.encode())
            self._process.stdin.flush()

    def flag(self) -> bytes:
        """Whether the answer that begins is a clean merge: b"1"; what the answer before it still had is passed over."""
        return next(token for token in self.tokens() if token)

    def tokens(self) -> Iterator[bytes]:
        """What git prints, up to each NUL."""
        while True:
            while b"\0" not in self._buffer:
                self._buffer += self._read()
            token, _, self._buffer = self._buffer.partition(b"\0")
            yield token

    def close(self) -> None:
        if self._process is None:
            return
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._process.wait()
        self._process = None

    def _start(self) -> None:
        import tempfile

        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, env=self._env, bufsize=0
        )

    def _read(self) -> bytes:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101
        block = self._process.stdout.read(1 << 16)
        if block:
            return block
        assert self._stderr is not None  # noqa: S101
        self._stderr.seek(0)
        raise _error(self._stderr.read(1 << 16))


def _read_merge(tokens: Iterator[bytes], is_clean: bool, ours: str, theirs: str) -> MergeResult:
    """One answer (git-merge-tree(1), OUTPUT): the tree, the stages of the paths in conflict, the messages."""
    tree = next(tokens).decode()
    stages: dict[bytes, dict[int, TreeEntry]] = {}
    for line in iter(tokens.__next__, b""):
        meta, _, path = line.partition(b"\t")
        mode, oid, stage = meta.decode().split()
        stages.setdefault(path, {})[int(stage)] = TreeEntry(int(mode, 8), kind_of(int(mode, 8)), oid)
    return MergeResult(
        tree=tree, stages=stages, conflicts=tuple(_conflicts(tokens)), is_clean=is_clean, ours=ours, theirs=theirs
    )


def _conflicts(tokens: Iterator[bytes]) -> Iterator[MergeConflict]:
    """The messages that tell of a conflict, of all that git tells."""
    for number in iter(lambda: next(tokens, b""), b""):
        if not number.isdigit():
            return  # advice about submodules, which takes the place of the end
        paths = tuple(next(tokens) for _ in range(int(number)))
        kind, message = next(tokens).decode(), next(tokens).decode("utf-8", "replace").strip()
        if kind.startswith("CONFLICT"):  # "CONFLICT (contents)", but "CONFLICT(directory rename collision)"
            yield MergeConflict(kind.partition("(")[2].partition(")")[0], paths, message)


def _error(stderr: bytes) -> GitError:
    text = stderr.decode("utf-8", "replace").strip()
    first = text.partition("\n")[0] or "it ended early"
    return GitError(f"git merge-tree failed: {first}", text)
