# SPDX-License-Identifier: GPL-2.0-or-later
"""Where records come from: public-inbox git archives (here or at a URL), folders of mails, mailboxes.

Each source is read from where the last update stopped. What was read is marked only after it is in the index, so an
update that is cut short reads some records again, and the index knows them by their message-id.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from seriestool.git import Repository
from seriestool.series.mail import split_mbox
from seriestool.sources.archive.public_inbox import (
    fetch_epochs,
    find_archive_changes,
    find_epochs,
    is_url,
    small_mails,
)
from seriestool.sources.pushlog import MAX_RECORD, Push, parse_push
from seriestool.sources.pushlog.push_log_index import PushLog
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.progress import TransferListener

Progress = Callable[[int], None]

_MAX_FILES = 5_000_000


class _SourceItem(NamedTuple):
    """A part of a source that is read as a whole: an archive's epoch, a file."""

    name: str
    state: str
    """How it is now; it is read again when this has changed."""
    mails: Iterable[bytes]
    gone: Iterable[bytes] = ()
    """Mails that the archive took back."""


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
    mails, or a mailbox. Archives at a URL are copied below `mirrors`. Pushes before `since` are left out, and those
    whose record an archive took back are taken out.
    Raises NotFoundError where there is no such source, OutsideError where it cannot be read or fetched.
    """
    added = 0
    # An earlier `since` than last time is another question, so everything is read again for it.
    key = f"{source} {since.isoformat() if since else ''}"
    for items in _batches(source, key, log, mirrors, listener):
        added += log.add((push for item in items for push in _pushes(item, since)), progress)
        log.remove(push.msgid for item in items for mail in item.gone if (push := parse_push(mail)))
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
    changes = find_archive_changes(archive, (done or "").split())
    if changes is None:
        return None
    come, gone = (small_mails(archive, blobs, MAX_RECORD) for blobs in changes.settled())
    return _SourceItem(name, " ".join(changes.tips), (raw for _, raw in come), (raw for _, raw in gone))


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
