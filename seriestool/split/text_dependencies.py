# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patches of a series do not commute on the files that they share.

Each patch is moved forward over the earlier ones that touch the file, as darcs and git-revise do it. Where it cannot
pass one, it needs that one, and takes it along from there on: so only direct needs are found. Any order of the patches
that keeps to what is found gives the same files.

A change is taken as the exact places at which `git apply` puts its hunks. Moved in front of another it keeps its lines
and its context, only the places shift: so `git rebase` would move it, and never to code elsewhere that looks alike.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from seriestool.series.apply import FileState
from seriestool.series.hunks import Edit, MisplacedHunk, apply_edits, prepare_edits, split_lines
from seriestool.series.model import DiffKind, FileDiff, Hunk, path_text
from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage


class ChangedLines(Struct, frozen=True):
    """Lines that take the place of others, without context; `old` and `new` count lines."""

    start: int
    """0-based, in the file before the change."""
    old: int
    new: int


class PlacedHunk(Struct, frozen=True, kw_only=True):
    """A hunk where it stands in the file before the change: context and all."""

    start: int
    old: int
    new: int
    runs: tuple[ChangedLines, ...]
    is_at_start: bool
    """git takes it only at the very beginning of the file."""
    is_at_end: bool

    def shifted(self, by: int) -> "PlacedHunk":
        """The same hunk so many lines further down."""
        if not by:
            return self
        runs = tuple(replace(run, start=run.start + by) for run in self.runs)
        return replace(self, start=self.start + by, runs=runs)


FileChange = tuple[PlacedHunk, ...]
"""What one patch does to one file, from top to bottom."""


def find_change(content: bytes, hunks: Sequence[Hunk]) -> FileChange | None:
    """The hunks at their places in `content`; None where they have none, or cannot be told apart by lines."""
    edits = prepare_edits(hunks)
    lines = split_lines(content)
    placed = apply_edits(lines, edits)
    if isinstance(placed, MisplacedHunk) or not _is_plain(lines, edits, placed.places):
        return None
    return tuple(_spans(hunks, edits, placed.places))


def commute(first: FileChange, second: FileChange) -> tuple[FileChange, FileChange] | None:
    """`second` as it is before `first`, and `first` as it is on top of that; None where they do not commute.

    They do not where one changes a line that the other changes or has as context.
    """
    made = tuple(_made_by(first))
    starts = [span.start for span in made]
    if any(_is_in_the_way(one, two) for two in second for one in _touching(made, starts, two)):
        return None
    return _shifted(second, _LineShifts(made)), _put_on(first, made, _LineShifts(second))


def _is_plain(lines: Sequence[bytes], edits: Sequence[Edit], places: Sequence[int]) -> bool:
    """Whether the hunks stand one below the other, and a line without newline is the last of the file only."""
    end = 0
    size = len(lines)
    for edit, at in zip(edits, places, strict=True):
        if at < end or edit.is_loose:
            return False
        size += len(edit.new) - len(edit.old)
        end = at + len(edit.new)
    return all(not edit.is_ragged for edit in edits[:-1]) and (not edits[-1:] or not edits[-1].is_ragged or end == size)


def _spans(hunks: Sequence[Hunk], edits: Sequence[Edit], places: Sequence[int]) -> Iterator[PlacedHunk]:
    growth = 0
    for hunk, edit, at in zip(hunks, edits, places, strict=True):
        start = at - growth
        runs = tuple(_runs(hunk, start))
        yield PlacedHunk(
            start=start,
            old=len(edit.old),
            new=len(edit.new),
            runs=runs,
            is_at_start=edit.is_at_start,
            is_at_end=edit.is_at_end,
        )
        growth += len(edit.new) - len(edit.old)


def _runs(hunk: Hunk, start: int) -> Iterator[ChangedLines]:
    """The changed lines of a hunk between its lines of context."""
    at, old, new = start, 0, 0
    for line in hunk.lines:
        if len(line) < 2:  # as in `prepare_edits`: git passes over it
            continue
        if line[:1] == b" ":
            if old or new:
                yield ChangedLines(at, old, new)
            at, old, new = at + old + 1, 0, 0
        elif line[:1] == b"-":
            old += 1
        else:
            new += 1
    if old or new:
        yield ChangedLines(at, old, new)


