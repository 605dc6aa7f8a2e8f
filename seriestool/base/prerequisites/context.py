# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob reached from known versions of its file by putting mailed patches on it, and taking others off.

Patches are tried by context, whatever their index lines say: a maintainer's small edit changes every id after it.
Taking off is what pays most: an author's base is older than the reader's trees. What a mail claims to make proves
nothing; only the content that comes out does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from seriestool.apply import REGULAR, Image, apply_diff, reverse
from seriestool.base.prerequisites.pins import Pins, violations
from seriestool.hunks import Edit, prepare_edits
from seriestool.model import Failure, FileDiff

MOST_TRIES = 12_000
"""Patches tried for one blob; a try takes about 0.1 ms."""
MOST_STEPS = 8

Lines = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Move:
    """One patch's part on a file, put on or taken off."""

    patch: int
    """Which of the patches that were given."""
    is_removal: bool
    diff: FileDiff
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """How the blob is made: from which version, by which moves."""

    start: int
    moves: tuple[Move, ...]
    lines: Lines
    stages: tuple[Lines, ...] = ()
    """The content after each move."""


def moves_of(diffs: Iterable[tuple[int, FileDiff, bool]]) -> list[Move]:
    """The moves of (patch, its diff of the file, whether it may be put on); taking off is always allowed."""
    moves = []
    for patch, diff, may_add in diffs:
        back = reverse(diff)
        moves.append(Move(patch, True, back, prepare_edits(back.hunks)))
        if may_add:
            moves.append(Move(patch, False, diff, prepare_edits(diff.hunks)))
    return moves


def find_route(
    versions: Sequence[Lines], moves: Sequence[Move], pins: Pins, identify: Callable[[Lines], str], blob: str
) -> Route | None:
    """The first route found to content whose id begins with `blob`; None where the bounded search finds none.

    From every version one move is tried; from then on the content that contradicts the fewest pins goes first.
    """
    return _Search(versions, moves, pins, identify).find(blob)


class _Search:
    def __init__(
        self, versions: Sequence[Lines], moves: Sequence[Move], pins: Pins, identify: Callable[[Lines], str]
    ) -> None:
        self._moves = moves
        self._pins = pins
        self._identify = identify
        self._tries = 0
        self._seen = {identify(lines) for lines in versions}
        self._routes = [Route(number, (), lines) for number, lines in enumerate(versions)]
        # Violations of -1: all versions come before anything that was made of them.
        self._waiting = [(-1, 0, number) for number in range(len(versions))]

    def find(self, blob: str) -> Route | None:
        while self._waiting and self._tries < MOST_TRIES:
            route = self._routes[heappop(self._waiting)[2]]
            for found, oid in self._next(route):
                if oid.startswith(blob):
                    return found
                self._remember(found)
        return None

    def _next(self, route: Route) -> Iterator[tuple[Route, str]]:
        """What one move more leads to, if nothing led there before."""
        if len(route.moves) >= MOST_STEPS:
            return
        used = {move.patch for move in route.moves}
        for move in self._moves:
            if move.patch in used:
                continue
            self._tries += 1
            made = apply_diff(move.diff, move.edits, Image(list(route.lines), REGULAR))
            if isinstance(made, Failure) or made[0] is None:
                continue
            lines = made[0].lines
            oid = self._identify(lines)
            if oid not in self._seen:
                self._seen.add(oid)
                yield Route(route.start, (*route.moves, move), lines, (*route.stages, lines)), oid

    def _remember(self, route: Route) -> None:
        heappush(self._waiting, (violations(route.lines, self._pins), len(route.moves), len(self._routes)))
        self._routes.append(route)
