# SPDX-License-Identifier: GPL-2.0-or-later
"""The history index on a real repository: what it costs to build, keep, open and ask, and whether it is right.

    python benchmarks/history_index.py /path/to/git.git [--topics 300] [--commits 1000] [--json FILE]

The repository is only read; the index goes to a temporary folder. Topics are the merges on the first-parent line of
HEAD: what each topic changes, against its merge base, is the pre-image that is looked for, cut to 10 digits.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from seriestool.git import Ref, Repository
from seriestool.trees.history import History, coverage, fingerprint, is_absent, match_value, update

Answer = TypeVar("Answer")
PreImage = dict[bytes, str | None]
DIGITS = 10
NULL = {"0" * 40, "0" * 64}


def main() -> int:
    """Print the figures; 1 where an answer was wrong."""
    arguments = parse_arguments()
    if arguments.only_build:
        print(json.dumps(build_figures(arguments.repository, arguments.only_build)))
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        figures = measure(arguments, Path(scratch) / "index")
    for name, value in figures.items():
        print(f"{name:<34}{value:>14,.3f}" if isinstance(value, float) else f"{name:<34}{value:>14,}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if figures["wrong states"] or figures["bases not found"] else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--topics", type=int, default=300)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only-build", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    bare, _ = timed(lambda: git(arguments.repository, "log", "--all", "--raw", output=subprocess.DEVNULL))
    built = in_a_process_of_its_own(arguments.repository, folder)
    with Repository.open(arguments.repository) as repository:
        refs = repository.refs()
        seconds, history = timed(lambda: History.open(folder, fingerprint(repository, refs)))
        assert history is not None
        unchanged, _ = timed(lambda: update(repository, refs, folder))
        return {
            "refs": len(refs),
            "commits": len(history),
            "changes": sum(layer.counts.changes for layer in history.layers),
            "bare log pass, s": bare,
            "build, s": built["seconds"],
            "build / bare pass": built["seconds"] / bare,
            "peak memory of the build, MB": built["memory"],
            "index, MB": sum(file.stat().st_size for file in folder.iterdir()) / 1e6,
            "open, ms": seconds * 1e3,
            "update, nothing new, ms": unchanged * 1e3,
            **measure_update(repository, refs, folder.with_name("updated")),
            **measure_questions(arguments, history),
            **check_states(repository, history, arguments.commits, random.Random(arguments.seed)),
        }


def in_a_process_of_its_own(repository: Path, folder: Path) -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, __file__, str(repository), "--only-build", str(folder)], check=True, capture_output=True
    )
    return dict(json.loads(answer.stdout))


def build_figures(path: Path, folder: Path) -> dict[str, float]:
    with Repository.open(path) as repository:
        refs = repository.refs()
        seconds, _ = timed(lambda: update(repository, refs, folder))
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measure_update(repository: Repository, refs: tuple[Ref, ...], folder: Path) -> dict[str, float]:
    """The index without the newest refs, and then with them."""
    times = commit_times(repository, refs)
    older = tuple(sorted(refs, key=lambda ref: times.get(ref.commit, 0))[: -max(1, len(refs) // 50)])
    before = len(update(repository, older, folder))
    seconds, history = timed(lambda: update(repository, refs, folder))
    again, _ = timed(
        lambda: git(repository.git_dir, "log", "--raw", "--stdin", output=subprocess.DEVNULL, stdin=news(older, refs))
    )
    return {
        "commits that an update adds": len(history) - before,
        "that update, s": seconds,
        "bare log of what it adds, s": again,
        "layers after it": len(history.layers),
    }


def commit_times(repository: Repository, refs: tuple[Ref, ...]) -> dict[str, int]:
    ids = "".join(f"{ref.commit}\n" for ref in refs)
    out = git(repository.git_dir, "log", "--no-walk=unsorted", "--stdin", "--format=%H %ct", stdin=ids)
    return {oid: int(time) for oid, time in (line.split() for line in out.decode().splitlines())}


def news(older: tuple[Ref, ...], refs: tuple[Ref, ...]) -> str:
    old = {ref.commit for ref in older}
    return "".join([*(f"{ref.commit}\n" for ref in refs if ref.commit not in old), *(f"^{oid}\n" for oid in old)])


def measure_questions(arguments: argparse.Namespace, history: History) -> dict[str, float]:
    times, sizes, missed = [], [], 0
    for base, preimage in topics(arguments.repository, arguments.topics):
        seconds, found = timed(lambda wanted=preimage: sits_on(history, wanted))  # type: ignore[misc]
        times.append(seconds * 1e3)
        sizes.append(len(preimage))
        at = history.find(base)
        missed += at is None or not any(start <= at < stop for start, stop in found)
    return {
        "topics asked": len(times),
        "most files in a topic": max(sizes, default=0),
        "question, median ms": statistics.median(times),
        "question, 95 % ms": sorted(times)[len(times) * 95 // 100],
        "question, worst ms": max(times),
        "bases not found": missed,
    }


def sits_on(history: History, preimage: PreImage) -> list[tuple[int, int]]:
    """All commits at which every path is as the pre-image says."""
    lists = [history.segments(path, state(blob)) for path, blob in preimage.items()]
    return [(start, stop) for start, stop, count in coverage(lists) if count == len(lists)]


def state(blob: str | None) -> Callable[[int], bool]:
    return is_absent if blob is None else lambda value: match_value(value, blob)


def topics(repository: Path, count: int) -> Iterator[tuple[str, PreImage]]:
    log = git(repository, "log", "--first-parent", "--merges", f"-{2 * count}", "--format=%P", "HEAD").decode()
    for line in log.splitlines():
        into, topic, *_ = line.split()
        base = git(repository, "merge-base", into, topic).decode().split()[0]
        raw = git(repository, "diff-tree", "-r", "-z", "--no-renames", base, topic).split(b"\0")[:-1]
        preimage = {path: old_blob(meta.decode()) for meta, path in zip(raw[::2], raw[1::2], strict=True)}
        if preimage and count:
            count -= 1
            yield base, preimage


def old_blob(meta: str) -> str | None:
    oid = meta.split()[2]
    return None if oid in NULL else oid[:DIGITS]


def check_states(repository: Repository, history: History, count: int, chosen: random.Random) -> dict[str, float]:
    """Three paths at each of some random commits: two of any kind, and the one that changed most often."""
    layer = history.layers[0]
    busiest = max(range(layer.counts.paths), key=lambda number: len(layer.changes(layer.path(number))))
    asked: list[tuple[int, bytes]] = []
    for pos in (chosen.randrange(len(history)) for _ in range(count)):
        some = [layer.path(chosen.randrange(layer.counts.paths)) for _ in range(2)]
        asked += [(pos, path) for path in (*some, layer.path(busiest)) if b"\n" not in path]
    seconds, values = timed(lambda: [history.value(pos, path) for pos, path in asked])
    answers = repository.objects.check([history.oid(pos).encode() + b":" + path for pos, path in asked])
    wrong = sum(
        (not is_absent(value)) if answer is None else not match_value(value, answer[0])
        for value, answer in zip(values, answers, strict=True)
    )
    return {
        "states compared with cat-file": len(asked),
        "one state, us": seconds / len(asked) * 1e6,
        "wrong states": wrong,
    }


def timed(work: Callable[[], Answer]) -> tuple[float, Answer]:
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


def git(repository: Path, *arguments: str, stdin: str = "", output: int = subprocess.PIPE) -> bytes:
    answer = subprocess.run(
        ["git", f"--git-dir={Repository.open(repository).git_dir}", *arguments],
        input=stdin.encode(),
        stdout=output,
        check=True,
    )
    return answer.stdout or b""


if __name__ == "__main__":
    sys.exit(main())
