# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commits to some files are called: the subjects of the last ones, and their prefixes."""

import re
from collections import Counter
from functools import cached_property
from heapq import nlargest

from seriestool.git import ObjectReader
from seriestool.series.model import Patch
from seriestool.trees.history import CommitTable, History

MOST_PATHS = 40
"""Paths of a patch that are looked at."""
_MOST_OF_PATH = 20
_MOST_READ = 150
_ENOUGH = 5
"""Commits below which the habits of a path are not known."""
_PREFIX = re.compile(r"([^\s:][^:]{0,59}):(?:\s|$)")


class SubjectHabits:
    """The subjects of the last commits that changed what the patch changes."""

    def __init__(self, patch: Patch, history: History | None, objects: ObjectReader) -> None:
        self._patch = patch
        self._history = history
        self._objects = objects

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Those of the newest commits, merges left out."""
        history = self._history
        if history is None:
            return ()
        paths = [diff.old_path for diff in self._patch.files[:MOST_PATHS] if diff.old_path is not None]
        touched = ([position for position, _ in history.changes(path)] for path in paths)
        newest = {position for some in touched for position in nlargest(_MOST_OF_PATH, some, key=history.time)}
        ordered = sorted(newest, key=lambda position: (-history.time(position), position))[:_MOST_READ]
        table = CommitTable(history, self._objects)
        titles = (_own_title(table, position) for position in ordered)
        return tuple(title for title in titles if title and title != self._patch.subject)

    @cached_property
    def prefixes(self) -> Counter[str]:
        """How often each was used, as it was spelled."""
        return Counter(prefix for title in self.titles if (prefix := find_prefix(title)))

    @property
    def are_known(self) -> bool:
        """Whether there are enough commits to tell habits from chance."""
        return len(self.titles) >= _ENOUGH


def _own_title(table: CommitTable, position: int) -> str | None:
    """The title of the commit; None of a merge and of a revert."""
    found = table.at(position)
    if found is None or found.is_merge or found.title.startswith(("Merge ", "Revert ")):
        return None
    return found.title


def find_prefix(title: str) -> str:
    """What stands before the first colon; empty where that is no prefix."""
    found = _PREFIX.match(title)
    return found[1].strip() if found else ""
