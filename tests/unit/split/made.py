# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of splitting are made of: a small MAINTAINERS, and series of patches that touch files."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from seriestool.series.diff import parse_diff
from seriestool.series.model import BaseInfo, Patch, Series, Trailer
from seriestool.split.dependency_graph import Dependency, DependencyKind
from seriestool.split.owners import SeriesOwners, find_owners
from seriestool.split.split_plan import SplitPlan, make_plan
from seriestool.trees import Tree
from seriestool.trees.maintainers import parse_maintainers

A = "a" * 40
NOW = datetime(2026, 6, 5, tzinfo=UTC)
KORG = "https://git.kernel.org/pub/scm/linux/kernel/git/"
FIX = (Trailer("Fixes", '0123456789ab ("x: broken")'),)
TEXT = b"""\
CORE NET
M:\tNed <ned@example.org>
M:\tNora <nora@example.org>
R:\tRon <ron@example.org>
L:\tnetdev@example.org (moderated)
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/ned/net.git
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/ned/net-next.git
F:\tnet/
F:\tinclude/net/
F:\tDocumentation/netlink/

HANDSHAKE
M:\tHanna <hanna@example.org>
L:\tnetdev@example.org
F:\tnet/handshake/

SUNRPC SERVER
M:\tSven <sven@example.org>
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/sven/linux.git
F:\tfs/nfsd/
F:\tnet/sunrpc/

SUNRPC CLIENT
M:\tCleo <cleo@example.org>
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/cleo/nfs.git
F:\tnet/sunrpc/
F:\tinclude/uapi/linux/nfs*

DOCUMENTATION
M:\tDora <dora@example.org>
T:\tgit git://git.lwn.net/linux.git docs-next
F:\tDocumentation/

LIBRARY
M:\tLea <lea@example.org>
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/lea/mm.git
F:\tlib/*

FAT
M:\tFay <fay@example.org>
L:\tfat@example.org
F:\tfs/fat/

TRACING
M:\tTom <tom@example.org>
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/tom/trace.git
L:\ttrace@example.org
F:\tinclude/trace/

FAT TRACES
M:\tFay <fay@example.org>
L:\tfat@example.org
F:\tinclude/trace/events/fat.h

UBI
M:\tUlf <ulf@example.org>
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/ulf/ubi.git next
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/ulf/ubi.git fixes
F:\tdrivers/ubi/

THE REST
M:\tLinus <linus@example.org>
L:\tall@example.org
T:\tgit git://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git
F:\t*
F:\t*/
"""


def diff_of(path: str, lines: int = 1) -> str:
    added = "".join(f"+new {n}\n" for n in range(lines))
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1,{lines} @@\n-old\n{added}"


def patch_of(
    counter: int, subject: str, files: Mapping[str, int] | Sequence[str], trailers: tuple[Trailer, ...] = (),
    author: str = "Some One <someone@example.com>",
) -> Patch:  # fmt: skip
    """A patch that changes the files; a mapping says how many lines each gets."""
    sizes = files if isinstance(files, Mapping) else dict.fromkeys(files, 1)
    diff = "".join(diff_of(path, lines) for path, lines in sizes.items()).encode()
    name, _, address = author.removesuffix(">").partition(" <")
    message = "Why.\n\nSigned-off-by: " + author
    return Patch(f"p{counter}@x", counter, subject, name, address, NOW, message, "", trailers, parse_diff(diff), diff)


def series_of(*patches: Patch, prefixes: tuple[str, ...] = (), expected: int | None = None) -> Series:
    return Series(
        "cover@x", "all of it", 1, expected or len(patches), patches, None, None, BaseInfo(), prefixes, NOW
    )  # fmt: skip


def owners_of(
    series: Series, text: bytes | None = TEXT, trees: Sequence[Tree] = (), fixes: Mapping[str, str] | None = None
) -> SeriesOwners:
    return find_owners(series, parse_maintainers(text) if text is not None else None, trees, fixes)


def needs(
    patch: int, *others: int, tie: DependencyKind = DependencyKind.SYMBOL, names: tuple[str, ...] = ("name",)
) -> list[Dependency]:
    return [Dependency(patch, other, tie, names) for other in others]


def plan_of(series: Series, dependencies: Sequence[Dependency] = (), **options: object) -> SplitPlan:
    return make_plan(series, owners_of(series), dependencies, **options)  # type: ignore[arg-type]


def where(plan: SplitPlan) -> dict[str, tuple[int, ...]]:
    """Name of each sub-series -> its patches."""
    return {one.name: one.counters for one in plan.subseries}


def tree(name: str, url: str | None = None, kind: str = "remote", branch: str | None = None) -> Tree:
    branch = branch or name.partition("/")[2] or name
    return Tree(name, f"refs/remotes/{name}", A, url, branch, kind)  # type: ignore[arg-type]
