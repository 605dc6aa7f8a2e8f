# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists as a source of patches: their index, or a list server's search."""

from collections.abc import Sequence
from datetime import datetime

from seriestool.base.prerequisites.patch_source import PathTouch, SourcePatch
from seriestool.series.model import Patch
from seriestool.sources.lists import ListedPatch, PatchLists
from seriestool.util.errors import SeriestoolError


class ListPatchSource:
    """A `PatchSource` that reads each mail once."""

    def __init__(self, lists: PatchLists) -> None:
        self._lists = lists
        self._read: dict[str, Patch | None] = {}
        self._known: dict[str, SourcePatch] = {}

    def touching(self, path: bytes, near: datetime, most: int) -> Sequence[PathTouch]:
        """What mailed patches do to a path, those first whose date is nearest to `near`."""
        patches = self._lists.find_touching(path, near, most)
        return [touch for patch in patches for touch in self._touches(patch, path)]

    def find_patch(self, msgid: str) -> SourcePatch | None:
        """The patch mail with this message-id."""
        found = self._lists.find_patch(msgid)
        return self._mailed(found) if found else None

    def find_patch_id(self, patch_id: str) -> Sequence[SourcePatch]:
        """The patches with this stable patch-id."""
        return [self._mailed(patch) for patch in self._lists.find_patch_id(patch_id)]

    def find_change_id(self, change_id: str) -> Sequence[SourcePatch]:
        """All patches, of all versions, of the series with this change-id."""
        return [self._mailed(patch) for patch in self._lists.find_change_id(change_id)]

    def series_of(self, msgid: str) -> Sequence[SourcePatch]:
        """The patches of the series of which this mail is one, in order."""
        patch = self._lists.find_patch(msgid)
        return [self._mailed(one) for one in self._lists.series_of(patch.series if patch else msgid)]

    def read(self, msgid: str) -> Patch | None:
        """The patch itself, with its message and author."""
        if msgid not in self._read:
            patch = self._lists.find_patch(msgid)
            self._read[msgid] = self._parsed(patch) if patch else None
        return self._read[msgid]

    def _touches(self, patch: ListedPatch, path: bytes) -> list[PathTouch]:
        if patch.msgid not in self._read:
            self._read[patch.msgid] = self._parsed(patch)
        parsed = self._read[patch.msgid]
        diffs = parsed.files if parsed else ()
        return [PathTouch(self._mailed(patch), diff) for diff in diffs if path in (diff.old_path, diff.new_path)]

    def _parsed(self, patch: ListedPatch) -> Patch | None:
        """The mail; None where the archive no longer has it, or it does not parse any more."""
        try:
            return self._lists.read_patch(patch)
        except SeriestoolError:
            return None

    def _mailed(self, patch: ListedPatch) -> SourcePatch:
        """The same value whenever it is asked for: a server can tell more of a series later."""
        if patch.msgid not in self._known:
            self._known[patch.msgid] = _mailed(patch, self._lists.series_title(patch.series))
        return self._known[patch.msgid]


def _mailed(patch: ListedPatch, title: str | None) -> SourcePatch:
    return SourcePatch(
        msgid=patch.msgid,
        subject=patch.subject,
        series=patch.series,
        version=patch.version,
        counter=patch.counter,
        expected=patch.expected,
        author=patch.author,
        date=patch.date,
        change_id=patch.change_id,
        title=title,
    )
