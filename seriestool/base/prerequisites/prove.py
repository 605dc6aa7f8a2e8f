# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob that a series was made from, rebuilt and proven: the content's id begins with the id that the mail names.

The cheapest way first: a version that some tree has; mailed patches put on and taken off; a part of the changes between
two versions; a three-way merge of versions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations

from seriestool.base.contents import ContentMissingError, Contents
from seriestool.base.preimage import Expectation, PreImage
from seriestool.base.prerequisites import context, pins, subset
from seriestool.base.prerequisites.merge import merge
from seriestool.base.prerequisites.sources import PatchSource, Touch
from seriestool.binary import blob_oid
from seriestool.history import History, absent, match_value
from seriestool.hunks import split_lines

MOST_TOUCHES = 150
MOST_VERSIONS = 8
"""Versions of a path from which the search starts: those that contradict what is known of the blob least."""
_READ_VERSIONS = 40
_MERGED_VERSIONS = 5
_SLACK = timedelta(days=1)
"""How much later than the series a prerequisite may be dated: clocks differ."""

Lines = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a path in the trees, and the commit that brought it."""

    value: int
    position: int
    lines: Lines


@dataclass(frozen=True, slots=True)
class Proof:
    """A blob and how it is made."""

    path: bytes
    oid: str
    content: bytes
    kind: str
    """version, patches, merge or subset."""
    start: int
    """Position of the commit whose version it starts from."""
    steps: tuple[tuple[Touch, bool], ...] = ()
    """Mailed patches in order; True: taken off."""
    stages: tuple[bytes, ...] = ()
    """The content after each step."""
    others: tuple[int, ...] = ()
    """Positions of the commits whose versions were merged in, or between whose changes it stands."""
    changes: int = 0
    """Of a subset: how many changes of the other version it has."""


@dataclass(frozen=True, slots=True)
class Search:
    """All that a search for one blob knows."""

    wanted: Expectation
    same: Version | None
    """The version of the path that has the blob's id, if any tree has one."""
    versions: tuple[Version, ...]
    touches: tuple[Touch, ...]
    pins: pins.Pins
    identify: Callable[[Lines], str]
    posted: datetime
    own: frozenset[str]
    """Message-ids of the series itself: its patches may be taken off a newer tree, and never be put on."""

    @property
    def blob(self) -> str:
        """The id, as far as the mail has it."""
        return self.wanted.blob or ""


def prepare(
    wanted: Expectation, preimage: PreImage, history: History, contents: Contents, source: PatchSource,
    posted: datetime, own: frozenset[str],
) -> Search:  # fmt: skip
    """Collect what is known of a blob: versions of its path, mails that touch it, lines that are certain."""
    touches = tuple(source.touching(wanted.path, posted, MOST_TOUCHES))
    known = pins.pinned_before(track.steps[0].diff for track in preimage.tracks_of(wanted.path))
    blob = wanted.blob or ""
    known |= pins.pinned_before(touch.diff for touch in touches if _is_same(touch.diff.old_blob, blob))
    known |= pins.pinned_after(touch.diff for touch in touches if _is_same(touch.diff.new_blob, blob))
    versions = _versions(wanted.path, history, contents, known, posted)
    same = next(((value, at) for at, value in history.changes(wanted.path) if match_value(value, blob)), None)
    version = _read(*same, wanted.path, contents) if same else None
    digits = 64 if history.layers and history.layers[0].counts.oid_size == 32 else 40
    return Search(
        wanted, version, versions, touches, known, lambda lines: blob_oid(b"".join(lines), digits), posted, own
    )


def prove(search: Search) -> Proof | None:
    """The first proof found; None where a bounded search finds none."""
    ways = (_as_version, _by_patches, _by_subset, _by_merge)
    return next((proof for way in ways if (proof := way(search))), None)


def nearest(search: Search, takes: Callable[[Lines], bool]) -> Version | None:
    """The version of the path to stand in for the blob: one that takes the series' hunks if any, of these the one that
    contradicts the known lines least."""
    return min(
        search.versions,
        key=lambda one: (not takes(one.lines), pins.violations(one.lines, search.pins), -one.position),
        default=None,
    )


def _versions(
    path: bytes, history: History, contents: Contents, known: pins.Pins, posted: datetime
) -> tuple[Version, ...]:
    """Versions that were current near the posting, those first that contradict the known lines least."""
    time = int(posted.timestamp())
    brought = {value: position for position, value in history.changes(path) if not absent(value)}
    near = sorted(brought, key=lambda value: (abs(history.time(brought[value]) - time), value))[:_READ_VERSIONS]
    found = [one for value in near if (one := _read(value, brought[value], path, contents))]
    found.sort(key=lambda one: (pins.violations(one.lines, known), one.value))
    return tuple(found[:MOST_VERSIONS])


def _read(value: int, position: int, path: bytes, contents: Contents) -> Version | None:
    try:
        state = contents.state(value, path)
    except ContentMissingError:
        return None
    return Version(value, position, split_lines(state.content)) if state else None


def _as_version(search: Search) -> Proof | None:
    same = search.same
    if same is None or not search.identify(same.lines).startswith(search.blob):
        return None
    return _proof(search, "version", same, same.lines)


def _by_patches(search: Search) -> Proof | None:
    latest = search.posted + _SLACK
    diffs = (
        (number, touch.diff, touch.patch.date <= latest and touch.patch.msgid not in search.own)
        for number, touch in enumerate(search.touches)
    )
    route = context.find_route(
        [one.lines for one in search.versions], context.moves_of(diffs), search.pins, search.identify, search.blob
    )
    if route is None:
        return None
    steps = tuple((search.touches[move.patch], move.is_removal) for move in route.moves)
    proof = _proof(search, "patches", search.versions[route.start], route.lines)
    return replace(proof, steps=steps, stages=tuple(b"".join(lines) for lines in route.stages))


def _by_merge(search: Search) -> Proof | None:
    for base, ours, theirs in permutations(search.versions[:_MERGED_VERSIONS], 3):
        if ours.value > theirs.value:  # the same merge from the other side
            continue
        lines = merge(base.lines, ours.lines, theirs.lines)
        if lines is not None and search.identify(lines).startswith(search.blob):
            return _proof(search, "merge", ours, lines, others=(base, theirs))
    return None


def _by_subset(search: Search) -> Proof | None:
    for ours, theirs in permutations(search.versions, 2):
        found = subset.find_between(
            ours.lines, theirs.lines, search.pins, lambda lines: search.identify(lines).startswith(search.blob)
        )
        if found is not None:
            return _proof(search, "subset", ours, found[0], others=(theirs,), changes=found[1])
    return None


def _proof(
    search: Search,
    kind: str,
    start: Version,
    lines: Lines,
    others: Sequence[Version] = (),
    changes: int = 0,
) -> Proof:
    positions = tuple(one.position for one in others)
    oid = search.identify(lines)
    return Proof(search.wanted.path, oid, b"".join(lines), kind, start.position, (), (), positions, changes)


def _is_same(one: str | None, other: str) -> bool:
    """Whether two abbreviated ids can be of the same blob."""
    return bool(one) and bool(other) and (one or "").startswith(other[: len(one or "")]) and len(one or "") >= 7


def unproven(searches: Sequence[Search], proofs: Sequence[Proof]) -> Iterator[Search]:
    """The searches that came to nothing."""
    proven = {proof.path for proof in proofs}
    return (search for search in searches if search.wanted.path not in proven)
