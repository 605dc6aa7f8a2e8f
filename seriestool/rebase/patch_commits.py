# SPDX-License-Identifier: GPL-2.0-or-later
"""Rebased patches as commits: author, date, message and trailers as mailed."""

from collections.abc import Iterable, Sequence

from seriestool.base.branch import commit_message
from seriestool.git import CommitIdent, ScratchRepository
from seriestool.series.model import Patch


def patch_commit(scratch_repo: ScratchRepository, patch: Patch, tree: str, parent: str, committer: CommitIdent) -> str:
    """The id of the commit that gives `parent` the patch, as `tree` has it."""
    author = CommitIdent(patch.author_name, patch.author_email, int(patch.date.timestamp()))
    return scratch_repo.commit(tree, (parent,), commit_message(patch), author.line, committer.line)


def commit_series(
    scratch_repo: ScratchRepository, onto: str, patches: Sequence[Patch], trees: Iterable[str], committer: CommitIdent
) -> tuple[tuple[Patch, str], ...]:
    """Each patch with its commit, on top of `onto`; patches that change nothing there have none."""
    made = []
    tip, below = onto, scratch_repo.tree_of(onto)
    for patch, tree in zip(patches, trees, strict=True):
        if tree == below:
            continue
        tip, below = (
            patch_commit(scratch_repo=scratch_repo, patch=patch, tree=tree, parent=tip, committer=committer),
            tree,
        )
        made.append((patch, tip))
    return tuple(made)
