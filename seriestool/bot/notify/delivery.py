# SPDX-License-Identifier: GPL-2.0-or-later
"""How a message is delivered: what a transport is, how an attempt ends, and the one transport that opens no socket.

That one puts drafts into a maildir (https://cr.yp.to/proto/maildir.html). A person looks at them, and sends what they
like.
"""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct


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


class DeliveryResult(Struct, frozen=True):
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


_FOLDERS = ("tmp", "new", "cur")
_ID = re.compile(r"[0-9a-f]{8,64}")


class Maildir(Struct, frozen=True):
    """A maildir; a draft's file has its saying's id as its name, so that it is written once."""

    folder: Path
    is_repeatable: bool = True

    def deliver(self, outbox_id: str, message: bytes) -> DeliveryResult:
        """Put the draft into new/, unless it is there or in cur/ already."""
        if _ID.fullmatch(outbox_id) is None:  # it becomes a file's name
            return DeliveryResult(DeliveryStatus.REFUSED, f"'{outbox_id[:80]}' is no id of a saying")
        try:
            self._put(f"{outbox_id}.seriestool", message.replace(b"\r\n", b"\n"))
        except OSError as error:
            return DeliveryResult(DeliveryStatus.LATER, f"cannot write the draft: {error}")
        return DeliveryResult(DeliveryStatus.DELIVERED)

    def _put(self, name: str, message: bytes) -> None:
        for folder in _FOLDERS:
            (self.folder / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._has(name):
            return
        draft = self.folder / "tmp" / f"{name}.{os.getpid()}"
        try:
            with draft.open("wb") as file:
                file.write(message)
                file.flush()
                os.fsync(file.fileno())
            _link(draft, self.folder / "new" / name)
        finally:
            draft.unlink(missing_ok=True)

    def _has(self, name: str) -> bool:
        """Whether the draft is in new/, or a mail reader has moved it to cur/ and added its flags to the name."""
        return (self.folder / "new" / name).exists() or any(
            one.name.partition(":")[0] == name for one in (self.folder / "cur").iterdir()
        )


def _link(draft: Path, place: Path) -> None:
    """The draft at its place, whole or not at all; of two that try only one does it."""
    try:
        place.hardlink_to(draft)
    except FileExistsError:
        return
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
