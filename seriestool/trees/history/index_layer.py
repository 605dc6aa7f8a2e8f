# SPDX-License-Identifier: GPL-2.0-or-later
"""One layer of the index, as it lies on disk: a header with the counts, then plain arrays, each 8-byte aligned.

A layer is a forest of commits, numbered depth-first along first parents: a commit's descendants follow it, up to its
`end`. Positions are global: a layer begins where the one below ends, and its roots may hang off commits below. Roots
are sorted by what they hang off, so that those below one interval of commits are again one interval.

What the commits' messages say is in the arrays from `text_starts` on: each commit's record lies somewhere in `text`
(`message_record`), its author is a number into `people`; `by_title`, `by_id` and `by_target` are commits in the order
of the hashes and keys beside them. A layer may be without all that.

Arrays are in the byte order of the machine, which the magic number tells: a file from another one is not ours.
"""

import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

_MAGIC = 0x53544849_53543032  # "STHIST02"
_HEADER = struct.Struct("=Q14Q")


SortedName = Literal["title", "id", "target"]


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
    messages: int
    """As many as commits; 0 in a layer without messages."""
    people: int
    people_bytes: int
    text_bytes: int
    ids: int
    """Pairs of a commit and a message-id or change-id that its message names."""
    targets: int
    """Pairs of a commit and another one that it fixes, reverts or was picked from."""


class ArraySpec(NamedTuple):
    """One array: its name, the format of an item (as in `struct`), how many items."""

    name: str
    format: Literal["B", "H", "h", "I", "i", "Q"]
    length: int


def array_specs(counts: Counts) -> tuple[ArraySpec, ...]:
    """The arrays of a layer, in their order in the file."""
    commits, merges, changes, messages = counts.commits, counts.merges, counts.changes, counts.messages
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
        ArraySpec("text_starts", "Q", messages),
        ArraySpec("text_lengths", "H", messages),
        ArraySpec("marks", "B", messages),
        ArraySpec("authors", "I", messages),
        ArraySpec("authored", "I", messages),
        ArraySpec("zones", "h", messages),
        ArraySpec("title_hashes", "I", messages),
        ArraySpec("by_title", "I", messages),
        ArraySpec("id_hashes", "I", counts.ids),
        ArraySpec("by_id", "I", counts.ids),
        ArraySpec("target_keys", "Q", counts.targets),
        ArraySpec("by_target", "I", counts.targets),
        ArraySpec("people_starts", "I", counts.people + 1),
        ArraySpec("people", "B", counts.people_bytes),
        ArraySpec("text", "B", counts.text_bytes),
    )


def header(counts: Counts) -> bytes:
    """The first bytes of a layer."""
    return _HEADER.pack(_MAGIC, *counts)


def padding(size: int) -> bytes:
    """What follows an array of `size` bytes, so that the next one is aligned."""
    return bytes(-size % 8)


class IndexLayer:
    """A layer, memory-mapped: nothing is read before it is asked for.

    Positions inside of `ends`, `roots`, `positions`, `by_title`, `by_id` and `by_target` count from the layer's start;
    `parents`, `hang_off` and the two arrays of merges hold global ones.
    """

    def __init__(self, buffer: "bytes | mmap.mmap") -> None:
        """Raises IndexLayerError where the buffer is not a whole layer."""
        if len(buffer) < _HEADER.size:
            raise IndexLayerError
        magic, *numbers = _HEADER.unpack_from(buffer)
        counts = Counts(*numbers)
        if magic != _MAGIC or max(counts[1:]) > len(buffer) or counts.oid_size not in (20, 32):
            raise IndexLayerError
        if counts.messages not in (0, counts.commits):
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
        self.authors: Sequence[int] = views["authors"]
        self.authored: Sequence[int] = views["authored"]
        self.zones: Sequence[int] = views["zones"]
        self.marks: Sequence[int] = views["marks"]
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

    @property
    def has_messages(self) -> bool:
        """Whether the layer knows what its commits' messages say."""
        return self.counts.messages == self.counts.commits

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

    def record(self, index: int) -> bytes:
        """What is kept of the message of the commit at `index` (`message_record`)."""
        start = self.views["text_starts"][index]
        return bytes(self.views["text"][start : start + self.views["text_lengths"][index]])

    def person(self, number: int) -> bytes:
        """The author with this number: `name <address>`."""
        starts = self.views["people_starts"]
        return bytes(self.views["people"][starts[number] : starts[number + 1]])

    def sorted_arrays(self, name: SortedName) -> tuple[Sequence[int], Sequence[int]]:
        """The hashes or keys, sorted, and beside each one the index of a commit that it is of."""
        keys = "target_keys" if name == "target" else f"{name}_hashes"
        return self.views[keys], self.views[f"by_{name}"]
