# SPDX-License-Identifier: GPL-2.0-or-later
"""New mails of a list, into the table of mails.

A list is read from where its cursor stands. Each batch of mails and the cursor go in together: cut short anywhere,
nothing is lost, and what is read twice is there once, by its message-id. A list that cannot be read says so in its
cursor, and the others go on.

An archive at a URL is read with git where there is a git archive (a copy is kept), else over HTTP by the server's
search; `via` says which, where somebody cares. The first time only the mails of some days are read.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from seriestool.bot.intake.list_cursor import ListPosition, get_position, set_cursor
from seriestool.bot.intake.mail_table import IncomingMail, ListReadResult, insert_mails, is_usable_msgid, remove_mails
from seriestool.bot.intake.time_slices import read_slices
from seriestool.bot.store import Store
from seriestool.git import Repository
from seriestool.series.mail import Mail, split_mbox
from seriestool.sources.archive.public_inbox import (
    ArchiveChange,
    find_archive_changes,
    is_url,
    newest_time,
    read_epochs,
    small_mails,
)
from seriestool.sources.lists.indexed_mail import MAX_MAIL
from seriestool.sources.lore import Lore
from seriestool.util.config import Config
from seriestool.util.errors import InputError, NotFoundError, SeriestoolError
from seriestool.util.progress import noted_transfer

_LOG = logging.getLogger(__name__)

_DAY = 24 * 3600
_REWRITTEN = 2 * _DAY  # so much before it was read last an archive is read again when its history was rewritten
_MAX_ERROR = 500
_MAILBOX = "mbox"


class ReadLimits(Struct, frozen=True, kw_only=True):
    """How much is read."""

    first_days: int | None = 14
    """The first time: mails of so many days; None: all."""
    batch: int = 500
    """Mails in a transaction, at most."""
    batch_bytes: int = 8_000_000
    """Bytes of mails in a transaction, at most, unless it is one."""
    most: int = 100_000
    """Mails in one go; the others come the next time."""
    largest: int = MAX_MAIL
    """Bytes of a mail; larger ones are left out."""


def read_list(
    store: Store,
    name: str,
    source: str,
    mirrors: Path,
    now: int,
    via: str | None = None,
    limits: ReadLimits | None = None,
    config: Config | None = None,
) -> ListReadResult:
    """What was new on the list `name`; it is in the table of mails now.

    `source` is the path or the URL of a public-inbox archive, or an mbox file. Copies of git archives are kept below
    `mirrors`; `now` is unix time; `via` is git or http; `config` is git-config, for what it says of servers. A list
    that cannot be read is no exception: the tally and the cursor have the error.
    Raises OutsideError where the database cannot be used.
    """
    reader = _ListReader(
        store=store,
        name=name,
        mirrors=mirrors,
        now=now,
        limits=limits or ReadLimits(),
        position=get_position(store, name, source),
    )
    error = None
    try:
        reader.read(via, config or {})
    except SeriestoolError as problem:
        error = problem.message
    except OSError as problem:
        error = problem.strerror or type(problem).__name__
    reader.tally.error = " ".join(error.split())[:_MAX_ERROR] if error else None
    with store.transaction() as connection:
        set_cursor(connection=connection, name=name, position=reader.position, now=now, error=reader.tally.error)
    return reader.tally


class _ListReader:
    """One look at one list; `position` is what the database has."""

    def __init__(
        self, store: Store, name: str, mirrors: Path, now: int, limits: ReadLimits, position: ListPosition
    ) -> None:
        self.store = store
        self.name = name
        self.mirrors = mirrors
        self.now = now
        self.limits = limits
        self.position = position
        self.tally = ListReadResult()

    def read(self, via: str | None, config: Config) -> None:
        """Read on; by git or over HTTP as `via` says, or else as it was done the last time, or can be done."""
        source = self.position.source
        if via not in (None, "git", "http"):
            raise InputError(f"'{via}' is no way to read a list", hint="git or http")
        if not is_url(source) and Path(source).is_file():
            self.read_mailbox(Path(source))
            return
        way = via or self.position.way
        if way == "http" or not self.read_git(can_ask=way == "" and source.startswith(("http://", "https://"))):
            self.read_server(Lore(source, lambda: config))

    def read_git(self, can_ask: bool) -> bool:
        """Whether there is a git archive; it has been read. NotFoundError where not, unless a server can be asked."""
        source = self.position.source
        listener = noted_transfer(_LOG.info, f"fetching '{self.name}'")
        try:
            if not self.position.done and self.limits.first_days is not None:
                times: list[int] = [0]
                read_epochs(source, self.mirrors, lambda path: times.append(_newest(path)), listener)
                # A clock that is in the future now must not hide what the archive has.
                since = min(self.now, max(times)) - self.limits.first_days * _DAY
                self.position = replace(self.position, since=max(0, since))
            found = read_epochs(source, self.mirrors, self.read_epoch, listener)
        except NotFoundError:
            if not can_ask:
                raise
            return False
        if not found:
            raise NotFoundError(f"'{source}' is no list", hint="a public-inbox archive, or an mbox file, is wanted")
        return True

    def read_epoch(self, path: Path) -> None:
        """Read on in one repository of the archive."""
        position = replace(self.position, way="git")
        with Repository.open(path) as archive:
            done = position.done.get(path.name, ())
            changes = find_archive_changes(archive, done, position.since if not done else 0)
            if changes is not None and changes.is_rewritten:
                since = max(0, min(position.read_at, self.now) - _REWRITTEN)
                changes = find_archive_changes(archive, ("0" * archive.oid_size * 2,), since)
            if changes is None:
                return
            for batch in changes.batches(self.limits.batch):
                self.keep_arrivals(archive, batch, position.with_done(path.name, batch[-1].commit))
                if self.tally.mails >= self.limits.most:
                    return
            self.keep((), (), self.position.with_done(path.name, *changes.tips))

    def keep_arrivals(self, archive: Repository, batch: Sequence[ArchiveChange], then: ListPosition) -> None:
        """Keep what the batch brought, and forget what it took back."""
        last = {one.blob: one for one in batch}  # what came and went in one batch is gone
        come = [one.blob for one in last.values() if not one.is_gone]
        gone = [one.blob for one in last.values() if one.is_gone]
        held: list[IncomingMail] = []
        size = kept = 0
        for oid, raw in small_mails(archive, come, self.limits.largest):
            held.append(IncomingMail(raw, last[oid].time))
            kept += 1
            size += len(raw)
            if size > self.limits.batch_bytes:
                self.keep(held, (), self.position)
                held, size = [], 0
        taken = [Mail(raw).msgid for _, raw in small_mails(archive, gone, self.limits.largest)]
        self.keep(held, [one for one in taken if is_usable_msgid(one)], then)
        self.tally.mails += len(come)
        self.tally.left_out += len(come) - kept

    def read_server(self, lore: Lore) -> None:
        """Read on over HTTP."""
        if not self.position.until:
            lore.check_inbox()
        days = self.limits.first_days
        since = self.position.until or (0 if days is None else max(0, self.now - days * _DAY))
        for mails, until in read_slices(lore.find_mails, since, self.now):
            small = [raw for raw in mails if len(raw) <= self.limits.largest]
            for some in _lots(small, self.limits):
                self.keep(some, (), self.position)
            self.keep((), (), replace(self.position, way="http", until=max(self.position.until, until)))
            self.tally.mails += len(mails)
            self.tally.left_out += len(mails) - len(small)
            if self.tally.mails >= self.limits.most:
                return

    def read_mailbox(self, file: Path) -> None:
        """Read a mailbox, where it has changed: all of it."""
        status = file.stat()
        state = f"{status.st_size} {status.st_mtime_ns}"
        if self.position.done.get(_MAILBOX) == (state,):
            return
        mails = split_mbox(file.read_bytes(), str(file))
        for some in _lots(mails, self.limits):
            self.keep(some, (), self.position)
        self.keep((), (), self.position.with_done(_MAILBOX, state))
        self.tally.mails += len(mails)

    def keep(self, mails: Sequence[IncomingMail], gone: Sequence[str], then: ListPosition) -> None:
        """The mails, and where the list stands then, in one transaction."""
        then = replace(then, read_at=self.now)
        with self.store.transaction() as connection:
            insert_mails(connection=connection, name=self.name, mails=mails, now=self.now, tally=self.tally)
            remove_mails(connection, gone)
            set_cursor(connection=connection, name=self.name, position=then, now=self.now, error=None)
        self.position = then
        self.tally.gone += len(gone)


def _newest(path: Path) -> int:
    with Repository.open(path) as archive:
        return newest_time(archive)


def _lots(mails: Sequence[bytes], limits: ReadLimits) -> Iterator[list[IncomingMail]]:
    held: list[IncomingMail] = []
    size = 0
    for raw in mails:
        held.append(IncomingMail(raw))
        size += len(raw)
        if len(held) >= limits.batch or size > limits.batch_bytes:
            yield held
            held, size = [], 0
    yield held
