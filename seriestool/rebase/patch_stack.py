# SPDX-License-Identifier: GPL-2.0-or-later
"""The series on its base, patch by patch, as trees: what each patch was made from, and what it makes of that."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from seriestool.base.prerequisites.prerequisite_results import RebuiltBase
from seriestool.base.verdict import FitLevel, Verdict
from seriestool.git import ScratchRepository, TreeEntry
from seriestool.series.apply import FileState, apply_patch
from seriestool.series.model import FileDiff, Patch, PatchFailure, Series
from seriestool.util.errors import InputError
from seriestool.util.json_struct import JsonStruct

_GITLINK = 0o160000
_SUBPROJECT = b"Subproject commit "

Files = Mapping[bytes, FileState]


class BaseKind(StrEnum):
    """What the series was put on to see what its patches were made from, the surest first."""

    EXACT = "exact"
    """A commit that has every file as the series names it."""
    APPLIES = "applies"
    """A commit that takes all patches."""
    REBUILT = "rebuilt"
    """A commit with files put into it that were proven by their blobs."""
    GIVEN = "given"
    """A commit that the user named, though it does not take all patches."""


class SeriesBase(JsonStruct, frozen=True):
    """What the series is rebased from; `files` stand in the place of the commit's own."""

    footing: BaseKind
    commit: str
    matched: int
    """Paths that are as the series names them."""
    expected: int
    put_in: int
    """How many files of the base are not the commit's own."""
    files: Files
    """Those files; they are in the trees of a stack that was made."""

    def to_dict(self) -> dict[str, object]:
        """The base as JSON shows it."""
        return {
            "footing": str(self.footing),
            "commit": self.commit,
            "matched": self.matched,
            "expected": self.expected,
            "rebuilt_files": self.put_in,
        }


class StackedPatch(Struct, frozen=True):
    """One patch on the base: the trees before and after it; `after` is None where it does not apply there."""

    patch: Patch
    before: str
    after: str | None


class PatchStack(Struct, frozen=True):
    """The series on its base."""

    base: SeriesBase | None
    """None where nothing is known of it: patches can only be tried as they are."""
    steps: tuple[StackedPatch, ...]


def find_series_base(verdict: Verdict, rebuilt: RebuiltBase | None) -> SeriesBase | None:
    """The best that is known of what the series was made from, or None."""
    best = verdict.candidates[0] if verdict.candidates else None
    if best and verdict.level in (FitLevel.EXACT, FitLevel.APPLIES):
        return SeriesBase(
            footing=BaseKind(str(verdict.level)),
            commit=best.commit,
            matched=best.matched,
            expected=best.expected,
            put_in=0,
            files={},
        )
    if rebuilt is None or not rebuilt.matched:
        return None  # with nothing proven, a merge would have nothing to go by
    files = dict(rebuilt.grafts)
    for layer in rebuilt.layers:
        files.update(layer.files)
    return SeriesBase(
        footing=BaseKind.REBUILT,
        commit=rebuilt.commit,
        matched=rebuilt.matched,
        expected=rebuilt.expected,
        put_in=len(files),
        files=files,
    )


def make_stack(series: Series, base: SeriesBase | None, scratch_repo: ScratchRepository) -> PatchStack:
    """The trees of each patch on the base; InputError where the series has no patches."""
    if not series.patches:
        raise InputError("there is no patch in it", hint="name the series by its message-id or by an mbox")
    if base is None:
        nothing = scratch_repo.write("tree", b"")
        return PatchStack(None, tuple(StackedPatch(patch, nothing, None) for patch in series.patches))
    tree = scratch_repo.edit(scratch_repo.tree_of(base.commit), entries_of(base.files, scratch_repo))
    steps = []
    for patch in series.patches:
        after = apply_to(scratch_repo, tree, patch)
        steps.append(StackedPatch(patch, tree, after))
        tree = after or tree
    return PatchStack(base, tuple(steps))


