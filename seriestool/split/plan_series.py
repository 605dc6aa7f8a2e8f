# SPDX-License-Identifier: GPL-2.0-or-later
"""split: a series and what it was made from -> which patch goes to which tree, with all that ties them."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seriestool.base.search_context import SearchContext
from seriestool.git import ScratchRepository
from seriestool.rebase.patch_stack import PatchStack, SeriesBase, make_stack, read_files
from seriestool.series.diff import split_diff
from seriestool.series.model import Patch, Series
from seriestool.split.c_syntax import CParser
from seriestool.split.dependency_graph import Dependency, PatchStage
from seriestool.split.owners import PatchPart, SeriesOwners, find_owners
from seriestool.split.patch_dependencies import (
    PartDependencies,
    find_dependencies,
    find_part_dependencies,
    merge_dependencies,
)
from seriestool.split.split_plan import SplitPlan, make_plan
from seriestool.trees import Tree, fixes_trees
from seriestool.trees.maintainers import Maintainers
from seriestool.trees.suggestions import read_maintainers

# The diffstat of the whole patch would be wrong in each part of it.
_DIFFSTAT = re.compile(
    r"^ \S.*\|\s+(?:\d+\s*[+-]*|Bin\b.*|Unmerged)$|^ \d+ files? changed\b.*$|^ (?:create|delete) mode \d.*$"
    r"|^ mode change \d.*$|^ (?:rename|copy) .* \(\d+%\)$",
    re.M,
)


def split_by_file(patch: Patch, owners: SeriesOwners, order: Sequence[int] = ()) -> tuple[Patch, ...]:
    """The patch cut into one for each tree that owns files of it, in the order of its parts; itself where one does.

    `order` has the numbers of these, from 1, in another order that is wanted.
    The file diffs stay as they are, byte for byte, and together they are the whole. The last line of each message
    says of what it is a part. The parts have the counter of the whole, and no message-id: they were never mailed.
    """
    parts = owners.patch(patch.counter).parts
    pieces = split_diff(patch.diff)
    if len(parts) < 2 or len(pieces) != len(patch.files):
        return (patch,)
    groups = [(part, [n for n, diff in enumerate(patch.files) if diff.path in part.paths]) for part in parts]
    groups = [(part, numbers) for part, numbers in groups if numbers]
    if len(groups) < 2:
        return (patch,)
    groups = [groups[number - 1] for number in order] or groups
    return tuple(
        replace(
            patch,
            msgid="",
            message=_message(patch, part, place, len(groups)),
            notes=_DIFFSTAT.sub("", patch.notes).strip("\n"),
            files=tuple(patch.files[n] for n in numbers),
            diff=_joined(pieces[n] for n in numbers),
        )
        for place, (part, numbers) in enumerate(groups, 1)
    )


def _message(patch: Patch, part: PatchPart, place: int, count: int) -> str:
    where = f", the files of {part.destination}" if part.destination else ""
    line = f'[part {place} of {count} of "{patch.subject}"{where}]'
    return f"{patch.message}\n{line}" if patch.message else line


def _joined(pieces: Iterable[bytes]) -> bytes:
    """The pieces one after the other; only the last of a mail may lack its newline."""
    return b"".join(piece if piece.endswith(b"\n") else piece + b"\n" for piece in pieces)


_MOST_TREES = 20
"""In which MAINTAINERS is looked for."""


class OwnershipSources(Struct, frozen=True, eq=False):
    """What says who owns what."""

    maintainers: Maintainers | None
    trees: Sequence[Tree]
    fixes: Mapping[str, str]
    """Name of a tree -> name of the tree that takes its fixes."""


def find_ownership_sources(context: SearchContext, base: SeriesBase | None) -> OwnershipSources:
    """Who owns what, as the base says, or else the trees."""
    trees = [place.tree for place in context.tree_tips]
    commits = [*([base.commit] if base else []), *(tree.commit for tree in trees[:_MOST_TREES])]
    maintainers = read_maintainers(context.repository, commits)
    return OwnershipSources(maintainers, trees, fixes_trees(context.repository.config()))


class PlannedSeries(Struct, frozen=True, eq=False):
    """A plan, and what it was made from: with --by-file another series than the one that was mailed."""

    series: Series
    stack: PatchStack
    plan: SplitPlan
    cut: tuple[int, ...] = ()
    """The patches that are parts of one that was mailed."""

    @property
    def untied(self) -> tuple[int, ...]:
        """The patches that do not apply to the base: nothing is known of what ties them."""
        return tuple(step.patch.counter for step in self.stack.steps if step.after is None and step.patch.files)


def plan_series(
    series: Series, stack: PatchStack, known: OwnershipSources, scratch_repo: ScratchRepository, by_file: bool = False
) -> PlannedSeries:
    """How the series goes to its trees; `by_file` puts the parts of patches that straddle trees in their place.

    Raises GitError where contents are not in the repository.
    """
    owners = find_owners(series, known.maintainers, known.trees, known.fixes)
    stages = _stages(stack, scratch_repo)
    part_dependencies = _find_part_dependencies(owners, stages)
    if by_file and part_dependencies:
        cut = _CutSeries(series, owners, part_dependencies)
        if cut.parts:
            return _plan_parts(cut, stack, known, scratch_repo)
    return PlannedSeries(
        series, stack, make_plan(series, owners, find_dependencies(stages), _indivisible(owners, part_dependencies))
    )


def _plan_parts(
    cut: "_CutSeries", stack: PatchStack, known: OwnershipSources, scratch_repo: ScratchRepository
) -> PlannedSeries:
    stack = make_stack(cut.series, stack.base, scratch_repo)
    owners = find_owners(cut.series, known.maintainers, known.trees, known.fixes)
    stages = _stages(stack, scratch_repo)
    held = _indivisible(owners, _find_part_dependencies(owners, stages))
    ties = merge_dependencies([*find_dependencies(stages), *cut.ties])
    return PlannedSeries(cut.series, stack, make_plan(cut.series, owners, ties, held), cut.parts)


def _stages(stack: PatchStack, scratch_repo: ScratchRepository) -> list[PatchStage]:
    """The patches that apply on the base, with what they found there and what they left."""
    return [
        PatchStage(
            step.patch, *(read_files(scratch_repo, tree, step.patch.files) for tree in (step.before, step.after))
        )
        for step in stack.steps
        if step.after is not None
    ]


def _find_part_dependencies(owners: SeriesOwners, stages: Sequence[PatchStage]) -> dict[int, PartDependencies]:
    """What ties the parts of each patch that straddles trees; those that do not apply on the base are left out."""
    cut = {stage.patch.counter: (stage, split_by_file(stage.patch, owners)) for stage in stages}
    straddling = {counter: pair for counter, pair in cut.items() if len(pair[1]) > 1}
    if not straddling:
        return {}
    language = CParser()  # one for all: what it parses is bounded
    return {counter: find_part_dependencies(stage, parts, language) for counter, (stage, parts) in straddling.items()}


def _indivisible(owners: SeriesOwners, part_dependencies: Mapping[int, PartDependencies]) -> dict[int, tuple[str, ...]]:
    """The names that hold patches together; none of one of which nothing is known: it is not cut either."""
    whole = (one.counter for one in owners.patches if one.straddles)
    known = {counter: part_dependencies.get(counter) for counter in whole}
    return {counter: one.names if one else () for counter, one in known.items() if one is None or not one.order}


class _CutSeries:
    """The series with parts in the place of patches; all are counted anew."""

    def __init__(self, series: Series, owners: SeriesOwners, part_dependencies: Mapping[int, PartDependencies]) -> None:
        patches: list[Patch] = []
        ties: list[Dependency] = []
        parts: list[int] = []
        more = 0
        for patch in series.patches:
            order = part_dependencies[patch.counter].order if patch.counter in part_dependencies else ()
            if not order:
                patches.append(replace(patch, counter=patch.counter + more))
                continue
            numbers = {part: patch.counter + more + at for at, part in enumerate(order)}
            pieces = split_by_file(patch, owners, order)
            patches += [replace(piece, counter=numbers[part]) for piece, part in zip(pieces, order, strict=True)]
            ties += [
                replace(tie, patch=numbers[tie.patch], needs=numbers[tie.needs])
                for tie in part_dependencies[patch.counter].ties
            ]
            parts += numbers.values()
            more += len(order) - 1
        self.series = replace(series, patches=tuple(patches), expected=series.expected + more)
        self.ties = tuple(ties)
        self.parts = tuple(parts)
