# SPDX-License-Identifier: GPL-2.0-or-later
"""What is drawn: dates on a line, labels that keep apart, the timeline and the graph of what a series builds on."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.base.prerequisites.prerequisite_results import NeededPatch, NeededPatchState, PrerequisiteResult
from seriestool.precheck.timeline import MarkKind, Timeline, TimelineMark, TreeTimeline
from seriestool.report.pages.date_scale import make_scale
from seriestool.report.pages.labels import fitting, place_labels, text_width
from seriestool.report.pages.prerequisites_graph import MOST_BOXES, MOST_ROWS, view_prerequisites
from seriestool.report.pages.timeline_picture import ELSEWHERE, MOST_LINES, draw_timeline
from tests.support.pages import (
    DAY,
    POSTED,
    long_timeline,
    made_patch,
    made_precheck,
    made_series,
    mailed_patch,
    needed,
    oid,
)

START = datetime(2026, 1, 19, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (0, ["Jan 20"]),
        (4, ["Jan 20", "Jan 21", "Jan 22", "Jan 23"]),
        (30, ["Jan 26", "Feb 2", "Feb 9", "Feb 16"]),
        (200, ["Feb 2026", "Mar 2026", "Apr 2026", "May 2026", "Jun 2026", "Jul 2026", "Aug 2026"]),
        (700, ["Apr 2026", "Jul 2026", "Oct 2026", "Jan 2027", "Apr 2027", "Jul 2027", "Oct 2027"]),
        (3000, ["2027", "2028", "2029", "2030", "2031", "2032", "2033", "2034"]),
    ],
)
def test_ticks_are_round_dates(days: int, labels: list[str]) -> None:
    ticks = make_scale(START, START + days * DAY, 0, 1000).ticks()
    assert [tick.label for tick in ticks] == labels
    assert [tick.x for tick in ticks] == sorted(tick.x for tick in ticks)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_any_time_has_few_ticks_on_the_line(since: datetime, until: datetime) -> None:
    if since > datetime(9999, 12, 30, tzinfo=UTC):
        return
    ticks = make_scale(since, until, 100, 900).ticks()
    assert len(ticks) <= 10
    assert all(100 <= tick.x <= 900 for tick in ticks)


def test_what_is_outside_stands_at_the_edge() -> None:
    scale = make_scale(START, START + 10 * DAY, 100, 200)
    assert [scale.x(START + n * DAY) for n in (-5, 0, 5, 10, 5000)] == [100, 100, 150, 200, 200]


@given(st.lists(st.tuples(st.floats(0, 1000), st.text(st.characters(categories=["L", "N"]), max_size=30)), max_size=30))
def test_labels_never_overlap(wanted: list[tuple[float, str]]) -> None:
    labels = place_labels(wanted, 0, 1000, 7)
    assert [label.text for label in labels] == [text for _, text in wanted]
    spans = [(label.lane, *ends(label.x, label.anchor, text_width(label.text, 7))) for label in labels]
    for (lane, left, right), (other, start, end) in combinations(spans, 2):
        assert lane != other or right <= start or end <= left


def ends(x: float, anchor: str, width: float) -> tuple[float, float]:
    left = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
    return left, left + width


@given(st.text(max_size=50), st.floats(20, 300))
def test_a_text_is_cut_to_fit(text: str, width: float) -> None:
    cut = fitting(text, width, 7)
    assert cut == text or cut.endswith("\u2026")
    assert text_width(cut, 7) <= max(width, 2 * 1.9 * 7)


def test_the_timeline_has_a_strip_for_each_tree() -> None:
    picture = draw_timeline(long_timeline())
    assert [strip.full_name for strip in picture.strips][:3] == ["net-next", "net", "linus"]
    assert picture.strips[3].name.endswith("\u2026")
    assert [len(strip.bars) for strip in picture.strips] == [2, 1, 0, 1]
    assert [sign.kind for sign in picture.strips[0].signs] == ["broke", "stated", "base"]
    assert [sign.label.text for sign in picture.posts if sign.label] == ["v1", "v2", "posted", "v4"]
    assert picture.strips[0].bars[1].holds
    assert picture.strips[1].bars[0].tip == "applies from 2026-01-13 until 2026-01-28, 160 commits"
    assert picture.strips[3].bars[0].width >= 4  # fifteen minutes can be seen


def test_marks_of_trees_that_are_not_shown_have_a_strip_of_their_own() -> None:
    marks = (
        TimelineMark(MarkKind.BASE, POSTED, "x", oid(1), "hidden"),
        TimelineMark(MarkKind.STATED, POSTED, "y", oid(2)),
    )
    picture = draw_timeline(replace(long_timeline(), marks=marks))
    assert picture.strips[-1].name == ELSEWHERE
    assert picture.strips[-1].end is None
    assert [sign.kind for sign in picture.strips[-1].signs] == ["stated", "base"]
    assert picture.posts == ()


def test_a_timeline_of_nothing_is_drawn() -> None:
    picture = draw_timeline(Timeline(POSTED, POSTED, long_timeline().level, (), ()))
    assert picture.strips == ()
    assert picture.description == "From 2026-01-19 to 2026-01-19: no tree is known."


def test_a_thousand_trees_and_marks_are_bounded() -> None:
    lines = tuple(TreeTimeline(f"tree-{n}", oid(n), POSTED, ()) for n in range(1000))
    marks = tuple(TimelineMark(MarkKind.BROKE, POSTED, "x", oid(n), "tree-0") for n in range(1000))
    picture = draw_timeline(replace(long_timeline(), lines=lines, marks=marks))
    assert (len(picture.strips), picture.left_out) == (MOST_LINES, 1000 - MOST_LINES)
    assert sum(sign.label is not None for sign in picture.strips[0].signs) == 12
    assert picture.height < 3000


def test_needs_are_gathered_by_series() -> None:
    needs = view_prerequisites(needed(), made_precheck(made_series(made_patch(1, "x"))).verdict)
    assert needs.graph is not None
    own, first, second, lost, below = needs.graph.boxes
    assert (own.title, own.state) == ("net: parts that compute", "own")
    assert [row.said for row in first.rows] == ["unmerged", f"merged as {oid(4)[:12]}"]
    assert (first.state, second.state, lost.state) == ("unmerged", "superseded", "missing")
    assert (below.title, below.second) == (oid(3)[:12], "net-next")
    assert len(needs.graph.edges) == 6
    assert needs.graph.description == (
        "The series builds on 4 patches of 3 series: 1 unmerged, 1 merged, 1 superseded, 1 missing."
    )
    assert [entry.msgid for entry in needs.entries] == [
        "n1.other@example.org", "n2.other@example.org", "n1.third@example.org", None,
    ]  # fmt: skip


def test_boxes_do_not_overlap_and_have_room_for_their_rows() -> None:
    needs = view_prerequisites(needed(), made_precheck(made_series(made_patch(1, "x"))).verdict)
    assert needs.graph
    for one, other in combinations(needs.graph.boxes, 2):
        assert one.x != other.x or one.y + one.height < other.y
    for box in needs.graph.boxes:
        assert box.y > 0
        assert box.y + box.height < needs.graph.height
        assert all(box.y + 34 < row.y + 10 < box.y + box.height - 5 for row in box.rows)


def test_what_is_needed_is_bounded_in_the_picture_and_all_in_the_list() -> None:
    needs = tuple(
        NeededPatch(mailed_patch(n, f"s{n % 40}@x.org"), NeededPatchState.UNMERGED, "stated") for n in range(1000)
    )
    seen = view_prerequisites(PrerequisiteResult(needs), made_precheck(made_series(made_patch(1, "x"))).verdict)
    assert seen.graph is not None
    assert len(seen.graph.boxes) == MOST_BOXES + 2
    assert seen.graph.left_out == 40 - MOST_BOXES
    assert all(len(box.rows) <= MOST_ROWS for box in seen.graph.boxes)
    assert seen.graph.boxes[1].left_out == 25 - MOST_ROWS
    assert len(seen.entries) == 1000


def test_no_needs_no_graph() -> None:
    verdict = made_precheck(made_series(made_patch(1, "x"))).verdict
    assert view_prerequisites(PrerequisiteResult(), verdict).graph is None


def test_dates_of_any_zone_are_utc() -> None:
    far = datetime(2026, 1, 20, 1, tzinfo=UTC).astimezone()
    scale = make_scale(far - timedelta(days=1), far, 0, 100)
    assert scale.x(far) == 100
