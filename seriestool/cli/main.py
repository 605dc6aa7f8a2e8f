# SPDX-License-Identifier: GPL-2.0-or-later
"""The program: finds the command, runs it, and is the one place where errors become text and an exit code.

A command is a module with `add_arguments(parser)` and `run(arguments, ui) -> int`; only the chosen one is imported.
"""

import contextlib
import os
import signal
import sys
from argparse import SUPPRESS, Namespace
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import FrameType, ModuleType
from typing import cast

from seriestool import __version__
from seriestool.cli.command_table import COMMANDS, CliCommand, CommandModule
from seriestool.cli.exit_codes import EXIT_BUG, EXIT_INTERRUPTED, EXIT_READER_GONE
from seriestool.cli.options import CliParser, add_common_options, default_options
from seriestool.cli.ui import open_ui, printable_line
from seriestool.util.errors import InputError, OutsideError, SeriestoolError


def run() -> None:
    """The console script: `main` on the command line of the process."""
    # Started with a stream closed (`>&-`), Python has None there, and the next file opened would become stdout.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """The exit code of the program run with these arguments."""
    with _watched_interrupts() as interrupts:
        code = _main(argv)
    # ^C goes to git as well, and Python drops one that comes in a destructor: then what was seen of it is an error.
    return EXIT_INTERRUPTED if interrupts else code


@contextlib.contextmanager
def _watched_interrupts() -> Iterator[list[int]]:
    """The SIGINTs that come in the block; each raises KeyboardInterrupt as always. One that is ignored stays so."""
    seen: list[int] = []
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield seen
        return

    def notice(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    before = None
    with contextlib.suppress(ValueError):  # in another thread than the main one no signals come
        before = signal.signal(signal.SIGINT, notice)
    try:
        yield seen
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _main(argv: Sequence[str]) -> int:
    try:
        code = _run_command(argv)
        sys.stdout.flush()
    except SeriestoolError as error:
        return _fail(error)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            _say("")  # the terminal has echoed ^C
        return EXIT_INTERRUPTED
    except OSError as error:
        gone = isinstance(error, BrokenPipeError) and _has_lost_reader()
        _drop_stdout()
        return EXIT_READER_GONE if gone else _fail(_outside(error))
    except Exception as error:
        return _crash(error, argv)
    return code


def _run_command(argv: Sequence[str]) -> int:
    try:
        command, arguments = _parse(argv)
    except SystemExit:  # --help and --version have been printed
        return 0
    return command.run(arguments, open_ui(arguments))


def _parse(argv: Sequence[str]) -> tuple[CommandModule, Namespace]:
    arguments = Namespace()
    _top_parser().parse_args(argv, arguments)
    for name, value in vars(default_options()).items():
        if name not in arguments:
            setattr(arguments, name, value)
    if arguments.command is None:
        raise InputError("no command was given", hint="see 'seriestool --help'")
    command = get_command(arguments.command)
    _import_msgspec()
    module = cast("CommandModule", import_module(command.module))
    parser = CliParser(f"seriestool {command.name}", description=command.summary)
    module.add_arguments(parser)
    add_common_options(parser)
    parser.parse_args(arguments.rest, arguments)
    return module, arguments


def _import_msgspec() -> None:
    """Load msgspec without typing_extensions, which it does not need since Python 3.11: a tenth of a find-base less."""
    if "msgspec" in sys.modules or "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = cast("ModuleType", None)  # what is None there cannot be imported
    try:
        import_module("msgspec")
    finally:
        del sys.modules["typing_extensions"]


def _top_parser() -> CliParser:
    commands = "\n".join(f"  {command.name:<12}{command.summary}" for command in COMMANDS)
    parser = CliParser(
        "seriestool",
        usage="seriestool [options] <command> [<arguments>]",
        description="What a mailed patch series is, and what it applies to.",
        epilog=f"commands:\n{commands}\n\n'seriestool <command> --help' has more on each.",
    )
    parser.add_argument("--version", action="version", version=f"seriestool {__version__}")
    add_common_options(parser)
    parser.add_argument("command", metavar="<command>", nargs="?", help=SUPPRESS)  # the epilog has them
    parser.add_argument("rest", nargs="...", help=SUPPRESS)
    return parser


def get_command(name: str) -> CliCommand:
    """The command of that name; raises InputError, with the nearest name as a hint."""
    for command in COMMANDS:
        if command.name == name:
            return command
    import difflib

    near = difflib.get_close_matches(name, [command.name for command in COMMANDS], 1)
    hint = f"did you mean '{near[0]}'?" if near else "see 'seriestool --help'"
    raise InputError(f"'{name}' is not a seriestool command", hint=hint)


def _fail(error: SeriestoolError) -> int:
    _say(f"seriestool: {error.message}")
    if error.hint:
        _say(f"hint: {error.hint}")
    return error.exit_code


def _outside(error: OSError) -> OutsideError:
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return OutsideError(reason)
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    return OutsideError(f"{reason}: '{name}'", hint="is git installed?" if name == "git" else None)


def _crash(error: Exception, argv: Sequence[str]) -> int:
    from seriestool.cli.crash_log import write_crash_log

    what = f"seriestool: a bug: {type(error).__name__}: {error}"[:300]
    try:
        _say(f"{what} (please report it with the log '{write_crash_log(error, argv)}')")
    except OSError as problem:
        _say(f"{what} (and no log could be written: {problem})")
    return EXIT_BUG


def _say(line: str) -> None:
    """Write one line to stderr; whoever closed it does not want it."""
    with contextlib.suppress(OSError):
        print(printable_line(line), file=sys.stderr, flush=True)


def _has_lost_reader() -> bool:
    """Whether nobody reads stdout any more."""
    import select

    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        return False
    return bool(poll.poll(0))


def _drop_stdout() -> None:
    """Let what still waits in a broken stdout go nowhere, or Python would fail once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
