# SPDX-License-Identifier: GPL-2.0-or-later
"""The series as a branch on its base: commits with author, date and message as mailed.

Everything is made in an index of our own; the one thing that the user sees is the branch, created at the very end.
"""

from collections.abc import Callable
from datetime import datetime

from seriestool.base.prerequisites.patch_source import PatchSource
from seriestool.base.prerequisites.prerequisite_results import BlobRecipe, PatchLayer, RebuiltBase
from seriestool.base.verdict import Verdict
from seriestool.git import Repository, ScratchIndex
from seriestool.series.diff import strip_level
from seriestool.series.model import Patch, path_text
from seriestool.util.errors import ConflictError, InputError


def make_branch(repository: Repository, verdict: Verdict, name: str) -> str:
    """The tip of the new branch `name`: the series on the verdict's base.

    Raises InputError where the branch is there already or cannot be called so, or where there is no base;
    ConflictError where a patch does not apply after all.
    """
    check_branch_name(repository, name)
    if verdict.base is None or not verdict.level.is_base:
        raise InputError("there is no base to put the series on")
    tip = verdict.base.commit
    with repository.draft() as draft:
        draft.load_commit(tip)
        for patch in verdict.series.patches:
            tip = _commit(draft, patch, tip)
    repository.create_branch(name, tip)
    return tip


def make_rebuilt_branch(
    repository: Repository, verdict: Verdict, rebuilt: RebuiltBase, source: PatchSource, name: str
) -> str:
    """The tip of the new branch `name`: the series on a base put together from a tree and mailed patches.

    One commit brings the tree's files to what the base had, one for each mailed patch follows; each says that it was
    rebuilt. Raises as `make_branch` does.
    """
    check_branch_name(repository, name)
    tip = rebuilt.commit
    with repository.draft() as draft:
        draft.load_commit(tip)
        if rebuilt.grafts:
            draft.put({path: (state.mode, state.content) for path, state in rebuilt.grafts.items()})
            tip = draft.commit(tip, _graft_message(verdict, rebuilt), _rebuilder(verdict.series.posted))
        for layer in rebuilt.layers:
            draft.put({path: (state.mode, state.content) for path, state in layer.files.items()})
            tip = draft.commit(tip, *_layer_commit(layer, source))
        for patch in verdict.series.patches:
            tip = _commit(draft, patch, tip)
    repository.create_branch(name, tip)
    return tip


def _graft_message(verdict: Verdict, rebuilt: RebuiltBase) -> bytes:
    lines = [f"  {path_text(recipe.path)} {recipe.blob}: {_made(recipe)}" for recipe in rebuilt.recipes]
    return "\n".join(
        [
            f"Rebuilt base of '{verdict.series.subject}'",
            "",
            "Nobody made this commit: seriestool put the files together that the series was made from.",
            f"{rebuilt.matched} of {rebuilt.expected} blobs are proven.",
            "",
            *(line for line, recipe in zip(lines, rebuilt.recipes, strict=True) if recipe.kind != "base"),
            "",
        ]
    ).encode("utf-8", "surrogateescape")


def _made(recipe: BlobRecipe) -> str:
    return f"{recipe.kind}, from {recipe.commit}" if recipe.is_proven else f"NOT PROVEN, as in {recipe.commit}"


def _layer_commit(layer: PatchLayer, source: PatchSource) -> tuple[bytes, dict[str, str]]:
    """Message and author of a mailed patch; that it was rebuilt in part is said in the last line."""
    mark = f"Rebuilt-from: <{layer.patch.msgid}>\n"
    patch = source.read(layer.patch.msgid)
    if patch is None:
        return f"{layer.patch.subject}\n\n{mark}".encode("utf-8", "surrogateescape"), _rebuilder(layer.patch.date)
    return commit_message(patch) + f"\n{mark}".encode("utf-8", "surrogateescape"), _author(patch)


def check_branch_name(repository: Repository, name: str) -> None:
    """Nothing, where a branch can be made; raises InputError where it is there already or cannot be called so."""
    if not repository.is_branch_name(name):
        raise InputError(f"'{name}' cannot be the name of a branch")
    if repository.resolve(f"refs/heads/{name}") is not None:
        raise InputError(f"a branch '{name}' is there already", hint="choose another name, or delete it first")


def _commit(draft: ScratchIndex, patch: Patch, parent: str) -> str:
    """The commit of one patch; `parent` itself where the patch changes nothing."""
    if not patch.files:
        return parent
    level = strip_level(patch.diff)
    ways: tuple[Callable[[bytes, int], bool], ...] = (draft.apply, draft.apply_three_way)
    if not any(way(patch.diff, level) for way in ways):
        raise ConflictError(f"patch {patch.counter} does not apply: {patch.subject}")
    return draft.commit(parent, commit_message(patch), _author(patch))


def commit_message(patch: Patch) -> bytes:
    """The message that `git am` would give the commit."""
    body = f"\n\n{patch.message.strip()}" if patch.message.strip() else ""
    return f"{patch.subject}{body}\n".encode("utf-8", "surrogateescape")


def _author(patch: Patch) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": patch.author_name or patch.author_email,
        "GIT_AUTHOR_EMAIL": patch.author_email,
        "GIT_AUTHOR_DATE": _git_date(patch.date),
    }


def _rebuilder(date: datetime) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": "seriestool",
        "GIT_AUTHOR_EMAIL": "seriestool@localhost",
        "GIT_AUTHOR_DATE": _git_date(date),
    }


def _git_date(date: datetime) -> str:
    # The @ keeps git from reading a small number as a year.
    return f"@{max(int(date.timestamp()), 0)} +0000"
