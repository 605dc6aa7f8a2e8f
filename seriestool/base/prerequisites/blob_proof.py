# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob that a series was made from, rebuilt and proven: the content's id begins with the id that the mail names.

A mail says `index 1111111..2222222` of each file: it was made from blob 1111111. Where no tree has that blob, something
unmerged is below the series. `prepare` collects what is known of the blob: versions of the file in the trees, mailed
patches that touch it, lines that hunks show (pins). `prove` tries the ways to make it, the cheapest first:

1. a version that some tree has, of whatever age;
2. one mailed patch put on a version, or taken off it;
3. the chain of patches that index lines name;
4. a three-way merge of versions;
5. several patches, by context;
6. a part of the changes between two versions.

Each way is bounded in bytes of content that it may make: the same question has the same answer on every machine.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from msgspec import Struct
from msgspec.structs import replace

from seriestool.base.contents import ContentMissingError, Contents
from seriestool.base.preimage import Expectation, PreImage
from seriestool.base.prerequisites import patch_routes, version_merge
from seriestool.base.prerequisites.patch_routes import Pins, SearchEffort, pinned_after, pinned_before, violations
from seriestool.base.prerequisites.patch_source import PatchSource, PathTouch
from seriestool.series.binary import blob_oid
from seriestool.series.hunks import split_lines
from seriestool.trees.history import History, is_absent, match_value

EFFORT = 150_000_000
"""Bytes of content that each way of search may make for a blob: half a second."""
MOST_TOUCHES = 150
MOST_VERSIONS = 8
"""Versions of a path from which the search starts: those that contradict what is known of the blob least."""
_READ_VERSIONS = 40
_MERGED_VERSIONS = 5
_RENAMED_VERSIONS = 2
_MOST_NAMES = 2
_SLACK = timedelta(days=1)
"""How much later than the series a prerequisite may be dated: clocks differ."""

Lines = Sequence[bytes]


class PathVersion(Struct, frozen=True):
    """One version of a path in the trees, and the commit that brought it."""

    value: int
    position: int
    lines: Lines


class BlobProof(Struct, frozen=True, kw_only=True):
    """A blob and how it is made."""

    path: bytes
    oid: str
    content: bytes
    kind: str
    """version, patches, merge or subset."""
    start: int | None
    """Position of the commit whose version it starts from; None where the first patch creates the file."""
    steps: tuple[tuple[PathTouch, bool], ...] = ()
    """Mailed patches in order; True: taken off."""
    stages: tuple[bytes, ...] = ()
    """The content after each step."""
    others: tuple[int, ...] = ()
    """Positions of the commits whose versions were merged in, or between whose changes it stands."""
    changes: int = 0
    """Of a subset: how many changes of the other version it has."""


class BlobSearch(Struct, frozen=True, kw_only=True):
    """All that a search for one blob knows."""

    wanted: Expectation
    same: PathVersion | None
    """The version of the path that has the blob's id, if any tree has one."""
    versions: tuple[PathVersion, ...]
    touches: tuple[PathTouch, ...]
    pins: Pins
    identify: Callable[[Lines], str]
    posted: datetime
    own: frozenset[str]
    """Message-ids of the series itself: its patches may be taken off a newer tree, and never be put on."""

    effort: int = EFFORT

    @property
    def contents(self) -> list[Lines]:
        """The lines of each version."""
        return [one.lines for one in self.versions]

    @property
    def blob(self) -> str:
        """The id, as far as the mail has it."""
        return self.wanted.blob or ""


def prepare(
    wanted: Expectation,
    preimage: PreImage,
    history: History,
    contents: Contents,
    source: PatchSource,
    posted: datetime,
    own: frozenset[str],
    used: frozenset[str] = frozenset(),
    effort: int = EFFORT,
) -> BlobSearch:
    """Collect what is known of a blob: versions of its path, mails that touch it, lines that are certain.

    `used` are series that other blobs were proven with: one explanation for many is the likelier one.
    """
    same = next((one for one in history.changes(wanted.path) if match_value(one[1], wanted.blob or "")), None)
    version = _read(same[1], same[0], wanted.path, contents) if same else None
    # Lists are asked for what no tree has.
    touches = () if version else tuple(source.touching(wanted.path, posted, MOST_TOUCHES))
    names = _other_names(wanted.path, touches)
    known = pinned_before(track.steps[0].diff for track in preimage.tracks_of(wanted.path))
    blob = wanted.blob or ""
    known |= pinned_before(touch.diff for touch in touches if _is_same(touch.diff.old_blob, blob))
    known |= pinned_after(touch.diff for touch in touches if _is_same(touch.diff.new_blob, blob))
    versions = _versions(path=wanted.path, history=history, contents=contents, known=known, posted=posted)
    for name in names:
        versions += _versions(path=name, history=history, contents=contents, known=known, posted=posted)[
            :_RENAMED_VERSIONS
        ]
        touches += tuple(touch for touch in source.touching(name, posted, MOST_TOUCHES) if touch not in touches)
    touches = _by_likelihood(touches, posted, used)
    digits = 64 if history.layers and history.layers[0].counts.oid_size == 32 else 40
    return BlobSearch(
        wanted=wanted,
        same=version,
        versions=versions,
        touches=touches,
        pins=known,
        identify=lambda lines: blob_oid(b"".join(lines), digits),
        posted=posted,
        own=own,
        effort=effort,
    )


