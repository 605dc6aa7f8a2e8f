# SPDX-License-Identifier: GPL-2.0-or-later
"""The files behind the states of the history index, read once each through the long-lived object reader."""

from collections.abc import Iterable
from typing import Protocol

from seriestool.git import ObjectReader
from seriestool.series.apply import FileState, PathTrack, PathTrackResult
from seriestool.trees.history import History, blob_prefix, is_absent, mode_of
from seriestool.util.errors import OutsideError

_GITLINK = 0o160000


class ContentMissingError(OutsideError):
    """A blob is not in the repository: a partial clone, or a damaged one."""


class ObjectSource(Protocol):
    """A repository, or a workbench on top of one."""

    @property
    def objects(self) -> ObjectReader:
        """Its objects."""


class Contents:
    """What files hold, by the value that the history index has for them."""

    def __init__(self, repository: ObjectSource, history: History) -> None:
        self._repository = repository
        self._history = history
        self._known: dict[int, FileState | None] = {}

    def state(self, value: int, path: bytes) -> FileState | None:
        """Content and mode of a value that the path has somewhere; None where it is absent.

        Raises ContentMissingError where the blob is not here. Not kept: a path can have thousands of versions.
        """
        if is_absent(value):
            return None
        mode, prefix = mode_of(value), blob_prefix(value)
        if mode == _GITLINK:
            return FileState(b"Subproject commit %s\n" % self._submodule(value, path).encode(), mode)
        found = self._repository.objects.read(prefix)
        if found is None or found[1] != "blob" or not found[0].startswith(prefix):  # a tag may be called like an id
            found = self._in_tree(value, path)
        if found is None:
            raise ContentMissingError(
                f"the content of blob {prefix} is not in this repository",
                hint="in a partial clone, fetch it first: git fetch --refetch --no-filter",
            )
        return FileState(found[2], mode)

    def at(self, position: int, paths: Iterable[bytes]) -> dict[bytes, FileState]:
        """Those of `paths` that exist at a commit."""
        values = {path: self._history.value(position, path) for path in paths}
        return {path: state for path, value in values.items() if (state := self._kept(value, path)) is not None}

    def _kept(self, value: int, path: bytes) -> FileState | None:
        if value not in self._known:
            self._known[value] = self.state(value, path)
        return self._known[value]

    def _submodule(self, value: int, path: bytes) -> str:
        """The full id behind the value of a submodule: no object has it, only the trees that it stands in."""
        return self._full_id(value, path) or blob_prefix(value)

    def _in_tree(self, value: int, path: bytes) -> tuple[str, str, bytes] | None:
        """The blob by its full id, as a tree names it."""
        oid = self._full_id(value, path)
        return self._repository.objects.read(oid) if oid else None

    def _full_id(self, value: int, path: bytes) -> str | None:
        at = next((position for position, given in self._history.changes(path) if given == value), None)
        if at is None:
            return None
        folder, _, name = path.rpartition(b"/")
        tree = self._repository.objects.tree(self._history.oid(at).encode() + b":" + folder)
        return tree[name].oid if tree and name in tree else None


def try_track(track: PathTrack, state: FileState | None) -> PathTrackResult:
    """How a state of the track's path passes it."""
    return track.try_content(None) if state is None else track.try_content(state.content, state.mode)
