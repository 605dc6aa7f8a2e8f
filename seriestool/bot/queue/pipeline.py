# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done with a series, step by step; a step that was cut short is done again, and then does not do it twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from seriestool.bot.bot_tables import SeriesState
from seriestool.bot.queue.error_handling import classify_error
from seriestool.bot.queue.handlers import Handlers, ReportRow, StepResult, StepStatus
from seriestool.bot.queue.retry import RepairLock, Retrier, T
from seriestool.bot.queue.worker_process import ProcessPool
from seriestool.bot.store import Store, insert_new

_MAX_REPAIRS = 2  # times that one look may have the repository made anew


class Attempt(NamedTuple):
    """One try of one series; its text is the workflow's id."""

    key: str
    rounds: int
    tries: int

    def __str__(self) -> str:
        return f"{self.key}.{self.rounds}.{self.tries}"


@dataclass(frozen=True)
class Pipeline:
    """The steps, and all that they need."""

    store: Store
    crew: Handlers
    bench: ProcessPool
    patience: Retrier
    worker: str
    tries: int = 3
    pause: float = 30.0
    """Seconds between two looks at whether there is room again."""
    now: Callable[[], float] = time.time
    gate: RepairLock = field(default_factory=RepairLock)
    tell: Callable[[str], None] = lambda _: None
    """Told the key of each series that is done with."""

    def look(self, turn: Attempt) -> StepResult:
        """The report is in the database (DONE, with no error), or why there is none."""
        is_new = self._until(lambda: self._begin(turn))
        if is_new is None:
            return StepResult(StepStatus.FAILED, "its turn is over")
        answer = self._look(turn.key) if is_new else None
        if answer is None:
            return StepResult(StepStatus.DONE, "")
        if isinstance(answer, StepResult):
            return answer
        self._until(lambda: self._keep(turn.key, answer))
        return StepResult(StepStatus.DONE, "")

    def decide(self, turn: Attempt) -> StepResult:
        """What is to be said of the report is in the database."""
        return self._careful(lambda: self.crew.decide(self.store, turn.key))

    def say(self, turn: Attempt) -> StepResult:
        """It is said."""
        return self._careful(lambda: self.crew.say(self.store, turn.key))

    def settle(self, turn: Attempt, fate: StepStatus, error: str) -> Attempt | None:
        """The next try, where there is to be one; the series is done or failed where not."""
        return self._until(lambda: self._settle(turn, fate, error))

    def _until(self, work: Callable[[], T]) -> T:
        return self.patience.until(work)

    def _begin(self, turn: Attempt) -> bool | None:
        """Whether there is no report yet; None where it is not this one's turn."""
        from sqlalchemy import select, update

        from seriestool.bot.bot_tables import reports, series

        with self.store.transaction() as connection:
            mine = connection.execute(
                update(series)
                .where(*_is(turn), series.c.state.in_((SeriesState.QUEUED, SeriesState.RUNNING)))
                .values(state=SeriesState.RUNNING, worker=self.worker)
            )
            if not mine.rowcount:
                return None
            return connection.execute(select(reports.c.key).where(reports.c.key == turn.key)).first() is None

    def _look(self, key: str) -> ReportRow | StepResult:
        mended = 0
        while True:
            with self.gate.shared() as number:
                self.patience.wait(0)
                answer = self.bench.look(key)
            if isinstance(answer, ReportRow):
                return answer
            self.patience.wait(0)  # a bot that leaves ends its processes: that is no failure of the series
            if answer.fate is StepStatus.LATER:
                self._wait(answer.error)
            elif answer.fate is StepStatus.BROKEN and self.crew.mend and mended < _MAX_REPAIRS:
                mended += 1
                self.gate.mend(number, self.crew.mend)
            elif answer.fate is StepStatus.BROKEN:
                return StepResult(StepStatus.AGAIN, answer.error)
            else:
                return answer

    def _wait(self, why: str) -> None:
        self.patience.trouble(why)
        try:
            self.patience.wait(self.pause)
        finally:
            self.patience.over(why)

    def _keep(self, key: str, looked: ReportRow) -> None:
        from seriestool.bot.bot_tables import reports

        with self.store.transaction() as connection:
            insert_new(connection, reports, [looked.row(key, int(self.now()))])

    def _careful(self, work: Callable[[], object]) -> StepResult:
        while True:
            try:
                self._until(work)
            except Exception as error:  # whatever it is, it fails this series only
                trouble = classify_error(error, self.crew.log_crash)
                if trouble.fate is StepStatus.LATER:
                    self._wait(trouble.error)
                    continue
                return trouble
            return StepResult(StepStatus.DONE, "")

    def _settle(self, turn: Attempt, fate: StepStatus, error: str) -> Attempt | None:
        from sqlalchemy import update

        from seriestool.bot.bot_tables import series

        again = fate in (StepStatus.AGAIN, StepStatus.BROKEN) and turn.tries < self.tries
        values: dict[str, object] = {"error": error[:2000] or None}
        if again:
            values |= {"state": SeriesState.QUEUED, "tries": turn.tries + 1, "worker": None}
        else:
            state = SeriesState.DONE if fate is StepStatus.DONE else SeriesState.FAILED
            values |= {"state": state, "finished": int(self.now())}
        with self.store.transaction() as connection:
            done = connection.execute(
                update(series)
                .where(*_is(turn), series.c.state.in_((SeriesState.QUEUED, SeriesState.RUNNING)))
                .values(values)
            )
        if done.rowcount and not again:
            self.tell(turn.key)
        return turn._replace(tries=turn.tries + 1) if again and done.rowcount else None


def _is(turn: Attempt) -> tuple[Any, ...]:
    from seriestool.bot.bot_tables import series

    return series.c.key == turn.key, series.c.rounds == turn.rounds, series.c.tries == turn.tries
