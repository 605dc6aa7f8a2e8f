# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges of known versions, in memory; what comes out is only ever believed by its blob id."""

from collections.abc import Iterator, Sequence

from seriestool.base.prerequisites.subset import Part, compare

Lines = Sequence[bytes]


def merge(base: Lines, ours: Lines, theirs: Lines) -> list[bytes] | None:
    """Both sides' changes to `base` together; None where they touch the same lines."""
    mine, other = _changes(compare(base, ours)), _changes(compare(base, theirs))
    changes = sorted({*mine, *other})
    merged: list[bytes] = []
    at = 0
    for start, stop, lines in changes:
        if start < at:
            return None
        merged += base[at:start]
        merged += lines
        at = stop
    return [*merged, *base[at:]]


def _changes(parts: Sequence[Part]) -> Iterator[tuple[int, int, tuple[bytes, ...]]]:
    """(first line, line after the last, new lines) for each change of the base."""
    at = 0
    for part in parts:
        if part.theirs is not None:
            yield at, at + len(part.ours), part.theirs
        at += len(part.ours)
