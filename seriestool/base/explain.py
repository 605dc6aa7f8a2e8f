# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a series does not fit: per path what was expected, who has it, and which commit made the difference."""

from collections.abc import Sequence
from itertools import islice

from seriestool.base.contents import ContentMissingError, try_track
from seriestool.base.history_region import CommitRun, HistoryRegion
from seriestool.base.preimage import Expectation, ExpectedKind, PreImage
from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import BlobHolder, PathAnswer
from seriestool.series.apply import PathTrack
from seriestool.series.model import PatchFailure, Series
from seriestool.trees.history import is_absent

MOST_VERSIONS = 300
"""Versions of one path that are searched for the commit that changed a hunk's lines."""


def explain(series: Series, preimage: PreImage, context: SearchContext, position: int | None) -> tuple[PathAnswer, ...]:
    """One answer for each path of the pre-image, seen from the commit at `position` (None: from nowhere)."""
    return tuple(
        _explain_path(wanted=wanted, series=series, preimage=preimage, context=context, position=position)
        for wanted in preimage.expectations
    )


def all_matched(preimage: PreImage) -> tuple[PathAnswer, ...]:
    """The same where every path is as expected: there is nothing to explain."""
    return tuple(
        PathAnswer(path=wanted.path, blob=wanted.blob, expects=str(wanted.expects), matched=True, reason="matched")
        for wanted in preimage.expectations
    )


def _explain_path(
    wanted: Expectation, series: Series, preimage: PreImage, context: SearchContext, position: int | None
) -> PathAnswer:
    history = context.history
    region = HistoryRegion(history, history.segments(wanted.path, wanted.accepts), _events(wanted, context))
    holders = _holders(region, context) if wanted.expects is not ExpectedKind.ABSENT else ()
    value = history.value(position, wanted.path) if position is not None else 0
    if position is not None and wanted.accepts(value):
        return PathAnswer(
            path=wanted.path,
            blob=wanted.blob,
            expects=str(wanted.expects),
            matched=True,
            reason="matched",
            holders=holders,
        )
    track_failure = _failure_at(wanted, preimage, context, value)
    if wanted.is_unnamed and position is not None and track_failure is None:
        return PathAnswer(
            path=wanted.path, blob=None, expects=str(wanted.expects), matched=True, reason="matched", holders=holders
        )
    patch = series.patches[track_failure[0]].counter if track_failure else None
    return PathAnswer(
        path=wanted.path,
        blob=wanted.blob,
        expects=str(wanted.expects),
        matched=False,
        reason=_reason(wanted, value, region),
        holders=holders,
        commit=_culprit(wanted=wanted, preimage=preimage, context=context, position=position, region=region),
        patch=patch,
        failure=track_failure[1] if track_failure else None,
    )


def _events(wanted: Expectation, context: SearchContext) -> list[int]:
    return [position for position, _ in context.history.changes(wanted.path)]


def _holders(region: HistoryRegion, context: SearchContext) -> tuple[BlobHolder, ...]:
    """The trees that have or had it on their line, with the newest run of each."""
    found = []
    for tree_tip in context.tree_tips:
        runs = region.runs(tree_tip.tip)
        if runs:
            found.append(_holder(tree_tip.tree.name, runs[0], context))
    return tuple(found)


def _holder(name: str, run: CommitRun, context: SearchContext) -> BlobHolder:
    history = context.history
    return BlobHolder(name, history.oid(run.oldest), history.oid(run.ended_by) if run.ended_by is not None else None)


def _reason(wanted: Expectation, value: int, region: HistoryRegion) -> str:
    if wanted.expects is ExpectedKind.ABSENT:
        return "exists"
    if not region and not wanted.is_unnamed:
        return "never"
    return "missing-file" if is_absent(value) else "elsewhere"


def _failure_at(
    wanted: Expectation, preimage: PreImage, context: SearchContext, value: int
) -> tuple[int, PatchFailure] | None:
    """The first patch (by index) and place at which what the series does to this path fails."""
    try:
        state = context.contents.state(value, wanted.path)
    except ContentMissingError:
        return None
    results = (try_track(track, state) for track in preimage.tracks_of(wanted.path))
    failures = [(result.patch or 0, result.failure) for result in results if result.failure is not None]
    return min(failures, key=lambda found: found[0], default=None)


def _culprit(
    wanted: Expectation, preimage: PreImage, context: SearchContext, position: int | None, region: HistoryRegion
) -> str | None:
    """The commit on the line to `position` after which it no longer fits.

    That is the one that changed the lines of a failing hunk; else the one that replaced the expected blob.
    """
    if position is None:
        return None
    changed = _changed_lines(wanted, preimage.tracks_of(wanted.path), context, position)
    if changed is not None:
        return context.history.oid(changed)
    ended = [run.ended_by for run in region.runs(position) if run.ended_by is not None]
    return context.history.oid(ended[0]) if ended else None


def _changed_lines(
    wanted: Expectation, tracks: Sequence[PathTrack], context: SearchContext, position: int
) -> int | None:
    """The change of the path, on the line to `position`, after which the series' hunks do not apply any more."""
    history, line = context.history, context.history.on_line(position)
    versions = [(change, value) for change, value in history.changes(wanted.path) if line.has(change)]
    versions.sort(key=lambda version: history.depth(version[0]), reverse=True)
    later: int | None = None
    try:
        for change, value in islice(versions, MOST_VERSIONS):
            state = context.contents.state(value, wanted.path)
            if all(try_track(track, state).ok for track in tracks):
                return later
            later = change
    except ContentMissingError:
        return None
    return None
