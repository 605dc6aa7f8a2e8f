# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions to the index: at which of all commits is a path in a state that is accepted?

The state of a path at a commit is what the nearest first-parent ancestor that changed the path made of it. Commits are
numbered depth-first along first parents, so the answer is a few intervals of positions, whatever the history's size.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from seriestool.trees.history.index_layer import IndexLayer, IndexLayerError
from seriestool.trees.history.index_manifest import Manifest, find_manifest
from seriestool.trees.history.intervals import Segments, carve, union
from seriestool.trees.history.tips_file import read_positions

_SHORTEST = 7


class FirstParentLine:
    """A commit and its first-parent ancestors."""

    def __init__(self, points: Sequence[tuple[int, IndexLayer]]) -> None:
        """`points`: the newest commit of the line in each layer that it crosses, newest first."""
        self._spans = [(layer.offset, point, point - layer.offset, layer.ends) for point, layer in points]

    def has(self, pos: int) -> bool:
        """Whether the commit is on the line."""
        for offset, point, local, ends in self._spans:
            if pos >= offset:
                return pos <= point and ends[pos - offset] > local
        return False


class History:
    """All commits that were ever indexed, by position."""

    def __init__(
        self, layers: Iterable[IndexLayer], manifest: Manifest | None = None, folder: Path | None = None
    ) -> None:
        self.layers = tuple(layers)
        self.manifest = manifest
        self._folder = folder
        self._offsets = [layer.offset for layer in self.layers]

    @classmethod
    def open(cls, folder: Path, key: str) -> "History | None":
        """The index in the folder, or None where `update` has to (re)build it.

        `key` is the repository's `fingerprint`.
        """
        for _ in range(3):  # an updater may remove a layer after we have read which ones there are
            manifest = find_manifest(folder)
            if manifest is None or manifest.key != key:
                return None
            try:
                layers = [IndexLayer.open(folder / name) for name in manifest.layers]
            except IndexLayerError:
                continue
            return cls(layers, manifest, folder) if _is_stack(layers) else None
        return None

    @property
    def refs_digest(self) -> str:
        """What the manifest says of the refs at the last update; empty where there was none."""
        return self.manifest.refs if self.manifest else ""

    @property
    def tips(self) -> Sequence[int]:
        """The positions of all that refs led to at the last update, sorted."""
        if self.manifest is None or self._folder is None or not self.layers:
            return ()
        return read_positions(self._folder / self.manifest.tips, self.layers[0].counts.oid_size)

    def __len__(self) -> int:
        return self.layers[-1].stop if self.layers else 0

    def locate(self, pos: int) -> tuple[IndexLayer, int]:
        """The layer of the commit at the position, and its index there; IndexError where there is none."""
        layer = self._layer(pos)
        return layer, pos - layer.offset

    def find(self, oid: str) -> int | None:
        """The position of the commit, by its id or at least 7 digits of it; None where unknown or ambiguous."""
        full = 2 * self.layers[0].counts.oid_size if self.layers else 0
        if not _SHORTEST <= len(oid) <= full:
            return None
        try:
            low, high = bytes.fromhex(oid.ljust(full, "0")), bytes.fromhex(oid.ljust(full, "f"))
        except ValueError:
            return None
        found = {position for layer in self.layers for position in _some_with(layer, low, high)}
        return found.pop() if len(found) == 1 else None

    def find_raw(self, oid: bytes) -> int | None:
        """The position of the commit with this raw id, or None."""
        for layer in reversed(self.layers):
            for index in layer.with_prefix(oid, oid):
                return layer.offset + index
        return None

    def oid(self, pos: int) -> str:
        """The full id, in hex."""
        layer = self._layer(pos)
        return layer.oid(pos - layer.offset).hex()

    def time(self, pos: int) -> int:
        """The committer's time: seconds since 1970, UTC."""
        layer = self._layer(pos)
        return layer.times[pos - layer.offset]

    def parent(self, pos: int) -> int:
        """The first parent's position, or -1."""
        layer = self._layer(pos)
        return layer.parents[pos - layer.offset]

    def depth(self, pos: int) -> int:
        """How many first-parent ancestors there are."""
        layer = self._layer(pos)
        return layer.depths[pos - layer.offset]

    def changes(self, path: bytes) -> list[tuple[int, int]]:
        """Each change of the path: (position of the commit, the value that it gave to the path), by position."""
        return [
            (layer.offset + layer.positions[at], layer.values[at])
            for layer in self.layers
            for at in layer.changes(path)
        ]

    def value(self, pos: int, path: bytes) -> int:
        """The state of the path at the commit."""
        while pos >= 0:
            layer = self._layer(pos)
            index = pos - layer.offset
            at = _nearest(layer, layer.changes(path), index)
            if at is not None:
                return layer.values[at]
            pos = layer.hang_off[bisect_right(layer.roots, index) - 1]
        return 0

    def paths_under(self, folder: bytes, limit: int = 1000) -> list[bytes]:
        """The paths that ever were below the folder, sorted; no more than `limit` from each layer are looked at."""
        prefix = folder.rstrip(b"/") + b"/" if folder else b""
        return sorted({path for layer in self.layers for path in _paths_with(layer, prefix, limit)})

    def segments(self, path: bytes, accept: Callable[[int], bool]) -> Segments:
        """The positions at which `accept` holds for the path's value; it is asked once for each distinct value."""
        accepted = _AcceptedValues(accept)
        found: Segments = []
        for layer in self.layers:
            found += _segments_in(layer, path, accepted, found)
        return found

    def on_line(self, tip: int) -> FirstParentLine:
        """The first-parent line that ends at the commit."""
        points: list[tuple[int, IndexLayer]] = []
        while tip >= 0:
            layer = self._layer(tip)
            points.append((tip, layer))
            tip = layer.hang_off[bisect_right(layer.roots, tip - layer.offset) - 1]
        return FirstParentLine(points)

    def merges_into(self, start: int, stop: int) -> list[tuple[int, int]]:
        """(merge, parent) for each merge whose second or later parent lies in [start, stop)."""
        return [
            (layer.merge_children[at], layer.merge_parents[at])
            for layer in self.layers
            for at in range(bisect_left(layer.merge_parents, start), bisect_left(layer.merge_parents, stop))
        ]

    def descends(self, pos: int) -> Segments:
        """The commit and all that have it among their first-parent ancestors."""
        layer = self._layer(pos)
        found: Segments = [(pos, layer.offset + layer.ends[pos - layer.offset])]
        for above in self.layers[self.layers.index(layer) + 1 :]:
            found += [(above.offset + start, above.offset + stop) for start, stop in _hanging(above, found)]
        return found

    def _layer(self, pos: int) -> IndexLayer:
        if not 0 <= pos < len(self):
            raise IndexError(f"no commit at position {pos}")
        return self.layers[bisect_right(self._offsets, pos) - 1]


