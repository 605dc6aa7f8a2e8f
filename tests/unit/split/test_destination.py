# SPDX-License-Identifier: GPL-2.0-or-later
"""Which T: lines are one destination, and which trees of the repository stand for it."""

import pytest

from seriestool.split.destination import Destination, Destinations, Flavour
from seriestool.trees import Tree
from seriestool.trees.maintainers import parse_maintainers
from tests.support.split_series import KORG, TEXT, tree


def found(lines: str, trees: tuple[Tree, ...] = (), **options: object) -> tuple[Destination, ...]:
    maintainers = parse_maintainers(("A\n" + "".join(f"T:\t{line}\n" for line in lines.split("; "))).encode())
    places = Destinations(maintainers, trees, **{"fixes": {}, **options})  # type: ignore[arg-type]
    return places.of_section(maintainers.sections[0])


def shown(one: Destination) -> tuple[str, str, str | None]:
    return one.name, one.next.name, one.fixes.name if one.fixes else None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("git git://h/n/net.git; git git://h/n/net-next.git", [("net", "net-next", "net")]),
        ("git git://h/n/net-next.git; git git://h/n/net.git", [("net", "net-next", "net")]),
        ("git git://h/u/ubi.git next; git git://h/u/ubi.git fixes", [("ubi", "ubi next", "ubi fixes")]),
        ("git git://h/m/linux.git mtd/fixes; git git://h/m/linux.git mtd/next",
         [("m/linux mtd", "m/linux mtd/next", "m/linux mtd/fixes")]),
        ("git git://h/k/k.git kunit; git git://h/k/k.git kunit-fixes", [("k kunit", "k kunit", "k kunit-fixes")]),
        ("git git://h/a/a.git; git git://h/a/a.git for-next", [("a for-next", "a for-next", None)]),
        ("git git://h/a/x.git; git git://h/b/x-next.git", [("x", "x", None), ("x-next", "x-next", None)]),
        ("quilt git://h/q/q; git git://h/a/mm", [("mm", "mm", None), ("q", "q", None)]),
        ("git git://h/cel/linux.git", [("cel/linux", "cel/linux", None)]),
    ],
)  # fmt: skip
def test_lines_that_are_one_destination(lines: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert [shown(one) for one in found(lines)] == expected


def test_flavours_are_collected_over_all_sections() -> None:
    text = TEXT + b"\nXFRM\nT:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/ned/net.git\n"
    maintainers = parse_maintainers(text)
    (one,) = Destinations(maintainers, (), {}).of_section(maintainers.sections[-1])
    assert shown(one) == ("net", "net-next", "net")


def test_two_trees_of_one_name_are_two_destinations() -> None:
    one, other = found("git git://h/a/vfs.git; git git://h/b/vfs.git")
    assert (one.name, other.name) == ("vfs", "b/vfs")
    assert (one.next.name, other.next.name) == ("vfs", "b/vfs")


@pytest.mark.parametrize(
    ("branches", "chosen", "fixes"),
    [
        (("nfsd-fixes", "nfsd-testing", "nfsd-next"), "nfsd-next", "nfsd-fixes"),
        (("nfsd-testing", "main"), "nfsd-testing", None),
        (("main", "topic"), "main", None),
        (("for-linus", "for-next"), "for-next", "for-linus"),
        (("x86/urgent", "nfsd-next"), "nfsd-next", None),
        (("topic1", "topic2"), None, None),
        (("only",), "only", None),
    ],
)
def test_branches_of_the_repository_for_a_line_that_names_none(
    branches: tuple[str, ...], chosen: str | None, fixes: str | None
) -> None:
    trees = tuple(tree(f"cel/{branch}", KORG + "cel/linux", branch=branch) for branch in branches)
    (one,) = found("git git://git.kernel.org/pub/scm/linux/kernel/git/cel/linux.git", trees)
    assert one.next.branch == chosen
    assert (one.next.tree is None) is (chosen is None)
    assert (one.fixes.branch if one.fixes else None) == fixes


def test_a_word_of_the_subject_names_the_branch() -> None:
    trees = tuple(tree(f"cel/{branch}", KORG + "cel/linux") for branch in ("nfsd-next", "nfsd-testing"))
    (one,) = found(f"git {KORG}cel/linux.git", trees, words=("nfsd-testing",))
    assert one.next.name == "cel/linux nfsd-testing"


def test_a_configured_tree_keeps_the_users_name_and_may_have_one_for_fixes() -> None:
    trees = (
        tree("nfsd", KORG + "cel/linux", "configured", "nfsd-next"),
        tree("nfsd-fixes", KORG + "cel/linux", "configured", "nfsd-fixes"),
        tree("other", None, "branch"),
    )
    (one,) = found(f"git {KORG}cel/linux.git", trees, fixes={"nfsd": "other"})
    assert shown(one) == ("nfsd", "nfsd", "other")
    assert one.place(Flavour.FIXES).tree == trees[2]
    (one,) = found(f"git {KORG}cel/linux.git", trees, fixes={"nfsd": "gone"})
    assert one.place(Flavour.FIXES).branch == "nfsd-fixes"


def test_hostile_lines_are_names_like_others() -> None:
    (one,) = found("git git:// ../../x\x1b[31m")
    assert one.name.isprintable()
    assert one.to_dict()["fixes"] is None
