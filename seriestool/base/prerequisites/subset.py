# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob between two known versions of its file: some of the changes from one to the other are in it, some are not.

That is what a branch from the middle of a merge window has, and what a three-way merge of known versions makes. There
are 2^n subsets of n changes; the lines that mails pin at exact places leave few of them, and few changes tell most real
blobs from the nearest version.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from seriestool.base.prerequisites.pins import Pins

Lines = Sequence[bytes]
Accept = Callable[[Lines], bool]

MOST_NODES = 40_000
MOST_LEAVES = 1_500
MOST_FLIPS = 2
_GAP = 8  # lines: changes that are nearer to each other than this are not compared line by line again


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that both versions have (`theirs` is None), or a change: the lines of the one and of the other."""

    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...] | None = None


def compare(ours: Lines, theirs: Lines) -> tuple[Part, ...]:
    """The parts of which `ours` is made on the one side and `theirs` on the other."""
    from difflib import SequenceMatcher

    head = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    limit = min(len(ours), len(theirs)) - head
    tail = next((n for n in range(limit) if ours[-1 - n] != theirs[-1 - n]), limit)
    middle = SequenceMatcher(None, ours[head : len(ours) - tail], theirs[head : len(theirs) - tail], autojunk=False)
    parts = [Part(tuple(ours[:head]))] if head else []
    for tag, a, b, c, d in middle.get_opcodes():
        mine = tuple(ours[head + a : head + b])
        parts.append(Part(mine) if tag == "equal" else Part(mine, tuple(theirs[head + c : head + d])))
    return (*parts, Part(tuple(ours[len(ours) - tail :]))) if tail else tuple(parts)


def find_between(ours: Lines, theirs: Lines, pins: Pins, accept: Accept) -> tuple[Lines, int] | None:
    """The lines that `accept` takes and how many changes of `theirs` they have; None where the search finds none.

    First those that differ from `ours` in a change or two, then all that the pins allow.
    """
    search = _Search(compare(ours, theirs), pins, accept)
    return search.few_changes() or search.all_changes()


class _Search:
    def __init__(self, parts: Sequence[Part], pins: Pins, accept: Accept) -> None:
        self._parts = parts
        self._changes = [n for n, part in enumerate(parts) if part.theirs is not None]
        self._numbers = sorted(pins)
        self._pins = pins
        self._accept = accept
        self._nodes = 0
        self._leaves = 0

    def few_changes(self) -> tuple[Lines, int] | None:
        """Subsets of at most MOST_FLIPS changes, the smallest first."""
        return self._first(self._walk(0, 0, [], MOST_FLIPS))

    def all_changes(self) -> tuple[Lines, int] | None:
        """Every subset that the pins allow."""
        self._nodes = self._leaves = 0
        return self._first(self._walk(0, 0, [], len(self._changes)))

    def _first(self, chosen: Iterator[list[bool]]) -> tuple[Lines, int] | None:
        for choice in chosen:
            self._leaves += 1
            lines = self._build(choice)
            if self._accept(lines):
                return lines, sum(choice)
            if self._leaves > MOST_LEAVES:
                return None
        return None

    def _walk(self, at: int, line: int, choice: list[bool], flips: int) -> Iterator[list[bool]]:
        """All choices (True: theirs) from part `at` on, which begins at `line`, that the pins do not contradict."""
        stack = [(at, line, choice, flips)]
        while stack:
            at, line, choice, flips = stack.pop()
            self._nodes += 1
            if self._nodes > MOST_NODES:
                return
            if at == len(self._parts):
                if line > (self._numbers[-1] if self._numbers else -1):
                    yield choice
                continue
            part = self._parts[at]
            if part.theirs is None:
                if self._fits(part.ours, line):
                    stack.append((at + 1, line + len(part.ours), choice, flips))
                continue
            if flips and self._fits(part.theirs, line):
                stack.append((at + 1, line + len(part.theirs), [*choice, True], flips - 1))
            if self._fits(part.ours, line):
                stack.append((at + 1, line + len(part.ours), [*choice, False], flips))

    def _fits(self, lines: Lines, start: int) -> bool:
        first = bisect_left(self._numbers, start)
        for number in self._numbers[first:]:
            if number >= start + len(lines):
                return True
            if self._pins[number] != lines[number - start]:
                return False
        return True

    def _build(self, choice: Sequence[bool]) -> list[bytes]:
        taken = iter(choice)
        lines: list[bytes] = []
        for part in self._parts:
            lines += part.ours if part.theirs is None or not next(taken) else part.theirs
        return lines
