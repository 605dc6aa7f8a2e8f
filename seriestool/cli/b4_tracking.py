# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that b4 asks about: one mail on standard input, and what b4 knows of its series.

As a command of b4's (`b4.review-perpatch-check-cmd`) `check` gets b4's tracking data in the file that B4_TRACKING_FILE
names: there are the rest of the series and its base.
"""

import json
import os
from pathlib import Path
from typing import Any

from seriestool.git import Repository
from seriestool.series.mail import SeriesSelector
from seriestool.series.model import Series
from seriestool.session import SeriesInput
from seriestool.sources.resolve import series_of_text
from seriestool.util.errors import SeriestoolError

_MOST_TRACKING = 8 << 20


def input_from_b4(mail: Series, repository: Repository) -> SeriesInput:
    """The patch of the mail in its series, as far as b4 tells of it; else as if it were alone."""
    tracked = _tracked()
    thread = repository.objects.read(str(tracked.get("thread-blob") or ""))
    msgids = {patch.msgid for patch in mail.patches}
    if thread is None or thread[1] != "blob" or not msgids:
        return SeriesInput(mail)
    try:
        series = series_of_text(thread[2], SeriesSelector(msgid=min(msgids), partial=True), "b4's tracking data")
    except SeriestoolError:
        return SeriesInput(mail)
    counters = frozenset(patch.counter for patch in series.patches if patch.msgid in msgids)
    commit = tracked.get("base-commit")
    base = repository.resolve(commit) if isinstance(commit, str) and commit else None
    return SeriesInput(series, base=base, counters=counters) if counters else SeriesInput(mail)


def _tracked() -> dict[str, Any]:
    """What b4 knows of the series; nothing where it did not call us, or says nothing that can be read."""
    path = os.environ.get("B4_TRACKING_FILE")
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            told = json.loads(file.read(_MOST_TRACKING))
    except (OSError, ValueError):
        return {}
    series = told.get("series") if isinstance(told, dict) else None
    return series if isinstance(series, dict) else {}
