# SPDX-License-Identifier: GPL-2.0-or-later
"""The protocol by which a message goes out at most once, over a channel of the tests: what `bot.send` does.

decided -> sending -> sent. Who finds `sending` was not the one who claimed it: that one was ended in between, and
nobody knows whether the message went out. It becomes `unknown`, for a person to look at, unless the channel can tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from seriestool.bot.bot_tables import MessageState
from seriestool.bot.store import Store
from seriestool.util.errors import InputError, OutsideError


class UncertainError(OutsideError):
    """The channel broke off in the middle: the message may have gone out."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is to go out."""

    id: str
    key: str
    channel: str
    message: bytes
    msgid: str


class Channel(Protocol):
    """A way to the outside."""

    def send(self, claimed: Claimed) -> None:
        """It went out. Raises OutsideError where it did not, InputError where it never will, UncertainError."""

    def has_sent(self, claimed: Claimed) -> bool | None:
        """Whether it went out, of a channel that can tell and takes the same message twice as one; None of others."""


def say_all(store: Store, key: str, channel: Channel, now: Callable[[], float]) -> None:
    """All that was decided for the series is sent, refused, or unknown; raises OutsideError to try again."""
    for claimed, state in _open(store, key):
        if state == MessageState.SENDING:
            _found(store, claimed, channel, now)
        if _move(store, claimed.id, (MessageState.DECIDED,), MessageState.SENDING):
            _send(store, claimed, channel, now)


def _send(store: Store, claimed: Claimed, channel: Channel, now: Callable[[], float]) -> None:
    try:
        channel.send(claimed)
    except UncertainError as error:
        _move(store, claimed.id, (MessageState.SENDING,), MessageState.UNKNOWN, error=error.message)
        return
    except InputError as error:
        _move(store, claimed.id, (MessageState.SENDING,), MessageState.FAILED, error=error.message)
        return
    except OutsideError as error:
        _move(store, claimed.id, (MessageState.SENDING,), MessageState.DECIDED, error=error.message)
        raise
    # Who took this one for dead may have called it unknown meanwhile.
    _move(
        store, claimed.id, (MessageState.SENDING, MessageState.UNKNOWN), MessageState.SENT, sent=int(now()), error=None
    )


def _found(store: Store, claimed: Claimed, channel: Channel, now: Callable[[], float]) -> None:
    told = channel.has_sent(claimed)
    if told is None:
        why = "the bot was ended while it was sent: it may have gone out"
        _move(store, claimed.id, (MessageState.SENDING,), MessageState.UNKNOWN, error=why)
    elif told:
        _move(store, claimed.id, (MessageState.SENDING,), MessageState.SENT, sent=int(now()))
    else:
        _move(store, claimed.id, (MessageState.SENDING,), MessageState.DECIDED)


def _open(store: Store, key: str) -> list[tuple[Claimed, str]]:
    from sqlalchemy import select

    from seriestool.bot.bot_tables import sayings

    c = sayings.c
    wanted = select(c.id, c.key, c.channel, c.message, c.msgid, c.state).where(
        c.key == key, c.state.in_((MessageState.DECIDED, MessageState.SENDING))
    )
    with store.transaction() as connection:
        return [(Claimed(*row[:5]), row[5]) for row in connection.execute(wanted.order_by(c.decided, c.id))]


def _move(store: Store, name: str, before: tuple[MessageState, ...], after: MessageState, **values: Any) -> bool:
    from sqlalchemy import update

    from seriestool.bot.bot_tables import sayings

    mine = (sayings.c.id == name) & sayings.c.state.in_(before)
    with store.transaction() as connection:
        return bool(connection.execute(update(sayings).where(mine).values(state=after, **values)).rowcount)
