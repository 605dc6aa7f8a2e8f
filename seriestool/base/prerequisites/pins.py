# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of a blob that nobody has: every hunk made from it, or ending in it, says what stands at which of its lines."""

from collections.abc import Iterable, Mapping, Sequence

from seriestool.series.model import FileDiff, Hunk

Pins = Mapping[int, bytes]
"""0-based line number -> line. A blob that contradicts one of them is not the one."""


def pinned_before(diffs: Iterable[FileDiff]) -> dict[int, bytes]:
    """What hunks that were made from the blob say of it."""
    return {n: line for diff in diffs for hunk in diff.hunks for n, line in _lines(hunk, hunk.old_start, b"+")}


def pinned_after(diffs: Iterable[FileDiff]) -> dict[int, bytes]:
    """What hunks that end in the blob say of it."""
    return {n: line for diff in diffs for hunk in diff.hunks for n, line in _lines(hunk, hunk.new_start, b"-")}


def violations(lines: Sequence[bytes], pins: Pins) -> int:
    """How many pins the lines contradict."""
    return sum(number >= len(lines) or lines[number] != line for number, line in pins.items())


def _lines(hunk: Hunk, start: int, other: bytes) -> Iterable[tuple[int, bytes]]:
    # An empty side names the line before it; there is nothing to pin then.
    kept = (line[1:] for line in hunk.lines if line[:1] != other)
    return enumerate(kept, max(start - 1, 0))
