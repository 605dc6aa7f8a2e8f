# SPDX-License-Identifier: GPL-2.0-or-later
"""Regular expressions that are compiled when they are first used: what a run does not read, it does not pay for."""

import re
from collections.abc import Callable
from functools import cache
from typing import AnyStr


def lazy_pattern(text: AnyStr, flags: int = 0) -> Callable[[], re.Pattern[AnyStr]]:
    """What gives the compiled expression, as `re.compile(text, flags)` makes it, always the same one.

    For expressions of modules that every command loads and that few runs use: the 92 of a find-base took 30 ms.
    """
    return cache(lambda: re.compile(text, flags))
