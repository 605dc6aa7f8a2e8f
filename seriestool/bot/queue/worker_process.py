# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at series in processes of their own: what one of them eats, breaks or never ends is not the bot's.

A process is started from a server that was forked before there were threads, serves a number of series, and is
replaced. It is the first that the kernel ends when memory runs out, and it ends when the bot does, however that ends.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from seriestool.bot.queue.error_handling import classify_error
from seriestool.bot.queue.handlers import ReportHandler, ReportRow, StepResult, StepStatus

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

_SERVES = 50  # series of one process: what a library forgets to free is freed then
_STARTS = 120.0  # seconds for a process to come up


class ProcessPool:
    """The processes, one for each series that is looked at now. Any thread may ask."""

    def __init__(
        self,
        look: ReportHandler,
        log_crash: Callable[[BaseException], str],
        limit: float,
        preload: tuple[str, ...] = (),
    ) -> None:
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *preload])
        self._work = (look, log_crash)
        self._limit = limit
        self._idle: list[_PooledProcess] = []
        self._busy: set[_PooledProcess] = set()
        self._lock = threading.Lock()
        self._closed = False
        # Nothing is ever written to it: its end is the news.
        self._life, self._held = self._context.Pipe(duplex=False)

    def look(self, key: str) -> ReportRow | StepResult:
        """The report on the series, or why there is none."""
        pooled = self._take()
        answer = pooled.ask(key, self._limit)
        self._give_back(pooled)
        return answer

    def close(self) -> None:
        """End all processes, also those at work; whoever waits for one is told that it was killed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            all_pooled = [*self._idle, *self._busy]
            self._idle = []
        for pooled in all_pooled:
            pooled.end()
        self._held.close()
        self._life.close()

    def _take(self) -> "_PooledProcess":
        with self._lock:
            pooled = self._idle.pop() if self._idle else _PooledProcess()
            self._busy.add(pooled)
        if not pooled.is_open:
            pooled.start(self._start)
        return pooled

    def _give_back(self, pooled: "_PooledProcess") -> None:
        is_worn = pooled.served >= _SERVES
        if is_worn:
            pooled.end()
        with self._lock:
            self._busy.discard(pooled)
            if pooled.is_open and not self._closed:
                self._idle.append(pooled)
                return
        pooled.end()

    def _start(self) -> "tuple[ForkServerProcess, Connection]":
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(there, self._life, *self._work), name="seriestool-bot-look", daemon=True
        )
        process.start()
        there.close()
        return process, here


class _PooledProcess:
    """One process, and the way to it."""

    def __init__(self) -> None:
        self.served = 0
        self.is_open = False
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None

    def start(self, start: "Callable[[], tuple[ForkServerProcess, Connection]]") -> None:
        self._process, self._pipe = start()
        self.is_open = True

    def ask(self, key: str, limit: float) -> ReportRow | StepResult:
        assert self._pipe is not None  # noqa: S101
        self.served += 1
        try:
            if self.served == 1 and not (self._pipe.poll(_STARTS) and self._pipe.recv() is None):
                self.end()
                return StepResult(StepStatus.AGAIN, "no process could be started to look at it")
            self._pipe.send(key)
            if not self._pipe.poll(limit):
                self.end()
                return StepResult(StepStatus.FAILED, f"it took longer than {_span(limit)}")
            answer: ReportRow | StepResult = self._pipe.recv()
        except (EOFError, OSError):
            return self._lost()
        return answer

    def end(self) -> None:
        """Killed, with all that it started."""
        self.is_open = False
        if self._process is None or self._process.pid is None:
            return
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(self._process.pid, signal.SIGKILL)
        self._process.join(10)

    def _lost(self) -> StepResult:
        code = self._process.exitcode if self._process else None
        if self._process is not None and code is None:
            self._process.join(10)
            code = self._process.exitcode
        self.end()
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return StepResult(StepStatus.AGAIN, f"the process that looked at it was ended by {name}: out of memory?")
        return StepResult(StepStatus.AGAIN, f"the process that looked at it ended with {code}")


def _serve(pipe: Connection, life: Connection, look: ReportHandler, log_crash: Callable[[BaseException], str]) -> None:
    """What a process does: answer until nobody asks."""
    os.setsid()  # ^C in the terminal is for the bot, which lets this one finish
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):  # the bot has gone
        pipe.send(None)
        while True:
            key = pipe.recv()
            pipe.send(_answer(look, key, log_crash))


def _answer(look: ReportHandler, key: str, log_crash: Callable[[BaseException], str]) -> ReportRow | StepResult:
    try:
        return look(key)
    except MemoryError:
        return StepResult(StepStatus.AGAIN, "out of memory")
    except Exception as error:  # whatever it is, it fails this series only
        return classify_error(error, log_crash)


def _end_with(life: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        life.recv_bytes()
    os.killpg(0, signal.SIGKILL)


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
