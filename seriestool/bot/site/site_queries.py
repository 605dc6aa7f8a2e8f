# SPDX-License-Identifier: GPL-2.0-or-later
"""What the site and the API show of the database: bounded questions, and their answers as values."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool.bot.site.database_reader import DatabaseReader, rows
from seriestool.precheck.precheck_result import PrecheckAnswer
from seriestool.report.series_index import IndexRow
from seriestool.series.model import SCHEMA
from seriestool.util.errors import InputError, OutsideError

if TYPE_CHECKING:
    from sqlalchemy import Select

MOST = 200
"""Series in one answer."""
_USUAL = 50
_LONGEST = 200
_MOST_BYTES = 64_000_000  # of a page or a document, uncompressed
_MOST_VERSIONS = 100
_CURSOR = re.compile(r"(\d{1,12})-([0-9a-f]{1,40})")
KEY = re.compile(r"[0-9a-f]{1,40}")
_WAITS = {
    "waiting": "It waits for its turn.",
    "incomplete": "Patches of it never came.",
    "queued": "It is about to be looked at.",
    "running": "It is being looked at.",
    "failed": "It could not be looked at.",
    "superseded": "A newer version came before its turn did.",
}


class SeriesQuery(Struct, frozen=True, kw_only=True):
    """Which series are wanted, newest first."""

    list: str | None = None
    state: str | None = None
    author: str | None = None
    """A name or an address, whole."""
    words: str | None = None
    """What the title has in it."""
    before: tuple[int, str] | None = None
    """Only those after this one in the order: (posted, key)."""
    limit: int = _USUAL


class StoredReport(Struct, frozen=True):
    """A report as it is stored."""

    text: bytes
    made: int


def parse_query(asked: Mapping[str, str]) -> SeriesQuery:
    """The question that parameters of a URL ask; raises InputError where one is none."""
    from seriestool.bot.bot_tables import SeriesState

    unknown = asked.keys() - {"list", "state", "author", "q", "before", "limit"}
    if unknown:
        raise InputError(f"there is no parameter '{min(unknown)}'")
    long = [key for key, value in asked.items() if len(value) > _LONGEST]
    if long:
        raise InputError(f"'{long[0]}' is longer than {_LONGEST} characters")
    odd = [key for key, value in asked.items() if not value.isprintable()]
    if odd:
        raise InputError(f"'{odd[0]}' has control characters in it")
    state = asked.get("state")
    if state is not None and state not in tuple(SeriesState):
        raise InputError(f"'state' is one of {', '.join(SeriesState)}")
    return SeriesQuery(
        list=asked.get("list"),
        state=state,
        author=asked.get("author"),
        words=asked.get("q"),
        before=_cursor(asked.get("before")),
        limit=_limit(asked.get("limit")),
    )


def _cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None or not text.isascii():
        raise InputError("'before' is what 'next' of another answer says")
    return int(found[1]), found[2]


def _limit(text: str | None) -> int:
    if text is None:
        return _USUAL
    if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST:
        return int(text)
    raise InputError(f"'limit' is a number from 1 to {MOST}")


def find_series(reader: DatabaseReader, query: SeriesQuery) -> dict[str, object]:
    """The series that were asked for, as JSON shows them; `next` is what `before` says for those after them."""
    found = reader.rows(_limited(_chosen(query), query.limit + 1))
    shown = found[: query.limit]
    last = shown[-1] if len(found) > len(shown) else None
    return {
        "schema": SCHEMA,
        "series": [series_dict(row) for row in shown],
        "next": f"{last['posted']}-{last['key']}" if last else None,
    }


def find_one(reader: DatabaseReader, key: str) -> dict[str, object] | None:
    """One series as JSON shows it, with its other versions and what was said of it; None where there is none."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import sayings, series

    with reader.look() as connection:
        found = rows(connection, _columns().where(series.c.key == key))
        if not found:
            return None
        lineage = _limited(_columns().where(series.c.lineage == found[0]["lineage"]), _MOST_VERSIONS)
        versions = rows(connection, lineage)
        columns = (sayings.c.channel, sayings.c.state, sayings.c.reason, sayings.c.decided, sayings.c.sent)
        said = rows(connection, select(*columns).where(sayings.c.key == key).order_by(sayings.c.decided).limit(MOST))
    return {
        "schema": SCHEMA,
        **series_dict(found[0]),
        "versions": [series_dict(row) for row in versions],
        "said": [{**row, "decided": _iso(row["decided"]), "sent": _iso(row["sent"])} for row in said],
    }


def find_lists(reader: DatabaseReader) -> dict[str, object]:
    """The lists that are watched, as JSON shows them."""
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import cursors, series

    with reader.look() as connection:
        counted = rows(connection, select(series.c.list, func.count().label("series")).group_by(series.c.list))
        watched = rows(connection, select(cursors.c.list, cursors.c.read_at, cursors.c.error).order_by(cursors.c.list))
    counts = {row["list"]: row["series"] for row in counted}
    return {
        "schema": SCHEMA,
        "lists": [
            {
                "list": row["list"],
                "read": _iso(row["read_at"]),
                "failing": row["error"] is not None,
                "series": counts.get(row["list"], 0),
            }
            for row in watched
        ],
    }


def find_page(reader: DatabaseReader, key: str) -> StoredReport | None:
    """The HTML of the report on a series; None where there is none yet."""
    return _stored(reader, key, "page")


def find_document(reader: DatabaseReader, key: str) -> StoredReport | None:
    """The JSON of the report on a series; None where there is none yet."""
    return _stored(reader, key, "document")


