# SPDX-License-Identifier: GPL-2.0-or-later
"""The one package that sends: see sayings.py for what happens when."""

from seriestool.bot.notify.send.outbox import (
    CLAIM_SECONDS,
    OpenChannels,
    find_decided,
    find_due,
    open_channels,
    recover_sending,
    send_message,
)

__all__ = [
    "CLAIM_SECONDS",
    "OpenChannels",
    "find_decided",
    "find_due",
    "open_channels",
    "recover_sending",
    "send_message",
]
