# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose turn it is."""

import random

import pytest

from seriestool.bot.bot_config import Bounds
from seriestool.bot.queue.admission import AHEAD, HOUR, AdmittedSeries, WaitingSeries, admit

NOW = 1_770_000_000
BOUNDS = Bounds(per_author=2, per_list=4, per_hour=6, queue=100)


def waiting(*named: str) -> list[WaitingSeries]:
    """'key list author', found one second apart."""
    return [WaitingSeries(*text.split(), found=NOW + place) for place, text in enumerate(named)]  # type: ignore[misc]


def many(count: int, list_: str, author: str, name: str = "s") -> list[WaitingSeries]:
    return [WaitingSeries(f"{name}{number:04}", list_, author, NOW - 9999 + number) for number in range(count)]


def test_nobody_waits() -> None:
    assert admit([], [], BOUNDS, NOW) == ()


def test_the_first_that_came_is_the_first() -> None:
    assert admit(waiting("b net x", "a net y"), [], BOUNDS, NOW) == ("b", "a")


def test_of_two_that_came_at_once_the_key_decides() -> None:
    both = [WaitingSeries("b", "net", "x", NOW), WaitingSeries("a", "net", "y", NOW)]
    assert admit(both, [], BOUNDS, NOW) == admit(both[::-1], [], BOUNDS, NOW) == ("a", "b")


def test_the_order_in_which_they_are_read_changes_nothing() -> None:
    rows = [WaitingSeries(f"{number}", f"l{number % 3}", f"a{number % 5}", NOW - number % 7) for number in range(60)]
    shuffled = rows.copy()
    random.Random(5).shuffle(shuffled)  # noqa: S311
    assert admit(rows, [], BOUNDS, NOW) == admit(shuffled, [], BOUNDS, NOW)


def test_an_author_has_so_many_in_an_hour() -> None:
    assert admit(many(5, "net", "x"), [], BOUNDS, NOW) == ("s0000", "s0001")


def test_an_author_cannot_use_several_lists() -> None:
    rows = many(3, "net", "x", "n") + many(3, "mm", "x", "m")
    assert len(admit(rows, [], BOUNDS, NOW)) == 2


def test_a_list_has_so_many_in_an_hour() -> None:
    rows = [WaitingSeries(f"{number}", "net", f"a{number}", NOW + number) for number in range(9)]
    assert admit(rows, [], BOUNDS, NOW) == ("0", "1", "2", "3")


def test_an_hour_has_so_many() -> None:
    rows = [WaitingSeries(f"{number}", f"l{number}", f"a{number}", NOW + number) for number in range(9)]
    assert admit(rows, [], BOUNDS, NOW) == ("0", "1", "2", "3", "4", "5")


def test_what_is_in_hand_takes_room_in_the_queue() -> None:
    rows = waiting("a net x", "b net y", "c net z")
    assert admit(rows, [], Bounds(queue=10), NOW, in_hand=9) == ("a",)
    assert admit(rows, [], Bounds(queue=10), NOW, in_hand=12) == ()


def test_those_of_this_hour_count() -> None:
    recent = [AdmittedSeries("net", "x", NOW - 10), AdmittedSeries("net", "x", NOW - HOUR + 1)]
    assert admit(waiting("a net x", "b net y"), recent, BOUNDS, NOW) == ("b",)


def test_those_of_an_hour_ago_count_no_more() -> None:
    recent = [AdmittedSeries("net", "x", NOW - HOUR), AdmittedSeries("net", "x", NOW - HOUR - 1)]
    assert admit(waiting("a net x"), recent, BOUNDS, NOW) == ("a",)


def test_a_thousand_of_one_author_take_nothing_from_the_others() -> None:
    rows = [
        *many(1000, "net", "flood"),
        WaitingSeries("late", "net", "y", NOW),
        WaitingSeries("other", "mm", "z", NOW + 1),
    ]
    chosen = admit(rows, [], Bounds(per_author=3, per_list=4, per_hour=5), NOW)
    assert {"late", "other"} <= set(chosen)
    assert len(chosen) == 5


def test_a_thousand_authors_of_one_list_take_nothing_from_the_other_lists() -> None:
    rows = [WaitingSeries(f"{number:04}", "flood", f"a{number}", NOW - 9999 + number) for number in range(1000)]
    chosen = admit([*rows, WaitingSeries("late", "mm", "z", NOW)], [], Bounds(per_list=50, per_hour=4), NOW)
    assert chosen == ("0000", "late", "0001", "0002")


def test_who_had_fewer_turns_in_this_hour_is_next() -> None:
    recent = [AdmittedSeries("net", "x", NOW - 5)]
    assert admit(waiting("a net x", "b net y"), recent, BOUNDS, NOW) == ("b", "a")


def test_a_clock_that_went_back_blocks_nobody() -> None:
    wrong = [AdmittedSeries("net", "x", NOW + 400 * 24 * HOUR) for _ in range(500)]
    assert admit(waiting("a net x"), wrong, BOUNDS, NOW) == ("a",)


def test_a_clock_that_is_a_little_ahead_counts() -> None:
    recent = [AdmittedSeries("net", "x", NOW + AHEAD), AdmittedSeries("net", "x", NOW + 1)]
    assert admit(waiting("a net x"), recent, BOUNDS, NOW) == ()


def test_a_series_that_was_found_in_the_future_gets_its_turn() -> None:
    assert admit([WaitingSeries("a", "net", "x", NOW + 10**9)], [], BOUNDS, NOW) == ("a",)


@pytest.mark.parametrize("seed", range(5))
def test_all_get_their_turn_in_the_end(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    left = [
        WaitingSeries(f"{n}", f"l{dice.randrange(3)}", f"a{dice.randrange(9)}", NOW + dice.randrange(99))
        for n in range(80)
    ]
    recent: list[AdmittedSeries] = []
    for hour in range(40):
        now = NOW + hour * HOUR
        chosen = set(admit(left, recent, BOUNDS, now))
        assert chosen or not left
        recent += [AdmittedSeries(one.list, one.author, now) for one in left if one.key in chosen]
        left = [one for one in left if one.key not in chosen]
    assert left == []
