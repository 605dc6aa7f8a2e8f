# SPDX-License-Identifier: GPL-2.0-or-later
"""Which version of a tracked series is the newest: what the lists' index knows, and what a server says."""

from collections.abc import Callable, Iterator

from seriestool.series.model import Series
from seriestool.sources.lists import PatchLists
from seriestool.track.series_status import NewestVersion
from seriestool.track.tracked_series import TrackedSeries
from seriestool.util.errors import SeriestoolError


def find_newest(
    tracked: TrackedSeries, lists: PatchLists | None, ask: Callable[[str], Series] | None
) -> tuple[NewestVersion | None, str | None]:
    """(the newest version that anybody knows, why the server could not be asked); `ask` brings a msgid's series."""
    found = list(_listed(tracked, lists)) if lists is not None else []
    problem = None
    if ask is not None:
        try:
            series = ask(tracked.newest.msgid)
            found.append(NewestVersion(series.version, series.msgid, series.posted))
        except SeriestoolError as error:
            problem = f"no search for newer versions: {error.message}"
    return max(found, key=lambda one: (one.version, one.posted), default=None), problem


def _listed(tracked: TrackedSeries, lists: PatchLists) -> Iterator[NewestVersion]:
    for msgid in lists.find_versions(tracked.newest.msgid):
        patches = lists.series_of(msgid)
        if patches:
            yield NewestVersion(max(one.version for one in patches), msgid, min(one.date for one in patches))
