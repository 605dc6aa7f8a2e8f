# SPDX-License-Identifier: GPL-2.0-or-later
"""A real sandbox, and ones that lock nothing in."""

import functools
import subprocess
from dataclasses import dataclass, field

import pytest

from seriestool.sandbox import KillReason, Sandbox, SandboxJob, SandboxResult, find_sandbox


@functools.cache
def _find_sandbox_once() -> Sandbox | str:
    return find_sandbox()


def a_sandbox() -> Sandbox:
    """A sandbox; the test is skipped, saying so, where there is none."""
    found = _find_sandbox_once()
    if isinstance(found, str):
        pytest.skip(f"needs a sandbox: {found}")
    return found


@dataclass(slots=True)
class PlainSandbox:
    """Runs the job as it is, and remembers it."""

    jobs: list[SandboxJob] = field(default_factory=list)

    def run(self, job: SandboxJob) -> SandboxResult:
        self.jobs.append(job)
        try:
            done = subprocess.run(
                list(job.argv),
                cwd=job.folder,
                input=job.stdin,
                capture_output=True,
                env={"PATH": "/usr/bin:/bin", **job.env},
                timeout=job.limits.seconds,
            )
        except subprocess.TimeoutExpired as late:
            return SandboxResult(137, late.stdout or b"", late.stderr or b"", KillReason.TIME)
        return SandboxResult(done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Answers:
    """Runs nothing, and says what it was told to say."""

    outcome: SandboxResult
    jobs: list[SandboxJob] = field(default_factory=list)

    def run(self, job: SandboxJob) -> SandboxResult:
        self.jobs.append(job)
        return self.outcome
