# SPDX-License-Identifier: GPL-2.0-or-later
"""A conflict put before a person, and what they made of it taken on: --resolve, --continue, --skip, --abort."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from seriestool.git import (
    REBASE_REFS,
    CommitIdent,
    MergeResult,
    Repository,
    Rerere,
    RerereCache,
    ScratchRepository,
    TreeEntry,
)
from seriestool.rebase.patch_commits import patch_commit
from seriestool.rebase.patch_stack import StackedPatch
from seriestool.rebase.rebase_result import OutcomeReason, PatchResult
from seriestool.rebase.rebase_state import RebaseState, RebaseStateStore
from seriestool.rebase.tree_rebaser import NoResolutions, PatchAttempt, Resolutions, TreeRebaser
from seriestool.series.model import Outcome, path_text
from seriestool.util.errors import ConflictError, InputError
from seriestool.util.text import shortened

BASE_LABEL = "what the series was made from"
_NOBODY = CommitIdent("seriestool", "seriestool@localhost", 0)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class ConflictStop(Struct, frozen=True, kw_only=True):
    """Where a session waits for a person."""

    rebase_state: RebaseState
    result: PatchResult
    folder: Path
    """The work tree."""
    remembered: tuple[bytes, ...]
    """Files that were resolved as they were before; to be looked at and added."""
    patch_file: Path | None
    """The patch itself, where nothing is known to merge it with."""


def resolutions_folder(repository: Repository) -> Path:
    """Where resolutions are remembered."""
    return repository.common_dir / "seriestool" / "resolutions"


def find_resolutions(repository: Repository) -> Resolutions:
    """The resolutions that are remembered here."""
    folder = resolutions_folder(repository)
    if not folder.is_dir():
        return NoResolutions()
    return RerereCache(folder, repository.object_format)


class ConflictResolver:
    """Takes sessions from conflict to conflict."""

    def __init__(
        self, repository: Repository, scratch_repo: ScratchRepository, onto: TreeRebaser, committer: CommitIdent
    ) -> None:
        self._repository = repository
        self._scratch_repo = scratch_repo
        self._rebaser = onto
        self._committer = committer
        self._rebase_states = RebaseStateStore(repository)

    def advance(self, rebase_state: RebaseState) -> RebaseState | ConflictStop:
        """The session with all patches done, or where it stops; either way it is written down.

        Raises GitError where git, or the disk, does not play along.
        """
        while (step := rebase_state.step) is not None:
            tree = rebase_state.trees[-1] if rebase_state.trees else self._scratch_repo.tree_of(rebase_state.onto)
            tried = self._rebaser.step(step, tree)
            if not tried.result.is_in:
                return self._stop(rebase_state, step, tried)
            rebase_state = self._done(rebase_state, step, tried.result, tried.tree)
        return self._written(rebase_state)

    def accept(self, rebase_state: RebaseState) -> RebaseState:
        """The session with the work tree's index as what becomes of the patch.

        Raises ConflictError while files are in conflict or have markers in them, InputError where changed files were
        not added, or where nothing is left of the patch.
        """
        step = rebase_state.step
        assert step is not None  # noqa: S101
        worktree = self._rebase_states.worktree(rebase_state.name)
        if open_paths := worktree.unmerged():
            raise ConflictError(
                f"in conflict still: {_list_paths(open_paths)}", hint="edit the files, and git add them"
            )
        if changed := worktree.unstaged():
            raise InputError(
                f"changed, but not added: {_list_paths(changed)}", hint="git add them, or git restore them"
            )
        labels = _labels(rebase_state, step)
        if marked := [path for path, text in worktree.staged(self._paths(step)).items() if _has_markers(text, labels)]:
            raise ConflictError(
                f"conflict markers are left in {_list_paths(tuple(marked))}", hint="edit the files, git add them"
            )
        tree = worktree.write_tree()
        if tree == self._scratch_repo.tree_of(rebase_state.tip):
            raise InputError("nothing is left of the patch", hint="--skip leaves it out")
        self._remember(rebase_state)
        result = PatchResult(step.patch.counter, Outcome.MODIFIED, OutcomeReason.BY_HAND, resolved=self._paths(step))
        return self._written(self._done(rebase_state, step, result, tree))

    def skip(self, rebase_state: RebaseState) -> RebaseState:
        """The session without the patch at which it stopped."""
        step = rebase_state.step
        assert step is not None  # noqa: S101
        result = PatchResult(step.patch.counter, Outcome.EMPTY, OutcomeReason.SKIPPED)
        return self._written(self._done(rebase_state, step, result, self._scratch_repo.tree_of(rebase_state.tip)))

    def _written(self, rebase_state: RebaseState) -> RebaseState:
        self._keep(rebase_state)  # first: what is written down must be there
        self._rebase_states.save(rebase_state)
        return rebase_state

    def _done(self, rebase_state: RebaseState, step: StackedPatch, result: PatchResult, tree: str) -> RebaseState:
        if tree == self._scratch_repo.tree_of(rebase_state.tip):
            return rebase_state.then(result, tree, rebase_state.tip)
        return rebase_state.then(
            result,
            tree,
            patch_commit(
                scratch_repo=self._scratch_repo,
                patch=step.patch,
                tree=tree,
                parent=rebase_state.tip,
                committer=self._committer,
            ),
        )

    def _paths(self, step: StackedPatch) -> tuple[bytes, ...]:
        return tuple(sorted({diff.path for diff in step.patch.files}))

    def _keep(self, rebase_state: RebaseState) -> None:
        """Have refs lead to all that the session needs."""
        tip = self._scratch_repo.commit(rebase_state.steps[0].before, (), b"base\n", _NOBODY.line)
        for trees in rebase_state.steps:
            for tree in (trees.before, trees.after):
                if tree is not None:
                    tip = self._scratch_repo.commit(tree, (tip,), b"step\n", _NOBODY.line)
        done = rebase_state.tip
        for tree in rebase_state.trees:
            done = self._scratch_repo.commit(tree, (done,), b"done\n", _NOBODY.line)
        prefix = f"{REBASE_REFS}{rebase_state.name}/"
        self._repository.publish(self._scratch_repo, [rebase_state.tip, tip, done])
        self._repository.update_refs({f"{prefix}tip": rebase_state.tip, f"{prefix}base": tip, f"{prefix}done": done})

    def _stop(self, rebase_state: RebaseState, step: StackedPatch, tried: PatchAttempt) -> ConflictStop:
        self._written(rebase_state)
        worktree = self._rebase_states.worktree(rebase_state.name)
        if not worktree.is_there:
            worktree.add(rebase_state.tip)
        remembered: tuple[bytes, ...] = ()
        patch_file = None
        if tried.merge is not None:
            tree = self._labelled(rebase_state, step, tried.merge)
            self._repository.publish(self._scratch_repo, [tree, *_stage_oids(tried.merge)])
            worktree.set_up(rebase_state.tip, tree, tried.merge.stages)
            remembered = self._recall(rebase_state, tried.merge)
        else:
            worktree.set_up(rebase_state.tip, self._scratch_repo.tree_of(rebase_state.tip), {})
            patch_file = self._rebase_states.folder(rebase_state.name) / f"{step.patch.counter:04}.patch"
            patch_file.write_bytes(step.patch.diff)
        rebase_state = replace(rebase_state, is_stopped=True)
        self._rebase_states.save(rebase_state)
        return ConflictStop(
            rebase_state=rebase_state,
            result=tried.result,
            folder=worktree.path,
            remembered=remembered,
            patch_file=patch_file,
        )

    def _labelled(self, rebase_state: RebaseState, step: StackedPatch, merge: MergeResult) -> str:
        """The merged tree, its markers with names instead of ids."""
        labels = _labels(rebase_state, step)
        merged = self._scratch_repo.entries(merge.tree, merge.stages)
        changes = {
            path: TreeEntry(entry.mode, "blob", self._scratch_repo.write("blob", _relabel(text, merge, labels)))
            for path, entry in merged.items()
            if entry.kind == "blob" and merge.ours.encode() in (text := self._scratch_repo.blob(entry.oid))
        }
        return self._scratch_repo.edit(merge.tree, changes)

    def _rerere(self, rebase_state: RebaseState) -> Rerere:
        git_dir = self._rebase_states.folder(rebase_state.name) / "rerere.git"
        objects = self._repository.common_dir / "objects"
        return Rerere(git_dir, resolutions_folder(self._repository), objects, self._repository.object_format)

    def _recall(self, rebase_state: RebaseState, merge: MergeResult) -> tuple[bytes, ...]:
        """Let git note the conflicts, and resolve those that it knows; these files."""
        worktree = self._rebase_states.worktree(rebase_state.name)
        before = self._texts(worktree.path, merge.stages)
        self._rerere(rebase_state).run(worktree.index, worktree.path)
        after = self._texts(worktree.path, merge.stages)
        return tuple(path for path, text in sorted(after.items()) if text != before.get(path))

    def _remember(self, rebase_state: RebaseState) -> None:
        """Let git note how the conflicts were resolved."""
        worktree = self._rebase_states.worktree(rebase_state.name)
        self._rerere(rebase_state).run(worktree.index, worktree.path)

    def _texts(self, folder: Path, stages: Mapping[bytes, object]) -> dict[bytes, bytes]:
        files = {path: folder / os.fsdecode(path) for path in stages}
        return {path: file.read_bytes() for path, file in files.items() if file.is_file() and not file.is_symlink()}


def _labels(rebase_state: RebaseState, step: StackedPatch) -> tuple[bytes, bytes]:
    """What the markers call the two sides: the tree, the patch."""
    ours, theirs = (_CONTROL.sub(" ", text).strip() for text in (rebase_state.target, step.patch.subject))
    return ours.encode("utf-8", "replace"), theirs.encode("utf-8", "replace")


def _relabel(text: bytes, merge: MergeResult, labels: tuple[bytes, bytes]) -> bytes:
    lines = text.split(b"\n")
    opening, closing = (f"{mark} {oid}".encode() for mark, oid in (("<" * 7, merge.ours), (">" * 7, merge.theirs)))
    middle = f"{'|' * 7} {merge.base[:7]}".encode()
    names = (
        (opening, b"<" * 7 + b" " + labels[0]),
        (middle, b"|" * 7 + b" " + BASE_LABEL.encode()),
        (closing, b">" * 7 + b" " + labels[1]),
    )
    return b"\n".join(next((name for mark, name in names if line.startswith(mark)), line) for line in lines)


def _has_markers(text: bytes, labels: tuple[bytes, bytes]) -> bool:
    marks = (b"<" * 7 + b" " + labels[0], b">" * 7 + b" " + labels[1])
    return any(line.rstrip(b"\r") in marks for line in text.split(b"\n"))


def _stage_oids(merge: MergeResult) -> list[str]:
    return [entry.oid for entries in merge.stages.values() for entry in entries.values() if entry.kind == "blob"]


def _list_paths(paths: tuple[bytes, ...]) -> str:
    return shortened([path_text(path) for path in paths], 5)
