# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch of a series needs which, and how the patches part into groups, one for each branch."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

from msgspec import Struct

from seriestool.series.apply import FileState
from seriestool.series.model import Patch
from seriestool.split.destination import Flavour
from seriestool.util.json_struct import JsonStruct


class DependencyKind(StrEnum):
    """Why one patch needs another, the plainest reason first."""

    TEXT = "text"
    """They do not commute: one changes lines that the other changes, or needs around it."""
    SYMBOL = "symbol"
    """One uses a name that the other introduces, or whose signature the other changes."""
    SCOPE = "scope"
    """One uses a parameter or a local variable that the other introduces."""


class PatchStage(Struct, frozen=True):
    """One patch on the base of its series, after the patches before it: the paths that it touches, as far as they
    exist, before and after."""

    patch: Patch
    before: Mapping[bytes, FileState]
    after: Mapping[bytes, FileState]


class Dependency(JsonStruct, frozen=True):
    """The patch `patch` needs the earlier patch `needs`; both are counters."""

    patch: int
    needs: int
    tie: DependencyKind
    names: tuple[str, ...]
    """Of TEXT the paths, else the identifiers; sorted."""


_Node = TypeVar("_Node")


class PatchGroup(NamedTuple):
    """Where a group of patches goes; `choices` are those of one that is undecided."""

    destination: str | None
    flavour: Flavour
    choices: tuple[str, ...] = ()


class GroupCycle(NamedTuple):
    """Groups that waited for each other, and the patches that were moved to `home` to part them."""

    patch_groups: tuple[PatchGroup, ...]
    through: PatchGroup
    moved: tuple[int, ...]


GroupByPatch = dict[int, PatchGroup]
"""By counter."""
NeedsByPatch = Mapping[int, frozenset[int]]
"""Counter -> all patches that it needs, also by way of others."""


def transitive_needs(counters: Iterable[int], dependencies: Iterable[Dependency]) -> NeedsByPatch:
    """What each patch needs, also by way of others; needs of patches that are not there are passed over."""
    direct: dict[int, set[int]] = {counter: set() for counter in counters}
    for one in dependencies:
        if one.patch in direct and one.needs in direct and one.patch != one.needs:
            direct[one.patch].add(one.needs)
    return _closure(direct)


def break_cycles(
    patch_groups: GroupByPatch, needs: NeedsByPatch, weights: Mapping[int, float]
) -> tuple[GroupByPatch, tuple[GroupCycle, ...]]:
    """The groups with no two waiting for each other.

    Of those that do, the one that owns most takes what it needs of the others. It then needs none of them, so each
    round settles one group for good.
    """
    patch_groups = dict(patch_groups)
    cycles: list[GroupCycle] = []
    while cycle := _find_cycle(patch_groups, needs):
        through = _heaviest(cycle, patch_groups, weights)
        wanted = {need for counter, group in patch_groups.items() if group == through for need in needs[counter]}
        moved = tuple(sorted(n for n in wanted if patch_groups[n] != through and patch_groups[n] in cycle))
        patch_groups.update(dict.fromkeys(moved, through))
        cycles.append(GroupCycle(cycle, through, moved))
    return patch_groups, tuple(cycles)


def order_groups(patch_groups: GroupByPatch, needs: NeedsByPatch) -> tuple[PatchGroup, ...]:
    """The groups, each after those it waits for; fixes first, then as their patches come."""
    waits = _waits(patch_groups, needs)
    first: dict[PatchGroup, int] = {}
    for counter in sorted(patch_groups):
        first.setdefault(patch_groups[counter], counter)
    left = sorted(first, key=lambda one: (one.flavour is not Flavour.FIXES, first[one]))
    done: list[PatchGroup] = []
    while left:
        ready = next((one for one in left if waits[one].issubset(done)), left[0])
        left.remove(ready)
        done.append(ready)
    return tuple(done)


def _find_cycle(patch_groups: GroupByPatch, needs: NeedsByPatch) -> tuple[PatchGroup, ...]:
    """The groups of one cycle of waits, as their patches come; () where there is none."""
    reach = _closure(_waits(patch_groups, needs))
    for group in dict.fromkeys(patch_groups[counter] for counter in sorted(patch_groups)):
        cycle = tuple(other for other in reach if other == group or (other in reach[group] and group in reach[other]))
        if len(cycle) > 1:
            return cycle
    return ()


def _heaviest(cycle: Sequence[PatchGroup], patch_groups: GroupByPatch, weights: Mapping[int, float]) -> PatchGroup:
    """The decided group with most patches, then most changes; an undecided one only among its like."""

    def rank(group: PatchGroup) -> tuple[bool, int, float]:
        own = [counter for counter, one in patch_groups.items() if one == group]
        return group.destination is not None, len(own), sum(weights.get(counter, 0.0) for counter in own)

    return max(cycle, key=rank)


def _waits(patch_groups: GroupByPatch, needs: NeedsByPatch) -> dict[PatchGroup, set[PatchGroup]]:
    waits: dict[PatchGroup, set[PatchGroup]] = {patch_groups[counter]: set() for counter in sorted(patch_groups)}
    for counter, group in patch_groups.items():
        waits[group].update(patch_groups[need] for need in needs[counter])
    for group, others in waits.items():
        others.discard(group)
    return waits


def _closure(direct: Mapping[_Node, set[_Node]]) -> dict[_Node, frozenset[_Node]]:
    """All that can be reached from each node; a node reaches itself only by a cycle."""
    reach: dict[_Node, frozenset[_Node]] = {}
    for start in direct:
        seen: set[_Node] = set()
        todo = list(direct[start])
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            if node in reach:
                seen |= reach[node] | {node}
                continue
            seen.add(node)
            todo.extend(direct[node])
        reach[start] = frozenset(seen)
    return reach
