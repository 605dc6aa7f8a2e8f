# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of patches, from runs of letters: each letter is a patch that was mailed on the day of its place in the
alphabet; a capital one is taken off."""

from datetime import UTC, datetime, timedelta

import pytest

from seriestool.base.prerequisites.patch_order import PatchStep, order_steps
from seriestool.base.prerequisites.patch_source import SourcePatch

START = datetime(2026, 1, 1, tzinfo=UTC)


def step(letter: str) -> PatchStep:
    name = letter.lower()
    date = START + timedelta(days=ord(name))
    return SourcePatch(f"{name}@x", name, f"{name}@x", 1, 1, 1, "A", date), letter.isupper()


@pytest.mark.parametrize(
    ("runs", "order"),
    [
        ([], ""),
        ([""], ""),
        (["a"], "a"),
        (["cab"], "cab"),
        (["b", "a", "c"], "abc"),
        (["ab", "bc", "ac"], "abc"),
        (["ca", "ab"], "cab"),
        (["db", "ac"], "acdb"),
        (["ab", "ba"], "ab"),  # the first one has the say
        (["ab", "bc", "ca"], "abc"),
        (["ab", "bca", "cd"], "abcd"),
        (["Cb", "a"], "aCb"),
        (["bB"], "bB"),
    ],
)
def test_order(runs: list[str], order: str) -> None:
    found = order_steps([[step(letter) for letter in run] for run in runs])
    assert "".join(patch.subject.upper() if removal else patch.subject for patch, removal in found) == order


def test_patches_of_a_series_stay_in_their_order() -> None:
    """The second one was mailed first, and nothing but its number keeps it behind."""
    late, early = (SourcePatch(f"{n}@x", "", "s@x", 1, n, 2, "A", START + timedelta(days=-n)) for n in (1, 2))
    between = SourcePatch("b@x", "", "b@x", 1, 1, 1, "A", START)
    found = order_steps([[(early, False)], [(between, False), (late, False)]])
    assert [patch for patch, _ in found] == [between, late, early]


def test_many_long_runs() -> None:
    letters = [chr(0x4E00 + n) for n in range(200)]
    runs = [[step(letter) for letter in letters[n : n + 20]] for n in range(0, 180, 3)]
    assert len(order_steps(runs)) == 197