def _by_likelihood(touches: Sequence[PathTouch], posted: datetime, used: frozenset[str]) -> tuple[PathTouch, ...]:
    """Series that explain other blobs first, then versions that were current when the series was posted."""
    current: dict[str, int] = {}
    for touch in touches:
        change_id = touch.patch.change_id
        if change_id and touch.patch.date <= posted + _SLACK:
            current[change_id] = max(touch.patch.version, current.get(change_id, 0))

    def is_old(touch: PathTouch) -> bool:
        return touch.patch.version < current.get(touch.patch.change_id or "", 0)

    return tuple(sorted(touches, key=lambda touch: (touch.patch.series not in used, is_old(touch))))


def prove(search: BlobSearch) -> BlobProof | None:
    """The first proof found; None where a bounded search finds none."""
    ways = (_as_version, _by_one_patch, _by_links, _by_merge, _by_context, _by_subset)
    return next((proof for way in ways if (proof := way(search))), None)


def nearest(search: BlobSearch, takes: Callable[[Lines], bool]) -> PathVersion | None:
    """The version of the path to stand in for the blob: one that takes the series' hunks if any, of these the one that
    contradicts the known lines least."""
    return min(
        search.versions,
        key=lambda one: (not takes(one.lines), violations(one.lines, search.pins), -one.position),
        default=None,
    )


def _other_names(path: bytes, touches: Sequence[PathTouch]) -> tuple[bytes, ...]:
    """What mailed patches rename the path to, or rename to it: its content can be there."""
    names = (name for touch in touches for name in (touch.diff.old_path, touch.diff.new_path))
    return tuple(dict.fromkeys(name for name in names if name is not None and name != path))[:_MOST_NAMES]


def _versions(
    path: bytes, history: History, contents: Contents, known: Pins, posted: datetime
) -> tuple[PathVersion, ...]:
    """Versions that were current near the posting, those first that contradict the known lines least."""
    time = int(posted.timestamp())
    brought = {value: position for position, value in history.changes(path) if not is_absent(value)}
    near = sorted(brought, key=lambda value: (abs(history.time(brought[value]) - time), value))[:_READ_VERSIONS]
    found = [one for value in near if (one := _read(value, brought[value], path, contents))]
    found.sort(key=lambda one: (violations(one.lines, known), one.value))
    return tuple(found[:MOST_VERSIONS])


def _read(value: int, position: int, path: bytes, contents: Contents) -> PathVersion | None:
    try:
        state = contents.state(value, path)
    except ContentMissingError:
        return None
    return PathVersion(value, position, split_lines(state.content)) if state else None


def _as_version(search: BlobSearch) -> BlobProof | None:
    same = search.same
    if same is None or not search.identify(same.lines).startswith(search.blob):
        return None
    return _proof(search, "version", same, same.lines)


def _by_links(search: BlobSearch) -> BlobProof | None:
    route = patch_routes.find_chain(
        search.contents, _moves(search), search.identify, search.blob, SearchEffort(search.effort)
    )
    return _by_route(search, route)


def _by_one_patch(search: BlobSearch) -> BlobProof | None:
    """Before the chain that index lines name: the blob can be a single patch away from a version that is not on it."""
    return _by_context(search, 1)


def _by_context(search: BlobSearch, steps: int = patch_routes.MOST_STEPS) -> BlobProof | None:
    route = patch_routes.find_route(
        search.contents, _moves(search), search.pins, search.identify, search.blob, SearchEffort(search.effort), steps
    )
    return _by_route(search, route)


def _moves(search: BlobSearch) -> list[patch_routes.PatchMove]:
    latest = search.posted + _SLACK
    return patch_routes.moves_of(
        (number, touch.diff, touch.patch.date <= latest and touch.patch.msgid not in search.own)
        for number, touch in enumerate(search.touches)
    )


def _by_route(search: BlobSearch, route: patch_routes.PatchRoute | None) -> BlobProof | None:
    if route is None:
        return None
    steps = tuple((search.touches[move.patch], move.is_removal) for move in route.moves)
    start = None if route.start is None else search.versions[route.start]
    proof = _proof(search, "patches", start, route.lines)
    return replace(proof, steps=steps, stages=tuple(b"".join(lines) for lines in route.stages))


def _by_merge(search: BlobSearch) -> BlobProof | None:
    versions = search.versions[:_MERGED_VERSIONS]
    for base in versions:
        sides = [(side, version_merge.changes(base.lines, side.lines)) for side in versions if side is not base]
        for (ours, mine), (theirs, other) in combinations(sides, 2):
            lines = version_merge.join(base.lines, mine, other)
            if lines is not None and search.identify(lines).startswith(search.blob):
                return _proof(search, "merge", ours, lines, others=(base, theirs))
    return None


def _by_subset(search: BlobSearch) -> BlobProof | None:
    found = version_merge.find_between(
        search.contents,
        search.pins,
        lambda lines: search.identify(lines).startswith(search.blob),
        SearchEffort(search.effort),
    )
    if found is None:
        return None
    start, other = search.versions[found.start], search.versions[found.other]
    return _proof(search=search, kind="subset", start=start, lines=found.lines, others=(other,), changes=found.changes)


def _proof(
    search: BlobSearch,
    kind: str,
    start: PathVersion | None,
    lines: Lines,
    others: Sequence[PathVersion] = (),
    changes: int = 0,
) -> BlobProof:
    positions = tuple(one.position for one in others)
    oid = search.identify(lines)
    return BlobProof(
        path=search.wanted.path,
        oid=oid,
        content=b"".join(lines),
        kind=kind,
        start=start.position if start else None,
        steps=(),
        stages=(),
        others=positions,
        changes=changes,
    )


def _is_same(one: str | None, other: str) -> bool:
    """Whether two abbreviated ids can be of the same blob."""
    return bool(one) and bool(other) and (one or "").startswith(other[: len(one or "")]) and len(one or "") >= 7
