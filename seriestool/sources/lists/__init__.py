# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches as lists have them: which mail makes which blob of which path, and which blob it needs for that.

`index` answers from local archives, `remote` from a public-inbox server; `update` reads the archives.
"""

from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec import Struct

from seriestool.series.model import Patch


class BlobEdge(NamedTuple):
    """One file diff as a step from blob to blob; what a mail claims, which nobody has tried."""

    path: bytes
    """The new path, or the old one of a deleted file."""
    old_path: bytes | None
    """Of a rename or a copy; None where the path stays."""
    old: str | None
    """The first digits of the pre-image's id, as many as the mail gives, at most 15; None where it gives none."""
    new: str | None
    """The same of the post-image."""
    kind: str
    """A `model.DiffKind`."""


class ListedPatch(Struct, frozen=True, kw_only=True):
    """One patch mail, once for all lists that have it."""

    msgid: str
    subject: str
    """Without the [PATCH ...] prefix."""
    author: str
    """Name <address>"""
    date: datetime
    """When it was sent, as far as one can tell; UTC."""
    version: int
    counter: int
    expected: int
    series: str
    """Message-id of the series: of its cover letter, its first patch, or of this mail."""
    title: str | None = None
    """Of the series: of its cover letter, or of its first patch; None where that is not known."""
    change_id: str | None = None
    patch_id: str | None = None
    """As `git patch-id --stable` gives it; None where it gives none."""
    edges: tuple[BlobEdge, ...] = ()
    lists: tuple[str, ...] = ()
    number: int = 0
    """In the index; it stays as it is until the index is made anew. 0 outside of one."""


class PatchLists(Protocol):
    """The questions that lists answer, from local archives or from a server."""

    def find_touching(self, path: bytes, near: datetime, limit: int = 200) -> tuple[ListedPatch, ...]:
        """The patches that touch the path, those first that were sent nearest to a moment."""

    def find_patch(self, msgid: str) -> ListedPatch | None:
        """The patch of that message-id."""

    def find_patch_id(self, patch_id: str) -> tuple[ListedPatch, ...]:
        """The patches that make the same change."""

    def find_change_id(self, change_id: str) -> tuple[ListedPatch, ...]:
        """The patches of all series with the change-id."""

    def series_of(self, msgid: str) -> tuple[ListedPatch, ...]:
        """The patches of a series, in order."""

    def find_versions(self, msgid: str) -> tuple[str, ...]:
        """The message-ids of all versions of a series, oldest version first."""

    def read_patch(self, patch: ListedPatch) -> Patch:
        """The mail, parsed."""
