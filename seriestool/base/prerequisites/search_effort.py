# SPDX-License-Identifier: GPL-2.0-or-later
"""How much work the search for one blob may be."""

LINE = 32
"""Bytes of a line, about: what a content of n lines costs to make and to hash."""


class SearchEffort:
    """Bytes of content that may still be made and hashed; 300 MB take a second.

    Counted in bytes and not in seconds: the same question has the same answer on every machine.
    """

    def __init__(self, size: int) -> None:
        self.left = size
        self.tries = 0

    @property
    def is_spent(self) -> bool:
        """Whether there is nothing left."""
        return self.left <= 0

    def spend(self, lines: int) -> None:
        """Take off what a content of so many lines costs."""
        self.tries += 1
        self.left -= (lines + 1) * LINE
