# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patches of a series do not commute on the files that they share.

Each patch is moved forward over the earlier ones that touch the file, as darcs and git-revise do it. Where it cannot
pass one, it needs that one, and takes it along from there on: so only direct needs are found. Any order of the patches
that keeps to what is found gives the same files.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seriestool.series.apply import FileState
from seriestool.series.model import DiffKind, FileDiff, path_text
from seriestool.split.commute import FileChange, commute, find_change
from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage

MOST_STEPS = 300_000
"""Exchanges of two changes that are tried for all files together, some seconds; past that, what is left of a file's
patches is taken to stay in order. Independent patches of one file, each against each: 775 of them."""


@dataclass(frozen=True, slots=True)
class FileTouch:
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


@dataclass(slots=True)
class _ExchangeBudget:
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
