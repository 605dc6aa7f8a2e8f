# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tree a series is meant for, and why."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seriestool.git import Repository
from seriestool.series.model import BaseInfo, DiffKind, FileDiff, Patch, Series
from seriestool.sources.resolve import resolve
from seriestool.trees import Tree
from seriestool.trees.maintainers import Maintainers, parse_maintainers
from seriestool.trees.suggestions import order_trees, read_maintainers, suggest
from tests.support.repos import Repo

A = "a" * 40
NOW = datetime(2026, 5, 28, tzinfo=UTC)
TEXT = b"""\
NETWORKING [GENERAL]
M:\tNet Maintainer <net@example.org>
L:\tnetdev@example.org
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net.git
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net-next.git
F:\tnet/

KERNEL NFSD
M:\tChuck <cel@example.org>
L:\tlinux-nfs@example.org
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/cel/linux.git
F:\tfs/nfsd/
F:\tnet/sunrpc/

BPF
K:\\bbpf\\b
T:\tgit https://github.com/x/bpf-next.git master
K:\t\\bbpf_

THE REST
L:\tlinux-kernel@example.org
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git
F:\t*
F:\t*/
"""


def series(
    *paths: str, prefixes: tuple[str, ...] = (), recipients: tuple[str, ...] = (), subject: str = "x",
    diff: bytes = b"", author: str = "someone@example.com",
) -> Series:  # fmt: skip
    files = tuple(FileDiff(DiffKind.MODIFY, path.encode(), path.encode()) for path in paths)
    patch = Patch("p@x", 1, subject, "Some One", author, NOW, "", "", files, diff)
    return Series("p@x", subject, 1, 1, (patch,), None, None, BaseInfo(), prefixes, NOW, recipients)


def tree(name: str, url: str | None = None, kind: str = "remote") -> Tree:
    branch = name.partition("/")[2] or name
    return Tree(name, f"refs/remotes/{name}", A, url, branch, kind)  # type: ignore[arg-type]


KORG = "https://git.kernel.org/pub/scm/linux/kernel/git/"
TREES = (
    tree("torvalds/master", KORG + "torvalds/linux.git"),
    tree("net/main", KORG + "netdev/net"),
    tree("net-next/main", "git@gitolite.kernel.org:pub/scm/linux/kernel/git/netdev/net-next"),
    tree("cel/nfsd-next", KORG + "cel/linux"),
    tree("cel/nfsd-testing", KORG + "cel/linux"),
)


@pytest.fixture(scope="module")
def maintainers() -> Maintainers:
    return parse_maintainers(TEXT)


def first(one: Series, maintainers: Maintainers | None, trees: tuple[Tree, ...] = TREES) -> str:
    return suggest(one, maintainers, trees)[0].name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("net-next", "net-next/main"),
        ("NET-NEXT", "net-next/main"),
        ("net", "net/main"),
        ("nfsd-testing", "cel/nfsd-testing"),
        ("cel/nfsd-next", "cel/nfsd-next"),
        ("torvalds", "torvalds/master"),
    ],
)
def test_word_in_the_subject(word: str, name: str, maintainers: Maintainers) -> None:
    for known in (maintainers, None):
        assert first(series("fs/nfsd/x.c", prefixes=("RFC", word)), known) == name


def test_word_outweighs_the_files(maintainers: Maintainers) -> None:
    found = suggest(series("fs/nfsd/x.c", prefixes=("net",)), maintainers, TREES)
    assert found[0].name == "net/main"
    assert found[0].reasons == ("the subject says [net]",)


def test_words_that_name_no_tree(maintainers: Maintainers) -> None:
    trees = (*TREES, tree("rfc/resend"), tree("linux/master", kind="branch"))
    assert suggest(series(prefixes=("RFC", "RESEND", "linux", "4")), maintainers, trees) == ()


@pytest.mark.parametrize(
    ("word", "name"), [("6.12.y", "s/linux-6.12.y"), ("stable-6.1", "s/linux-6.1.y"), ("6.1", "s/linux-6.1.y")]
)
def test_stable_branch(word: str, name: str) -> None:
    trees = tuple(tree(f"s/linux-{version}.y") for version in ("16.1", "6.1", "6.12"))
    assert [found.name for found in suggest(series(prefixes=(word,)), None, trees)] == [name]


def test_project_named_by_the_repositorys_url() -> None:
    trees = (tree("master", kind="branch"), tree("origin/master", "git://linux-nfs.org/nfs-utils"))
    assert first(series(prefixes=("nfs-utils",)), None, trees) == "origin/master"


