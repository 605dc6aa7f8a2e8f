# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours that say nothing which the words do not say as well."""

from msgspec import Struct

from seriestool.report.terminal import printable_line

_GOOD, _BAD, _WARN, _STRONG, _FAINT = 32, 31, 33, 1, 2


class Style(Struct, frozen=True):
    """Marks words, if colours are wanted; whatever comes in is made safe for a terminal first."""

    color: bool = False

    def good(self, text: str) -> str:
        """Green."""
        return self._mark(text, _GOOD)

    def bad(self, text: str) -> str:
        """Red."""
        return self._mark(text, _BAD)

    def warn(self, text: str) -> str:
        """Yellow."""
        return self._mark(text, _WARN)

    def strong(self, text: str) -> str:
        """Bold."""
        return self._mark(text, _STRONG)

    def faint(self, text: str) -> str:
        """Dim."""
        return self._mark(text, _FAINT)

    def plain(self, text: str) -> str:
        """As it is, on one line."""
        return printable_line(text)

    def _mark(self, text: str, code: int) -> str:
        safe = printable_line(text)
        return f"\x1b[{code}m{safe}\x1b[0m" if self.color and safe else safe
