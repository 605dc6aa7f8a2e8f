# SPDX-License-Identifier: GPL-2.0-or-later
"""Looking in processes of their own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from seriestool.bot.dialects import StoreError
from seriestool.bot.queue.handlers import ReportRow, StepResult, StepStatus
from seriestool.bot.queue.worker_process import ProcessPool
from seriestool.util.errors import InputError, OutsideError
from tests.support.repos import ROOT


@dataclass(frozen=True)
class Look:
    """Does what the key says."""

    folder: Path

    def __call__(self, key: str) -> ReportRow:
        return {
            "pid": lambda: ReportRow(str(os.getpid()), "", "", b"", b""),
            "outside": lambda: _raise(OutsideError("no network")),
            "input": lambda: _raise(InputError("no series")),
            "store": lambda: _raise(StoreError("gone")),
            "bug": lambda: {}[key],
            "memory": lambda: _raise(MemoryError()),
            "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "exits": lambda: os._exit(3),
            "leaves": lambda: sys.exit(3),
            "sleeps": lambda: time.sleep(1000),
            "starts": self._start,
            "interrupted": self._interrupted,
            "large": lambda: ReportRow("ready", "", "", b"x" * 50_000_000, b""),
        }[key]()  # type: ignore[no-any-return, operator]

    def _start(self) -> None:
        child = subprocess.Popen(["sleep", "1000"])
        (self.folder / "child").write_text(str(child.pid))
        child.wait()

    def _interrupted(self) -> ReportRow:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        return ReportRow("ready", "", "", b"", b"")


def _raise(error: BaseException) -> None:
    raise error


def log_crash(error: BaseException) -> str:
    return f"log of {type(error).__name__}"


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., ProcessPool]]:
    made: list[ProcessPool] = []

    def make(limit: float = 30) -> ProcessPool:
        made.append(ProcessPool(Look(tmp_path), log_crash, limit))
        return made[-1]

    yield make
    for processes in made:
        processes.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_it_is_another_process_and_the_same_one_next_time(make_bench: Callable[..., ProcessPool]) -> None:
    processes = make_bench()
    first, second = processes.look("pid"), processes.look("pid")
    assert isinstance(first, ReportRow)
    assert isinstance(second, ReportRow)
    assert first.answer == second.answer != str(os.getpid())


@pytest.mark.parametrize(
    ("key", "status", "error"),
    [
        ("outside", StepStatus.AGAIN, "no network"),
        ("input", StepStatus.FAILED, "no series"),
        ("store", StepStatus.LATER, "gone"),
        ("bug", StepStatus.FAILED, "a bug: KeyError: 'bug' (log: log of KeyError)"),
        ("memory", StepStatus.AGAIN, "out of memory"),
        ("killed", StepStatus.AGAIN, "the process that looked at it was ended by SIGKILL: out of memory?"),
        ("exits", StepStatus.AGAIN, "the process that looked at it ended with 3"),
        ("leaves", StepStatus.AGAIN, "the process that looked at it ended with 3"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_series_is_looked_at(
    make_bench: Callable[..., ProcessPool], key: str, status: StepStatus, error: str
) -> None:
    processes = make_bench()
    assert processes.look(key) == StepResult(status, error)
    assert isinstance(processes.look("pid"), ReportRow)


def test_what_takes_too_long_is_ended_with_all_that_it_started(
    make_bench: Callable[..., ProcessPool], tmp_path: Path
) -> None:
    processes = make_bench(limit=1.0)
    assert processes.look("starts") == StepResult(StepStatus.FAILED, "it took longer than 1 seconds")
    pid = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_alive(pid))
    assert isinstance(processes.look("pid"), ReportRow)


def test_an_interrupt_from_the_terminal_does_not_disturb_it(make_bench: Callable[..., ProcessPool]) -> None:
    assert isinstance(make_bench().look("interrupted"), ReportRow)


def test_a_large_report_comes_through(make_bench: Callable[..., ProcessPool]) -> None:
    looked = make_bench().look("large")
    assert isinstance(looked, ReportRow)
    assert len(looked.document) == 50_000_000


def test_who_waits_when_it_is_closed_is_told(make_bench: Callable[..., ProcessPool]) -> None:
    processes, answers = make_bench(), []
    waiting = threading.Thread(target=lambda: answers.append(processes.look("sleeps")))
    waiting.start()
    time.sleep(1.0)
    processes.close()
    waiting.join(10)
    assert [answer.status for answer in answers] == [StepStatus.AGAIN]


def test_a_process_is_replaced_after_some_series(
    make_bench: Callable[..., ProcessPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seriestool.bot.queue.worker_process._SERVES", 2)
    processes = make_bench()
    answers = [processes.look("pid") for _ in range(4)]
    pids = [answer.answer for answer in answers if isinstance(answer, ReportRow)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_it_ends_when_the_bot_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, threading, time\nfrom pathlib import Path\n"
        "from tests.unit.bot.queue.test_worker_process import Look, ProcessPool, log_crash\n"
        f"bench = ProcessPool(Look(Path({str(tmp_path)!r})), log_crash, 1000)\n"
        "print(bench.look('pid').answer, flush=True)\nbench.look('starts')\n"
    )
    bot = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert bot.stdout is not None
    looking = int(bot.stdout.readline())
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")
    child = int((tmp_path / "child").read_text())
    bot.kill()
    bot.wait()
    wait_until(lambda: not is_alive(looking) and not is_alive(child))