def _made_by(change: FileChange) -> Iterator[PlacedHunk]:
    """The hunks seen from the other side: what they made, in the file after the change."""
    growth = 0
    for span in change:
        start = span.start + growth
        runs = []
        for run in span.runs:
            runs.append(ChangedLines(run.start + growth, run.new, run.old))
            growth += run.new - run.old
        yield PlacedHunk(
            start=start,
            old=span.new,
            new=span.old,
            runs=tuple(runs),
            is_at_start=span.is_at_start,
            is_at_end=span.is_at_end,
        )


def _touching(spans: Sequence[PlacedHunk], starts: Sequence[int], other: PlacedHunk) -> Sequence[PlacedHunk]:
    """Those of `spans` that overlap `other` or meet it, and perhaps one more; they stand one below the other."""
    low = max(bisect_left(starts, other.start) - 1, 0)
    return spans[low : bisect_right(starts, other.start + other.old)]


def _is_in_the_way(one: PlacedHunk, other: PlacedHunk) -> bool:
    """Whether either hunk changes what the other covers; both are in the coordinates of the file between them."""
    return any(_covers(one, run) for run in other.runs) or any(_covers(other, run) for run in one.runs)


def _covers(span: PlacedHunk, run: ChangedLines) -> bool:
    """Whether the run changes lines of the hunk, or parts its lines, or takes it from the end that it must stand at."""
    start, end = span.start, span.start + span.old
    if run.start < end and run.start + run.old > start:
        return True
    if run.old:
        return False
    return (run.start == start and span.is_at_start) or (run.start == end and span.is_at_end)


class _LineShifts:
    """By how many lines a change lengthens what is above a line."""

    def __init__(self, change: FileChange) -> None:
        runs = [run for span in change for run in span.runs]
        self._ends = [run.start + run.old for run in runs]
        self._sums = list(accumulate((run.new - run.old for run in runs), initial=0))

    def above(self, line: int) -> int:
        return self._sums[bisect_right(self._ends, line)]


def _shifted(change: FileChange, made: _LineShifts) -> FileChange:
    # `made` is the other change seen from its end: what it lengthens from there on, it has shortened on the way there.
    return tuple(span.shifted(made.above(span.start)) for span in change)


def _put_on(change: FileChange, made: FileChange, growth: _LineShifts) -> FileChange:
    return tuple(span.shifted(growth.above(seen.start)) for span, seen in zip(change, made, strict=True))


MOST_STEPS = 300_000
"""Exchanges of two changes that are tried for all files together, some seconds; past that, what is left of a file's
patches is taken to stay in order. Independent patches of one file, each against each: 775 of them."""


class FileTouch(Struct, frozen=True):
    """What one patch does to one path."""

    patch: int
    change: FileChange | None
    """None where nothing can be moved past it: it makes the file, removes, renames or copies it, changes its mode or
    its bytes."""
    is_read: bool = False
    """Whether it only needs the path as it is: two such touches do not mind each other."""


def textual_dependencies(stages: Sequence[PatchStage]) -> tuple[Dependency, ...]:
    """The needs by text, sorted by patch, then by what it needs; the names are the paths."""
    steps = _ExchangeBudget(MOST_STEPS)
    found: dict[tuple[int, int], set[str]] = {}
    for path, touches in _shared_paths(stages):
        for patch, needs in _needs(touches, steps):
            found.setdefault((patch, needs), set()).add(path_text(path))
    return tuple(Dependency(*pair, DependencyKind.TEXT, tuple(sorted(paths))) for pair, paths in sorted(found.items()))


class _ExchangeBudget(Struct):
    """How many exchanges may still be tried."""

    left: int


def _shared_paths(stages: Sequence[PatchStage]) -> Iterator[tuple[bytes, list[FileTouch]]]:
    """The paths that several patches touch, sorted, with the touches in order."""
    counts = Counter(path for stage in stages for path in _roles(stage))
    touches: dict[bytes, list[FileTouch]] = {path: [] for path, count in counts.items() if count > 1}
    last: dict[bytes, FileState | None] = {}
    for stage in stages:
        for path, role in _roles(stage).items():
            if path in touches:
                follows = path not in last or last[path] == stage.before.get(path)
                touches[path].append(_touch(stage, path, role, follows))
        last.update({path: stage.after.get(path) for path in (*stage.before, *stage.after)})
    for path, found in sorted(touches.items()):
        if not all(touch.is_read for touch in found):
            yield path, found


