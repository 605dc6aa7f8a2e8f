# SPDX-License-Identifier: GPL-2.0-or-later
"""All commits on which a series fits: because every blob is the one it names, or because its hunks apply there.

Both come down to one question per path: which states of the path are good? A commit fits where the path states of all
paths are good, and the history index knows those commits as intervals (see `history`). For "applies" each distinct
blob that a path ever had is tried once; a path's hunks apply or not depending on that blob alone.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from seriestool.base.contents import ContentMissingError, Contents, try_track
from seriestool.base.history_region import HistoryRegion, Interval
from seriestool.base.preimage import PreImage
from seriestool.base.rank import PostingTime
from seriestool.series.apply import PathTrack
from seriestool.trees.history import History, Piece, coverage, is_absent, pieces_within

MOST_BYTES = 512 * 1024 * 1024
"""Content of one path that is read: a MAINTAINERS file has tens of thousands of versions of a megabyte each."""


class PathCoverage(Struct, frozen=True):
    """How many of the expected paths fit, over the history: (start, stop, count), disjoint and sorted."""

    pieces: tuple[tuple[int, int, int], ...]
    expected: int

    @property
    def full(self) -> tuple[Interval, ...]:
        """Where all of them fit."""
        return tuple((start, stop) for start, stop, count in self.pieces if count == self.expected)


def find_exact(history: History, preimage: PreImage) -> HistoryRegion:
    """The commits at which every path is as the series expects it."""
    cover = exact_cover(history, preimage)
    return HistoryRegion(history, _not_barred(history, preimage, cover.full), _events(history, preimage))


def exact_cover(history: History, preimage: PreImage) -> PathCoverage:
    """For all commits, how many paths are as the series expects them."""
    lists = [history.segments(wanted.path, wanted.accepts) for wanted in preimage.expectations]
    return PathCoverage(tuple(coverage(lists)), len(lists))


def _not_barred(history: History, preimage: PreImage, left: Sequence[Interval]) -> list[Interval]:
    """Without the commits that have a file in the way of one that the series adds."""
    kept = list(left)
    for path in preimage.barred:
        if history.changes(path):
            kept = [(start, stop) for start, stop, value in pieces_within(history, kept, path) if is_absent(value)]
    return kept


class ApplyingCommits(Struct, frozen=True):
    """Where plain `git apply` takes the whole series, and the paths of which not every version was tried."""

    region: HistoryRegion
    cut_short: tuple[bytes, ...]
    """Too much to read."""
    missing_contents: tuple[bytes, ...]
    """Contents that a partial clone does not have."""


class _VersionResults(Struct, frozen=True):
    """Versions of a path: which of them take the series, how many were tried, and how many are not here."""

    good: frozenset[int]
    count: int
    missing: int


def find_applying(history: History, preimage: PreImage, contents: Contents, posting: PostingTime) -> ApplyingCommits:
    """The commits on which plain `git apply` takes the whole series.

    The path with the fewest versions goes first; of the next ones only the versions are tried that stand beside a good
    version of those before.
    """
    left: list[Interval] = [(0, len(history))]
    cut_short, missing_contents = [], []
    for path in sorted(preimage.paths, key=lambda path: (len(history.changes(path)), path)):
        pieces = pieces_within(history, left, path)
        versions = _by_nearness(history, pieces, posting)
        tried = _try_versions(path, versions, preimage.tracks_of(path), contents)
        left = [(start, stop) for start, stop, value in pieces if value in tried.good]
        if tried.count < len(versions):
            cut_short.append(path)
        if tried.missing:
            missing_contents.append(path)
        if not left:
            break
    region = HistoryRegion(history, _not_barred(history, preimage, left), _events(history, preimage))
    return ApplyingCommits(region, tuple(cut_short), tuple(missing_contents))


def _by_nearness(history: History, pieces: Iterable[Piece], posting: PostingTime) -> list[int]:
    """Each version once, those first that were current near the posting."""
    away: dict[int, int] = {}
    for start, _, value in pieces:
        distance = abs(history.time(start) - posting.time)
        away[value] = min(distance, away.get(value, distance))
    return sorted(away, key=lambda value: (away[value], value))


def _try_versions(
    path: bytes, versions: Sequence[int], tracks: Sequence[PathTrack], contents: Contents
) -> _VersionResults:
    """What each version says to all that the series does to the path."""
    good: set[int] = set()
    read = missing = 0
    for number, value in enumerate(versions):
        if read > MOST_BYTES:
            return _VersionResults(frozenset(good), number, missing)
        try:
            state = contents.state(value, path)
        except ContentMissingError:
            missing += 1
            continue
        read += len(state.content) if state else 0
        if all(try_track(track, state).ok for track in tracks):
            good.add(value)
    return _VersionResults(frozenset(good), len(versions), missing)


def _events(history: History, preimage: PreImage) -> set[int]:
    paths = (*preimage.paths, *preimage.barred)
    return {position for path in paths for position, _ in history.changes(path)}
