# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of steps, kept by all that they depend on: what is asked the same way is not worked out again.

One SQLite file in the cache, safe with many processes. What is damaged, or of another version, is simply not used.
"""

import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from seriestool.util.database import Database, DatabaseSchema, make_database
from seriestool.util.errors import OutsideError
from seriestool.util.serialization import decode_stored, encode_stored

T = TypeVar("T")

_SCHEMA = DatabaseSchema(
    1,
    """CREATE TABLE steps (question TEXT PRIMARY KEY, answer BLOB NOT NULL, size INTEGER NOT NULL,
                    used INTEGER NOT NULL);
CREATE INDEX by_use ON steps (used);
""",
    "the answers of steps",
    "remove it: they are found again",
)
MOST_BYTES = 256 << 20
"""Of all answers together; those that were used least recently go first."""
_LARGEST = 16 << 20
"""Of one answer, packed."""
_INFLATED = 256 << 20
"""Of one answer; more is not ours."""
_ROUND = 200
"""Answers that are kept between two looks at how many there are."""


class StepCache:
    """The answers in one file. One that cannot be used (a full disk, another process) is no reason to stop."""

    def __init__(self, database: Database, most: int = MOST_BYTES) -> None:
        self._database = database
        self._most = most
        self._new = 0

    @classmethod
    def open(cls, cache_dir: Path) -> Self:
        """The file in the cache, made where there is none; OutsideError where it cannot be used."""
        return cls(make_database(cache_dir / "precheck.sqlite", _SCHEMA))

    def close(self) -> None:
        """Forget what is too much, and close the file."""
        self._forget()
        self._database.close()

    def find(self, question: str, kind: type[T]) -> T | None:
        """The answer, or None where there is none that can be used."""
        try:
            rows = self._database.rows("SELECT answer FROM steps WHERE question = ?", (question,))
            if not rows:
                return None
            answer = decode_stored(kind, _unpacked(rows[0][0]))
        except (OutsideError, ValueError, zlib.error, RecursionError):
            return None
        with suppress(OutsideError), self._database.transaction() as connection:
            connection.execute("UPDATE steps SET used = ? WHERE question = ?", (int(time.time()), question))
        return answer

    def keep(self, question: str, answer: object) -> None:
        """Keep the answer, unless it is huge."""
        packed = zlib.compress(encode_stored(answer), 1)
        if len(packed) > _LARGEST:
            return
        with suppress(OutsideError), self._database.transaction() as connection:
            values = (question, packed, len(packed), int(time.time()))
            connection.execute("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)", values)
        self._new += 1
        if self._new % _ROUND == 0:
            self._forget()

    def _forget(self) -> None:
        with suppress(OutsideError), self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM steps WHERE question IN (SELECT question FROM (SELECT question, sum(size) OVER "
                "(ORDER BY used DESC, question ROWS UNBOUNDED PRECEDING) AS total FROM steps) WHERE total > ?)",
                (self._most,),
            )


def _unpacked(packed: bytes) -> bytes:
    reader = zlib.decompressobj()
    data = reader.decompress(packed, _INFLATED)
    if not reader.eof:
        raise ValueError("it goes on")
    return data
