# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists that git-config names."""

import pytest

from seriestool.sources.lists.list_config import get_lists
from seriestool.util.errors import NotFoundError

CONFIG = {"seriestool.list.b.url": ("https://example.org/b",), "seriestool.list.a.path": ("/a",)}


def test_all_of_them_or_those_that_were_named_each_once() -> None:
    assert [each.name for each in get_lists(CONFIG)] == ["a", "b"]
    assert [each.name for each in get_lists(CONFIG, ["b", "a", "b"])] == ["b", "a"]


def test_one_that_is_not_configured() -> None:
    with pytest.raises(NotFoundError, match="no list 'c' is configured"):
        get_lists(CONFIG, ["a", "c"])
