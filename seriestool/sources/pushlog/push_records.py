# SPDX-License-Identifier: GPL-2.0-or-later
"""Where records come from: public-inbox git archives (here or at a URL), folders of mails, mailboxes.

Each source is read from where the last update stopped. What was read is marked only after it is in the index, so an
update that is cut short reads some records again, and the index knows them by their message-id.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from seriestool.git import Repository, iter_tokens
from seriestool.series.mail import split_mbox
from seriestool.sources.archive.public_inbox import fetch_epochs, find_epochs, is_url
from seriestool.sources.pushlog import MAX_RECORD, Push, parse_push
from seriestool.sources.pushlog.push_log_index import PushLog
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.progress import TransferListener

Progress = Callable[[int], None]

_RAW = re.compile(rb"\n?:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*")
_MAX_FILES = 5_000_000


class _SourceItem(NamedTuple):
    """A part of a source that is read as a whole: an archive's epoch, a file."""

    name: str
    state: str
    """How it is now; it is read again when this has changed."""
    mails: Iterable[bytes]


def read_source(
    source: str,
    log: PushLog,
    mirrors: Path,
    since: datetime | None = None,
    progress: Progress | None = None,
    listener: TransferListener | None = None,
) -> int:
    """How many pushes the source had that the index did not know; they are in it now.

    `source` is the path or the URL of a public-inbox archive (the folder with its epochs, or one epoch), a folder of
    mails, or a mailbox. Archives at a URL are copied below `mirrors`. Pushes before `since` are left out.
    Raises NotFoundError where there is no such source, OutsideError where it cannot be read or fetched.
    """
    added = 0
    # An earlier `since` than last time is another question, so everything is read again for it.
    key = f"{source} {since.isoformat() if since else ''}"
    for items in _batches(source, key, log, mirrors, listener):
        added += log.add((push for item in items for push in _pushes(item, since)), progress)
        log.set_state(key, [(item.name, item.state) for item in items])
    return added


def _pushes(item: _SourceItem, since: datetime | None) -> Iterator[Push]:
    for mail in item.mails:
        push = parse_push(mail)
        if push and (since is None or push.time >= since):
            yield push


def _batches(
    source: str, key: str, log: PushLog, mirrors: Path, listener: TransferListener | None
) -> Iterator[list[_SourceItem]]:
    for path in fetch_epochs(source, mirrors, listener):
        with Repository.open(path) as archive:
            done = log.state(key, str(path))
            if item := _archive(archive, str(path), done):
                yield [item]
    if is_url(source) or find_epochs(Path(source)):
        return
    files: list[_SourceItem] = []
    for item in _files(Path(source)):
        if log.state(key, item.name) != item.state:
            files.append(item)
        if len(files) == 1000:
            yield files
            files = []
    yield files


def _archive(archive: Repository, name: str, done: str | None) -> _SourceItem | None:
    tips = sorted({ref.commit for ref in archive.refs() if ref.name.startswith("refs/heads/")})
    state = " ".join(tips)
    return None if state == done else _SourceItem(name, state, _blobs(archive, tips, (done or "").split()))


def _blobs(archive: Repository, tips: Iterable[str], done: Iterable[str]) -> Iterator[bytes]:
    """The mails that commits put into the archive; public-inbox has one in each (public-inbox-v2-format(5))."""
    known = [found[0] for found in archive.objects.check(list(done)) if found]  # a rewritten archive has lost them
    with archive.raw_log(tips, known) as stream:
        for tokens in iter_tokens(stream):
            oids = [match[1].decode() for token in tokens if (match := _RAW.fullmatch(token))]
            wanted = [oid for oid in oids if oid.strip("0")]
            for found in archive.objects.check(wanted):
                if found and found[1] == "blob" and found[2] <= MAX_RECORD:
                    blob = archive.objects.read(found[0])
                    yield blob[2] if blob else b""


def _files(path: Path) -> Iterator[_SourceItem]:
    if not path.exists():
        raise NotFoundError(f"'{path}' does not exist")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    if len(files) > _MAX_FILES:
        raise InputError(f"'{path}' has more than {_MAX_FILES} files")
    for file in files:
        status = file.stat()
        yield _SourceItem(str(file), f"{status.st_size} {status.st_mtime_ns}", _mails(file))


def _mails(file: Path) -> Iterator[bytes]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise OutsideError(f"cannot read '{file}': {error.strerror}") from error
    yield from split_mbox(data, str(file))
