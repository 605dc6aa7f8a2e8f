# SPDX-License-Identifier: GPL-2.0-or-later
"""The timeline: where in each tree's history the series applies, and when what happened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seriestool.precheck.precheck_result import Precheck, SeriesVersion
from seriestool.precheck.timeline import MarkKind, Timeline
from seriestool.precheck.timeline_builder import BEFORE, FARTHEST, MOST_LINES
from seriestool.session import SeriesInput
from tests.support.repos import Repo
from tests.support.series import lines, mail_series, parse_series, with_stated
from tests.support.session import open_precheck, precheck, run_precheck_of

DAY = 24 * 3600
START = 1_700_000_000
LAMP = "lib/lamp.c"


def at(days: float) -> datetime:
    return datetime.fromtimestamp(START + int(days * DAY), UTC)


@pytest.fixture
def lamps(repo: Repo) -> Repo:
    """main: in, out after 10 days, in again after 20, out after 30; next: in from day 5 up to its tip."""
    for day, text in ((0, lines(1, 30)), (10, "x\n"), (20, lines(1, 30)), (30, "y\n")):
        repo.commit({LAMP: text}, f"lamp: day {day}", date=START + day * DAY)
    repo.commit({"lib/b.c": "b\n"}, "next: day 5", branch="next", parent="main~3", date=START + 5 * DAY)
    repo.commit({"lib/b.c": "c\n"}, "next: day 25", branch="next", date=START + 25 * DAY)
    return repo


def mail(repo: Repo, day: float, base: str = "main~1") -> bytes:
    """The series, as sent on that day."""
    mbox = mail_series(repo, ("lamp: more", {LAMP: lines(1, 31)}), base=base)
    head, date, rest = mbox.partition(b"\nDate: ")
    return head + date + at(day).strftime("%a, %d %b %Y %H:%M:%S +0000").encode() + rest[rest.index(b"\n") :]


def timeline(found: Precheck) -> Timeline:
    assert found.timeline is not None
    return found.timeline


def test_each_tree_has_the_runs_in_which_it_applies(lamps: Repo, tmp_path: Path) -> None:
    found = timeline(precheck(lamps, tmp_path, mail(lamps, 22)))
    lines_ = {line.tree: [(one.since, one.until, one.commits) for one in line.spans] for line in found.lines}
    assert lines_ == {"main": [(at(0), at(10), 1), (at(20), at(30), 1)], "next": [(at(0), None, 3)]}
    assert {line.tree: line.tip_date for line in found.lines} == {"main": at(30), "next": at(25)}


def test_what_happened_stands_in_order(lamps: Repo, tmp_path: Path) -> None:
    stated = lamps.git("rev-parse", "main~1")
    found = timeline(precheck(lamps, tmp_path, with_stated(mail(lamps, 22), stated)))
    ended = lamps.git("rev-parse", "main")
    assert [(mark.kind, mark.date, mark.commit, mark.tree) for mark in found.marks] == [
        (MarkKind.STATED, at(20), stated, "main"),
        (MarkKind.BASE, at(20), stated, "main"),
        (MarkKind.POSTED, at(22), None, None),
        (MarkKind.BROKE, at(30), ended, "main"),
    ]
    assert found.marks[-1].label == "lamp: day 30"
    assert (found.since, found.until) == (at(20) - BEFORE, at(30))


def test_what_broke_it_is_what_ended_the_run_nearest_to_the_posting(lamps: Repo, tmp_path: Path) -> None:
    found = timeline(precheck(lamps, tmp_path, mail(lamps, 3)))
    assert [mark.label for mark in found.marks if mark.kind is MarkKind.BROKE] == ["lamp: day 10"]


def test_other_versions_are_marked(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, 22)
    series = parse_series(mbox)
    versions = (
        SeriesVersion(1, "old@example.com", "lamp: more", at(12), 1, False),
        SeriesVersion(2, series.msgid, series.subject, series.posted, 1, True),
    )
    with open_precheck(lamps, tmp_path) as resources:
        found = run_precheck_of(resources, SeriesInput(series), versions=versions)
    marks = [(mark.label, mark.date) for mark in timeline(found).marks if mark.kind is MarkKind.VERSION]
    assert marks == [("v1", at(12))]
    assert timeline(found).since == at(12) - BEFORE


def test_where_it_applies_nowhere_the_commits_in_its_way_are_marked(lamps: Repo, tmp_path: Path) -> None:
    lamps.commit({"lib/d.c": "d\n", "lib/e.c": "e\n"}, "day 31", date=START + 31 * DAY)
    side = lamps.commit({LAMP: "x\n"}, "the old lamp with them", branch="gone", parent="main")
    mbox = mail_series(lamps, ("lamp: more", {LAMP: "xx\n", "lib/d.c": "dd\n", "lib/e.c": "ee\n"}), base=side)
    lamps.git("update-ref", "-d", "refs/heads/gone")
    found = precheck(lamps, tmp_path, mbox)
    assert not found.verdict.level.is_base
    assert all(line.spans == () for line in timeline(found).lines)
    assert timeline(found).level == found.verdict.level
    broke = {mark.commit for mark in timeline(found).marks if mark.kind is MarkKind.BROKE}
    assert broke == {lamps.git("rev-parse", "main~2")}


def test_what_is_years_away_does_not_stretch_it(lamps: Repo, tmp_path: Path) -> None:
    found = timeline(precheck(lamps, tmp_path, mail(lamps, 22 + 20 * 365)))
    posted = at(22 + 20 * 365)
    assert (found.since, found.until) == (posted - BEFORE, posted)
    assert [mark.kind for mark in found.marks] == [MarkKind.POSTED]
    assert [len(line.spans) for line in found.lines] == [0, 1]  # only what still holds reaches into it
    early = timeline(precheck(lamps, tmp_path, mail(lamps, -10 * 365)))
    assert early.until == at(-10 * 365) + FARTHEST


def test_there_are_not_too_many_trees(lamps: Repo, tmp_path: Path) -> None:
    for number in range(MOST_LINES + 8):
        lamps.git("branch", f"topic-{number:02}", "main")
    found = precheck(lamps, tmp_path, mail(lamps, 22))
    assert len(timeline(found).lines) == MOST_LINES
    assert found.matrix is not None
    assert len(found.matrix.trees) == 12
    assert found.matrix.notes == ("6 more trees have files of it, and only the first 12 were tried",)
    assert timeline(found).since <= found.series.posted - timedelta(days=1)
