# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that are not locked in, where the user asked for that: limits hold, and nothing outlives the run."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from threading import Event

from msgspec.structs import replace

from seriestool.sandbox.job import SandboxJob, SandboxResult
from seriestool.sandbox.process_start import PATH, limited, start
from seriestool.sandbox.process_usage import descendants
from seriestool.sandbox.scratch_folder import scratch
from seriestool.sandbox.supervisor import supervise

_KEEPER = Path(__file__).with_name("subreaper.py")
_GONE = 10.0


class Unsandboxed:
    """No sandbox: what is run can do whatever the user can."""

    def __init__(self) -> None:
        self._stopped = Event()

    def run(self, job: SandboxJob) -> SandboxResult:
        """How the program ended; OutsideError where it could not be started. ^C ends it, and so does `stop`."""
        with scratch("run") as own:
            return supervise(_start(job, str(own)), replace(job, writable=(*job.writable, own)), self._stopped)

    def stop(self) -> None:
        """End all that runs, in whatever thread, and start nothing any more."""
        self._stopped.set()


class _ProcessTree:
    """A program below its keeper, with all that it started."""

    tmpfs: tuple[str, ...] = ()

    def __init__(self, process: subprocess.Popen[bytes], status: int) -> None:
        self.process = process
        self.status = status

    def folders(self) -> list[str]:
        """The folder in /proc of each process."""
        return [f"/proc/{pid}" for pid in descendants(self.process.pid)]

    def end(self) -> None:
        """End them all; back when none is left."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_GONE)
        self.process.kill()
        self.process.wait()


def _start(job: SandboxJob, own: str) -> _ProcessTree:
    env = {"PATH": PATH, "HOME": own, "TMPDIR": own, "LANG": "C.UTF-8", **job.env}
    status, end = os.pipe()
    keeper = [sys.executable, "-I", "-S", str(_KEEPER), str(end), str(job.folder), *job.argv]
    try:
        return _ProcessTree(start([*limited(job.limits), *keeper], [end], env), status)
    except BaseException:
        os.close(status)
        raise
    finally:
        os.close(end)
