# SPDX-License-Identifier: GPL-2.0-or-later
"""Who speaks for the bot: what an engine asks of it, so that it need not know rules, letters and servers."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from seriestool.bot.bot_config import BotConfig, Config
from seriestool.bot.bot_tables import MessageState, reports
from seriestool.bot.notify.decision_record import decide_and_record
from seriestool.bot.notify.message_composer import Wording
from seriestool.bot.notify.notify_decision import Decision, NotifyRules
from seriestool.bot.notify.send import (
    CLAIM_SECONDS,
    OpenChannels,
    find_decided,
    find_due,
    open_channels,
    recover_sending,
    send_message,
)
from seriestool.bot.notify.summary import summary_from_json
from seriestool.bot.store import Store


@dataclass(frozen=True, slots=True)
class Notifier:
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
