# SPDX-License-Identifier: GPL-2.0-or-later
"""When, in each tree's history, a series applies: the shapes of the picture, one row for each tree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from seriestool.precheck.timeline import MarkKind, Timeline, TimelineMark, TimelineSpan, TreeTimeline
from seriestool.report.pages.date_scale import DateScale, DateTick, make_scale
from seriestool.report.pages.labels import Label, fitting, place_labels
from seriestool.report.terminal import printable_line
from seriestool.util.text import count, shortened

WIDTH = 1000
MOST_LINES = 40
"""Trees in the picture; the table beside it has all."""
_LEFT, _RIGHT = 190.0, 980.0
_LANE = 15
_CHARACTER = 7.0
"""Pixels, of the wider fonts; text that is narrower leaves a gap."""
_NAME_WIDTH = _LEFT - 24
_MOST_MARKS = 12
"""Of one tree that have a label; all have their shape and its tooltip."""
_THINNEST = 4.0
_OF_ALL = (MarkKind.POSTED, MarkKind.VERSION)
ELSEWHERE = "in no tree shown"
WORDS = {
    MarkKind.POSTED: "posted",
    MarkKind.VERSION: "version",
    MarkKind.STATED: "stated base",
    MarkKind.BASE: "base",
    MarkKind.BROKE: "broke",
}


class RangeBar(Struct, frozen=True):
    """A range in which the series applies."""

    x: float
    width: float
    tip: str
    holds: bool
    """Whether it reaches up to the tip."""


class MarkShape(Struct, frozen=True):
    """A mark's shape in the picture."""

    kind: str
    x: float
    tip: str
    label: Label | None


class TreeStrip(Struct, frozen=True, kw_only=True):
    """One tree's row; `y` is where its line is drawn."""

    name: str
    full_name: str
    y: float
    end: float | None
    """Where its tip stands; None where it is no tree."""
    bars: tuple[RangeBar, ...]
    signs: tuple[MarkShape, ...]


class TimelinePicture(Struct, frozen=True, kw_only=True):
    """All that is drawn."""

    width: int
    height: float
    top: float
    bottom: float
    left: float
    right: float
    lane: int
    ticks: tuple[DateTick, ...]
    posts: tuple[MarkShape, ...]
    """Of all trees: the posting, other versions."""
    strips: tuple[TreeStrip, ...]
    left_out: int
    description: str
    kinds: tuple[tuple[str, str], ...]
    """(kind, its words) of the shapes that occur."""


def draw_timeline(timeline: Timeline) -> TimelinePicture:
    """The picture of the timeline."""
    scale = make_scale(timeline.since, timeline.until, _LEFT, _RIGHT)
    posts = _signs([mark for mark in timeline.marks if mark.kind in _OF_ALL], scale)
    top = 12.0 + _LANE * _lanes(posts)
    strips, y = [], top + 20
    for line, marks in _rows(timeline):
        signs = _signs(marks, scale)
        strips.append(
            _strip(line, signs, y, scale)
            if line
            else TreeStrip(name=ELSEWHERE, full_name=ELSEWHERE, y=y, end=None, bars=(), signs=signs)
        )
        y += 30 + _LANE * _lanes(signs)
    bottom = y - 8
    kinds = dict.fromkeys(mark.kind for mark in timeline.marks)
    return TimelinePicture(
        width=WIDTH,
        height=bottom + 26,
        top=top,
        bottom=bottom,
        left=_LEFT,
        right=_RIGHT,
        lane=_LANE,
        ticks=scale.ticks(),
        posts=posts,
        strips=tuple(strips),
        left_out=max(len(timeline.lines) - MOST_LINES, 0),
        description=_describe(timeline),
        kinds=tuple((str(kind), WORDS[kind]) for kind in MarkKind if kind in kinds),
    )


