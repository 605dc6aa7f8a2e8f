# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers with their nouns, words in a row."""

import pytest

from seriestool.util.text import count, joined, plural, shortened, spans


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_a_number_with_its_noun(number: int, said: str) -> None:
    assert count(number, "file") == said


def test_a_noun_that_no_s_makes_plural() -> None:
    assert (count(2, "patch", "patches"), plural(1, "is", "are"), plural(0, "is", "are")) == ("2 patches", "is", "are")


@pytest.mark.parametrize(
    ("words", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_in_a_row(words: list[str], said: str) -> None:
    assert joined(words) == said
    assert joined(words, "or") == said.replace("and", "or")


@pytest.mark.parametrize(
    ("most", "said"), [(1, "a and 2 more"), (2, "a, b and 1 more"), (3, "a, b, c"), (4, "a, b, c")]
)
def test_more_than_are_named(most: int, said: str) -> None:
    assert shortened(["a", "b", "c"], most) == said


def test_other_words_for_the_rest() -> None:
    assert shortened(["a", "b"], 1, "others", between="; ") == "a and 1 others"
    assert shortened(["a", "b", "c"], 2, between="; ") == "a; b and 1 more"


@pytest.mark.parametrize(("numbers", "said"), [([], ""), ([1], "1"), ([1, 2], "1-2"), ([2, 4, 5, 6, 9], "2, 4-6, 9")])
def test_spans(numbers: list[int], said: str) -> None:
    assert spans(numbers) == said
