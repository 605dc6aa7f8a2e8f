# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects of a repository by id or name, through one long-lived process."""

import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

from seriestool.git.objects import Commit, TreeObject
from seriestool.git.process import GitError


class ObjectReader:
    """One long-lived `git cat-file --batch-command`: thousands of look-ups, one process."""

    # Requests in flight, and the bytes of their answers (a missing name comes back whole): a pipe holds 64 KiB.
    _CHUNK = 256
    _CHUNK_BYTES = 48 << 10
    _ANSWER_BYTES = 100

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command = command
        self._env = dict(env)
        self._errors = os.memfd_create("git-cat-file") if hasattr(os, "memfd_create") else subprocess.DEVNULL
        self._process = self._start()

    def read(self, name: str | bytes) -> tuple[str, str, bytes] | None:
        """(full id, type, content) of the object, or None where it is not here, or the name is ambiguous.

        `name` is an id, an abbreviated one, or any revision such as `commit:path`.
        """
        asked = _name(name)
        if not _is_askable(asked):
            return None
        self._ask([b"contents " + asked])
        header = self._answer()
        if header is None:
            return None
        oid, kind, size = header
        content = self._out.read(size + 1)[:size]
        if len(content) < size:
            raise _damaged()
        return oid, kind, content

    def commit(self, name: str | bytes) -> Commit | None:
        """The commit of that name, or None where there is none here, or the name is that of another object."""
        found = self.read(name)
        return Commit(found[0], found[2]) if found and found[1] == "commit" else None

    def tree(self, name: str | bytes) -> TreeObject | None:
        """The tree object of that name, or None where there is none here, or the name is that of another object."""
        found = self.read(name)
        return TreeObject.parse(found[2], len(found[0]) // 2) if found and found[1] == "tree" else None

    def check(self, names: Sequence[str | bytes]) -> list[tuple[str, str, int] | None]:
        """(full id, type, size) for each name, None for each that is not here, or ambiguous."""
        found: dict[bytes, tuple[str, str, int] | None] = {}
        asked = dict.fromkeys(one for one in map(_name, names) if _is_askable(one))
        for some in batches(asked, self._CHUNK_BYTES, self._CHUNK, self._ANSWER_BYTES):
            while some:
                self._ask([b"info " + one for one in some])
                process = self._process
                while some and process is self._process:  # a new one knows nothing of what the old one was asked
                    found[some[0]] = self._answer()
                    del some[0]
        return [found.get(_name(name)) for name in names]

    def is_ambiguous(self, name: str) -> bool:
        """Whether the name is an abbreviated id that several objects share; git cannot say it of `id^{kind}`."""
        asked = _name(name)
        if not _is_askable(asked):
            return False
        self._ask([b"info " + asked])
        line = self._out.readline()
        if not line:
            self._restart()
        return line.endswith(b" ambiguous\n")

    def close(self) -> None:
        """End the process."""
        self._stop()
        if self._errors != subprocess.DEVNULL:
            os.close(self._errors)

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._command, "cat-file", "--batch-command"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=self._env,
        )

    def _stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def _ask(self, lines: list[bytes]) -> None:
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # what was answered before it ended can still be read
            self._process.stdin.write(b"".join(line + b"\n" for line in lines))
            self._process.stdin.flush()

    def _answer(self) -> tuple[str, str, int] | None:
        line = self._out.readline()
        if not line:
            self._restart()
            return None
        oid, _, rest = line.decode("utf-8", "replace").strip().rpartition(" ")
        if rest in ("missing", "ambiguous", "submodule"):
            return None
        oid, _, kind = oid.rpartition(" ")
        return oid, kind, int(rest)

    def _restart(self) -> None:
        """A new process after one that ended for want of an object of a partial clone; GitError for other reasons."""
        self._stop()
        if b" from promisor remote" not in self._stderr():
            raise _damaged()
        self._process = self._start()

    def _stderr(self) -> bytes:
        """What the process said; forgotten once read."""
        if self._errors == subprocess.DEVNULL:
            return b""
        text = os.pread(self._errors, 1 << 16, 0)
        os.ftruncate(self._errors, 0)
        os.lseek(self._errors, 0, os.SEEK_SET)
        return text


def _damaged() -> GitError:
    return GitError("git cat-file ended early: the repository may be damaged")


def _name(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else os.fsencode(name)


def _is_askable(name: bytes) -> bool:
    """Whether cat-file would take the name for one name, and survive it."""
    # A newline in a mailed path would become a second command; git dies of a path that is relative to nowhere, and
    # of a reflog entry that is not there.
    revision, _, path = name.partition(b":")
    if not name.strip() or b"\n" in name or b"\0" in name:
        return False
    return b"@{" not in revision and not path.startswith((b"./", b"../"))


def batches(items: Iterable[bytes], size: int, count: int, extra: int = 1) -> Iterator[list[bytes]]:
    """The items in lists of at most `count`, and of at most `size` bytes (with `extra` for each) unless it is one."""
    batch: list[bytes] = []
    used = 0
    for item in items:
        cost = len(item) + extra
        if batch and (len(batch) >= count or used + cost > size):
            yield batch
            batch, used = [], 0
        batch.append(item)
        used += cost
    if batch:
        yield batch
