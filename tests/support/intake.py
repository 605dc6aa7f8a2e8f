# SPDX-License-Identifier: GPL-2.0-or-later
"""A bot's database, and lists read into it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seriestool.bot.intake.due_mails import SETTLE, assemble_series
from seriestool.bot.intake.mail_table import IncomingMail, ListReadResult, insert_mails
from seriestool.bot.intake.series_assembly import COVER_WAIT, AssemblyResult
from seriestool.bot.store import Store

NOW = 1_790_000_000


class Bot:
    """A database in a folder, and a clock."""

    def __init__(self, folder: Path, name: str = "bot") -> None:
        self.url = f"sqlite:///{folder}/{name}.sqlite"
        self.store = Store.open(self.url)
        self.now = NOW

    def get(self, *mails: bytes, name: str = "list") -> ListReadResult:
        """The mails come."""
        tally = ListReadResult()
        with self.store.transaction() as connection:
            insert_mails(connection, name, [IncomingMail(raw) for raw in mails], self.now, tally)
        return tally

    def look(self, after: int = 0) -> AssemblyResult:
        """Series are looked for, some seconds later."""
        self.now += after
        return assemble_series(self.store, self.now)

    def settle(self) -> AssemblyResult:
        """Series are looked for when nothing came for long."""
        return self.look(SETTLE)

    def quiet(self) -> AssemblyResult:
        """Series are looked for when nothing came for some minutes."""
        return self.look(COVER_WAIT)

    def rows(self, question: str) -> Sequence[Any]:
        """What the database answers."""
        with self.store.transaction() as connection:
            return connection.exec_driver_sql(question).all()

    def series(self) -> list[tuple[Any, ...]]:
        """(msgid, version, state, missing) of all rows, as they were posted."""
        question = "SELECT msgid, version, state, missing FROM series ORDER BY posted, msgid"
        return [tuple(row) for row in self.rows(question)]

    def members(self) -> dict[str, str]:
        """Of each mail in a series the message-id that its series is known by."""
        question = 'SELECT mails.msgid, series.msgid FROM mails JOIN series ON mails.series = series."key"'
        return {str(mail): str(name) for mail, name in self.rows(question)}
