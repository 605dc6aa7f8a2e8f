# SPDX-License-Identifier: GPL-2.0-or-later
"""The comparator of headers against abidiff: python -m benchmarks.uapi_oracle [KERNEL OLD NEW].

Without arguments: the sixteen injected changes, each judged by both. With a repository of a kernel and two commits:
every header that differs, how long both take, where they disagree, and every FAIL of ours to be read against the diff.
abidiff is run as the kernel's scripts/check-uapi.sh runs it: on objects, types that nothing reaches included, enum
sentinels and room for additions suppressed.
"""

import argparse
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seriestool.check.abi import uapi_comparison
from seriestool.check.abi.abi_change import ChangeSeverity
from seriestool.check.abi.allowed_changes import BUILT_IN, downgrade_allowed
from seriestool.check.abi.installed_headers import InstalledHeaders
from seriestool.git import Repository, ScratchRepository
from seriestool.sandbox import Sandbox, find_sandbox
from tests.support.kernels import INJECTED, TOY_HEADER, TOY_KERNEL, edited
from tests.support.repos import Repo

_FLAGS = (
    "-x",
    "c",
    "-std=gnu11",
    "-O0",
    "-w",
    "-g",
    "-fno-eliminate-unused-debug-types",
    "-shared",
    "-fPIC",
    "-nostdlib",
    "-D__EXPORTED_HEADERS__",
    "-D__user=",
    "-D__force=",
    "-D__iomem=",
    "-D__attribute_const__=",
    "-D__packed=__attribute__((packed))",
)
# The rules of check-uapi.sh, in words that abidiff 2.2 knows too.
_SUPPRESSIONS = """\
[suppress_type]
  type_kind = enum
  changed_enumerators_regexp = .*_AFTER_LAST$, .*_CNT$, .*_COUNT$, .*_END$, .*_LAST$, .*_MASK$, .*_MAX$, .*_NUM$
[suppress_type]
  type_kind = struct
  has_data_member_inserted_at = end
  has_size_change = yes
"""
_WORDS = {ChangeSeverity.NOTE: "pass", ChangeSeverity.ASK: "WARN", ChangeSeverity.BREAK: "FAIL"}
_ORDER = ("pass", "WARN", "FAIL", "-")


