# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers compiled in the sandbox, as by a program that includes nothing else: what they define, and what it is worth.

Two runs of the sandbox for all headers of a patch, however many they are: the first for types and names, the second
for the values of the names. Each header has limits of its own, so that one that never ends does not take the others
with it.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from seriestool.check.abi.c_types import HeaderTypes
from seriestool.check.abi.dwarf import UnreadableObject, read_constants, read_types
from seriestool.check.abi.macros import SECTION, PreprocessedHeader, constant_values, parse_preprocessed, probe
from seriestool.sandbox import Sandbox, SandboxJob, SandboxLimits, SandboxResult

_PLAIN_NAME = re.compile(rb"[A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*")
_ERROR = re.compile(r"^(\S+):(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
_MOST_TEXT, _MOST_OBJECT = 32 << 20, 8 << 20
_PER_HEADER, _STARTING = 4.0, 60.0  # seconds; a header takes about 0.1
_LONGEST = 900.0
_MEMORY = 1 << 30
# What `make headers_install` takes out of headers is defined away.
_SETUP = """\
ulimit -v 1000000; ulimit -t 8; ulimit -f 200000
export LC_ALL=C TMPDIR=/tmp
common='-x c -std=gnu11 -O0 -w -fmax-errors=0 -ftrack-macro-expansion=0 -fdiagnostics-color=never
-D__EXPORTED_HEADERS__ -D__user= -D__force= -D__iomem= -D__attribute_const__= -D__packed=__attribute__((packed))'
# What programs include before headers that cannot stand alone.
prelude='-include stddef.h -include stdint.h -include sys/types.h -include time.h -include sys/time.h
-include sys/socket.h -include netinet/in.h -include net/if.h'
root=$1 header=$2 out=$3
"""
_TYPES = (
    _SETUP
    + """
try() { gcc $common -I"$root" $mode -include "$root/$header" "$@"; }
mode=
if ! try -g -gdwarf-5 -gz=none -fno-eliminate-unused-debug-types -c -o "$out.o" /dev/null 2>"$out.err"; then
    grep -q 'error: ' "$out.err" || exit 0  # it was ended
    mode=$prelude
    try -g -gdwarf-5 -gz=none -fno-eliminate-unused-debug-types -c -o "$out.o" /dev/null 2>"$out.again" || exit 0
    : >"$out.prelude"
fi
try -E -dD -o "$out.i" /dev/null 2>/dev/null
exit 0
"""
)
_VALUES = (
    _SETUP
    + r"""
mode=
[ ! -e "$out.prelude" ] || mode=$prelude
for attempt in 1 2 3 4 5 6; do
    gcc $common -I"$root" $mode -include "$root/$header" -c -o "$out.v" "$out.c" 2>"$out.errors" && exit 0
    # Each name has its line and its function: those with errors are left out. Where an error is in a macro that is
    # one word, gcc names the line of the macro.
    sed -n "s/^[^:]*\\.c:\\([0-9][0-9]*\\):.*error: .*/\\1s,.*,,/p
        s/.*In function 'seriestool_f\\([0-9][0-9]*\\)'.*/\\/void seriestool_f\\1(\\/s,.*,,/p" "$out.errors" |
        sort -u >"$out.drop"
    [ -s "$out.drop" ] || exit 0
    sed -i -f "$out.drop" "$out.c"
done
exit 0
"""
)


class CannotCompile(Exception):  # noqa: N818
    """Nothing could be compiled at all; the message says why."""


class HeaderUnit(Struct, frozen=True):
    """One header to be compiled: its folder of installed headers, and its name there."""

    root: Path
    name: bytes

    @property
    def file(self) -> str:
        """The header as the compiler names it."""
        return f"{self.root}/{os.fsdecode(self.name)}"

    @property
    def is_plain(self) -> bool:
        """Whether the name can be handed to a shell."""
        return _PLAIN_NAME.fullmatch(self.name) is not None


class CompiledHeader(Struct, frozen=True):
    """What the compiler made of a header."""

    types: Mapping[str, HeaderTypes]
    """By the file that declares them."""
    names: PreprocessedHeader
    stands_alone: bool
    """Whether it compiles with nothing before it."""


class RejectedHeader(Struct, frozen=True):
    """A header that does not compile, and what the compiler says first."""

    error: str
    location: str = ""
    """The file that the error is in; empty where it was not the compiler that refused it (it was ended, say)."""


class HeaderCompiler:
    """Compiles headers below a folder of ours."""

    def __init__(self, sandbox: Sandbox, folder: Path, jobs: int) -> None:
        """`folder` is ours alone; it is made."""
        self._sandbox = sandbox
        self._in, self._out = folder / "in", folder / "out"
        self._jobs = max(1, jobs)
        for made in (self._in, self._out):
            made.mkdir(parents=True)
        (self._in / "types.sh").write_text(_TYPES)
        (self._in / "values.sh").write_text(_VALUES)

    @property
    def headers(self) -> Path:
        """Where folders of installed headers are to be put."""
        return self._in

    def types(self, units: Sequence[HeaderUnit]) -> dict[HeaderUnit, CompiledHeader | RejectedHeader]:
        """What each header defines."""
        self._run("types.sh", units)
        return {unit: self._read_types(unit, number) for number, unit in enumerate(units)}

    def values(
        self, asked: Mapping[HeaderUnit, Sequence[str]], units: Sequence[HeaderUnit]
    ) -> dict[HeaderUnit, dict[str, int] | None]:
        """What the names are worth that are integer constants; None for a header where that could not be seen.

        `units` are those that `types` was asked for.
        """
        numbers = {unit: number for number, unit in enumerate(units)}
        for unit, names in asked.items():
            with (self._out / f"{numbers[unit]}.c").open("xb") as file:  # never through what a program put there
                file.write(probe(names))
        self._run("values.sh", units, frozenset(asked))
        return {unit: self._read_values(numbers[unit], names) for unit, names in asked.items()}

    def _run(
        self, script: str, units: Sequence[HeaderUnit], wanted: frozenset[HeaderUnit] | None = None
    ) -> SandboxResult:
        lines = [
            f"{unit.root}\0{os.fsdecode(unit.name)}\0{self._out}/{number}\0"
            for number, unit in enumerate(units)
            if unit.is_plain and (wanted is None or unit in wanted)
        ]
        limits = SandboxLimits(
            seconds=min(_STARTING + _PER_HEADER * len(lines), _LONGEST),
            memory=_MEMORY * (self._jobs + 1),
            processes=100 + 20 * self._jobs,
        )
        command = f'command -v gcc >/dev/null || exit 99; exec xargs -0 -r -P {self._jobs} -n 3 sh "$1"'
        job = SandboxJob(
            ("sh", "-c", command, "sh", str(self._in / script)),
            self._out,
            (self._in,),
            (self._out,),
            stdin=os.fsencode("".join(lines)),
            limits=limits,
        )
        outcome = self._sandbox.run(job)
        if outcome.ended is not None:
            raise CannotCompile(f"compiling the headers was ended: it took too much {outcome.ended}")
        if outcome.code == 99:
            raise CannotCompile("there is no gcc on this machine")
        if outcome.code != 0:
            said = outcome.stderr.decode("utf-8", "replace").strip().split("\n")[0]
            raise CannotCompile(f"the headers cannot be compiled here: {said or f'exit code {outcome.code}'}")
        return outcome

    def _read_types(self, unit: HeaderUnit, number: int) -> CompiledHeader | RejectedHeader:
        if not unit.is_plain:
            return RejectedHeader("its name has characters that headers do not have")
        stem = self._out / str(number)
        try:
            types = read_types(_read(stem.with_suffix(".o"), _MOST_OBJECT))
            names = parse_preprocessed(_read(stem.with_suffix(".i")))
        except OSError:
            # Not the second attempt's error: that may be about what was put before the header.
            return _first_error(stem.with_suffix(".err"), unit)
        except UnreadableObject as reason:
            return RejectedHeader(str(reason))
        return CompiledHeader(types, names, not stem.with_suffix(".prelude").exists())

    def _read_values(self, number: int, names: Sequence[str]) -> dict[str, int] | None:
        try:
            return constant_values(names, read_constants(_read(self._out / f"{number}.v", _MOST_OBJECT), SECTION))
        except (OSError, UnreadableObject):
            return None


def _read(file: Path, most: int = _MOST_TEXT) -> bytes:
    """What a program of the sandbox wrote: never through a link, and no more than anybody needs."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        return stream.read(most)


def _first_error(file: Path, unit: HeaderUnit) -> RejectedHeader:
    try:
        text = _read(file).decode("utf-8", "replace")
    except OSError:
        return RejectedHeader("the compiler was ended")
    match = _ERROR.search(text)
    if match is None:
        return RejectedHeader("the compiler was ended")
    location = match[1].removeprefix(f"{unit.root}/")
    return RejectedHeader(f"{location}:{match[2]}: {match[3]}", location)
