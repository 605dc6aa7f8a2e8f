# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch of a series each line of a file comes from."""

from collections.abc import Sequence

from seriestool.series.hunks import MisplacedHunk, apply_edits, prepare_edits, split_lines
from seriestool.series.model import Hunk

BASE = 0
"""Of lines that were there before the series; patches are counted from 1."""


def follow(origins: Sequence[int], before: bytes, hunks: Sequence[Hunk], after: bytes, counter: int) -> tuple[int, ...]:
    """The origins of the lines after the patch `counter`, from those before it."""
    edits = prepare_edits(hunks)
    lines = split_lines(before)
    placed = apply_edits(lines, edits)
    size = after.count(b"\n") + (not after.endswith(b"\n") and bool(after))
    if isinstance(placed, MisplacedHunk) or len(origins) != len(lines):
        return _between(origins, lines, split_lines(after), counter)
    found = list(origins)
    for hunk, edit, at in zip(hunks, edits, placed.places, strict=True):
        found[at : at + len(edit.old)] = _hunk_origins(hunk, found[at : at + len(edit.old)], counter)
    return tuple(found) if len(found) == size else _between(origins, lines, split_lines(after), counter)


def rows_of(origins: Sequence[int], counter: int) -> tuple[int, ...]:
    """The lines (0-based) that the patch added."""
    return tuple(row for row, origin in enumerate(origins) if origin == counter)


def _hunk_origins(hunk: Hunk, old: Sequence[int], counter: int) -> list[int]:
    found = []
    at = 0
    for line in hunk.lines:
        if len(line) < 2:  # as in `prepare_edits`: git passes over it
            continue
        if line[:1] == b"+":
            found.append(counter)
            continue
        if line[:1] == b" ":
            found.append(old[at])
        at += 1
    return found


def _between(origins: Sequence[int], before: Sequence[bytes], after: Sequence[bytes], counter: int) -> tuple[int, ...]:
    """Where hunks do not tell: all between what both files begin and end with is new."""
    most = min(len(before), len(after), len(origins))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = next((n for n in range(most - head) if before[-1 - n] != after[-1 - n]), most - head)
    end = tuple(origins[len(origins) - tail :]) if tail else ()
    return (*origins[:head], *(counter,) * (len(after) - head - tail), *end)
