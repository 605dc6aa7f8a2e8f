# SPDX-License-Identifier: GPL-2.0-or-later
"""Which folders are kept: each is used by one run at a time, and the least recently used go first."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from seriestool.sandbox import wipe
from seriestool.util.files import try_lock

_SLOTS = 3
"""How many runs can have a source of one repository at a time."""
_WAIT = 0.2
_MOST_FOLDERS = 4
_MOST_BYTES = 20 << 30
_MOST_OUTPUTS = 8
_GOING = ".going-"


@contextlib.contextmanager
def lock_folder(root: Path, report: Callable[[str], None]) -> Iterator[Path]:
    """A folder below `root` that is ours until the end of the block; the lowest number that is free."""
    root.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = _take(root, report, stack)
        folder.mkdir(exist_ok=True)
        os.utime(folder)
        yield folder


def _take(root: Path, report: Callable[[str], None], stack: contextlib.ExitStack) -> Path:
    has_said = False
    while True:
        for number in map(str, range(1, _SLOTS + 1)):
            if _lock(root / f"{number}.lock", stack):
                return root / number
            if _is_ours(root / f"{number}.lock"):
                break  # another thread has it and will be done; a second source would only cost
        if not has_said:
            report("waiting for another build to end")
            has_said = True
        time.sleep(_WAIT)


def _lock(file: Path, stack: contextlib.ExitStack) -> bool:
    """Whether the lock is ours now; who has it stands in the file."""
    fd = try_lock(file)
    if fd is None:
        return False
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    stack.callback(os.close, fd)
    return True


def _is_ours(file: Path) -> bool:
    try:
        return file.read_text() == str(os.getpid())
    except OSError:
        return False


def prune_folders(root: Path, most_folders: int = _MOST_FOLDERS, most_bytes: int = _MOST_BYTES) -> None:
    """Remove the folders that were used least recently, as far as there are too many or they are too large.

    `root` has a folder for each repository, with the numbered ones in it; those in use stay.
    """
    folders = [folder for folder in root.glob("*/[1-9]") if folder.is_dir()]
    folders.sort(key=_last_use, reverse=True)
    total = 0
    for place, folder in enumerate(folders):
        total += size(folder)
        if place >= most_folders or (total > most_bytes and place):
            _remove_unlocked(folder)
    for left in root.glob(f"*/{_GOING}*"):
        wipe(left)


def prune_outputs(folder: Path, most: int = _MOST_OUTPUTS) -> None:
    """Remove the build folders in a folder that were used least recently, as far as there are too many."""
    for left in folder.glob(f"{_GOING}*"):
        wipe(left)
    outputs = sorted(folder.glob("*"), key=_last_use, reverse=True)
    for output in outputs[most:]:
        remove(output)


def _last_use(folder: Path) -> float:
    """When it was used last; 0 where another run has just removed it."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def remove(folder: Path) -> None:
    """Remove a folder so that half of it is never taken for the whole."""
    if folder.exists():
        going = folder.with_name(f"{_GOING}{folder.name}-{os.getpid()}-{time.monotonic_ns()}")
        folder.rename(going)
        wipe(going)


def _remove_unlocked(folder: Path) -> None:
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        if _lock(folder.with_name(f"{folder.name}.lock"), stack):
            remove(folder)


def size(folder: Path) -> int:
    """Bytes of disk that the folder takes, as it was last measured; see `measure`."""
    try:
        return int(folder.joinpath("size").read_text())
    except (OSError, ValueError):
        return 0


def measure(folder: Path) -> None:
    """Look how much the folder takes; half a second for a kernel's."""
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    folder.joinpath("size").write_text(str(total))
