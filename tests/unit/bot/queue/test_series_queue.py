# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of series as a queue."""

import threading
from collections import Counter
from collections.abc import Callable

from sqlalchemy import select, update

from seriestool.bot.bot_config import Bounds
from seriestool.bot.bot_tables import series
from seriestool.bot.queue.pipeline import Attempt
from seriestool.bot.queue.series_queue import active_attempts, admit_waiting, counts, fail_attempt
from seriestool.bot.store import Store
from tests.support.bots import NOW, fill, key_of

LATER = NOW + 100_000


def authors(store: Store) -> Counter[str]:
    with store.transaction() as connection:
        return Counter(connection.execute(select(series.c.author).where(series.c.state == "queued")).scalars())


def test_those_whose_turn_it_is_are_queued(store: Store) -> None:
    fill(store, range(3))
    fill(store, [3], state="incomplete")
    keys = admit_waiting(store, Bounds(per_hour=2), LATER)
    assert len(keys) == 2
    assert active_attempts(store) == tuple(Attempt(key, 0, 1) for key in sorted(keys))
    assert counts(store) == {
        "waiting": 1, "incomplete": 1, "queued": 2, "running": 0, "done": 0, "failed": 0, "superseded": 0
    }  # fmt: skip


def test_an_author_with_thousands_hides_nobody(store: Store) -> None:
    fill(store, range(6000), author="flood@example.com", list="net")
    fill(store, [6000], author="other@example.com", list="net", found=LATER)
    admit_waiting(store, Bounds(per_author=3, per_list=4), LATER)
    assert authors(store) == {"flood@example.com": 3, "other@example.com": 1}


def test_an_hour_later_the_next_ones_have_their_turn(store: Store) -> None:
    fill(store, range(5), author="x@example.com", list="net")
    bounds = Bounds(per_author=2)
    admitted = [len(admit_waiting(store, bounds, now)) for now in (LATER, LATER + 1800, LATER + 3600, LATER + 7200)]
    assert admitted == [2, 0, 2, 1]


def test_two_that_admit_at_once_keep_the_bounds(store: Store, open_store: Callable[[], Store]) -> None:
    fill(store, range(100), author="x@example.com", list="net")
    stores = [open_store() for _ in range(4)]
    threads = [threading.Thread(target=admit_waiting, args=(one, Bounds(per_author=5), LATER)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert authors(store) == {"x@example.com": 5}


def test_a_turn_that_is_over_does_not_fail(store: Store) -> None:
    fill(store, range(1))
    admit_waiting(store, Bounds(), LATER)
    with store.transaction() as connection:
        connection.execute(update(series).values(tries=2))
    assert not fail_attempt(store, Attempt(key_of(0), 0, 1), "lost", LATER)
    assert fail_attempt(store, Attempt(key_of(0), 0, 2), "lost", LATER)
    assert counts(store)["failed"] == 1
