# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain `git apply --cached`, in memory: the verdict and the result are git's, no process is started.

`apply_patch` tries one patch on the files of a tree. `tracks` takes a series apart into what happens to each single
path of the base, so that every content which that path ever had can be tried once, whatever the commits are.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from seriestool.series.binary import find_patched
from seriestool.series.hunks import Edit, MisplacedHunk, apply_edits, prepare_edits, split_lines
from seriestool.series.model import BinaryKind, DiffKind, FileDiff, Hunk, PatchFailure

REGULAR = 0o100644
_TYPE = 0o170000
_GITLINK = 0o160000


class FileState(Struct, frozen=True):
    """A file in a tree; a submodule's content is `Subproject commit <id>\\n`."""

    content: bytes
    mode: int = REGULAR


class PatchedFiles(Struct, frozen=True):
    """A tree after a patch that applies."""

    files: Mapping[bytes, FileState]
    offsets: int = 0
    """How many hunks are not at the line that they name."""


class FileImage(Struct, frozen=True):
    """A file between two steps: its lines and its mode."""

    lines: list[bytes]
    mode: int

    @property
    def state(self) -> FileState:
        """The file as a whole."""
        return FileState(b"".join(self.lines), self.mode)


_Outcome = tuple[FileImage | None, int] | PatchFailure
"""The file afterwards (None: deleted) and the hunks at an offset, or why not."""


class _PathMark(Enum):
    """A path without content in the middle of a patch."""

    GOING = 1
    """A later diff of the patch removes it or renames it away: another file may take its name already."""
    GONE = 2


def apply_patch(files: Mapping[bytes, FileState], diffs: Sequence[FileDiff]) -> PatchedFiles | PatchFailure:
    """The files after one patch, or the first place at which it does not apply: all of it applies, or nothing.

    `files` holds at least what the tree has at the paths of `diffs`; renames and copies read it as it is before
    the patch.
    """
    table: dict[bytes, FileImage | _PathMark | None] = dict.fromkeys(_vacated(diffs), _PathMark.GOING)
    results: list[FileImage | None] = []
    offsets = 0
    for diff in diffs:
        outcome = _apply_in(files, table, diff)
        if isinstance(outcome, PatchFailure):
            return outcome
        image, moved = outcome
        offsets += moved
        results.append(image)
        if diff.new_path is not None:
            table[diff.new_path] = image
        if diff.old_path is not None and _vacates(diff):
            table[diff.old_path] = _PathMark.GONE
    written = _written(files, diffs, results)
    failure = next(_blocked(files, written, diffs), None)
    return failure or PatchedFiles(written, offsets)


def apply_diff(diff: FileDiff, edits: Sequence[Edit], image: FileImage | None) -> _Outcome:
    """What one file diff makes of the file that it reads; `image` None is an absent file."""
    if diff.kind is DiffKind.CREATE and image is not None:
        return PatchFailure(diff.path, "exists")
    if image is None and diff.kind is not DiffKind.CREATE and not diff.may_create:
        return PatchFailure(diff.old_path or b"", "missing-file")
    if image is None:
        return _checked_link(diff, _apply_content(diff, edits, FileImage([], diff.new_mode or REGULAR)))
    old_mode = diff.old_mode or image.mode
    new_mode = diff.new_mode or image.mode
    if (image.mode ^ old_mode) & _TYPE or (diff.kind is not DiffKind.DELETE and (old_mode ^ new_mode) & _TYPE):
        return PatchFailure(diff.old_path or b"", "mode")
    outcome = _apply_content(diff, edits, FileImage(image.lines, new_mode))
    if isinstance(outcome, PatchFailure) or diff.kind is not DiffKind.DELETE:
        return _checked_link(diff, outcome)
    left, moved = outcome
    if left is not None and left.lines:
        return PatchFailure(diff.path, "leaves-contents", found=tuple(left.lines[:10]))
    return None, moved


def reverse(diff: FileDiff) -> FileDiff:
    """The file diff that undoes `diff`; it applies where `diff` is in the tree already.

    A copy turns into a change of the file that it made: git has no way to undo one.
    """
    back = {DiffKind.CREATE: DiffKind.DELETE, DiffKind.DELETE: DiffKind.CREATE, DiffKind.COPY: DiffKind.MODIFY}
    has_mode = diff.new_mode is not None or diff.kind is DiffKind.DELETE
    return FileDiff(
        kind=back.get(diff.kind, diff.kind),
        old_path=diff.new_path,
        new_path=diff.new_path if diff.kind is DiffKind.COPY else diff.old_path,
        old_blob=diff.new_blob,
        new_blob=diff.old_blob,
        old_mode=diff.new_mode if has_mode else diff.old_mode,
        new_mode=diff.old_mode if has_mode else None,
        hunks=tuple(_reversed_hunk(hunk) for hunk in diff.hunks),
        binary=diff.binary,
        binary_hunks=diff.binary_hunks[1:] + diff.binary_hunks[:1] if len(diff.binary_hunks) > 1 else (),
    )


