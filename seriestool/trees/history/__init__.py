# SPDX-License-Identifier: GPL-2.0-or-later
"""The history index: at which commits, of all that were ever seen, is the state of a path one that is accepted?

`update` brings it up to date and opens it, `History` answers. It knows paths, states and commits, nothing of series.
"""

from seriestool.trees.history.describe import OnlyGitKnowsError, describe
from seriestool.trees.history.history import History, Line
from seriestool.trees.history.reach import Piece, pieces_within, roots, tips_holding
from seriestool.trees.history.segments import Segments, coverage
from seriestool.trees.history.updater import fingerprint, index_dir, update
from seriestool.trees.history.values import absent, blob_prefix, match_value, mode_of, value_of
from seriestool.trees.history.window import Window, window

__all__ = [
    "History",
    "Line",
    "OnlyGitKnowsError",
    "Piece",
    "Segments",
    "Window",
    "absent",
    "blob_prefix",
    "coverage",
    "describe",
    "fingerprint",
    "index_dir",
    "match_value",
    "mode_of",
    "pieces_within",
    "roots",
    "tips_holding",
    "update",
    "value_of",
    "window",
]
