# SPDX-License-Identifier: GPL-2.0-or-later
"""What was decided is said, once. It is claimed in the database before anything goes out, and marked when it is out.

Found claimed after a crash, it may have gone out: then a person looks, and nobody sends it again. Only what can be
asked whether it has it, a maildir or Patchwork, is tried again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from seriestool.bot.bot_config import BotConfig
from seriestool.bot.bot_tables import MessageState, sayings, series
from seriestool.bot.notify.delivery import DeliveryStatus, Maildir, Transport
from seriestool.bot.notify.etiquette import has_opted_out
from seriestool.bot.notify.message_composer import parse_sender
from seriestool.bot.notify.notify_decision import DAY, Channel, channels_of
from seriestool.bot.notify.patchwork_api import make_server
from seriestool.bot.notify.send.patchwork import Patchwork
from seriestool.bot.notify.send.smtp import Smtp, recipients_of
from seriestool.bot.notify.smtp_settings import read_smtp
from seriestool.bot.store import Store
from seriestool.report.terminal import printable_line
from seriestool.util.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

CLAIM_SECONDS = 900
"""Seconds after which a claim is that of a worker that is no more: longer than any attempt takes."""
_STALE = 3 * DAY
_LONGEST_ERROR = 500
_STATE_OF = {
    DeliveryStatus.DELIVERED: MessageState.SENT,
    DeliveryStatus.LATER: MessageState.DECIDED,
    DeliveryStatus.REFUSED: MessageState.FAILED,
    DeliveryStatus.UNKNOWN: MessageState.UNKNOWN,
}


class OpenChannels(Struct, frozen=True):
    """The ways that are open: what is not in `ways` is not said, and stays decided."""

    transports: Mapping[Channel, Transport] = field(default_factory=dict)
    opt_out: tuple[str, ...] = ()
    barred: frozenset[Channel] = frozenset()
    """By which nothing is said under the policy of now, whatever was decided under another one."""


def open_channels(config: BotConfig, git_config: Config, may_send: bool) -> OpenChannels:
    """The ways that the configuration names; where `may_send` is not, those by which nothing leaves this machine.

    Raises InputError where one of them cannot be used as it is set.
    """
    allowed = channels_of(config.policy)
    transports: dict[Channel, Transport] = {}
    if config.maildir and Channel.DRAFT in allowed:
        transports[Channel.DRAFT] = Maildir(Path(config.maildir))
    if may_send and config.sender and (mails := allowed & {Channel.AUTHOR, Channel.ALL}):
        mail = Smtp(read_smtp(git_config), parse_sender(config.sender).address)
        transports |= dict.fromkeys(mails, mail)
    if may_send and config.patchwork and config.patchwork_token and Channel.PATCHWORK in allowed:
        transports[Channel.PATCHWORK] = Patchwork(make_server(config.patchwork, config.patchwork_token))
    return OpenChannels(transports, config.opt_out, frozenset(Channel) - allowed)


# --- the protocol -------------------------------------------------------------------------------------------------


def send_message(store: Store, outbox_id: str, channels: OpenChannels, now: int) -> MessageState:
    """Where the saying stands after an attempt to say it. Raises OutsideError where the database cannot be used.

    DECIDED: it may be tried again later, and `error` says why; SENDING: another worker is at it.
    """
    with store.transaction() as connection:
        row = _row(connection, outbox_id)
        if row is None:
            return MessageState.FAILED
        if row["state"] == MessageState.SENDING:
            return _after_a_crash(connection, row, channels, now)
        if row["state"] != MessageState.DECIDED:
            return MessageState(row["state"])
        reason = _find_withdrawal(connection, row, channels, now)
        if reason is not None:
            _mark(
                connection=connection,
                outbox_id=outbox_id,
                before=(MessageState.DECIDED,),
                state=MessageState.FAILED,
                error=f"withdrawn: {reason}",
            )
            return MessageState.FAILED
        transport = channels.transports.get(Channel(row["channel"]))
        if transport is None:
            _mark(
                connection=connection,
                outbox_id=outbox_id,
                before=(MessageState.DECIDED,),
                state=MessageState.DECIDED,
                error=f"there is no way open for '{row['channel']}'",
            )
            return MessageState.DECIDED
        if not _claim(connection, outbox_id, now):
            return MessageState.SENDING
    return _attempt(store, row, transport, now)


def recover_sending(
    store: Store, channels: OpenChannels, now: int, patience: int = CLAIM_SECONDS
) -> dict[str, MessageState]:
    """Id -> where it stands now, of all sayings that a worker began to send `patience` seconds ago and never finished.

    A patience of 0 is right only where no other worker is alive. Raises OutsideError.
    """
    with store.transaction() as connection:
        rows = _rows(connection, sayings.c.state == MessageState.SENDING)
        old = [row for row in rows if _is_abandoned(row, now, patience)]
        found = {
            row["id"]: _after_a_crash(connection=connection, row=row, channels=channels, now=now, patience=patience)
            for row in old
        }
    return {
        one: send_message(store, one, channels, now) if state is MessageState.DECIDED else state
        for one, state in found.items()
    }


def find_decided(store: Store, key: str | None = None, most: int = 1000) -> tuple[str, ...]:
    """The ids of what waits to be said, of one series or of all, the oldest first."""
    from sqlalchemy import select

    wanted = (
        select(sayings.c.id).where(sayings.c.state == MessageState.DECIDED).order_by(sayings.c.decided, sayings.c.id)
    )
    if key is not None:
        wanted = wanted.where(sayings.c.key == key)
    with store.transaction() as connection:
        return tuple(connection.execute(wanted.limit(most)).scalars())


def find_due(store: Store, channels: OpenChannels, now: int, most: int = 1000) -> tuple[str, ...]:
    """The ids of what waits, and can be said or withdrawn now; what was tried least recently first.

    What waits for a way that is not open here is left out: it must not stand before what can be said.
    """
    from sqlalchemy import func, or_, select

    able = sayings.c.channel.in_([*channels.transports, *channels.barred])
    wanted = select(sayings.c.id).where(
        sayings.c.state == MessageState.DECIDED, or_(able, sayings.c.decided < now - _STALE)
    )
    order = (func.coalesce(sayings.c.claimed, 0), sayings.c.decided, sayings.c.id)
    with store.transaction() as connection:
        return tuple(connection.execute(wanted.order_by(*order).limit(most)).scalars())


def _attempt(store: Store, row: "RowMapping", transport: Transport, now: int) -> MessageState:
    outcome = transport.deliver(row["id"], row["message"])
    state = _STATE_OF[outcome.status]
    with store.transaction() as connection:
        # Unknown too: another worker may have given us up, and it is we who know.
        _mark(
            connection=connection,
            outbox_id=row["id"],
            before=(MessageState.SENDING, MessageState.UNKNOWN),
            state=state,
            error=outcome.error,
            now=now,
        )
    return state


def _after_a_crash(
    connection: "Connection", row: "RowMapping", channels: OpenChannels, now: int, patience: int = CLAIM_SECONDS
) -> MessageState:
    """What becomes of a claim that nobody works on: decided again where the other side can be asked, else unknown."""
    if not _is_abandoned(row, now, patience):
        return MessageState.SENDING
    transport = channels.transports.get(Channel(row["channel"]))
    is_barred = row["channel"] in channels.barred  # then nobody who can ask will come
    if row["channel"] in (Channel.DRAFT, Channel.PATCHWORK) and transport is None and not is_barred:
        return MessageState.SENDING  # somebody who can ask will come
    if transport is not None and transport.is_repeatable:
        _mark(
            connection=connection,
            outbox_id=row["id"],
            before=(MessageState.SENDING,),
            state=MessageState.DECIDED,
            error="begun before, and never finished",
        )
        return MessageState.DECIDED
    _mark(
        connection=connection,
        outbox_id=row["id"],
        before=(MessageState.SENDING,),
        state=MessageState.UNKNOWN,
        error="it may have been sent before a crash: have a look",
    )
    return MessageState.UNKNOWN


def _is_abandoned(row: "RowMapping", now: int, patience: int) -> bool:
    claimed = row["claimed"] or 0
    # One of much later was made before the clock went back: it would be somebody's for as long as that was wrong.
    return now - claimed >= patience or claimed - now > CLAIM_SECONDS


def _find_withdrawal(connection: "Connection", row: "RowMapping", channels: OpenChannels, now: int) -> str | None:
    """Why it is not said any more though it was decided, or None."""
    from sqlalchemy import select

    if row["channel"] in channels.barred:
        return f"the policy of now says nothing by '{row['channel']}'"
    if now - row["decided"] > _STALE:
        return "it is too old to be said"
    newer = select(series.c.key).where(series.c.lineage == row["lineage"], series.c.version > row["version"]).limit(1)
    if row["version"] and connection.execute(newer).first() is not None:
        return "a newer version was mailed"
    if has_opted_out(row["author"], channels.opt_out):
        return f"{row['author']} has opted out"
    if row["channel"] != Channel.PATCHWORK and any(
        has_opted_out(one, channels.opt_out) for one in recipients_of(row["message"])
    ):
        return "one of those who would get it has opted out"
    return None


def _claim(connection: "Connection", outbox_id: str, now: int) -> bool:
    """Whether it is ours to send: of several that try, one."""
    from sqlalchemy import update

    claim = update(sayings).where(sayings.c.id == outbox_id, sayings.c.state == MessageState.DECIDED)
    return connection.execute(claim.values(state=MessageState.SENDING, claimed=now, error=None)).rowcount == 1


def _mark(
    connection: "Connection",
    outbox_id: str,
    before: tuple[MessageState, ...],
    state: MessageState,
    error: str | None,
    now: int | None = None,
) -> None:
    from sqlalchemy import update

    values: dict[str, Any] = {"state": state, "error": printable_line(error)[:_LONGEST_ERROR] if error else None}
    if state is MessageState.SENT:
        values["sent"] = now
    connection.execute(update(sayings).where(sayings.c.id == outbox_id, sayings.c.state.in_(before)).values(**values))


def _row(connection: "Connection", outbox_id: str) -> "RowMapping | None":
    return next(iter(_rows(connection, sayings.c.id == outbox_id)), None)


def _rows(connection: "Connection", condition: Any) -> list["RowMapping"]:
    from sqlalchemy import select

    return list(connection.execute(select(sayings).where(condition)).mappings())
