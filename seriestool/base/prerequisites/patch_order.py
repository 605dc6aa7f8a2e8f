# SPDX-License-Identifier: GPL-2.0-or-later
"""The order in which patches go on top of each other, from the order that each blob's proof has.

Dates do not say it: a second version is mailed after the series that was built on the first one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import pairwise

from seriestool.base.prerequisites.patch_source import SourcePatch

PatchStep = tuple[SourcePatch, bool]
"""A patch, and whether it is taken off."""
_Followers = Mapping[PatchStep, frozenset[PatchStep]]


def order_steps(runs: Iterable[Sequence[PatchStep]]) -> tuple[PatchStep, ...]:
    """All steps, each once, as the runs have them; of several that can come next, the one that was mailed first.

    The patches of a series go on in their own order. A run that contradicts those before it has no say.
    """
    proofs = [*runs]
    runs = [*proofs, *_by_series(step for run in proofs for step in run)]
    nothing: frozenset[PatchStep] = frozenset()
    followers = {step: nothing for run in runs for step in run}
    for run in runs:
        tried = {**followers, **{step: followers[step] | {after} for step, after in pairwise(run)}}
        if len(run) > 1 and len(_sorted(tried)) == len(tried):
            followers = tried
    return _sorted(followers)


def _by_series(steps: Iterable[PatchStep]) -> list[list[PatchStep]]:
    series: dict[str, set[PatchStep]] = {}
    for step in steps:
        if not step[1]:
            series.setdefault(step[0].series, set()).add(step)
    return [sorted(some, key=lambda step: step[0].counter) for some in series.values()]


def _sorted(followers: _Followers) -> tuple[PatchStep, ...]:
    """The steps in order; those on a cycle, and behind it, are left out."""
    waits = dict.fromkeys(followers, 0)
    for steps in followers.values():
        for step in steps:
            waits[step] += 1
    ready = [(_key(step), step) for step, count in waits.items() if not count]
    heapify(ready)
    order: list[PatchStep] = []
    while ready:
        _, step = heappop(ready)
        order.append(step)
        for after in followers[step]:
            waits[after] -= 1
            if not waits[after]:
                heappush(ready, (_key(after), after))
    return tuple(order)


def _key(step: PatchStep) -> tuple[datetime, int, str, bool]:
    patch, is_removal = step
    return patch.date, patch.counter, patch.msgid, is_removal
