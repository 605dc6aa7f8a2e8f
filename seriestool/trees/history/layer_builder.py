# SPDX-License-Identifier: GPL-2.0-or-later
"""From git's raw log to a layer. Only this module needs NumPy, so nothing imports it before it has to build."""

from array import array
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from seriestool.git import iter_tokens
from seriestool.trees.history.index_layer import ArraySpec, Counts, IndexLayer, array_specs, header, padding
from seriestool.trees.history.message_columns import MessageColumns, MessageReader, no_messages

Array = npt.NDArray[np.int64]

_MODE_DIGITS = {b"000000": b"0", b"100644": b"1", b"100755": b"2", b"120000": b"3", b"160000": b"4"}
_OTHER_MODE = b"5"
_LATEST = 2**32 - 1


class LayerDraft(Struct, kw_only=True):
    """Commits that are not numbered yet: row by row, in any order.

    Parents and merges name commits by their future layer's numbering: below `offset` a position in the layers below,
    from `offset` on a row of this draft; -1 is no (known) parent.
    """

    offset: int
    oids: npt.NDArray[np.uint8]
    """One row of 20 or 32 bytes for each commit."""
    times: npt.NDArray[np.uint32]
    parents: Array
    merge_children: Array
    merge_parents: Array
    paths: list[bytes]
    change_rows: Array
    change_paths: Array
    values: npt.NDArray[np.uint64]
    messages: MessageColumns | None = None
    """None where they were not read."""

    def __len__(self) -> int:
        return len(self.oids)


