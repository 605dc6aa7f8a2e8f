# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the bot does its work, for a monitor: `/health` with reasons, `/metrics` for Prometheus."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seriestool import __version__
from seriestool.bot.migrations import NEWEST, find_version
from seriestool.bot.site.database_reader import DatabaseReader, rows
from seriestool.series.model import SCHEMA
from seriestool.util.errors import OutsideError
from seriestool.util.json_struct import JsonStruct

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LEAST_FREE = 500_000_000  # bytes
_MOST_NAMES = 1000  # lists and workers in the metrics


class HealthLimits(Struct, frozen=True):
    """After how many seconds without a sign of life something counts as dead."""

    list_unread: int = 1800
    worker_unseen: int = 600


class Health(JsonStruct, frozen=True):
    """What a monitor is answered."""

    reasons: Mapping[str, str | None]
    """What was looked at -> what is wrong with it, or None."""
    database_version: int | None
    """Version of the tables; None where it cannot be known, or they have none yet."""

    def to_dict(self) -> dict[str, object]:
        """The health as JSON shows it."""
        checks = {name: {"ok": reason is None, "reason": reason} for name, reason in self.reasons.items()}
        version = {"program": __version__, "schema": NEWEST, "database": self.database_version}
        return {"schema": SCHEMA, "ok": not any(self.reasons.values()), "version": version, "checks": checks}


def check_health(reader: DatabaseReader, now: int, limits: HealthLimits) -> Health:
    """What is wrong; what cannot be known without the database is wrong with it."""
    reasons: dict[str, str | None] = {"database": None}
    found = None
    try:
        with reader.look() as connection:
            found = find_version(connection)
            reasons["tables"] = _tables(found)
            reasons["lists"] = _lists(connection, now, limits)
            reasons["workers"] = _workers(connection, now, limits)
    except OutsideError as error:
        reasons = {"database": error.message, **dict.fromkeys(("tables", "lists", "workers"), "not known")}
    reasons["disk"] = _disk(reader.file)
    return Health(reasons, found)


def _tables(found: int | None) -> str | None:
    if found == NEWEST:
        return None
    has = "have no version yet" if found is None else f"have version {found}"
    return f"they {has}, and this program knows {NEWEST}: run the same version as the workers"


def _lists(connection: "Connection", now: int, limits: HealthLimits) -> str | None:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import cursors

    found = rows(connection, select(cursors.c.list, cursors.c.read_at).order_by(cursors.c.list))
    if not found:
        return "no list was read yet"
    unread = [row["list"] for row in found if _is_stale(now, row["read_at"], limits.list_unread)]
    return f"not read for {limits.list_unread} s: {', '.join(unread[:10])}" if unread else None


def _workers(connection: "Connection", now: int, limits: HealthLimits) -> str | None:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import workers

    seen = [row["seen"] for row in rows(connection, select(workers.c.seen))]
    if any(not _is_stale(now, one, limits.worker_unseen) for one in seen):
        return None
    return f"no worker was seen for {limits.worker_unseen} s" if seen else "no worker was ever seen"


def _is_stale(now: int, seen: int, limit: int) -> bool:
    """Whether it is too long ago, or so far ahead that a clock must have gone back."""
    return abs(now - seen) > limit


def _disk(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        free = shutil.disk_usage(file.parent).free
    except OSError as error:
        return f"cannot look at the disk: {error.strerror}"
    return f"only {free // 1_000_000} MB are free" if free < _LEAST_FREE else None


def metrics_text(reader: DatabaseReader, now: int) -> str:
    """The metrics in Prometheus' text format, 0.0.4; raises OutsideError without a database."""
    lines: list[str] = []
    with reader.look() as connection:
        for name, kind, about, samples in _metrics(connection, now):
            lines += [f"# HELP seriestool_{name} {about}", f"# TYPE seriestool_{name} {kind}"]
            lines += [f"seriestool_{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


Samples = list[tuple[Mapping[str, str], int]]
Metric = tuple[str, str, str, Samples]


def _metrics(connection: "Connection", now: int) -> Iterator[Metric]:
    from sqlalchemy import func, select

    from seriestool.bot.bot_tables import SeriesState, cursors, reports, sayings, series, workers

    def count(*columns: Any) -> list[Mapping[str, Any]]:
        return rows(connection, select(*columns, func.count().label("n")).group_by(*columns).order_by(*columns))

    def age(name: str, key: Any, column: Any) -> Samples:
        found = rows(connection, select(key.label("key"), column.label("at")).order_by(key).limit(_MOST_NAMES))
        return [({name: row["key"]}, max(now - row["at"], 0)) for row in found]

    states = {**dict.fromkeys(SeriesState, 0), **{row["state"]: row["n"] for row in count(series.c.state)}}
    yield "series", "gauge", "Series by state.", [({"state": str(state)}, n) for state, n in states.items()]
    yield "queue_length", "gauge", "Series that wait, or are queued.", [({}, states["waiting"] + states["queued"])]
    waiting = select(func.min(series.c.found).label("at")).where(series.c.state.in_(("waiting", "queued")))
    oldest = rows(connection, waiting)[0]["at"]
    yield (
        "oldest_waiting_seconds",
        "gauge",
        "How long the oldest of them has waited.",
        [({}, 0 if oldest is None else max(now - oldest, 0))],
    )
    answers = count(reports.c.answer)
    yield "reports", "gauge", "Reports by answer.", [({"answer": row["answer"]}, row["n"]) for row in answers]
    said = count(sayings.c.channel, sayings.c.state)
    yield (
        "sayings",
        "gauge",
        "Messages to the outside by channel and state.",
        [({"channel": row["channel"], "state": row["state"]}, row["n"]) for row in said],
    )
    took = select(
        func.count().label("n"), func.coalesce(func.sum(series.c.finished - series.c.admitted), 0).label("seconds")
    ).where(series.c.state == "done", series.c.finished.is_not(None), series.c.admitted.is_not(None))
    (done,) = rows(connection, took)
    yield "series_done", "gauge", "Series that are done and were timed.", [({}, done["n"])]
    yield (
        "series_done_seconds",
        "gauge",
        "Seconds from their admission to their reports, summed.",
        [({}, int(done["seconds"]))],
    )
    yield "list_read_seconds", "gauge", "Since a list was read.", age("list", cursors.c.list, cursors.c.read_at)
    yield "worker_seen_seconds", "gauge", "Since a worker was seen.", age("worker", workers.c.name, workers.c.seen)


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
