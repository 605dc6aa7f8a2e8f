# SPDX-License-Identifier: GPL-2.0-or-later
"""One series onto one tree: each patch merged by git on top of those before it, nothing checked out.

The merge decides, as in `git rebase`. Where it stops at contents and the plain patch goes in, the patch counts, as in
`git am -3`. Nothing is ever decided for one side: a conflict stays in the tree, in git's own markers, and the next
patches are merged around it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from seriestool.base.trial import is_merged
from seriestool.git import MergeConflict, MergeResult, ScratchRepository, TreeEntry, as_changes
from seriestool.rebase.conflict_regions import ConflictRegion, FileVersions, find_regions
from seriestool.rebase.line_blame import Blame, Span, align_lines, map_span
from seriestool.rebase.merged_commit import MergedCommit, find_merged_commit
from seriestool.rebase.patch_stack import PatchStack, StackedPatch, folders_above, paths_of, read_files, with_files
from seriestool.rebase.rebase_result import Conflict, ConflictPlace, OutcomeReason, PatchResult, TreeResult
from seriestool.series.apply import FileState, PatchedFiles, apply_patch
from seriestool.series.hunks import split_lines
from seriestool.series.model import Outcome, Patch, PatchFailure
from seriestool.trees.history import History

_CONTENTS = frozenset(("contents", "add/add"))
"""Conflicts within a file; others are about where a file is, and what kind of thing."""


class Resolutions(Protocol):
    """What people made of conflicts before."""

    def replay(self, scratch_repo: ScratchRepository, merge: MergeResult) -> Mapping[bytes, TreeEntry]:
        """Those files in conflict for which the same was resolved before, resolved again."""


class NoResolutions:
    """Nothing is remembered."""

    def replay(self, scratch_repo: ScratchRepository, merge: MergeResult) -> Mapping[bytes, TreeEntry]:  # noqa: ARG002
        """No file."""
        return {}


class Target(Struct, frozen=True):
    """A tree to rebase onto."""

    name: str
    commit: str


class PatchAttempt(Struct, frozen=True):
    """A patch's result, git's tree after it, and the merge where that is in conflict."""

    result: PatchResult
    tree: str
    merge: MergeResult | None = None


class TreeRebaser:
    """A series going onto one tree."""

    def __init__(
        self, target: Target, history: History, scratch_repo: ScratchRepository, resolutions: Resolutions
    ) -> None:
        self._target = target
        self._history = history
        self._scratch_repo = scratch_repo
        self._resolutions = resolutions
        self._tip = history.find(target.commit)
        self._blame = Blame(history, scratch_repo)
        self._open: dict[bytes, int] = {}

    def run(self, stack: PatchStack) -> TreeResult:
        """OutcomeReason every patch fares, in order."""
        tried = []
        tree = self._scratch_repo.tree_of(self._target.commit)
        for step in stack.steps:
            tried.append(self.step(step, tree))
            tree = tried[-1].tree
            self._open.update(dict.fromkeys(_unresolved_paths(tried[-1].result), step.patch.counter))
        results, trees = tuple(one.result for one in tried), tuple(one.tree for one in tried)
        return TreeResult(self._target.name, self._target.commit, results, trees)

    def step(self, step: StackedPatch, tree: str) -> PatchAttempt:
        """OutcomeReason one patch fares on a tree that has those before it already."""
        patch = step.patch
        if not patch.files:
            return PatchAttempt(PatchResult(patch.counter, Outcome.EMPTY, OutcomeReason.NO_DIFF), tree)
        files = read_files(self._scratch_repo, tree, patch.files)
        plain = apply_patch(files, patch.files)
        if step.after is None:
            return self._without_base(patch, tree, files, plain)
        if (after := self._as_on_base(step, tree)) is not None:
            return PatchAttempt(_applied(patch, plain), after)
        merge = self._scratch_repo.merge(step.before, tree, step.after)
        if not merge.is_clean:
            return self._in_conflict(step=step, tree=tree, files=files, plain=plain, merge=merge)
        if merge.tree == tree:
            return self._merged_already(
                patch, tree, OutcomeReason.REVERSE if is_merged(files, patch.files) else OutcomeReason.MERGE
            )
        if (merged_commit := self._same_changes(patch)) is not None:
            return self._merged_as_commit(patch, tree, merged_commit, ())
        if isinstance(plain, PatchedFiles) and with_files(self._scratch_repo, tree, files, plain.files) == merge.tree:
            return PatchAttempt(_applied(patch, plain), merge.tree)
        return PatchAttempt(PatchResult(patch.counter, Outcome.MODIFIED, OutcomeReason.THREE_WAY), merge.tree)

    def _as_on_base(self, step: StackedPatch, tree: str) -> str | None:
        """The tree after the patch where all that it touches is as on its base; None where a merge has to tell."""
        assert step.after is not None  # noqa: S101
        paths = paths_of(step.patch.files)
        before = self._scratch_repo.entries(step.before, paths)
        if self._scratch_repo.entries(tree, paths) != before:
            return None
        after = self._scratch_repo.entries(step.after, paths)
        new = [path for path in paths if path in after and path not in before]
        if any(self._scratch_repo.has_folder(tree, path) for path in new) or self._lost(step.before, tree, new):
            return None
        made = self._scratch_repo.edit(
            tree, as_changes(after, [path for path in paths if after.get(path) != before.get(path)])
        )
        gone = self._lost(step.before, step.after, [path for path in paths if path in before and path not in after])
        return None if any(self._scratch_repo.has_folder(made, folder) for folder in gone) else made

    def _lost(self, before: str, after: str, paths: Iterable[bytes]) -> set[bytes]:
        """The folders above the paths that are gone: git may find that one was renamed, and move what is new in it."""
        folders = {folder for path in paths for folder in folders_above(path)}
        has = self._scratch_repo.has_folder
        return {folder for folder in folders if has(before, folder) and not has(after, folder)}

    def _without_base(
        self, patch: Patch, tree: str, files: Mapping[bytes, FileState], plain: PatchedFiles | PatchFailure
    ) -> PatchAttempt:
        """What can be said of a patch whose pre-images are not known: as it is, it applies, or it does not."""
        if isinstance(plain, PatchedFiles):
            if (merged_commit := self._same_changes(patch)) is not None:
                return self._merged_as_commit(patch, tree, merged_commit, ())
            return PatchAttempt(_applied(patch, plain), with_files(self._scratch_repo, tree, files, plain.files))
        if is_merged(files, patch.files):
            return self._merged_already(patch, tree, OutcomeReason.REVERSE)
        merged_commit = self._find_merged_commit(patch)
        if merged_commit is not None:
            return self._merged_as_commit(patch, tree, merged_commit, ())
        conflict = Conflict(plain.path, plain.reason, "what the patch was made from is not known")
        return PatchAttempt(
            PatchResult(
                counter=patch.counter,
                outcome=Outcome.CONFLICT,
                how=OutcomeReason.NO_BASE,
                offsets=0,
                conflicts=(conflict,),
                failure=plain,
            ),
            tree,
        )

    def _in_conflict(
        self,
        step: StackedPatch,
        tree: str,
        files: Mapping[bytes, FileState],
        plain: PatchedFiles | PatchFailure,
        merge: MergeResult,
    ) -> PatchAttempt:
        patch = step.patch
        if isinstance(plain, PatchedFiles) and {conflict.kind for conflict in merge.conflicts} <= _CONTENTS:
            if (merged_commit := self._same_changes(patch)) is not None:
                return self._merged_as_commit(patch, tree, merged_commit, ())
            return PatchAttempt(_applied(patch, plain), with_files(self._scratch_repo, tree, files, plain.files))
        if isinstance(plain, PatchFailure) and is_merged(files, patch.files):
            return self._merged_already(patch, tree, OutcomeReason.REVERSE)
        resolved = self._resolutions.replay(self._scratch_repo, merge)
        if resolved.keys() >= _paths_in_conflict(merge):
            result = PatchResult(
                patch.counter, Outcome.MODIFIED, OutcomeReason.RESOLVED, resolved=tuple(sorted(resolved))
            )
            return PatchAttempt(result, self._scratch_repo.edit(merge.tree, resolved))
        conflicts = tuple(dict.fromkeys(self._conflicts(step, tree, merge)))
        merged_commit = self._find_merged_commit(patch)
        if merged_commit is not None:
            return self._merged_as_commit(patch, tree, merged_commit, conflicts)
        return PatchAttempt(
            PatchResult(
                counter=patch.counter,
                outcome=Outcome.CONFLICT,
                how=OutcomeReason.CONFLICT,
                offsets=0,
                conflicts=conflicts,
            ),
            merge.tree,
            merge,
        )

    def _merged_already(self, patch: Patch, tree: str, how: OutcomeReason) -> PatchAttempt:
        merged_commit = self._find_merged_commit(patch)
        if merged_commit is not None and merged_commit.has_patch_id:
            how = OutcomeReason.PATCH_ID
        commit = merged_commit.commit.oid if merged_commit else None
        return PatchAttempt(PatchResult(patch.counter, Outcome.ALREADY_MERGED, how, merged_as=commit), tree)

    def _find_merged_commit(self, patch: Patch) -> MergedCommit | None:
        return None if self._tip is None else find_merged_commit(patch, self._history, self._tip, self._scratch_repo)

    def _same_changes(self, patch: Patch) -> MergedCommit | None:
        """The commit that makes the very same changes: what only adds lines can often go in twice, and must not.

        As in `git rebase`, which leaves out what has the patch-id of a commit that is there.
        """
        merged_commit = self._find_merged_commit(patch)
        return merged_commit if merged_commit is not None and merged_commit.has_patch_id else None

    def _merged_as_commit(
        self, patch: Patch, tree: str, merged_commit: MergedCommit, conflicts: tuple[Conflict, ...]
    ) -> PatchAttempt:
        how = OutcomeReason.PATCH_ID if merged_commit.has_patch_id else OutcomeReason.SUBJECT
        result = PatchResult(
            patch.counter, Outcome.ALREADY_MERGED, how, conflicts=conflicts, merged_as=merged_commit.commit.oid
        )
        return PatchAttempt(result, tree)

    def _conflicts(self, step: StackedPatch, tree: str, merge: MergeResult) -> Iterable[Conflict]:
        """What could not be merged, by path."""
        told = {path: conflict for conflict in reversed(merge.conflicts) for path in conflict.paths[:1]}
        aside = {path: conflict for conflict in merge.conflicts for path in conflict.paths[1:]}
        for path in sorted(_paths_in_conflict(merge)):
            conflict = told.get(path) or aside.get(path) or MergeConflict("contents", (path,), "")
            if path in merge.stages and conflict.kind in _CONTENTS:
                yield self._in_file(step=step, tree=tree, merge=merge, path=path, conflict=conflict)
            else:
                about = _without_side(path, merge)
                commits = self._blamed_commits(about, (0, len(self._lines(tree, about))), ())[:1]
                yield Conflict(
                    path=about,
                    kind=conflict.kind,
                    message=_conflict_message(conflict, merge),
                    places=(),
                    follows=self._open.get(about),
                    commits=commits,
                )

    def _in_file(
        self, step: StackedPatch, tree: str, merge: MergeResult, path: bytes, conflict: MergeConflict
    ) -> Conflict:
        base, ours, theirs = (self._staged(merge, path, stage) for stage in (1, 2, 3))
        merged = self._lines(merge.tree, path)
        regions = find_regions(merged, merge.ours, merge.theirs, FileVersions(ours, base, theirs))
        spans = self._spans(tree, path, merged, regions)
        places = tuple(
            ConflictPlace(
                region,
                span[0] + 1,
                _hunk_of(step.patch, path, region),
                self._blamed_commits(path, own, region.expected),
            )
            for region, (span, own) in zip(regions, spans, strict=True)
        )
        follows = self._open.get(path) if any(_has_markers(region.tree) for region in regions) else None
        return Conflict(
            path=path, kind=conflict.kind, message=_conflict_message(conflict, merge), places=places, follows=follows
        )

    def _staged(self, merge: MergeResult, path: bytes, stage: int) -> bytes:
        entry = merge.stages[path].get(stage)
        return self._scratch_repo.blob(entry.oid) if entry and entry.kind == "blob" else b""

    def _spans(
        self, tree: str, path: bytes, merged: Sequence[bytes], regions: Iterable[ConflictRegion]
    ) -> Iterable[tuple[Span, Span]]:
        """For each region its lines in the tree as it is at this patch, and as it was before the series."""
        now = self._lines(tree, path)
        own = self._lines(self._scratch_repo.tree_of(self._target.commit), path)
        to_now, to_own = align_lines(now, merged), align_lines(own, now)
        for region in regions:
            span, _ = map_span(to_now, (region.start, region.start + len(region.tree)))
            yield span, map_span(to_own, span)[0]

    def _lines(self, tree: str, path: bytes) -> Sequence[bytes]:
        entry = self._scratch_repo.entries(tree, [path]).get(path)
        return split_lines(self._scratch_repo.blob(entry.oid)) if entry and entry.kind == "blob" else []

    def _blamed_commits(self, path: bytes, span: Span, expected: Sequence[bytes]) -> tuple[str, ...]:
        """The commits of the tree behind some lines where others are expected."""
        if self._tip is None:
            return ()
        return self._blame.find_blamed_commits(self._tip, path, span, expected)


def _paths_in_conflict(merge: MergeResult) -> set[bytes]:
    """The paths that git could not merge: those with stages, and where it does not know where a file belongs."""
    placeless = (one.paths[:1] for one in merge.conflicts if not merge.stages.keys() & set(one.paths))
    return set(merge.stages).union(*placeless)


def _conflict_message(conflict: MergeConflict, merge: MergeResult) -> str:
    """What git says, with words for the commits of ours that stand for the two sides."""
    message = conflict.message.removeprefix(f"CONFLICT ({conflict.kind}): ").partition(".  Version ")[0]
    return message.replace(merge.ours, "the tree").replace(merge.theirs, "the series")


def _without_side(path: bytes, merge: MergeResult) -> bytes:
    """The path of a file that git moved out of the way to `<path>~<side>`."""
    return path.removesuffix(f"~{merge.ours}".encode()).removesuffix(f"~{merge.theirs}".encode())


def _unresolved_paths(result: PatchResult) -> Iterable[bytes]:
    """The files that a conflict leaves with markers in them."""
    return [conflict.path for conflict in result.conflicts] if result.outcome is Outcome.CONFLICT else ()


def _applied(patch: Patch, plain: PatchedFiles | PatchFailure) -> PatchResult:
    """The result of a patch that went in as it is."""
    offsets = plain.offsets if isinstance(plain, PatchedFiles) else 0
    if offsets:
        return PatchResult(patch.counter, Outcome.MODIFIED, OutcomeReason.OFFSET, offsets)
    return PatchResult(patch.counter, Outcome.UNMODIFIED, OutcomeReason.PLAIN)


def _has_markers(lines: Sequence[bytes]) -> bool:
    return any(line.startswith((b"<" * 7 + b" ", b">" * 7 + b" ")) for line in lines)


def _hunk_of(patch: Patch, path: bytes, region: ConflictRegion) -> int:
    """The number of the hunk whose changed lines are in the region; 0 where no hunk of the file has any."""
    hunks = next((diff.hunks for diff in patch.files if path in (diff.new_path, diff.old_path)), ())
    wanted = {b"-" + line for line in region.expected} | {b"+" + line for line in region.series}
    shared = [(sum(line in wanted for line in hunk.lines), -n) for n, hunk in enumerate(hunks, 1)]
    best, number = max(shared, default=(0, 0))
    return -number if best else 0


def with_range_diff(result: TreeResult, diffs: Mapping[int, str]) -> TreeResult:
    """The result with these range-diffs, by counter."""
    patches = tuple(replace(one, range_diff=diffs.get(one.counter)) for one in result.patches)
    return replace(result, patches=patches)
