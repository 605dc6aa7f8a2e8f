# SPDX-License-Identifier: GPL-2.0-or-later
"""How grave it is that something which user space sees is not what it was."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

_SENTINEL = re.compile(
    r"_*(?:MAX|NUM|NR|LAST)_.*|.*_(?:AFTER_LAST|LAST|MAX|MAX_BIT|MAX_ID|MAX_SHIFT|MAX_BPF_ATTACH_TYPE|END_V\d)"
    r"|__.*_(?:MAX_.*|NUM|NR|CNT|COUNT|END|ALL)|.*(?:MAX|__SUPPORTED)|.*RESERVED.*"
)
_AT_THE_END = re.compile(
    r".*_(?:CNT|COUNT|END|MASK|NBITS|NUM|NUM_ELEMS|NUM_IRQS|NUM_OPS|NUMHOOKS|SIZE|TLSMAX|ALL|FLAGS|VALID|NR|N|SUPP"
    r"|SUPPORTED)|.*_(?:MAX|NUM|ALL|VALID)_(?:FLAGS|MASK|BITS|ATTRS?|EXITS|LOCKS)|.*ALLFLAGS"
)
_NAME = re.compile(r"(?<!\w)[A-Za-z_]\w")
_LONG = 200
_VERSION = re.compile(r"__NR_syscalls|.*_VERSION(?:_(?:MAJOR|MINOR|EXTRA|PATCHLEVEL))?")
_PADDING = re.compile(
    r"(?:.*[._])?_*(?:pad|padding|res|resv|rsv|rsvd|reserved|unused|spare|mbz|fill|filler|rfu|zero)_?\d*_*(?:\[.*)?"
    r"|.*(?:reserved|unused|padding|_resv|_rsvd|_pad)\w{0,4}",
    re.IGNORECASE,
)


MOST_NAMES = 6
"""In one finding; of more it says how many there are."""


class ChangeSeverity(StrEnum):
    """How grave a change is."""

    NOTE = "note"
    """As it should be; good to know."""
    ASK = "ask"
    """Binaries that are there go on, or it depends on the code behind: a reviewer would ask."""
    BREAK = "break"
    """Programs that are there do no longer compile, or no longer work."""


class AbiChange(Struct, frozen=True):
    """One thing that user space sees otherwise than before."""

    severity: ChangeSeverity
    rule: str
    """A slug."""
    name: str
    """Of what changed: where it is in the header is looked up by this."""
    message: str
    inside: str = ""
    """The struct that it is a member of."""
    others: tuple[str, ...] = ()
    """What else it is said of."""


def find_sentinels(names: Sequence[str]) -> frozenset[str]:
    """Those of an enum's names that say how many there are, or all their bits: they move whenever one is added.

    Names that may as well be those of values (`X_SIZE`) are such only where nothing else stands behind them.
    """
    found = {name for name in names if len(name) < _LONG and _SENTINEL.fullmatch(name)}
    for name in reversed(names):
        if name in found or len(name) >= _LONG or not _AT_THE_END.fullmatch(name):
            break
        found.add(name)
    return frozenset(found)


def is_sum(name: str, body: str) -> bool:
    """Whether a macro is about others, as `X_MAX (__X_MAX - 1)`, `X_ALL (X_A | X_B)`, or a version."""
    if len(name) >= _LONG:
        return False
    is_named_so = _SENTINEL.fullmatch(name) or _AT_THE_END.fullmatch(name)
    return bool(_VERSION.fullmatch(name) or (is_named_so and _NAME.search(body)))


def is_padding(name: str) -> bool:
    """Whether the member's name says that nobody uses it yet."""
    return len(name) < _LONG and _PADDING.fullmatch(name) is not None


def find_line(text: bytes, change: AbiChange) -> int | None:
    """The line of a header that what changed stands at, from 1; None where it is not to be found."""
    lines = text.split(b"\n")
    start = 0
    if change.inside:
        start = next(_standing(lines, re.escape(change.inside.encode("utf-8", "replace")) + b"\\s*\\{?", 0), 1) - 1
    name = re.escape(change.name.rpartition(".")[2].encode("utf-8", "replace"))
    first = (b"#\\s*define\\s+" + name, name + b"\\s*(?:\\{|$)") if not change.inside else ()
    for pattern in (*first, name):
        if (line := next(_standing(lines, pattern, start), None)) is not None:
            return line
    return None


def _standing(lines: list[bytes], pattern: bytes, start: int) -> Iterator[int]:
    wanted = re.compile(rb"(?<!\w)" + pattern + rb"(?!\w)")
    for number, line in enumerate(lines[start:], start + 1):
        code = line[:500].lstrip()
        if not code.startswith((b"*", b"/*", b"//")) and wanted.search(code):
            yield number
