# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of an attempt to say something, and what a way to say it looks like from outside."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class DeliveryStatus(StrEnum):
    """How an attempt ended."""

    DELIVERED = "gone"
    """The other side has it."""
    LATER = "later"
    """The other side has not got it, and may take it another time."""
    REFUSED = "refused"
    """The other side has not got it, and never will."""
    UNKNOWN = "unknown"
    """The other side may have it."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How an attempt ended, and why."""

    status: DeliveryStatus
    error: str | None = None


class Transport(Protocol):
    """A way by which something is said."""

    @property
    def is_repeatable(self) -> bool:
        """Whether the other side can be asked, so that delivering a second time what it has changes nothing."""

    def deliver(self, outbox_id: str, message: bytes) -> DeliveryResult:
        """Deliver the message; what goes wrong outside is in the outcome, and is not raised."""
