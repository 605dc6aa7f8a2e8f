# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the title that somebody quotes is that of a commit: exactly, nearly, or not at all."""

import unicodedata
from enum import Enum

from seriestool.util.lazy_pattern import lazy_pattern

_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2018\u2019`", "'"),
        **dict.fromkeys("\u2013\u2014", "-"),
        "\u2026": "...",
        "\u00a0": " ",
        "\\": None,
    }
)
_LOST = lazy_pattern(r"(?:[^\x00-\x7f]|\?|=[0-9A-F]{2})+")
_FEWEST = 12
"""Letters that a beginning of a title must have to count for it."""


class TitleMatch(Enum):
    """How a quoted title compares."""

    SAME = "same"
    NEARLY = "nearly"
    """White space, quotes, capitals, letters that mail lost, or only its beginning."""
    OTHER = "other"


def compare_titles(quoted: str, title: str) -> TitleMatch:
    """How the quoted title compares with the commit's."""
    if quoted == title:
        return TitleMatch.SAME
    one, other = fold_title(quoted), fold_title(title)
    if one == other or _is_beginning(one, other) or _is_mangled(one, other):
        return TitleMatch.NEARLY
    return TitleMatch.OTHER


def fold_title(title: str) -> str:
    """The title without what people and mailers change: white space, kinds of quotes, capitals, a last dot."""
    text = unicodedata.normalize("NFKC", title.translate(_QUOTES)).casefold()
    return " ".join(text.replace('"', "'").split()).removesuffix(".") if not text.endswith("...") else _space(text)


def _space(text: str) -> str:
    return " ".join(text.replace('"', "'").split())


def _is_beginning(quoted: str, title: str) -> bool:
    bare = quoted.rstrip(". ")
    return len(bare) >= _FEWEST and title.startswith(bare)


def _is_mangled(quoted: str, title: str) -> bool:
    """Whether they differ only in letters that are not ASCII."""
    if quoted.isascii() and title.isascii() and "?" not in quoted:
        return False
    one, other = (_LOST().sub("\0", text) for text in (quoted, title))
    return one == other and len(one.replace("\0", "")) >= _FEWEST