def reverse_patch(diffs: Sequence[FileDiff]) -> tuple[FileDiff, ...]:
    """The patch that undoes `diffs`: each reversed, the last one first."""
    return tuple(reverse(diff) for diff in reversed(diffs))


def _reversed_hunk(hunk: Hunk) -> Hunk:
    swapped = {b"+": b"-", b"-": b"+"}
    lines = tuple(swapped.get(line[:1], line[:1]) + line[1:] for line in hunk.lines)
    return Hunk(
        old_start=hunk.new_start,
        old_lines=hunk.new_lines,
        new_start=hunk.old_start,
        new_lines=hunk.old_lines,
        section=hunk.section,
        lines=lines,
    )


def _apply_content(diff: FileDiff, edits: Sequence[Edit], image: FileImage) -> _Outcome:
    if diff.binary is not None:
        new = find_patched(diff, b"".join(image.lines)) if diff.binary is BinaryKind.PATCH else None
        return PatchFailure(diff.path, "binary") if new is None else (FileImage(split_lines(new), image.mode), 0)
    placed = apply_edits(image.lines, edits)
    if isinstance(placed, MisplacedHunk):
        edit = placed.edit
        return PatchFailure(
            path=diff.old_path or diff.path,
            reason="hunk",
            hunk=edit.number,
            line=edit.old_start,
            expected=tuple(edit.old),
            found=placed.found,
        )
    return FileImage(placed.lines, image.mode), placed.offsets


def _checked_link(diff: FileDiff, outcome: _Outcome) -> _Outcome:
    """A submodule whose content names no commit cannot be written to an index."""
    if isinstance(outcome, PatchFailure) or outcome[0] is None or outcome[0].mode & _TYPE != _GITLINK:
        return outcome
    words = b"".join(outcome[0].lines).split(b" ")
    names_commit = words[:2] == [b"Subproject", b"commit"] and len(words) == 3 and _is_oid(words[2].strip())
    return outcome if names_commit else PatchFailure(diff.path, "mode")


def _is_oid(text: bytes) -> bool:
    return len(text) in (40, 64) and not text.lower().strip(b"0123456789abcdef")


def _vacates(diff: FileDiff) -> bool:
    return diff.kind in (DiffKind.DELETE, DiffKind.RENAME)


def _vacated(diffs: Sequence[FileDiff]) -> set[bytes]:
    return {diff.old_path for diff in diffs if diff.old_path is not None and _vacates(diff)}


def _apply_in(
    files: Mapping[bytes, FileState], table: Mapping[bytes, FileImage | _PathMark | None], diff: FileDiff
) -> _Outcome:
    image = None
    if diff.old_path is not None:
        before = None if diff.kind in (DiffKind.RENAME, DiffKind.COPY) else table.get(diff.old_path)
        if before is _PathMark.GONE:
            return PatchFailure(diff.old_path, "missing-file")
        image = before if isinstance(before, FileImage) else _image(files.get(diff.old_path))
    new = diff.new_path
    is_taken = new is not None and new in files and not isinstance(table.get(new), _PathMark)
    if is_taken and diff.kind in (DiffKind.CREATE, DiffKind.RENAME, DiffKind.COPY):
        return PatchFailure(diff.path, "exists")
    return apply_diff(diff, prepare_edits(diff.hunks), image)


def _image(state: FileState | None) -> FileImage | None:
    return None if state is None else FileImage(split_lines(state.content), state.mode)


def _written(
    files: Mapping[bytes, FileState], diffs: Sequence[FileDiff], results: Sequence[FileImage | None]
) -> dict[bytes, FileState]:
    """As git writes: first every removal, then every new content, each in the order of the patch."""
    written = dict(files)
    for path in _vacated(diffs):
        written.pop(path, None)
    for diff, image in zip(diffs, results, strict=True):
        if diff.new_path is not None and image is not None:
            written[diff.new_path] = image.state
    return written


def _blocked(
    files: Mapping[bytes, FileState], written: Mapping[bytes, FileState], diffs: Sequence[FileDiff]
) -> Iterator[PatchFailure]:
    """New files below something that is no directory, another file or a symbolic link, or in the place of one."""
    directories = {parent for path in written for parent in _parents(path)}
    for diff in diffs:
        if diff.new_path is not None and diff.new_path not in files:
            yield from (
                PatchFailure(diff.new_path, "exists") for parent in _parents(diff.new_path) if parent in written
            )
            if diff.new_path in directories:
                yield PatchFailure(diff.new_path, "exists")


def _parents(path: bytes) -> Iterator[bytes]:
    at = path.find(b"/")
    while at >= 0:
        yield path[:at]
        at = path.find(b"/", at + 1)


# A series, taken apart.


class PathStep(Struct, frozen=True):
    """What one patch does to the file of a track."""

    patch: int
    """0-based place of the patch in the series."""
    diff: FileDiff
    edits: tuple[Edit, ...] = ()
    needs_absence: bool = False
    """`diff` renames or copies another file to this path: nothing may be there."""


