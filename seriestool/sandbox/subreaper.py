# SPDX-License-Identifier: GPL-2.0-or-later
"""A process between us and a program that is not locked in: subreaper.py STATUS-FD FOLDER ARGV...

Orphans become its children and not init's, so that they can be found and ended; it ends them all when it is told to
(SIGTERM), and when we are gone. Run as a script: it imports nothing of ours.
"""

import contextlib
import ctypes
import os
import signal
import sys
from typing import Never

_PDEATHSIG, _SUBREAPER = 1, 36  # prctl(2)
_OWN_WAY = [signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ]  # what Python took from their usual course


def main(status: int, folder: str, argv: list[str]) -> Never:
    """Run the program, tell its exit code at `status`, and stay until told to end."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: _end_all())
    prctl(_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    with contextlib.suppress(OSError):  # as root: to get a turn among thousands that have to be ended
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    os.set_inheritable(status, False)
    os.chdir(folder)
    try:
        program = os.posix_spawnp(argv[0], argv, os.environ, setsigdef=_OWN_WAY)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(1)
    while True:
        try:
            pid, ended = os.wait()
        except ChildProcessError:
            signal.pause()
            continue
        if pid == program:
            code = os.waitstatus_to_exitcode(ended)
            os.write(status, b'{ "exit-code": %d }\n' % (code if code >= 0 else 128 - code))


def _end_all() -> Never:
    stopped = set[int]()
    while new := _below() - stopped:  # what is stopped starts nothing
        _send(new, signal.SIGSTOP)
        stopped |= new
    while left := _below():
        _send(left, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.wait()
    os._exit(0)


def _below() -> set[int]:
    """What came from us and lives."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
            state, parent = file.read().rpartition(b")")[2].split()[:2]
            if state not in b"ZX":
                children.setdefault(int(parent), []).append(int(name))
    found = [os.getpid()]
    for pid in found:
        found += children.get(pid, ())
    return set(found[1:])


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
