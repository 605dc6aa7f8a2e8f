# SPDX-License-Identifier: GPL-2.0-or-later
"""The chain of mailed patches whose index lines link a blob that some tree has to the blob that is asked for.

It may be as long as the mails go, forwards (put on) and backwards (taken off). The index lines only say where to look:
each content on the way is made, and must have the id that the mail claims.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence

from seriestool.base.prerequisites.patch_routes import PatchMove, PatchRoute, extend_route, start_routes
from seriestool.base.prerequisites.search_effort import SearchEffort

_SHORTEST = 7
"""Digits of an abbreviated id; git never abbreviates below 4, and mails hardly below 7."""

Lines = Sequence[bytes]


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
