# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists in memory, for tests of prerequisites, made of mboxes; and the answer that comes of them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from seriestool.base.find import find_base
from seriestool.base.prerequisites.patch_source import PatchSource
from seriestool.base.prerequisites.prerequisite_results import BlobRecipe, NeededPatch, PrerequisiteResult
from seriestool.base.prerequisites.rebuilt_base import find_prerequisites
from seriestool.series.model import Patch, Series
from seriestool.series.patch_id import find_patch_id
from seriestool.sources.lists import ListedPatch
from tests.support.repos import Repo
from tests.support.series import parse_whole
from tests.support.session import search_context_of


class MemoryLists:
    """Series on a list; `asked` is how many patches were asked for at most, call by call."""

    def __init__(self, *mboxes: bytes) -> None:
        self._series = [parse_whole(mbox) for mbox in mboxes]
        self.asked: list[int] = []

    def find_touching(self, path: bytes, near: datetime, limit: int = 200) -> tuple[ListedPatch, ...]:
        self.asked.append(limit)
        found = self._listed(lambda _, patch: any(path in (diff.old_path, diff.new_path) for diff in patch.files))
        return tuple(sorted(found, key=lambda patch: abs(patch.date - near))[:limit])

    def find_patch(self, msgid: str) -> ListedPatch | None:
        return next(iter(self._listed(lambda _, patch: patch.msgid == msgid)), None)

    def find_patch_id(self, patch_id: str) -> tuple[ListedPatch, ...]:
        return self._listed(lambda _, patch: find_patch_id(patch.diff) == patch_id)

    def find_change_id(self, change_id: str) -> tuple[ListedPatch, ...]:
        return self._listed(lambda series, _: series.change_id == change_id)

    def series_of(self, msgid: str) -> tuple[ListedPatch, ...]:
        return self._listed(lambda series, _: msgid in (series.msgid, *(patch.msgid for patch in series.patches)))

    def find_versions(self, msgid: str) -> tuple[str, ...]:
        return (msgid,)

    def read_patch(self, patch: ListedPatch) -> Patch:
        return next(one for series in self._series for one in series.patches if one.msgid == patch.msgid)

    def _listed(self, is_wanted: Callable[[Series, Patch], bool]) -> tuple[ListedPatch, ...]:
        return tuple(
            _listed(patch, series) for series in self._series for patch in series.patches if is_wanted(series, patch)
        )


def _listed(patch: Patch, series: Series) -> ListedPatch:
    return ListedPatch(
        msgid=patch.msgid, subject=patch.subject, author=patch.author_name, date=patch.date, version=series.version,
        counter=patch.counter, expected=series.expected, series=series.msgid, change_id=series.change_id,
    )  # fmt: skip


def prerequisites(repo: Repo, mbox: bytes, *mboxes: bytes) -> PrerequisiteResult:
    """What the series in `mbox` builds on, with the others (and itself) on the list."""
    context = search_context_of(repo)
    verdict = find_base(parse_whole(mbox), context)
    return find_prerequisites(verdict, context, PatchSource(MemoryLists(mbox, *mboxes)))


def recipe_of(found: PrerequisiteResult, path: str) -> BlobRecipe:
    """How a path's blob is made."""
    assert found.rebuilt is not None
    return next(recipe for recipe in found.rebuilt.recipes if recipe.path == path.encode())


def subjects(needs: Sequence[NeededPatch]) -> list[str]:
    """The needs in words: '+part 1 unmerged', '-part 2 merged'."""
    return [
        f"{'-' if need.is_removal else '+'}{need.patch.subject if need.patch else None} {need.state}" for need in needs
    ]
