# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees that a series may be based on: branches, remotes' branches, and those named in git-config.

Everything here is pure: refs and git-config come in, trees come out. git-config has, for a tree called NAME:

    seriestool.tree.NAME.url      where `trees update` fetches it from
    seriestool.tree.NAME.branch   the one branch that matters (all branches where it is not given)
    seriestool.tree.NAME.ref      instead of a URL: a ref of this repository that somebody else keeps up to date
    seriestool.tree.NAME.fixes    the name of the tree that takes fixes, where NAME takes all else
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from seriestool.git import Ref, without_password
from seriestool.util.config import Config, find_text
from seriestool.util.errors import InputError
from seriestool.util.json_struct import JsonStruct
from seriestool.util.lazy_pattern import lazy_pattern

Kind = Literal["branch", "remote", "configured", "tag", "other"]

TREES = "refs/seriestool/trees/"
"""Where `trees update` fetches to: one folder for each configured tree."""

_PREFIX = "seriestool.tree."
_MAIN = ("master", "main", "mainline", "trunk")
_NAME = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class Tree(JsonStruct, frozen=True):
    """A maintainer's tree at one branch, and where that branch stands now."""

    name: str
    """As git shortens it: 'master', 'origin/next'; for a configured tree the name that the user gave it."""
    ref: str
    """Full name of the ref in this repository."""
    commit: str
    """The tip."""
    url: str | None
    """Where it comes from, without passwords; None for a local branch."""
    branch: str | None
    """The branch's name at that URL, or here for a local one."""
    kind: Kind


class ConfiguredTree(Struct, frozen=True):
    """A tree as git-config names it, fetched or not."""

    name: str
    url: str | None
    branch: str | None
    ref: str | None

    @property
    def folder(self) -> str:
        """The refs of this tree all begin with this."""
        return f"{TREES}{self.name}/"


def configured_trees(config: Config) -> tuple[ConfiguredTree, ...]:
    """The trees that git-config names, sorted by name.

    Raises InputError where a name could not be part of a ref.
    """
    names = {key[len(_PREFIX) :].rpartition(".")[0] for key in config if key.startswith(_PREFIX)} - {""}
    for name in names:
        check_name(name)
    return tuple(
        ConfiguredTree(name, _last(config, name, "url"), _last(config, name, "branch"), _last(config, name, "ref"))
        for name in sorted(names)
    )


def fixes_trees(config: Config) -> dict[str, str]:
    """Name of a tree -> name of the tree that takes its fixes."""
    return {tree.name: fixes for tree in configured_trees(config) if (fixes := _last(config, tree.name, "fixes"))}


def check_name(name: str) -> None:
    """Nothing, where a tree may be called `name`; raises InputError where not (gitglossary, "ref")."""
    if not _NAME().fullmatch(name) or ".." in name or name.endswith((".", ".lock")):
        raise InputError(
            f"'{name}' cannot be the name of a tree", hint="a name is letters, digits, '-', '_', '+' and single dots"
        )


def list_trees(refs: Sequence[Ref], config: Config, head: str | None) -> tuple[Tree, ...]:
    """The trees of a repository, those first that are most likely meant while nothing is known of a series.

    Local branches, remote-tracking branches and configured trees are trees; tags, notes, the stash, pull requests and
    what seriestool keeps for itself are not. `head` is the full name of the branch that HEAD points to.
    """
    configured = configured_trees(config)
    named = {_full_ref(tree.ref, refs): tree for tree in configured if tree.ref}
    remotes = _nested_remotes(config)
    trees = [
        tree
        for ref in refs
        if (tree := _tree(ref=ref, named=named, configured=configured, remotes=remotes, config=config))
    ]
    return default_order(trees, refs, config, head)


def list_tags(refs: Iterable[Ref]) -> tuple[Tree, ...]:
    """The tags that lead to a commit, by name: no trees, but points with a name."""
    prefix = "refs/tags/"
    return tuple(
        Tree(name=ref.name[len(prefix) :], ref=ref.name, commit=ref.commit, url=None, branch=None, kind="tag")
        for ref in refs
        if ref.name.startswith(prefix)
    )


