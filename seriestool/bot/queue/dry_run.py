# SPDX-License-Identifier: GPL-2.0-or-later
"""A replay's looks and decisions: looks side by side in processes of their own, decisions in the order of time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from msgspec import Struct

from seriestool.bot.dialects import insert_new
from seriestool.bot.notify.message_composer import Wording
from seriestool.bot.notify.notifier import decide_and_record
from seriestool.bot.notify.notify_decision import NotifyRules
from seriestool.bot.notify.summary import summary_from_json
from seriestool.bot.queue.handlers import StepResult
from seriestool.bot.queue.worker_process import ProcessPool
from seriestool.bot.store import Store


class DryRunResult(NamedTuple):
    """What was found of a series, in two words."""

    answer: str
    """precheck.value.Answer; empty where there is no report."""
    decision: str
    """What would have been said, to whom, and why; why nothing; or why there is no report."""


class DryRun(Struct, frozen=True, dict=True, kw_only=True):
    """One replay; nothing that it decides is ever sent."""

    store: Store
    processes: ProcessPool
    pool: ThreadPoolExecutor
    rules: NotifyRules
    wording: Wording

    def begin(self, key: str, now: int) -> Callable[[], DryRunResult]:
        """A function that waits for the report on the series, and then decides as of the unix time `now`."""
        looking = self.pool.submit(self._look, key, now)
        return lambda: self._finish(key, now, looking)

    def _look(self, key: str, now: int) -> str | None:
        """Why there is no report, or None: it is in the database."""
        from sqlalchemy import select

        from seriestool.bot.bot_tables import reports

        with self.store.transaction() as connection:
            if connection.execute(select(reports.c.key).where(reports.c.key == key)).first() is not None:
                return None
        answer = self.processes.look(key)
        if isinstance(answer, StepResult):
            return answer.error
        with self.store.transaction() as connection:
            insert_new(connection, reports, [answer.row(key, now)])
        return None

    def _finish(self, key: str, now: int, looking: "Future[str | None]") -> DryRunResult:
        from sqlalchemy import select

        from seriestool.bot.bot_tables import reports

        error = looking.result()
        if error is not None:
            return DryRunResult("", f"no report: {error}")
        with self.store.transaction() as connection:
            row = connection.execute(select(reports.c.answer, reports.c.facts).where(reports.c.key == key)).one()
        facts = summary_from_json(row.facts)
        decision = decide_and_record(
            store=self.store, summary=facts, rules=self.rules, wording=self.wording, now=now, as_of=now
        )
        return DryRunResult(row.answer, "; ".join(decision.lines()))