def _stored(reader: DatabaseReader, key: str, column: str) -> StoredReport | None:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import reports

    found = reader.rows(select(reports.c.made, reports.c[column]).where(reports.c.key == key))
    return StoredReport(_inflate(found[0][column]), found[0]["made"]) if found else None


def _inflate(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _MOST_BYTES)
    except zlib.error as error:
        raise OutsideError(f"a report in the bot's database is damaged: {error}") from error
    if not unpacker.eof:
        raise OutsideError("a report in the bot's database is damaged, or too large")
    return text


def find_key(reader: DatabaseReader, msgid: str) -> str | None:
    """The key of the series that has the mail: its first mail, or any patch; the newest where several have it."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import mails, series

    if not msgid or len(msgid) > 1000 or not msgid.isprintable():
        return None
    query = select(series.c.key).where(series.c.msgid == msgid).order_by(series.c.found.desc()).limit(1)
    with reader.look() as connection:
        found = rows(connection, query) or rows(
            connection, select(mails.c.series.label("key")).where(mails.c.msgid == msgid, mails.c.series.is_not(None))
        )
    key = found[0]["key"] if found else None
    return key if key is not None and KEY.fullmatch(key) else None


def count_series(reader: DatabaseReader) -> int:
    """How many there are."""
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import series

    return int(reader.rows(select(func.count().label("n")).select_from(series))[0]["n"])


def index_rows(reader: DatabaseReader, offset: int, limit: int = MOST) -> tuple[IndexRow, ...]:
    """The series of a page of the index, newest first."""
    return tuple(_row(row) for row in reader.rows(_limited(_columns(), limit).offset(offset)))


def feed_rows(reader: DatabaseReader, limit: int) -> tuple[IndexRow, ...]:
    """The series with the newest reports."""
    from seriestool.bot.bot_tables import reports

    query = _columns().where(reports.c.made.is_not(None)).order_by(reports.c.made.desc()).limit(limit)
    return tuple(_row(row) for row in reader.rows(query))


def each_report(reader: DatabaseReader) -> Iterator[tuple[str, int]]:
    """(key, when it was made) of all reports, in lots."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import reports

    last = ""
    while True:
        query = select(reports.c.key, reports.c.made).where(reports.c.key > last).order_by(reports.c.key).limit(1000)
        found = reader.rows(query)
        yield from ((row["key"], row["made"]) for row in found)
        if not found:
            return
        last = found[-1]["key"]


def series_dict(row: Mapping[str, Any]) -> dict[str, object]:
    """A series as JSON shows it; no addresses, and nothing of the bot's own doings."""
    has_report = row["made"] is not None
    return {
        "key": row["key"],
        "lineage": row["lineage"],
        "list": row["list"],
        "msgid": row["msgid"],
        "subject": row["subject"],
        "author": row["author_name"],
        "version": row["version"],
        "patches": row["expected"] - row["missing"],
        "expected": row["expected"],
        "posted": _iso(row["posted"]),
        "found": _iso(row["found"]),
        "state": row["state"],
        "answer": row["answer"],
        "sentence": row["sentence"],
        "made": _iso(row["made"]),
        "page": f"/series/{row['key']}/" if has_report else None,
        "report": f"/series/{row['key']}.json" if has_report else None,
    }


def _columns() -> "Select[Any]":
    from sqlalchemy import select

    from seriestool.bot.bot_tables import reports, series

    wanted = (
        *(
            series.c[name]
            for name in (
                "key",
                "lineage",
                "list",
                "msgid",
                "version",
                "expected",
                "missing",
                "subject",
                "author_name",
                "posted",
                "found",
                "state",
            )
        ),
        reports.c.made,
        reports.c.answer,
        reports.c.sentence,
    )
    return select(*wanted).select_from(series.outerjoin(reports, series.c.key == reports.c.key))


def _limited(query: "Select[Any]", limit: int) -> "Select[Any]":
    from seriestool.bot.bot_tables import series

    return query.order_by(series.c.posted.desc(), series.c.key.desc()).limit(limit)


def _chosen(query: SeriesQuery) -> "Select[Any]":
    from sqlalchemy import and_, func, or_

    from seriestool.bot.bot_tables import series

    found = _columns()
    if query.list is not None:
        found = found.where(series.c.list == query.list)
    if query.state is not None:
        found = found.where(series.c.state == query.state)
    if query.author is not None:
        name = query.author.lower()
        found = found.where(or_(series.c.author == name, func.lower(series.c.author_name) == name))
    if query.words is not None:
        found = found.where(series.c.subject.icontains(query.words, autoescape=True))
    if query.before is not None:
        posted, key = query.before
        earlier = and_(series.c.posted == posted, series.c.key < key)
        found = found.where(or_(series.c.posted < posted, earlier))
    return found


def _row(row: Mapping[str, Any]) -> IndexRow:
    answers: Sequence[str] = tuple(PrecheckAnswer)
    answer = PrecheckAnswer(row["answer"]) if row["answer"] in answers else None
    sentence = row["sentence"] or _WAITS.get(row["state"], "There is no report on it yet.")
    return IndexRow(
        subject=row["subject"],
        author=row["author_name"],
        version=row["version"],
        list=row["list"],
        posted=when(row["posted"]),
        msgid=row["msgid"],
        answer=answer,
        sentence=sentence,
        href=f"series/{row['key']}/" if row["made"] is not None else None,
        updated=when(row["made"] if row["made"] is not None else row["found"]),
    )


def when(seconds: int) -> datetime:
    """Unix seconds as a date; what no calendar has becomes its nearest day."""
    return datetime.fromtimestamp(min(max(seconds, 0), 253_402_300_799), UTC)


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else when(seconds).isoformat()
