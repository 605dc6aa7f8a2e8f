# SPDX-License-Identifier: GPL-2.0-or-later
"""How runs begin and end: what cannot be started, ^C, a caller that is killed, machines without a sandbox."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seriestool.sandbox import Bubblewrap, Sandbox, SandboxJob, SandboxLimits, find_sandbox
from seriestool.sandbox.seccomp import make_filter
from seriestool.util.errors import OutsideError
from tests.support.repos import ROOT
from tests.unit.sandbox.test_escapes import alive


def test_a_program_that_is_not_there_is_an_error(sandbox: Sandbox, work: Path) -> None:
    with pytest.raises(OutsideError, match=r"no-such-program.*No such file"):
        sandbox.run(SandboxJob(["no-such-program"], work, writable=[work]))


def test_a_folder_that_is_not_there_is_an_error(sandbox: Sandbox, work: Path) -> None:
    with pytest.raises(OutsideError):
        sandbox.run(SandboxJob(["true"], work / "none", writable=[work]))


def test_a_readable_folder_that_is_not_there_is_an_error(bubblewrap: Bubblewrap, work: Path) -> None:
    with pytest.raises(OutsideError, match="none"):
        bubblewrap.run(SandboxJob(["true"], work, readable=[work / "none"], writable=[work]))


def test_a_program_that_says_1_is_no_error(sandbox: Sandbox, work: Path) -> None:
    assert sandbox.run(SandboxJob(["false"], work, writable=[work])).code == 1


def test_what_is_read_only_inside_a_writable_folder_stays_so(bubblewrap: Bubblewrap, work: Path) -> None:
    (work / "fixed").mkdir()
    script = "echo x > new && ! echo x > fixed/new"
    job = SandboxJob(["/bin/sh", "-c", script], work, readable=[work / "fixed"], writable=[work])
    assert bubblewrap.run(job).code == 0
    assert (work / "new").exists()


def test_the_machine_s_own_folders_are_never_taken_for_the_sandbox_s(bubblewrap: Bubblewrap, work: Path) -> None:
    # While bwrap is at it, the root of its process is still that of the machine, and so is the /tmp below it.
    limits = SandboxLimits(memory=32 << 20, disk=1 << 20, processes=8)
    for number in range(60):
        answer = bubblewrap.run(SandboxJob(["sleep", f"0.0{number % 6}"], work, writable=[work], limits=limits))
        assert answer.ended is None


def test_names_of_folders_may_have_spaces_and_odd_bytes(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "a folder --with \udcff odd\nname"
    folder.mkdir()
    assert sandbox.run(SandboxJob(["touch", "new"], folder, writable=[folder])).code == 0
    assert (folder / "new").exists()


def test_no_file_descriptor_is_left_open(sandbox: Sandbox, work: Path) -> None:
    def run(program: str) -> int:
        with contextlib.suppress(OutsideError):
            sandbox.run(SandboxJob([program], work, writable=[work]))
        return len(list(Path("/proc/self/fd").iterdir()))

    run("true")
    assert {run("true"), run("no-such-program")} == {run("false")}


def test_stop_ends_what_runs_in_another_thread_and_starts_nothing_more(work: Path) -> None:
    sandbox = Bubblewrap()
    marker = f"5432.{os.getpid()}"
    errors: list[OutsideError] = []

    def run() -> None:
        try:
            sandbox.run(SandboxJob(["sleep", marker], work, writable=[work]))
        except OutsideError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    sandbox.stop()
    thread.join(5)
    assert len(errors) == 1
    assert not alive(marker)
    with pytest.raises(OutsideError):
        sandbox.run(SandboxJob(["true"], work, writable=[work]))


CALLER = """\
import sys
from pathlib import Path
from seriestool.sandbox import Bubblewrap, SandboxJob, Unsandboxed
folder = Path(sys.argv[2])
sandbox = Unsandboxed() if sys.argv[1] == "unsandboxed" else Bubblewrap()
print("started", flush=True)
script = f"touch there; setsid sleep {sys.argv[3]} & sleep {sys.argv[3]}"
sandbox.run(SandboxJob(["/bin/sh", "-c", script], folder, writable=[folder]))
"""


@pytest.mark.parametrize("kind", ["bubblewrap", "unsandboxed"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_caller_that_is_ended(kind: str, number: signal.Signals, work: Path) -> None:
    marker = f"{number.value}321.{os.getpid()}"
    command = [sys.executable, "-c", CALLER, kind, str(work), marker]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as caller:
        _wait_for(lambda: (work / "there").exists() and bool(alive(marker)))
        caller.send_signal(number)
        assert caller.stderr is not None
        stderr = caller.stderr.read()
    if number == signal.SIGINT:
        assert b"KeyboardInterrupt" in stderr
        assert not alive(marker)
    _wait_for(lambda: not alive(marker))  # killed itself, it leaves that to the kernel


def _wait_for(condition: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_machine_without_bubblewrap_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_sandbox() == "bubblewrap is not installed (apt install bubblewrap)"


def test_a_bubblewrap_that_may_not_says_what_it_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_sandbox() == "bubblewrap does not work here: bwrap: No permissions to create new namespace"


def test_a_machine_whose_system_calls_are_not_known_has_no_filter() -> None:
    assert make_filter("pdp11") is None
    assert len(make_filter("aarch64") or b"") % 8 == 0
