# SPDX-License-Identifier: GPL-2.0-or-later
"""The places at which a merge could not decide, read from the markers that git left (diff3 style).

Only markers with the labels of this merge count: a file may have lines that look like markers, and `=======` is how
reStructuredText underlines a title.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

AROUND = 3
"""Lines shown before and after a region."""

Lines = tuple[bytes, ...]


NEAR = 3
"""Regions with no more lines between them are one place, as git joins them where it shows two sides only."""


class ConflictRegion(Struct, frozen=True):
    """One place in conflict; lines keep their line ends."""

    start: int
    """0-based line of the merged file, with its markers, at which `tree` begins."""
    expected: Lines
    """What the series was made from."""
    tree: Lines
    """What stands there instead."""
    series: Lines
    """What the series wants."""
    before: Lines
    """Lines above, the same on both sides."""
    after: Lines


class _MarkedRegion(Struct, frozen=True):
    """A region and the lines of the merged file that it takes, markers included."""

    first: int
    stop: int
    region: ConflictRegion


class FileVersions(Struct, frozen=True):
    """The three contents of which a merged file was made."""

    tree: bytes
    expected: bytes
    series: bytes


def find_regions(merged: Sequence[bytes], ours: str, theirs: str, versions: FileVersions) -> tuple[ConflictRegion, ...]:
    """The regions of a merged file in order; `ours` and `theirs` are the commits' ids."""
    opening, closing = (f"{mark} {oid}".encode() for mark, oid in (("<" * 7, ours), (">" * 7, theirs)))
    starts = [at for at, line in enumerate(merged) if line.startswith(opening)]
    found: list[_MarkedRegion] = []
    for start, stop in zip(starts, [*starts[1:], len(merged)], strict=False):
        end = next((at for at in range(start, stop) if merged[at].startswith(closing)), None)
        if end is None:
            continue
        tree, expected, series = _parts(merged[start + 1 : end], versions)
        here = _MarkedRegion(
            start,
            end + 1,
            ConflictRegion(start=start + 1, expected=expected, tree=tree, series=series, before=(), after=()),
        )
        if found and start - found[-1].stop <= NEAR:
            found[-1] = _joined(found[-1], here, tuple(merged[found[-1].stop : start]))
        else:
            found.append(here)
    edges = [0, *(marked.stop for marked in found)], [*(marked.first for marked in found[1:]), len(merged)]
    return tuple(
        replace(
            marked.region,
            before=tuple(merged[max(marked.first - AROUND, low) : marked.first]),
            after=tuple(merged[marked.stop : min(marked.stop + AROUND, high)]),
        )
        for marked, low, high in zip(found, *edges, strict=False)
    )


def _joined(one: _MarkedRegion, other: _MarkedRegion, between: Lines) -> _MarkedRegion:
    first, second = one.region, other.region
    return _MarkedRegion(
        one.first,
        other.stop,
        ConflictRegion(
            start=first.start,
            expected=first.expected + between + second.expected,
            tree=first.tree + between + second.tree,
            series=first.series + between + second.series,
            before=(),
            after=(),
        ),
    )


def _parts(body: Sequence[bytes], versions: FileVersions) -> tuple[Lines, Lines, Lines]:
    """(the tree's lines, the base's, the series') between the outer markers."""
    middle = [at for at, line in enumerate(body) if line.startswith(b"|||||||")]
    splits = [(low, at) for low in middle for at in range(low, len(body)) if body[at].rstrip(b"\r\n") == b"=" * 7]
    parts = [(tuple(body[:low]), tuple(body[low + 1 : high]), tuple(body[high + 1 :])) for low, high in splits]
    fitting = (part for part in parts if _are_of(part, versions))
    return next(fitting, parts[0] if parts else (tuple(body), (), ()))


def _are_of(part: tuple[Lines, Lines, Lines], versions: FileVersions) -> bool:
    """Whether each side stands in its own version as it is; at the end of a file git may have added a newline."""
    contents = (versions.tree, versions.expected, versions.series)
    return all(b"".join(lines).rstrip(b"\r\n") in content for lines, content in zip(part, contents, strict=True))
