# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of a series put together again: a tree's commit, and each blob that it lacks proven by how it is made.

First the commit that has most of the blobs which the series names. For each other blob `blob_proof` says how it is
made of what trees and lists have; where nothing makes it, the nearest version stands in. Then the patches of all proofs
are put in one order, and become layers on top of the files that no patch made.

The order comes from that of each blob's proof. Dates do not say it: a second version is mailed after the series that
was built on the first one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import pairwise

from msgspec.structs import replace

from seriestool.base.contents import ContentMissingError
from seriestool.base.preimage import Expectation, ExpectedKind, disambiguate_blobs, find_preimage
from seriestool.base.prerequisites.blob_proof import EFFORT, BlobProof, BlobSearch, nearest, prepare, prove
from seriestool.base.prerequisites.patch_source import PatchSource
from seriestool.base.prerequisites.prerequisite_results import (
    BlobRecipe,
    NeededPatch,
    NeededPatchState,
    PatchLayer,
    PrerequisiteResult,
    RebuiltBase,
)
from seriestool.base.prerequisites.stated_prerequisites import find_hints, resolve_stated
from seriestool.base.search_context import SearchContext
from seriestool.base.trial import level_of, try_series
from seriestool.base.verdict import FitLevel, Verdict
from seriestool.series.apply import FileState
from seriestool.series.model import Series
from seriestool.sources.lists import ListedPatch
from seriestool.trees.history import History, is_absent, match_value, mode_of

MOST_EFFORT = 20 * EFFORT
"""For all blobs of a series together: with hundreds of them each is searched for less long."""
MOST_SEARCHES = 80
"""Blobs that are searched for; the others are looked for in the trees only."""

PatchStep = tuple[ListedPatch, bool]
"""A patch, and whether it is taken off."""
_Followers = Mapping[PatchStep, frozenset[PatchStep]]


def order_steps(runs: Iterable[Sequence[PatchStep]]) -> tuple[PatchStep, ...]:
    """All steps, each once, as the runs have them; of several that can come next, the one that was mailed first.

    The patches of a series go on in their own order. A run that contradicts those before it has no say.
    """
    proofs = [*runs]
    runs = [*proofs, *_by_series(step for run in proofs for step in run)]
    nothing: frozenset[PatchStep] = frozenset()
    followers = {step: nothing for run in runs for step in run}
    for run in runs:
        tried = {**followers, **{step: followers[step] | {after} for step, after in pairwise(run)}}
        if len(run) > 1 and len(_sorted(tried)) == len(tried):
            followers = tried
    return _sorted(followers)


def _by_series(steps: Iterable[PatchStep]) -> list[list[PatchStep]]:
    series: dict[str, set[PatchStep]] = {}
    for step in steps:
        if not step[1]:
            series.setdefault(step[0].series, set()).add(step)
    return [sorted(some, key=lambda step: step[0].counter) for some in series.values()]


def _sorted(followers: _Followers) -> tuple[PatchStep, ...]:
    """The steps in order; those on a cycle, and behind it, are left out."""
    waits = dict.fromkeys(followers, 0)
    for steps in followers.values():
        for step in steps:
            waits[step] += 1
    ready = [(_key(step), step) for step, count in waits.items() if not count]
    heapify(ready)
    order: list[PatchStep] = []
    while ready:
        _, step = heappop(ready)
        order.append(step)
        for after in followers[step]:
            waits[after] -= 1
            if not waits[after]:
                heappush(ready, (_key(after), after))
    return tuple(order)


def _key(step: PatchStep) -> tuple[datetime, int, str, bool]:
    patch, is_removal = step
    return patch.date, patch.counter, patch.msgid, is_removal


def find_prerequisites(verdict: Verdict, context: SearchContext, source: PatchSource) -> PrerequisiteResult:
    """What the series needs beyond the trees: as the author states, and as its blobs prove.

    The blobs are searched for where no commit is the base; then the base is put together on the commit that has most of
    them.
    """
    stated = resolve_stated(verdict.series, source)
    hints = find_hints(verdict.series)
    stated = tuple(_with_merged_state(need, context.history, source) for need in stated)
    position = _best_position(verdict, context)
    if position is None:
        return PrerequisiteResult(stated, None, hints)
    rebuilder = _BaseRebuilder(verdict.series, context, source, position)
    rebuilt = rebuilder.rebuild()
    return PrerequisiteResult((*rebuilder.with_proven_paths(stated), *rebuilder.needs(stated)), rebuilt, hints)


def _with_merged_state(need: NeededPatch, history: History, source: PatchSource) -> NeededPatch:
    """The need as merged, where all blobs that its patch makes have been in the trees."""
    mailed = source.read(need.patch.msgid) if need.patch and need.state is NeededPatchState.UNMERGED else None
    made = {diff.new_path: diff.new_blob for diff in mailed.files if diff.new_path} if mailed else {}
    commits = [_find_commit_with_blob(history, path, blob) for path, blob in made.items()]
    if not commits or not commits[0] or None in commits:
        return need
    return replace(need, state=NeededPatchState.MERGED, merged_as=commits[0])


