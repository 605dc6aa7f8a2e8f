# SPDX-License-Identifier: GPL-2.0-or-later
"""A report -> rows of `sayings`: what was said is looked up, a decision made, what is to be said written down.

All in one transaction, and one at a time: two workers that decide of two versions do not both say the same.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from seriestool.bot.bot_tables import MessageState, cursors, reports, sayings, series
from seriestool.bot.notify.message_composer import Wording, compose_message
from seriestool.bot.notify.notify_decision import (
    DAY,
    Channel,
    Decision,
    DecisionContext,
    EarlierMessage,
    Notification,
    NotifyRules,
    decide,
)
from seriestool.bot.notify.summary import ReportSummary
from seriestool.bot.store import Store, insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = 0x73657269
"""Of Postgres: who decides holds it. SQLite has one writer at a time anyway."""
_MAILS = (Channel.AUTHOR, Channel.ALL)


def decide_and_record(
    store: Store, summary: ReportSummary, rules: NotifyRules, wording: Wording, now: int, as_of: int | None = None
) -> Decision:
    """The decision on a report; what it says stands in `sayings` as decided, for send_saying() to say.

    Decided again of the same report, it adds nothing. `as_of` is of a replay: versions that were found after that unix
    time are not known yet. Raises OutsideError where the database cannot be used, and InputError where a template or
    the sender is wrong.
    """
    with store.transaction() as connection:
        _serialise(connection)
        if not rules.lists:  # a worker that only works: the lists are those that others read
            rules = replace(rules, lists=_lists_read(connection))
        said, moment = (
            find_earlier_messages(connection, summary.lineage),
            find_decision_context(connection, summary, now, as_of),
        )
        decision = decide(summary, said, rules, moment)
        insert_new(connection, sayings, list(_message_rows(decision, summary, wording, now)))
        _keep(connection, decision)
    return decision


def _lists_read(connection: "Connection") -> frozenset[str]:
    from sqlalchemy import select

    return frozenset(connection.execute(select(cursors.c.list)).scalars())


def _keep(connection: "Connection", decision: Decision) -> None:
    """Put the decision's words with the report: each silence has a reason, and somebody may ask for it."""
    from sqlalchemy import update

    words = "\n".join(decision.lines())
    connection.execute(update(reports).where(reports.c.key == decision.key).values(decision=words))


def find_earlier_messages(connection: "Connection", lineage: str) -> tuple[EarlierMessage, ...]:
    """What was said of a work before, whatever its version."""
    from sqlalchemy import select

    wanted = (sayings.c.id, sayings.c.channel, sayings.c.state, sayings.c.version, sayings.c.said)
    rows = connection.execute(select(*wanted).where(sayings.c.lineage == lineage).order_by(sayings.c.id))
    return tuple(
        EarlierMessage(
            id=row.id,
            channel=row.channel,
            state=row.state,
            version=row.version,
            identities=frozenset(map(str, json.loads(row.said))),
        )
        for row in rows
    )


def find_decision_context(
    connection: "Connection", summary: ReportSummary, now: int, as_of: int | None = None
) -> DecisionContext:
    """What else counts for a decision of now."""
    from sqlalchemy import func, select

    newer = select(series.c.key).where(series.c.lineage == summary.lineage, series.c.version > summary.version)
    if as_of is not None:
        newer = newer.where(series.c.found <= as_of)
    today = (
        select(func.count())
        .select_from(sayings)
        .where(sayings.c.decided > now - DAY, sayings.c.channel.in_(_MAILS), sayings.c.state != MessageState.FAILED)
    )
    return DecisionContext(
        is_superseded=connection.execute(newer.limit(1)).first() is not None,
        mails_to_author=connection.execute(today.where(sayings.c.author == summary.author)).scalar_one(),
        mails=connection.execute(today).scalar_one(),
    )


def _message_rows(
    decision: Decision, summary: ReportSummary, wording: Wording, now: int
) -> Iterable[dict[str, object]]:
    for notification in decision.notifications:
        yield _message_row(notification, summary, wording, now)


def _message_row(notification: Notification, summary: ReportSummary, wording: Wording, now: int) -> dict[str, object]:
    message, msgid = compose_message(notification, summary, wording, datetime.fromtimestamp(now, UTC))
    return {
        "id": notification.id,
        "key": summary.key,
        "lineage": summary.lineage,
        "channel": str(notification.channel),
        "state": str(MessageState.DECIDED),
        "reason": notification.reason,
        "said": json.dumps(sorted(notification.identities)),
        "message": message,
        "msgid": msgid,
        "decided": now,
        "author": summary.author,
        "version": summary.version,
    }


def _serialise(connection: "Connection") -> None:
    if connection.dialect.name == "postgresql":
        from sqlalchemy import func, select

        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
