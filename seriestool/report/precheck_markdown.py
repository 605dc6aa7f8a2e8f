# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is known of a series as Markdown (GitHub's flavour, https://github.github.com/gfm/).

No word of a mail or of a tree can be markup, HTML, a link or a mention: each ASCII punctuation mark that could begin
one is escaped.
"""

import re
from collections.abc import Iterator, Sequence

from seriestool.base.verdict import CommitSummary
from seriestool.check.protocol import Finding, Report, Status
from seriestool.precheck.complaints import find_namesakes
from seriestool.precheck.conclusions import answer_of, intended_tree, needs_of
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.precheck.summary_sentence import base_confidence, verdict_sentence
from seriestool.rebase.rebase_result import Rebase
from seriestool.report.check_text import find_unseen, place_of
from seriestool.report.find_base_text import size_text
from seriestool.report.precheck_text import WORDS, culprits_of
from seriestool.report.rebase_text import outcome_text
from seriestool.report.split_plan_text import patches_text
from seriestool.report.terminal import printable_line
from seriestool.series.model import path_text

_NOTHING = "<!-- -->"
"""Keeps `@name` and `#1` from being taken for mentions: that is done on the finished page, where escapes are gone."""
_INSTEAD = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": f"@{_NOTHING}", "#": f"\\#{_NOTHING}"}
_MARKUP = re.compile(r"[&<>\\`*_{}\[\]()#+\-!|~@:$^=]|(?<=www)\.", re.I)
_SHORT = 12


def precheck_markdown(precheck: Precheck) -> str:
    """The whole report."""
    parts = [
        _head(precheck),
        _trees(precheck.matrix),
        _needs(precheck),
        _conflicts(precheck),
        _checks(precheck.checks),
        _who(precheck),
        _versions(precheck),
        _notes(precheck),
    ]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def md(text: str) -> str:
    """The text so that it is nothing but text, on one line."""
    return _MARKUP.sub(lambda found: _INSTEAD.get(found[0], f"\\{found[0]}"), printable_line(text).replace("\t", " "))


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table; the cells are escaped here."""
    lines = [head, ["---"] * len(head)]
    safe = [[md(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in [[md(cell) for cell in lines[0]], lines[1], *safe]]


def _head(precheck: Precheck) -> Iterator[str]:
    series = precheck.series
    version = f"v{series.version} " if series.version > 1 else ""
    yield f"# {md(version + series.subject)}"
    yield ""
    yield md(f"{size_text(series)}, posted {series.posted:%Y-%m-%d}")
    yield ""
    yield f"**{md(WORDS[answer_of(precheck)])}**: {md(verdict_sentence(precheck))}"
    yield ""
    is_sure, how = base_confidence(precheck)
    yield f"{'Sure' if is_sure else 'Not sure'}: {md(how)}"


def _trees(matrix: Rebase | None) -> Iterator[str]:
    if matrix is None:
        return
    yield "## On the trees' tips"
    yield ""
    head = ["", *(f"{tree.name} {tree.onto[:_SHORT]}" for tree in matrix.trees), "patch"]
    rows = [
        [str(patch.counter), *(outcome_text(tree.patches[n]) for tree in matrix.trees), patch.subject]
        for n, patch in enumerate(matrix.series.patches)
    ]
    yield from table_lines(head, rows)


def _needs(precheck: Precheck) -> Iterator[str]:
    needs = needs_of(precheck)
    if not needs:
        return
    yield "## What it builds on"
    yield ""
    for need in needs:
        if need.patch is not None:
            yield f"- {md(need.patch.subject)} ({md(need.patch.msgid)}), {md(str(need.state))}"


def _conflicts(precheck: Precheck) -> Iterator[str]:
    tree, matrix = intended_tree(precheck), precheck.matrix
    if tree is None or matrix is None or answer_of(precheck) is not PrecheckAnswer.CONFLICTS:
        return
    yield f"## What conflicts on {md(tree.name)}"
    yield ""
    for patch, result in zip(matrix.series.patches, tree.patches, strict=True):
        for conflict in () if result.is_in else result.conflicts:
            since = [_commit(matrix.commit(oid), oid) for oid in culprits_of(conflict)]
            behind = f": since {', '.join(since)}" if since else ""
            yield f"- patch {patch.counter}, {md(path_text(conflict.path))}{behind}"


def _commit(commit: CommitSummary | None, oid: str) -> str:
    return f"{oid[:_SHORT]} {md(commit.subject)}" if commit else oid[:_SHORT]


def _checks(report: Report | None) -> Iterator[str]:
    if report is None:
        return
    yield "## Checks"
    yield ""
    said = [(result.check, one) for result in report.results for one in result.findings]
    shown = sorted(
        (pair for pair in said if pair[1].status in (Status.FAIL, Status.ERROR, Status.WARN)),
        key=lambda pair: -pair[1].status.gravity,
    )
    for check, finding in shown:
        yield from _finding(check, finding)
    if not shown:
        yield "Nothing to fix."
    if unseen := find_unseen(report):
        yield ""
        yield from (f"- not looked at: {md(names)}: {md(reason)}" for names, reason in unseen)


def _finding(check: str, finding: Finding) -> Iterator[str]:
    patch = f" patch {finding.counter}" if finding.counter else ""
    word = str(finding.status).upper()
    yield f"- **{word}** {md(f'{check}/{finding.rule}')}{patch}{md(place_of(finding))}: {md(finding.message)}"
    for line in (finding.mend or "").splitlines():
        yield f"  - {md(line)}"


def _who(precheck: Precheck) -> Iterator[str]:
    if precheck.plan is None:
        return
    yield "## Who takes it"
    yield ""
    rows = [
        (str(one.number), one.name, patches_text(one.counters), ", ".join(map(str, one.verdicts)))
        for one in precheck.plan.subseries
    ]
    yield from table_lines(("", "tree", "patches", "when"), rows)


def _versions(precheck: Precheck) -> Iterator[str]:
    if len(precheck.versions) < 2:
        return
    yield "## Versions"
    yield ""
    for one in precheck.versions:
        yield f"- v{one.version}, {one.posted:%Y-%m-%d}, {md(one.msgid)}{' (this one)' if one.is_this else ''}"


def _notes(precheck: Precheck) -> Iterator[str]:
    notes = [*precheck.series.remarks, *precheck.verdict.notes, *(precheck.matrix.notes if precheck.matrix else ())]
    yield from (f"- note: {md(note)}" for note in notes)
    yield from (f"- note: patch {counter}: {md(which)}" for counter, which in find_namesakes(precheck))
    for step in precheck.steps:
        if step.problem:
            yield f"- note: {step.name} could not be done: {md(step.problem)}"
