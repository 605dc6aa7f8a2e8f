# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders that programs nobody trusts have written to: read, and removed, from outside without harm."""

import contextlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_GOING = ".going-"


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A new folder for programs to write to, removed at the end whatever they left there."""
    folder = Path(tempfile.mkdtemp(prefix=f"seriestool-{name}-"))
    try:
        yield folder
    finally:
        wipe(folder)


def wipe(folder: Path) -> None:
    """Remove a folder whatever a program left in it: folders nested without end, folders that nobody may look into."""
    number = 0
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        while names := list(folder.iterdir()):
            for entry in names:
                if entry.is_symlink() or not entry.is_dir():
                    entry.unlink()
                    continue
                entry.chmod(0o700)
                for inner in list(entry.iterdir()):
                    if inner.is_symlink() or not inner.is_dir():
                        inner.unlink()
                    else:  # one level up, so that no path becomes longer than the kernel takes
                        number += 1
                        inner.chmod(0o700)  # else it cannot be moved
                        inner.rename(folder / f"{_GOING}{number}-{time.monotonic_ns()}")
                entry.rmdir()
        folder.rmdir()


def read_output_file(top: Path, *names: str, most: int) -> bytes:
    """The first `most` bytes of a file that a program left below `top`, which it could not replace.

    No link is followed on the way, and no pipe waited for: OSError where there is no such file.
    """
    handle = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=handle)
            os.close(handle)
            handle = inner
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(names[-1])
        with open(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)
