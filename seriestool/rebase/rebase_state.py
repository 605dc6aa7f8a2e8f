# SPDX-License-Identifier: GPL-2.0-or-later
"""A rebase that stopped at a conflict, as it is kept until a person has resolved it.

All that it needs is in its folder and behind its refs, so that it goes on after a restart; what was written last is
either there as a whole or not at all.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from seriestool.git import REBASE_REFS, Repository, Worktree
from seriestool.rebase.patch_stack import BaseKind, PatchStack, SeriesBase, StackedPatch
from seriestool.rebase.rebase_result import PatchResult
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.mail.compose import slug
from seriestool.series.model import SCHEMA, Series
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.files import try_lock, write_durably
from seriestool.util.serialization import decode_stored, encode_stored


class RebaseOutputOptions(Struct, frozen=True):
    """What is to be made once all patches are in."""

    branch: str | None
    output: str | None
    notes: bool
    force: bool


class TreePair(Struct, frozen=True):
    """A patch on the base: git's trees before and after it."""

    before: str
    after: str | None


class SavedBase(Struct, frozen=True, kw_only=True):
    """What the series was made from, without the files that were put in: they are in the trees."""

    footing: BaseKind
    commit: str
    matched: int
    expected: int
    put_in: int


class RebaseState(Struct, frozen=True, kw_only=True):
    """One series on its way onto one tree."""

    name: str
    series: Series
    origin: SavedBase | None
    steps: tuple[TreePair, ...]
    target: str
    onto: str
    """The commit of the target on which the series goes."""
    results: tuple[PatchResult, ...]
    """Of the patches that are done."""
    trees: tuple[str, ...]
    """Git's tree after each of them."""
    tip: str
    """The commit that has them: HEAD of the work tree."""
    is_stopped: bool
    """Whether the work tree is a person's now; else we were at work when this was written."""
    wanted: RebaseOutputOptions

    @property
    def stack(self) -> PatchStack:
        """The series on its base again."""
        known = self.origin
        base = (
            SeriesBase(
                footing=known.footing,
                commit=known.commit,
                matched=known.matched,
                expected=known.expected,
                put_in=known.put_in,
                files={},
            )
            if known
            else None
        )
        steps = zip(self.series.patches, self.steps, strict=True)
        return PatchStack(base, tuple(StackedPatch(patch, trees.before, trees.after) for patch, trees in steps))

    @property
    def step(self) -> StackedPatch | None:
        """The patch whose turn it is; None where all are done."""
        at = len(self.results)
        return self.stack.steps[at] if at < len(self.steps) else None

    def then(self, result: PatchResult, tree: str, tip: str) -> "RebaseState":
        """The session with one patch more done."""
        return replace(self, results=(*self.results, result), trees=(*self.trees, tree), tip=tip, is_stopped=False)


def new_session(series: Series, stack: PatchStack, target: Target, wanted: RebaseOutputOptions) -> RebaseState:
    """The session before its first patch."""
    base = stack.base
    origin = (
        SavedBase(
            footing=base.footing, commit=base.commit, matched=base.matched, expected=base.expected, put_in=base.put_in
        )
        if base
        else None
    )
    steps = tuple(TreePair(step.before, step.after) for step in stack.steps)
    name = f"{slug(series.subject, 24)}-{slug(target.name, 24)}"
    return RebaseState(
        name=name,
        series=series,
        origin=origin,
        steps=steps,
        target=target.name,
        onto=target.commit,
        results=(),
        trees=(),
        tip=target.commit,
        is_stopped=False,
        wanted=wanted,
    )


class RebaseStateStore:
    """The sessions of one repository: a folder each, with what is known and the work tree."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._folder = repository.common_dir / "seriestool" / "rebase"

    def names(self) -> tuple[str, ...]:
        """The names of all that are under way, also of those that were hardly begun."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in self._folder.iterdir() if path.is_dir()))

    def is_written(self, name: str) -> bool:
        """Whether the session got as far as to be written down."""
        return (self.folder(name) / "session.json").exists()

    def folder(self, name: str) -> Path:
        """Where a session keeps its things."""
        return self._folder / name

    def worktree(self, name: str) -> Worktree:
        """The session's work tree, there or not."""
        return self._repository.worktree(self.folder(name) / name)

    def choose(self, name: str | None, here: Path) -> str:
        """The session that is meant: the one named, the one in whose work tree we stand, or the only one.

        Raises NotFoundError where there is none of that name, or none at all; InputError where it may be any of many.
        """
        names = self.names()
        if name is not None and name in names:
            return name
        if name is not None:
            raise NotFoundError(f"no rebase '{name}' is under way", hint=_under_way(names))
        inside = [one for one in names if here.resolve().is_relative_to(self.folder(one).resolve())]
        chosen = inside or list(names)
        if not chosen:
            raise NotFoundError(
                "no rebase is under way", hint="'seriestool rebase SERIES --onto TREE --resolve' begins one"
            )
        if len(chosen) > 1:
            raise InputError("more than one rebase is under way", hint=_under_way(names))
        return chosen[0]

    def load(self, name: str) -> RebaseState:
        """The session as it was saved last; OutsideError where that cannot be read."""
        path = self.folder(name) / "session.json"
        try:
            return _parse(path.read_bytes())
        except (OSError, ValueError) as error:
            raise OutsideError(
                f"what is known of the rebase '{name}' cannot be read", hint=f"seriestool rebase --abort {name}"
            ) from error

    def save(self, rebase_state: RebaseState) -> None:
        """Write the session down, all of it or nothing."""
        content = encode_stored(_StateFile(schema=SCHEMA, session=rebase_state))
        write_durably(self.folder(rebase_state.name) / "session.json", [content])

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Nobody else works on the session during the block; InputError where somebody does."""
        folder = self.folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        lock = try_lock(self._folder / f"{name}.lock")
        if lock is None:
            raise InputError(f"somebody else is at work on the rebase '{name}'")
        try:
            yield
        finally:
            os.close(lock)

    def remove(self, name: str) -> None:
        """Take away the work tree, the refs and the folder; also of a session that was killed half-way."""
        self.worktree(name).remove()
        refs: Sequence[str] = self._repository.refs_under(f"{REBASE_REFS}{name}/")
        if refs:
            self._repository.update_refs(dict.fromkeys(refs))
        shutil.rmtree(self.folder(name), ignore_errors=True)
        with contextlib.suppress(OSError):
            (self._folder / f"{name}.lock").unlink()
        with contextlib.suppress(OSError):
            self._folder.rmdir()


class _StateFile(Struct, frozen=True):
    """What stands in session.json."""

    schema: Literal[1]
    session: RebaseState


def _parse(data: bytes) -> RebaseState:
    return decode_stored(_StateFile, data).session


def _under_way(names: Sequence[str]) -> str:
    return f"under way: {', '.join(names)}" if names else "none is under way"
