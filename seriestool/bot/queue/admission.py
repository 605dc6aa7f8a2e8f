# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose turn it is: so many series an hour, fairly between lists and authors. Pure."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from seriestool.bot.bot_config import Bounds

HOUR = 3600
AHEAD = 300
"""Seconds that another machine's clock may be ahead. What is later still was admitted before the clock went back, and
must not count: it would be 'in the last hour' for as long as the clock was wrong."""


class WaitingSeries(Struct, frozen=True):
    """A series whose turn has not come."""

    key: str
    list: str
    author: str
    found: int


class AdmittedSeries(Struct, frozen=True):
    """A series whose turn has come, and when."""

    list: str
    author: str
    admitted: int


def admit(
    waiting: Iterable[WaitingSeries], recent: Iterable[AdmittedSeries], bounds: Bounds, now: int, in_hand: int = 0
) -> tuple[str, ...]:
    """The keys of those whose turn it is, first come first; all others stay as they are.

    `in_hand` are admitted and not done. The list that had the fewest turns in this hour is next, of its authors the one
    that had the fewest, of their series the oldest; so a thousand series of one author take nothing from the others.
    """
    counted = [one for one in recent if now - HOUR < one.admitted <= now + AHEAD]
    of_list = Counter(one.list for one in counted)
    of_author = Counter(one.author for one in counted)
    room = min(bounds.per_hour - len(counted), bounds.queue - in_hand)
    queues = _queues(waiting)
    chosen: list[str] = []
    while len(chosen) < room:
        able = [
            (of_list[queue[-1].list], of_author[queue[-1].author], queue[-1].found, queue[-1].key, queue)
            for queue in queues
            if of_list[queue[-1].list] < bounds.per_list and of_author[queue[-1].author] < bounds.per_author
        ]
        if not able:
            break
        queue = min(able, key=lambda one: one[:4])[4]
        one = queue.pop()
        if not queue:
            queues.remove(queue)
        of_list[one.list] += 1
        of_author[one.author] += 1
        chosen.append(one.key)
    return tuple(chosen)


def _queues(waiting: Iterable[WaitingSeries]) -> list[list[WaitingSeries]]:
    """One for each author on each list, the oldest series at its end."""
    queues: dict[tuple[str, str], list[WaitingSeries]] = {}
    for one in sorted(waiting, key=lambda one: (one.found, one.key), reverse=True):
        queues.setdefault((one.list, one.author), []).append(one)
    return list(queues.values())
