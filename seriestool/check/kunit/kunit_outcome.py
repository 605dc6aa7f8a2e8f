# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of one configuration of one tree: no configuration, no build, or the results of its tests."""

import json
import os
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from seriestool.check.kunit.build_errors import BuildError, parse_errors, parse_unsatisfied
from seriestool.check.kunit.ktap import KtapLog, parse_ktap

_SCHEMA = 1


class KunitStage(StrEnum):
    """How far kunit.py got."""

    CONFIG = "config"
    BUILD = "build"
    EXEC = "exec"


class Transcript(Struct, frozen=True):
    """What the last stage printed, to be kept and read again."""

    stage: KunitStage
    output: bytes
    is_over_time: bool = False
    source: str = ""
    """Where the tree was, as the output names it."""
    build: str = ""

    def to_bytes(self) -> bytes:
        """The transcript as a file: a line of JSON, then the output."""
        head = {
            "schema": _SCHEMA,
            "stage": str(self.stage),
            "over_time": self.is_over_time,
            "source": self.source,
            "build": self.build,
        }
        return json.dumps(head).encode() + b"\n" + self.output


def parse_transcript(raw: bytes) -> Transcript | None:
    """The transcript of a file, or None where it is none of ours."""
    head, _, output = raw.partition(b"\n")
    try:
        told = json.loads(head)
        if told["schema"] != _SCHEMA:
            return None
        return Transcript(
            stage=KunitStage(told["stage"]),
            output=output,
            is_over_time=bool(told["over_time"]),
            source=str(told["source"]),
            build=str(told["build"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


class ConfigFailure(Struct, frozen=True):
    """Kconfig does not give what was asked for."""

    options: tuple[str, ...]
    """The options that are missing; () where it is something else that is wrong."""
    errors: tuple[BuildError, ...]


class BuildFailure(Struct, frozen=True):
    """It does not compile or link."""

    errors: tuple[BuildError, ...]


class KunitTimeout(Struct, frozen=True):
    """The configuration or the build was not done in time: nothing is known."""

    stage: KunitStage


class KernelRun(Struct, frozen=True):
    """The kernel ran."""

    log: KtapLog
    is_over_time: bool
    """Whether it was ended because it did not end by itself."""


KunitOutcome = ConfigFailure | BuildFailure | KunitTimeout | KernelRun


def _of_tree(output: bytes, source: Path, build: Path) -> bytes:
    """The output with the tree's files as the tree names them; compilers put in what they were given."""
    for prefix in (os.path.relpath(source, build), str(source)) if source.is_absolute() else ():
        output = output.replace(os.fsencode(prefix) + b"/", b"")
    return output


def read_outcome(transcript: Transcript) -> KunitOutcome:
    """What the transcript says."""
    source, build = Path(transcript.source), Path(transcript.build)
    if transcript.stage is KunitStage.EXEC:
        return KernelRun(parse_ktap(_of_tree(transcript.output, source, build)), transcript.is_over_time)
    if transcript.is_over_time:
        return KunitTimeout(transcript.stage)
    options = parse_unsatisfied(transcript.output)
    errors = parse_errors(transcript.output, source, build)
    # What the patch does to Kconfig is seen when the build brings the configuration up to date, too.
    if transcript.stage is KunitStage.CONFIG or options:
        return ConfigFailure(options, () if options else errors)
    return BuildFailure(errors)