def _find_commit_with_blob(history: History, path: bytes, blob: str | None) -> str | None:
    """The commit that brought the path's blob."""
    brought = (position for position, value in history.changes(path) if match_value(value, blob or "-"))
    position = next(brought, None)
    return None if position is None else history.oid(position)


def _best_position(verdict: Verdict, context: SearchContext) -> int | None:
    """The commit with most of the blobs, of those that were tried; None where nothing needs to be rebuilt."""
    if verdict.level is FitLevel.EXACT or not verdict.candidates:
        return None
    best = max(verdict.candidates, key=lambda candidate: candidate.matched)
    return context.history.find(best.commit)


class _BaseRebuilder:
    def __init__(self, series: Series, context: SearchContext, source: PatchSource, position: int) -> None:
        self._series = series
        self._context = context
        self._source = source
        self._position = position
        self._preimage = disambiguate_blobs(find_preimage(series), context.history, context.contents)
        self._own = frozenset(patch.msgid for patch in series.patches)
        self._proofs: list[BlobProof] = []
        self._effort = EFFORT

    def rebuild(self) -> RebuiltBase:
        """The base on the chosen commit, and how the series fares there."""
        blobs = [wanted for wanted in self._preimage.expectations if wanted.expects is ExpectedKind.BLOB]
        lacking = [one for one in blobs if not one.accepts(self._context.history.value(self._position, one.path))]
        self._effort = min(EFFORT, MOST_EFFORT // max(len(lacking), 1))
        made = [self._make(wanted, number < MOST_SEARCHES) for number, wanted in enumerate(blobs)]
        files = {recipe.path: state for recipe, state in made if state is not None}
        history = self._context.history
        outcomes = try_series({**self._tree_files(), **files}, self._series.patches)
        recipes = tuple(recipe for recipe, _ in made)
        grafts, layers = self._stacked(files)
        return RebuiltBase(
            commit=history.oid(self._position),
            tree=self._context.tree_of(self._position),
            matched=sum(recipe.is_proven for recipe in recipes),
            expected=len(recipes),
            level=level_of(outcomes),
            recipes=recipes,
            outcomes=outcomes,
            grafts=grafts,
            layers=layers,
        )

    def _stacked(self, files: Mapping[bytes, FileState]) -> tuple[dict[bytes, FileState], tuple[PatchLayer, ...]]:
        """The grafted files as a bottom, and the patches that come on top of it."""
        there = self._tree_files()
        bottom = dict(files)
        order = self._order()
        layers: dict[ListedPatch, dict[bytes, FileState]] = {}
        for proof in self._proofs:
            first = _first_addition(proof)
            patches = [touch.patch for touch, _ in proof.steps[first:]]
            if not patches or patches != sorted(patches, key=lambda patch: order.index((patch, False))):
                continue
            mode = files[proof.path].mode
            below = proof.stages[first - 1] if first else self._start_of(proof)
            del bottom[proof.path]
            if below is not None:
                bottom[proof.path] = FileState(below, mode)
            for patch, content in zip(patches, proof.stages[first:], strict=True):
                layers.setdefault(patch, {})[proof.path] = FileState(content, mode)
        bottom = {path: state for path, state in bottom.items() if there.get(path) != state}
        stack = [patch for patch, removal in order if not removal and patch in layers]
        return bottom, tuple(PatchLayer(patch, layers[patch]) for patch in stack)

    def _order(self) -> tuple[PatchStep, ...]:
        return order_steps([[(touch.patch, removal) for touch, removal in proof.steps] for proof in self._proofs])

    def _start_of(self, proof: BlobProof) -> bytes | None:
        """What the proof starts from; None where that is no file, or one of another name."""
        if proof.start is None:
            return None
        state = self._context.contents.at(proof.start, [proof.path]).get(proof.path)
        return state.content if state else None

    def with_proven_paths(self, stated: Sequence[NeededPatch]) -> tuple[NeededPatch, ...]:
        """The stated needs with the paths that were proven with them."""
        proven = {patch.msgid: tuple(paths) for (patch, removal), paths in self._proven_with().items() if not removal}
        return tuple(replace(need, paths=proven.get(need.patch.msgid, ())) if need.patch else need for need in stated)

    def _proven_with(self) -> dict[tuple[ListedPatch, bool], list[bytes]]:
        """(patch, whether it was taken off) -> paths."""
        paths: dict[tuple[ListedPatch, bool], list[bytes]] = {}
        for proof in self._proofs:
            for touch, removal in proof.steps:
                paths.setdefault((touch.patch, removal), []).append(proof.path)
        return paths

    def needs(self, stated: Sequence[NeededPatch]) -> tuple[NeededPatch, ...]:
        """The patches of all proofs, each once, in the order in which they are put on and taken off."""
        known = {need.patch.msgid for need in stated if need.patch}
        proven = self._proven_with()
        return tuple(
            self._need(patch, removal, proven[patch, removal])
            for patch, removal in self._order()
            if patch.msgid not in known and patch.msgid not in self._own
        )

    def _need(self, patch: ListedPatch, removal: bool, proven: Sequence[bytes]) -> NeededPatch:
        merged = self._merged_as(patch, proven)
        state = NeededPatchState.MERGED if merged or removal else NeededPatchState.UNMERGED
        if state is NeededPatchState.UNMERGED and self._is_superseded(patch):
            state = NeededPatchState.SUPERSEDED
        return NeededPatch(
            patch=patch,
            state=state,
            source="discovered",
            stated_as=None,
            is_removal=removal,
            merged_as=merged,
            paths=tuple(proven),
        )

    def _is_superseded(self, patch: ListedPatch) -> bool:
        if patch.change_id is None:
            return False
        return any(other.version > patch.version for other in self._source.find_change_id(patch.change_id))

    def _merged_as(self, patch: ListedPatch, proven: Iterable[bytes]) -> str | None:
        """The commit of a tree that made what the patch makes."""
        history = self._context.history
        mailed = self._source.read(patch.msgid)
        made = {diff.new_path: diff.new_blob for diff in mailed.files} if mailed else {}
        return next(
            (commit for path in proven if (commit := _find_commit_with_blob(history, path, made.get(path)))), None
        )

    def _tree_files(self) -> dict[bytes, FileState]:
        try:
            return self._context.contents.at(self._position, (*self._series.touched, *self._preimage.barred))
        except ContentMissingError:
            return {}

    def _make(self, wanted: Expectation, is_searched: bool) -> tuple[BlobRecipe, FileState | None]:
        history, contents = self._context.history, self._context.contents
        value = history.value(self._position, wanted.path)
        if wanted.accepts(value):
            return BlobRecipe(
                path=wanted.path,
                blob=wanted.blob or "",
                is_proven=True,
                kind="base",
                commit=history.oid(self._position),
            ), None
        own_mode = mode_of(value) if not is_absent(value) else wanted.mode or 0o100644
        search = prepare(
            wanted=wanted,
            preimage=self._preimage,
            history=history,
            contents=contents,
            source=self._source if is_searched else PatchSource(),
            posted=self._series.posted,
            own=self._own,
            used=self._used(),
            effort=self._effort,
        )
        proof = prove(search)
        if proof is not None:
            self._proofs.append(proof)
            return _recipe(wanted, proof, history), FileState(proof.content, own_mode)
        if (stored := self._stored(wanted)) is not None:  # after what names the patches that the series needs
            return BlobRecipe(
                path=wanted.path, blob=wanted.blob or "", is_proven=True, kind="object", commit=None
            ), FileState(stored, own_mode)
        return self._stand_in(wanted, search, own_mode)

    def _stored(self, wanted: Expectation) -> bytes | None:
        """The content of a blob that is in the repository though no commit has the path like that."""
        if self._context.history.segments(wanted.path, wanted.accepts):
            return None
        found = self._context.repository.objects.read(wanted.blob or "")
        return found[2] if found and found[1] == "blob" and found[0].startswith(wanted.blob or "-") else None

    def _stand_in(self, wanted: Expectation, search: BlobSearch, mode: int) -> tuple[BlobRecipe, FileState | None]:
        """The tree version that fits best what is known of a blob that nothing makes."""
        best = nearest(search, partial(self._takes, wanted.path))
        if best is None:
            return BlobRecipe(
                path=wanted.path, blob=wanted.blob or "", is_proven=False, kind="nearest", commit=None
            ), None
        commit = self._context.history.oid(best.position)
        recipe = BlobRecipe(path=wanted.path, blob=wanted.blob or "", is_proven=False, kind="nearest", commit=commit)
        return recipe, FileState(b"".join(best.lines), mode)

    def _used(self) -> frozenset[str]:
        return frozenset(touch.patch.series for proof in self._proofs for touch, _ in proof.steps)

    def _takes(self, path: bytes, lines: Sequence[bytes]) -> bool:
        return all(track.try_content(b"".join(lines)).ok for track in self._preimage.tracks_of(path))


def _first_addition(proof: BlobProof) -> int:
    """Where in the steps of a proof the run of patches begins that are put on, up to the end."""
    removals = [number for number, (_, removal) in enumerate(proof.steps) if removal]
    return removals[-1] + 1 if removals else 0


def _recipe(wanted: Expectation, proof: BlobProof, history: History) -> BlobRecipe:
    patches = tuple((touch.patch, removal) for touch, removal in proof.steps)
    others = tuple(history.oid(position) for position in proof.others)
    start = None if proof.start is None else history.oid(proof.start)
    return BlobRecipe(
        path=wanted.path,
        blob=wanted.blob or "",
        is_proven=True,
        kind=proof.kind,
        commit=start,
        patches=patches,
        others=others,
        changes=proof.changes,
    )
