# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists in memory, for tests of prerequisites: a `PatchSource` made of mboxes, and the answer that comes of it."""

from collections.abc import Sequence
from datetime import datetime

from seriestool.base.find import find_base
from seriestool.base.prerequisites.patch_source import PathTouch, SourcePatch
from seriestool.base.prerequisites.prerequisite_results import BlobRecipe, NeededPatch, PrerequisiteResult
from seriestool.base.prerequisites.rebuilt_base import find_prerequisites
from seriestool.series.model import Patch, Series
from seriestool.series.patch_id import find_patch_id
from tests.support.repos import Repo
from tests.support.series import parse_whole
from tests.support.session import search_context_of


class MemorySource:
    """Series on a list; `asked` is how many patches were asked for at most, call by call."""

    def __init__(self, *mboxes: bytes) -> None:
        self._series = [parse_whole(mbox) for mbox in mboxes]
        self.asked: list[int] = []

    def touching(self, path: bytes, near: datetime, most: int) -> Sequence[PathTouch]:
        self.asked.append(most)
        found = [
            PathTouch(_mailed(patch, series), diff)
            for series, patch in self._patches()
            for diff in patch.files
            if path in (diff.old_path, diff.new_path)
        ]
        return sorted(found, key=lambda touch: abs(touch.patch.date - near))[:most]

    def find_patch(self, msgid: str) -> SourcePatch | None:
        return next((_mailed(patch, series) for series, patch in self._patches() if patch.msgid == msgid), None)

    def find_patch_id(self, patch_id: str) -> Sequence[SourcePatch]:
        return [_mailed(patch, series) for series, patch in self._patches() if find_patch_id(patch.diff) == patch_id]

    def find_change_id(self, change_id: str) -> Sequence[SourcePatch]:
        return [_mailed(patch, series) for series, patch in self._patches() if series.change_id == change_id]

    def series_of(self, msgid: str) -> Sequence[SourcePatch]:
        for series in self._series:
            if msgid == series.msgid or msgid in {patch.msgid for patch in series.patches}:
                return [_mailed(patch, series) for patch in series.patches]
        return ()

    def read(self, msgid: str) -> Patch | None:
        return next((patch for _, patch in self._patches() if patch.msgid == msgid), None)

    def _patches(self) -> list[tuple[Series, Patch]]:
        return [(series, patch) for series in self._series for patch in series.patches]


def _mailed(patch: Patch, series: Series) -> SourcePatch:
    return SourcePatch(
        patch.msgid, patch.subject, series.msgid, series.version, patch.counter, series.expected, patch.author_name,
        patch.date, series.change_id,
    )  # fmt: skip


def prerequisites(repo: Repo, mbox: bytes, *mboxes: bytes) -> PrerequisiteResult:
    """What the series in `mbox` builds on, with the others (and itself) on the list."""
    context = search_context_of(repo)
    verdict = find_base(parse_whole(mbox), context)
    return find_prerequisites(verdict, context, MemorySource(mbox, *mboxes))


def recipe_of(found: PrerequisiteResult, path: str) -> BlobRecipe:
    """How a path's blob is made."""
    assert found.rebuilt is not None
    return next(recipe for recipe in found.rebuilt.recipes if recipe.path == path.encode())


def subjects(needs: Sequence[NeededPatch]) -> list[str]:
    """The needs in words: '+part 1 unmerged', '-part 2 merged'."""
    return [
        f"{'-' if need.is_removal else '+'}{need.patch.subject if need.patch else None} {need.state}" for need in needs
    ]
