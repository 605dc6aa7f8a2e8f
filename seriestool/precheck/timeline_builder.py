# SPDX-License-Identifier: GPL-2.0-or-later
"""The timeline of a series, from what find-base found: each tree's runs of commits, and the moments that matter.

All comes from the verdict's ranges and from dates that the history index has: nothing here walks the history.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from seriestool.base.search_context import SearchContext, TreeTip
from seriestool.base.verdict import CommitRange, FitLevel, Verdict, utc
from seriestool.precheck.precheck_result import SeriesVersion
from seriestool.precheck.timeline import MarkKind, Timeline, TimelineMark, TimelineSpan, TreeTimeline

MOST_LINES = 8
MOST_SPANS = 40
"""Of a line: those nearest to the posting."""
MOST_BROKE = 5
"""Commits that stand in the way where the series applies nowhere."""
MOST_VERSIONS = 30
BEFORE = timedelta(weeks=6)
"""Shown before the first thing of interest."""
FARTHEST = timedelta(days=3 * 365)
"""Before and after the posting; what is farther away is left out."""
_SHOWN = (FitLevel.EXACT, FitLevel.APPLIES)


def make_timeline(
    verdict: Verdict, versions: Sequence[SeriesVersion], names: Sequence[str], context: SearchContext
) -> Timeline:
    """The trees called `names`, in this order, with the posting and all that happened around it."""
    posted = verdict.series.posted
    tree_tips = {place.tree.name: place for place in context.tree_tips}
    drawn = {name: _spans(verdict, name, context) for name in names[:MOST_LINES] if name in tree_tips}
    lines = tuple(_line(tree_tips[name], spans, context) for name, spans in drawn.items())
    marks = _inside(_marks(verdict, versions, lines, context), posted)
    since = min((mark.date for mark in marks), default=posted) - BEFORE
    until = min(max([*(mark.date for mark in marks), *(line.tip_date for line in lines), posted]), posted + FARTHEST)
    return Timeline(
        since=since,
        until=until,
        level=verdict.level,
        lines=tuple(_reaching(line, since, until) for line in lines),
        marks=marks,
    )


def _line(place: TreeTip, spans: tuple[TimelineSpan, ...], context: SearchContext) -> TreeTimeline:
    return TreeTimeline(place.tree.name, place.tree.commit, utc(context.history.time(place.tip)), spans)


def _spans(verdict: Verdict, name: str, context: SearchContext) -> tuple[TimelineSpan, ...]:
    """The runs of the tree's line in which the series applies, oldest first."""
    if verdict.level not in _SHOWN:
        return ()
    ranges = next((one.ranges for one in verdict.candidates if one.tree == name), ())
    spans = [span for found in ranges if (span := _span(found, context)) is not None]
    spans.sort(key=lambda span: _distance(span, verdict.series.posted))
    return tuple(sorted(spans[:MOST_SPANS], key=lambda span: (span.since, span.oldest)))


def _span(found: CommitRange, context: SearchContext) -> TimelineSpan | None:
    since = find_date(found.oldest, context)
    if since is None:
        return None
    until = find_date(found.ended_by, context) if found.ended_by else None
    return TimelineSpan(
        oldest=found.oldest,
        newest=found.newest,
        since=since,
        until=until,
        commits=found.commits,
        ended_by=found.ended_by,
    )


def find_date(commit: str, context: SearchContext) -> datetime | None:
    """The committer date, as the index has it; None where it does not know the commit."""
    position = context.history.find(commit)
    return None if position is None else utc(context.history.time(position))


def _distance(span: TimelineSpan, posted: datetime) -> timedelta:
    """How far from the posting; nothing for one that it falls into."""
    if span.since > posted:
        return span.since - posted
    return max(posted - span.until, timedelta()) if span.until else timedelta()


def _marks(
    verdict: Verdict, versions: Sequence[SeriesVersion], lines: Sequence[TreeTimeline], context: SearchContext
) -> Iterator[TimelineMark]:
    series = verdict.series
    yield TimelineMark(MarkKind.POSTED, series.posted, f"v{series.version} posted")
    for version in versions[-MOST_VERSIONS:]:
        if not version.is_this:
            yield TimelineMark(MarkKind.VERSION, version.posted, f"v{version.version}")
    yield from _bases(verdict, context)
    yield from _broke(verdict, lines, context)


def _bases(verdict: Verdict, context: SearchContext) -> Iterator[TimelineMark]:
    """What the author states, and what we name."""
    stated, base = verdict.stated, verdict.base
    if stated is not None and (date := find_date(stated.commit, context)) is not None:
        yield TimelineMark(
            kind=MarkKind.STATED,
            date=date,
            label=f"stated base {stated.commit[:12]}",
            commit=stated.commit,
            tree=stated.tree,
        )
    if base is not None and verdict.level.is_base:
        yield TimelineMark(
            kind=MarkKind.BASE, date=base.date, label=base.describe or base.subject, commit=base.commit, tree=base.tree
        )


def _broke(verdict: Verdict, lines: Sequence[TreeTimeline], context: SearchContext) -> Iterator[TimelineMark]:
    """Of each tree the commit that ended the run nearest to the posting; where there is no run, what is in the way."""
    found: list[tuple[str | None, str]]
    if verdict.level in _SHOWN:
        ended = ((line.tree, _nearest_end(line, verdict.series.posted)) for line in lines)
        found = [(tree, commit) for tree, commit in ended if commit is not None]
    else:
        culprits = dict.fromkeys(path.commit for path in verdict.paths if path.commit and not path.matched)
        found = [(_tree_of(commit, context), commit) for commit in list(culprits)[:MOST_BROKE]]
    for tree, commit in found:
        date, known = find_date(commit, context), context.commit(commit)
        if date is not None:
            yield TimelineMark(
                kind=MarkKind.BROKE, date=date, label=known.subject if known else commit[:12], commit=commit, tree=tree
            )


def _nearest_end(line: TreeTimeline, posted: datetime) -> str | None:
    nearest = min(line.spans, key=lambda span: _distance(span, posted), default=None)
    return nearest.ended_by if nearest else None


def _tree_of(commit: str, context: SearchContext) -> str | None:
    position = context.history.find(commit)
    return context.tree_of(position) if position is not None else None


def _inside(marks: Iterable[TimelineMark], posted: datetime) -> tuple[TimelineMark, ...]:
    """Those that are not too far away, oldest first."""
    near = [mark for mark in marks if abs(mark.date - posted) <= FARTHEST]
    return tuple(sorted(near, key=lambda mark: (mark.date, list(MarkKind).index(mark.kind), mark.label)))


def _reaching(line: TreeTimeline, since: datetime, until: datetime) -> TreeTimeline:
    """The line with those of its spans that reach into the window."""
    spans = tuple(one for one in line.spans if one.since <= until and (one.until is None or one.until >= since))
    return TreeTimeline(line.tree, line.tip, line.tip_date, spans)
