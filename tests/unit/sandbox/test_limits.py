# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that want more than they may have; with a sandbox and without one."""

import os
import resource
import shlex
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.sandbox import Bubblewrap, KillReason, Sandbox, SandboxJob, SandboxLimits, SandboxResult
from tests.unit.sandbox.test_escapes import alive

Run = Callable[..., SandboxResult]
MB = 1 << 20


@pytest.fixture
def run(sandbox: Sandbox, work: Path) -> Run:
    """`run("script", seconds=5)`: how a shell script ended within these limits."""

    def run(script: str, stdin: bytes = b"", **limits: float) -> SandboxResult:
        bounds = SandboxLimits(**{"seconds": 20.0, **limits})  # type: ignore[arg-type]
        return sandbox.run(SandboxJob(["/bin/sh", "-c", script], work, writable=[work], stdin=stdin, limits=bounds))

    return run


def python(code: str) -> str:
    return shlex.join(["python3", "-c", code])


def test_one_that_sleeps_for_ever_is_ended(run: Run) -> None:
    answer = run("sleep 3600", seconds=0.3)
    assert answer.ended is KillReason.TIME
    assert 0.3 <= answer.seconds < 3


def test_one_that_ignores_every_signal_is_ended(run: Run) -> None:
    answer = run("trap '' TERM INT HUP QUIT; while :; do :; done", seconds=0.3)
    assert (answer.ended, answer.code) == (KillReason.TIME, 137)


def test_one_that_forks_without_end_is_ended(bubblewrap: Bubblewrap, work: Path) -> None:
    started = time.monotonic()
    marker = f"bomb-{os.getpid()}"
    script = f"b() {{ b | b & }}; b; sleep 60 # {marker}"
    job = SandboxJob(
        ["/bin/sh", "-c", script], work, writable=[work], limits=SandboxLimits(seconds=20.0, processes=100)
    )
    assert bubblewrap.run(job).ended is KillReason.PROCESSES
    assert time.monotonic() - started < 10
    assert not alive(marker)


def test_one_whose_children_fork_out_of_sight_is_ended(run: Run) -> None:
    code = "import os, time\nfor _ in range(400):\n    if not os.fork():\n        os.setsid()\n        time.sleep(60)\n"
    answer = run(python(code), processes=100)
    assert answer.ended is KillReason.PROCESSES


def test_one_with_threads_without_end_is_ended(run: Run) -> None:
    code = "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,)).start()\n"
    assert run(python(code), processes=20).ended is KillReason.PROCESSES


def test_one_process_that_takes_all_memory_is_ended(run: Run) -> None:
    code = "all = []\nwhile True:\n    all.append(bytes([1]) * (8 << 20))\n"
    answer = run(python(code), memory=128 * MB)
    # Faster than we look, it meets the limit of the kernel.
    assert answer.ended is KillReason.MEMORY or b"MemoryError" in answer.stderr


def test_one_process_that_takes_memory_bit_by_bit_is_ended(run: Run) -> None:
    code = "import time\nall = []\nwhile True:\n    all.append(bytes([1]) * (4 << 20))\n    time.sleep(.01)\n"
    assert run(python(code), memory=128 * MB).ended is KillReason.MEMORY


def test_many_processes_that_take_memory_together_are_ended(run: Run) -> None:
    one = python("import time; all = bytes([1]) * (40 << 20); time.sleep(60)")
    assert run(f"for i in 1 2 3 4 5 6; do {one} & done; wait", memory=128 * MB).ended is KillReason.MEMORY


def test_memory_that_processes_share_is_counted_once(run: Run) -> None:
    code = "import os, time; all = bytearray(60 << 20)\nfor _ in range(5):\n    if not os.fork(): break\ntime.sleep(.5)"
    answer = run(python(code), memory=128 * MB)
    assert (answer.ended, answer.code) == (None, 0)


def test_shared_memory_without_a_name_is_counted(run: Run) -> None:
    code = "import mmap, time; m = mmap.mmap(-1, 160 << 20)\n"
    code += "for _ in range(20): m.write(b'x' * (8 << 20))\ntime.sleep(60)"
    assert run(python(code), memory=128 * MB).ended is KillReason.MEMORY


