# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a patch applies, changes anything, and is not merged already."""

from collections.abc import Iterator

from seriestool.check.protocol import Check, CheckSubject, Finding, Scope, Status, skip
from seriestool.rebase.merged_commit import MergedCommit, find_merged_commit
from seriestool.rebase.patch_stack import BaseKind, SeriesBase, paths_of, read_files
from seriestool.series.apply import apply_patch, reverse_patch
from seriestool.series.model import Patch, PatchFailure, path_text
from seriestool.trees import Tree
from seriestool.trees.history import tips_containing

_SOURCE = "Documentation/process/submitting-patches.rst"
_MOST_TREES = 8
_WIDTH = 80  # characters of a line of a file that are shown
_NOT_ON = {
    "missing-file": "the file is not there",
    "exists": "the file is there already",
    "mode": "it is another kind of file",
    "binary": "the binary file is not the one that the patch was made from",
    "leaves-contents": "the file to be removed has more in it",
}


def run(subject: CheckSubject) -> Iterator[Finding]:
    """What can be said of the patch on the base."""
    if not subject.patch.files:
        yield Finding(Status.WARN, "empty", "there is no diff in the mail", mend="send it again, or leave it out")
        return
    yield from tuple(_find_merged(subject)) or _find_contained(subject)
    if subject.base is None:
        yield skip("apply", "no base is known: name one with --base")
    elif subject.after is None:
        yield _refused(subject, subject.base)
    elif subject.after == subject.before:
        yield Finding(Status.WARN, "empty", "it changes nothing on its base", mend="leave it out")
    elif moved := _count_offsets(subject):
        hunks = "1 hunk applies" if moved == 1 else f"{moved} hunks apply"
        yield Finding(
            Status.PASS, "offset", f"{hunks} away from the line named: it was made from other files than {_on(subject)}"
        )


def _find_merged(subject: CheckSubject) -> Iterator[Finding]:
    found = _find_commit(subject)
    if found is None:
        return
    tree, merged_commit = found
    commit = f'{merged_commit.commit.oid[:12]} ("{merged_commit.commit.subject}")'
    if not merged_commit.has_patch_id:
        text = f"{tree.name} has a commit of the same name and author that changes something else: {commit}"
        yield Finding(Status.PASS, "merged-otherwise", text)
    elif _is_own_branch(subject, tree):
        yield Finding(Status.PASS, "merged-here", f"it is in your branch {tree.name} already, as {commit}")
    else:
        yield Finding(Status.WARN, "merged", f"it is in {tree.name} already, as {commit}")


def _is_own_branch(subject: CheckSubject, tree: Tree) -> bool:
    """Whether it is a branch in which a reviewer may have put the series themselves; those of a mirror are not."""
    return tree.kind == "branch" and not subject.environment.repository.is_bare


def _find_commit(subject: CheckSubject) -> tuple[Tree, MergedCommit] | None:
    """The commit that the patch became, and the first of the trees that has it."""
    history = subject.environment.history
    if history is None or not subject.is_mailed:
        return None  # commits of a range are in a tree: their own
    base = history.find(subject.base.commit) if subject.base is not None and subject.after is not None else None
    for tree in sorted(subject.environment.trees, key=lambda tree: _is_own_branch(subject, tree))[:_MOST_TREES]:
        tip = history.find(tree.commit)
        if tip is None or (base is not None and tips_containing(history, tip, [base])):
            continue  # the base has all that this tree has, and lacks the patch
        merged_commit = find_merged_commit(subject.patch, history, tip, subject.environment.scratch_repo)
        if merged_commit is not None:
            return tree, merged_commit
    return None


def _find_contained(subject: CheckSubject) -> Iterator[Finding]:
    """The trees whose files have all that the patch does, whatever its commit is called there.

    A patch that takes lines away leaves nothing to be recognised by, so it must also be refused as it stands.
    """
    if not subject.is_mailed or (subject.base is not None and subject.after is None):
        return
    scratch_repo, patch = subject.environment.scratch_repo, subject.patch
    names = []
    for tree in [tree for tree in subject.environment.trees if not _is_own_branch(subject, tree)][:_MOST_TREES]:
        root = scratch_repo.tree_of(tree.commit)
        is_refused = isinstance(apply_patch(read_files(scratch_repo, root, patch.files), patch.files), PatchFailure)
        if is_refused and _is_there(subject, root, patch):
            names.append(tree.name)
    if names:
        yield Finding(Status.WARN, "contained", f"all that it does is there already in {', '.join(names)}")


