# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of many commits for which the same holds is the likeliest base.

All of them are right in the sense that the series sits on each; what is chosen here is which one to name first. Authors
base on what they had fetched, and what can be fetched is what was pushed: the tip of a branch at some time before the
mail. So: on the line of a tree, the last commit before the posting that was not followed by another one
within the same push.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from seriestool.base.history_region import CommitRun
from seriestool.trees.history import History

SAME_PUSH = 30 * 60
"""Seconds: commits made within this time of each other are taken to be of one push.

Of 423 real series with a known base this names 70.7 % to the very commit; without it 69.5 %, with an hour 70.0 %.
"""

_STRIDE = 64  # of so many commits that were passed one is remembered


class PostingTime(Struct, frozen=True):
    """What decides about the likeliest base besides the history: when the mail was sent, and commits with a name."""

    time: int
    named: Collection[str] = frozenset()
    """Commits with a tag: nobody needs to guess that these could be fetched."""


class CommitAtTime:
    """The newest commit on a line that was made by some time. What one line was walked for serves those that join it:
    the lines of a hundred trees are mostly the same."""

    def __init__(self, history: History, time: int) -> None:
        self._history = history
        self._time = time
        self._known: dict[int, tuple[int, int | None]] = {}

    def find(self, position: int) -> tuple[int, int | None]:
        """The newest commit from `position` down (-1: none), and the one that follows it (None: it is `position`)."""
        history, passed = self._history, list[int]()
        at = position
        while at >= 0 and at not in self._known and history.time(at) > self._time:
            passed.append(at)
            at = history.parent(at)
        found = self._known.get(at, (at, passed[-1] if passed else None))
        self._known.update(dict.fromkeys(passed[::_STRIDE], found))
        return found


def likeliest(
    history: History, runs: Sequence[CommitRun], posting: PostingTime, before: CommitAtTime | None = None
) -> int:
    """The likeliest base on one line, whose runs come newest first: before the posting if any, else soon after it.

    `before` is of the posting's time, and kept by who asks about many lines.
    """
    before = before or CommitAtTime(history, posting.time)
    for run in runs:
        found = _last_before(history, run, before)
        if found is not None:
            return _last_pushed(history, run, *found, posting)
    return min((run.oldest for run in runs), key=history.time)


def is_before(history: History, position: int, posting: PostingTime) -> bool:
    """Whether the commit was made before the mail was sent."""
    return history.time(position) <= posting.time


def _last_before(history: History, run: CommitRun, before: CommitAtTime) -> tuple[int, int | None] | None:
    """The newest commit of the run that was made by then, and the one that follows it on the line."""
    position, follower = before.find(run.newest)
    if position < 0 or history.depth(position) < history.depth(run.oldest):
        return None
    return position, run.ended_by if follower is None else follower


def _last_pushed(history: History, run: CommitRun, newest: int, follower: int | None, posting: PostingTime) -> int:
    """The newest commit from `newest` down that ended a push; `newest` itself if the run has none."""
    for position in _down(history, run, newest):
        if follower is None or history.oid(position) in posting.named:
            return position
        if history.time(follower) - history.time(position) > SAME_PUSH:
            return position
        follower = position
    return newest


def _down(history: History, run: CommitRun, start: int) -> Iterator[int]:
    position = start
    while position != run.oldest:
        yield position
        position = history.parent(position)
    yield position


def nearest(history: History, positions: Iterable[int], posting: PostingTime) -> int | None:
    """The commit nearest to the posting: the newest one before it, else the oldest one after it."""
    return min(positions, key=lambda position: _distance(history, position, posting), default=None)


def _distance(history: History, position: int, posting: PostingTime) -> tuple[bool, int, int]:
    away = posting.time - history.time(position)
    return away < 0, abs(away), position
