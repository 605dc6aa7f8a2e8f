# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits made the lines of a tree what they are: blame for a few lines, from the history index.

Where a merge brought the lines, the search goes on along the parent that it took them from, as `git blame` does.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from seriestool.base.contents import ContentMissingError, Contents
from seriestool.git import ScratchRepository
from seriestool.series.hunks import split_lines
from seriestool.series.line_diff import compare_lines
from seriestool.trees.history import History

MOST_COMMITS = 5
"""Named for one place."""
MOST_COMPARED = 1500
"""Pairs of versions that are compared for all places of one tree: two seconds; later places have nobody to name."""
_MOST_VERSIONS = 300
_KEPT_TEXTS = 64

Span = tuple[int, int]
"""Lines `first` to `last` of a file, 0-based, the last one not among them; an empty one is a place between lines."""
Pieces = tuple[tuple[int, int, bool], ...]
"""Two versions taken apart: lines of the older one, lines of the newer one, whether they are the same."""


class Blame:
    """Asked about many places of one tree: what it learns of a file for one of them it knows for the next."""

    def __init__(self, history: History, scratch_repo: ScratchRepository) -> None:
        self._history = history
        self._objects = scratch_repo.objects
        self._contents = Contents(scratch_repo, history)
        self._changes: dict[tuple[int, bytes], int | None] = {}
        self._ancestors: dict[int, list[int]] = {}
        self._pieces: dict[tuple[int, int, bytes], Pieces] = {}
        self._lines = lru_cache(_KEPT_TEXTS)(self._read)

    def find_blamed_commits(self, tip: int, path: bytes, span: Span, base: Sequence[bytes]) -> tuple[str, ...]:
        """The commits, newest first, that changed these lines of the path on the way to the commit at position `tip`.

        It looks back until the lines are those of `base`: what the series was made from.
        """
        try:
            return tuple(self._walk(tip, path, span, base))
        except ContentMissingError:
            return ()

    def _walk(self, tip: int, path: bytes, span: Span, base: Sequence[bytes]) -> list[str]:
        found: list[str] = []
        at = tip
        for _ in range(_MOST_VERSIONS):
            change = self._last_change(at, path)
            if change is None or len(found) == MOST_COMMITS or len(self._pieces) > MOST_COMPARED:
                break
            value = self._history.value(at, path)
            steps = [(parent, *self._before(parent, value, path, span)) for parent in self._parents(change)]
            same = next((step for step in steps if step[2]), None)
            if same is None and (steps or not found):  # that a file was there from the start explains nothing by itself
                found.append(self._history.oid(change))
            if not steps:
                break
            at, span, _ = same or steps[0]
            if found and self._lines(self._history.value(at, path), path)[slice(*span)] == list(base):
                break
        return found

    def _last_change(self, position: int, path: bytes) -> int | None:
        """The commit that gave the path the state that it has at the position."""
        if (position, path) not in self._changes:
            history, line = self._history, self._history.on_line(position)
            changes = (at for at, _ in history.changes(path) if line.has(at))
            self._changes[position, path] = max(changes, key=history.depth, default=None)
        return self._changes[position, path]

    def _parents(self, position: int) -> list[int]:
        """The positions of all parents, the first one first."""
        if position not in self._ancestors:
            found = self._objects.commit(self._history.oid(position))
            oids = found.parents if found else ()
            self._ancestors[position] = [at for oid in oids if (at := self._history.find(oid)) is not None]
        return self._ancestors[position]

    def _before(self, parent: int, value: int, path: bytes, span: Span) -> tuple[Span, bool]:
        """(where the span was in the parent's file, whether nothing in it is different there)."""
        older = self._history.value(parent, path)
        if older == value:
            return span, True
        key = (older, value, path)
        if key not in self._pieces:
            self._pieces[key] = align_lines(self._lines(older, path), self._lines(value, path))
        return map_span(self._pieces[key], span)

    def _read(self, value: int, path: bytes) -> list[bytes]:
        state = self._contents.state(value, path)
        return split_lines(state.content) if state else []


def align_lines(older: Sequence[bytes], newer: Sequence[bytes]) -> Pieces:
    """How long the runs of lines are that both versions have, and those between them."""
    return tuple(
        (len(part.ours), len(part.ours if part.theirs is None else part.theirs), part.theirs is None)
        for part in compare_lines(older, newer)
    )


def map_span(pieces: Iterable[tuple[int, int, bool]], span: Span) -> tuple[Span, bool]:
    """(where the span of the newer version was in the older one, whether nothing in it is different there)."""
    first, last = None, 0
    is_same = True
    old = new = 0
    for width, height, same in pieces:
        here = (new, new + height)
        if same:
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
