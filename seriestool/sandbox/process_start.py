# SPDX-License-Identifier: GPL-2.0-or-later
"""How a process is started that will run what nobody trusts: no environment, no terminal, limits of its own."""

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from seriestool.sandbox.job import SandboxLimits
from seriestool.util.errors import OutsideError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FILES = 1024
_TASKS = 10  # threads count too; more of them than what ends the program for it


def limited(limits: SandboxLimits) -> list[str]:
    """What to put before a command so that each of its processes has limits that the kernel keeps (prlimit(1)).

    They are what holds between two looks at it: memory is twice what ends the program, so that it is ended for that
    and does not fail in some way of its own. There is none on CPU time, which threads multiply; that on processes
    would count all of the user's here.
    """
    return [
        "prlimit",
        "--core=0",
        f"--nofile={_FILES}",
        f"--fsize={limits.file_size}",
        f"--data={2 * limits.memory}",
        "--memlock=0",
        "--msgqueue=0",
        "--",
    ]


def start(command: Sequence[str], given: Sequence[int] = (), env: Mapping[str, str] | None = None) -> "Process":
    """The process, in a session of its own, with pipes; `given` are file descriptors that it has besides.

    Raises OutsideError where there is no such program.
    """
    # What is in this environment can be read inside, in the /proc of a process that bubblewrap leaves there.
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={"PATH": PATH, **(env or {})},
            cwd="/",
            pass_fds=given,
            start_new_session=True,
        )
    except OSError as error:
        raise OutsideError(f"{command[0]} could not be started: {error.strerror}") from error


def bound_processes(first: int, limits: SandboxLimits) -> None:
    """Make sure that the first process of a namespace, and with it all, can be ended whatever they do.

    Within a user namespace the kernel counts its processes only (since Linux 5.14), and bounds them; but never those
    of root. There the first process gets a priority that those it starts do not have: it must run to be ended.
    """
    if os.geteuid():
        bound = _TASKS * limits.processes
        resource.prlimit(first, resource.RLIMIT_NPROC, (bound, bound))
    else:
        _prefer(first)


@contextlib.contextmanager
def raised_priority() -> Iterator[None]:
    """A block in which this thread gets its turn among thousands of processes; for root, who is not bounded."""
    if os.geteuid() or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    _prefer(0)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _prefer(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def end_started(process: "Process") -> None:
    """End a process that has started nothing yet."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


Process = subprocess.Popen[bytes]
