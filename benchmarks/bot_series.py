# SPDX-License-Identifier: GPL-2.0-or-later
"""Which complete series an archive has: the bot's answer, whatever way its mails came, and b4's on the same mails.

    python -m benchmarks.bot_series ARCHIVE [--differences] [--batches] [--kills N] [--grown N]

b4 gets each thread as a mailbox of its own (what `b4 am` gets from a server), and is asked for each version in it.
A series is the message-ids of its patches, in order. With --batches the mails are read in lots of 100, 7 and 1 and in
three orders shuffled within a day, and with --kills by processes that are killed N times: the same rows must come out.
Of shuffled mails it is not asked which version made which void: that is said of what is known at the time.
"""

import argparse
import logging
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from seriestool.bot.intake.due_mails import SETTLE, assemble_series
from seriestool.bot.intake.list_reader import ReadLimits, read_list
from seriestool.bot.intake.mail_table import IncomingMail, ListReadResult, insert_mails
from seriestool.bot.intake.related_mails import find_mails
from seriestool.bot.store import Store
from seriestool.git import Repository
from seriestool.series.mail import Mail
from seriestool.sources.archive.public_inbox import find_epochs
from seriestool.sources.archive.public_inbox import find_mails as find_archived_mails
from seriestool.util.groups import connected_groups

NOW = 1_900_000_000
Members = tuple[str, ...]