def test_memory_in_a_memfd_is_counted(run: Run) -> None:
    code = "import os, time; fd = os.memfd_create('x'); os.write(fd, b'x' * (90 << 20)); time.sleep(60)"
    assert run(python(code), disk=64 * MB).ended is KillReason.DISK


def test_one_big_file_is_too_much(run: Run, work: Path) -> None:
    answer = run("head -c 300M /dev/zero > big; sleep 60", disk=64 * MB)
    assert answer.ended is KillReason.DISK


def test_a_file_larger_than_the_limit_is_not_written(run: Run, work: Path) -> None:
    answer = run("exec head -c 64M /dev/zero > big", file_size=8 * MB)
    assert answer.ended is KillReason.DISK
    assert (work / "big").stat().st_size <= 8 * MB


def test_many_small_files_are_too_much(run: Run) -> None:
    code = "import itertools\nfor n in itertools.count():\n    open(f'f{n}', 'w').write('x')\n"
    assert run(python(code), disk=32 * MB).ended is KillReason.DISK


def test_empty_files_without_end_are_too_much(run: Run) -> None:
    code = "import itertools, os\nfor n in itertools.count():\n    os.mkdir(f'd{n}')\n"
    assert run(python(code), disk=8 * MB).ended is KillReason.DISK


def test_a_file_that_was_deleted_and_is_open_counts(run: Run) -> None:
    assert run("exec 3> big; rm big; head -c 100M /dev/zero >&3; sleep 60", disk=64 * MB).ended is KillReason.DISK


def test_what_was_there_before_does_not_count(run: Run, work: Path) -> None:
    (work / "old").write_bytes(b"x" * (40 * MB))
    time.sleep(0.05)  # longer than the clock of the file system takes for a step
    answer = run("head -c 1M old > new; sleep 0.3", disk=16 * MB)
    assert (answer.ended, answer.code) == (None, 0)


def test_output_without_end_is_cut_and_does_not_block(run: Run) -> None:
    answer = run("yes & yes >&2", seconds=0.5, output=1000)
    assert answer.ended is KillReason.TIME
    assert (len(answer.stdout), len(answer.stderr)) == (1000, 1000)


def test_long_output_of_both_kinds_is_read_whole(run: Run) -> None:
    answer = run("head -c 3M /dev/zero; head -c 3M /dev/zero >&2; head -c 1M /dev/zero")
    assert (len(answer.stdout), len(answer.stderr), answer.code) == (4 * MB, 3 * MB, 0)


def test_input_is_given_and_ends(run: Run) -> None:
    data = bytes(range(256)) * 4000
    assert run("cat", stdin=data).stdout == data
    assert run("cat").stdout == b""


def test_input_that_nobody_reads_does_not_block(run: Run) -> None:
    assert run("exec true", stdin=b"x" * (4 * MB)).code == 0


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_the_exit_code_is_that_of_a_shell(run: Run, script: str, code: int) -> None:
    answer = run(script)
    assert (answer.code, answer.ended) == (code, None)


def test_no_core_is_written(run: Run, work: Path) -> None:
    assert run("kill -SEGV $$").code == 139
    assert not list(work.iterdir())


def test_daemons_are_dead_when_it_returns(run: Run) -> None:
    marker = f"7654.{os.getpid()}"
    code = "import os\nif not os.fork():\n    os.setsid()\n"
    code += f"    if not os.fork(): os.execlp('sleep', 'sleep', '{marker}')\n"
    answer = run(f"{python(code)}; setsid nohup sleep {marker} >/dev/null 2>&1 & sleep 0.2; echo done")
    assert answer.stdout == b"done\n"
    assert answer.seconds < 5
    assert not alive(marker)


def test_a_daemon_that_holds_the_output_does_not_keep_us(run: Run) -> None:
    answer = run("setsid sleep 3600 & echo done")
    assert (answer.stdout, answer.ended) == (b"done\n", None)
    assert answer.seconds < 5


def test_our_own_limits_stay_as_they_are(run: Run) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    run("true", file_size=MB)
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before
