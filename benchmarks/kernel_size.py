# SPDX-License-Identifier: GPL-2.0-or-later
"""The history index and find-base at the size of the kernel.

    python -m benchmarks.kernel_size [--quick]                       how the index grows with commits, files and refs
    python -m benchmarks.kernel_size --repository FOLDER [--quick]   whole processes of find-base on a real repository

For the first there is no git: the raw log of a made-up history, in the format in which git prints it, goes into the
real `update`. A main line merges topics, stable branches grow beside it; a few files change often, most of them
rarely; a merge changes, against its first parent, what its topic changed. Building, opening and asking run in
processes of their own, so that their memory is theirs.

For the second, git fast-import makes a repository of that shape in FOLDER, where there is none yet: 1,400,000 commits
take five minutes and 1.4 GB. See `kernel_repository` and `kernel_process`.
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
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

from benchmarks import kernel_process
from benchmarks.kernel_repository import body_of, make_repository
from benchmarks.shape import Shape, Size
from seriestool.git import Ref, Repository
from seriestool.trees.history import History, coverage, fingerprint, is_absent, match_value, update

OID = 20


class RawLog:
    """The history as `Repository.raw_log` streams it, children first."""

    def __init__(self, size: Size) -> None:
        import numpy as np  # not where the index is asked: its memory is measured

        self.shape = Shape(size)
        count = len(self.shape.parents)
        noise = np.random.default_rng(2)
        self._ids = noise.bytes(OID * count).hex()
        own = count - len(self.shape.merged)
        again = sum(map(len, self.shape.merged.values()))
        mean = size.changes / (own + again)
        per_commit = noise.poisson(mean, count)
        per_commit[list(self.shape.merged)] = 0
        self._starts = np.concatenate([[0], np.cumsum(per_commit)]).tolist()
        total = self._starts[-1]
        self._files = (size.files * noise.random(total) ** 3).astype(int).tolist()
        self._blobs = noise.bytes(OID * total).hex()
        self._paths = [b"drivers/area%d/part%d/some_file_%d.c" % (n % 60, n % 900, n) for n in range(size.files)]

    def oid(self, commit: int) -> str:
        return self._ids[commit * 2 * OID : (commit + 1) * 2 * OID]

    def chunks(self) -> Iterator[bytes]:
        """Some thousand commits at a time."""
        count = len(self.shape.parents)
        for stop in range(count, 0, -4000):
            numbers = range(stop - 1, max(0, stop - 4000) - 1, -1)
            yield b"".join(map(self._commit, numbers))

    def _commit(self, number: int) -> bytes:
        parents = " ".join(map(self.oid, self.shape.parents[number]))
        time = 1_100_000_000 + number * 400
        title = f"part{number % 1500}: change {number}"
        author = f"A Developer {number % 4999} <dev{number % 4999}@kernel.invalid>"
        message = f"{author}\n{time} +0000\n{title}\n{title}\n\n{body_of(number)}"
        head = f"\x01{self.oid(number)} {time} {parents}\0{message}\0".encode()
        return head + b"".join(self._changes(self.shape.merged.get(number, (number,))))

    def _changes(self, commits: Iterable[int]) -> Iterator[bytes]:
        last: dict[int, int] = {}
        for commit in commits:
            for at in range(self._starts[commit], self._starts[commit + 1]):
                last[self._files[at]] = at
        for file, at in last.items():
            blob = self._blobs[at * 2 * OID : (at + 1) * 2 * OID]
            yield b":100644 100644 %s %s M\0%s\0" % (b"1" * 40, blob.encode(), self._paths[file])


class Stream:
    """Chunks as a file that can be read; where `spent` tells how long they took to make."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.spent = 0.0

    def read(self, _: int) -> bytes:
        start = time.perf_counter()
        chunk = next(self._chunks, b"")
        self.spent += time.perf_counter() - start
        return chunk


class MadeUp:
    """What `update` asks of a repository."""

    object_format = "sha1"
    oid_size = OID
    is_shallow = False

    def __init__(self, folder: Path, stream: Stream | None = None) -> None:
        self.common_dir = folder
        self.objects = self
        self._stream = stream

    def check(self, names: Iterable[str]) -> list[tuple[str, str, int]]:
        return [(name, "commit", 0) for name in names]

    def raw_log(
        self, include: Iterable[str], exclude: Iterable[str] = (), *, has_messages: bool
    ) -> AbstractContextManager[IO[bytes]]:
        del include, exclude, has_messages
        return nullcontext(cast(IO[bytes], self._stream))


