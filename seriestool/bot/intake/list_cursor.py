# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a list was read: one row of the table of cursors."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from seriestool.bot.dialects import insert_new
from seriestool.bot.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


class ListPosition(Struct, frozen=True):
    """How far a list was read; JSON in its cursor."""

    source: str
    way: str = ""
    """git or http, once it is known."""
    since: int = 0
    """Of a git archive: what came before was never wanted."""
    done: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each epoch the commits up to which it was read; of a mailbox its size and date."""
    until: int = 0
    """Over HTTP: when the server got the newest mail that was read."""
    read_at: int = 0
    """When something was read last."""

    def with_done(self, part: str, *state: str) -> "ListPosition":
        """The position with a part read up to that state."""
        return replace(self, done={**self.done, part: state})

    def to_json(self) -> str:
        """The position as the cursor keeps it."""
        return json.dumps(asdict(self))


def get_position(store: Store, name: str, source: str) -> ListPosition:
    """Where the list was left; a new one where it was never read, or is read from elsewhere now."""
    from sqlalchemy import select

    from seriestool.bot.bot_tables import cursors

    with store.transaction() as connection:
        row = connection.execute(select(cursors).where(cursors.c.list == name)).first()
    return _parse(row.position, source) if row else ListPosition(source)


def set_cursor(connection: "Connection", name: str, position: ListPosition, now: int, error: str | None) -> None:
    """Say how far the list was read, or why it could not be."""
    from sqlalchemy import update

    from seriestool.bot.bot_tables import cursors

    values = {"position": position.to_json(), "read_at": now, "error": error}
    if not connection.execute(update(cursors).where(cursors.c.list == name).values(values)).rowcount:
        insert_new(connection, cursors, [{"list": name, **values}])


def _parse(text: str, source: str) -> ListPosition:
    try:
        kept = json.loads(text)
        if kept["source"] == source:
            done = {str(part): tuple(state) for part, state in kept["done"].items()}
            return ListPosition(
                source=source,
                way=str(kept["way"]),
                since=int(kept["since"]),
                done=done,
                until=int(kept["until"]),
                read_at=int(kept["read_at"]),
            )
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # of no use: it is read as if for the first time, and what is known already is there once
    return ListPosition(source)
