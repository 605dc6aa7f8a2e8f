# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done with a series, step by step; a step that was cut short is done again, and then does not do it twice."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct, field

from seriestool.bot.bot_tables import SeriesState
from seriestool.bot.dialects import insert_new
from seriestool.bot.queue.error_handling import classify_error
from seriestool.bot.queue.handlers import Handlers, ReportRow, StepResult, StepStatus
from seriestool.bot.queue.retry import RepairLock, Retrier, T
from seriestool.bot.queue.worker_process import ProcessPool
from seriestool.bot.store import Store

_MAX_REPAIRS = 2  # times that one look may have the repository made anew


class Attempt(NamedTuple):
    """One try of one series; its text is the workflow's id."""

    key: str
    rounds: int
    tries: int

    def __str__(self) -> str:
        return f"{self.key}.{self.rounds}.{self.tries}"


class Pipeline(Struct, frozen=True, dict=True, kw_only=True):
    """The steps, and all that they need."""

    store: Store
    handlers: Handlers
    processes: ProcessPool
    retry: Retrier
    worker: str
    tries: int = 3
    pause: float = 30.0
    """Seconds between two looks at whether there is room again."""
    now: Callable[[], float] = time.time
    repair_lock: RepairLock = field(default_factory=RepairLock)
    tell: Callable[[str], None] = lambda _: None
    """Told the key of each series that is done with."""

    def look(self, attempt: Attempt) -> StepResult:
        """The report is in the database (DONE, with no error), or why there is none."""
        is_new = self._until(lambda: self._begin(attempt))
        if is_new is None:
            return StepResult(StepStatus.FAILED, "its turn is over")
        answer = self._look(attempt.key) if is_new else None
        if answer is None:
            return StepResult(StepStatus.DONE, "")
        if isinstance(answer, StepResult):
            return answer
        self._until(lambda: self._keep(attempt.key, answer))
        return StepResult(StepStatus.DONE, "")

    def decide(self, attempt: Attempt) -> StepResult:
        """What is to be said of the report is in the database."""
        return self._careful(lambda: self.handlers.decide(self.store, attempt.key))

    def say(self, attempt: Attempt) -> StepResult:
        """It is said."""
        return self._careful(lambda: self.handlers.say(self.store, attempt.key))

    def settle(self, attempt: Attempt, status: StepStatus, error: str) -> Attempt | None:
        """The next try, where there is to be one; the series is done or failed where not."""
        return self._until(lambda: self._settle(attempt, status, error))

    def _until(self, work: Callable[[], T]) -> T:
        return self.retry.until(work)

    def _begin(self, attempt: Attempt) -> bool | None:
        """Whether there is no report yet; None where it is not this one's turn."""
        from sqlalchemy import select, update

        from seriestool.bot.bot_tables import reports, series

        with self.store.transaction() as connection:
            mine = connection.execute(
                update(series)
                .where(*_is(attempt), series.c.state.in_((SeriesState.QUEUED, SeriesState.RUNNING)))
                .values(state=SeriesState.RUNNING, worker=self.worker)
            )
            if not mine.rowcount:
                return None
            return connection.execute(select(reports.c.key).where(reports.c.key == attempt.key)).first() is None

    def _look(self, key: str) -> ReportRow | StepResult:
        mended = 0
        while True:
            with self.repair_lock.shared() as number:
                self.retry.wait(0)
                answer = self.processes.look(key)
            if isinstance(answer, ReportRow):
                return answer
            self.retry.wait(0)  # a bot that leaves ends its processes: that is no failure of the series
            if answer.status is StepStatus.LATER:
                self._wait(answer.error)
            elif answer.status is StepStatus.BROKEN and self.handlers.repair and mended < _MAX_REPAIRS:
                mended += 1
                self.repair_lock.repair(number, self.handlers.repair)
            elif answer.status is StepStatus.BROKEN:
                return StepResult(StepStatus.AGAIN, answer.error)
            else:
                return answer

    def _wait(self, why: str) -> None:
        self.retry.trouble(why)
        try:
            self.retry.wait(self.pause)
        finally:
            self.retry.over(why)

    def _keep(self, key: str, looked: ReportRow) -> None:
        from seriestool.bot.bot_tables import reports

        with self.store.transaction() as connection:
            insert_new(connection, reports, [looked.row(key, int(self.now()))])

    def _careful(self, work: Callable[[], object]) -> StepResult:
        while True:
            try:
                self._until(work)
            except Exception as error:  # whatever it is, it fails this series only
                trouble = classify_error(error, self.handlers.log_crash)
                if trouble.status is StepStatus.LATER:
                    self._wait(trouble.error)
                    continue
                return trouble
            return StepResult(StepStatus.DONE, "")

    def _settle(self, attempt: Attempt, status: StepStatus, error: str) -> Attempt | None:
        from sqlalchemy import update

        from seriestool.bot.bot_tables import series

        again = status in (StepStatus.AGAIN, StepStatus.BROKEN) and attempt.tries < self.tries
        values: dict[str, object] = {"error": error[:2000] or None}
        if again:
            values |= {"state": SeriesState.QUEUED, "tries": attempt.tries + 1, "worker": None}
        else:
            state = SeriesState.DONE if status is StepStatus.DONE else SeriesState.FAILED
            values |= {"state": state, "finished": int(self.now())}
        with self.store.transaction() as connection:
            done = connection.execute(
                update(series)
                .where(*_is(attempt), series.c.state.in_((SeriesState.QUEUED, SeriesState.RUNNING)))
                .values(values)
            )
        if done.rowcount and not again:
            self.tell(attempt.key)
        return attempt._replace(tries=attempt.tries + 1) if again and done.rowcount else None


def _is(attempt: Attempt) -> tuple[Any, ...]:
    from seriestool.bot.bot_tables import series

    return series.c.key == attempt.key, series.c.rounds == attempt.rounds, series.c.tries == attempt.tries
