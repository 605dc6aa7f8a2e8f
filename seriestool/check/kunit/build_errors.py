# SPDX-License-Identifier: GPL-2.0-or-later
"""What compilers, linkers, make and kconfig say went wrong, with the places in the tree."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

_MAX_LINE = 1000
_MAX_LINES = 100_000
_MAX_ERRORS = 20
_LOGGED = "ERROR:root:"  # kunit.py has the first line of make's through Python's logging

_COMPILER = re.compile(r"([^\s:*]{1,300}):(\d{1,7}):(?:\d{1,5}:)? (?:fatal error|error): (.+)")
_LINKER = re.compile(r"(?:.{0,300}: )?([^\s:]{1,300}\.[chS]):(?:\(\S{1,100}\)|(\d{1,7})): (undefined reference .+)")
_OBJECT = re.compile(r"(?:.{0,300}: )?([^\s:]{1,300})\.o: in function ")
_MODPOST = re.compile(r"ERROR: (?:modpost: )?(.+)")
_KCONFIG = re.compile(
    r"([^\s:*]{0,300}Kconfig[^\s:]{0,100}):(\d{1,7}): ?(syntax error|.*\berror\b.*|.*recursive dependency.*)"
)
_MULTIPLE = re.compile(r"(?:.{0,300}: )?([^\s:]{1,300}\.[chS]):.{0,200}: (multiple definition of .+)")
_NO_RULE = re.compile(r"make(?:\[\d{1,3}\])?: \*\*\* (No rule to make target .+|.+ not found.*|missing separator.*)")
_MAKEFILE = re.compile(r"([^\s:]{1,300}):(\d{1,7}): \*\*\* (.+)")
_UNSATISFIED = re.compile(r"Missing: (.{1,2000})")
_OPTION = re.compile(r"CONFIG_(\w{1,100})=\S{1,100}")


class BuildError(Struct, frozen=True):
    """One thing that went wrong."""

    message: str
    path: bytes | None = None
    """In the tree; None where it is about no file of it."""
    line: int | None = None


def parse_errors(output: bytes, source: Path, build: Path) -> tuple[BuildError, ...]:
    """The errors in what a build printed, each once, in order; the last line where none is recognised."""
    found: dict[BuildError, None] = {}
    last = linked = ""
    for line in _lines(output):
        if inside := _OBJECT.match(line):
            linked = inside[1]
        error = _parse(line, source, build)
        if error is not None and error.path is not None and b"/" not in error.path:
            error = replace(error, path=_linked(error.path, linked))
        if error is not None and len(found) < _MAX_ERRORS:
            found[error] = None
        last = line if line.strip() and not line.startswith("make") else last
    return tuple(found) or ((BuildError(last.strip()[:300]),) if last else ())


def _linked(name: bytes, linked: str) -> bytes | None:
    """The source of which a linker names only the file, by the object that it says this was linked from."""
    path = os.fsencode(f"{linked}{name[-2:].decode()}") if linked and name[-2:-1] == b"." else name
    return path if path.rpartition(b"/")[2] == name else None


def _lines(output: bytes) -> Iterator[str]:
    for raw in output.decode("utf-8", "replace").split("\n")[:_MAX_LINES]:
        yield raw[:_MAX_LINE].rstrip().removeprefix(_LOGGED)


def _parse(line: str, source: Path, build: Path) -> BuildError | None:
    for pattern in (_COMPILER, _KCONFIG, _MAKEFILE):
        if found := pattern.match(line):
            return _placed(name=found[1], line=found[2], message=found[3], source=source, build=build)
    for pattern in (_LINKER, _MULTIPLE):
        if found := pattern.match(line):
            number = found[2] if pattern is _LINKER else None
            return _placed(name=found[1], line=number, message=found[found.re.groups], source=source, build=build)
    for pattern in (_MODPOST, _NO_RULE):
        if found := pattern.match(line):
            return BuildError(found[1][:300])
    return None


def _placed(name: str, line: str | None, message: str, source: Path, build: Path) -> BuildError:
    path = path_in_tree(name, source, build)
    text = message.strip()[:300]
    if path is None:
        return BuildError(f"{name}: {text}" if not name.startswith("/") else text)
    return BuildError(text, path, int(line) if line else None)


def path_in_tree(name: str, source: Path, build: Path) -> bytes | None:
    """The file as the tree names it; make names it from the root, or from the build folder, or as it is."""
    for start in ("", str(build)):
        full = os.path.normpath(f"{start}/{name}" if start and not name.startswith("/") else name)
        if full.startswith(f"{source}/"):
            return os.fsencode(full[len(str(source)) + 1 :])
    if name.startswith(("/", "..")):
        return None
    return os.fsencode(os.path.normpath(name))


def parse_unsatisfied(output: bytes) -> tuple[str, ...]:
    """The options that kunit.py asked for and kconfig did not give, or () where it does not say so."""
    for line in _lines(output):
        if found := _UNSATISFIED.search(line):
            return tuple(dict.fromkeys(_OPTION.findall(found[1])))
    return ()
