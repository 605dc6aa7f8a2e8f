# SPDX-License-Identifier: GPL-2.0-or-later
"""What processes use, read from /proc: how many there are, memory, files that have no name any more."""

import contextlib
import os
import re
import stat
from collections.abc import Iterable

from msgspec import Struct

_LEAST = 64 << 20
_FIGURE = re.compile(rb"^(RssAnon|RssShmem|Threads|Pss_Anon|Pss_Shmem|MemTotal|MemAvailable):\s+(\d+)", re.MULTILINE)


class ProcessUsage(Struct, frozen=True):
    """What processes use together."""

    threads: int
    private: int
    """Bytes."""
    shared: int
    """Bytes; those of files in a tmpfs that are mapped are among them."""


def estimate_usage(folders: Iterable[str]) -> ProcessUsage:
    """An upper bound, quickly: pages that several processes share are counted for each. `folders` are in /proc."""
    found = [_figures(f"{folder}/status") for folder in folders]
    return ProcessUsage(
        sum(one.get(b"Threads", 0) for one in found),
        sum(one.get(b"RssAnon", 0) for one in found) << 10,
        sum(one.get(b"RssShmem", 0) for one in found) << 10,
    )


def measure_usage(folders: Iterable[str]) -> ProcessUsage:
    """What they really have, each page counted once; some milliseconds for a process of a gigabyte."""
    found = [_figures(f"{folder}/smaps_rollup") for folder in folders]
    return ProcessUsage(
        0,
        sum(one.get(b"Pss_Anon", 0) for one in found) << 10,
        sum(one.get(b"Pss_Shmem", 0) for one in found) << 10,
    )


def is_machine_full() -> bool:
    """Whether next to nothing of the machine's memory is left."""
    found = _figures("/proc/meminfo")
    least = max(_LEAST >> 10, found.get(b"MemTotal", 0) // 50)
    return found.get(b"MemAvailable", least) < least


def deleted_file_bytes(folders: Iterable[str]) -> int:
    """Bytes of the files that they have open and that no folder has any more; memfds are such files."""
    found: dict[tuple[int, int], int] = {}
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(f"{folder}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    one = entry.stat()
                    if not one.st_nlink and stat.S_ISREG(one.st_mode):
                        found[one.st_dev, one.st_ino] = one.st_blocks * 512
    return sum(found.values())


def descendants(ancestor: int) -> list[int]:
    """The processes that came from it, and it itself."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208  # many times a second
        if name.isdigit():
            children.setdefault(parent(int(name)), []).append(int(name))
    found = [ancestor]
    for pid in found:
        found += children.get(pid, ())
    return found


def parent(pid: int) -> int:
    """The process that it is a child of; 0 where it has gone."""
    # `pid (name) state ppid`: a name may have parentheses and spaces in it.
    return int((_read(f"/proc/{pid}/stat").rpartition(b")")[2].split() or [b"", b"0"])[1])


def _figures(file: str) -> dict[bytes, int]:
    return {name: int(value) for name, value in _FIGURE.findall(_read(file))}


def _read(file: str) -> bytes:
    """The content, or nothing where the process has gone."""
    try:
        fd = os.open(file, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(fd, 1 << 16)
    except OSError:
        return b""
    finally:
        os.close(fd)