def main() -> int:
    """1 where an injected change is judged otherwise than it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernel", nargs="?", type=Path)
    parser.add_argument("old", nargs="?")
    parser.add_argument("new", nargs="?")
    given = parser.parse_args()
    sandbox = find_sandbox()
    if isinstance(sandbox, str):
        print(sandbox, file=sys.stderr)
        return 1
    print(subprocess.run(["abidiff", "--version"], capture_output=True, text=True).stdout.strip())
    if given.kernel is None:
        return inject(sandbox)
    history(given.kernel, given.old, given.new, sandbox)
    return 0


def inject(sandbox: Sandbox) -> int:
    """The table of the injected changes."""
    wrong = 0
    print("| change | abidiff | uapi |\n|---|---|---|")
    for name, (pairs, expected) in INJECTED.items():
        with tempfile.TemporaryDirectory() as folder:
            repo = Repo(Path(folder) / "repo")
            old = repo.commit({**TOY_KERNEL}, "before", author="A <a@example.com>")
            new = repo.commit({TOY_HEADER: edited(*pairs)}, "after", author="A <a@example.com>")
            with open_bench(repo.path) as scratch_repo:
                before, after = scratch_repo.tree_of(old), scratch_repo.tree_of(new)
                found = list(
                    examined(
                        scratch_repo=scratch_repo,
                        before=before,
                        after=after,
                        paths=[TOY_HEADER.encode()],
                        sandbox=sandbox,
                    )
                )
                theirs, _ = next(abidiff(scratch_repo, before, after, [b"linux/toy.h"]))
        said = [change.rule for change, _ in found[0].changes] if found else []
        ours = verdict(found[0]) if found else "pass"
        right = said == [rule for rule, _ in expected]
        wrong += not right
        print(f"| {name} | {theirs} | {ours}{' (' + ', '.join(dict.fromkeys(said)) + ')' if said else ''} |")
    print(f"{len(INJECTED) - wrong} of {len(INJECTED)} as they should be")
    return int(wrong > 0)


def history(kernel: Path, old: str, new: str, sandbox: Sandbox) -> None:
    """Two releases: agreement, time, and every FAIL."""
    with open_bench(kernel) as scratch_repo:
        before, after = (scratch_repo.tree_of(commit(kernel, name)) for name in (old, new))
        arch = uapi_comparison.arch_of(platform.machine())
        one, other = (InstalledHeaders(scratch_repo, tree, arch, {}) for tree in (before, after))
        names = sorted({*one.names(), *other.names()})
        changed = [name for name in names if one.blob(name) != other.blob(name)]
        start = time.monotonic()
        paths = [path for name in changed if (path := other.path(name) or one.path(name))]
        found = {
            each.name: each
            for each in examined(scratch_repo=scratch_repo, before=before, after=after, paths=paths, sandbox=sandbox)
        }
        ours_took = time.monotonic() - start
        both = [name for name in changed if one.blob(name) and other.blob(name)]
        start = time.monotonic()
        theirs = dict(zip(both, abidiff(scratch_repo, before, after, both), strict=True))
        theirs_took = time.monotonic() - start
    print(f"{len(changed)} of {len(names)} headers differ, {len(both)} are on both sides")
    print(f"uapi: {ours_took / len(changed):.2f} s for each; abidiff: {theirs_took / len(both):.2f} s for each")
    table = Counter((verdict(found.get(name.decode())), theirs[name][0]) for name in both)
    columns = sorted({column for _, column in table})
    print("| uapi \\ abidiff | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    for row in _ORDER:
        print(f"| {row} | " + " | ".join(str(table[row, column]) for column in columns) + " |")
    print("FAIL, one by one:")
    for each in found.values():
        for change, line in each.changes:
            if downgrade_allowed(each.name, change, BUILT_IN).weight is ChangeSeverity.BREAK:
                print(f"  {each.path.decode()}:{line or ''} {change.rule}: {change.message}")


def open_bench(path: Path) -> "_Bench":
    return _Bench(path)


class _Bench:
    """A workbench on a repository, and both closed at the end."""

    def __init__(self, path: Path) -> None:
        self._repository = Repository.open(path)
        self._context = self._repository.scratch_repository()

    def __enter__(self) -> ScratchRepository:
        return self._context.__enter__()

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)
        self._repository.close()


def commit(path: Path, name: str) -> str:
    command = ["git", "-C", str(path), "rev-parse", "--verify", f"{name}^{{commit}}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def examined(
    scratch_repo: ScratchRepository, before: str, after: str, paths: list[bytes], sandbox: Sandbox
) -> Iterator[uapi_comparison.HeaderComparison]:
    """What ours says, of these headers only."""
    with tempfile.TemporaryDirectory() as folder:
        examiner = uapi_comparison.UapiComparer(scratch_repo, sandbox, Path(folder), 2)
        wanted = set(paths)
        found = examiner.examine(before, after, paths, platform.machine(), includers=0)
        yield from (one for one in found if one.path in wanted)


def verdict(one: uapi_comparison.HeaderComparison | None) -> str:
    if one is None:
        return "pass"
    if one.unseen is not None:
        return "-"
    weights = [_WORDS[downgrade_allowed(one.name, change, BUILT_IN).weight] for change, _ in one.changes]
    return max(weights, key=_ORDER.index, default="pass")


def abidiff(scratch_repo: ScratchRepository, before: str, after: str, names: list[bytes]) -> Iterator[tuple[str, str]]:
    """(pass, FAIL, segfault or -, what it printed) of each header."""
    arch = uapi_comparison.arch_of(platform.machine())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "suppressions").write_text(_SUPPRESSIONS)
        sides = [
            (root / side, InstalledHeaders(scratch_repo, tree, arch, {}))
            for side, tree in (("a", before), ("b", after))
        ]
        for side, installed in sides:
            installed.write(names, side)
        for name in names:
            objects = [build(side, name.decode()) for side, _ in sides]
            yield compare(objects, root / "suppressions") if all(objects) else ("-", "does not compile")


def build(side: Path, name: str) -> Path | None:
    target = side / (re.sub(r"\W", "_", name) + ".so")
    command = ["gcc", *_FLAGS, f"-I{side}", "-include", str(side / name), "-o", str(target), "-"]
    source = b"int f(void) { return 0; }\n"  # abidiff wants a symbol
    return target if subprocess.run(command, input=source, capture_output=True).returncode == 0 else None


def compare(objects: list[Path | None], suppressions: Path) -> tuple[str, str]:
    command = ["abidiff", "--non-reachable-types", "--suppressions", str(suppressions), *map(str, objects)]
    answer = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if answer.returncode < 0:
        return "crash", ""
    if answer.returncode & 3:
        return "error", answer.stderr
    summary = next((line for line in answer.stdout.split("\n") if "Unreachable types summary" in line), "")
    only_added = "0 removed" in summary and "0 changed" in summary
    return ("pass" if answer.returncode == 0 or only_added else "FAIL"), answer.stdout


if __name__ == "__main__":
    sys.exit(main())