def main() -> int:
    """1 where rows differ that must be the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--differences", action="store_true", help="print each series that only one of the two has")
    parser.add_argument("--batches", action="store_true")
    parser.add_argument("--kills", type=int, default=0, metavar="N")
    parser.add_argument("--grown", type=int, default=0, metavar="N", help="100 new mails in a table of N")
    parser.add_argument("--child", metavar="DATABASE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        read_all(Store.open(arguments.child), arguments.archive, ReadLimits(first_days=None, batch=50))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/bot.sqlite")
        measure(store, arguments.archive)
        raws = all_raws(arguments.archive)
        compare(store, raws, arguments.differences)
        wanted = rows_of(store)
        failed = False
        if arguments.grown:
            failed |= not measure_grown(Store.open(f"sqlite:///{folder}/grown.sqlite"), arguments.grown)
        if arguments.batches:
            failed |= not compare_batches(raws, wanted, Path(folder))
        if arguments.kills:
            failed |= not compare_kills(arguments.archive, arguments.kills, wanted, Path(folder))
    return int(failed)


def read_all(store: Store, archive: Path, limits: ReadLimits) -> tuple[ListReadResult, float]:
    start = time.perf_counter()
    tally = read_list(store=store, name="list", source=str(archive), mirrors=Path("unused"), now=NOW, limits=limits)
    seconds = time.perf_counter() - start
    assemble_series(store, NOW)
    assemble_series(store, NOW + SETTLE)
    return tally, seconds


def measure(store: Store, archive: Path) -> None:
    start, busy = time.perf_counter(), time.process_time()
    tally, reading = read_all(store, archive, ReadLimits(first_days=None))
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    with store.transaction() as connection:
        question = "SELECT state, count(*) FROM series GROUP BY state ORDER BY state"
        states = dict(connection.exec_driver_sql(question).all())  # type: ignore[arg-type]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{tally.mails} mails read in {reading:.1f} s, assembled in {seconds - reading:.1f} s "
        f"({busy:.1f} s of processor time in all), {memory:.0f} MB of memory: {states}"
    )


def all_raws(archive: Path) -> list[bytes]:
    """All mails of the archive."""
    found: list[bytes] = []
    for path in find_epochs(archive):
        with Repository.open(path) as repository:
            found += [raw for _, raw in repository.contents(find_archived_mails([repository])[0])]
    return found


def our_series(store: Store) -> dict[Members, str]:
    """Of each complete series the patches, and its subject."""
    from seriestool.bot.bot_tables import mails

    found: dict[Members, str] = {}
    with store.transaction() as connection:
        rows = connection.exec_driver_sql("SELECT key, version, subject, hints FROM series WHERE missing = 0").all()
        for key, version, subject, hints in rows:
            kept = [one for one in find_mails(connection, mails.c.series, [key]) if one.head.subject.counter != 0]
            kept = [one for one in kept if one.head.has_diff or one.head.is_empty]
            kept.sort(key=lambda one: (one.head.subject.counter or 1, one.posted))
            found[tuple(one.head.msgid for one in kept)] = f"v{version} {subject} {hints or ''}"
    return found


def rows_of(store: Store) -> list[tuple[Any, ...]]:
    """All that must be the same, however the mails came."""
    with store.transaction() as connection:
        series = connection.exec_driver_sql(
            "SELECT key, list, msgid, version, expected, missing, subject, author, posted, has_cover, "
            "change_id, hints, state, superseded_by, lineage FROM series ORDER BY key"
        ).all()
        mails = connection.exec_driver_sql("SELECT msgid, series FROM mails ORDER BY msgid").all()
    return [tuple(row) for row in (*series, *mails)]


def compare(store: Store, raws: Sequence[bytes], verbose: bool) -> None:
    ours = our_series(store)
    start = time.perf_counter()
    theirs = dict(b4_series(raws))
    print(
        f"b4: {len(theirs)} complete series in {time.perf_counter() - start:.1f} s; ours: {len(ours)}; "
        f"the same: {len(ours.keys() & theirs.keys())}; only ours: {len(ours.keys() - theirs.keys())}; "
        f"only b4's: {len(theirs.keys() - ours.keys())}"
    )
    if verbose:
        for title, one, other in (("only ours", ours, theirs), ("only b4's", theirs, ours)):
            for members in sorted(one.keys() - other.keys()):
                print(f"{title}: {one[members]}\n    {len(members)}: {members[0]} ... {members[-1]}")


def b4_series(raws: Sequence[bytes]) -> Iterator[tuple[Members, str]]:
    """What b4 makes of each thread."""
    import b4

    logging.getLogger("b4").setLevel(logging.CRITICAL + 1)
    b4.can_network = False
    for thread in threads(raws):
        mailbox = b4.LoreMailbox()
        for raw in thread:
            message: EmailMessage = BytesParser(EmailMessage, policy=b4.emlpolicy).parsebytes(raw)
            try:
                mailbox.add_message(message)
            except ValueError:
                continue
        for version in sorted(mailbox.series):
            series = mailbox.get_series(version, codereview_trailers=False)
            if series is not None and series.complete:
                yield tuple(patch.msgid for patch in series.patches[1:] if patch), f"v{version} {series.subject}"


def threads(raws: Sequence[bytes]) -> Iterator[list[bytes]]:
    mails = {mail.msgid: mail for mail in map(Mail, raws)}
    for lot in connected_groups({msgid: mail.references for msgid, mail in mails.items()}):
        yield [mails[msgid].raw for msgid in sorted(lot, key=lambda one: mails[one].posted)]


def measure_grown(store: Store, count: int) -> bool:
    """Whether a hundred new mails in a table of so many are assembled within a second."""
    size = 5
    for start in range(0, count // size, 1000):
        keep(store, [raw for n in range(start, min(start + 1000, count // size)) for raw in made_up(n, size)])
        assemble_series(store, NOW)
    new = [raw for n in range(100 // size) for raw in made_up(count + n, size)]
    keep(store, new)
    start_time = time.perf_counter()
    found = assemble_series(store, NOW)
    seconds = time.perf_counter() - start_time
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"100 new mails in a table of {count}: {len(found.complete)} series in {seconds:.2f} s, {memory:.0f} MB")
    return seconds < 1 and len(found.complete) == 100 // size


def made_up(number: int, size: int) -> Iterator[bytes]:
    """A series of one of 300 authors, a version of one of their works."""
    author, version = number % 300, 1 + number // 3000 % 8
    posted = NOW - 180 * 86_400 + number * 1500
    for counter in range(size):
        below = f"References: <{number}-0@x>\n" if counter else ""
        diff = f"---\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-{number}\n+{counter}\n" if counter else ""
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(posted + counter))
        yield (
            f"From: Author {author} <a{author}@example.org>\nDate: {date}\nMessage-ID: <{number}-{counter}@x>\n{below}"
            f"Subject: [PATCH v{version} {counter}/{size - 1}] work {number % 3000} part {counter}\n\nwhy\n{diff}"
        ).encode()


def keep(store: Store, raws: Sequence[bytes]) -> None:
    with store.transaction() as connection:
        insert_mails(
            connection=connection,
            name="list",
            mails=[IncomingMail(raw) for raw in raws],
            now=NOW,
            tally=ListReadResult(),
        )


def compare_batches(raws: Sequence[bytes], wanted: list[tuple[Any, ...]], folder: Path) -> bool:
    """Whether the rows are the same in whatever lots and orders the mails come."""
    is_same = True
    by_time = sorted(raws, key=lambda raw: (Mail(raw).posted, Mail(raw).msgid))
    orders = [(f"lots of {size}", size, by_time) for size in (100, 7, 1)]
    for seed in range(3):
        dice = random.Random(seed)
        moments = {id(raw): Mail(raw).posted.timestamp() + dice.random() * 86_400 for raw in raws}
        orders.append((f"shuffled within a day ({seed})", 20, sorted(raws, key=lambda raw: moments[id(raw)])))
    for title, size, mails in orders:
        store = Store.open(f"sqlite:///{folder}/{title.replace(' ', '-')}.sqlite")
        start = time.perf_counter()
        feed(store, mails, size)
        rows, expected = rows_of(store), wanted
        if "shuffled" in title:
            rows, expected = [row[:9] for row in rows], [row[:9] for row in wanted]
        is_same &= report(title, rows, expected, time.perf_counter() - start)
        store.close()
    return is_same


def feed(store: Store, raws: Sequence[bytes], size: int) -> None:
    """The mails in lots, a series looked for after each; the clock stands, as in a minute of a busy list."""
    for start in range(0, len(raws), size):
        keep(store, raws[start : start + size])
        assemble_series(store, NOW)
    assemble_series(store, NOW + SETTLE)


def compare_kills(archive: Path, kills: int, wanted: list[tuple[Any, ...]], folder: Path) -> bool:
    """Whether the rows are the same after so many kills."""
    dice = random.Random(1)
    url = f"sqlite:///{folder}/killed.sqlite"
    command = [sys.executable, "-m", "benchmarks.bot_series", str(archive), "--child", url]
    killed = runs = 0
    start = time.perf_counter()
    while True:
        process = subprocess.Popen(command)
        runs += 1
        if killed >= kills:
            break
        try:
            process.wait(0.3 + dice.random() * 1.2)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        else:
            Path(f"{folder}/killed.sqlite").unlink()  # it came to its end: once more from the beginning
    assert process.wait() == 0
    return report(f"{killed} kills, {runs} runs", rows_of(Store.open(url)), wanted, time.perf_counter() - start)


def report(title: str, rows: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]], seconds: float) -> bool:
    missing, added = set(wanted) - set(rows), set(rows) - set(wanted)
    print(f"{title}: {seconds:.1f} s, {len(rows)} rows, {len(missing)} missing, {len(added)} other")
    for sign, some in (("-", missing), ("+", added)):
        for row in sorted(map(str, some))[:20]:
            print(f"  {sign} {row[:300]}")
    return not missing and not added


if __name__ == "__main__":
    sys.exit(main())
