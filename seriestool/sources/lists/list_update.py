# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists read into the index: public-inbox git archives, here or at a URL, and mailbox files.

An archive is read oldest mail first from where the last update stopped, and each batch is marked as read together
with what it added: an update that is cut short loses one batch, and two at once do the same work twice, harmlessly.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from seriestool.git import Repository
from seriestool.series.mail import split_mbox
from seriestool.sources.archive.public_inbox import (
    ArchiveChange,
    find_archive_changes,
    is_url,
    read_epochs,
    small_mails,
)
from seriestool.sources.lists.indexed_mail import MAX_MAIL, IndexedMail, parse_entry
from seriestool.sources.lists.patch_index import mail_id, normalize_mail
from seriestool.sources.lists.patch_index_writer import ArchivedMail, PatchIndexWriter
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from seriestool.util.progress import TransferListener

Progress = Callable[[int], None]

_BATCH = 1000  # mails


class UpdateTally(Struct):
    """What an update has done so far."""

    mails: int = 0
    added: int = 0
    """Patches that the index did not know."""
    damaged: int = 0
    """Mails that were left out: a diff that git could not read either, or a mail of unbearable size."""


def update_list(
    index: PatchIndexWriter,
    name: str,
    source: str,
    mirrors: Path,
    progress: Progress | None = None,
    listener: TransferListener | None = None,
) -> UpdateTally:
    """What was new in the list `name`; it is in the index now.

    `source` is the path or the URL of a public-inbox archive (the folder with its epochs, or one epoch), or a mailbox
    file. Archives at a URL are copied below `mirrors`. Raises NotFoundError where there is no such source, OutsideError
    where it cannot be read or fetched.
    """
    tally = UpdateTally()
    report = progress or (lambda _: None)

    def read(path: Path) -> None:
        with Repository.open(path) as archive:
            _update_archive(index=index, name=name, path=str(path), archive=archive, tally=tally, progress=report)

    if not read_epochs(source, mirrors, read, listener) and not is_url(source):
        _update_mailbox(index=index, name=name, file=Path(source), tally=tally, progress=report)
    return tally


def _update_archive(
    index: PatchIndexWriter, name: str, path: str, archive: Repository, tally: UpdateTally, progress: Progress
) -> None:
    changes = find_archive_changes(archive, index.state(name, path).split())
    if changes is None:
        return
    if changes.is_rewritten:  # what is left is read again
        index.forget(name, [path])
    for batch in changes.batches(_BATCH):
        last = {one.blob: one for one in batch}  # what came and went in one batch is gone
        mails = list(_archived_mails(archive, [one for one in last.values() if not one.is_gone], tally))
        gone = [bytes.fromhex(one.blob) for one in last.values() if one.is_gone]
        tally.added += index.add(name, path, mails, batch[-1].commit, gone)
        progress(tally.mails)
    index.add(name, path, (), " ".join(changes.tips))


def _archived_mails(archive: Repository, batch: Sequence[ArchiveChange], tally: UpdateTally) -> Iterator[ArchivedMail]:
    times = {one.blob: one.time for one in batch}
    tally.mails += len(times)
    tally.damaged += len(times)
    for oid, raw in small_mails(archive, list(times), MAX_MAIL):
        tally.damaged -= 1
        imported = datetime.fromtimestamp(min(times[oid], 2**32), UTC)
        if entry := _entry(raw, imported, tally):
            yield ArchivedMail(entry, bytes.fromhex(oid))


def _update_mailbox(index: PatchIndexWriter, name: str, file: Path, tally: UpdateTally, progress: Progress) -> None:
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
        found = [ArchivedMail(entry, mail_id(mail)) for mail in batch if (entry := _entry(mail, None, tally))]
        tally.added += index.add(name, str(file), found, "")
        progress(tally.mails)
    index.add(name, str(file), (), state)


def _entry(raw: bytes, imported: datetime | None, tally: UpdateTally) -> IndexedMail | None:
    try:
        return parse_entry(normalize_mail(raw), imported)
    except InputError:
        tally.damaged += 1
        return None
