# SPDX-License-Identifier: GPL-2.0-or-later
"""English for people: numbers with their nouns, words in a row, and what is too long to name whole."""

from collections.abc import Sequence


def plural(number: int, one: str, many: str | None = None) -> str:
    """The word that goes with the number: 'file' with 1, 'files' with any other; `many` where an s does not make it."""
    return one if number == 1 else many or one + "s"


def count(number: int, one: str, many: str | None = None) -> str:
    """The number with its noun: '1 file', '2 files'."""
    return f"{number} {plural(number, one, many)}"


def joined(words: Sequence[str], last: str = "and") -> str:
    """The words in a row: 'a', 'a and b', 'a, b and c'; with `last` between the last two."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def shortened(words: Sequence[str], most: int, rest: str = "more", between: str = ", ") -> str:
    """The first `most` of the words, and how many are left: 'a, b and 3 more'; `rest` is the word after the number."""
    left = len(words) - most
    return between.join(words[:most]) + (f" and {left} {rest}" if left > 0 else "")


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: '2, 4-6'."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
