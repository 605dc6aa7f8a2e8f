# SPDX-License-Identifier: GPL-2.0-or-later
"""The index over the push log: one SQLite file, from a commit to the branches that it was the tip of.

A commit is looked up by the first 60 bits of its id as a number, so that an abbreviated id is a range; full ids decide.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from seriestool.sources.pushlog import Push, PushedCommit, RefUpdate, utc_time
from seriestool.util.database import Database, DatabaseSchema, find_database, make_database, prefix_number, prefix_range
from seriestool.util.errors import InputError
from seriestool.util.json_struct import JsonStruct

_BATCH = 2000  # records in one transaction
_TABLES = """
CREATE TABLE push (id INTEGER PRIMARY KEY, msgid TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, user TEXT NOT NULL);
CREATE TABLE place (id INTEGER PRIMARY KEY, repo TEXT NOT NULL, ref TEXT NOT NULL, UNIQUE (repo, ref));
CREATE TABLE change (id INTEGER PRIMARY KEY, push INTEGER NOT NULL, place INTEGER NOT NULL, old BLOB, new BLOB,
                     commits BLOB NOT NULL);
CREATE INDEX change_by_place ON change (place);
CREATE INDEX change_by_push ON change (push);
CREATE TABLE tip (prefix INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (prefix, place)) WITHOUT ROWID;
CREATE TABLE carried (prefix INTEGER NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (prefix, change)) WITHOUT ROWID;
CREATE TABLE done (source TEXT NOT NULL, item TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (source, item));
"""
_SCHEMA = DatabaseSchema(
    1, _TABLES, "the push log's index", hint="run 'seriestool trees push-log update' to make it again"
)


class Sighting(JsonStruct, frozen=True):
    """One time that a commit was seen in a repository."""

    commit: str
    repo: str
    ref: str
    role: Literal["tip", "carried"]
    """The ref pointed to it; or it came below the tip of a push."""
    since: datetime | None
    """When it was pushed; None where the log does not have that push. UTC."""
    until: datetime | None
    """When the push came that replaced it; None where the log does not have that push, or it is the tip still."""
    gone_by: datetime | None
    """Where `until` is not known: by when something else was the tip; None where nothing newer was seen."""
    msgid: str
    """Of the push that replaced it; where that is not known, of the one that brought it."""


class _RefEvent(NamedTuple):
    time: int
    msgid: str
    old: str | None
    new: str | None


class PushLog:
    """The push log's index; open it with `find_log` to ask, with `make_log` to add to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM push")[0][0])

    def find_commit(self, oid: str, limit: int = 200) -> tuple[Sighting, ...]:
        """Where the commit was seen: first as a tip, the latest first, then as carried by a push, the first one first.

        `oid` may be abbreviated to 7 digits; of an ambiguous one all commits are told. At most `limit` of each kind.
        Raises InputError where it is no id.
        """
        _check_id(oid)
        low, high = prefix_range(oid)
        places = self._rows("SELECT DISTINCT place FROM tip WHERE prefix BETWEEN ? AND ? LIMIT 1000", low, high)
        tips = [sighting for (place,) in places for sighting in self._tips(place, oid)]
        tips.sort(key=lambda tip: (_newest(tip), tip.repo, tip.ref), reverse=True)
        return (*tips[:limit], *islice(self._carried(oid, low, high), limit))

    def find_push(self, msgid: str) -> Push | None:
        """The push that the record told of, with the commits it carried, or None where it is not in the log."""
        found = self._rows("SELECT id, time, user FROM push WHERE msgid = ?", msgid)
        if not found:
            return None
        number, time, user = found[0]
        rows = self._rows(
            "SELECT repo, ref, old, new, commits FROM change JOIN place ON place.id = place WHERE push = ? "
            "ORDER BY change.id",
            number,
        )
        changes = tuple(RefUpdate(ref, _hex(old), _hex(new), _unpack(commits)) for _, ref, old, new, commits in rows)
        return Push(msgid=msgid, repo=rows[0][0] if rows else "", user=user, time=utc_time(time), changes=changes)

    def add(self, pushes: Iterable[Push], progress: Callable[[int], None] | None = None) -> int:
        """How many of the pushes were new; each batch of them is added whole or not at all."""
        added = seen = 0
        stream = iter(pushes)
        while batch := list(islice(stream, _BATCH)):
            with self._database.transaction():
                added += sum(self._add(push) for push in batch)
            seen += len(batch)
            if progress:
                progress(seen)
        return added

    def remove(self, msgids: Iterable[str]) -> None:
        """Take out the pushes that these records told of, where they are there."""
        with self._database.transaction() as connection:
            for msgid in msgids:
                question = "SELECT change.id, new, commits FROM change JOIN push ON push.id = push WHERE msgid = ?"
                for row, new, commits in self._rows(question, msgid):
                    carried = [(prefix_number(commit), row) for commit, _ in _unpack(commits) if commit != _hex(new)]
                    connection.executemany("DELETE FROM carried WHERE prefix = ? AND change = ?", carried)
                    connection.execute("DELETE FROM change WHERE id = ?", (row,))
                connection.execute("DELETE FROM push WHERE msgid = ?", (msgid,))

    def state(self, source: str, item: str) -> str | None:
        """What `set_state` was last told of this item of a source."""
        rows = self._rows("SELECT state FROM done WHERE source = ? AND item = ?", source, item)
        return str(rows[0][0]) if rows else None

    def set_state(self, source: str, items: Iterable[tuple[str, str]]) -> None:
        """How far each item of a source has been read."""
        with self._database.transaction() as connection:
            rows = [(source, item, state) for item, state in items]
            connection.executemany("INSERT OR REPLACE INTO done VALUES (?, ?, ?)", rows)

    def _tips(self, place: int, oid: str) -> Iterator[Sighting]:
        repo, ref = self._rows("SELECT repo, ref FROM place WHERE id = ?", place)[0]
        rows = self._rows("SELECT time, msgid, old, new FROM change JOIN push ON push.id = push WHERE place = ?", place)
        events = sorted(_RefEvent(time, msgid, _hex(old), _hex(new)) for time, msgid, old, new in rows)
        named = {tip for event in events for tip in (event.old, event.new) if tip and tip.startswith(oid)}
        for commit in sorted(named):
            yield from _tip_periods(events, commit, repo, ref)

    def _carried(self, oid: str, low: int, high: int) -> Iterator[Sighting]:
        rows = self._rows(
            "SELECT repo, ref, time, msgid, new, commits FROM carried JOIN change ON change.id = change "
            "JOIN push ON push.id = push JOIN place ON place.id = place WHERE prefix BETWEEN ? AND ? "
            "ORDER BY time, msgid LIMIT 10000",
            low,
            high,
        )
        for repo, ref, time, msgid, new, commits in rows:
            for commit, _ in _unpack(commits):
                if commit.startswith(oid) and commit != _hex(new):
                    yield Sighting(
                        commit=commit,
                        repo=repo,
                        ref=ref,
                        role="carried",
                        since=utc_time(time),
                        until=None,
                        gone_by=None,
                        msgid=msgid,
                    )

    def _add(self, push: Push) -> int:
        execute = self._database.connection.execute
        time = int(push.time.timestamp())
        cursor = execute("INSERT OR IGNORE INTO push VALUES (NULL, ?, ?, ?)", (push.msgid, time, push.user))
        if not cursor.rowcount:
            return 0
        number = cursor.lastrowid
        for change in push.changes:
            place = self._place(push.repo, change.ref)
            values = (number, place, _raw(change.old), _raw(change.new), _pack(change.commits))
            row = execute("INSERT INTO change VALUES (NULL, ?, ?, ?, ?, ?)", values).lastrowid
            tips = [(prefix_number(tip), place) for tip in (change.old, change.new) if tip]
            carried = [(prefix_number(commit), row) for commit, _ in change.commits if commit != change.new]
            self._database.connection.executemany("INSERT OR IGNORE INTO tip VALUES (?, ?)", tips)
            self._database.connection.executemany("INSERT OR IGNORE INTO carried VALUES (?, ?)", carried)
        return 1

    def _place(self, repo: str, ref: str) -> int:
        self._database.connection.execute("INSERT OR IGNORE INTO place VALUES (NULL, ?, ?)", (repo, ref))
        return int(self._rows("SELECT id FROM place WHERE repo = ? AND ref = ?", repo, ref)[0][0])

    def _rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.rows(question, values)


