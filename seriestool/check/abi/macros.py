# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros out of what `gcc -E -dD` prints, and the source that makes a compiler say what they are worth."""

import re
from collections.abc import Iterable

from msgspec import Struct, field

from seriestool.check.abi.c_types import Macro

SECTION = "seriestool"
"""Where the values of probes are found in the object file."""

# Many headers leave it to programs to include what their macros are made of.
_USED = ("#include <linux/ioctl.h>", "#include <stddef.h>")
_MARKER = re.compile(rb'# \d+ "((?:[^"\\]|\\.)*)"')
_DEFINE = re.compile(rb"#define (\w+)(\([^)]*\))?(?: (.*))?")
_MOST_MACROS = 50_000
_IOCTL = re.compile(r"\b(?:_IO|_IOR|_IOW|_IOWR|_IOC|[A-Z0-9]+_IO(?:R|W|WR)?)\s*\(")
_SPACE = re.compile(r"\s+")


class PreprocessedHeader(Struct):
    """What a header and all that it includes define."""

    macros: dict[str, Macro] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Name of a macro -> the file that defined it last."""
    entered: set[str] = field(default_factory=set)
    """The files that were read."""

    def own(self, file: str) -> dict[str, Macro]:
        """The macros that this file defines."""
        return {name: macro for name, macro in self.macros.items() if self.files[name] == file}


def parse_preprocessed(text: bytes) -> PreprocessedHeader:
    """The macros in the output of `gcc -E -dD`."""
    found = PreprocessedHeader()
    file = ""
    for line in text.split(b"\n"):
        if not line.startswith(b"#"):
            continue
        if match := _MARKER.match(line):
            file = match[1].replace(b"\\\\", b"\\").decode("utf-8", "replace")
            found.entered.add(file)
        elif match := _DEFINE.match(line):
            name = match[1].decode()
            if len(found.macros) < _MOST_MACROS:
                found.macros[name] = Macro(name, _text(match[2]), _text(match[3]) or "")
                found.files[name] = file
        elif line.startswith(b"#undef "):
            name = line[7:].strip().decode("utf-8", "replace")
            found.macros.pop(name, None)
    return found


def _text(raw: bytes | None) -> str | None:
    return _SPACE.sub(" ", raw.decode("utf-8", "replace")).strip() if raw is not None else None


def is_ioctl(macro: Macro) -> bool:
    """Whether the macro is written as the number of an ioctl."""
    return macro.parameters is None and _IOCTL.search(macro.body) is not None


def may_be_number(macro: Macro) -> bool:
    """Whether the macro may stand for a number: it has a body, takes nothing, and is no text."""
    return macro.parameters is None and macro.body != "" and not macro.body.startswith(('"', "{"))


def probe(names: Iterable[str]) -> bytes:
    """C that puts the value of each name into a section of its own; one line each, so that bad ones can be left out.

    An enumerator takes nothing but an integer constant: no text, no address, no variable. Each is in a function of its
    own, because a name that is missing is reported only once for each function.
    """
    lines = (
        f"void seriestool_f{number}(void) {{ enum {{ seriestool_e = ({name}) }}; static const unsigned long long "
        f'seriestool_v{number} __attribute__((section("{SECTION}"), used)) = (unsigned long long) seriestool_e; }}'
        for number, name in enumerate(names)
    )
    return "".join(line + "\n" for line in (*_USED, *lines)).encode()


def constant_values(names: Iterable[str], values: dict[str, int]) -> dict[str, int]:
    """Name -> value of those that are integer constants, from what the probe's object file has."""
    numbered = {f"seriestool_v{number}": name for number, name in enumerate(names)}
    found = ((symbol.partition(".")[0], value) for symbol, value in values.items())
    return {numbered[symbol]: value for symbol, value in found if symbol in numbered}
