# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool rebase` as the oracle asks it: in this process, or as one of its own."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.rebase_cases import Case


@dataclass(frozen=True, slots=True)
class Patch:
    """What the tool says of one patch."""

    outcome: str
    how: str
    paths: frozenset[str]
    """Those in conflict."""
    merged_as: str | None
    """The commit that is said to be the patch."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the tool says of one case."""

    code: int
    tree: str | None
    patches: tuple[Patch, ...]
    base: str | None
    error: str
    seconds: float


class Tool:
    """The program on a repository; it keeps its index there."""

    def __init__(self, repo: Path, folder: Path) -> None:
        self.repo = repo
        self.env = {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        self.env |= {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "CONFIG", "STATE")}

    def ask(self, case: Case, *, with_base: bool = True, in_process: bool = True) -> Answer:
        options = ["--base", case.series.base] if with_base else []
        command = ["--repo", str(self.repo), "rebase", case.series.mbox, "--onto", case.onto, *options, "--json"]
        start = time.perf_counter()
        code, out, err = self._call(command) if in_process else self._start(command)
        return read_answer(code, out, err, time.perf_counter() - start)

    def _call(self, command: Sequence[str]) -> tuple[int, str, str]:
        from seriestool.cli.main import main

        out, err = io.BytesIO(), io.BytesIO()
        stdout, stderr = io.TextIOWrapper(out, "utf-8"), io.TextIOWrapper(err, "utf-8")
        with mock.patch.dict(os.environ, self.env), mock.patch.multiple("sys", stdout=stdout, stderr=stderr):
            code = main(command)
        stdout.flush()
        stderr.flush()
        return code, out.getvalue().decode(), err.getvalue().decode()

    def _start(self, command: Sequence[str]) -> tuple[int, str, str]:
        run = [sys.executable, "-m", "seriestool", *command]
        done = subprocess.run(run, env={**os.environ, **self.env}, capture_output=True, encoding="utf-8")
        return done.returncode, done.stdout, done.stderr


def read_answer(code: int, out: str, err: str, seconds: float) -> Answer:
    """The answer as printed; exit codes other than those of an answer are the error that was said."""
    if code not in (0, 3) or not out:
        return Answer(code=code, tree=None, patches=(), base=None, error=err or "it said nothing", seconds=seconds)
    said = json.loads(out)
    (tree,) = said["trees"]
    base = (said.get("base") or {}).get("commit")
    return Answer(
        code=code,
        tree=tree["tree_oid"],
        patches=tuple(map(read_patch, tree["patches"])),
        base=base,
        error="",
        seconds=seconds,
    )


def read_patch(patch: dict[str, Any]) -> Patch:
    paths = frozenset(one["path"] for one in patch["conflicts"])
    return Patch(patch["outcome"], patch["how"], paths, patch["merged_as"])
