# SPDX-License-Identifier: GPL-2.0-or-later
"""The series as a branch on its base: commits with author, date and message as mailed.

Everything is made in an index of our own; the one thing that the user sees is the branch, created at the very end.
"""

from collections.abc import Callable

from seriestool.base.verdict import Verdict
from seriestool.diff import strip_level
from seriestool.errors import ConflictError, InputError
from seriestool.git import Repository, Scratch
from seriestool.model import Patch


def make_branch(repository: Repository, verdict: Verdict, name: str) -> str:
    """The tip of the new branch `name`: the series on the verdict's base.

    Raises InputError where the branch is there already or cannot be called so, or where there is no base;
    ConflictError where a patch does not apply after all.
    """
    ref = check_branch_name(repository, name)
    if verdict.base is None or not verdict.level.is_base:
        raise InputError("there is no base to put the series on")
    tip = verdict.base.commit
    with repository.draft() as draft:
        draft.load_commit(tip)
        for patch in verdict.series.patches:
            tip = _commit(draft, patch, tip)
    repository.create_ref(ref, tip)
    return tip


def check_branch_name(repository: Repository, name: str) -> str:
    """The ref of the branch to be; raises InputError where it is there already or cannot be called so."""
    ref = f"refs/heads/{name}"
    if not repository.is_branch_name(name):
        raise InputError(f"'{name}' cannot be the name of a branch")
    if repository.resolve(ref) is not None:
        raise InputError(f"a branch '{name}' is there already", hint="choose another name, or delete it first")
    return ref


def _commit(draft: Scratch, patch: Patch, parent: str) -> str:
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
        "GIT_AUTHOR_DATE": f"{int(patch.date.timestamp())} +0000",
    }
