# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists read into the index: public-inbox git archives, here or at a URL, and mailbox files.

An archive is read oldest mail first from where the last update stopped, and each batch is marked as read together
with what it added: an update that is cut short loses one batch, and two at once do the same work twice, harmlessly.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from seriestool.errors import InputError, NotFoundError, OutsideError
from seriestool.git import Repository, iter_tokens
from seriestool.inbox import fetch_epochs, is_url
from seriestool.lists.entry import MAX_MAIL, Entry, parse_entry
from seriestool.lists.index import mail_id, one_mail
from seriestool.lists.writer import IndexWriter, Located
from seriestool.mail import split_mbox

Progress = Callable[[int], None]

_BATCH = 1000  # mails
_RAW = re.compile(rb"\n?:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*")
_TAKEN_BACK = b"d"  # the path at which public-inbox names a mail that it removes


@dataclass(slots=True)
class Tally:
    """What an update has done so far."""

    mails: int = 0
    added: int = 0
    """Patches that the index did not know."""
    damaged: int = 0
    """Mails that were left out: a diff that git could not read either, or a mail of unbearable size."""


class _Arrival(NamedTuple):
    """A commit that brought a mail into the archive, or took one back."""

    commit: str
    time: int
    blob: str
    is_gone: bool


def update_list(index: IndexWriter, name: str, source: str, mirrors: Path, progress: Progress | None = None) -> Tally:
    """What was new in the list `name`; it is in the index now.

    `source` is the path or the URL of a public-inbox archive (the folder with its epochs, or one epoch), or a mailbox
    file. Archives at a URL are copied below `mirrors`. Raises NotFoundError where there is no such source, OutsideError
    where it cannot be read or fetched.
    """
    tally = Tally()
    report = progress or (lambda _: None)
    epochs = fetch_epochs(source, mirrors)
    for path in epochs:
        with Repository.open(path) as archive:
            _update_archive(index, name, str(path), archive, tally, report)
    if not epochs and not is_url(source):
        _update_mailbox(index, name, Path(source), tally, report)
    return tally


def _update_archive(
    index: IndexWriter, name: str, path: str, archive: Repository, tally: Tally, progress: Progress
) -> None:
    tips = sorted({ref.commit for ref in archive.refs() if ref.name.startswith("refs/heads/")})
    done = index.state(name, path).split()
    if done == tips:
        return
    known = [found[0] for found in archive.objects.check(done) if found]
    if len(known) < len(done):  # rewritten, to take mails out: what is left is read again
        index.forget(name, [path])
        known = []
    arrivals = _arrivals(archive, tips, known)
    for start in range(len(arrivals), 0, -_BATCH):
        batch = [_parse_arrival(line) for line in reversed(arrivals[max(0, start - _BATCH) : start])]
        last = {one.blob: one for one in batch}  # what came and went in one batch is gone
        mails = list(_located(archive, [one for one in last.values() if not one.is_gone], tally))
        gone = [bytes.fromhex(one.blob) for one in last.values() if one.is_gone]
        tally.added += index.add(name, path, mails, batch[-1].commit, gone)
        progress(tally.mails)
    index.add(name, path, (), " ".join(tips))


def _arrivals(archive: Repository, tips: Sequence[str], known: Sequence[str]) -> list[bytes]:
    """The commits' mails, newest first, as short lines: an archive has hundreds of thousands."""
    found: list[bytes] = []
    commit, blobs = b"", (b"", b"")
    with archive.raw_log(tips, known) as stream:
        for tokens in iter_tokens(stream):
            for token in tokens:
                if (start := token[:2].find(b"\1")) >= 0:
                    commit = b" ".join(token[start + 1 :].split()[:2])
                elif match := _RAW.fullmatch(token):
                    blobs = match[1], match[2]
                elif blobs[1].strip(b"0"):
                    found.append(b"%s %s %s" % (commit, blobs[1], b"gone" if token == _TAKEN_BACK else b""))
                elif token != b"m" and blobs[0].strip(b"0"):  # layout v1: the file of the mail is deleted
                    found.append(b"%s %s gone" % (commit, blobs[0]))
    return found


def _parse_arrival(line: bytes) -> _Arrival:
    commit, time, blob, *gone = line.decode("ascii").split()
    return _Arrival(commit, int(time), blob, bool(gone))


def _located(archive: Repository, batch: Sequence[_Arrival], tally: Tally) -> Iterator[Located]:
    times = {one.blob: one.time for one in batch}
    tally.mails += len(times)
    sizes = zip(times, archive.objects.check(list(times)), strict=True)
    small = [oid for oid, found in sizes if found and found[1] == "blob" and found[2] <= MAX_MAIL]
    tally.damaged += len(times) - len(small)
    for oid, raw in archive.contents(small):
        imported = datetime.fromtimestamp(min(times[oid], 2**32), UTC)
        if entry := _entry(raw, imported, tally):
            yield Located(entry, bytes.fromhex(oid))


def _update_mailbox(index: IndexWriter, name: str, file: Path, tally: Tally, progress: Progress) -> None:
    try:
        if not file.is_file():
            raise NotFoundError(
                f"'{file}' is no list", hint="a public-inbox archive, here or at a URL, or an mbox file is wanted"
            )
        status = file.stat()
        state = f"{status.st_size} {status.st_mtime_ns}"
        if index.state(name, str(file)) == state:
            return
        mails = split_mbox(file.read_bytes(), str(file))
    except OSError as error:
        raise OutsideError(f"cannot read '{file}': {error.strerror}") from error
    for start in range(0, len(mails), _BATCH):
        batch = mails[start : start + _BATCH]
        tally.mails += len(batch)
        found = [Located(entry, mail_id(mail)) for mail in batch if (entry := _entry(mail, None, tally))]
        tally.added += index.add(name, str(file), found, "")
        progress(tally.mails)
    index.add(name, str(file), (), state)


def _entry(raw: bytes, imported: datetime | None, tally: Tally) -> Entry | None:
    try:
        return parse_entry(one_mail(raw), imported)
    except InputError:
        tally.damaged += 1
        return None
