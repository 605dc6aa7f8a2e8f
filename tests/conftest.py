# SPDX-License-Identifier: GPL-2.0-or-later
"""Every test runs sealed: its own home, no configuration of the machine, fixed dates, no network but loopback."""

import io
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import repos, session

_GIT_CONFIG = """\
[user]
	name = C O Mitter
	email = committer@example.com
[init]
	defaultBranch = main
[protocol "file"]
	allow = always
"""
_CLEARED = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "VISUAL", "PAGER", "XDG_CONFIG_DIRS", "EMAIL")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="write tests/cli/golden anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("find-base-none", text)`: the text is that of tests/cli/golden/find-base-none.txt (`make golden`)."""

    def compare(name: str, text: str) -> None:
        file = repos.ROOT / "tests/cli/golden" / f"{name}.txt"
        if request.config.getoption("--refresh-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"no {file.relative_to(repos.ROOT)} yet: run `make golden` and read it"
        assert text == file.read_text(encoding="utf-8"), "the output has changed: `make golden`, and read the diff"

    return compare


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of this test; nothing of the machine's own configuration is seen."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("GIT_", "SERIESTOOL_")) or name in _CLEARED]:
        monkeypatch.delenv(name)
    config = home / ".gitconfig"  # also where git looks when the program under test has dropped GIT_CONFIG_GLOBAL
    config.write_text(_GIT_CONFIG)
    settings = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": config,
        "GIT_AUTHOR_DATE": f"{repos.FIRST_DATE} +0000",
        "GIT_COMMITTER_DATE": f"{repos.FIRST_DATE} +0000",
        "GIT_EDITOR": "false",
        "GIT_SEQUENCE_EDITOR": "false",
        "EDITOR": "false",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "COLUMNS": "100",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    return home


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections to anything but this machine fail at once, loudly."""

    def guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def check(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
                pytest.fail(f"a test tried to reach {address!r}")
            return connect(self, address)

        return check

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    look_up = socket.getaddrinfo

    def local(host: Any, *arguments: Any, **options: Any) -> Any:
        name = os.fsdecode(host) if host else "localhost"
        if not _is_loopback(name):
            raise socket.gaierror(socket.EAI_NONAME, f"a test tried to look up {name!r}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., repos.Repo]:
    """A maker of repositories below the test's folder."""

    def make(name: str = "repo", object_format: str = "sha1", bare: bool = False) -> repos.Repo:
        return repos.Repo(tmp_path / name, object_format, bare)

    return make


@pytest.fixture
def repo(make_repo: Callable[..., repos.Repo]) -> repos.Repo:
    """An empty repository with a work tree, on the unborn branch main."""
    return make_repo("repo")


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """`shared("data/x")`: that file in ../shared, or the test is skipped saying that it is not there."""
    return repos.shared


@pytest.fixture
def cli() -> Callable[..., session.Result]:
    """`cli(*arguments, cwd=None, stdin=None, env=None)`: the real program in its own process."""
    return session.run_program


@pytest.fixture
def cli_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., session.Result]:
    """The same as `cli`, but in this process: some 50 ms cheaper, and what it does can be patched."""

    def run(*arguments: str | Path, cwd: Path | None = None, stdin: bytes | str = b"") -> session.Result:
        from seriestool.cli.main import main

        data = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            if cwd is not None:
                patch.chdir(cwd)
            code = main([str(argument) for argument in arguments])
            printed = [_text(stream) for stream in (out, err)]
        return session.Result(code, *printed)

    return run


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
