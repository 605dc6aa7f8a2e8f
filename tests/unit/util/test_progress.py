# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a transfer is, in words and in a log."""

import pytest

from seriestool.util.progress import TransferState, noted_transfer


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (TransferState("counting", 12, None), "counting, 12 objects"),
        (
            TransferState("receiving", 1234, 5000, "1 MiB | 2 MiB/s"),
            "receiving, 1,234 of 5,000 objects, 1 MiB | 2 MiB/s",
        ),
        (TransferState("resolving deltas", 3, 4), "resolving deltas, 3 of 4 deltas"),
    ],
)
def test_in_words(state: TransferState, text: str) -> None:
    assert str(state) == text


def test_a_log_gets_a_line_a_minute() -> None:
    said: list[str] = []
    clock = iter([0.0, 59.0, 60.0, 60.0, 119.0, 121.0, 121.0])
    listen = noted_transfer(said.append, "fetching 'linux'", lambda: next(clock))
    for done in range(1, 5):
        listen(TransferState("receiving", done, 9))
    assert said == [
        "fetching 'linux': receiving, 2 of 9 objects",
        "fetching 'linux': receiving, 4 of 9 objects",
    ]
