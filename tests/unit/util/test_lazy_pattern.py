# SPDX-License-Identifier: GPL-2.0-or-later
import re

import pytest

from seriestool.util.lazy_pattern import lazy_pattern


def test_it_is_compiled_once_and_not_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(re, "compile", lambda text, flags: compiled.append(text))
    pattern = lazy_pattern("a+")
    assert compiled == []
    pattern()
    pattern()
    assert compiled == ["a+"]


def test_it_is_what_re_makes_of_it() -> None:
    assert lazy_pattern(rb"A+", re.IGNORECASE)() == re.compile(rb"A+", re.IGNORECASE)
