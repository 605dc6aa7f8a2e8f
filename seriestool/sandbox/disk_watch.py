# SPDX-License-Identifier: GPL-2.0-or-later
"""What is added to folders while a program runs, found at little cost.

Free space is asked for all the time; the folders are gone through, a slice at a time, where it has fallen or a while
has passed.
"""

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_STEP = 100  # files between two looks at the clock
_MOST = 3_000_000  # files in a folder; more are too much whatever is in them
_SMALLEST = 1024  # bytes that an empty file stands for: a disk has so many inodes and no more
_PAUSE = 10.0  # seconds between two scans while free space stays as it is
_CALM, _ALARMED = 0.03, 0.5  # the share of the time that scanning takes
_FLOOR = 256 << 20
_TOO_MUCH = 1 << 62
_HIDDEN = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES)  # of a place to hide things; no build has such
_COARSE = 5  # CLOCK_REALTIME_COARSE: what the kernel takes the times of files from


class DiskWatch:
    """Watches folders; `is_over` is asked again and again."""

    def __init__(self, folders: Sequence[Path], limit: int) -> None:
        self._folders = [os.fspath(folder) for folder in folders]
        self._limit = limit
        self._since = time.clock_gettime_ns(_COARSE)
        self._disks = _disks(self._folders)
        self._free = {folder: _free(folder) for folder in self._disks}
        self._scan = _added(self._folders, self._since)
        self._found = self._partly = 0
        self._next_scan = time.monotonic() + _PAUSE
        self._last = time.monotonic()

    def is_over(self, elsewhere: int) -> bool:
        """Whether more was added than the limit allows; `elsewhere` are bytes that count too."""
        now = time.monotonic()
        fallen = self._fallen()
        if fallen is None:
            return True
        share = _ALARMED if fallen + elsewhere > self._limit // 4 else _CALM
        until = now + share * min(now - self._last, 1.0)
        self._last = now
        if now >= self._next_scan or fallen > self._limit // 8:
            self._advance(until)
        return max(self._found, self._partly) + elsewhere > self._limit

    def _advance(self, until: float) -> None:
        while time.monotonic() < until:
            found = next(self._scan, None)
            if found is None:
                self._found, self._partly = self._partly, 0
                self._next_scan = time.monotonic() + _PAUSE
                self._scan = _added(self._folders, self._since)
                return
            self._partly = found
            if found > self._limit:
                return

    def _fallen(self) -> int | None:
        """Bytes by which free space has fallen; None where next to nothing is left."""
        total = 0
        for folder, before in self._free.items():
            now = _free(folder)
            if now < _FLOOR < before:
                return None
            total += max(0, before - now)
        return total


def _disks(folders: Iterable[str]) -> list[str]:
    """One folder of each disk."""
    return list({os.stat(folder).st_dev: folder for folder in folders}.values())  # noqa: PTH116


def _free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _added(folders: Iterable[str], since: int) -> Iterator[int]:
    """Bytes found so far in files changed since then, again and again; their ctime, which no program can set."""
    total = seen = 0
    linked = set[tuple[int, int]]()
    waiting = list(folders)
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError as error:
            if error.errno in _HIDDEN:
                yield _TOO_MUCH
            continue
        with entries:
            for entry in entries:
                seen += 1
                if not seen % _STEP:
                    yield total if seen < _MOST else _TOO_MUCH
                try:
                    one = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if stat.S_ISDIR(one.st_mode):
                    waiting.append(entry.path)
                elif one.st_nlink > 1:
                    if (one.st_dev, one.st_ino) in linked:
                        continue
                    linked.add((one.st_dev, one.st_ino))
                if one.st_ctime_ns >= since:
                    total += max(one.st_blocks * 512, _SMALLEST)
    yield total
