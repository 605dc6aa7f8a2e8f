# SPDX-License-Identifier: GPL-2.0-or-later
"""Our reading of MAINTAINERS against scripts/get_maintainer.pl: the same sections and addresses, and how much faster.

    python -m benchmarks.maintainers /path/to/linux [--files 300] [--seed 7]

The tree must be checked out; nothing in it is changed. The script is asked with --no-git --no-git-fallback, once for
each file as people ask it, and once for all of them together, which is the fairer race. What it reads elsewhere is left
out: keywords in the file (--no-keywords), .mailmap (--no-mailmap), and people whom a binding's YAML names ("in file").
"""

import argparse
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from seriestool.trees.maintainers import Maintainers, parse_maintainers

OPTIONS = (
    "--no-tree",
    "--no-git",
    "--no-git-fallback",
    "--no-keywords",
    "--no-mailmap",
    "--no-remove-duplicates",
    "--roles",
    "--no-rolestats",
)
CHIEF = "torvalds@linux-foundation.org"
"""Whom get_maintainer.pl leaves out unless asked for."""
Answer = set[tuple[str, str]]
"""(M, R or L, address) of a file."""
ROLE = re.compile(r"[(,]([a-z][a-z /-]*)(?=:)|\((open list|moderated list|in file)\)$")
ADDRESS = re.compile(r"[^\s<>,;\"()]+@[^\s<>,;\"()]+")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    files = choose(options.tree, options.files, options.seed)
    theirs, each = ask_each(options.tree, files)
    together = time_together(options.tree, files)
    ours, cold, warm = ask_ours(options.tree, files)
    different = [path for path in files if not agree(ours[path], theirs[path])]
    for path in different:
        print(f"{path}: only ours {sorted(ours[path] - theirs[path])}, only theirs {sorted(theirs[path] - ours[path])}")
    count = len(files)
    print(f"{count} files, seed {options.seed}: the same addresses for {count - len(different)}")
    print(f"get_maintainer.pl, a run for each file: {each:.1f} s, {1000 * each / count:.0f} ms per file")
    print(f"get_maintainer.pl, one run for all:     {together:.1f} s, {1000 * together / count:.0f} ms per file")
    print(f"ours, with reading the file once:       {cold:.3f} s, {1000 * cold / count:.2f} ms per file")
    print(f"ours, once it was read:                 {warm:.3f} s, {1000 * warm / count:.2f} ms per file")
    print(f"times faster: {each / cold:.0f} than a run for each, {together / cold:.0f} than one run")
    return int(bool(different))


def choose(tree: Path, count: int, seed: int) -> list[str]:
    """Files of the tree, the same ones for the same seed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, check=True).stdout
    return random.Random(seed).sample(sorted(path for path in listed.decode().split("\0") if path), count)


def ask_each(tree: Path, files: Sequence[str]) -> tuple[dict[str, Answer], float]:
    start = time.perf_counter()
    answers = {path: perl(tree, [path]) for path in files}
    return answers, time.perf_counter() - start


def time_together(tree: Path, files: Sequence[str]) -> float:
    start = time.perf_counter()
    perl(tree, files)
    return time.perf_counter() - start


def perl(tree: Path, files: Sequence[str]) -> Answer:
    command = ["perl", "scripts/get_maintainer.pl", *OPTIONS, "-f", *files]
    printed = subprocess.run(command, cwd=tree, capture_output=True, check=True).stdout.decode()
    found: Answer = set()
    for line in printed.splitlines():
        address, roles = ADDRESS.search(line), [one or other for one, other in ROLE.findall(line)]
        found.update((kind_of(role), address[0].lower()) for role in roles if address and kind_of(role))
    return found


def agree(ours: Answer, theirs: Answer) -> bool:
    """The same addresses, each as what the script calls it: whoever is named twice has one role there."""
    return theirs <= ours and {address for _, address in ours} == {address for _, address in theirs}


def kind_of(role: str) -> str:
    """Which line of MAINTAINERS says so; empty where it was another file that did."""
    kinds = {"reviewer": "R", "open list": "L", "moderated list": "L", "in file": ""}
    return kinds.get(role, "M")


def ask_ours(tree: Path, files: Sequence[str]) -> tuple[dict[str, Answer], float, float]:
    text = (tree / "MAINTAINERS").read_bytes()
    start = time.perf_counter()
    maintainers = parse_maintainers(text)
    answers = {path: addresses(maintainers, path) for path in files}
    cold = time.perf_counter() - start
    for path in files:
        addresses(maintainers, path)
    return answers, cold, time.perf_counter() - start - cold


def addresses(maintainers: Maintainers, path: str) -> Answer:
    """M:, R: and L: of every section that has the path, lists for subscribers left out as the script does."""
    found: Answer = set()
    for section in (match.section for match in maintainers.match(path.encode())):
        for kind, entries in (("M", section.maintainers), ("R", section.reviewers)):
            found.update((kind, match[0].lower()) for entry in entries if (match := ADDRESS.search(entry)))
        found.update(("L", one) for one in section.lists if one not in section.closed)
    return {(kind, address) for kind, address in found if address != CHIEF}


if __name__ == "__main__":
    sys.exit(main())