class LogReader:
    """Takes the tokens of `Repository.raw_log` as they come, and keeps them as arrays."""

    def __init__(self, hex_size: int, has_messages: bool = False) -> None:
        self._hex = hex_size
        self._messages = MessageReader() if has_messages else None
        self._ids: dict[bytes, int] = {}  # every raw id that was seen, as a commit or as a parent
        self._numbers = array("q")
        self._times = array("L")
        self._first_parents = array("q")
        self._merges: list[tuple[int, int]] = []
        self._paths: dict[bytes, int] = {}
        self._rows = [np.empty(0, np.uint32)]
        self._path_numbers = [np.empty(0, np.uint32)]
        self._values = [np.empty(0, np.uint64)]
        self._rest: list[bytes] = []

    @classmethod
    def read(
        cls,
        stream: IO[bytes],
        hex_size: int,
        progress: Callable[[int], None] | None = None,
        has_messages: bool = False,
    ) -> Self:
        """Everything in the stream, whose ids have `hex_size` digits; `progress` is told how many commits there are."""
        reader = cls(hex_size, has_messages)
        for tokens in iter_tokens(stream):
            reader.feed(tokens)
            if progress:
                progress(len(reader))
        return reader

    def __len__(self) -> int:
        return len(self._numbers)

    def feed(self, tokens: list[bytes]) -> None:
        """Take some more tokens; a record whose path has not come yet waits for it."""
        # The status letter, a space, the new id, a space, the old id, a space, the new mode: counted from the end,
        # because a newline may stand before the record.
        oid_at, mode_at = -2 - self._hex, -4 - 2 * self._hex - 6
        oid_stop, mode_stop = oid_at + 15, mode_at + 6
        paths, digits = self._paths, _MODE_DIGITS
        rows: list[int] = []
        numbers: list[int] = []
        values: list[bytes] = []
        messages: list[bytes] = []
        has_messages = self._messages is not None
        row = len(self._numbers) - 1
        upcoming = iter([*self._rest, *tokens])
        self._rest = []
        for token in upcoming:
            if token[:1] == b"\x01":
                if has_messages:
                    message = next(upcoming, None)
                    if message is None:
                        self._rest = [token]
                        break
                    messages.append(message)
                row = self._commit(token)
            elif token:
                path = next(upcoming, None)
                if path is None:
                    self._rest = [token]
                    break
                rows.append(row)
                numbers.append(paths.setdefault(path, len(paths)))
                values.append(token[oid_at:oid_stop] + digits.get(token[mode_at:mode_stop], _OTHER_MODE))
        if self._messages is not None:
            self._messages.feed(messages)
        self._rows.append(np.array(rows, np.uint32))
        self._path_numbers.append(np.array(numbers, np.uint32))
        packed = bytes.fromhex(b"".join(values).decode("ascii"))
        self._values.append(np.frombuffer(packed, ">u8").astype(np.uint64))

    def _commit(self, token: bytes) -> int:
        oid, time, parents = token[1:].decode("ascii").split(" ", 2)
        ids, raw = self._ids, bytes.fromhex
        self._numbers.append(ids.setdefault(raw(oid), len(ids)))
        # git prints nothing for a commit without a readable date
        self._times.append(min(max(int(time), 0), _LATEST) if time else 0)
        first, _, others = parents.partition(" ")
        self._first_parents.append(ids.setdefault(raw(first), len(ids)) if first else -1)
        row = len(self._numbers) - 1
        for parent in others.split():
            self._merges.append((row, ids.setdefault(raw(parent), len(ids))))
        return row

    def outside(self) -> list[bytes]:
        """The raw ids of first parents that are not in the log, sorted."""
        missing = set(self._first_parents) - set(self._numbers) - {-1}
        ids = list(self._ids)
        return sorted(ids[number] for number in missing)

    def draft(self, offset: int, find: Callable[[bytes], int | None]) -> LayerDraft:
        """What was read, as a draft above `offset` older commits, in which `find` looks up a raw id.

        Commits that are there already are left out: git logs them again when an old tip is gone.
        """
        raw = np.frombuffer(b"".join(self._ids), np.uint8)
        raw = raw.reshape(len(self._ids), self._hex // 2)
        places = np.full(len(self._ids) + 1, -1, np.int64)  # the last one is for -1: no parent
        if offset:
            places[:-1] = [-1 if (below := find(oid.tobytes())) is None else below for oid in raw]
        numbers = np.array(self._numbers, np.int64)
        is_new = places[numbers] < 0
        rows = np.cumsum(is_new) - 1
        places[numbers[is_new]] = offset + np.arange(is_new.sum())
        merges = np.array(self._merges, np.int64).reshape(-1, 2)
        messages = self._messages.columns(merges[:, 0]).select(is_new) if self._messages is not None else None
        merges = merges[is_new[merges[:, 0]] & (places[merges[:, 1]] >= 0)]
        change_rows = np.concatenate(self._rows)
        changed = is_new[change_rows]
        return LayerDraft(
            offset=offset,
            oids=raw[numbers[is_new]],
            times=np.array(self._times, np.uint32)[is_new],
            parents=places[np.array(self._first_parents, np.int64)[is_new]],
            merge_children=offset + rows[merges[:, 0]],
            merge_parents=places[merges[:, 1]],
            paths=list(self._paths),
            change_rows=rows[change_rows[changed]],
            change_paths=np.concatenate(self._path_numbers)[changed].astype(np.int64),
            values=np.concatenate(self._values)[changed],
            messages=messages,
        )


def roots_draft(oids: list[bytes], times: list[int], states: list[dict[bytes, int]], oid_size: int) -> LayerDraft:
    """Commits of which only ids, times and the states of some paths are known: each one a root that makes these."""
    none = np.empty(0, np.int64)
    paths = {path: number for number, path in enumerate(dict.fromkeys(path for known in states for path in known))}
    changes = [(row, paths[path], value) for row, known in enumerate(states) for path, value in known.items()]
    rows, numbers, values = zip(*changes, strict=True) if changes else ((), (), ())
    return LayerDraft(
        offset=0,
        oids=np.frombuffer(b"".join(oids), np.uint8).reshape(len(oids), oid_size),
        times=np.array(times, np.uint32),
        parents=np.full(len(oids), -1, np.int64),
        merge_children=none,
        merge_parents=none,
        paths=list(paths),
        change_rows=np.array(rows, np.int64),
        change_paths=np.array(numbers, np.int64),
        values=np.array(values, np.uint64),
    )


def join(layer: IndexLayer, draft: LayerDraft) -> LayerDraft:
    """The commits of the topmost layer and of a draft above it, as one draft in the layer's place."""
    names = [layer.path(number) for number in range(layer.counts.paths)]
    numbers = {name: number for number, name in enumerate(names)}
    renumbered = np.array([numbers.setdefault(name, len(numbers)) for name in draft.paths], np.int64)
    first_changes = np.frombuffer(layer.views["path_changes"], np.uint32).astype(np.int64)
    own_paths = np.repeat(np.arange(len(names)), first_changes[1:] - first_changes[:-1])
    oids = np.frombuffer(layer.views["oids"], np.uint8).reshape(len(layer), -1)
    return LayerDraft(
        offset=layer.offset,
        oids=np.concatenate([oids, draft.oids]),
        times=_both(layer, "times", np.uint32, draft.times),
        parents=_both(layer, "parents", np.int32, draft.parents),
        merge_children=_both(layer, "merge_children", np.uint32, draft.merge_children),
        merge_parents=_both(layer, "merge_parents", np.uint32, draft.merge_parents),
        paths=list(numbers),
        change_rows=_both(layer, "positions", np.uint32, draft.change_rows + len(layer)),
        change_paths=np.concatenate([own_paths, renumbered[draft.change_paths]]),
        values=_both(layer, "values", np.uint64, draft.values),
        messages=draft.messages.above(layer) if draft.messages is not None and layer.has_messages else None,
    )


def _both(layer: IndexLayer, name: str, kind: npt.DTypeLike, above: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([np.frombuffer(layer.views[name], kind).astype(above.dtype), above])


class _RowOrder(NamedTuple):
    """The depth-first tour of a draft: for each row its position, how many rows its subtree has, its depth."""

    position: Array
    size: Array
    depth: Array
    roots: Array
    """The rows without a parent in the draft, in the order of their positions."""


def _number_rows(parents: Array, offset: int, depth_below: Callable[[int], int]) -> _RowOrder:
    """Number the rows: each one before its descendants, and the child with the most descendants first.

    So the long lines are runs of consecutive positions. Roots go by the commit below that they hang off, then by row.
    """
    parent_of = (parents - offset).tolist()
    order = _parents_first(parent_of)
    size = [1] * len(order)
    for row in reversed(order):
        if (parent := parent_of[row]) >= 0:
            size[parent] += size[row]
    heavy = _heavy_children(parent_of, size)
    roots = sorted((row for row, parent in enumerate(parent_of) if parent < 0), key=parent_of.__getitem__)
    position = [0] * len(order)
    depth = [0] * len(order)
    free = [0] * len(order)  # where the next of a row's lighter children goes
    place = 0
    for row in roots:
        position[row] = place
        place += size[row]
        depth[row] = depth_below(below) + 1 if (below := parent_of[row] + offset) >= 0 else 0
    for row in order:
        parent = parent_of[row]
        if parent >= 0:
            depth[row] = depth[parent] + 1
            if heavy[parent] == row:
                position[row] = position[parent] + 1
            else:
                position[row] = free[parent]
                free[parent] += size[row]
        free[row] = position[row] + 1 + (size[heavy[row]] if heavy[row] >= 0 else 0)
    return _RowOrder(*(np.array(numbers, np.int64) for numbers in (position, size, depth, roots)))


def _parents_first(parent_of: list[int]) -> list[int]:
    """The rows, each after its parent. Git's log is nearly the reverse of that, but for clocks that were wrong."""
    order: list[int] = []
    placed = bytearray(len(parent_of))
    for start in range(len(parent_of) - 1, -1, -1):
        line: list[int] = []
        row = start
        while row >= 0 and not placed[row]:
            placed[row] = 1
            line.append(row)
            row = parent_of[row]
        order.extend(reversed(line))
    return order


def _heavy_children(parent_of: list[int], size: list[int]) -> list[int]:
    heavy = [-1] * len(parent_of)
    largest = [0] * len(parent_of)
    for row, parent in enumerate(parent_of):
        if parent >= 0 and size[row] > largest[parent]:
            largest[parent] = size[row]
            heavy[parent] = row
    return heavy


def pack(draft: LayerDraft, depth_below: Callable[[int], int]) -> Iterator[bytes | memoryview]:
    """The bytes of a layer with the draft's commits, piece by piece; `depth_below` tells depths in the layers below."""
    tour = _number_rows(draft.parents, draft.offset, depth_below)
    position, roots = tour.position, tour.roots
    row_at = np.empty_like(position)
    row_at[position] = np.arange(len(position))
    names = sorted(range(len(draft.paths)), key=draft.paths.__getitem__)
    arrays: dict[str, npt.NDArray[Any]] = {
        "oids": draft.oids[row_at],
        "times": draft.times[row_at],
        "parents": _renumbered(draft.parents, draft.offset, position)[row_at],
        "ends": (position + tour.size)[row_at],
        "depths": tour.depth[row_at],
        "roots": position[roots],
        "hang_off": draft.parents[roots],
        **_merges(draft, position),
        **_paths([draft.paths[number] for number in names]),
        **_changes(draft, position, np.array(names, np.int64)),
        **(no_messages() if draft.messages is None else draft.messages.arrays(position, row_at)),
    }
    arrays["by_oid"] = np.argsort(arrays["oids"].view(f"S{draft.oids.shape[1]}")[:, 0], kind="stable")
    counts = Counts(
        offset=draft.offset,
        oid_size=draft.oids.shape[1],
        commits=len(draft),
        roots=len(roots),
        merges=len(arrays["merge_parents"]),
        paths=len(names),
        path_bytes=len(arrays["path_names"]),
        changes=len(arrays["values"]),
        messages=len(arrays["marks"]),
        people=len(arrays["people_starts"]) - 1,
        people_bytes=len(arrays["people"]),
        text_bytes=len(arrays["text"]),
        ids=len(arrays["by_id"]),
        targets=len(arrays["by_target"]),
    )
    yield header(counts)
    for section in array_specs(counts):
        yield from _stored(section, arrays.pop(section.name))


def _stored(section: ArraySpec, array: npt.NDArray[Any]) -> Iterator[bytes | memoryview]:
    data = np.ascontiguousarray(array.astype(np.dtype(section.format), copy=False)).reshape(-1).view(np.uint8)
    yield data.data
    yield padding(len(data))


def _renumbered(commits: Array, offset: int, position: Array) -> Array:
    """Rows of the draft become positions; what lies below the draft stays."""
    own = commits >= offset
    numbers = commits.copy()
    numbers[own] = offset + position[commits[own] - offset]
    return numbers


def _merges(draft: LayerDraft, position: Array) -> dict[str, npt.NDArray[Any]]:
    parents = _renumbered(draft.merge_parents, draft.offset, position)
    children = _renumbered(draft.merge_children, draft.offset, position)
    order = np.lexsort((children, parents))
    return {"merge_parents": parents[order], "merge_children": children[order]}


def _paths(names: list[bytes]) -> dict[str, npt.NDArray[Any]]:
    lengths = np.fromiter(map(len, names), np.int64, len(names))
    return {
        "path_starts": np.concatenate([[0], np.cumsum(lengths)]),
        "path_names": np.frombuffer(b"".join(names), np.uint8),
    }


def _changes(draft: LayerDraft, position: Array, names: Array) -> dict[str, npt.NDArray[Any]]:
    rank = np.empty_like(names)
    rank[names] = np.arange(len(names))
    keys = rank[draft.change_paths]
    keys <<= 32
    keys |= position[draft.change_rows]
    order = np.argsort(keys)
    keys = keys[order]
    starts = np.searchsorted(keys, np.arange(len(names) + 1) << 32)
    return {
        "path_changes": starts,
        "positions": keys.astype(np.uint32),  # the lower half
        "values": draft.values[order],
    }
