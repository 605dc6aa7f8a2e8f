# SPDX-License-Identifier: GPL-2.0-or-later
"""How git is started: in a clean environment, and what of the user's configuration could change an answer overridden.

No GIT_* of the caller, no hooks, no pager, no prompts, no lazy fetches, so that the same question gets the same answer
on every machine (https://git-scm.com/docs/git#_environment_variables).
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from seriestool.util.config import VALUELESS
from seriestool.util.errors import InputError, OutsideError

if TYPE_CHECKING:
    from seriestool.util.progress import TransferListener

_SEALED = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
}
_CONFIG_TIMEOUT = 60.0
_READ = 1 << 16
# What the user's configuration could change in an answer, or run.
_CONFIG = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "core.splitIndex=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "advice.graftFileDeprecated=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "diff.ignoreSubmodules=none",
    "-c",
    "apply.whitespace=nowarn",
    "-c",
    "apply.ignoreWhitespace=no",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "merge.default=text",
)


class GitError(OutsideError):
    """Git said no; `stderr` is what it printed and `status` its exit code."""

    def __init__(self, message: str, stderr: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.stderr = stderr
        self.status = status


def unknown_identity() -> InputError:
    """What to say where somebody has to commit and git does not know who that is."""
    hint = "git config --global user.name NAME, and user.email ADDRESS"
    return InputError("git does not know who you are", hint=hint)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for git: the caller's without GIT_*, sealed, and then `extra`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**env, **_SEALED, **(extra or {})}


def version() -> str | None:
    """What `git --version` prints, or None where there is no git."""
    try:
        answer = subprocess.run(["git", "--version"], capture_output=True, env=clean_environment())
    except OSError:
        return None
    return answer.stdout.decode("utf-8", "replace").strip()


def config_at(path: Path) -> dict[str, tuple[str, ...]]:
    """git-config as it is at `path`, in a repository or not; as `Repository.config` gives it."""
    answer = subprocess.run(
        ["git", "-C", str(path), "config", "--list", "-z"], capture_output=True, env=clean_environment()
    )
    return parse_config(answer.stdout)


def set_global_config(key: str, value: str) -> None:
    """The user's git-config with `key` set to this one value; raises GitError where it cannot be written."""
    run_long(["git", "config", "--global", "--replace-all", key, value], _CONFIG_TIMEOUT)


def remove_global_section(section: str) -> None:
    """The user's git-config without the section; raises GitError where it is not there."""
    run_long(["git", "config", "--global", "--remove-section", section], _CONFIG_TIMEOUT)


def parse_config(listed: bytes) -> dict[str, tuple[str, ...]]:
    """What `git config --list -z` printed: key -> its values, last one last."""
    values: dict[str, list[str]] = {}
    for item in listed.decode("utf-8", "surrogateescape").split("\0"):
        key, equals, value = item.partition("\n")
        if key:
            values.setdefault(key, []).append(value if equals else VALUELESS)
    return {key: tuple(found) for key, found in values.items()}


def without_password(url: str | None) -> str | None:
    """The URL as it may be shown: `https://user:secret@host/` has lost `user:secret@`."""
    return re.sub(r"^([a-z][a-z0-9+.-]{0,20}://)[^/@\s]*:[^/@\s]*@", r"\1", url, flags=re.IGNORECASE) if url else url


def as_environment(config: Mapping[str, str]) -> dict[str, str]:
    """Environment that gives git these settings (git-config(1), GIT_CONFIG_COUNT)."""
    pairs = {"GIT_CONFIG_COUNT": str(len(config))}
    for n, (key, value) in enumerate(config.items()):
        pairs |= {f"GIT_CONFIG_KEY_{n}": key, f"GIT_CONFIG_VALUE_{n}": value}
    return pairs


