# SPDX-License-Identifier: GPL-2.0-or-later
"""What the search for prerequisites answers: frozen values, and how they look as JSON."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from seriestool.base.verdict import FitLevel, outcome_dict
from seriestool.series.apply import FileState
from seriestool.series.model import PatchOutcome, path_text
from seriestool.sources.lists import ListedPatch
from seriestool.util.json_struct import JsonStruct


class NeededPatchState(StrEnum):
    """What became of a patch that the series needs."""

    UNMERGED = "unmerged"
    MERGED = "merged"
    """A tree has what it makes, since `merged_as`."""
    SUPERSEDED = "superseded"
    """A newer version of it was mailed."""
    MISSING = "missing"
    """Stated, and found nowhere."""
    AMBIGUOUS = "ambiguous"
    """Stated, and several patches answer to it."""


class NeededPatch(JsonStruct, frozen=True):
    """A mailed patch that stands between a tree and the base of the series."""

    patch: ListedPatch | None
    """None where it is stated and found nowhere."""
    state: NeededPatchState
    source: str
    """stated or discovered."""
    stated_as: str | None = None
    """The author's words: 'prerequisite-patch-id: 0123...'."""
    is_removal: bool = False
    """The tree has it, the base has not: it was taken off."""
    merged_as: str | None = None
    paths: tuple[bytes, ...] = ()
    """The paths whose blobs were proven with it."""

    def to_dict(self) -> dict[str, object]:
        """The need as JSON shows it."""
        patch = self.patch
        return {
            "msgid": patch.msgid if patch else None,
            "subject": patch.subject if patch else None,
            "series": patch.series if patch else None,
            "version": patch.version if patch else None,
            "counter": patch.counter if patch else None,
            "state": str(self.state),
            "source": self.source,
            "stated_as": self.stated_as,
            "taken_off": self.is_removal,
            "merged_as": self.merged_as,
            "proven": [path_text(path) for path in self.paths],
        }


class BlobRecipe(JsonStruct, frozen=True, kw_only=True):
    """How one blob of the base is made, or what stands in for it where nothing makes it."""

    path: bytes
    blob: str
    """As the mail names it."""
    is_proven: bool
    kind: str
    """base, version, object, patches, subset or merge; nearest where it is not proven."""
    commit: str | None
    """The commit whose version of the path it starts from; None where no commit has it (object)."""
    patches: tuple[tuple[ListedPatch, bool], ...] = ()
    """In order; True: taken off."""
    others: tuple[str, ...] = ()
    changes: int = 0

    def to_dict(self) -> dict[str, object]:
        """The recipe as JSON shows it."""
        return {
            "path": path_text(self.path),
            "blob": self.blob,
            "proven": self.is_proven,
            "kind": self.kind,
            "commit": self.commit,
            "patches": [{"msgid": patch.msgid, "taken_off": removal} for patch, removal in self.patches],
            "others": list(self.others),
            "changes": self.changes,
        }


class RebuiltBase(JsonStruct, frozen=True):
    """A base put together: a commit of a tree, with the blobs that were proven in the place of its own."""

    commit: str
    tree: str | None
    matched: int
    """How many blobs are proven."""
    expected: int
    """How many blobs the series names."""
    level: FitLevel
    """What the series does on it: applies, partial or none."""
    recipes: tuple[BlobRecipe, ...]
    outcomes: tuple[PatchOutcome, ...]
    grafts: Mapping[bytes, FileState]
    """Paths in which the base differs from `commit` before any patch is put on; not part of the JSON."""
    layers: tuple["PatchLayer", ...] = ()
    """The patches that are put on, in order; not part of the JSON."""

    def to_dict(self) -> dict[str, object]:
        """The rebuilt base as JSON shows it."""
        return {
            "commit": self.commit,
            "tree": self.tree,
            "matched": self.matched,
            "expected": self.expected,
            "verdict": str(self.level),
            "blobs": [recipe.to_dict() for recipe in self.recipes],
            "outcomes": [outcome_dict(outcome) for outcome in self.outcomes],
        }


class PatchLayer(Struct, frozen=True):
    """A mailed patch on top of the grafts, and what it makes of the paths that are proven with it."""

    patch: ListedPatch
    files: Mapping[bytes, FileState]


class PrerequisiteResult(JsonStruct, frozen=True):
    """What a series builds on beyond the trees."""

    json_names = (("needs", "prerequisites"), ("hints", "dependence_hints"))

    needs: tuple[NeededPatch, ...] = ()
    rebuilt: RebuiltBase | None = None
    hints: tuple[str, ...] = ()
    """Links next to words of dependence in the cover letter; never applied by themselves."""
