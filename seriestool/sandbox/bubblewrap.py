# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs locked in by bubblewrap: https://github.com/containers/bubblewrap"""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from seriestool.sandbox.job import SandboxJob, SandboxLimits, SandboxResult
from seriestool.sandbox.process_start import PATH, bound_processes, end_started, limited, start
from seriestool.sandbox.process_usage import parent
from seriestool.sandbox.seccomp import make_filter
from seriestool.sandbox.supervisor import supervise
from seriestool.util.errors import OutsideError

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
_ID = 1000
_PASSWD = b"root:x:0:0:root:/:/bin/sh\nbuilder:x:1000:1000::/tmp:/bin/sh\n"
_GROUP = b"root:x:0:\nbuilder:x:1000:\n"
_OWN = ("tmp", "dev/shm")
_CHILD = re.compile(rb'"child-pid": (\d+)')
_START = 30.0  # seconds for bwrap to say that it is there
_GONE = 10.0


class Bubblewrap:
    """A sandbox made by bwrap(1)."""

    def __init__(self, program: Path = Path("/usr/bin/bwrap")) -> None:
        self._program = program
        self._stopped = Event()

    def run(self, job: SandboxJob) -> SandboxResult:
        """How the program ended; OutsideError where it could not be started.

        ^C ends it, and so does `stop`.
        """
        return supervise(_start(self._program, job), job, self._stopped)

    def stop(self) -> None:
        """End all that runs, in whatever thread, and start nothing any more."""
        self._stopped.set()


def find_sandbox() -> Bubblewrap | str:
    """A sandbox in which something was really run, or one line that says why there is none."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed (apt install bubblewrap)"
    sandbox = Bubblewrap(Path(program))
    try:
        job = SandboxJob(["/bin/sh", "-c", "read line"], Path("/tmp"), limits=SandboxLimits(seconds=20.0))  # noqa: S108
        outcome = sandbox.run(job)
    except OutsideError as error:
        return f"bubblewrap does not work here: {error.message}{_known_reason()}"
    if outcome.ended is not None:
        return f"bubblewrap does not work here: what it ran reached the limit of {outcome.ended}"
    return sandbox


def _known_reason() -> str:
    """The setting that forbids it, where there is one."""
    known = {"unprivileged_userns_clone": "0", "apparmor_restrict_unprivileged_userns": "1"}
    for name, forbidding in known.items():
        with contextlib.suppress(OSError):
            if Path("/proc/sys/kernel", name).read_text().strip() == forbidding:
                return f" (kernel.{name} is {forbidding})"
    return ""


class _NamespacedProgram:
    """A program under bwrap, with all that it started: what is in its PID namespace."""

    def __init__(self, process: subprocess.Popen[bytes], status: int, init: int, pidfd: int) -> None:
        self.process = process
        self.status = status
        self._root = f"/proc/{init}/root"
        self._pidfd = pidfd

    @property
    def tmpfs(self) -> list[str]:
        """Where its file systems in memory are; none until they are its own, and not the machine's /tmp."""
        return [f"{self._root}/{name}" for name in _OWN] if self._is_set_up() else []

    def folders(self) -> list[str]:
        """The folder in /proc of each process, seen through the /proc of the sandbox itself."""
        if self._pidfd < 0 or not self._is_set_up():
            return []
        try:
            names = os.listdir(f"{self._root}/proc")  # noqa: PTH208
        except FileNotFoundError:
            return []  # it has ended
        except OSError as error:
            raise OutsideError(f"cannot watch what runs in the sandbox: {error.strerror}") from error
        return [f"{self._root}/proc/{name}" for name in names if name.isdigit()]

    def _is_set_up(self) -> bool:
        # Until bwrap has changed its root, the processes and the /tmp there are those of the machine.
        try:
            here, there = os.stat("/proc/1"), os.stat(f"{self._root}/proc/1")  # noqa: PTH116
        except OSError:
            return False
        return here.st_dev != there.st_dev

    def end(self) -> None:
        """End them all; back when none is left."""
        if self._pidfd < 0:
            return
        # When the first process of a PID namespace dies the kernel kills the others, and waits for them.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        select.select([self._pidfd], [], [], _GONE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_GONE)
        self.process.kill()
        self.process.wait()
        os.close(self._pidfd)
        self._pidfd = -1


