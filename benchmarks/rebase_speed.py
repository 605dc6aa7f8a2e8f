# SPDX-License-Identifier: GPL-2.0-or-later
"""A series of 10 patches onto 10 trees, against one `git worktree add` and `git am -3` of it onto one, turn about.

    python -m benchmarks.rebase_speed REPO [--runs 5]

REPO is a repository as `benchmarks.kernel_size --repository` makes it; it is only read. Whole processes are timed, the
index of the history made before. The trees are the main line's tip and nine points of it and of stable lines; on some
of them patches go in as they are, on others only with a merge. For each tree both must agree on the result.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.history_index import git
from benchmarks.kernel_process import Author

TREES = 10
KINDS = ("exact", "applies")


@dataclass(frozen=True)
class Timed:
    seconds: float
    out: bytes
    code: int


def main() -> int:
    """Print the figures; 1 where the two disagree on a tree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.repository.resolve().parent) as scratch:
        folder = Path(scratch)
        repo = folder / "tree.git"
        clone = ["git", "clone", "--quiet", "--mirror", "--shared", arguments.repository.resolve(), repo]
        subprocess.run(clone, check=True)
        author = Author(repo, folder / "author.git")
        trees = choose_trees(repo, author.base)
        wrong = 0
        for kind in KINDS:
            mbox = author.make_series(kind)
            wrong += compare(
                repo=repo, mbox=mbox, trees=trees, worktree=folder / f"am-{kind}", runs=arguments.runs, kind=kind
            )
    return int(wrong > 0)


def choose_trees(repo: Path, base: str) -> list[str]:
    """The main line's tip, points of the main line after and before the base, and the tips of stable lines."""
    later = git(repo, "rev-list", "--first-parent", f"{base}..master").decode().split()
    earlier = git(repo, "rev-list", "--first-parent", "--max-count=2000", base).decode().split()
    stable = git(repo, "for-each-ref", "--format=%(objectname)", "refs/remotes/stable").decode().split()
    points = [*later[:: max(1, len(later) // 4)][:4], earlier[100], earlier[1000], *stable[-4:]]
    return list(dict.fromkeys(points))[:TREES]


def compare(repo: Path, mbox: Path, trees: Sequence[str], worktree: Path, runs: int, kind: str) -> int:
    """How often they disagree; prints the times."""
    onto = [option for tree in trees for option in ("--onto", tree)]
    rebase = [sys.executable, "-m", "seriestool", "--repo", str(repo), "rebase", "--json", *onto, str(mbox)]
    timed(rebase)  # makes the index
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(timed(rebase))
        theirs.append(apply_in_worktree(repo, mbox, trees[0], worktree)[0])
    answer = json.loads(ours[-1].out)
    outcomes = [patch["outcome"] for tree in answer["trees"] for patch in tree["patches"]]
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in sorted(set(outcomes)))
    mine, other = (statistics.median(run.seconds for run in some) for some in (ours, theirs))
    print(f"{kind}: 10 patches onto {len(trees)} trees {mine:.2f} s; worktree and am -3 onto one {other:.2f} s")
    print(f"  ratio of medians {mine / other:.2f}; {counts}")
    return sum(disagree(repo, mbox, tree, worktree) for tree in answer["trees"])


def apply_in_worktree(repo: Path, mbox: Path, tree: str, worktree: Path) -> tuple[Timed, str]:
    """The time, and git's tree in the end, empty where `git am -3` stops."""
    identity = {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@kernel.invalid"}
    start = time.perf_counter()
    subprocess.run(["git", "-C", repo, "worktree", "add", "--quiet", "--detach", worktree, tree], check=True)
    command = ["git", "-C", str(worktree), "am", "--quiet", "-3", str(mbox)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **identity})
    seconds = time.perf_counter() - start
    result = git(worktree, "rev-parse", "HEAD^{tree}").decode().strip() if done.returncode == 0 else ""
    subprocess.run(["git", "-C", repo, "worktree", "remove", "--force", worktree], check=True)
    return Timed(seconds, done.stdout, done.returncode), result


def disagree(repo: Path, mbox: Path, tree: dict[str, object], worktree: Path) -> bool:
    """Whether git takes the series there and makes another tree of it."""
    result = apply_in_worktree(repo, mbox, str(tree["onto"]), worktree)[1]
    if result and result != tree["tree_oid"]:
        print(f"  WRONG on {tree['onto']}: {tree['tree_oid']}, git am -3 says {result}")
        return True
    return False


def timed(command: Sequence[str]) -> Timed:
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE)
    return Timed(time.perf_counter() - start, done.stdout, done.returncode)


if __name__ == "__main__":
    sys.exit(main())
