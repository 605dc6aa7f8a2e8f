# SPDX-License-Identifier: GPL-2.0-or-later
"""A mailed patch series: which commits it applies to, what becomes of it on other trees, what a reviewer checks.

`from seriestool import Session` is the Python API (docs/python-api.md); it is imported when it is asked for, so that
`seriestool --help` loads none of it (PEP 562).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seriestool.session import Session as Session
    from seriestool.session import SessionOptions as SessionOptions

__version__ = "0.1.0.dev0"
API = ("Session", "SessionOptions")


def __getattr__(name: str) -> object:
    """What the API has, imported now; AttributeError for all else."""
    if name not in API:
        raise AttributeError(f"module 'seriestool' has no attribute '{name}'")
    from seriestool import session

    return getattr(session, name)
