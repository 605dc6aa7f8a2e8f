# SPDX-License-Identifier: GPL-2.0-or-later
"""One layer of the index, as it lies on disk: a header with the counts, then plain arrays, each 8-byte aligned.

A layer is a forest of commits, numbered depth-first along first parents: a commit's descendants follow it, up to its
`end`. Positions are global: a layer begins where the one below ends, and its roots may hang off commits below. Roots
are sorted by what they hang off, so that those below one interval of commits are again one interval.

Arrays are in the byte order of the machine, which the magic number tells: a file from another one is not ours.
"""

import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

_MAGIC = 0x53544849_53543031  # "STHIST01"
_HEADER = struct.Struct("=Q8Q")


class IndexLayerError(Exception):
    """The file is not a layer, or not a whole one."""


class Counts(NamedTuple):
    """What the header says; everything else follows from it."""

    offset: int
    """The global position of the first commit."""
    oid_size: int
    """Bytes in an object id: 20 or 32."""
    commits: int
    roots: int
    merges: int
    """Pairs of a merge and one of its parents other than the first."""
    paths: int
    path_bytes: int
    changes: int


class ArraySpec(NamedTuple):
    """One array: its name, the format of an item (as in `struct`), how many items."""

    name: str
    format: Literal["B", "I", "i", "Q"]
    length: int


def array_specs(counts: Counts) -> tuple[ArraySpec, ...]:
    """The arrays of a layer, in their order in the file."""
    commits, merges, changes = counts.commits, counts.merges, counts.changes
    return (
        ArraySpec("values", "Q", changes),
        ArraySpec("oids", "B", commits * counts.oid_size),
        ArraySpec("by_oid", "I", commits),
        ArraySpec("times", "I", commits),
        ArraySpec("parents", "i", commits),
        ArraySpec("ends", "I", commits),
        ArraySpec("depths", "I", commits),
        ArraySpec("roots", "I", counts.roots),
        ArraySpec("hang_off", "i", counts.roots),
        ArraySpec("merge_parents", "I", merges),
        ArraySpec("merge_children", "I", merges),
        ArraySpec("path_starts", "I", counts.paths + 1),
        ArraySpec("path_changes", "I", counts.paths + 1),
        ArraySpec("positions", "I", changes),
        ArraySpec("path_names", "B", counts.path_bytes),
    )


def header(counts: Counts) -> bytes:
    """The first bytes of a layer."""
    return _HEADER.pack(_MAGIC, *counts)


def padding(size: int) -> bytes:
    """What follows an array of `size` bytes, so that the next one is aligned."""
    return bytes(-size % 8)


class IndexLayer:
    """A layer, memory-mapped: nothing is read before it is asked for.

    Positions inside of `ends`, `roots` and `positions` count from the layer's start; `parents`, `hang_off` and the two
    arrays of merges hold global ones.
    """

    def __init__(self, buffer: "bytes | mmap.mmap") -> None:
        """Raises IndexLayerError where the buffer is not a whole layer."""
        if len(buffer) < _HEADER.size:
            raise IndexLayerError
        magic, *numbers = _HEADER.unpack_from(buffer)
        counts = Counts(*numbers)
        if magic != _MAGIC or max(counts[1:]) > len(buffer) or counts.oid_size not in (20, 32):
            raise IndexLayerError
        views: dict[str, memoryview] = {}
        at = _HEADER.size
        whole = memoryview(buffer).toreadonly()
        for name, kind, length in array_specs(counts):
            size = length * struct.calcsize(kind)
            views[name] = whole[at : at + size].cast(kind) if at + size <= len(buffer) else whole[:0]
            at += size + len(padding(size))
        if at != len(buffer):
            raise IndexLayerError
        self.counts = counts
        self.offset = counts.offset
        self.stop = counts.offset + counts.commits
        self.values: Sequence[int] = views["values"]
        self.times: Sequence[int] = views["times"]
        self.parents: Sequence[int] = views["parents"]
        self.ends: Sequence[int] = views["ends"]
        self.depths: Sequence[int] = views["depths"]
        self.positions: Sequence[int] = views["positions"]
        self.roots: Sequence[int] = views["roots"]
        self.hang_off: Sequence[int] = views["hang_off"]
        self.merge_parents: Sequence[int] = views["merge_parents"]
        self.merge_children: Sequence[int] = views["merge_children"]
        self.views = views
        self._by_oid = views["by_oid"]
        self._oids = views["oids"]
        self._path_starts = views["path_starts"]
        self._path_names = views["path_names"]
        self._path_changes = views["path_changes"]

    @classmethod
    def open(cls, file: Path) -> "IndexLayer":
        """The layer in the file.

        Raises LayerError where it is missing, foreign or cut short.
        """
        try:
            with file.open("rb") as stream:
                return cls(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise IndexLayerError from error

    def __len__(self) -> int:
        return self.counts.commits

    def oid(self, index: int) -> bytes:
        """The raw object id of the commit at `index`, counted from the layer's start."""
        size = self.counts.oid_size
        return bytes(self._oids[index * size : (index + 1) * size])

    def with_prefix(self, low: bytes, high: bytes) -> Iterator[int]:
        """The indexes of the commits whose raw ids are in low..high, sorted by id."""
        first = bisect_left(self._by_oid, low, key=self.oid)
        for place in range(first, len(self)):
            index = self._by_oid[place]
            if self.oid(index) > high:
                return
            yield index

    def path(self, number: int) -> bytes:
        """The path with this number; numbers follow the byte order of the paths."""
        return bytes(self._path_names[self._path_starts[number] : self._path_starts[number + 1]])

    def path_from(self, name: bytes) -> int:
        """The number of the first path that is not less than `name`."""
        return bisect_left(range(self.counts.paths), name, key=self.path)

    def changes(self, path: bytes) -> range:
        """Where in `positions` and `values` the changes of the path are."""
        number = self.path_from(path)
        if number == self.counts.paths or self.path(number) != path:
            return range(0)
        return range(self._path_changes[number], self._path_changes[number + 1])
