# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of system calls, and what may not change in them: a number, once given out, is given out for good."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from seriestool.check.abi.abi_change import MOST_NAMES, AbiChange, ChangeSeverity
from seriestool.util.text import shortened

GENERIC = b"include/uapi/asm-generic/unistd.h"
_TABLE = re.compile(
    rb"scripts/syscall\.tbl|arch/[a-z0-9_]{1,40}/(?:(?:kernel|entry)/syscalls|tools)/syscall\w{0,20}\.tbl"
)
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+__NR(?:3264)?_(\w{1,60})[ \t]+(\d{1,6})\s")
_NOT_THERE = "sys_ni_syscall"
_SAME_EVERYWHERE = 424  # from here on a call has one number on all architectures
_MOST_LINES = 5000
_ALPHA = 110  # but for alpha, which is that much ahead


class SyscallRow(Struct, frozen=True, kw_only=True):
    """One system call in a table."""

    number: int
    abi: str
    """Who has it: `common`, `64`, `i386` ..."""
    name: str
    entry: str
    line: int

    @property
    def key(self) -> tuple[str, str]:
        """What the row is about."""
        return (self.name, self.abi)


SyscallTable = tuple[SyscallRow, ...]


def is_table(path: bytes) -> bool:
    """Whether the file is a table of system calls."""
    return _TABLE.fullmatch(path) is not None


def parse_table(text: bytes) -> SyscallTable:
    """The rows of a table; lines that are none are passed over."""
    found = []
    for line, raw in enumerate(text.split(b"\n")[:_MOST_LINES], 1):
        words = raw.partition(b"#")[0].split()[:5]
        if len(words) >= 3 and words[0].isdigit() and len(words[0]) < 7:
            number, abi, name, *entry = (word.decode("utf-8", "replace") for word in words)
            found.append(
                SyscallRow(number=int(number), abi=abi, name=name, entry=entry[0] if entry else _NOT_THERE, line=line)
            )
    return tuple(found)


def parse_generic(text: bytes) -> SyscallTable:
    """The calls of asm-generic/unistd.h, and how many it says there are (as the call `syscalls`)."""
    return tuple(
        SyscallRow(
            number=int(match[2]),
            abi="common",
            name=match[1].decode(),
            entry="",
            line=text.count(b"\n", 0, match.start()) + 1,
        )
        for match in _DEFINE.finditer(text)
    )


def compare_tables(old: SyscallTable, new: SyscallTable) -> Iterator[AbiChange]:
    """What is not as it was for the calls that were there before."""
    names: dict[str, list[SyscallRow]] = {}
    for row in new:
        names.setdefault(row.name, []).append(row)
    numbers = {(row.number, row.abi): row for row in new}
    abis = {row.abi for row in new}
    for abi in sorted({row.abi for row in old} - abis):
        calls = [row.name for row in old if row.abi == abi and _place(row, names) is None]
        if calls:
            yield AbiChange(
                ChangeSeverity.ASK,
                "abi-removed",
                abi,
                f"no call of the ABI '{abi}' is left: {shortened(calls, MOST_NAMES)}",
            )
    for row in old:
        now = _place(row, names)
        if now is not None:
            yield from _kept(row, now)
        elif row.abi in abis:
            yield _gone(row, names, numbers)
    yield from _doubled(old, new)


def _place(row: SyscallRow, names: Mapping[str, list[SyscallRow]]) -> SyscallRow | None:
    """Where the call is now, by the same number."""
    there = [one for one in names.get(row.name, ()) if one.number == row.number]
    exact = next((one for one in there if one.abi == row.abi), None)
    return exact or next((one for one in there if one.abi == "common"), None) or next(iter(there), None)


def _kept(row: SyscallRow, now: SyscallRow) -> Iterator[AbiChange]:
    if now.abi not in (row.abi, "common"):
        yield AbiChange(
            ChangeSeverity.ASK,
            "abi-changed",
            row.name,
            f"{row.name} was there for '{row.abi}', and is for '{now.abi}' now",
        )
    if now.entry == _NOT_THERE != row.entry:
        yield AbiChange(ChangeSeverity.ASK, "no-longer-implemented", row.name, f"{row.name} ends in {_NOT_THERE} now")


def _gone(
    row: SyscallRow, names: Mapping[str, list[SyscallRow]], numbers: Mapping[tuple[int, str], SyscallRow]
) -> AbiChange:
    again = next((one for one in names.get(row.name, ()) if one.abi in (row.abi, "common")), None)
    if again is not None:
        message = f"{row.name} had the number {row.number}, and has {again.number} now"
        return AbiChange(ChangeSeverity.BREAK, "number-changed", row.name, message)
    taken = numbers.get((row.number, row.abi)) or numbers.get((row.number, "common"))
    if taken is not None:
        message = f"the number {row.number} was that of {row.name}, and is that of {taken.name} now"
        return AbiChange(ChangeSeverity.BREAK, "number-reused", taken.name, message)
    severity = ChangeSeverity.ASK if row.entry == _NOT_THERE else ChangeSeverity.BREAK
    return AbiChange(severity, "removed", row.name, f"{row.name} ({row.number}, {row.abi}) is no longer there")


def _doubled(old: SyscallTable, new: SyscallTable) -> Iterator[AbiChange]:
    known = {(row.number, row.key) for row in old}
    first: dict[int, list[SyscallRow]] = {}
    for row in new:
        for other in first.get(row.number, ()):
            overlaps = other.abi == row.abi or "common" in (other.abi, row.abi)
            is_new = (row.number, row.key) not in known or (other.number, other.key) not in known
            if overlaps and is_new and other.name != row.name:
                message = f"the number {row.number} is given to both {other.name} and {row.name}"
                yield AbiChange(ChangeSeverity.BREAK, "number-given-twice", row.name, message)
        first.setdefault(row.number, []).append(row)


def added(old: SyscallTable, new: SyscallTable) -> tuple[SyscallRow, ...]:
    """The calls that were not there before, by name; one row for each."""
    known = {row.name for row in old}
    return tuple({row.name: row for row in reversed(new) if row.name not in known}.values())


def is_for_all(row: SyscallRow, path: bytes) -> bool:
    """Whether the number is one of those that are the same on all architectures."""
    return shared_number(row, path) >= _SAME_EVERYWHERE


def shared_number(row: SyscallRow, path: bytes) -> int:
    """The number that the call has elsewhere, if it is one of those that are the same on all architectures."""
    return row.number - (_ALPHA if path.startswith(b"arch/alpha/") else 0)