class _AcceptedValues:
    """The values that `accept` takes, of those that came up."""

    def __init__(self, accept: Callable[[int], bool]) -> None:
        self._accept = accept
        self._asked: set[int] = set()
        self._taken: set[int] = set()

    def among(self, values: Iterable[int]) -> set[int]:
        """The values taken so far; those of `values` that are new are asked for."""
        new = set(values) - self._asked
        self._asked |= new
        self._taken.update(filter(self._accept, new))
        return self._taken


def _segments_in(layer: IndexLayer, path: bytes, accepted: _AcceptedValues, below: Segments) -> Segments:
    """The layer's part of the answer; `below` is the answer in the layers below."""
    span = layer.changes(path)
    holes = list(layer.positions[span.start : span.stop])
    values = list(layer.values[span.start : span.stop])
    offset, ends = layer.offset, layer.ends
    untouched = _hanging(layer, [(-1, 0)] if 0 in accepted.among([0]) else []) + _hanging(layer, below)
    taken = accepted.among(values)
    parts = [
        carve(start=start, stop=stop, hole=bisect_left(holes, start), holes=holes, end_of=ends)
        for start, stop in untouched
    ]
    parts += [
        carve(start=holes[at], stop=ends[holes[at]], hole=at + 1, holes=holes, end_of=ends)
        for at, value in enumerate(values)
        if value in taken
    ]
    return union((offset + start, offset + stop) for part in parts for start, stop in part)


def _hanging(layer: IndexLayer, below: Segments) -> Segments:
    """The parts of the layer that hang off commits in these segments, counted from the layer's start."""
    found: Segments = []
    for start, stop in below:
        first = bisect_left(layer.hang_off, start)
        last = bisect_left(layer.hang_off, stop, first)
        if first < last:
            found.append((layer.roots[first], layer.roots[last] if last < len(layer.roots) else len(layer)))
    return found


def _nearest(layer: IndexLayer, changes: range, index: int) -> int | None:
    """Which of the changes made the path what it is at `index`, or None where that was in a layer below."""
    last = bisect_right(layer.positions, index, changes.start, changes.stop) - 1
    for at in range(last, changes.start - 1, -1):
        if layer.ends[layer.positions[at]] > index:
            return at
    return None


def _paths_with(layer: IndexLayer, prefix: bytes, limit: int) -> Iterator[bytes]:
    first = layer.path_from(prefix)
    for number in range(first, min(first + limit, layer.counts.paths)):
        path = layer.path(number)
        if not path.startswith(prefix):
            return
        yield path


def _some_with(layer: IndexLayer, low: bytes, high: bytes) -> list[int]:
    """The positions of two of the commits whose ids are in low..high, or of all if they are fewer."""
    return [layer.offset + index for index in islice(layer.with_prefix(low, high), 2)]


def _is_stack(layers: Sequence[IndexLayer]) -> bool:
    below = (0, *(layer.stop for layer in layers))
    return all(layer.offset == stop for layer, stop in zip(layers, below, strict=False))
