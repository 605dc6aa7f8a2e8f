# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob reached from known versions of its file by putting mailed patches on it, and taking others off.

Patches are tried by context, whatever their index lines say: a maintainer's small edit changes every id after it.
Taking off is what pays most: an author's base is older than the reader's trees. What a mail claims to make proves
nothing; only the content that comes out does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, nsmallest

from seriestool.base.prerequisites.pins import Pins, violations
from seriestool.base.prerequisites.search_effort import SearchEffort
from seriestool.series.apply import REGULAR, FileImage, apply_diff, reverse
from seriestool.series.hunks import Edit, prepare_edits
from seriestool.series.model import DiffKind, FileDiff, PatchFailure

MOST_ROUTES = 300
"""Contents from which one move more is tried."""
MOST_STEPS = 8

Lines = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PatchMove:
    """One patch's part on a file, put on or taken off."""

    patch: int
    """Which of the patches that were given."""
    is_removal: bool
    diff: FileDiff
    edits: tuple[Edit, ...]
    needs: frozenset[bytes]
    """Lines that a content must have for the move to find its place."""


@dataclass(frozen=True, slots=True)
class PatchRoute:
    """How the blob is made: from which version, by which moves."""

    start: int | None
    """None: from no file at all, the first move creates it."""
    moves: tuple[PatchMove, ...]
    lines: Lines
    stages: tuple[Lines, ...] = ()
    """The content after each move."""


def moves_of(diffs: Iterable[tuple[int, FileDiff, bool]]) -> list[PatchMove]:
    """The moves of (patch, its diff of the file, whether it may be put on); taking off is always allowed."""
    moves = []
    for patch, diff, may_add in diffs:
        moves.append(_move(patch, True, reverse(diff)))
        if may_add:
            moves.append(_move(patch, False, diff))
    return moves


def _move(patch: int, is_removal: bool, diff: FileDiff) -> PatchMove:
    edits = prepare_edits(diff.hunks)
    needs = frozenset(line for edit in edits for line in edit.old[: len(edit.old) - edit.is_loose])
    return PatchMove(patch=patch, is_removal=is_removal, diff=diff, edits=edits, needs=needs)


def start_routes(versions: Sequence[Lines], moves: Sequence[PatchMove]) -> list[PatchRoute]:
    """A route without moves from each version; and one from nothing, where a move creates the file."""
    routes = [PatchRoute(number, (), lines) for number, lines in enumerate(versions)]
    if any(move.diff.kind is DiffKind.CREATE for move in moves):
        routes.append(PatchRoute(None, (), ()))
    return routes


def extend_route(route: PatchRoute, move: PatchMove, effort: SearchEffort) -> PatchRoute | None:
    """The route with a move more; None where the move does not apply, or leaves no file."""
    effort.spend(len(route.lines))
    is_absent = route.start is None and not route.moves
    made = apply_diff(move.diff, move.edits, None if is_absent else FileImage(list(route.lines), REGULAR))
    if isinstance(made, PatchFailure) or made[0] is None:
        return None
    lines = made[0].lines
    return PatchRoute(route.start, (*route.moves, move), lines, (*route.stages, lines))


def find_route(
    versions: Sequence[Lines],
    moves: Sequence[PatchMove],
    pins: Pins,
    identify: Callable[[Lines], str],
    blob: str,
    effort: SearchEffort,
    steps: int = MOST_STEPS,
) -> PatchRoute | None:
    """The first route of so many moves at most to content whose id begins with `blob`; None where a bounded search
    finds none.

    From every version one move is tried; from then on the content that contradicts the fewest pins goes first.
    """
    return _RouteSearch(versions=versions, moves=moves, pins=pins, identify=identify, effort=effort, steps=steps).find(
        blob
    )


class _RouteSearch:
    def __init__(
        self,
        versions: Sequence[Lines],
        moves: Sequence[PatchMove],
        pins: Pins,
        identify: Callable[[Lines], str],
        effort: SearchEffort,
        steps: int,
    ) -> None:
        self._steps = steps
        self._moves = moves
        self._pins = pins
        self._identify = identify
        self._effort = effort
        self._seen = {identify(lines) for lines in versions}
        # Violations of -1: all versions come before anything that was made of them.
        self._waiting = [(-1, 0, number, route) for number, route in enumerate(start_routes(versions, moves))]
        self._count = len(self._waiting)

    def find(self, blob: str) -> PatchRoute | None:
        for _ in range(MOST_ROUTES):
            if not self._waiting or self._effort.is_spent:
                return None
            route = heappop(self._waiting)[3]
            for found, oid in self._next(route):
                if oid.startswith(blob):
                    return found
                self._remember(found)
        return None

    def _next(self, route: PatchRoute) -> Iterator[tuple[PatchRoute, str]]:
        """What one move more leads to, if nothing led there before."""
        if len(route.moves) >= self._steps:
            return
        used = {move.patch for move in route.moves}
        there = frozenset(route.lines)
        for move in self._moves:
            if move.patch in used or not move.needs <= there or self._effort.is_spent:
                continue
            made = extend_route(route, move, self._effort)
            if made is None:
                continue
            oid = self._identify(made.lines)
            if oid not in self._seen:
                self._seen.add(oid)
                yield made, oid

    def _remember(self, route: PatchRoute) -> None:
        self._count += 1
        heappush(self._waiting, (violations(route.lines, self._pins), len(route.moves), self._count, route))
        if (
            len(self._waiting) > 2 * MOST_ROUTES
        ):  # a content can be a megabyte: only those whose turn will come are kept
            self._waiting = nsmallest(MOST_ROUTES, self._waiting)
