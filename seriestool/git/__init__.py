# SPDX-License-Identifier: GPL-2.0-or-later
"""Git, as verbs: the one package that starts it."""

from seriestool.git.merge_tree import Merge, MergeConflict
from seriestool.git.objects import ObjectReader
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
from seriestool.git.repository import ABBREVIATION, KEPT, Ref, ReflogEntry, Repository
from seriestool.git.rerere import Memory, Rerere
from seriestool.git.scratch_index import Scratch, TreeEntry
from seriestool.git.scratch_repository import Workbench, as_changes
from seriestool.git.tree_checkout import Checkout
from seriestool.git.worktree import Worktree

__all__ = [
    "ABBREVIATION",
    "KEPT",
    "Checkout",
    "GitError",
    "Memory",
    "Merge",
    "MergeConflict",
    "ObjectReader",
    "Ref",
    "ReflogEntry",
    "Repository",
    "Rerere",
    "Scratch",
    "TreeEntry",
    "Workbench",
    "Worktree",
    "as_changes",
    "clean_environment",
    "config_at",
    "iter_tokens",
    "remove_global_section",
    "set_global_config",
    "version",
    "without_password",
]
