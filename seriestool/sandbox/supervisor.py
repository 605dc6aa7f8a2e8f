# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that runs, attended to: its output read, its use of the machine watched, its end brought about.

One loop in the caller's thread does all of it, so that nothing is left to wait for when it ends.
"""

import contextlib
import os
import re
import selectors
import subprocess
import time
from collections.abc import Sequence
from threading import Event
from typing import IO, Protocol

from seriestool.sandbox.disk_watch import DiskWatch
from seriestool.sandbox.job import KillReason, SandboxJob, SandboxResult
from seriestool.sandbox.process_start import raised_priority
from seriestool.sandbox.process_usage import deleted_file_bytes, estimate_usage, is_machine_full, measure_usage
from seriestool.util.errors import OutsideError

_TICK = 0.02  # what forks without end makes some ten thousand processes in a second
_ALL_TICK = 0.05
_DEAR = 20  # a look that costs this much less than the pause before the next takes some 5 % of the time
_NAMELESS_TICK = 1.0
_THREADS = 8  # threads that a process may have on average
_BLOCK = 1 << 16
_TOO_LARGE = 128 + 25  # SIGXFSZ: a file reached the limit
_EXIT_CODE = re.compile(rb'"exit-code": (\d+)')


class SupervisedProgram(Protocol):
    """A program, and all that it started."""

    process: subprocess.Popen[bytes]
    """What we started ourselves; standard input and output are pipes."""
    status: int
    """Where `"exit-code": N` can be read once the program has ended."""

    @property
    def tmpfs(self) -> Sequence[str]:
        """Where file systems in memory of its own are seen from outside."""

    def folders(self) -> list[str]:
        """The folder in /proc of each process."""

    def end(self) -> None:
        """End them all; back when none is left."""


def supervise(program: SupervisedProgram, job: SandboxJob, stopped: Event) -> SandboxResult:
    """How the program ended; whatever happens here, nothing of it runs any more afterwards."""
    started = time.monotonic()
    ended: KillReason | None = None
    with contextlib.ExitStack() as stack:
        stack.callback(program.end)
        streams = stack.enter_context(_ProgramPipes(program, job))
        stack.enter_context(raised_priority())
        watch = _LimitWatch(program, job)
        while not streams.is_over and ended is None:
            if stopped.is_set():
                raise OutsideError(f"{job.argv[0]} was ended: everything is to stop")
            streams.pump(watch.pause)
            ended = watch.look()
        program.end()
        streams.drain()
        code = streams.code
    if code is None and ended is None:
        said = os.fsdecode(bytes(streams.stderr)).strip().splitlines()
        raise OutsideError(f"{job.argv[0]} could not be started: {said[-1] if said else 'nothing says why'}")
    if code == _TOO_LARGE and ended is None:
        ended = KillReason.DISK
    return SandboxResult(
        code=128 + 9 if code is None else code,
        stdout=bytes(streams.stdout),
        stderr=bytes(streams.stderr),
        ended=ended,
        seconds=time.monotonic() - started,
    )


class _ProgramPipes(contextlib.AbstractContextManager["_ProgramPipes"]):
    """The pipes to and from the program; what is too much of its output is read and thrown away."""

    def __init__(self, program: SupervisedProgram, job: SandboxJob) -> None:
        process = program.process
        self.stdout, self.stderr, self._status = bytearray(), bytearray(), bytearray()
        self._kept = job.limits.output
        self._input = memoryview(job.stdin)
        self._pipes = [_pipe(stream) for stream in (process.stdin, process.stdout, process.stderr)]
        self._selector = selectors.DefaultSelector()
        self._status_end = program.status
        self._open = {program.status: self._status}
        for pipe, buffer in zip(self._pipes[1:], (self.stdout, self.stderr), strict=True):
            self._open[pipe.fileno()] = buffer
        for fd in self._open:
            os.set_blocking(fd, False)
            self._selector.register(fd, selectors.EVENT_READ)
        os.set_blocking(self._pipes[0].fileno(), False)
        self._selector.register(self._pipes[0].fileno(), selectors.EVENT_WRITE)

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()
        os.close(self._status_end)

    @property
    def code(self) -> int | None:
        """The exit code, as soon as it is known."""
        found = _EXIT_CODE.search(self._status)
        return int(found[1]) if found else None

    @property
    def is_over(self) -> bool:
        """Whether the program has ended."""
        return self.code is not None or not any(buffer is self._status for buffer in self._open.values())

    def pump(self, pause: float) -> None:
        """Move what there is to move; wait for something no longer than `pause` seconds."""
        for key, _ in self._selector.select(pause):
            if key.fd in self._open:
                self._read(key.fd)
            else:
                self._write(key.fd)

    def drain(self) -> None:
        """Read what is left; all that could write is gone."""
        for fd in list(self._open):
            while fd in self._open and self._read(fd):
                pass

    def _read(self, fd: int) -> bool:
        buffer = self._open[fd]
        try:
            data = os.read(fd, _BLOCK)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(fd)
            del self._open[fd]
        buffer += data[: max(0, self._kept - len(buffer))] if buffer is not self._status else data
        return True

    def _write(self, fd: int) -> None:
        try:
            self._input = self._input[os.write(fd, self._input[:_BLOCK]) if self._input else 0 :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._input = self._input[:0]
        if not self._input:
            self._selector.unregister(fd)
            self._pipes[0].close()


class _LimitWatch:
    """Looks at how many processes there are fifty times a second, and at what else is used as often as is cheap."""

    def __init__(self, program: SupervisedProgram, job: SandboxJob) -> None:
        now = time.monotonic()
        self._enclosed = program
        self._limits = job.limits
        self._growth = DiskWatch(job.writable, job.limits.disk)
        self._until = now + job.limits.seconds
        self._due = now + _TICK / 2
        self._all_due = now
        self._nameless = 0
        self._nameless_due = now + _NAMELESS_TICK

    @property
    def pause(self) -> float:
        """Seconds until the next look is due."""
        return max(0.0, self._due - time.monotonic())

    def look(self) -> KillReason | None:
        """The limit that is reached, if any; nothing is looked at before it is due."""
        now = time.monotonic()
        if now < self._due:
            return None
        if now >= self._until:
            return KillReason.TIME
        cost = time.thread_time()
        folders = self._enclosed.folders()
        if len(folders) > self._limits.processes:
            return KillReason.PROCESSES
        cost = time.thread_time() - cost
        found = self._find(folders) if now >= self._all_due else None
        self._due = min(now + max(_TICK, _DEAR * cost), max(now, self._until))
        return found

    def _find(self, folders: Sequence[str]) -> KillReason | None:
        began, cost = time.monotonic(), time.thread_time()
        found = self._find_more(folders)
        self._all_due = began + max(_ALL_TICK, _DEAR * (time.thread_time() - cost))
        return found

    def _find_more(self, folders: Sequence[str]) -> KillReason | None:
        in_memory = sum(map(_held, self._enclosed.tmpfs))
        use = estimate_usage(folders)
        if use.threads > _THREADS * self._limits.processes:
            return KillReason.PROCESSES
        if self._is_too_much_memory(folders, use.private + use.shared + in_memory, in_memory):
            return KillReason.MEMORY
        is_over = self._growth.is_over(in_memory + self._count_nameless(folders))
        return KillReason.DISK if is_over else None

    def _is_too_much_memory(self, folders: Sequence[str], at_most: int, in_memory: int) -> bool:
        if is_machine_full():
            return True
        if at_most <= self._limits.memory:
            return False
        use = measure_usage(folders)
        return use.private + max(use.shared, in_memory) > self._limits.memory

    def _count_nameless(self, folders: Sequence[str]) -> int:
        now = time.monotonic()
        if now >= self._nameless_due:
            self._nameless = deleted_file_bytes(folders)
            self._nameless_due = now + max(_NAMELESS_TICK, _DEAR * (time.monotonic() - now))
        return self._nameless


def _held(mount: str) -> int:
    """Bytes of memory that a file system in memory takes; a kilobyte for what the kernel knows of each file."""
    try:
        found = os.statvfs(mount)
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize + (found.f_files - found.f_ffree) * 1024


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101
    return stream
