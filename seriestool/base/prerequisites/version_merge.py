# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges of known versions, in memory; what comes out is only ever believed by its blob id."""

from collections.abc import Collection, Sequence

from seriestool.base.prerequisites.line_diff import compare_lines

Lines = Sequence[bytes]


Change = tuple[int, int, tuple[bytes, ...]]
"""First line, line after the last, new lines."""


def merge(base: Lines, ours: Lines, theirs: Lines) -> list[bytes] | None:
    """Both sides' changes to `base` together; None where they touch the same lines."""
    return join(base, changes(base, ours), changes(base, theirs))


def join(base: Lines, mine: Collection[Change], other: Collection[Change]) -> list[bytes] | None:
    """The same where the changes are known already."""
    merged: list[bytes] = []
    at = 0
    for start, stop, lines in sorted({*mine, *other}):
        if start < at:
            return None
        merged += base[at:start]
        merged += lines
        at = stop
    return [*merged, *base[at:]]


def changes(base: Lines, other: Lines) -> tuple[Change, ...]:
    """What turns `base` into `other`, in order."""
    found = []
    at = 0
    for part in compare_lines(base, other):
        if part.theirs is not None:
            found.append((at, at + len(part.ours), part.theirs))
        at += len(part.ours)
    return tuple(found)