def default_order(trees: Iterable[Tree], refs: Sequence[Ref], config: Config, head: str | None) -> tuple[Tree, ...]:
    """The trees, the upstream of HEAD first, then the remotes' default branches, HEAD's own, main branches, others."""
    upstream = _upstream(head, config)
    defaults = _remote_defaults(trees := tuple(trees), refs)

    def rank(tree: Tree) -> tuple[int, int, str]:
        main = _MAIN.index(tree.branch) if tree.branch in _MAIN else len(_MAIN)
        if tree.ref == upstream:
            return 0, main, tree.name
        if tree.ref in defaults:
            return (1 if tree.ref.startswith("refs/remotes/origin/") else 2), main, tree.name
        if tree.ref == head:
            return 3, main, tree.name
        if tree.branch in _MAIN and tree.kind != "configured":
            return (4 if tree.kind == "remote" else 5), main, tree.name
        return (6 if tree.kind == "configured" else 7), 0, tree.name

    return tuple(sorted(trees, key=rank))


def _tree(
    ref: Ref,
    named: Mapping[str, ConfiguredTree],
    configured: Sequence[ConfiguredTree],
    remotes: Sequence[str],
    config: Config,
) -> Tree | None:
    if own := named.get(ref.name):
        return Tree(
            name=own.name,
            ref=ref.name,
            commit=ref.commit,
            url=without_password(own.url),
            branch=own.branch,
            kind="configured",
        )
    if ref.name.startswith("refs/heads/"):
        name = ref.name[len("refs/heads/") :]
        return Tree(name=name, ref=ref.name, commit=ref.commit, url=None, branch=name, kind="branch")
    if ref.name.startswith("refs/remotes/"):
        return _remote_tree(ref, remotes, config)
    if ref.name.startswith(TREES):
        return _fetched_tree(ref, configured)
    return None


def _remote_tree(ref: Ref, remotes: Sequence[str], config: Config) -> Tree | None:
    name = ref.name[len("refs/remotes/") :]
    remote = next((r for r in remotes if name.startswith(r + "/")), name.partition("/")[0])
    branch = name[len(remote) + 1 :]
    if branch == "HEAD":
        return None
    url = config.get(f"remote.{remote}.url", (None,))[0]
    return Tree(
        name=name, ref=ref.name, commit=ref.commit, url=without_password(url), branch=branch or name, kind="remote"
    )


def _fetched_tree(ref: Ref, configured: Sequence[ConfiguredTree]) -> Tree | None:
    for tree in configured:
        if not tree.url or not ref.name.startswith(tree.folder):
            continue
        branch = ref.name[len(tree.folder) :]
        if tree.branch not in (None, branch):
            return None
        name = tree.name if tree.branch else f"{tree.name}/{branch}"
        return Tree(
            name=name, ref=ref.name, commit=ref.commit, url=without_password(tree.url), branch=branch, kind="configured"
        )
    return None


def _full_ref(name: str, refs: Iterable[Ref]) -> str:
    known = {ref.name for ref in refs}
    candidates = (name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}")
    return next((full for full in candidates if full in known), name)


def _nested_remotes(config: Config) -> tuple[str, ...]:
    """The remotes whose own name has a slash, the longest first; any other one ends at the first slash of a ref."""
    names = {key[len("remote.") :].rpartition(".")[0] for key in config if key.startswith("remote.")}
    return tuple(sorted((name for name in names if "/" in name), key=lambda name: (-len(name), name)))


def _upstream(head: str | None, config: Config) -> str | None:
    if not head or not head.startswith("refs/heads/"):
        return None
    branch = head[len("refs/heads/") :]
    remote = config.get(f"branch.{branch}.remote", (None,))[-1]
    merge = config.get(f"branch.{branch}.merge", (None,))[-1]
    if not remote or not merge:
        return None
    return merge if remote == "." else f"refs/remotes/{remote}/{merge.removeprefix('refs/heads/')}"


def _remote_defaults(trees: Sequence[Tree], refs: Iterable[Ref]) -> set[str]:
    # A list of refs says where refs/remotes/x/HEAD leads, not by which branch: the main one of those that stand there.
    defaults = set()
    for ref in refs:
        if not (ref.name.startswith("refs/remotes/") and ref.name.endswith("/HEAD")):
            continue
        folder = ref.name[: -len("HEAD")]
        same = [tree for tree in trees if tree.commit == ref.commit and tree.ref.startswith(folder)]
        main = [tree for tree in same if tree.branch in _MAIN]
        if found := sorted(main or same, key=lambda tree: tree.name):
            defaults.add(found[0].ref)
    return defaults


def _last(config: Config, name: str, key: str) -> str | None:
    return find_text(config, f"{_PREFIX}{name}.{key}")