class Git:
    """Git on one repository: what every verb starts."""

    def __init__(self, git_dir: Path) -> None:
        self.command = ("git", f"--git-dir={git_dir}", *_CONFIG)

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> bytes:
        """What git prints; GitError where it fails. It runs in `folder`, or where we are."""
        answer = self._start(arguments, stdin, env, folder)
        if answer.returncode:
            stderr = answer.stderr.decode("utf-8", "replace").strip()
            first = stderr.splitlines()[0] if stderr else f"exit code {answer.returncode}"
            raise GitError(f"git {arguments[0]} failed: {first}", stderr, answer.returncode)
        return answer.stdout

    def attempt(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> bytes | None:
        """What git prints, or None where it fails."""
        answer = self._start(arguments, stdin, env, folder)
        return answer.stdout if answer.returncode == 0 else None

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """A process whose output is asked for later."""
        return subprocess.Popen(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
        )

    def stream(self, *arguments: str, stdin: bytes) -> AbstractContextManager[IO[bytes]]:
        """The output as it comes; leaving the block ends the process."""
        return _GitOutput([*self.command, *arguments], stdin)

    def _start(
        self, arguments: Sequence[str], stdin: bytes | None, env: Mapping[str, str] | None, folder: Path | None
    ) -> subprocess.CompletedProcess[bytes]:
        # Always a pipe as standard input, empty if need be: git must never read the user's terminal.
        return subprocess.run(
            [*self.command, *arguments], capture_output=True, env=clean_environment(env), input=stdin or b"", cwd=folder
        )


def run_long(command: Sequence[str], timeout: float, listener: "TransferListener | None" = None) -> None:
    """Run git for what may take long; GitError where it fails, or takes longer than `timeout` seconds.

    The listener is told what the command says of its progress, which it has to be asked for (`--progress`).
    """
    # In a session of its own: ssh finds no terminal to ask for a password, and nothing outlives a timeout or ^C.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=clean_environment({"GIT_NO_LAZY_FETCH": "0"}),
        start_new_session=True,
    )
    try:
        raw = _watch(process, timeout, listener) if listener else process.communicate(timeout=timeout)[1]
    except BaseException as error:
        _end_group(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise GitError(f"git took longer than {timeout:g} seconds") from None
        raise
    if process.returncode:
        stderr = raw.decode("utf-8", "replace").strip()
        raise GitError(_reason(stderr) or f"git ended with {process.returncode}", stderr, process.returncode)


def _watch(process: "subprocess.Popen[bytes]", timeout: float, listener: "TransferListener") -> bytes:
    """What the process printed besides its progress; raises TimeoutExpired."""
    import select
    import time

    from seriestool.git.transfer_progress import TransferReader

    reader = TransferReader(listener)
    end = time.monotonic() + timeout
    assert process.stderr is not None  # noqa: S101
    descriptor = process.stderr.fileno()
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise subprocess.TimeoutExpired(process.args, timeout)
        data = os.read(descriptor, _READ)
        if not data:
            process.wait(max(end - time.monotonic(), 0))
            return reader.close()
        reader.feed(data)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
            return


def _reason(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith(("fatal: ", "error: "))]
    return re.sub(r"^(fatal|error): (remote error: )?", "", lines[0]) if lines else stderr.partition("\n")[0]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of our own, gone after the block."""
    import shutil
    import tempfile

    # Its name is known before it is there: ^C that comes while tempfile makes one would leave it behind.
    folder = Path(tempfile.gettempdir()) / f"seriestool-{os.urandom(8).hex()}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except KeyboardInterrupt:  # ^C in the middle of it: what is left is left for good
            shutil.rmtree(folder, ignore_errors=True)
            raise


class _GitOutput(AbstractContextManager[IO[bytes]]):
    """The output of a git process; leaving the block ends the process."""

    def __init__(self, command: Sequence[str], stdin: bytes) -> None:
        self._command = command
        self._stdin = stdin

    def __enter__(self) -> IO[bytes]:
        import tempfile

        source = tempfile.TemporaryFile()  # a pipe could fill up while nobody reads the other end yet
        source.write(self._stdin)
        source.seek(0)
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=clean_environment({"GIT_FLUSH": "0"}),  # or git writes to a pipe commit by commit
            bufsize=1 << 20,
        )
        source.close()
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdout.close()
        status = self._process.wait()
        self._errors.seek(0)
        stderr = self._errors.read().decode("utf-8", "replace").strip()
        self._errors.close()
        if kind is None and status:
            raise GitError(f"git log failed: {stderr.splitlines()[0] if stderr else status}", stderr, status)


def output_lines(out: bytes) -> list[str]:
    """The lines of what git printed."""
    # Not splitlines(): a ref may contain U+2028, and others that count as line ends there.
    return out.decode("utf-8", "surrogateescape").split("\n")[:-1]


def iter_tokens(stream: IO[bytes], size: int = 1 << 20) -> Iterator[list[bytes]]:
    """Lists of NUL-separated tokens as they come in; the last token of a block waits for its end."""
    rest: list[bytes] = []  # joined once the token's end is there: it may be many blocks long
    while block := stream.read(size):
        if b"\0" not in block:
            rest.append(block)
            continue
        tokens = b"".join([*rest, block]).split(b"\0")
        rest = [tokens.pop()]
        yield tokens
    if any(rest):
        yield [b"".join(rest)]
