# SPDX-License-Identifier: GPL-2.0-or-later
"""The history index: at which commits, of all that were ever seen, is the state of a path one that is accepted?

`update` brings it up to date and opens it, `History` answers. It knows paths, states and commits, nothing of series.
"""

from seriestool.trees.history.commit_table import CommitTable, IndexedCommit
from seriestool.trees.history.history_index import FirstParentLine, History
from seriestool.trees.history.history_window import HistoryWindow, index_window
from seriestool.trees.history.index_updater import fingerprint, index_dir, update
from seriestool.trees.history.intervals import Segments, coverage
from seriestool.trees.history.nearest_tag import DescribeUndecidedError, find_nearest_tag
from seriestool.trees.history.path_values import blob_prefix, is_absent, match_value, mode_of, value_of
from seriestool.trees.history.reachability import Piece, pieces_within, roots, tips_containing

__all__ = [
    "CommitTable",
    "DescribeUndecidedError",
    "FirstParentLine",
    "History",
    "HistoryWindow",
    "IndexedCommit",
    "Piece",
    "Segments",
    "blob_prefix",
    "coverage",
    "find_nearest_tag",
    "fingerprint",
    "index_dir",
    "index_window",
    "is_absent",
    "match_value",
    "mode_of",
    "pieces_within",
    "roots",
    "tips_containing",
    "update",
    "value_of",
]
