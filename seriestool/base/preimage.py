# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series expects of its base: for each path of the base that it touches, a blob, any file, or nothing.

A mailed diff names the blob that it was made from (`index old..new`, https://git-scm.com/docs/diff-format), so the
first patch to touch a path says what the base has there. A renamed file keeps its expectation under the old name.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from seriestool.base.contents import ContentMissingError, Contents, try_track
from seriestool.series.apply import PathTrack, parent_paths, tracks
from seriestool.series.model import FileDiff, Series
from seriestool.trees.history import History, blob_prefix, is_absent, match_value, mode_of

SHORTEST_BLOB = 7
"""Digits below which an id names nothing: git abbreviates to no fewer, and so few fit a blob by chance."""
_FILE_TYPE = 0o170000
_UNAMBIGUOUS = 12
"""Digits that no two versions of one path have in common by chance."""


class ExpectedKind(StrEnum):
    """What must be at a path of the base."""

    BLOB = "blob"
    PRESENT = "present"
    """Some file: the mail does not name its blob."""
    ABSENT = "absent"


class Expectation(Struct, frozen=True):
    """What must be at one path of the base."""

    path: bytes
    expects: ExpectedKind
    blob: str | None = None
    mode: int | None = None
    """The old mode, where the series changes it or names it."""
    patch: int = 1
    """Counter of the first patch that touches the path."""
    is_unnamed: bool = False
    """Whether lines of the file change without its blob being named: no state of it can be proven to be the one."""

    def accepts(self, value: int) -> bool:
        """Whether a state of the history index is what is expected, beyond doubt."""
        if self.is_unnamed:
            return False
        if self.expects is ExpectedKind.ABSENT:
            return is_absent(value)
        if is_absent(value) or not self._accepts_type(mode_of(value)):
            return False
        return self.blob is None or match_value(value, self.blob)

    def accepts_entry(self, mode: int, oid: str) -> bool:
        """The same for what a commit's tree has: mode and full id, 0 and '' where there is nothing."""
        if self.is_unnamed:
            return False
        if self.expects is ExpectedKind.ABSENT:
            return not oid
        return bool(oid) and self._accepts_type(mode) and oid.startswith(self.blob or "")

    def _accepts_type(self, mode: int) -> bool:
        # A wrong permission bit is only a warning to git apply; a wrong type (file, symlink, submodule) is an error.
        return self.mode is None or (self.mode & _FILE_TYPE) == (mode & _FILE_TYPE)


class PreImage(Struct, frozen=True):
    """Everything that a series expects of its base, sorted by path."""

    expectations: tuple[Expectation, ...]
    tracks: tuple[PathTrack, ...]
    barred: tuple[bytes, ...] = ()
    """Where no file may be: a file that the series adds needs directories above it, and none in its own place."""

    def __len__(self) -> int:
        return len(self.expectations)

    @property
    def paths(self) -> tuple[bytes, ...]:
        """The paths of the base that the series touches."""
        return tuple(wanted.path for wanted in self.expectations)

    def tracks_of(self, path: bytes) -> tuple[PathTrack, ...]:
        """What the series does to one path of the base; more than one track where it is copied."""
        return tuple(track for track in self.tracks if track.path == path)

    def is_barred(self, history: History, position: int) -> bool:
        """Whether a file is in the way of one that the series adds."""
        return any(not is_absent(history.value(position, path)) for path in self.barred)

    def matched_at(self, history: History, position: int) -> int:
        """How many paths are as expected at a commit."""
        return sum(wanted.accepts(history.value(position, wanted.path)) for wanted in self.expectations)


def find_preimage(series: Series) -> PreImage:
    """The pre-image of the series; InputError where patches contradict each other about what is there."""
    followed = tuple(track for track in tracks([patch.files for patch in series.patches]) if not track.is_rebuilt)
    found: dict[bytes, Expectation] = {}
    for track in followed:
        expectation = _expectation(track, series)
        known = found.get(track.path)
        if known is None or _is_more_specific(expectation, known):
            found[track.path] = expectation
    return PreImage(tuple(found[path] for path in sorted(found)), followed, parent_paths(followed))


def _expectation(track: PathTrack, series: Series) -> Expectation:
    patch = series.patches[track.steps[0].patch].counter if track.steps else 1
    if track.must_be_absent:
        return Expectation(track.path, ExpectedKind.ABSENT, patch=patch)
    blob = _first_blob(step.diff for step in track.steps)
    mode = track.steps[0].diff.old_mode if track.steps else None
    if blob is not None:
        return Expectation(path=track.path, expects=ExpectedKind.BLOB, blob=blob, mode=mode, patch=patch)
    changes = any(step.diff.hunks or step.diff.binary for step in track.steps)
    return Expectation(
        path=track.path, expects=ExpectedKind.PRESENT, blob=None, mode=mode, patch=patch, is_unnamed=changes
    )


def _first_blob(diffs: Iterable[FileDiff]) -> str | None:
    """The first blob that is named for the content, before anything changes it: a pure rename names none."""
    for diff in diffs:
        if diff.old_blob is not None and len(diff.old_blob) >= SHORTEST_BLOB:
            return diff.old_blob
        if diff.hunks or diff.binary:
            return None
    return None


def disambiguate_blobs(preimage: PreImage, history: History, contents: Contents) -> PreImage:
    """The same, as far as it takes the history to tell.

    Where the blob id of a mail fits several versions of a path, the one is meant that the series applies to, if that is
    only one. Where the series adds a file, what ever stood below that path is barred.
    """
    expectations = tuple(_disambiguate_blob(one, preimage, history, contents) for one in preimage.expectations)
    added = [wanted.path for wanted in expectations if wanted.expects is ExpectedKind.ABSENT]
    below = {path for folder in added for path in history.paths_under(folder)} - set(preimage.paths)
    return replace(preimage, expectations=expectations, barred=tuple(sorted(below.union(preimage.barred))))


def _disambiguate_blob(wanted: Expectation, preimage: PreImage, history: History, contents: Contents) -> Expectation:
    if wanted.blob is None or len(wanted.blob) >= _UNAMBIGUOUS:
        return wanted
    low, high = (int(wanted.blob.ljust(15, digit), 16) << 4 for digit in "0f")
    versions = {value for _, value in history.changes(wanted.path) if low <= value <= high + 15}
    if len({blob_prefix(value) for value in versions}) < 2:
        return wanted
    try:
        fitting = [value for value in sorted(versions) if _takes(value, wanted.path, preimage, contents)]
    except ContentMissingError:
        return wanted
    blobs = {blob_prefix(value) for value in fitting}
    return replace(wanted, blob=blobs.pop()) if len(blobs) == 1 else wanted


def _takes(value: int, path: bytes, preimage: PreImage, contents: Contents) -> bool:
    state = contents.state(value, path)
    return all(try_track(track, state).ok for track in preimage.tracks_of(path))


def _is_more_specific(new: Expectation, known: Expectation) -> bool:
    order = (ExpectedKind.PRESENT, ExpectedKind.BLOB)
    if ExpectedKind.ABSENT in (new.expects, known.expects):
        return False
    return order.index(new.expects) > order.index(known.expects)
