# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series builds on, as a graph from left to right: the series, what it needs, the tree below it all."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from seriestool.base.prerequisites.prerequisite_results import NeededPatch, NeededPatchState, PrerequisiteResult
from seriestool.base.verdict import Verdict
from seriestool.report.pages.labels import fitting
from seriestool.report.terminal import printable_line

MOST_BOXES = 12
"""Needed series in the picture; the list beside it has all."""
MOST_ROWS = 8
"""Patches of one of them."""
WIDTH = 1000
_BOX = (10.0, 270.0), (350.0, 360.0), (780.0, 210.0)  # of each column where it begins, and how wide it is
_HEAD, _ROW, _GAP = 34.0, 20.0, 16.0
_CHARACTER = 7.0
_STRONG = 8.0
_INSET = 24.0
MARKS = {
    NeededPatchState.UNMERGED: "\u25cb",
    NeededPatchState.MERGED: "=",
    NeededPatchState.SUPERSEDED: "\u21bb",
    NeededPatchState.MISSING: "x",
    NeededPatchState.AMBIGUOUS: "?",
}


class NeedEntry(Struct, frozen=True, kw_only=True):
    """A needed patch, in a box or in the list."""

    state: str
    mark: str
    said: str
    """The state in words."""
    title: str
    short: str
    """The title as far as it fits the box."""
    msgid: str | None
    stated_as: str | None
    merged_as: str | None
    paths: tuple[bytes, ...]
    y: float


class GraphBox(Struct, frozen=True, kw_only=True):
    """A rounded box with a head and rows."""

    x: float
    y: float
    width: float
    height: float
    title: str
    full_title: str
    second: str
    state: str
    """The gravest of its patches'."""
    rows: tuple[NeedEntry, ...]
    left_out: int

    @property
    def middle(self) -> float:
        """Where lines meet it."""
        return self.y + min(self.height, _HEAD) / 2 + 3


class GraphEdge(Struct, frozen=True):
    """A line from the right side of one box to the left side of another."""

    path: str
    state: str


class Graph(Struct, frozen=True, kw_only=True):
    """The picture."""

    width: int
    height: float
    boxes: tuple[GraphBox, ...]
    edges: tuple[GraphEdge, ...]
    left_out: int
    description: str


class PrerequisitesView(Struct, frozen=True):
    """The picture, where there is something to draw, and the list."""

    graph: Graph | None
    entries: tuple[NeedEntry, ...]


def view_prerequisites(found: PrerequisiteResult, verdict: Verdict) -> PrerequisitesView:
    """What there is to show of the prerequisites."""
    entries = tuple(_entry(need, 0.0) for need in found.needs)
    return PrerequisitesView(_draw(found, verdict) if entries else None, entries)


def _draw(found: PrerequisiteResult, verdict: Verdict) -> Graph:
    groups: dict[str, list[NeededPatch]] = {}
    for number, need in enumerate(found.needs):
        groups.setdefault(need.patch.series if need.patch else f"\0{number}", []).append(need)
    middle: list[GraphBox] = []
    y = 10.0
    for needs in list(groups.values())[:MOST_BOXES]:
        middle.append(_needed_box(needs, y))
        y += middle[-1].height + _GAP
    height = y - _GAP + 10
    own = _own_box(verdict, height)
    below = _below_box(found, verdict, height)
    edges = [_edge(own, box, box.state) for box in middle]
    edges += [_edge(box, below, box.state) for box in middle] if below else []
    boxes = (own, *middle, *([below] if below else []))
    return Graph(
        width=WIDTH,
        height=height,
        boxes=boxes,
        edges=tuple(edges),
        left_out=max(len(groups) - MOST_BOXES, 0),
        description=_describe(found, len(groups)),
    )


