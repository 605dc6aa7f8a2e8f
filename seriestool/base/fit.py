# SPDX-License-Identifier: GPL-2.0-or-later
"""All commits on which a series fits: because every blob is the one it names, or because its hunks apply there.

Both come down to one question per path: which states of the path are good? A commit fits where the path states of all
paths are good, and the history index knows those commits as intervals (see `history`). For "applies" each distinct
blob that a path ever had is tried once; a path's hunks apply or not depending on that blob alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seriestool.apply import Track
from seriestool.base.contents import Contents, try_track
from seriestool.base.preimage import PreImage
from seriestool.base.region import Interval, Region
from seriestool.history import History, absent, coverage, narrow

Accepts = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Cover:
    """How many of the expected paths fit, over the history: (start, stop, count), disjoint and sorted."""

    pieces: tuple[tuple[int, int, int], ...]
    expected: int

    @property
    def full(self) -> tuple[Interval, ...]:
        """Where all of them fit."""
        return tuple((start, stop) for start, stop, count in self.pieces if count == self.expected)


def find_exact(history: History, preimage: PreImage) -> Region:
    """The commits at which every path is as the series expects it."""
    cover = exact_cover(history, preimage)
    return Region(history, _not_barred(history, preimage, cover.full), _events(history, preimage))


def exact_cover(history: History, preimage: PreImage) -> Cover:
    """For all commits, how many paths are as the series expects them."""
    lists = [history.segments(wanted.path, wanted.accepts) for wanted in preimage.expectations]
    return Cover(tuple(coverage(lists)), len(lists))


def _not_barred(history: History, preimage: PreImage, left: Sequence[Interval]) -> list[Interval]:
    """Without the commits that have a file where the series needs a directory."""
    kept = list(left)
    for path in preimage.directories:
        if history.changes(path):
            kept = narrow(history, kept, path, absent)
    return kept


def find_applying(history: History, preimage: PreImage, contents: Contents) -> Region:
    """The commits on which plain `git apply` takes the whole series.

    The path with the fewest versions goes first; of the next ones only the versions are tried that stand beside a good
    version of those before. Raises ContentMissingError where a blob's content is not in the repository.
    """
    left: list[Interval] = [(0, len(history))]
    by_path: dict[bytes, list[Track]] = {}
    for track in preimage.tracks:
        by_path.setdefault(track.path, []).append(track)
    for path in sorted(by_path, key=lambda path: (len(history.changes(path)), path)):
        accepts = _applies(by_path[path], contents)
        left = narrow(history, left, path, accepts)
        if not left:
            break
    return Region(history, _not_barred(history, preimage, left), _events(history, preimage))


def _applies(tracks: Sequence[Track], contents: Contents) -> Accepts:
    """Whether a state of a path takes all that the series does to it."""

    def accepts(value: int) -> bool:
        state = contents.state(value)
        return all(try_track(track, state).ok for track in tracks)

    return accepts


def _events(history: History, preimage: PreImage) -> set[int]:
    paths = (*preimage.paths, *preimage.directories)
    return {position for path in paths for position, _ in history.changes(path)}
