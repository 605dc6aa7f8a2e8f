# SPDX-License-Identifier: GPL-2.0-or-later
"""Aligned columns."""

from collections.abc import Iterable, Sequence

from seriestool.report.style import Style


def table(rows: Iterable[Sequence[str]], style: Style) -> list[str]:
    """Lines of aligned cells, two blanks between them; cells made safe."""
    safe = [[style.plain(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in safe if n < len(row)) for n in range(max(map(len, safe), default=0))]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in safe]