def _start(program: Path, job: SandboxJob) -> _NamespacedProgram:
    """The program, started; OutsideError where bwrap cannot do it."""
    status, status_end = os.pipe()
    block_end, block = os.pipe()
    given = [status_end, block_end]
    own = ["--json-status-fd", str(status_end), "--block-fd", str(block_end)]
    for name, content in {"/etc/passwd": _PASSWD, "/etc/group": _GROUP}.items():
        given.append(_filled(content))
        own += ["--ro-bind-data", str(given[-1]), name]
    seccomp = make_filter()
    if seccomp is not None:
        given.append(_filled(seccomp))
        own += ["--seccomp", str(given[-1])]
    try:
        process = start([*limited(job.limits), str(program), *own, *_arguments(job), "--", *job.argv], given)
    except BaseException:
        os.close(status)
        raise
    finally:
        for fd in given:
            os.close(fd)
    try:
        init = _first_process(process, status)
        bound_processes(init[0], job.limits)
        with contextlib.suppress(BrokenPipeError):  # it could not set up, and will be found to have said why
            os.write(block, b"go")
    except BaseException:
        end_started(process)
        os.close(status)
        raise
    finally:
        os.close(block)
    return _NamespacedProgram(process, status, *init)


def _filled(content: bytes) -> int:
    """A file descriptor from which the content can be read; it is far smaller than what a pipe holds."""
    end, start = os.pipe()
    os.write(start, content)
    os.close(start)
    return end


def _first_process(process: subprocess.Popen[bytes], status: int) -> tuple[int, int]:
    """The first process of the sandbox, by its id and as a file descriptor."""
    said = b""
    while not (found := _CHILD.search(said)):
        ready, _, _ = select.select([status], [], [], _START)
        data = os.read(status, 4096) if ready else b""
        if not data:
            raise OutsideError(_what_it_said(process))
        said += data
    pid = int(found[1])
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        raise OutsideError(_what_it_said(process)) from None
    if parent(pid) != process.pid:  # it has gone, and its number to another process
        os.close(pidfd)
        raise OutsideError(_what_it_said(process))
    return pid, pidfd


def _what_it_said(process: subprocess.Popen[bytes]) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        lines = process.communicate(timeout=1.0)[1].decode("utf-8", "replace").strip().splitlines()
        if lines:
            return lines[-1]
    return "bwrap did not start"


def _arguments(job: SandboxJob) -> Iterator[str]:
    yield from ("--unshare-all", "--unshare-user", "--disable-userns", "--uid", str(_ID), "--gid", str(_ID))
    yield from ("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv")
    for name, value in {"PATH": PATH, "HOME": "/tmp", "LANG": "C.UTF-8", **job.env}.items():  # noqa: S108
        yield from ("--setenv", name, value)
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        if Path(name).is_symlink():
            yield from ("--symlink", str(Path(name).readlink()), name)
        else:
            yield from ("--ro-bind-try", name, name)
    for name in _ETC:
        yield from ("--ro-bind-try", name, name)
    yield from ("--proc", "/proc", "--dev", "/dev")
    for name in _OWN:
        yield from ("--perms", "1777", "--size", str(job.limits.disk), "--tmpfs", f"/{name}")
    yield from _binds(job)
    # /proc too: where root calls, bwrap 0.8 leaves the files of /proc/sys to their owner, who is root inside as well.
    for name in ("/proc", "/dev", "/"):
        yield from ("--remount-ro", name)
    yield from ("--chdir", str(job.folder))


def _binds(job: SandboxJob) -> Iterator[str]:
    """The job's folders, the outer before the inner; what is both readable and writable is writable."""
    kinds: dict[Path, str] = dict.fromkeys(job.readable, "--ro-bind") | dict.fromkeys(job.writable, "--bind")
    for path in sorted(kinds, key=lambda one: len(one.parts)):
        yield from (kinds[path], str(path), str(path))