def find_log(path: Path) -> PushLog | None:
    """The index to ask, or None where there is none; raises OutsideError where it is damaged."""
    database = find_database(path, _SCHEMA)
    return PushLog(database) if database else None


def make_log(path: Path) -> PushLog:
    """The index to add to: the one that is there, or a new one where there is none or it is damaged."""
    return PushLog(make_database(path, _SCHEMA))


def _tip_periods(events: Sequence[_RefEvent], commit: str, repo: str, ref: str) -> Iterator[Sighting]:
    """Each time that the ref pointed to the commit; `events` are those of the ref, in order."""

    def stay(begin: _RefEvent | None, end: _RefEvent | None, gone_by: _RefEvent | None) -> Sighting:
        return Sighting(
            commit,
            repo,
            ref,
            "tip",
            since=utc_time(begin.time) if begin else None,
            until=utc_time(end.time) if end else None,
            gone_by=utc_time(gone_by.time) if gone_by else None,
            msgid=(end or begin or events[0]).msgid,
        )

    begin: _RefEvent | None = None
    for event in events:
        if event.old == commit:
            yield stay(begin, event, None)
        elif begin:
            yield stay(begin, None, event)  # the push that replaced it is not in the log
        begin = event if event.new == commit else None
    if begin:
        yield stay(begin, None, None)


def _newest(sighting: Sighting) -> datetime:
    return sighting.until or sighting.since or utc_time(0)


def _check_id(oid: str) -> None:
    if not 7 <= len(oid) <= 64 or oid.strip("0123456789abcdef"):
        raise InputError(f"'{oid}' is not a commit id", hint="give at least 7 of its hexadecimal digits, in lower case")


def _raw(oid: str | None) -> bytes | None:
    return bytes.fromhex(oid) if oid else None


def _hex(raw: bytes | None) -> str | None:
    return raw.hex() if raw else None


def _pack(commits: Sequence[PushedCommit]) -> bytes:
    text = "\n".join(f"{oid} {subject}" for oid, subject in commits)
    return zlib.compress(text.encode("utf-8", "replace")) if text else b""


def _unpack(packed: bytes) -> tuple[PushedCommit, ...]:
    if not packed:
        return ()
    lines = (line.partition(" ") for line in zlib.decompress(packed).decode("utf-8", "replace").split("\n"))
    return tuple((oid, subject) for oid, _, subject in lines)


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
