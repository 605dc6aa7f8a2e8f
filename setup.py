# SPDX-License-Identifier: GPL-2.0-or-later
"""What pyproject.toml cannot say: the pages of docs/man become man pages, which pip puts below share/man.

Debian's converters are no Python packages, and the pages use little of Markdown: headings, paragraphs, lists,
definitions, tables, and text to be shown as it is (man(7)).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup

_HERE = Path(__file__).resolve().parent
_BUILT = "build/man/man1"  # setuptools wants a path relative to this file
_INLINE = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*")


def to_man(markdown: str) -> str:
    """The page in man(7)'s macros."""
    blocks = [block for block in re.split(r"\n{2,}", markdown.strip("\n")) if block]
    return "\n".join(line for block in blocks for line in _block(block)) + "\n"


def _block(block: str) -> Iterator[str]:
    lines = block.split("\n")
    if match := re.fullmatch(r"# (\S+)\((\d)\)", lines[0]):
        yield from (f'.TH "{match[1].upper()}" "{match[2]}" "" "seriestool" ""', ".ad l")
    elif block.startswith("### "):
        yield f".SS {_text(block[4:])}"
    elif block.startswith("## "):
        yield f".SH {_text(block[3:])}"
    elif block.startswith(("    ", "|")):
        indent = 4 if block.startswith(" ") else 0
        yield from (".PP", ".RS 4", ".nf", *(_escape(line[indent:]) for line in lines), ".fi", ".RE")
    elif len(lines) > 1 and lines[1].startswith(": "):
        yield from (".TP", _text(lines[0]), _joined([lines[1][2:], *lines[2:]]))
    elif block.startswith("* "):
        for item in re.split(r"\n\* ", block[2:]):
            yield from (r".IP \(bu 2", _joined(item.split("\n")))
    else:
        yield from (".PP", _joined(lines))


def _joined(lines: list[str]) -> str:
    return _text(" ".join(line.strip() for line in lines))


def _text(text: str) -> str:
    """A line of running text: code and what is strong is bold, emphasis italic."""
    parts, end = [], 0
    for match in _INLINE.finditer(text):
        font = "I" if match[3] else "B"
        parts += [_plain(text[end : match.start()]), rf"\f{font}{_plain(match[1] or match[2] or match[3])}\fR"]
        end = match.end()
    line = "".join([*parts, _plain(text[end:])])
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _escape(line: str) -> str:
    return rf"\&{_plain(line)}"


def _plain(text: str) -> str:
    return text.replace("\\", r"\e").replace("-", r"\-")


def _build_pages() -> list[str]:
    folder = _HERE / _BUILT
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted((_HERE / "docs/man").glob("*.1.md"))
    for source in sources:
        (folder / source.stem).write_text(to_man(source.read_text(encoding="utf-8")), encoding="utf-8")
    return [f"{_BUILT}/{source.stem}" for source in sources]


if __name__ == "__main__":
    setup(data_files=[("share/man/man1", _build_pages())])
