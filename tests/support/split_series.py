# SPDX-License-Identifier: GPL-2.0-or-later
"""Series made in memory for tests of splitting: what ties patches, who owns files, which plan comes of it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from seriestool.series.apply import FileState, apply_patch
from seriestool.series.diff import parse_diff
from seriestool.series.hunks import split_lines
from seriestool.series.model import BaseInfo, Patch, PatchFailure, Series
from seriestool.split.dependency_graph import Dependency, DependencyKind, PatchStage
from seriestool.split.owners import SeriesOwners, find_owners
from seriestool.split.patch_dependencies import find_dependencies
from seriestool.split.split_plan import SplitPlan, make_plan
from seriestool.trees import Tree
from seriestool.trees.maintainers import parse_maintainers

Files = Mapping[str, str | bytes | None]


FileTree = dict[bytes, FileState]


def staged(base: Files, *changes: Files | bytes) -> list[PatchStage]:
    """The stages of a series on `base`: each change has the new contents (None: removed), or is a diff as mailed."""
    tree = {path.encode(): FileState(as_bytes(content)) for path, content in base.items() if content is not None}
    stages = []
    for counter, change in enumerate(changes, 1):
        diff = change if isinstance(change, bytes) else b"".join(diff_of(tree, change))
        patch = patch_of(counter, diff)
        applied = apply_patch(tree, patch.files)
        assert not isinstance(applied, PatchFailure), (counter, applied)
        touched = {path for one in patch.files for path in (one.old_path, one.new_path) if path is not None}
        stages.append(PatchStage(patch, _some(tree, touched), _some(applied.files, touched)))
        tree = dict(applied.files)
    return stages


def ties(found: tuple[Dependency, ...], tie: DependencyKind | None = None) -> dict[str, list[str]]:
    """What was found, short: {"2<-1": ["name"]}; of one tie only, where it is named."""
    return {f"{one.patch}<-{one.needs}": list(one.names) for one in found if tie in (None, one.tie)}


def patch_of(counter: int, diff: bytes) -> Patch:
    """A patch with this diff."""
    date = datetime(2024, 1, 1, tzinfo=UTC)
    msgid = f"{counter}@example.com"
    return Patch(msgid, counter, f"part {counter}", "A", "a@example.com", date, "", "", parse_diff(diff), diff)


def diff_of(tree: FileTree, change: Files) -> Iterator[bytes]:
    """The file diffs that make the change, as git writes them."""
    for name, content in change.items():
        path = name.encode()
        old, new = tree.get(path), None if content is None else as_bytes(content)
        yield b"diff --git a/%s b/%s\n" % (path, path)
        if old is None:
            yield b"new file mode 100644\n"
        if new is None:
            yield b"deleted file mode 100644\n"
        names = (b"a/" + path if old else b"/dev/null", b"b/" + path if new is not None else b"/dev/null")
        yield from hunks(split_lines(old.content if old else b""), split_lines(new or b""), *names)


def hunks(old: list[bytes], new: list[bytes], old_name: bytes, new_name: bytes) -> Iterator[bytes]:
    """A unified diff with three lines of context."""
    for line in difflib.diff_bytes(difflib.unified_diff, old, new, old_name, new_name, lineterm=b"\n"):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def as_bytes(content: str | bytes) -> bytes:
    """The content as a file has it."""
    return content.encode() if isinstance(content, str) else content


def _some(tree: Mapping[bytes, FileState], paths: set[bytes]) -> FileTree:
    return {path: tree[path] for path in paths if path in tree}


def found_by(tie: DependencyKind, stages: Sequence[PatchStage]) -> tuple[Dependency, ...]:
    """The needs of one kind."""
    return tuple(one for one in find_dependencies(stages) if one.tie is tie)


A = "a" * 40


POSTED = datetime(2026, 6, 5, tzinfo=UTC)


KORG = "https://git.kernel.org/pub/scm/linux/kernel/git/"


FIX = ('Fixes: 0123456789ab ("x: broken")',)


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


def one_line_diff(path: str, lines: int = 1) -> str:
    added = "".join(f"+new {n}\n" for n in range(lines))
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1,{lines} @@\n-old\n{added}"


def patch_on(
    counter: int, subject: str, files: Mapping[str, int] | Sequence[str], trailers: Sequence[str] = (),
    author: str = "Some One <someone@example.com>",
) -> Patch:  # fmt: skip
    """A patch that changes the files; a mapping says how many lines each gets."""
    sizes = files if isinstance(files, Mapping) else dict.fromkeys(files, 1)
    diff = "".join(one_line_diff(path, lines) for path, lines in sizes.items()).encode()
    name, _, address = author.removesuffix(">").partition(" <")
    message = "\n".join(["Why.", "", *trailers, f"Signed-off-by: {author}"])
    return Patch(f"p{counter}@x", counter, subject, name, address, POSTED, message, "", parse_diff(diff), diff)


def series_of(*patches: Patch, prefixes: tuple[str, ...] = (), expected: int | None = None) -> Series:
    return Series(
        "cover@x", "all of it", 1, expected or len(patches), patches, None, None, BaseInfo(), prefixes, POSTED
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
