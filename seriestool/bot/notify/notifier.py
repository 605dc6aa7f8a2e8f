# SPDX-License-Identifier: GPL-2.0-or-later
"""Decides what is told about a report, records the messages in the outbox, and sends them.

Earlier messages are looked up, a decision is made, and its messages are written in one transaction, by one worker at a
time: two workers that decide about two versions of a work do not both say the same.
"""

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from seriestool.bot.bot_config import BotConfig
from seriestool.bot.bot_tables import MessageState, cursors, reports, sayings, series
from seriestool.bot.dialects import insert_new, lock_until_commit
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
from seriestool.bot.notify.send import (
    CLAIM_SECONDS,
    OpenChannels,
    find_decided,
    find_due,
    open_channels,
    recover_sending,
    send_message,
)
from seriestool.bot.notify.summary import ReportSummary, summary_from_json
from seriestool.bot.store import Store
from seriestool.util.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection


_LOCK = 0x73657269
"""Held by whoever decides."""
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
        lock_until_commit(connection, _LOCK)
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


class Notifier(Struct, frozen=True):
    """The bot's voice."""

    rules: NotifyRules
    wording: Wording
    channels: OpenChannels
    now: Callable[[], float] = time.time
    round: float = 60.0
    """Seconds after which what waits is left for the next round: a server that does not answer holds up the lists."""

    @classmethod
    def open(cls, config: BotConfig, git_config: Config, lists: Iterable[str], may_send: bool) -> "Notifier":
        """That of the configuration; `lists` are those that are watched, `may_send` is the command line's --send.

        Raises InputError where something of it cannot be used.
        """
        channels = open_channels(config, git_config, may_send)
        return cls(NotifyRules.from_config(config, lists), Wording.from_config(config), channels)

    def decide(self, store: Store, key: str) -> Decision | None:
        """What is to be said of the report on the series stands in `sayings`; asked again, it adds nothing.

        None where there is no report. Raises OutsideError, and InputError where a template is wrong.
        """
        from sqlalchemy import select

        with store.transaction() as connection:
            row = connection.execute(select(reports.c.facts).where(reports.c.key == key)).first()
        if row is None:
            return None
        return decide_and_record(
            store=store,
            summary=summary_from_json(row.facts),
            rules=self.rules,
            wording=self.wording,
            now=int(self.now()),
        )

    def say(self, store: Store, key: str) -> dict[str, MessageState]:
        """What was decided of the series, tried once: id -> where it stands. Raises OutsideError."""
        return {one: send_message(store, one, self.channels, int(self.now())) for one in find_decided(store, key)}

    def send_pending(
        self, store: Store, patience: int = CLAIM_SECONDS, is_leaving: Callable[[], bool] = lambda: False
    ) -> dict[str, MessageState]:
        """What waits since a server was gone or a worker died, tried once; for each round of the engine's loop.

        Nothing is begun once `is_leaving`: it would be cut off, and nobody would know whether it was said.
        Raises OutsideError.
        """
        end = time.monotonic() + self.round
        said = recover_sending(store, self.channels, int(self.now()), patience)
        for one in find_due(store, self.channels, int(self.now())):
            if is_leaving() or time.monotonic() > end:
                break
            if one not in said:
                said[one] = send_message(store, one, self.channels, int(self.now()))
        return said
