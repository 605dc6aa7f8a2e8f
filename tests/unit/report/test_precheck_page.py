# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a series as text: what is in it, what it may run, and that nothing of a mail becomes markup."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult, RebuiltBase
from seriestool.base.verdict import FitLevel
from seriestool.check.protocol import Finding, Status
from seriestool.precheck.summary_sentence import verdict_sentence
from seriestool.report.check_page import report_page
from seriestool.report.precheck_page import MOST_KINDS, precheck_page
from seriestool.trees.suggestions import Suggestion
from tests.support.pages import EVIL, hostile_precheck, made_patch, made_precheck, made_series, oid, without_answers

_VOID = {"meta", "link", "br", "input"}


class Outline(HTMLParser):
    """The elements of a page, and whether they are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def made(*subjects: str) -> str:
    return precheck_page(made_precheck(made_series(*(made_patch(n, text) for n, text in enumerate(subjects, 1)))))


def test_the_answer_comes_first() -> None:
    precheck = made_precheck(made_series(made_patch(1, "net: one"), made_patch(2, "net: two")))
    text = " ".join(" ".join(Outline(precheck_page(precheck)).texts).split()).partition("What was done")[2]
    places = [text.index(part) for part in (
        verdict_sentence(precheck), "Patches on trees", "When it applies", "What it builds on", "Who should take it",
        "What to fix", "Versions", "What was done",
    )]  # fmt: skip
    assert places == sorted(places)


@pytest.mark.parametrize("page", [made("a", "b"), precheck_page(hostile_precheck())], ids=["made", "hostile"])
def test_the_markup_is_sound(page: str) -> None:
    outline = Outline(page)
    assert outline.open == []
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    heads = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert heads[0] == 1
    assert all(head <= before + 1 for before, head in pairwise(heads))
    assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th")


def test_the_policy_allows_the_style_sheet_and_nothing_else() -> None:
    page = made("net: one")
    outline = Outline(page)
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for tag, a in outline.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert {tag for tag, _ in outline.tags} & {"script", "img", "iframe", "form", "link", "object"} == set()
    assert [attributes for _, attributes in outline.tags if "style" in attributes] == []
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_texts_stay_texts() -> None:
    page = precheck_page(hostile_precheck())
    outline = Outline(page)
    assert {tag for tag, _ in outline.tags} == {tag for tag, _ in Outline(made("a", "b")).tags} | {"title"}
    assert not any(name.startswith("on") for _, attributes in outline.tags for name in attributes)
    hrefs = [str(attributes["href"]) for _, attributes in outline.tags if "href" in attributes]
    assert [href for href in hrefs if not href.startswith(("#", "https://lore.kernel.org/r/"))] == []
    assert not set("\x00\x1b\u202e\u2066\u200f\x08") & set(page)
    assert "{{ 7*7 }}" in page


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200))
def test_any_subject_is_text(subject: str) -> None:
    outline = Outline(made(subject))
    known = {tag for tag, _ in Outline(made("net: one")).tags}
    assert {tag for tag, _ in outline.tags} == known
    assert outline.open == []


def test_what_could_not_be_found_is_said_with_its_reason() -> None:
    precheck = without_answers(made_precheck(made_series(made_patch(1, "net: one"))))
    page = precheck_page(precheck)
    for name in ("matrix", "timeline", "prerequisites", "split", "checks"):
        assert page.count(f"no {name} today") >= 2  # in its place, and among the steps
    assert page.count("not done") == 7


def test_what_no_tree_explains_is_not_called_nothing() -> None:
    precheck = replace(made_precheck(made_series(made_patch(1, "net: one"))), steps=())
    rebuilt = RebuiltBase(oid(3), "net-next", 4, 6, FitLevel.PARTIAL, (), (), {})
    page = precheck_page(replace(precheck, prerequisites=PrerequisiteResult((), rebuilt)))
    assert "2 of the 6 files that it was made from are in no tree here" in page
    assert "Nothing that is not in the trees" not in page
    page = precheck_page(replace(precheck, prerequisites=PrerequisiteResult()))
    assert "Nothing that is not in the trees" in page


def test_a_timeline_without_ranges_has_no_bars() -> None:
    precheck = made_precheck(made_series(made_patch(1, "net: one")))
    assert precheck.timeline
    lines = tuple(replace(line, spans=()) for line in precheck.timeline.lines)
    page = precheck_page(replace(precheck, timeline=replace(precheck.timeline, lines=lines)))
    assert "In the bars" in precheck_page(precheck)
    assert "In the bars" not in page
    assert 'class="bar"' not in page


def test_where_it_may_go_is_said_with_its_reasons() -> None:
    suggestion = Suggestion("net-next", None, None, None, 60.0, ("the subject says net-next", EVIL))
    precheck = replace(made_precheck(made_series(made_patch(1, "net: one"))), suggestions=(suggestion,))
    text = " ".join(" ".join(Outline(precheck_page(precheck)).texts).split())
    assert "net-next (not here) : the subject says net-next; " in text


def test_what_is_said_alike_is_gathered() -> None:
    page = made(*(f"net: part {n}" for n in range(1, 30)))
    gathered = page.partition('<ul class="gathered">')[2].partition("</ul>")[0]
    assert gathered.count("style/long-line") == 1
    assert re.search(r"style/long-line.*and 17 more", gathered, re.DOTALL)


def test_kinds_of_findings_are_bounded() -> None:
    precheck = made_precheck(made_series(made_patch(1, "net: one")))
    assert precheck.checks
    result = precheck.checks.results[1]
    findings = tuple(Finding(Status.WARN, f"rule-{n}", "x") for n in range(150))
    page = precheck_page(
        replace(precheck, checks=replace(precheck.checks, results=(replace(result, findings=findings),)))
    )
    assert page.partition('<ul class="gathered">')[2].partition("</ul>")[0].count("<li>") == MOST_KINDS
    assert f"and {150 - MOST_KINDS} more kinds" in page


def test_a_page_of_three_hundred_patches_is_bounded() -> None:
    series = made_series(*(made_patch(n, f"net: part {n}", 2000) for n in range(1, 301)))
    assert len(precheck_page(made_precheck(series, 8))) < 8_000_000


def test_the_page_of_checks_is_made_of_the_same_parts() -> None:
    precheck = hostile_precheck()
    assert precheck.checks
    outline = Outline(report_page(precheck.checks))
    assert outline.open == []
    assert {tag for tag, _ in outline.tags} & {"script", "img", "svg"} == set()
    assert any(attributes.get("class") == "finding target fail" for _, attributes in outline.tags)


def test_the_same_value_makes_the_same_page() -> None:
    assert precheck_page(hostile_precheck()) == precheck_page(hostile_precheck())
