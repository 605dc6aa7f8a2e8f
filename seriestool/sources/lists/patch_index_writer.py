# SPDX-License-Identifier: GPL-2.0-or-later
"""What is added to the index of patches, and taken from it. Each batch goes in whole or not at all."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seriestool.series.mail.mail_summary import MailSummary, pack_summary, unpack_summary
from seriestool.sources.lists import BlobEdge
from seriestool.sources.lists.indexed_mail import IndexedMail, work_number
from seriestool.sources.lists.patch_index import PatchIndex
from seriestool.sources.lists.patch_index_tables import KINDS, SCHEMA, blob_number
from seriestool.sources.lists.posting_groups import PostingGroup, find_posting_groups
from seriestool.util.database import Database, make_database

if TYPE_CHECKING:
    import sqlite3

_RECENT = 4 * 24 * 3600  # seconds in which the mails of a series come, or its cover letter late
_MOST_RECENT = 1000


class ArchivedMail(NamedTuple):
    """A mail and the id of the blob that it is in the archive; 20 bytes, or 32."""

    entry: IndexedMail
    blob: bytes


class PatchIndexWriter(PatchIndex):
    """The index, to add to; `make_index` opens it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._interned: dict[tuple[str, str | bytes], int] = {}

    def state(self, name: str, path: str) -> str:
        """How far this part of a list was read; '' where it was not."""
        rows = self._rows("SELECT state FROM source WHERE list = ? AND path = ?", name, path)
        return str(rows[0][0]) if rows else ""

    def add(self, name: str, path: str, mails: Sequence[ArchivedMail], state: str, gone: Sequence[bytes] = ()) -> int:
        """How many of the mails are patches that were not known.

        The part `path` of the list `name` has been read up to `state` then. `gone` are the blobs of mails that the
        archive took back.
        """
        with self._database.transaction() as connection:
            self._interned.clear()  # another process may have made the index anew, or taken a list out
            source = self._source(connection, name, path, state)
            added = sum(self._add_patch(connection, mail, source) for mail in mails if mail.entry.edges)
            self._add_threads(connection, name, [mail.entry.known for mail in mails])
            if gone:
                # A mail can be taken back in a later epoch than its own.
                sources = "SELECT id FROM source WHERE list = ?"
                blobs = ", ".join("?" * len(gone))
                connection.execute(
                    f"DELETE FROM place WHERE source IN ({sources}) AND blob IN ({blobs})",  # noqa: S608
                    (name, *gone),
                )
                drop_unplaced(connection)
        return added

    def forget(self, name: str, paths: Iterable[str] | None = None) -> None:
        """Take a list out, or these parts of it; patches that no other list has go with it."""
        with self._database.transaction() as connection:
            if paths is None:
                paths = [row[0] for row in connection.execute("SELECT path FROM source WHERE list = ?", (name,))]
                connection.execute("DELETE FROM recent WHERE list = ?", (name,))
            for path in paths:
                sources = "(SELECT id FROM source WHERE list = ? AND path = ?)"
                connection.execute(f"DELETE FROM place WHERE source IN {sources}", (name, path))  # noqa: S608
                connection.execute("DELETE FROM source WHERE list = ? AND path = ?", (name, path))
            drop_unplaced(connection)

    def _source(self, connection: "sqlite3.Connection", name: str, path: str, state: str) -> int:
        connection.execute(
            "INSERT INTO source VALUES (NULL, ?, ?, ?) ON CONFLICT (list, path) DO UPDATE SET state = excluded.state",
            (name, path, state),
        )
        row = connection.execute("SELECT id FROM source WHERE list = ? AND path = ?", (name, path)).fetchone()
        return int(row[0])

    def _add_patch(self, connection: "sqlite3.Connection", mail: ArchivedMail, source: int) -> int:
        entry, known = mail.entry, mail.entry.known
        counter, expected = known.subject.counter, known.subject.expected
        values = (
            known.msgid,
            entry.subject,
            self._intern(connection, "person", entry.author),
            int(known.posted.timestamp()),
            known.subject.version,
            1 if counter is None else counter,
            expected,
            None,
            work_number(known.sender, known.subject.title),
            bytes.fromhex(entry.patch_id) if entry.patch_id else None,
        )
        cursor = connection.execute("INSERT OR IGNORE INTO patch VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        is_new = cursor.rowcount == 1
        number = cursor.lastrowid if is_new else self._numbers("SELECT id FROM patch WHERE msgid = ?", known.msgid)[0]
        if is_new:
            rows = [self._edge_row(connection, number, place, edge) for place, edge in enumerate(entry.edges)]
            connection.executemany("INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", (number, source, mail.blob))
        return int(is_new)

    def _edge_row(
        self, connection: "sqlite3.Connection", patch: int | None, place: int, edge: BlobEdge
    ) -> Sequence[object]:
        old_path = self._intern(connection, "path", edge.old_path) if edge.old_path is not None else None
        path = self._intern(connection, "path", edge.path)
        return path, patch, place, old_path, KINDS.index(edge.kind), blob_number(edge.old), blob_number(edge.new)

    def _intern(self, connection: "sqlite3.Connection", table: str, name: str | bytes) -> int:
        if (table, name) not in self._interned:
            connection.execute(f"INSERT OR IGNORE INTO {table} VALUES (NULL, ?)", (name,))  # noqa: S608
            found = connection.execute(f"SELECT id FROM {table} WHERE name = ?", (name,))  # noqa: S608
            self._interned[table, name] = found.fetchone()[0]
        return self._interned[table, name]

    def _add_threads(self, connection: "sqlite3.Connection", name: str, known: Sequence[MailSummary]) -> None:
        """Say which series the mails belong to, knowing the mails that came shortly before."""
        rows = connection.execute("SELECT mail FROM recent WHERE list = ?", (name,))
        before = [unpack_summary(row[0]) for row in rows]
        for group in find_posting_groups([*before, *known], {mail.msgid for mail in known}):
            _set_series(connection, group)
        connection.executemany(
            "INSERT OR IGNORE INTO recent VALUES (?, ?, ?, ?)",
            [(name, mail.msgid, int(mail.posted.timestamp()), pack_summary(mail)) for mail in known],
        )
        _forget_old(connection, name)


def make_index(path: Path) -> PatchIndexWriter:
    """The index to add to: the one that is there, or a new one where there is none or it is damaged."""
    return PatchIndexWriter(make_database(path, SCHEMA))


def drop_unplaced(connection: "sqlite3.Connection") -> None:
    """Take out the patches that no list has any more."""
    connection.execute("DELETE FROM patch WHERE id NOT IN (SELECT patch FROM place)")
    connection.execute("DELETE FROM edge WHERE patch NOT IN (SELECT id FROM patch)")
    connection.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM patch WHERE series IS NOT NULL)")