def test_files_and_reason(maintainers: Maintainers) -> None:
    found = suggest(series("fs/nfsd/a.c", "fs/nfsd/b.c", "net/sunrpc/x.c", "net/core/y.c"), maintainers, TREES)
    assert [one.name for one in found][:2] == ["cel/nfsd-next", "cel/nfsd-testing"]
    assert found[0].reasons == ("MAINTAINERS: 3 of 4 files in 'KERNEL NFSD'",)
    assert "torvalds/master" not in [one.name for one in found]


def test_deeper_section_weighs_more(maintainers: Maintainers) -> None:
    assert first(series("net/sunrpc/x.c"), maintainers).startswith("cel/")
    assert first(series("net/core/x.c"), maintainers).startswith("net")


def test_mailing_list_decides_where_files_do_not(maintainers: Maintainers) -> None:
    found = suggest(series("lib/x.c", recipients=("linux-nfs@example.org",)), maintainers, TREES)
    assert found[0].name == "cel/nfsd-next"
    assert found[0].reasons == ("mailed to linux-nfs@example.org",)


def test_maintainer_bases_on_his_own_tree(maintainers: Maintainers) -> None:
    paths = ("net/core/a.c", "net/core/b.c", "fs/nfsd/x.c")
    assert first(series(*paths), maintainers).startswith("net")
    found = suggest(series(*paths, author="cel@example.org"), maintainers, TREES)
    assert found[0].name == "cel/nfsd-next"
    assert "its author maintains 'KERNEL NFSD'" in found[0].reasons


def test_keyword_in_the_patch(maintainers: Maintainers) -> None:
    found = suggest(series("lib/x.c", diff=b" bpf_old\n+ x = bpf_new();\n"), maintainers, ())
    assert [(one.name, one.tree, one.branch) for one in found] == [("bpf-next master", None, "master")]
    assert suggest(series("lib/x.c", diff=b" bpf_old\n"), maintainers, ()) == ()


def test_subsystem_before_the_colon_is_a_weak_hint() -> None:
    assert first(series(subject="nfsd: fix it"), None) == "cel/nfsd-next"
    assert suggest(series(subject="zzz: fix it"), None, TREES) == ()


def test_tree_that_is_not_here_is_suggested_by_its_url(maintainers: Maintainers) -> None:
    (found,) = suggest(series("fs/nfsd/x.c"), maintainers, TREES[:1])
    assert (found.name, found.tree, found.url) == (
        "cel/linux", None, "git://git.kernel.org/pub/scm/linux/kernel/git/cel/linux.git",
    )  # fmt: skip


def test_nothing_to_go_by() -> None:
    assert suggest(series("a"), None, TREES) == ()
    assert suggest(series(), parse_maintainers(b""), ()) == ()


def test_same_input_same_answer(maintainers: Maintainers) -> None:
    one = series("fs/nfsd/a.c", "net/x.c", recipients=("netdev@example.org", "linux-nfs@example.org"))
    assert suggest(one, maintainers, TREES) == suggest(one, parse_maintainers(TEXT), TREES)


def test_maintainers_of_the_first_tree_that_has_the_file(repo: Repo) -> None:
    without = repo.commit({"a": "1"})
    folder = repo.commit({"MAINTAINERS/x": "1"}, branch="f", parent=without)
    with_it = repo.commit({"MAINTAINERS": TEXT}, branch="x", parent=without)
    with Repository.open(repo.path) as git:
        assert read_maintainers(git, [without, folder]) is None
        found = read_maintainers(git, [without, folder, with_it])
        assert found
        assert found.sections[0].heading == "NETWORKING [GENERAL]"


def test_order_of_all_trees(repo: Repo) -> None:
    commit = repo.commit({"MAINTAINERS": TEXT})
    trees = tuple(Tree(one.name, one.ref, commit, one.url, one.branch, one.kind) for one in TREES)
    with Repository.open(repo.path) as git:
        found = order_trees(series("fs/nfsd/x.c"), trees, git)
        assert [one.name for one in found][:3] == ["cel/nfsd-next", "cel/nfsd-testing", "torvalds/master"]
        assert sorted(found, key=trees.index) == list(trees)
        assert order_trees(series("fs/nfsd/x.c"), trees[:1], git) == trees[:1]
        assert order_trees(series("fs/nfsd/x.c"), (), git) == ()


def test_seed_case(shared: Callable[[str], Path], tmp_path: Path) -> None:
    one = resolve(str(shared("data/tls-session-tags/series.mbox")))
    bundle = Repo(tmp_path / "k", bare=True)
    bundle.git("fetch", "-q", str(shared("data/kernel-subset.bundle")), "+refs/heads/stable-7.1:refs/heads/stable-7.1")
    with Repository.open(bundle.path) as git:
        known = read_maintainers(git, [ref.commit for ref in git.refs()])
    found = suggest(one, known, TREES)
    assert found[0].name.startswith("cel/")
    assert {"net-next/main", "net/main"} <= {place.name for place in found[:4]}