class PathTrackResult(Struct, frozen=True):
    """How one state of a path passes a track."""

    offsets: tuple[int, ...] = ()
    """The patch (0-based) of each hunk that is not at the line it names."""
    failure: PatchFailure | None = None
    patch: int | None = None
    """The patch (0-based) that fails."""
    image: FileImage | None = None
    """What is left in the end, or before the step that fails; None where there is no file."""

    @property
    def ok(self) -> bool:
        """Whether all of the track applies."""
        return self.failure is None

    @property
    def state(self) -> FileState | None:
        """The file of `image` as a whole."""
        return None if self.image is None else self.image.state


class PathTrack(Struct, frozen=True):
    """What a series does to one path of its base, through all renames.

    A series applies to a commit when, for each path, what the commit has there passes all tracks of that path.
    """

    path: bytes
    """As the base names it."""
    steps: tuple[PathStep, ...] = ()
    shared: int = 0
    """How many of the first steps belong to another track too: this one copies its file."""
    is_rebuilt: bool = False
    """Whether the series itself moved the path's file away before: the base has no say in this track."""

    @property
    def must_be_absent(self) -> bool:
        """Whether the base must have nothing at the path."""
        first = self.steps[0]
        return not self.is_rebuilt and (first.needs_absence or first.diff.kind is DiffKind.CREATE)

    def try_content(self, content: bytes | None, mode: int = REGULAR) -> PathTrackResult:
        """How a content of the path in a base passes; None is an absent file."""
        image = None if content is None or self.is_rebuilt else FileImage(split_lines(content), mode)
        offsets: list[int] = []
        for number, step in enumerate(self.steps):
            outcome = _take(step, image)
            if isinstance(outcome, PatchFailure):
                return PathTrackResult(tuple(offsets), outcome, step.patch, image)
            image, moved = outcome
            if number >= self.shared:
                offsets += [step.patch] * moved
        return PathTrackResult(tuple(offsets), image=image)

    def then(self, step: PathStep) -> "PathTrack":
        """The track with one step more."""
        return replace(self, steps=(*self.steps, step))


def tracks(patches: Sequence[Sequence[FileDiff]]) -> tuple[PathTrack, ...]:
    """What the series does to each path of its base, sorted by the first patch that touches it, then by path."""
    now: dict[bytes, PathTrack] = {}
    ended: list[PathTrack] = []
    for number, diffs in enumerate(patches):
        _follow(now, ended, number, diffs)
    found = [track for track in (*ended, *now.values()) if track.steps]
    return tuple(sorted(found, key=lambda track: (track.steps[0].patch, track.path, track.steps[-1].diff.path)))


def parent_paths(found: Sequence[PathTrack]) -> tuple[bytes, ...]:
    """Directories of the files that the series adds, sorted: the base may have no file or symbolic link of that name.

    Those that the series itself touches are left out.
    """
    touched = {track.path for track in found}
    added = {track.path for track in found if track.must_be_absent}
    return tuple(sorted({parent for path in added for parent in _parents(path)} - touched))


def _take(step: PathStep, image: FileImage | None) -> _Outcome:
    if not step.needs_absence:
        return apply_diff(step.diff, step.edits, image)
    return (None, 0) if image is None else PatchFailure(step.diff.path, "exists")


def _follow(now: dict[bytes, PathTrack], ended: list[PathTrack], number: int, diffs: Sequence[FileDiff]) -> None:
    """Take one patch into account; its renames and copies read what was there before it."""
    before = dict(now)
    vacated = _vacated(diffs)
    for diff in diffs:
        step = PathStep(number, diff, prepare_edits(diff.hunks))
        if diff.kind in (DiffKind.RENAME, DiffKind.COPY) and diff.old_path is not None:
            source = before.get(diff.old_path, PathTrack(diff.old_path))
            if diff.kind is DiffKind.COPY:
                source = replace(source, shared=len(source.steps))
            elif now.get(diff.old_path) is before.get(diff.old_path):
                now[diff.old_path] = PathTrack(diff.old_path, is_rebuilt=True)
            _end(now=now, ended=ended, before=before, step=step, free=diff.path in vacated)
            now[diff.path] = source.then(step)
            continue
        is_untouched = now.get(diff.path) is before.get(diff.path)
        if diff.kind is DiffKind.CREATE and diff.path in vacated and is_untouched:
            now[diff.path] = PathTrack(diff.path, is_rebuilt=True)
        now[diff.path] = now.get(diff.path, PathTrack(diff.path)).then(step)


def _end(
    now: Mapping[bytes, PathTrack],
    ended: list[PathTrack],
    before: Mapping[bytes, PathTrack],
    step: PathStep,
    free: bool,
) -> None:
    """End the track at the path to which `step` moves another file; `free`: this patch removes what was there."""
    path = step.diff.path
    track = now.get(path, PathTrack(path))
    if not free:
        ended.append(track.then(PathStep(step.patch, step.diff, needs_absence=True)))
    elif track is not before.get(path):
        ended.append(track)