def _set_series(connection: "sqlite3.Connection", group: PostingGroup) -> None:
    connection.execute(
        "INSERT INTO series VALUES (NULL, ?, ?, ?, ?) ON CONFLICT (msgid) DO UPDATE SET rank = excluded.rank, "
        "title = excluded.title, change_id = excluded.change_id WHERE excluded.rank <= rank",
        (group.msgid, group.rank, group.title, group.change_id),
    )
    (number,) = connection.execute("SELECT id FROM series WHERE msgid = ?", (group.msgid,)).fetchone()
    connection.executemany(
        # Another list, or an earlier batch, may have seen more of the series.
        "UPDATE patch SET series = ?, version = ?, counter = ?, expected = ? WHERE msgid = ? "
        "AND coalesce((SELECT rank FROM series WHERE id = patch.series), ?) >= ?",
        [
            (number, group.version, counter, group.expected, msgid, group.rank, group.rank)
            for counter, msgid in group.patches
        ],
    )


def _forget_old(connection: "sqlite3.Connection", name: str) -> None:
    # Nine tenths of the way: one mail from the future must not push all others out.
    times = sorted(row[0] for row in connection.execute("SELECT posted FROM recent WHERE list = ?", (name,)))
    if not times:
        return
    ends = times[len(times) * 9 // 10]
    oldest = max(ends - _RECENT, times[max(0, len(times) - _MOST_RECENT)])
    connection.execute("DELETE FROM recent WHERE list = ? AND posted < ?", (name, oldest))
