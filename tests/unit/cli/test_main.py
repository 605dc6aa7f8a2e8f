# SPDX-License-Identifier: GPL-2.0-or-later
"""How the program ends: one clear line and the exit code for every way in which a command can fail."""

import errno
import os
import signal
import subprocess
import sys
import types
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seriestool import __version__
from seriestool.cli import main as program
from seriestool.cli.options import CliParser
from seriestool.cli.ui import Ui
from seriestool.util.errors import ConflictError, InputError, NotFoundError, OutsideError, SeriestoolError
from tests.support.session import Result

Cli = Callable[..., Result]
Install = Callable[[Callable[[Namespace, Ui], int]], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(run)`: `run` is now the command `probe`, which takes `--flag` and any number of words."""

    def add_arguments(parser: CliParser) -> None:
        parser.add_argument("--flag", action="store_true")
        parser.add_argument("words", nargs="*")

    def put(run: Callable[[Namespace, Ui], int]) -> None:
        module = types.ModuleType("tests_probe")
        module.add_arguments = add_arguments  # type: ignore[attr-defined]
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "tests_probe", module)
        monkeypatch.setattr(program, "COMMANDS", (program.CliCommand("probe", "tests_probe", "a test"),))

    return put


def raising(error: BaseException) -> Callable[[Namespace, Ui], int]:
    def run(arguments: Namespace, ui: Ui) -> int:
        raise error

    return run


@pytest.mark.parametrize("code", [0, 1])
def test_the_command_says_how_it_ended(install: Install, cli_here: Cli, code: int) -> None:
    def run(arguments: Namespace, ui: Ui) -> int:
        ui.out(" ".join(arguments.words))
        return code

    install(run)
    assert cli_here("probe", "a", "b") == Result(code, "a b\n", "")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("bad input"), 2, "seriestool: bad input\n"),
        (NotFoundError("no 'x'", hint="try 'y'"), 2, "seriestool: no 'x'\nhint: try 'y'\n"),
        (ConflictError("stopped"), 3, "seriestool: stopped\n"),
        (OutsideError("lore is away"), 4, "seriestool: lore is away\n"),
        (SeriestoolError("else"), 4, "seriestool: else\n"),
        (InputError("evil \x1b[2J\nline"), 2, "seriestool: evil \\x1b[2J\\nline\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 4, "seriestool: No space left on device: '/x'\n"),
        (OSError(errno.ENOSPC, "No space", b"/\xff"), 4, "seriestool: No space: '/\\udcff'\n"),
        (FileNotFoundError(2, "No such file", "git"), 4, "seriestool: No such file: 'git'\nhint: is git installed?\n"),
        (TimeoutError(), 4, "seriestool: TimeoutError\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 4, "seriestool: Broken pipe\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_lines_and_codes(
    install: Install, cli_here: Cli, error: BaseException, code: int, text: str
) -> None:
    install(raising(error))
    assert cli_here("probe") == Result(code, "", text)


@pytest.mark.parametrize(
    "error", [ValueError("bad\x1b value"), MemoryError(), RecursionError("too deep"), AssertionError()]
)
def test_a_bug_leaves_a_log_and_names_it(install: Install, cli_here: Cli, sealed: Path, error: Exception) -> None:
    install(raising(error))
    result = cli_here("probe", "some-word")
    (log,) = (sealed / ".local/state/seriestool").iterdir()
    text = log.read_text()
    assert result.code == 70
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert f"a bug: {type(error).__name__}" in result.err
    assert str(log) in result.err
    assert "\x1b" not in result.err
    assert f"seriestool {__version__}\npython 3." in text
    assert "git version " in text
    assert "some-word" in text
    assert "Traceback (most recent call last)" in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_endless_recursion_is_a_bug_like_others(install: Install, cli_here: Cli) -> None:
    def run(arguments: Namespace, ui: Ui) -> int:
        return run(arguments, ui)

    install(run)
    result = cli_here("probe")
    assert (result.code, result.err.count("\n")) == (70, 1)


def test_a_bug_where_no_log_can_be_written(
    install: Install, cli_here: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sealed / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(sealed / "file"))
    install(raising(ValueError("x")))
    result = cli_here("probe")
    assert result.code == 70
    assert result.err.startswith("seriestool: a bug: ValueError: x (and no log could be written:")


@pytest.mark.parametrize("state", ["", "relative/folder"])
def test_the_log_goes_home_without_a_state_folder(
    install: Install, cli_here: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", state)
    install(raising(ValueError("x")))
    assert str(sealed / ".local/state/seriestool/crash-") in cli_here("probe").err


@pytest.mark.parametrize(
    ("arguments", "text", "hint"),
    [
        ([], "no command was given", "see 'seriestool --help'"),
        (["find-bsae"], "'find-bsae' is not a seriestool command", "did you mean 'find-base'?"),
        (["quux"], "'quux' is not a seriestool command", "see 'seriestool --help'"),
        (["--nope"], "unrecognized arguments: --nope", "see 'seriestool --help'"),
        (["--nope", "show"], "unrecognized arguments: --nope", "see 'seriestool --help'"),
        (["--color", "red", "show"], "argument --color: invalid choice: 'red'", "see 'seriestool --help'"),
    ],
)
def test_a_wrong_command_line(cli_here: Cli, arguments: list[str], text: str, hint: str) -> None:
    result = cli_here(*arguments)
    lines = result.err.splitlines()
    assert (result.code, result.out, len(lines)) == (2, "", 2)
    assert lines[0].startswith(f"seriestool: {text}")
    assert lines[1] == f"hint: {hint}"


def test_a_wrong_option_of_a_command(install: Install, cli_here: Cli) -> None:
    install(raising(AssertionError()))
    result = cli_here("probe", "--fla")  # no abbreviations: a new option must not break a script
    assert result == Result(2, "", "seriestool: unrecognized arguments: --fla\nhint: see 'seriestool probe --help'\n")


@pytest.mark.parametrize(
    "line", [["-q", "--repo", "d", "probe", "w"], ["probe", "-q", "w", "--repo", "d"], ["--repo=d", "probe", "w", "-q"]]
)
def test_common_options_stand_before_or_after_the_command(install: Install, cli_here: Cli, line: list[str]) -> None:
    def run(arguments: Namespace, ui: Ui) -> int:
        assert (arguments.repo, ui.quiet, ui.verbose, ui.color) == (Path("d"), True, False, False)
        assert arguments.words == ["w"]
        return 0

    install(run)
    assert cli_here(*line).code == 0


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version") == Result(0, f"seriestool {__version__}\n", "")
    result = cli("--help")
    assert (result.code, result.err) == (0, "")
    for command in program.COMMANDS:
        assert f"  {command.name} " in result.out
        assert command.summary in result.out


def test_commands_are_sorted() -> None:
    assert list(program.COMMANDS) == sorted(program.COMMANDS)


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\nfrom seriestool.cli.main import main\nmain(['--help'])\n"
        "print(*(m for m in set(sys.modules) - before if m.startswith('seriestool.') or '.' not in m), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(answer.stderr.split())
    assert "seriestool.cli.main" in modules
    assert not modules & {command.module for command in program.COMMANDS}
    assert not modules & {"numpy", "rich", "requests", "liblore", "b4", "sqlite3", "shutil", "tempfile", "subprocess"}
    assert not modules & {"dataclasses", "inspect", "msgspec", "pathlib", "threading"}  # a few ms each


_PROBE = """
import sys, types
from seriestool.cli import main as program
module = types.ModuleType("probe")
module.add_arguments = lambda parser: None
def run(arguments, ui):
    {code}
    return 0
module.run = run
sys.modules["probe"] = module
program.COMMANDS = (program.CliCommand("probe", "probe", ""),)
sys.argv = ["seriestool", "probe"]
program.run()
"""


def _start(code: str, stdout: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", _PROBE.replace("{code}", code)]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def buffering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test with Python's stdout buffered and not."""
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


@pytest.mark.usefixtures("buffering")
@pytest.mark.parametrize("code", ["ui.out('x')", "[ui.out('x' * 1000) for _ in range(1000)]", "ui.raw(b'x' * 1000000)"])
def test_a_reader_that_left_is_no_error(code: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = _start(code, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.usefixtures("buffering")
@pytest.mark.parametrize("code", ["ui.out('x')", "[ui.out('x' * 1000) for _ in range(1000)]"])
def test_a_full_disk_is_said(code: str) -> None:
    with Path("/dev/full").open("wb") as full:
        process = _start(code, stdout=full)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (4, b"seriestool: No space left on device\n")


def test_a_closed_stdout_is_nobody_listening() -> None:
    command = f"exec {sys.executable} -m seriestool --version >&-"
    answer = subprocess.run(["/bin/sh", "-c", command], capture_output=True)
    assert (answer.returncode, answer.stderr) == (0, b"")


def test_an_interrupt_ends_quietly() -> None:
    process = _start("print('here', flush=True)\n    import time\n    time.sleep(30)", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("error", [None, OutsideError("git was killed")])
def test_an_interrupt_that_python_drops_still_ends_the_program(
    install: Install, cli_here: Cli, error: SeriestoolError | None
) -> None:
    class Dropping:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    def run(arguments: Namespace, ui: Ui) -> int:
        del arguments
        Dropping()
        if error:
            raise error
        return 0

    install(run)
    assert cli_here("probe").code == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
