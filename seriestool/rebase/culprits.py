# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits made the lines of a tree what they are: blame for a few lines, from the history index.

Where a merge brought the lines, the search goes on along the parent that it took them from, as `git blame` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seriestool.base.contents import ContentMissingError, Contents
from seriestool.base.prerequisites.parts import compare
from seriestool.git import ObjectReader
from seriestool.history import History
from seriestool.hunks import split_lines

MOST_COMMITS = 5
"""Named for one place."""
_MOST_VERSIONS = 300

Span = tuple[int, int]
"""Lines `first` to `last` of a file, 0-based, the last one not among them; an empty one is a place between lines."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where versions of files are read."""

    history: History
    contents: Contents
    objects: ObjectReader


def find_culprits(source: Source, tip: int, path: bytes, span: Span, base: Sequence[bytes]) -> tuple[str, ...]:
    """The commits, newest first, that changed these lines of the path on the way to the commit at position `tip`.

    It looks back until the lines are those of `base`: what the series was made from.
    """
    try:
        return tuple(_walk(source, tip, path, span, base))
    except ContentMissingError:
        return ()


def _walk(source: Source, tip: int, path: bytes, span: Span, base: Sequence[bytes]) -> list[str]:
    found: list[str] = []
    at: int | None = tip
    lines = _lines(source, tip, path)
    for _ in range(_MOST_VERSIONS):
        change = _last_change(source.history, at, path) if at is not None else None
        if change is None or len(found) == MOST_COMMITS:
            break
        steps = [(parent, *_before(source, parent, path, lines, span)) for parent in _parents(source, change)]
        same = next((step for step in steps if step[3]), None)
        if same is None and (steps or not found):  # that a file was there from the start explains nothing by itself
            found.append(source.history.oid(change))
        if not steps:
            break
        at, lines, span, _ = same or steps[0]
        if list(lines[span[0] : span[1]]) == list(base) and found:
            break
    return found


def _last_change(history: History, position: int, path: bytes) -> int | None:
    """The commit that gave the path the state that it has at the position."""
    line = history.on_line(position)
    return max((at for at, _ in history.changes(path) if line.has(at)), key=history.depth, default=None)


def _parents(source: Source, position: int) -> list[int]:
    """The positions of all parents, the first one first."""
    found = source.objects.read(source.history.oid(position))
    head = found[2].partition(b"\n\n")[0].split(b"\n") if found else []
    oids = [line[7:].decode("ascii", "replace") for line in head if line.startswith(b"parent ")]
    return [at for oid in oids if (at := source.history.find(oid)) is not None]


def _before(
    source: Source, parent: int, path: bytes, lines: Sequence[bytes], span: Span
) -> tuple[Sequence[bytes], Span, bool]:
    """(the parent's file, where the span was in it, whether nothing in the span is different there)."""
    older = _lines(source, parent, path)
    return older, *map_back(older, lines, span)


def map_back(older: Sequence[bytes], newer: Sequence[bytes], span: Span) -> tuple[Span, bool]:
    """(where the span of `newer` was in `older`, whether nothing in it is different there)."""
    first, last = None, 0
    is_same = True
    old = new = 0
    for part in compare(older, newer):
        width = len(part.ours)
        height = width if part.theirs is None else len(part.theirs)
        here = (new, new + height)
        if part.theirs is None:
            if first is None and here[0] <= span[0] <= here[1]:
                first = old + span[0] - new
            if here[0] <= span[1] <= here[1]:
                last = old + span[1] - new
        elif _touches(here, span):
            is_same = False
            first = old if first is None else min(first, old)
            last = max(last, old + width)
        old, new = old + width, new + height
    first = first or 0
    return (first, max(first, last)), is_same


def _touches(change: Span, span: Span) -> bool:
    """Whether a change lies in the span; a removal, or an empty span, also touches at its ends."""
    if change[0] == change[1] or span[0] == span[1]:
        return change[0] <= span[1] and change[1] >= span[0]
    return change[0] < span[1] and change[1] > span[0]


def _lines(source: Source, position: int, path: bytes) -> Sequence[bytes]:
    state = source.contents.at(position, [path]).get(path)
    return split_lines(state.content) if state else []
