# SPDX-License-Identifier: GPL-2.0-or-later
"""Where mailed patches come from, as the search for prerequisites sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seriestool.series.model import FileDiff, Patch


@dataclass(frozen=True, slots=True)
class SourcePatch:
    """A patch on a list."""

    msgid: str
    subject: str
    series: str
    """Message-id of its series: of the cover letter, or of the first patch."""
    version: int
    counter: int
    expected: int
    author: str
    date: datetime
    change_id: str | None = None
    title: str | None = None
    """Of its series, where that is known."""


@dataclass(frozen=True, slots=True)
class PathTouch:
    """What a mailed patch does to one path."""

    patch: SourcePatch
    diff: FileDiff


class PatchSource(Protocol):
    """An index of lists, or a list server's search."""

    def touching(self, path: bytes, near: datetime, most: int) -> Sequence[PathTouch]:
        """What mailed patches do to a path, those first whose date is nearest to `near`."""

    def find_patch(self, msgid: str) -> SourcePatch | None:
        """The patch mail with this message-id."""

    def find_patch_id(self, patch_id: str) -> Sequence[SourcePatch]:
        """The patches with this stable patch-id: in several versions of a series it can be the same."""

    def find_change_id(self, change_id: str) -> Sequence[SourcePatch]:
        """All patches, of all versions, of the series with this change-id."""

    def read(self, msgid: str) -> Patch | None:
        """The patch itself, with its message and author."""

    def series_of(self, msgid: str) -> Sequence[SourcePatch]:
        """The patches of the series of which this mail is one, in order."""


class NoPatchSource:
    """No lists at all."""

    def touching(self, path: bytes, near: datetime, most: int) -> tuple[()]:  # noqa: ARG002
        """No patch."""
        return ()

    def find_patch(self, msgid: str) -> None:  # noqa: ARG002
        """No patch."""
        return

    def find_patch_id(self, patch_id: str) -> tuple[()]:  # noqa: ARG002
        """No patches."""
        return ()

    def find_change_id(self, change_id: str) -> tuple[()]:  # noqa: ARG002
        """No patches."""
        return ()

    def read(self, msgid: str) -> None:  # noqa: ARG002
        """No patch."""
        return

    def series_of(self, msgid: str) -> tuple[()]:  # noqa: ARG002
        """No patches."""
        return ()
