# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees as subjects name them (`[PATCH net-next]`): which takes fixes, and which of the two a fix belongs to."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from seriestool.check.commits.commit_lookup import CommitLookup, QuotedCommit
from seriestool.trees import Tree
from seriestool.trees.maintainers import Maintainers
from seriestool.trees.tree_names import repository_name, url_key

_NEXT = "-next"
_NO_TREES = ("rfc", "rft", "resend", "repost", "rebase", "wip", "test", "dnm", "stable", "autosel")
"""What else stands in a subject's bracket."""


class TreeMismatch(Struct, frozen=True):
    """That a series is for one tree, and what it fixes speaks for the other."""

    named: str
    better: str
    is_for_fixes: bool
    """Whether the better one is the tree of fixes."""


def find_tree(name: str, trees: Sequence[Tree]) -> Tree | None:
    """The tree that people call so in a subject."""
    for tree in trees:
        if name in (tree.name, tree.name.partition("/")[0], tree.branch, repository_name(tree.url or "")):
            return tree
    return None


def has_tree_for(
    prefixes: Sequence[str], paths: Sequence[bytes], maintainers: Maintainers | None, trees: Sequence[Tree]
) -> bool:
    """Whether a tree that takes such patches is one of `trees`: by the subject's prefix, else by MAINTAINERS.

    True where nothing names one.
    """
    named = [word for word in prefixes if word.lower() not in _NO_TREES and not word[:1].isdigit()]
    if named:
        return any(find_tree(word, trees) for word in named)
    matches = (match for path in paths for match in (maintainers.match(path) if maintainers else ()))
    keys = {url_key(line.url) for match in matches if match.depth >= 0 for line in match.section.trees}
    return not keys or any(url_key(tree.url) in keys for tree in trees)


def find_fixes_tree(prefixes: Sequence[str], fixes: Mapping[str, str]) -> str | None:
    """The tree of fixes that the subject names, where it is known for one; `fixes` is that of git-config."""
    known = {*fixes.values(), "net"}
    return next((word for word in prefixes if word in known), None)


def judge_tree(
    targets: Sequence[QuotedCommit],
    prefixes: Sequence[str],
    fixes: Mapping[str, str],
    trees: Sequence[Tree],
    commits: CommitLookup,
) -> TreeMismatch | None:
    """Whether the commits that are fixed speak for another tree than the subject does; None where they do not."""
    pairs = {name.removesuffix(_NEXT): name.removesuffix(_NEXT) + _NEXT for name in prefixes}
    pairs |= {own: following for following, own in fixes.items()}
    for own, following in pairs.items():
        found, other = find_tree(own, trees), find_tree(following, trees)
        if found is None or (own in prefixes) == (following in prefixes):
            continue
        tips = [tree.commit for tree in (found, other) if tree is not None]
        held = [commits.tips_containing(target.oid, tips) or frozenset() for target in targets]
        if following in prefixes and all(found.commit in one for one in held):
            return TreeMismatch(following, own, is_for_fixes=True)
        if own in prefixes and any(one and found.commit not in one for one in held):
            return TreeMismatch(own, following, is_for_fixes=False)
    return None