_Role = FileDiff | bool
"""The one plain diff of a path; else whether the patch only reads the path."""


def _roles(stage: PatchStage) -> dict[bytes, _Role]:
    """What the patch does to each path: those of its files, and the directories in which it makes or removes some."""
    roles: dict[bytes, _Role] = {}
    for diff in stage.patch.files:
        if diff.kind is DiffKind.MODIFY and diff.path not in roles and diff.path in stage.before:
            roles[diff.path] = diff
        else:
            roles.update(dict.fromkeys(_written(diff), False))
    for diff in stage.patch.files:
        if diff.kind is DiffKind.COPY and diff.old_path is not None:
            # One that is changed as well is copied as it was before.
            roles[diff.old_path] = roles.get(diff.old_path, True) is True
        for parent in _made_or_left(diff, stage.before):
            roles.setdefault(parent, True)
    return roles


def _written(diff: FileDiff) -> tuple[bytes, ...]:
    old = () if diff.kind is DiffKind.COPY else (diff.old_path,)
    return tuple(path for path in (*old, diff.new_path) if path is not None)


def _made_or_left(diff: FileDiff, before: Mapping[bytes, FileState]) -> Iterator[bytes]:
    """The directories in which a file comes or goes: nothing else may be called so."""
    if diff.kind is not DiffKind.MODIFY or diff.path not in before:
        for path in _written(diff):
            parts = path.split(b"/")
            yield from (b"/".join(parts[:count]) for count in range(1, len(parts)))


def _touch(stage: PatchStage, path: bytes, role: _Role, follows: bool) -> FileTouch:
    counter = stage.patch.counter
    if isinstance(role, bool):
        return FileTouch(counter, None, is_read=role)
    return FileTouch(counter, _find_plain(role, stage.before, stage.after, path) if follows else None)


def _find_plain(
    diff: FileDiff, before: Mapping[bytes, FileState], after: Mapping[bytes, FileState], path: bytes
) -> FileChange | None:
    """The change of lines that the diff is; None where it is another one."""
    old, new = before.get(path), after.get(path)
    if old is None or new is None or old.mode != new.mode or diff.binary is not None:
        return None
    return find_change(old.content, diff.hunks)


def _needs(touches: Sequence[FileTouch], steps: _ExchangeBudget) -> Iterator[tuple[int, int]]:
    """(patch, what it needs) for the touches of one path."""
    drags: list[set[int]] = []
    """For each touch which others it takes along, by their place in `touches`."""
    for number in range(len(touches)):
        direct, along = _walk(touches, number, drags, steps)
        drags.append(along)
        yield from ((touches[number].patch, touches[one].patch) for one in direct)


def _walk(
    touches: Sequence[FileTouch], number: int, drags: Sequence[set[int]], steps: _ExchangeBudget
) -> tuple[list[int], set[int]]:
    """Which earlier touches the one at `number` needs directly, and all that it takes along."""
    unit = [touches[number]]
    members = [number]
    along: set[int] = set()
    direct = []
    for at in reversed(range(number)):
        blocked = None if at in along else _move_behind(touches[at], unit, steps)
        if blocked is None and at not in along:
            continue
        # What stands in the way of a member is that one's need, not ours: where it knows.
        if blocked is not None and (blocked == len(unit) - 1 or at not in drags[members[blocked]]):
            direct.append(at)
        unit.insert(0, touches[at])
        members.insert(0, at)
        along |= {at} | drags[at]
    return direct, along


def _move_behind(touch: FileTouch, unit: list[FileTouch], steps: _ExchangeBudget) -> int | None:
    """Move the touch behind the unit, whose members become what they are before it; or the member that it cannot pass.

    The unit stays as it is then.
    """
    moved = []
    for number, member in enumerate(unit):
        pair = _exchange(touch, member, steps)
        if pair is None:
            return number
        one, touch = pair
        moved.append(one)
    unit[:] = moved
    return None


def _exchange(first: FileTouch, second: FileTouch, steps: _ExchangeBudget) -> tuple[FileTouch, FileTouch] | None:
    if first.is_read and second.is_read:
        return second, first
    if first.change is None or second.change is None or steps.left <= 0:
        return None
    steps.left -= 1
    pair = commute(first.change, second.change)
    return None if pair is None else (FileTouch(second.patch, pair[0]), FileTouch(first.patch, pair[1]))
