# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told while something long runs."""

from threading import Event

import pytest

from seriestool.check.kunit.build_progress import duration, reporting_progress


def test_it_is_told_at_once_and_again_with_the_time() -> None:
    told: list[str] = []
    twice = Event()

    def report(text: str) -> None:
        told.append(text)
        if len(told) > 2:
            twice.set()

    with reporting_progress(report, "a cold build", every=0.01):
        assert told[:1] == ["a cold build"]
        assert twice.wait(10)
    assert told[1] == "a cold build; 0 s so far"


def test_nothing_is_told_after_an_error() -> None:
    told: list[str] = []
    with pytest.raises(ValueError, match="x"), reporting_progress(told.append, "a", every=0.001):
        raise ValueError("x")
    count = len(told)
    Event().wait(0.02)
    assert len(told) == count


@pytest.mark.parametrize(("seconds", "text"), [(9.4, "9 s"), (99, "99 s"), (425, "7 minutes")])
def test_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text
