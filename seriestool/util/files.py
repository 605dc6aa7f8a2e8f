# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that others read meanwhile: written whole or not at all, and locks between processes."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def find_content(path: Path) -> bytes:
    """What is in the file; b"" where it is not there or cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def write_whole(path: Path, content: bytes, mtime: int | None = None) -> None:
    """Put the content in the place of the file: who reads meanwhile sees all of the old one or all of the new one.

    Its folder is made where it is missing; `mtime` is the time that the file gets, in seconds since 1970. A crash of
    the machine may undo it (see `write_durably`). Raises OSError; then the file is as it was, and nothing is left
    beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _draft_of(path) as draft:
        draft.write_bytes(content)
        if mtime is not None:
            os.utime(draft, (mtime, mtime))
        draft.replace(path)


def write_durably(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """As `write_whole`, and the content is on disk (fsync(2)) before it takes the place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _draft_of(path) as draft:
        with draft.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A block that one process at a time runs; another one waits. The lock is the file, or the folder, at `path`.

    The file is made where it is missing and stays; a process that ends, however that may be, lets go of it (flock(2)).
    """
    descriptor = _open(path)
    try:
        _flock(descriptor)
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """The descriptor of the locked file; closing it unlocks it. None where another one has the lock."""
    descriptor = _open(path)
    try:
        _flock(descriptor, wait=False)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _open(path: Path) -> int:
    if path.is_dir():
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _flock(descriptor: int, wait: bool = True) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """A name of our own beside the file; nothing is left there after the block."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
    finally:
        with suppress(OSError):
            draft.unlink()
