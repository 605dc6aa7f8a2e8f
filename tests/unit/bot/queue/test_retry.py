# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for what comes back."""

import threading
import time

import pytest

from seriestool.bot.dialects import StoreError
from seriestool.bot.queue.retry import RepairLock, Retrier, StopRequested


def test_it_goes_on_once_the_database_is_back_and_says_so_once(said: list[str]) -> None:
    left = [3]

    def work() -> str:
        if left[0]:
            left[0] -= 1
            raise StoreError("gone")
        return "done"

    assert Retrier(threading.Event(), first=0.001).until(work) == "done"
    assert said == ["gone; waiting for it", "going on"]


def test_two_that_wait_for_the_same_say_it_once(said: list[str]) -> None:
    retry = Retrier(threading.Event())
    for _ in range(2):
        retry.trouble("full")
    for _ in range(2):
        retry.over("full")
    assert said == ["full; waiting for it", "going on"]
    retry.trouble("full")
    assert said[2:] == ["full; waiting for it"]


def test_it_ends_when_the_bot_leaves() -> None:
    stop = threading.Event()

    def work() -> None:
        stop.set()
        raise StoreError("gone")

    with pytest.raises(StopRequested):
        Retrier(stop).until(work)


def test_what_is_not_the_database_is_not_waited_for() -> None:
    def work() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        Retrier(threading.Event()).until(work)


def test_who_mends_waits_for_those_inside_and_keeps_others_out() -> None:
    repair_lock, seen = RepairLock(), []

    def use() -> None:
        with repair_lock.shared() as number:
            time.sleep(0.05)
            seen.append(f"used {number}")

    inside = [threading.Thread(target=use) for _ in range(3)]
    for thread in inside:
        thread.start()
    time.sleep(0.01)
    repair_lock.repair(0, lambda: seen.append("mended"))
    use()
    for thread in inside:
        thread.join()
    assert seen == ["used 0", "used 0", "used 0", "mended", "used 1"]


def test_what_two_found_broken_is_mended_once() -> None:
    repair_lock, mended = RepairLock(), []
    for _ in range(2):
        repair_lock.repair(0, lambda: mended.append(1))
    assert mended == [1]


def test_a_gate_opens_again_where_mending_failed() -> None:
    repair_lock = RepairLock()
    with pytest.raises(OSError):
        repair_lock.repair(0, lambda: (_ for _ in ()).throw(OSError()))
    with repair_lock.shared() as number:
        assert number == 1
