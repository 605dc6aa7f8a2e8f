# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists as the search for prerequisites asks them: each mail is read once, and a patch is one value."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from seriestool.series.model import FileDiff, Patch
from seriestool.sources.lists import ListedPatch, PatchLists
from seriestool.util.errors import SeriestoolError


class PathTouch(Struct, frozen=True):
    """What a mailed patch does to one path."""

    patch: ListedPatch
    diff: FileDiff


class PatchSource:
    """Patches of lists, or of none: then no patch is found.

    A patch is the same value whenever it is asked for, though a server can tell more of its series later: proofs are
    compared by their patches. Raises OutsideError where a server that is asked is away.
    """

    def __init__(self, lists: PatchLists | None = None) -> None:
        self._lists = lists
        self._mails: dict[str, Patch | None] = {}
        self._patches: dict[str, ListedPatch] = {}

    def touching(self, path: bytes, near: datetime, most: int) -> Sequence[PathTouch]:
        """What mailed patches do to a path, those first whose date is nearest to `near`."""
        patches = self._lists.find_touching(path, near, most) if self._lists else ()
        return [touch for patch in patches for touch in self._touches(patch, path)]

    def find_patch(self, msgid: str) -> ListedPatch | None:
        """The patch mail with this message-id."""
        found = self._lists.find_patch(msgid) if self._lists else None
        return self._patch(found) if found else None

    def find_patch_id(self, patch_id: str) -> Sequence[ListedPatch]:
        """The patches with this stable patch-id: in several versions of a series it can be the same."""
        return self._all(self._lists.find_patch_id(patch_id)) if self._lists else ()

    def find_change_id(self, change_id: str) -> Sequence[ListedPatch]:
        """All patches, of all versions, of the series with this change-id."""
        return self._all(self._lists.find_change_id(change_id)) if self._lists else ()

    def series_of(self, msgid: str) -> Sequence[ListedPatch]:
        """The patches of the series of which this mail is one, in order."""
        if self._lists is None:
            return ()
        patch = self._lists.find_patch(msgid)
        return self._all(self._lists.series_of(patch.series if patch else msgid))

    def read(self, msgid: str) -> Patch | None:
        """The patch itself, with its message and author; None where no list has it, or it does not parse any more."""
        if msgid not in self._mails:
            patch = self._lists.find_patch(msgid) if self._lists else None
            self._mails[msgid] = self._parsed(patch) if patch else None
        return self._mails[msgid]

    def _touches(self, patch: ListedPatch, path: bytes) -> list[PathTouch]:
        if patch.msgid not in self._mails:
            self._mails[patch.msgid] = self._parsed(patch)
        parsed = self._mails[patch.msgid]
        diffs = parsed.files if parsed else ()
        return [PathTouch(self._patch(patch), diff) for diff in diffs if path in (diff.old_path, diff.new_path)]

    def _parsed(self, patch: ListedPatch) -> Patch | None:
        if self._lists is None:
            return None
        try:
            return self._lists.read_patch(patch)
        except SeriestoolError:
            return None

    def _all(self, patches: Iterable[ListedPatch]) -> list[ListedPatch]:
        return [self._patch(patch) for patch in patches]

    def _patch(self, patch: ListedPatch) -> ListedPatch:
        return self._patches.setdefault(patch.msgid, patch)
