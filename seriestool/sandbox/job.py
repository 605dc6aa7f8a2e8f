# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program is given to run with, and how it ended."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field


class SandboxLimits(Struct, frozen=True, kw_only=True):
    """What a program may use, with all that it starts."""

    seconds: float = 60.0
    memory: int = 2 << 30
    """Bytes of all processes together."""
    processes: int = 200
    file_size: int = 1 << 30
    """Bytes of one file."""
    disk: int = 2 << 30
    """Bytes that it may add to the folders that it can write to, all together; /tmp included."""
    output: int = 8 << 20
    """Bytes of standard output, and of standard error, that are kept."""


class SandboxJob(Struct, frozen=True):
    """A program to run; paths are the same inside as outside."""

    argv: Sequence[str]
    folder: Path
    """Where it starts; it must be in one of the folders below, or be part of the system."""
    readable: Sequence[Path] = ()
    """Folders and files besides the system's that it sees."""
    writable: Sequence[Path] = ()
    """Folders that it may write to."""
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    limits: SandboxLimits = field(default_factory=SandboxLimits)


class KillReason(StrEnum):
    """Why a program was ended by us."""

    TIME = "time"
    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"


class SandboxResult(Struct, frozen=True):
    """How a program ended."""

    code: int
    """Exit code; 128 + n where signal n ended it, as in a shell."""
    stdout: bytes
    stderr: bytes
    ended: KillReason | None = None
    """The limit at which we ended it, or None."""
    seconds: float = 0.0


class Sandbox(Protocol):
    """Something that runs programs."""

    def run(self, job: SandboxJob) -> SandboxResult:
        """How the program ended; OutsideError where it could not be started."""

    def stop(self) -> None:
        """End all that runs, in whatever thread, and start nothing any more."""
