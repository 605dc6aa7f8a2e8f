# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in the files that say what is built: Kconfig, Makefiles, and configurations."""

import re
from collections.abc import Collection, Iterator
from posixpath import basename

from seriestool.series.hunks import split_lines
from seriestool.split.outline import Definition, Outline, SymbolKind, SymbolName
from seriestool.split.symbol_uses import SymbolUse

_ENTRY = re.compile(rb"\s*(?:menu)?config\s+(\w+)")
_HELP = re.compile(rb"\s*(?:---)?help(?:---)?\s*$")
_NO_CODE = re.compile(rb"\"[^\"\n]*\"|'[^'\n]*'|#.*")
_SYMBOL = re.compile(rb"CONFIG_\w+")
_OBJECT = re.compile(rb"([\w./-]+)\.o\b")
_WORDS = re.compile(rb"\w+")


def is_kconfig(path: bytes) -> bool:
    """Whether options are defined there."""
    return basename(path).startswith(b"Kconfig")


def is_makefile(path: bytes) -> bool:
    """Whether it says what is built, or which options are on."""
    name = basename(path)
    return name.startswith((b"Makefile", b"Kbuild")) or name.endswith((b"_defconfig", b".config", b".mk"))


def read_options(content: bytes) -> Outline:
    """The options of a Kconfig file, with CONFIG_ before their names as all others call them."""
    found = (_ENTRY.match(line) for _, line in _statements(content))
    defined = Definition(is_shared=True, has_body=True)
    return {SymbolName(SymbolKind.CONFIG, b"CONFIG_" + match[1]): defined for match in found if match}


def find_option_uses(content: bytes, rows: Collection[int]) -> Iterator[SymbolUse]:
    """The words on these lines of a Kconfig file that can be options; what help texts say does not count."""
    for row, line in _statements(content):
        if row in rows and not _ENTRY.match(line):
            yield from (
                SymbolUse(SymbolKind.CONFIG, b"CONFIG_" + word) for word in _WORDS.findall(_NO_CODE.sub(b"", line))
            )


def find_make_uses(content: bytes, rows: Collection[int]) -> Iterator[SymbolUse]:
    """The options and the objects on these lines of a Makefile."""
    for row, line in enumerate(split_lines(content)):
        if row in rows:
            text = line.partition(b"#")[0]
            yield from (SymbolUse(SymbolKind.CONFIG, symbol) for symbol in _SYMBOL.findall(text))
            yield from (SymbolUse(SymbolKind.FILE, stem + b".o") for stem in _OBJECT.findall(text))


def _statements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a Kconfig file without help texts: one goes on as long as lines are as far in as its first."""
    depth: int | None = None
    in_help = False
    for row, line in enumerate(split_lines(content)):
        text = line.expandtabs(8)
        if in_help and text.strip():
            indent = len(text) - len(text.lstrip())
            depth = indent if depth is None else depth
            in_help = indent > 0 and indent >= depth
        if not in_help:
            yield row, line
            in_help, depth = bool(_HELP.match(line)), None
