# SPDX-License-Identifier: GPL-2.0-or-later
"""Labels in a picture: as long as their text about is, and one above the other where they would overlap."""

from collections.abc import Sequence
from unicodedata import east_asian_width

from msgspec import Struct

_WIDE = 1.9
_GAP = 8.0


class Label(Struct, frozen=True):
    """A text at `x`, which is where it begins, in the middle or at the end as `anchor` says."""

    x: float
    text: str
    lane: int
    anchor: str


def text_width(text: str, character: float) -> float:
    """About how wide the text is when a character is so wide; wide ones of East Asia count double."""
    return sum(_WIDE if east_asian_width(one) in "WF" else 1.0 for one in text) * character


def fitting(text: str, width: float, character: float) -> str:
    """The text, cut where it is wider than that."""
    if text_width(text, character) <= width:
        return text
    cut = text[: max(int(width / character) - 1, 1)]
    while len(cut) > 1 and text_width(cut, character) > width - character:
        cut = cut[:-1]
    return f"{cut}\u2026"


def place_labels(wanted: Sequence[tuple[float, str]], left: float, right: float, character: float) -> tuple[Label, ...]:
    """The labels for texts at these places, in the same order, between the edges and without overlap in a lane."""
    ends: list[list[tuple[float, float]]] = []
    placed = []
    for x, text in wanted:
        width = text_width(text, character)
        anchor = _anchor(x, width, left, right)
        start = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        lane = next((n for n, taken in enumerate(ends) if _is_free(taken, start, start + width)), len(ends))
        if lane == len(ends):
            ends.append([])
        ends[lane].append((start, start + width))
        placed.append(Label(x, text, lane, anchor))
    return tuple(placed)


def _is_free(taken: Sequence[tuple[float, float]], start: float, end: float) -> bool:
    return all(end + _GAP <= first or start >= last + _GAP for first, last in taken)


def _anchor(x: float, width: float, left: float, right: float) -> str:
    if x - width / 2 < left:
        return "start"
    return "end" if x + width / 2 > right else "middle"