def _needed_box(needs: Sequence[NeededPatch], y: float) -> GraphBox:
    first = needs[0].patch
    title = printable_line((first.title or first.subject) if first else needs[0].stated_as or "")
    version = f"v{first.version}, " if first and first.version > 1 else ""
    rows = tuple(_entry(need, y + _HEAD + _ROW * (n + 0.8)) for n, need in enumerate(needs[:MOST_ROWS]))
    left_out = max(len(needs) - MOST_ROWS, 0)
    second = f"{version}by {printable_line(first.author)}" if first else "stated, and found nowhere"
    height = _HEAD + _ROW * (len(rows) + bool(left_out)) + 14
    states = [need.state for need in needs]
    gravest = next((state for state in _GRAVEST if state in states), NeededPatchState.MERGED)
    return _box(column=1, y=y, height=height, title=title, second=second, state=gravest, rows=rows, left_out=left_out)


_GRAVEST = (
    NeededPatchState.MISSING,
    NeededPatchState.AMBIGUOUS,
    NeededPatchState.UNMERGED,
    NeededPatchState.SUPERSEDED,
    NeededPatchState.MERGED,
)


def _own_box(verdict: Verdict, height: float) -> GraphBox:
    series = verdict.series
    version = f"v{series.version}, " if series.version > 1 else ""
    return _box(
        column=0,
        y=(height - _HEAD) / 2 - 4,
        height=_HEAD + 8,
        title=printable_line(series.subject),
        second=f"{version}this series",
        state="own",
    )


def _below_box(found: PrerequisiteResult, verdict: Verdict, height: float) -> GraphBox | None:
    """The commit below it all; None where nothing is known of it."""
    rebuilt = found.rebuilt
    oid = rebuilt.commit if rebuilt else verdict.base.commit if verdict.base else None
    tree = rebuilt.tree if rebuilt else verdict.base.tree if verdict.base else None
    if oid is None:
        return None
    return _box(
        column=2,
        y=(height - _HEAD) / 2 - 4,
        height=_HEAD + 8,
        title=oid[:12],
        second=printable_line(tree or "a commit"),
        state="tree",
    )


def _box(
    column: int,
    y: float,
    height: float,
    title: str,
    second: str,
    state: str,
    rows: tuple[NeedEntry, ...] = (),
    left_out: int = 0,
) -> GraphBox:
    x, width = _BOX[column]
    budget = width - _INSET
    return GraphBox(
        x=x,
        y=max(y, 2.0),
        width=width,
        height=height,
        title=fitting(title, budget, _STRONG),
        full_title=title,
        second=fitting(second, budget, _CHARACTER),
        state=str(state),
        rows=rows,
        left_out=left_out,
    )


def _entry(need: NeededPatch, y: float) -> NeedEntry:
    patch = need.patch
    counter = f"{patch.counter}/{patch.expected} " if patch and patch.expected > 1 else ""
    title = printable_line(f"{counter}{patch.subject}" if patch else "found nowhere")
    said = " ".join(_said(need))
    budget = _BOX[1][1] - 2 * _INSET - 13 * _CHARACTER
    return NeedEntry(
        state=str(need.state),
        mark=MARKS[need.state],
        said=said,
        title=title,
        short=fitting(title, budget, _CHARACTER),
        msgid=patch.msgid if patch else None,
        stated_as=need.stated_as,
        merged_as=need.merged_as,
        paths=need.paths,
        y=y,
    )


def _said(need: NeededPatch) -> Iterator[str]:
    if need.is_removal:
        yield "taken off,"
    yield str(need.state)
    if need.merged_as:
        yield f"as {need.merged_as[:12]}"


def _edge(one: GraphBox, other: GraphBox, state: str) -> GraphEdge:
    x, y, to_x, to_y = one.x + one.width, one.middle, other.x - 3, other.middle
    bend = (x + to_x) / 2
    return GraphEdge(f"M{x:g} {y:g}C{bend:g} {y:g} {bend:g} {to_y:g} {to_x:g} {to_y:g}", state)


def _describe(found: PrerequisiteResult, groups: int) -> str:
    states = [str(need.state) for need in found.needs]
    said = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"The series builds on {len(states)} patches of {groups} series: {said}."
