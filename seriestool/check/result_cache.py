# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of checks that take long, kept by what was asked: the patch, the trees, the check's version, the tools."""

import hashlib
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from seriestool.check.protocol import Check, CheckSubject, Finding, Status
from seriestool.util.database import Database, DatabaseSchema, make_database
from seriestool.util.errors import OutsideError
from seriestool.util.serialization import decode_stored, encode_stored

_SCHEMA = DatabaseSchema(
    2,
    """CREATE TABLE answers (question TEXT PRIMARY KEY, findings TEXT NOT NULL, used INTEGER NOT NULL);
CREATE INDEX by_use ON answers (used);
""",
    "the answers of checks",
    "remove it: they are found again",
)
_MOST = 20_000


class ResultCache:
    """The answers in one file. One that cannot be used (a full disk, another process) is no reason to stop a run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, cache_dir: Path) -> Self:
        """The file in the cache, made where there is none; OutsideError where it cannot be used."""
        return cls(make_database(cache_dir / "checks.sqlite", _SCHEMA))

    def close(self) -> None:
        """Forget what is oldest, and close the file."""
        with suppress(OutsideError), self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM answers WHERE used < (SELECT used FROM answers ORDER BY used DESC LIMIT 1 OFFSET ?)",
                (_MOST,),
            )
        self._database.close()

    def find(self, key: str) -> tuple[Finding, ...] | None:
        """The answer, or None where there is none, or it was kept by another version of us."""
        try:
            rows = self._database.rows("SELECT findings FROM answers WHERE question = ?", (key,))
            return decode_stored(tuple[Finding, ...], rows[0][0]) if rows else None
        except (OutsideError, ValueError):
            return None

    def keep(self, key: str, findings: Iterable[Finding]) -> None:
        """Keep the answer, unless a part of it could not be seen: that may be different tomorrow."""
        findings = tuple(findings)
        if any(finding.status in (Status.SKIP, Status.ERROR) for finding in findings):
            return
        with suppress(OutsideError), self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                (key, encode_stored(findings).decode(), int(time.time())),
            )


def series_key(subject: CheckSubject, tools: str) -> str:
    """A digest of what all answers on a series depend on; `tools` names the programs that have a part in them.

    Of the patches it is the files that they change, and to whom they were sent; `result_key` has the rest.
    """
    series = subject.series
    settings = sorted(item for item in subject.environment.config.items() if item[0].startswith("seriestool.check."))
    files = [(one.counter, diff.kind, diff.old_path, diff.new_path) for one in series.patches for diff in one.files]
    told = (tools, settings, files, sorted(series.recipients), subject.is_mailed, subject.steps[0].before)
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()


def result_key(check: Check, subject: CheckSubject, context: str) -> str:
    """A digest of all that the answer depends on."""
    patches = [subject.patch] if subject.step else subject.series.patches
    texts = [(one.counter, one.subject, one.message, one.notes, one.author_name, one.author_email) for one in patches]
    is_first = subject.step is subject.steps[0]
    asked = (context, check.name, check.version, subject.before, subject.after, is_first, texts)
    told = hashlib.sha256(repr(asked).encode("utf-8", "surrogateescape"))
    for one in patches:
        told.update(hashlib.sha256(one.diff).digest())
    return told.hexdigest()
