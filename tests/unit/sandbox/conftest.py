# SPDX-License-Identifier: GPL-2.0-or-later
"""A sandbox to get out of. Where there is none these tests fail, and are not skipped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seriestool.sandbox import Bubblewrap, Sandbox, SandboxJob, SandboxLimits, SandboxResult, Unsandboxed, find_sandbox


@pytest.fixture(scope="session")
def bubblewrap() -> Bubblewrap:
    found = find_sandbox()
    assert isinstance(found, Bubblewrap), found
    return found


@pytest.fixture(params=["bubblewrap", "unsandboxed"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Both: for what holds without a sandbox too."""
    return Unsandboxed() if request.param == "unsandboxed" else request.getfixturevalue("bubblewrap")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder that the program may write to."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def inside(bubblewrap: Bubblewrap, work: Path) -> Callable[..., SandboxResult]:
    """`inside("script")`: how a shell script ended in the sandbox, `work` being writable."""

    def run(script: str, **more: Any) -> SandboxResult:
        limits = SandboxLimits(seconds=30.0)
        return bubblewrap.run(SandboxJob(["/bin/sh", "-c", script], work, writable=[work], limits=limits, **more))

    return run