def is_for_tree(series: Series, scratch_repo: ScratchRepository, tree: str) -> bool:
    """Whether the tree has the files that are changed, or a folder that gets one; a Makefile at the top is no sign."""
    if telling := identifying_paths(series):
        return are_enough_files(len(scratch_repo.entries(tree, telling)), len(telling))
    return any(scratch_repo.has_folder(tree, folder) for folder in file_folders(series))


def are_enough_files(here: int, all_of_them: int) -> bool:
    """Whether so many of the files that a series changes are enough: one in ten.

    Files such as lib/Makefile are in every other project; a tree that lacks what the series builds on has some of it.
    """
    return here > 0 and all_of_them <= 10 * here


def identifying_paths(series: Series) -> frozenset[bytes]:
    """The files that it changes and does not make itself: those in folders, if there are any."""
    old, made = set[bytes](), set[bytes]()
    for diff in (diff for patch in series.patches for diff in patch.files):
        if diff.old_path is not None and diff.old_path not in made:
            old.add(diff.old_path)
        if diff.new_path is not None and diff.new_path != diff.old_path:
            made.add(diff.new_path)
    return frozenset({path for path in old if b"/" in path} or old)


def file_folders(series: Series) -> frozenset[bytes]:
    """The folders of its files."""
    return frozenset(diff.path.rpartition(b"/")[0] for patch in series.patches for diff in patch.files)


def apply_to(scratch_repo: ScratchRepository, tree: str, patch: Patch) -> str | None:
    """The tree after the patch as it stands, or None where plain `git apply` refuses it."""
    files = read_files(scratch_repo, tree, patch.files)
    applied = apply_patch(files, patch.files)
    return None if isinstance(applied, PatchFailure) else with_files(scratch_repo, tree, files, applied.files)


def with_files(scratch_repo: ScratchRepository, tree: str, before: Files, after: Files) -> str:
    """The tree in which what differs between the two states is as in `after`."""
    changed = {path: state for path, state in after.items() if before.get(path) != state}
    gone = dict.fromkeys(path for path in before if path not in after)
    return scratch_repo.edit(tree, {**entries_of(changed, scratch_repo), **gone}) if changed or gone else tree


def read_files(scratch_repo: ScratchRepository, tree: str, diffs: Sequence[FileDiff]) -> dict[bytes, FileState]:
    """What the tree has at the paths of these diffs, of what is no folder above them, and what bars them from below.

    Of a folder in the place of a file one other file says that it is there.
    """
    paths = frozenset(paths_of(diffs))
    found = scratch_repo.entries(tree, paths)
    barring = (scratch_repo.find_below(tree, path, paths) for path in paths_of(diffs, above=False))
    return {path: file_state(scratch_repo, entry) for path, entry in {**found, **dict(filter(None, barring))}.items()}


def paths_of(diffs: Iterable[FileDiff], above: bool = True) -> tuple[bytes, ...]:
    """The paths that the diffs read or write, and the folders above them unless told otherwise, sorted."""
    paths = {path for diff in diffs for path in (diff.old_path, diff.new_path) if path is not None}
    return tuple(sorted(paths.union(*map(folders_above, paths)) if above else paths))


def folders_above(path: bytes) -> Iterable[bytes]:
    """The folders that a path stands in, the innermost first; not the root."""
    while (at := path.rfind(b"/")) >= 0:
        path = path[:at]
        yield path


def file_state(scratch_repo: ScratchRepository, entry: TreeEntry) -> FileState:
    """The file behind a tree's entry."""
    if entry.kind == "commit":
        return FileState(_SUBPROJECT + entry.oid.encode() + b"\n", entry.mode)
    return FileState(scratch_repo.blob(entry.oid), entry.mode)


def entries_of(files: Files, scratch_repo: ScratchRepository) -> dict[bytes, TreeEntry | None]:
    """The files as entries for a tree, their contents written."""
    return {path: _entry(state, scratch_repo) for path, state in files.items()}


def _entry(state: FileState, scratch_repo: ScratchRepository) -> TreeEntry:
    if state.mode == _GITLINK:
        return TreeEntry(_GITLINK, "commit", state.content.removeprefix(_SUBPROJECT).strip().decode())
    return TreeEntry(state.mode, "blob", scratch_repo.write("blob", state.content))
