# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of an answer on request: branches, notes and mails; refs move once, at the end, all or none."""

from collections.abc import Iterable, Mapping, Sequence

from seriestool.git import CommitIdent, Repository, ScratchRepository, TreeEntry
from seriestool.rebase.next_version import RebasedSeries
from seriestool.rebase.patch_commits import commit_series, patch_commit
from seriestool.rebase.patch_stack import PatchStack
from seriestool.rebase.rebase_result import OutcomeReason, PatchResult, Rebase, TreeResult
from seriestool.series.mail.compose import slug
from seriestool.series.model import Outcome, Patch, Series
from seriestool.util.errors import InputError

NOTES_REF = "refs/notes/seriestool"
_NOBODY = CommitIdent("seriestool", "seriestool@localhost", 0)


def rebased_series(
    answer: Rebase, stack: PatchStack, tree: TreeResult, committer: CommitIdent, scratch_repo: ScratchRepository
) -> RebasedSeries:
    """The patches on one tree as commits; ConflictError is for the caller to raise: the tree has to be clean."""
    assert tree.is_clean  # noqa: S101
    patches = answer.series.patches
    commits = commit_series(
        scratch_repo=scratch_repo, onto=tree.onto, patches=patches, trees=tree.trees, committer=committer
    )
    kept = {patch.counter for patch, _ in commits}
    named = answer.commit(tree.onto)
    return RebasedSeries(
        tree=tree.name,
        onto=tree.onto,
        title=named.subject if named else "",
        commits=commits,
        left_out=tuple(left_out(patches, tree.patches, kept)),
        before=_as_mailed(stack, kept, scratch_repo),
    )


def left_out(patches: Sequence[Patch], results: Sequence[PatchResult], kept: Iterable[int]) -> Iterable[str]:
    """A sentence on each patch that is not kept."""
    for patch, result in zip(patches, results, strict=True):
        if patch.counter in kept:
            continue
        if result.how is OutcomeReason.SKIPPED:
            yield f"left out '{patch.subject}'"
            continue
        if result.outcome is Outcome.EMPTY:
            yield f"left out '{patch.subject}': it changes nothing"
            continue
        commit = f" as {result.merged_as[:12]}" if result.merged_as else ""
        differs = ", with other changes" if result.how is OutcomeReason.SUBJECT else ""
        yield f"left out '{patch.subject}': merged already{commit}{differs}"


def _as_mailed(stack: PatchStack, kept: Iterable[int], scratch_repo: ScratchRepository) -> tuple[str, str] | None:
    """(base, tip) of the kept patches on their base; None where one of them does not apply there."""
    steps = [step for step in stack.steps if step.patch.counter in kept]
    if not steps or any(step.after is None for step in steps):
        return None
    base = tip = scratch_repo.commit(stack.steps[0].before, (), b"base\n", _NOBODY.line)
    for step in stack.steps:
        if step.after is not None and step.after != step.before:
            tip = patch_commit(
                scratch_repo=scratch_repo, patch=step.patch, tree=step.after, parent=tip, committer=_NOBODY
            )
    return base, tip


def branch_names(template: str, series: Series, trees: Sequence[str]) -> dict[str, str]:
    """Tree -> branch, of a template with {tree} and {series}; InputError where two would be the same."""
    values = {"series": slug(series.subject)}
    names = {tree: template.replace("{series}", values["series"]).replace("{tree}", tree) for tree in trees}
    if len(set(names.values())) < len(names):
        raise InputError(
            f"'{template}' is one name for {len(names)} branches", hint="a name for several has {tree} in it"
        )
    return names


def create_branches(repository: Repository, scratch_repo: ScratchRepository, branches: Mapping[str, str]) -> None:
    """New branches, all of them or none."""
    repository.publish(scratch_repo, branches.values())
    repository.create_branches(branches)


def create_branches_with_notes(
    repository: Repository,
    scratch_repo: ScratchRepository,
    branches: Mapping[str, str],
    texts: Mapping[str, str],
    author: CommitIdent,
) -> None:
    """The same, and git notes (git-notes(1)) with these texts by commit, beside those that are there already."""
    old = repository.resolve(NOTES_REF)
    tree = scratch_repo.tree_of(old) if old else scratch_repo.write("tree", b"")
    added = {
        oid.encode(): TreeEntry(0o100644, "blob", scratch_repo.write("blob", text.encode("utf-8", "surrogateescape")))
        for oid, text in texts.items()
    }
    message = b"Notes added by 'seriestool rebase'\n"
    new = scratch_repo.commit(scratch_repo.edit(tree, added), [old] if old else [], message, author.line, author.line)
    repository.publish(scratch_repo, [*branches.values(), new])
    repository.create_branches(branches, {NOTES_REF: (old, new)})