def build(folder: Path, size: Size) -> dict[str, float]:
    """The index made, and what that took; the made-up history itself is in this process's memory too."""
    log = RawLog(size)
    refs = tuple(Ref(f"refs/tags/{tip}", log.oid(tip)) for tip in log.shape.tips(size.refs))
    (folder / "refs.json").write_text(json.dumps(refs))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stream = Stream(log.chunks())
    start = time.perf_counter()
    update(cast(Repository, MadeUp(folder, stream)), refs, folder / "index")
    seconds = time.perf_counter() - start - stream.spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"build, s": seconds, "build memory, MB": (peak - before) / 1024}


def ask(folder: Path, _: Size) -> dict[str, float]:
    """Opening, and 100 series of 10 patches with 20 files."""
    refs = tuple(Ref(*ref) for ref in json.loads((folder / "refs.json").read_bytes()))
    repository = cast(Repository, MadeUp(folder))
    start = time.perf_counter()
    history = History.open(folder / "index", fingerprint(repository, refs))
    opened = time.perf_counter() - start
    assert history is not None
    start = time.perf_counter()
    update(repository, refs, folder / "index")
    unchanged = time.perf_counter() - start
    chosen = random.Random(3)
    times = [question(history, chosen) for _ in range(100)]
    return {
        "commits": len(history),
        "files": history.layers[0].counts.paths,
        "changes": history.layers[0].counts.changes,
        "refs": len(refs),
        "index, MB": sum(file.stat().st_size for file in (folder / "index").iterdir()) / 1e6,
        "open, ms": opened * 1e3,
        "update, nothing new, ms": unchanged * 1e3,
        "question, median ms": statistics.median(times) * 1e3,
        "question, worst ms": max(times) * 1e3,
        "resident memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def question(history: History, chosen: random.Random) -> float:
    """The seconds that it takes to find a commit by the states of 20 files that are often changed."""
    layer = history.layers[0]
    base = chosen.randrange(len(history))
    busy = sorted(
        chosen.sample(range(layer.counts.paths), 200), key=lambda number: -len(layer.changes(layer.path(number)))
    )
    wanted = {layer.path(number): history.value(base, layer.path(number)) for number in busy[:20]}
    start = time.perf_counter()
    lists = [
        history.segments(
            path, is_absent if value == 0 else lambda found, blob=f"{value >> 4:015x}"[:12]: match_value(found, blob)
        )  # type: ignore[misc]
        for path, value in wanted.items()
    ]
    found = [(first, last) for first, last, count in coverage(lists) if count == len(lists)]
    seconds = time.perf_counter() - start
    assert any(first <= base < last for first, last in found)
    return seconds


def measure(size: Size) -> dict[str, float]:
    """Both halves, each in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        built = child("build", folder, size)
        return {**child("ask", folder, size), **built}


def child(what: str, folder: str, size: Size) -> dict[str, float]:
    here = Path(__file__).parent.parent
    command = [sys.executable, "-m", "benchmarks.kernel_size", "--child", what, folder, json.dumps(asdict(size))]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=here).stdout))


def whole_processes(folder: Path, size: Size) -> dict[str, float | str]:
    if (folder / "HEAD").exists():
        return kernel_process.measure(folder)
    start = time.perf_counter()
    make_repository(folder, size)
    made = time.perf_counter() - start
    return {"repository made, s": made, **kernel_process.measure(folder)}


def growth(whole: Size) -> list[dict[str, float]]:
    sizes = [
        whole,
        Size(whole.commits // 2, whole.files, whole.changes // 2),
        Size(whole.commits // 4, whole.files, whole.changes // 4),
        Size(whole.commits, whole.files // 4, whole.changes),
        Size(whole.commits, whole.files, whole.changes, 500),
        Size(whole.commits, whole.files, whole.changes, 50_000),
    ]
    return [measure(size) for size in sizes]


def shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.{0 if isinstance(value, int) else 2}f}"


def main() -> int:
    """Print the figures; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--repository", metavar="FOLDER", type=Path, help="made there where there is none yet")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there, too")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        what, folder, size = arguments.child
        work: Any = {"build": build, "ask": ask}[what]
        print(json.dumps(work(Path(folder), Size(**json.loads(size)))))
        return 0
    shrink = 10 if arguments.quick else 1
    whole = Size(1_400_000 // shrink, 90_000 // shrink, 5_000_000 // shrink)
    rows = [whole_processes(arguments.repository.resolve(), whole)] if arguments.repository else growth(whole)
    for name in rows[0]:
        print(f"{name:<38}" + "".join(f"{shown(row[name]):>14}" for row in rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(str(value).startswith("WRONG") for row in rows for value in row.values()))


if __name__ == "__main__":
    sys.exit(main())
