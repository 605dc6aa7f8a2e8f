# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of patches: how fast it is filled, how large it gets, how fast it answers.

    python -m benchmarks.lists_index [--archive PATH] [--patches 1000000] [--keep FILE] [--quick]

Patches of a made-up kernel (some paths are touched ten thousand times as often as others) go through the real
insert path; then the questions of one search for prerequisites are asked: who makes 30 blobs, all edges of 30 paths.
With an archive its mails are read too, from git to the end.
"""

import argparse
import hashlib
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from seriestool.series.mail.mail_summary import MailSummary
from seriestool.series.mail.subject_line import SubjectLine
from seriestool.sources.lists import BlobEdge
from seriestool.sources.lists.indexed_mail import IndexedMail
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index import PatchIndex, find_index
from seriestool.sources.lists.patch_index_writer import ArchivedMail, make_index

BATCH = 5000
PATHS = 80_000
EVEN = 20  # about so many paths are touched as often as the first
AUTHORS = 20_000
SERIES = 5  # patches
ALLOWED = 2.0  # seconds for the questions of one series
FIRST = 1_200_000_000


def main() -> int:
    """1 where the questions took longer than they may."""
    arguments = parse_arguments()
    count = 50_000 if arguments.quick else arguments.patches
    with tempfile.TemporaryDirectory() as folder:
        if arguments.archive:
            measure_archive(arguments.archive, Path(folder))
        file = arguments.keep or Path(folder) / "lists.sqlite"
        if not file.exists():
            fill(file, count)
        with find_index(file) as index:  # type: ignore[union-attr]
            return measure_questions(index, file)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, help="a public-inbox archive to read")
    parser.add_argument("--patches", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="leave the index here, or ask the one that is there")
    parser.add_argument("--quick", action="store_true", help="50,000 patches")
    return parser.parse_args()


def measure_archive(archive: Path, folder: Path) -> None:
    file = folder / "archive.sqlite"
    start, busy = time.perf_counter(), time.process_time()
    with make_index(file) as index:
        tally = update_list(index, "list", str(archive), folder / "mirrors")
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    sizes = subprocess.run(["du", "-cb", *archive.rglob("*.pack")], capture_output=True, text=True).stdout
    packed = int(sizes.splitlines()[-1].split()[0])
    size = file.stat().st_size
    print(f"{archive}: {tally.mails} mails, {tally.added} patches, {tally.damaged} damaged")
    print(
        f"  {seconds:.2f} s, {tally.mails / seconds:.0f} mails/s, {memory():.0f} MB of memory; "
        f"{tally.mails / busy:.0f} mails/s on a processor of its own"
    )
    share, each = 100 * size / packed, size / max(tally.added, 1)
    print(f"  index {size / 1e6:.2f} MB, {share:.1f} % of the packs, {each:.0f} bytes a patch")


def fill(file: Path, count: int) -> None:
    start = time.perf_counter()
    with make_index(file) as index:
        batch: list[ArchivedMail] = []
        for number, located in enumerate(made_up(count), 1):
            batch.append(located)
            if len(batch) == BATCH or number == count:
                index.add("made-up", "made-up", batch, str(number))
                batch = []
    seconds = time.perf_counter() - start
    print(f"{count} made-up patches: {seconds:.0f} s, {count / seconds:.0f}/s, {memory():.0f} MB of memory")


def made_up(count: int) -> Iterator[ArchivedMail]:
    """Patches in series; each file diff goes from the blob that the path has to a new one."""
    dice = random.Random(1)
    state: dict[int, int] = {}
    for number in range(count):
        series, counter = divmod(number, SERIES)
        msgid = f"20260101.{series}-{counter + 1}-author{series % AUTHORS}@example.org"
        edges = []
        for _ in range(min(1 + int(dice.expovariate(0.5)), 40)):
            path = rank(dice.random())
            version = state.get(path, 0)
            state[path] = version + 1
            edges.append(
                BlobEdge(
                    path=path_name(path),
                    old_path=None,
                    old=blob(path, version),
                    new=blob(path, version + 1),
                    kind="modify",
                )
            )
        sender = f"author{series % AUTHORS}@example.org"
        subject = SubjectLine(
            title=f"subsystem: change number {series} part {counter}",
            is_reply=False,
            is_patch=True,
            version=1,
            counter=counter + 1,
            expected=SERIES,
        )
        above = () if counter == 0 else (f"20260101.{series}-1-author{series % AUTHORS}@example.org",)
        posted = datetime.fromtimestamp(FIRST + number * 500, UTC)
        known = MailSummary(
            msgid=msgid, subject=subject, sender=sender, posted=posted, references=above, has_diff=True, change_id=None
        )
        digest = hashlib.sha1(msgid.encode()).digest()
        yield ArchivedMail(
            IndexedMail(
                known=known,
                subject=subject.title,
                author=f"Some Author <{sender}>",
                patch_id=digest.hex(),
                edges=tuple(edges),
            ),
            digest,
        )


def rank(chance: float) -> int:
    """Which path is touched: the first ones by every two hundredth file diff, most by one in a hundred thousand."""
    return int(EVEN * ((PATHS + EVEN) / EVEN) ** chance) - EVEN


def path_name(path: int) -> bytes:
    return b"drivers/vendor%d/module%d/file%d.c" % (path % 97, path % 1009, path)


def blob(path: int, version: int) -> str:
    return hashlib.sha1(b"%d %d" % (path, version)).hexdigest()[:12]


def measure_questions(index: PatchIndex, file: Path) -> int:
    dice = random.Random(2)
    print(f"{len(index)} patches, index {file.stat().st_size / 1e6:.0f} MB")
    failed = False
    for name, paths in (
        ("30 paths", [dice.randrange(5, PATHS // 10) for _ in range(30)]),
        ("the 30 most touched", list(range(30))),
    ):
        wall, busy = time.perf_counter(), time.process_time()
        making = sum(len(index.find_making(blob(path, version))) for version, path in enumerate(paths, 1))
        blobs = time.perf_counter() - wall
        edges = sum(len(index.edges_of(path_name(path))) for path in paths)
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        failed |= busy > ALLOWED
        print(
            f"  {name}: {wall:.3f} s ({busy:.3f} s of processor time): who makes 30 blobs {blobs:.3f} s "
            f"({making} patches), edges of 30 paths {wall - blobs:.3f} s ({edges})"
        )
    print(f"  {memory():.0f} MB of memory")
    if failed:
        print(f"  FAILED: more than {ALLOWED:g} s")
    return int(failed)


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    sys.exit(main())
