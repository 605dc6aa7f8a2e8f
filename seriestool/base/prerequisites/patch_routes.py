# SPDX-License-Identifier: GPL-2.0-or-later
"""A blob reached from known versions of its file by putting mailed patches on it, and taking others off.

Two searches. `find_chain` follows index lines: "index 1111111..2222222" says that a patch makes blob 2222222 of blob
1111111, so a chain of them may lead from a blob that some tree has to the one that is asked for. It may be as long as
the mails go; the index lines only say where to look. `find_route` tries patches by context, whatever their index lines
say: a maintainer's small edit changes every id after it. Taking off is what pays most: an author's base is older than
the reader's trees.

Both make the content of each step, and only the id of what comes out proves anything. Both are bounded by a
`SearchEffort`, and `find_route` is led by pins: lines of the wanted blob that hunks of mails show at exact numbers.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush, nsmallest

from msgspec import Struct

from seriestool.series.apply import REGULAR, FileImage, apply_diff, reverse
from seriestool.series.hunks import Edit, prepare_edits
from seriestool.series.model import DiffKind, FileDiff, Hunk, PatchFailure

LINE = 32
"""Bytes of a line, about: what a content of n lines costs to make and to hash."""
MOST_ROUTES = 300
"""Contents from which one move more is tried."""
MOST_STEPS = 8
_SHORTEST = 7
"""Digits of an abbreviated id; git never abbreviates below 4, and mails hardly below 7."""

Lines = Sequence[bytes]
Pins = Mapping[int, bytes]
"""0-based line number -> line. A blob that contradicts one of them is not the one."""


class SearchEffort:
    """Bytes of content that may still be made and hashed; 300 MB take a second.

    Counted in bytes and not in seconds: the same question has the same answer on every machine.
    """

    def __init__(self, size: int) -> None:
        self.left = size
        self.tries = 0

    @property
    def is_spent(self) -> bool:
        """Whether there is nothing left."""
        return self.left <= 0

    def spend(self, lines: int) -> None:
        """Take off what a content of so many lines costs."""
        self.tries += 1
        self.left -= (lines + 1) * LINE


def pinned_before(diffs: Iterable[FileDiff]) -> dict[int, bytes]:
    """What hunks that were made from the blob say of it."""
    return {n: line for diff in diffs for hunk in diff.hunks for n, line in _lines(hunk, hunk.old_start, b"+")}


def pinned_after(diffs: Iterable[FileDiff]) -> dict[int, bytes]:
    """What hunks that end in the blob say of it."""
    return {n: line for diff in diffs for hunk in diff.hunks for n, line in _lines(hunk, hunk.new_start, b"-")}


def violations(lines: Sequence[bytes], pins: Pins) -> int:
    """How many pins the lines contradict."""
    return sum(number >= len(lines) or lines[number] != line for number, line in pins.items())


def _lines(hunk: Hunk, start: int, other: bytes) -> Iterable[tuple[int, bytes]]:
    # An empty side names the line before it; there is nothing to pin then.
    kept = (line[1:] for line in hunk.lines if line[:1] != other)
    return enumerate(kept, max(start - 1, 0))


class PatchMove(Struct, frozen=True, kw_only=True):
    """One patch's part on a file, put on or taken off."""

    patch: int
    """Which of the patches that were given."""
    is_removal: bool
    diff: FileDiff
    edits: tuple[Edit, ...]
    needs: frozenset[bytes]
    """Lines that a content must have for the move to find its place."""


class PatchRoute(Struct, frozen=True):
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
        # A content can be a megabyte: only those whose turn will come are kept.
        if len(self._waiting) > 2 * MOST_ROUTES:
            self._waiting = nsmallest(MOST_ROUTES, self._waiting)


def find_chain(
    versions: Sequence[Lines],
    moves: Sequence[PatchMove],
    identify: Callable[[Lines], str],
    blob: str,
    effort: SearchEffort,
) -> PatchRoute | None:
    """The shortest chain to content whose id begins with `blob`; None where no chain holds."""
    far = _distances(moves, blob)
    leaving: dict[str, list[PatchMove]] = defaultdict(list)
    for move in moves:
        source, target = _ends(move)
        if target in far and source is not None:
            leaving[source].append(move)
    begun = (
        (route, _key(identify(route.lines)) if route.start is not None else "")
        for route in start_routes(versions, moves)
    )
    near = sorted(
        ((far[key], number, route, key) for number, (route, key) in enumerate(begun) if key in far), reverse=True
    )
    waiting = [(route, key) for _, _, route, key in near]
    seen: set[str] = set()
    while waiting and not effort.is_spent:
        route, key = waiting.pop()
        steps = sorted(leaving[key], key=lambda move: far[_key(move.diff.new_blob)], reverse=True)
        for made, oid in _made(route, steps, identify, effort):
            if oid.startswith(blob):
                return made
            if oid not in seen and far.get(_key(oid), 0) < far[key]:
                seen.add(oid)
                waiting.append((made, _key(oid)))
    return None


def _distances(moves: Sequence[PatchMove], blob: str) -> dict[str, int]:
    """How many moves each id is away from `blob`, as the index lines have it; '' is the absent file."""
    arriving: dict[str, list[str]] = defaultdict(list)
    for move in moves:
        source, target = _ends(move)
        if source is not None and target:
            arriving[target].append(source)
    far = {_key(blob): 0}
    waiting = deque(far)
    while waiting:
        key = waiting.popleft()
        for source in arriving[key]:
            if source not in far:
                far[source] = far[key] + 1
                waiting.append(source)
    return far


def _made(
    route: PatchRoute, moves: Sequence[PatchMove], identify: Callable[[Lines], str], effort: SearchEffort
) -> Iterator[tuple[PatchRoute, str]]:
    for move in moves:
        if effort.is_spent:
            return
        made = extend_route(route, move, effort)
        if made is not None:
            oid = identify(made.lines)
            if oid.startswith(move.diff.new_blob or "-"):
                yield made, oid


def _ends(move: PatchMove) -> tuple[str | None, str | None]:
    """The ids that a move leads from and to; None where the mail does not name one."""
    diff = move.diff
    source = "" if diff.old_path is None else _key(diff.old_blob)
    target = None if diff.new_path is None else _key(diff.new_blob)
    return (source if source or diff.old_path is None else None), target or None


def _key(oid: str | None) -> str:
    return oid[:_SHORTEST] if oid is not None and len(oid) >= _SHORTEST else ""
