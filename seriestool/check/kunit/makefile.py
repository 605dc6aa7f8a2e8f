# SPDX-License-Identifier: GPL-2.0-or-later
"""Which options of the configuration an object of a kernel Makefile stands under."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

_MAX_SIZE = 1 << 20
_RULE = re.compile(r"\s{0,16}([\w./-]{1,200}?)-(?:(y|m|objs)|\$[({]CONFIG_(\w{1,100})[)}])\s{0,16}[:+?]?=(.*)$")
_KINDS = ("obj", "lib", "subdir", "core", "drivers")


class MakefileEntry(Struct, frozen=True):
    """One place where an object is listed."""

    option: str | None
    """The option it stands under; None where it is built whenever the Makefile is read."""
    part_of: str | None
    """The object it is linked into (without `.o`), or None where it stands for itself."""


Makefile = Mapping[str, tuple[MakefileEntry, ...]]
"""Object (without `.o`) or folder (with `/` at its end) -> where it is listed."""


def parse_makefile(text: bytes) -> Makefile:
    """What is listed where; lines that compute names are left out."""
    found: dict[str, list[MakefileEntry]] = {}
    for line in _lines(text):
        rule = _RULE.match(line)
        if rule is None:
            continue
        part_of = None if rule[1] in _KINDS else rule[1]
        for name in rule[4].partition("#")[0].split():
            if name.endswith((".o", "/")):
                found.setdefault(name.removesuffix(".o"), []).append(MakefileEntry(rule[3], part_of))
    return {name: tuple(lines) for name, lines in found.items()}


def _lines(text: bytes) -> Iterator[str]:
    whole = text[:_MAX_SIZE].decode("utf-8", "replace").replace("\\\n", " ")
    return iter(whole.split("\n"))


def options_of(makefile: Makefile, name: str) -> tuple[str, ...]:
    """The options under which the object is built, with those of the objects that it is linked into."""
    found: dict[str, None] = {}
    waiting, seen = [name], set[str]()
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for line in makefile.get(here, ()):
            if line.option is not None:
                found[line.option] = None
            if line.part_of is not None:
                waiting.append(line.part_of)
    return tuple(found)
