# SPDX-License-Identifier: GPL-2.0-or-later
"""What the engine asks of DBOS, and the one call of it that is not public."""

import inspect
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from seriestool.bot.queue.handlers import StepResult, StepStatus
from seriestool.bot.queue.pipeline import Attempt
from seriestool.bot.queue.retry import Retrier
from seriestool.bot.queue.workflows import WorkflowEngine

ATTEMPT = Attempt("k" * 40, 1, 1)


class _Processes:
    def close(self) -> None:
        """None runs."""


class _Steps:
    """A pipeline that writes down what it was asked to look at."""

    def __init__(self) -> None:
        self.looked: list[Attempt] = []
        self.retry = Retrier(threading.Event())
        self.processes = _Processes()

    def look(self, attempt: Attempt) -> StepResult:
        self.looked.append(attempt)
        return StepResult(StepStatus.DONE, "")

    decide = say = lambda self, attempt: StepResult(StepStatus.DONE, "")

    def settle(self, attempt: Attempt, status: StepStatus, error: str) -> None:
        """Nothing is to be tried again."""


class Scene:
    def __init__(self, folder: Path) -> None:
        self.steps: Any = _Steps()
        self.file = folder / "bot.dbos.sqlite"
        self.engine = WorkflowEngine(f"sqlite:///{folder}/bot.sqlite", "alive:1", 1, self.steps)
        self.engine.launch(poll=0.05)

    def row(self, change: str = "") -> tuple[str, str, int]:
        """Status, executor and how often it was begun, after a change of the row."""
        with closing(sqlite3.connect(self.file, timeout=30)) as connection, connection:
            if change:
                connection.execute(f"UPDATE workflow_status SET {change}")  # noqa: S608
            return connection.execute("SELECT status, executor_id, recovery_attempts FROM workflow_status").fetchone()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.engine.close(0)


def test_work_of_a_dead_owner_is_taken_over_once_and_that_of_another_is_left(scene: Scene) -> None:
    """`resume_workflow` is public, but takes what a living owner works on, and forgets how often it was begun."""
    scene.engine.enqueue(ATTEMPT, delay=1000)
    scene.row("status = 'PENDING', executor_id = 'dead:1', recovery_attempts = 7")
    scene.engine.take_over(["another:1"])
    assert scene.row() == ("PENDING", "dead:1", 7)
    assert scene.engine.executors() == {"dead:1"}
    scene.engine.take_over(["dead:1"])
    scene.engine.take_over(["dead:1"])
    end = time.monotonic() + 20
    while scene.row()[0] != "SUCCESS":
        assert time.monotonic() < end, scene.row()
        time.sleep(0.02)
    assert scene.row() == ("SUCCESS", "alive:1", 8)
    assert scene.steps.looked == [ATTEMPT]


def test_the_private_call_of_dbos_is_there_as_it_is_used() -> None:
    from dbos import DBOS

    assert [*inspect.signature(DBOS._recover_pending_workflows).parameters] == ["executor_ids"]


def test_a_dbos_without_the_call_is_not_silent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbos import DBOS

    monkeypatch.delattr(DBOS, "_recover_pending_workflows")
    with pytest.raises(AttributeError):
        scene.engine.take_over(["dead:1"])
