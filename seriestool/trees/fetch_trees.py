# SPDX-License-Identifier: GPL-2.0-or-later
"""Brings the configured trees here, below refs/seriestool/trees/, and remembers where they were.

Only what is configured as a tree is fetched. The remotes of the repository are the user's: `git fetch` is theirs.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from seriestool.git import GitError, Repository
from seriestool.trees import ConfiguredTree, check_name, configured_trees, list_trees
from seriestool.trees.tip_journal import record_tips
from seriestool.util.errors import InputError, NotFoundError
from seriestool.util.progress import TransferListener

TIMEOUT = 3600.0
"""Seconds for one tree; a first fetch of a kernel tree takes minutes."""

# git-check-ref-format(1), and nothing that a refspec or a command line reads otherwise.
_BAD_BRANCH = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|/\.|^[-./]|[./]$|\.lock(?:/|$)")


class TreeFetchResult(Struct, frozen=True):
    """How fetching one tree went; `error` is one line, None where it went well."""

    name: str
    error: str | None


def add_tree(repository: Repository, name: str, url: str, branch: str | None) -> None:
    """git-config with one more tree in it; raises InputError where that cannot be."""
    check_name(name)
    config = repository.config()
    if any(tree.name == name for tree in configured_trees(config)):
        raise InputError(f"the tree '{name}' exists", hint=f"run 'seriestool trees remove {name}' first")
    if any(tree.name == name for tree in list_trees(repository.refs(), config, None)):
        raise InputError(f"'{name}' is a branch of this repository, and so a tree already")
    if not url or url.startswith("-") or re.search(r"[\x00-\x1f\x7f]", url):
        raise InputError(f"'{url}' is no URL")
    if branch is not None:
        check_branch(branch)
        repository.set_config(f"seriestool.tree.{name}.branch", branch)
    repository.set_config(f"seriestool.tree.{name}.url", url)


def remove_tree(repository: Repository, name: str) -> None:
    """git-config without the tree, and its refs deleted; raises NotFoundError where there is no such tree."""
    tree = get_configured(repository, [name])[0]
    repository.remove_config_section(f"seriestool.tree.{name}")
    stale = {ref.name: None for ref in repository.refs() if ref.name.startswith(tree.folder)}
    if stale:
        repository.update_refs(stale)


def get_configured(repository: Repository, names: Sequence[str]) -> tuple[ConfiguredTree, ...]:
    """The configured trees of those names, all of them for no names; raises NotFoundError for an unknown one."""
    known = {tree.name: tree for tree in configured_trees(repository.config())}
    for name in names:
        if name not in known:
            raise NotFoundError(f"no tree '{name}' is configured", hint="see 'seriestool trees list'")
    return tuple(known[name] for name in dict.fromkeys(names)) if names else tuple(known.values())


def check_branch(branch: str) -> None:
    """Nothing, where a branch may be called that; raises InputError where not."""
    if not branch or _BAD_BRANCH.search(branch):
        raise InputError(f"'{branch}' cannot be the name of a branch")


def fetch_tree(
    repository: Repository, tree: ConfiguredTree, timeout: float = TIMEOUT, listener: TransferListener | None = None
) -> TreeFetchResult:
    """The tree's branch, or all its branches, fetched to where `list_trees` finds them.

    What the tree has no more is deleted here; the journal keeps its commits. A failure is in the result, not raised.
    """
    if not tree.url:
        return TreeFetchResult(tree.name, None)  # somebody else keeps its ref up to date
    try:
        if tree.branch is not None:
            check_branch(tree.branch)
        branch = tree.branch or "*"
        repository.fetch(tree.url, [f"+refs/heads/{branch}:{tree.folder}{branch}"], timeout, listener)
        if tree.branch is not None:
            _drop_others(repository, tree)
    except (GitError, InputError) as error:
        return TreeFetchResult(tree.name, error.message)
    return TreeFetchResult(tree.name, None)


def record_current_tips(repository: Repository, now: int) -> bool:
    """Whether the journal of tips changed: see `record_tips`."""
    return record_tips(repository, list_trees(repository.refs(), repository.config(), repository.head()), now)


def _drop_others(repository: Repository, tree: ConfiguredTree) -> None:
    own = f"{tree.folder}{tree.branch}"
    others: Mapping[str, None] = {
        ref.name: None for ref in repository.refs() if ref.name.startswith(tree.folder) and ref.name != own
    }
    if others:
        repository.update_refs(others)
