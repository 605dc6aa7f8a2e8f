# SPDX-License-Identifier: GPL-2.0-or-later
"""The history index: at which commits, of all that were ever seen, is the state of a path one that is accepted?

`update` brings it up to date and opens it, `History` answers. It knows paths, states and commits, nothing of series.
"""

from seriestool.trees.history.history_index import History, Line
from seriestool.trees.history.history_window import Window, window
from seriestool.trees.history.index_updater import fingerprint, index_dir, update
from seriestool.trees.history.intervals import Segments, coverage
from seriestool.trees.history.nearest_tag import OnlyGitKnowsError, describe
from seriestool.trees.history.path_values import absent, blob_prefix, match_value, mode_of, value_of
from seriestool.trees.history.reachability import Piece, pieces_within, roots, tips_holding

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