def _rows(timeline: Timeline) -> Iterator[tuple[TreeTimeline | None, Sequence[TimelineMark]]]:
    """Each tree with its marks; at the end what stands in no tree that is shown."""
    marks: dict[str | None, list[TimelineMark]] = {}
    shown = timeline.lines[:MOST_LINES]
    names = {line.tree for line in shown}
    for mark in timeline.marks:
        if mark.kind not in _OF_ALL:
            marks.setdefault(mark.tree if mark.tree in names else None, []).append(mark)
    for line in shown:
        yield line, marks.get(line.tree, [])
    if None in marks:
        yield None, marks[None]


def _strip(line: TreeTimeline, signs: tuple[MarkShape, ...], y: float, scale: DateScale) -> TreeStrip:
    name = printable_line(line.tree)
    bars = tuple(_bar(span, scale) for span in line.spans if span.until is None or span.until >= scale.since)
    return TreeStrip(
        name=fitting(name, _NAME_WIDTH, _CHARACTER),
        full_name=name,
        y=y,
        end=scale.x(line.tip_date),
        bars=bars,
        signs=signs,
    )


def _bar(span: TimelineSpan, scale: DateScale) -> RangeBar:
    start = scale.x(span.since)
    width = (scale.x(span.until) if span.until else scale.right) - start
    start = min(start, scale.right - _THINNEST)
    until = f"until {_date(span.until)}" if span.until else "up to the tip"
    tip = f"applies from {_date(span.since)} {until}, {count(span.commits, 'commit')}"
    return RangeBar(start, round(max(width, _THINNEST), 1), tip, span.until is None)


def _signs(marks: Sequence[TimelineMark], scale: DateScale) -> tuple[MarkShape, ...]:
    """The marks as shapes, in the order of their dates; the first ones with labels."""
    ordered = sorted(marks, key=lambda mark: (mark.date, list(MarkKind).index(mark.kind)))
    labelled = ordered[:_MOST_MARKS]
    wanted = [(scale.x(mark.date), _label(mark, scale)) for mark in labelled]
    labels = place_labels(wanted, scale.left, scale.right, _CHARACTER)
    return tuple(
        MarkShape(str(mark.kind), scale.x(mark.date), _tip(mark), labels[n] if n < len(labels) else None)
        for n, mark in enumerate(ordered)
    )


def _label(mark: TimelineMark, scale: DateScale) -> str:
    word = WORDS[mark.kind]
    if mark.kind is MarkKind.VERSION:
        word = fitting(printable_line(mark.label), 12 * _CHARACTER, _CHARACTER)
    elif mark.commit:
        word = f"{word} {mark.commit[:8]}"
    if mark.date < scale.since:
        return f"\u2190 {word}, {_date(mark.date)}"
    return f"{word}, {_date(mark.date)} \u2192" if mark.date > scale.until else word


def _tip(mark: TimelineMark) -> str:
    commit = f" {mark.commit[:12]}" if mark.commit else ""
    return f"{WORDS[mark.kind]}{commit}, {_date(mark.date)}: {printable_line(mark.label)}"


def _lanes(signs: Sequence[MarkShape]) -> int:
    return max((sign.label.lane + 1 for sign in signs if sign.label), default=0)


def _describe(timeline: Timeline) -> str:
    """The picture in a sentence, for who does not see it."""
    at_tip = [line.tree for line in timeline.lines if any(span.until is None for span in line.spans)]
    ended = [line.tree for line in timeline.lines if line.spans and line.tree not in at_tip]
    never = [line.tree for line in timeline.lines if not line.spans]
    parts = [
        f"it applies up to the tip of {_few(at_tip)}" if at_tip else "",
        f"it did, and does not any more, on {_few(ended)}" if ended else "",
        f"it never did on {_few(never)}" if never else "",
    ]
    marks = Counter(mark.kind for mark in timeline.marks)
    broke = marks[MarkKind.BROKE]
    broken = f"; {count(broke, 'commit')} ended such a range" if broke else ""
    said = ", ".join(filter(None, parts)) or "no tree is known"
    return f"From {_date(timeline.since)} to {_date(timeline.until)}: {said}{broken}."


def _few(names: Sequence[str]) -> str:
    return shortened([printable_line(name) for name in names], 5)


def _date(date: datetime) -> str:
    return f"{date.astimezone(UTC):%Y-%m-%d}"
