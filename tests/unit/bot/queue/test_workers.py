# SPDX-License-Identifier: GPL-2.0-or-later
"""Who has which name, who lives, who does what only one should."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.bot.queue.workers import MISSED_BEATS, NameTakenError, Worker, lock_file
from seriestool.bot.store import Store
from seriestool.util.errors import InputError, OutsideError


def nothing() -> None:
    """No time passes."""


def enter(store: Store, name: str, wait: Callable[[], None] = nothing) -> Worker:
    worker = Worker(store, name)
    worker.claim(wait, is_alone=False)
    return worker


def names(worker: Worker) -> list[str]:
    return [one.name for one in worker.all()]


def gone(worker: Worker, looks: int = MISSED_BEATS) -> list[str]:
    return [one.name for _ in range(looks) for one in worker.gone()]


def test_each_process_is_another_executor(store: Store) -> None:
    first = enter(store, "a")
    first.leave()
    assert enter(store, "a").executor != first.executor


def test_a_name_that_a_living_bot_has_is_refused(store: Store) -> None:
    first = enter(store, "a")
    with pytest.raises(NameTakenError, match="a bot called 'a' works on this database") as error:
        enter(store, "a", wait=first.beat)
    assert (error.value.exit_code, error.value.hint) == (4, "give this one another name: --name")


def test_a_name_that_a_dead_bot_had_is_taken(store: Store) -> None:
    dead = enter(store, "a")
    beats: list[int] = []
    alive = enter(store, "a", wait=lambda: beats.append(1))
    assert len(beats) == MISSED_BEATS
    assert [one.token for one in alive.all()] == [alive.token] != [dead.token]


def test_with_the_lock_of_the_file_a_dead_bots_name_is_taken_at_once(store: Store) -> None:
    enter(store, "a")
    alive = Worker(store, "a")
    alive.claim(lambda: pytest.fail("it waited"), is_alone=True)
    assert [one.token for one in alive.all()] == [alive.token]


def test_who_does_not_move_is_gone_after_some_looks(store: Store) -> None:
    enter(store, "dead")
    other = enter(store, "other")
    assert gone(other, MISSED_BEATS - 1) == []
    assert gone(other, 1) == ["dead"]
    assert names(other) == ["other"]


def test_who_moves_is_not_gone(store: Store) -> None:
    slow, other = enter(store, "slow"), enter(store, "other")
    for _ in range(4):
        assert gone(other, MISSED_BEATS - 1) == []
        slow.beat()
    assert names(other) == ["other", "slow"]


def test_of_several_that_look_one_takes_over(store: Store, open_store: Callable[[], Store]) -> None:
    enter(store, "dead")
    others = [enter(open_store(), name) for name in ("x", "y", "z")]
    told = []
    for _ in range(MISSED_BEATS):
        for one in others:
            told += [seen.name for seen in one.gone()]
            for other in others:
                other.beat()
    assert told == ["dead"]


@pytest.mark.parametrize("now", [0, -(10**9), 10**12])
def test_clocks_do_not_matter(store: Store, now: int) -> None:
    odd = Worker(store, "odd", now=lambda: now)
    odd.claim(nothing, is_alone=False)
    other = enter(store, "other")
    assert gone(other, MISSED_BEATS - 1) == []
    odd.beat()
    assert gone(other, MISSED_BEATS - 1) == []


def test_a_bot_that_was_away_for_long_comes_back(store: Store) -> None:
    away, other = enter(store, "away"), enter(store, "other")
    assert gone(other) == ["away"]
    away.beat()
    assert names(other) == ["away", "other"]


def test_a_bot_that_was_away_for_so_long_that_another_has_its_name_leaves(store: Store) -> None:
    away = enter(store, "away")
    enter(store, "away")
    with pytest.raises(NameTakenError, match="another bot has taken the name 'away'"):
        away.beat()


def test_one_at_a_time_has_the_lease(store: Store, open_store: Callable[[], Store]) -> None:
    first, second = enter(store, "a"), enter(open_store(), "b")
    assert (first.has_lease("lists"), second.has_lease("lists"), first.has_lease("lists")) == (True, False, True)
    assert second.has_lease("other")


def test_the_lease_of_one_that_is_gone_is_free(store: Store) -> None:
    first, second = enter(store, "a"), enter(store, "b")
    assert first.has_lease("lists")
    first.leave()
    assert second.has_lease("lists")
    first.beat()  # it comes back
    assert not first.has_lease("lists")


@pytest.mark.parametrize("name", ["", "a:b", "x" * 81, "a\nb", "\x1b[31m"])
def test_what_cannot_be_a_name(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a worker"):
        Worker(store, name)


def test_one_bot_at_a_time_has_a_file(tmp_path: Path) -> None:
    database = tmp_path / "new" / "bot.sqlite"
    with lock_file(database):
        with pytest.raises(OutsideError, match="another bot works with") as error:
            lock_file(database)
        assert "with Postgres several share the work" in (error.value.hint or "")
    lock_file(database).close()
