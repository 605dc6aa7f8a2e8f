# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's own commands as checks, by b4's protocol: a mail on standard input, a JSON list on standard output.

Each item is `{"tool", "status", "summary", "url", "details"}`, the status one of pass, warn and fail; nothing at all
is nothing to say, and a failure without JSON is a fail (https://b4.docs.kernel.org/, "CI check protocol").
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from seriestool.check.protocol import Check, CheckError, CheckSubject, Finding, Scope, SkipCheck, Status
from seriestool.sandbox import KillReason, Sandbox, SandboxJob, SandboxLimits, SandboxResult
from seriestool.series.mail.mbox_writer import write_mbox
from seriestool.util.config import Config, all_values

PER_PATCH, PER_SERIES = "seriestool.perpatch-check-cmd", "seriestool.series-check-cmd"
_SECONDS = 600.0
_STATUS = {"pass": Status.PASS, "warn": Status.WARN, "fail": Status.FAIL}
_LONGEST = 400  # characters of a summary
_MOST = 200  # items of one answer


class UserCommand(Struct, frozen=True):
    """One command of git-config."""

    argv: tuple[str, ...]
    scope: Scope
    environ: Mapping[str, str]
    """It is the user's own program: it has their environment."""
    runner: Sandbox
    """What starts it; it is no sandbox."""

    @property
    def name(self) -> str:
        """What the check is called: the program, without folder and suffix."""
        return _slug(Path(self.argv[0]).stem)

    def run(self, subject: CheckSubject) -> Iterator[Finding]:
        """What the command says; CheckError where it cannot be started, or does not keep to the protocol."""
        mail = _mail(subject)
        job = SandboxJob(
            self.argv,
            _folder(subject),
            env=self.environ,
            stdin=mail,
            limits=SandboxLimits(seconds=_SECONDS, memory=1 << 62, processes=1 << 20, file_size=1 << 40, disk=1 << 62),
        )
        outcome = self.runner.run(job)
        if outcome.ended is KillReason.TIME:
            raise CheckError(f"'{self.argv[0]}' took longer than {_SECONDS:g} seconds")
        yield from _findings(self.name, outcome)


def find_commands(config: Config, environ: Mapping[str, str], runner: Sandbox) -> tuple[Check, ...]:
    """The checks that git-config names; CheckError where a command cannot be read."""
    commands = [
        UserCommand(_argv(text), scope, environ, runner)
        for key, scope in ((PER_PATCH, Scope.PATCH), (PER_SERIES, Scope.SERIES))
        for text in all_values(config, key)
    ]
    return tuple(
        Check(command.name, f"the command '{shlex.join(command.argv)}'", command.scope, command.run)
        for command in commands
    )


def _argv(text: str) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise CheckError(
            f"the command '{text}' cannot be read: {error}", hint=f"see {PER_PATCH} in git-config"
        ) from error
    if not argv:
        raise CheckError("a command is empty", hint=f"see {PER_PATCH} in git-config")
    return argv


def _mail(subject: CheckSubject) -> bytes:
    """The patch's mail as it came, or the first mail of the series."""
    if subject.step is not None and subject.patch.raw:
        return subject.patch.raw
    if subject.step is None and subject.series.cover is not None:
        return subject.series.cover.raw
    if subject.step is None and subject.series.patches and subject.series.patches[0].raw:
        return subject.series.patches[0].raw
    if not subject.series.patches:
        raise SkipCheck("there is no mail to give to it")
    return write_mbox(subject.series)


def _folder(subject: CheckSubject) -> Path:
    """Where b4 starts such commands: the work tree, or a bare repository's own folder."""
    repository = subject.environment.repository
    return repository.git_dir if repository.is_bare else repository.common_dir.parent


def _findings(name: str, outcome: SandboxResult) -> Iterator[Finding]:
    if not outcome.stdout.strip():
        if outcome.code:
            words = outcome.stderr.decode("utf-8", "replace").strip() or None
            yield Finding(Status.FAIL, name, f"it ended with exit code {outcome.code}", details=words)
        return
    try:
        items = json.loads(outcome.stdout)
    except ValueError as error:
        raise CheckError(f"'{name}' printed no JSON: {error}") from error
    for item in (items if isinstance(items, list) else [items])[:_MOST]:
        if isinstance(item, dict):
            yield _finding(name, item)


def _finding(name: str, item: Mapping[str, Any]) -> Finding:
    tool = _slug(_text(item.get("tool"))) or name
    summary = " ".join(_text(item.get("summary")).split())[:_LONGEST]
    status = _STATUS.get(_text(item.get("status")), Status.FAIL)
    details, url = _text(item.get("details")), _text(item.get("url"))
    return Finding(status, tool, summary or str(status), details=details or None, source=url or None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