def _refused(subject: CheckSubject, base: SeriesBase) -> Finding:
    patch = subject.patch
    before = read_files(subject.environment.scratch_repo, subject.before, patch.files)
    failure = apply_patch(before, patch.files)
    if not isinstance(failure, PatchFailure):  # it took another way to the tree than we do
        return skip("apply", f"it was not put on {_on(subject)}")
    if _is_there(subject, subject.before, patch):
        return Finding(Status.WARN, "applied-already", f"all that it does is in {_on(subject)} already", failure.path)
    first = _find_obstacle(subject, failure)
    if first is not None:
        return skip("apply", f"it builds on patch {first}, which does not apply to {_on(subject)}")
    missing = next((counter for counter in subject.series.missing if counter < patch.counter), None)
    if missing is not None:
        return skip(
            "apply", f"it does not apply to {_on(subject)}, and may build on patch {missing}, which is not there"
        )
    status, why = _gravity(subject, base, failure)
    where = f"{_where(failure)}{_difference(failure)}"
    return Finding(
        status=status,
        rule="apply",
        message=f"it does not apply to {_on(subject)}: {where}; {why}",
        path=failure.path,
        line=failure.line,
        source=_SOURCE,
    )


def _find_obstacle(subject: CheckSubject, failure: PatchFailure) -> int | None:
    """An earlier patch that was refused and changes the same file: what it would have made of it is not known."""
    earlier = (step for step in subject.steps if step.patch.counter < subject.patch.counter and step.after is None)
    same = (step for step in earlier if failure.path in paths_of(step.patch.files, above=False))
    return next((step.patch.counter for step in same if not _is_there(subject, step.before, step.patch)), None)


def _is_there(subject: CheckSubject, tree: str, patch: Patch) -> bool:
    """Whether the tree has all that the patch does already."""
    files = read_files(subject.environment.scratch_repo, tree, patch.files)
    return not isinstance(apply_patch(files, reverse_patch(patch.files)), PatchFailure)


def _gravity(subject: CheckSubject, base: SeriesBase, failure: PatchFailure) -> tuple[Status, str]:
    """How sure it is that the patch is to blame, and not the base."""
    if failure.reason == "hunk" and _is_the_very_file(subject, failure.path):
        return Status.FAIL, "the file is the very one that the patch names: the diff was damaged or edited"
    if subject.series.remarks:
        return Status.WARN, "the series was put together from several versions"
    if base.footing is BaseKind.EXACT:
        return Status.FAIL, "the base has every file as the series names it"
    stated = subject.series.base
    if stated.commit == base.commit and not stated.prerequisites:
        return Status.FAIL, "the series states this base itself"
    if base.footing is BaseKind.REBUILT:
        return Status.SKIP, "the base was put together from files that are proven, and may lack some"
    return Status.WARN, "the base was named by hand, and the series was made on another"


def _is_the_very_file(subject: CheckSubject, path: bytes) -> bool:
    diffs = [diff for diff in subject.patch.files if diff.old_path == path]
    if len(diffs) != 1 or diffs[0].old_blob is None or len(diffs[0].old_blob) < 7:
        return False
    entry = subject.environment.scratch_repo.entries(subject.before, (path,)).get(path)
    return entry is not None and entry.oid.startswith(diffs[0].old_blob)


def _count_offsets(subject: CheckSubject) -> int:
    """Hunks that moved though no patch before moved them: of a patch that found its files as it names them, none."""
    if subject.base is None or subject.base.footing is BaseKind.EXACT:
        return 0
    applied = apply_patch(
        read_files(subject.environment.scratch_repo, subject.before, subject.patch.files), subject.patch.files
    )
    return 0 if isinstance(applied, PatchFailure) else applied.offsets


def _on(subject: CheckSubject) -> str:
    assert subject.base is not None  # noqa: S101
    commit = subject.base.commit[:12]
    return f"{commit} and {subject.base.put_in} rebuilt files" if subject.base.put_in else commit


def _where(failure: PatchFailure) -> str:
    if failure.reason == "hunk":
        return f"hunk {failure.hunk} at line {failure.line} of {path_text(failure.path)}"
    return f"{path_text(failure.path)}: {_NOT_ON.get(failure.reason, failure.reason)}"


def _difference(failure: PatchFailure) -> str:
    """The first line in which what the hunk expects and what stands there differ."""
    if failure.reason != "hunk":
        return ""
    pairs = enumerate(zip(failure.expected, failure.found, strict=False))
    at = next((n for n, (old, new) in pairs if old != new), min(len(failure.expected), len(failure.found)))
    return f", where it expects {_line(failure.expected, at)} and finds {_line(failure.found, at)}"


def _line(lines: tuple[bytes, ...], at: int) -> str:
    if at >= len(lines):
        return "the end of the file"
    text = lines[at].decode("utf-8", "backslashreplace").strip()
    return f"'{text[:_WIDTH]}'"


CHECK = Check("apply", "it applies, changes something, and is not merged already", Scope.PATCH, run)
