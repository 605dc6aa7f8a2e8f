# SPDX-License-Identifier: GPL-2.0-or-later
"""Which refs are trees, what they are called, and which come first."""

import pytest

from seriestool.git import Ref, without_password
from seriestool.trees import (
    ConfiguredTree,
    Tree,
    check_name,
    configured_trees,
    default_order,
    fixes_trees,
    list_tags,
    list_trees,
)
from seriestool.util.errors import InputError

A, B, C = "a" * 40, "b" * 40, "c" * 40


def names(refs: list[Ref], config: dict[str, tuple[str, ...]] | None = None, head: str | None = None) -> list[str]:
    return [tree.name for tree in list_trees(refs, config or {}, head)]


def test_branches_and_remote_branches_are_trees_under_gits_short_names() -> None:
    refs = [Ref("refs/heads/topic/x", A), Ref("refs/remotes/origin/next", B)]
    config = {"remote.origin.url": ("https://example.org/x.git",)}
    assert list_trees(refs, config, None) == (
        Tree("origin/next", "refs/remotes/origin/next", B, "https://example.org/x.git", "next", "remote"),
        Tree("topic/x", "refs/heads/topic/x", A, None, "topic/x", "branch"),
    )


@pytest.mark.parametrize(
    "name",
    [
        "refs/remotes/origin/HEAD",
        "refs/pull/12/head",
        "refs/merge-requests/3/head",
        "refs/stash",
        "refs/notes/commits",
        "refs/tags/v1.0",
        "refs/bisect/bad",
        f"refs/seriestool/tips/{A}",
        f"refs/seriestool/bases/{A}",
        "refs/seriestool/trees/forgotten/master",
    ],
)
def test_is_no_tree(name: str) -> None:
    assert names([Ref(name, A)]) == []


def test_tags_are_points_with_a_name() -> None:
    (tag,) = list_tags([Ref("refs/heads/v2", B), Ref("refs/tags/v1.0", A)])
    assert (tag.name, tag.commit, tag.kind) == ("v1.0", A, "tag")


def test_configured_tree_with_a_branch_has_its_own_name() -> None:
    config = {"seriestool.tree.Nfsd.url": ("https://example.org/l",), "seriestool.tree.Nfsd.branch": ("nfsd-testing",)}
    refs = [Ref("refs/seriestool/trees/Nfsd/nfsd-testing", A), Ref("refs/seriestool/trees/Nfsd/stale", B)]
    (tree,) = list_trees(refs, config, None)
    assert (tree.name, tree.commit, tree.url, tree.branch, tree.kind) == (
        "Nfsd", A, "https://example.org/l", "nfsd-testing", "configured",
    )  # fmt: skip


def test_configured_tree_without_a_branch_shows_all_of_them() -> None:
    config = {"seriestool.tree.net.url": ("https://example.org/n",)}
    refs = [Ref("refs/seriestool/trees/net/main", A), Ref("refs/seriestool/trees/net/a/b", B)]
    assert names(refs, config) == ["net/a/b", "net/main"]


def test_configured_ref_is_shown_once_under_the_name_given() -> None:
    config = {"seriestool.tree.nfsd.ref": ("cel/nfsd-testing",)}
    refs = [Ref("refs/remotes/cel/nfsd-testing", A), Ref("refs/remotes/cel/other", B)]
    assert names(refs, config) == ["nfsd", "cel/other"]


def test_remote_with_a_slash_in_its_name() -> None:
    config = {"remote.team.url": ("u1",), "remote.team/ci.url": ("u2",)}
    (tree,) = list_trees([Ref("refs/remotes/team/ci/main", A)], config, None)
    assert (tree.name, tree.branch, tree.url) == ("team/ci/main", "main", "u2")


def test_order_upstream_then_defaults_then_own_then_main_then_names() -> None:
    refs = [
        Ref("refs/heads/master", A),
        Ref("refs/heads/topic", C),
        Ref("refs/heads/zz", C),
        Ref("refs/remotes/aaa/HEAD", A),
        Ref("refs/remotes/aaa/devel", A),
        Ref("refs/remotes/origin/HEAD", B),
        Ref("refs/remotes/origin/a-copy", B),
        Ref("refs/remotes/origin/main", B),
        Ref("refs/remotes/origin/next", C),
    ]
    config = {"branch.topic.remote": ("origin",), "branch.topic.merge": ("refs/heads/next",)}
    assert names(refs, config, "refs/heads/topic") == [
        "origin/next", "origin/main", "aaa/devel", "topic", "master", "origin/a-copy", "zz",
    ]  # fmt: skip


def test_order_does_not_depend_on_the_order_of_refs() -> None:
    refs = [Ref(f"refs/heads/{name}", A) for name in ("b", "main", "a", "master")]
    assert names(refs) == names(refs[::-1]) == ["master", "main", "a", "b"]


def test_upstream_in_the_same_repository() -> None:
    refs = [Ref("refs/heads/main", A), Ref("refs/heads/base", B), Ref("refs/heads/t", C)]
    config = {"branch.t.remote": (".",), "branch.t.merge": ("refs/heads/base",)}
    assert names(refs, config, "refs/heads/t")[0] == "base"
    assert [t.name for t in default_order(list_trees(refs, {}, None), refs, {}, None)] == ["main", "base", "t"]


def test_configured_but_not_fetched_is_known_and_no_tree() -> None:
    config = {"seriestool.tree.x.url": ("first", "last")}
    assert configured_trees(config) == (ConfiguredTree("x", "last", None, None),)
    assert names([], config) == []


@pytest.mark.parametrize(
    "name", ["", "a/b", "../x", "a..b", "-x", ".x", "x.", "x.lock", "a b", "a\nb", "a~1", "x" * 101]
)
def test_name_that_cannot_be_in_a_ref(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a tree"):
        check_name(name)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, None),
        ("https://me:secret@example.org/x", "https://example.org/x"),
        ("https://example.org/x@y:z", "https://example.org/x@y:z"),
        ("git@example.org:x", "git@example.org:x"),
        ("ssh://git@example.org/x", "ssh://git@example.org/x"),
    ],
)
def test_password_is_not_shown(url: str | None, shown: str | None) -> None:
    assert without_password(url) == shown


def test_the_tree_that_takes_the_fixes_of_another() -> None:
    config = {"seriestool.tree.nfsd.url": ("u",), "seriestool.tree.nfsd.fixes": ("x", "nfsd-fixes")}
    assert fixes_trees(config) == {"nfsd": "nfsd-fixes"}
