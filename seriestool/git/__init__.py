# SPDX-License-Identifier: GPL-2.0-or-later
"""Git, as verbs: the one package that starts it."""

from seriestool.git.merge_tree import MergeConflict, MergeResult
from seriestool.git.object_reader import ObjectReader
from seriestool.git.objects import Commit, CommitIdent, TreeEntry, TreeObject, parse_tag_name
from seriestool.git.process import (
    GitError,
    clean_environment,
    config_at,
    iter_tokens,
    remove_global_section,
    set_global_config,
    version,
    without_password,
)
from seriestool.git.repository import ABBREVIATION, REBASE_REFS, Ref, ReflogEntry, Repository
from seriestool.git.rerere import Rerere, RerereCache
from seriestool.git.scratch_index import ScratchIndex
from seriestool.git.scratch_repository import ScratchRepository, as_changes
from seriestool.git.tree_checkout import Checkout
from seriestool.git.worktree import Worktree

__all__ = [
    "ABBREVIATION",
    "REBASE_REFS",
    "Checkout",
    "Commit",
    "CommitIdent",
    "GitError",
    "MergeConflict",
    "MergeResult",
    "ObjectReader",
    "Ref",
    "ReflogEntry",
    "Repository",
    "Rerere",
    "RerereCache",
    "ScratchIndex",
    "ScratchRepository",
    "TreeEntry",
    "TreeObject",
    "Worktree",
    "as_changes",
    "clean_environment",
    "config_at",
    "iter_tokens",
    "parse_tag_name",
    "remove_global_section",
    "set_global_config",
    "version",
    "without_password",
]
