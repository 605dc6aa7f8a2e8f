# SPDX-License-Identifier: GPL-2.0-or-later
"""What a compiler and make say, without what changes from build to build: sets that can be compared."""

import re
from collections.abc import Iterable

from msgspec import Struct

_MOST = 2000  # of a build; a tree that says more says the same again
_LINE = 2000  # bytes of a line that are looked at
_SAID = re.compile(
    r"(?P<path>[^\s:][^:]{0,400}):(?P<line>\d+):(?:\d+:)? "
    r"(?P<kind>(?:fatal )?error|warning|Error|Warning): (?P<text>.*)"
)
_OBJTOOL = re.compile(r"(?P<path>\S{1,400}\.o): (?P<kind>warning|error): (?P<text>objtool: .*)")
_MAKE = re.compile(r"make(?:\[\d+\])?: \*\*\* (?P<text>No rule to make target '[^']*'(?:, needed by '[^']*')?)")
_FAILED = re.compile(r"make(?:\[\d+\])?: \*\*\* \[\S+: (?P<path>[^\]\s]+\.o)\] (?P<text>Error \d+|\w.*)")
_FLAG = re.compile(r" \[(-W[^\]]{0,100})\]$")
_OFFSET = re.compile(r"\+0x[0-9a-f]+")
_NUMBERED = re.compile(r"\b\d+(?= bytes\b)")
_NOT_THE_CODE = re.compile(
    r"signal terminated program|No space left on device|[Cc]annot allocate memory|virtual memory exhausted|"
    r"Resource temporarily unavailable|Killed \(program|Disk quota exceeded"
)


def find_shortage(output: str) -> str | None:
    """What the machine had too little of, by the output of a build that failed; None where it does not say so."""
    found = _NOT_THE_CODE.search(output)
    return found[0] if found else None


class Diagnostic(Struct, frozen=True, eq=False):
    """One thing said; two are the same wherever in the file they stand."""

    path: str
    """As the tree has it."""
    text: str
    flag: str
    """-Wunused-variable; empty where none is named."""
    is_error: bool
    line: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Diagnostic) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[object, ...]:
        return self.path, self.text, self.flag, self.is_error


def parse_diagnostics(output: str, roots: Iterable[str]) -> frozenset[Diagnostic]:
    """What was said in the output of make; `roots` are the folders that paths may begin with."""
    prefixes = tuple(f"{root.rstrip('/')}/" for root in roots)
    found: dict[Diagnostic, None] = {}
    failed: dict[str, str] = {}
    for raw in output.split("\n"):
        line = raw[:_LINE].replace("\u2018", "'").replace("\u2019", "'")
        one = _parse(line, prefixes)
        if one is not None:
            found.setdefault(one)
        elif match := _FAILED.match(line):
            failed.setdefault(_relative(match["path"], prefixes), match["text"])
        if len(found) >= _MOST:
            break
    return frozenset(found) | (frozenset() if any(one.is_error for one in found) else _unexplained(failed))


def _unexplained(failed: dict[str, str]) -> frozenset[Diagnostic]:
    """Objects that could not be made, where nothing says why."""
    return frozenset(Diagnostic(path, f"make says: {text}", "", True) for path, text in failed.items())


def _parse(line: str, prefixes: tuple[str, ...]) -> Diagnostic | None:
    if match := _MAKE.match(line):
        text = match["text"]
        for prefix in prefixes:
            text = text.replace(prefix, "")
        return Diagnostic("", text, "", True)
    match = _OBJTOOL.match(line) or _SAID.match(line)
    if match is None:
        return None
    text, flag = match["text"].strip(), ""
    if named := _FLAG.search(text):
        text, flag = text[: named.start()], named[1].removeprefix("-Werror=").removeprefix("-W")
    at = match.groupdict().get("line")
    return Diagnostic(
        path=_relative(match["path"], prefixes),
        text=_OFFSET.sub("", _NUMBERED.sub("N", text)),
        flag=f"-W{flag}" if flag else "",
        is_error="error" in match["kind"].lower(),
        line=int(at[:9]) if at else None,
    )


def _relative(path: str, prefixes: tuple[str, ...]) -> str:
    for prefix in prefixes:
        path = path.removeprefix(prefix)
    return path.removeprefix("./")
