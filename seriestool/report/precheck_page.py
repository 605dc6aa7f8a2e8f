# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is known of a series, as one page of HTML that needs nothing from elsewhere."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from seriestool.base.verdict import FitLevel
from seriestool.check.protocol import Status
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck
from seriestool.precheck.summary_sentence import base_confidence, verdict_sentence
from seriestool.report.check_text import find_unseen, place_of
from seriestool.report.find_base_text import stated_lines, verdict_text
from seriestool.report.pages.answer_words import ANSWERS
from seriestool.report.pages.finding_views import FindingView, view_findings
from seriestool.report.pages.matrix import view_matrix
from seriestool.report.pages.page_template import render
from seriestool.report.pages.patches import view_patches
from seriestool.report.pages.prerequisites_graph import view_prerequisites
from seriestool.report.pages.timeline_picture import WORDS, draw_timeline
from seriestool.report.prerequisites_text import prerequisites_text
from seriestool.report.split_plan_text import clauses, patches_text, plan_text
from seriestool.report.style import Style
from seriestool.split.split_plan import SplitPlan

MOST_KINDS = 60
"""Kinds of findings in the list above the patches."""
_MOST_PLACES = 12
_MOST_TREES = 6
_PARTS = (
    ("matrix", "Trees"),
    ("timeline", "History"),
    ("needs", "Prerequisites"),
    ("split", "Who takes it"),
    ("findings", "To fix"),
    ("steps", "What was done"),
)
_LEVELS = {
    FitLevel.EXACT: "every file is as the series names it",
    FitLevel.APPLIES: "all patches apply, though the files are not all as the series names them",
    FitLevel.THREE_WAY: "all patches go in with three-way merges",
    FitLevel.PARTIAL: "not all patches go in",
    FitLevel.NONE: "no patch goes in",
}


class FindingSummary(Struct, frozen=True, kw_only=True):
    """What was found, once, with all places of it."""

    status: str
    check: str
    rule: str
    message: str
    places: tuple[tuple[str, str], ...]
    """(words, anchor)."""
    left_out: int


def precheck_page(precheck: Precheck) -> str:
    """The page."""
    return render("precheck.html", {**_answer(precheck), **_shown_parts(precheck), **_findings(precheck)})


def _answer(precheck: Precheck) -> dict[str, object]:
    """What stands at the top."""
    verdict = precheck.verdict
    return {
        "series": precheck.series,
        "author": next((patch.author_name or patch.author_email for patch in precheck.series.patches), ""),
        "answer": ANSWERS[answer_of(precheck)],
        "sentence": verdict_sentence(precheck),
        "parts": _PARTS,
        "verdict": verdict,
        "sure": base_confidence(precheck),
        "stated": stated_lines(verdict, Style()),
        "whole": verdict_text(verdict, Style()),
    }


def _shown_parts(precheck: Precheck) -> dict[str, object]:
    """What comes between the answer and the findings, and at the end."""
    return {
        "problems": _problems(precheck),
        "matrix": view_matrix(precheck.matrix) if precheck.matrix else None,
        **_history(precheck),
        **_built_on(precheck),
        **_plan(precheck.plan),
        "suggestions": precheck.suggestions[:_MOST_TREES],
        "versions": precheck.versions,
        "steps": precheck.steps,
    }


def _findings(precheck: Precheck) -> dict[str, object]:
    """The checks' words, gathered and beside the patches."""
    series, report = precheck.series, precheck.checks
    found = view_findings(report)
    gathered = _gather(found.shown)
    return {
        "checked": report,
        "totals": found.totals,
        "gathered": gathered[:MOST_KINDS],
        "gathered_left_out": max(len(gathered) - MOST_KINDS, 0),
        "of_series": found.shown.get(None, ()),
        "patches": view_patches(series, found),
        "place": lambda finding: place_of(finding).strip(),
        "unseen": find_unseen(report) if report else [],
    }


def _problems(precheck: Precheck) -> Mapping[str, str | None]:
    """Step -> why there is no answer of it; every step is there."""
    names = ("base", "prerequisites", "matrix", "split", "checks", "timeline", "versions")
    return dict.fromkeys(names) | {step.name: step.problem for step in precheck.steps}


def _history(precheck: Precheck) -> dict[str, object]:
    timeline, verdict = precheck.timeline, precheck.verdict

    def title(oid: str) -> str:
        commit = verdict.commit(oid) or (precheck.matrix.commit(oid) if precheck.matrix else None)
        return commit.subject if commit else marked.get(oid, "")

    marked = {mark.commit: mark.label for mark in timeline.marks if mark.commit} if timeline else {}
    return {
        "timeline": timeline,
        "picture": draw_timeline(timeline) if timeline else None,
        "has_bars": bool(timeline and any(line.spans for line in timeline.lines)),
        "level_words": _LEVELS[timeline.level] if timeline else "",
        "titles": title,
        "words": WORDS,
    }


def _built_on(precheck: Precheck) -> dict[str, object]:
    found = precheck.prerequisites
    return {
        "needs": view_prerequisites(found, precheck.verdict) if found else None,
        "rebuilt": found.rebuilt if found else None,
        "recipes": prerequisites_text(found, precheck.verdict, Style()) if found and found.rebuilt else "",
        "hints": found.hints if found else (),
    }


def _plan(plan: SplitPlan | None) -> dict[str, object]:
    rows = (
        [(one.name, patches_text(one.counters), "; ".join(clauses(one, plan))) for one in plan.subseries]
        if plan
        else []
    )
    return {"plan": plan, "plan_rows": rows, "plan_text": plan_text(plan, Style()) if plan else ""}


def _gather(found: Mapping[int | None, Sequence[FindingView]]) -> list[FindingSummary]:
    """What is to be fixed, the gravest first; what is said alike of several patches once."""
    kinds: dict[tuple[Status, str, str, str], list[tuple[str, str]]] = {}
    for counter, said in found.items():
        for one in said:
            finding = one.finding
            if finding.status is not Status.PASS:
                words = f"patch {counter}" if counter is not None else "the series"
                kinds.setdefault((finding.status, one.check, finding.rule, finding.message), []).append(
                    (words, one.anchor)
                )
    ordered = sorted(kinds.items(), key=lambda item: -item[0][0].gravity)
    return [
        FindingSummary(
            status=str(status),
            check=check,
            rule=rule,
            message=message,
            places=tuple(places[:_MOST_PLACES]),
            left_out=max(len(places) - _MOST_PLACES, 0),
        )
        for (status, check, rule, message), places in ordered
    ]
