# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks said, as text: what is wrong first, patch by patch, and at the end what could not be seen."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.protocol import Finding, Report, Status
from seriestool.report.style import Style
from seriestool.series.model import path_text
from seriestool.util.text import count

_WORD = {Status.PASS: "note", Status.WARN: "warn", Status.FAIL: "FAIL", Status.SKIP: "skip", Status.ERROR: "ERROR"}
_INDENT = " " * 8
_MOST_DETAILS = 15  # lines
_SEVERAL = 3
"""Patches from which on what is said alike of all of them is said once."""


class _FindingGroup(Struct, frozen=True):
    """A finding, and the patches of which it was said."""

    check: str
    finding: Finding
    counters: tuple[int, ...]
    """None of them: it is about the series."""


def report_text(report: Report, style: Style, with_notes: bool) -> str:
    """The whole report; notes and checks that found nothing only where they are wanted."""
    head = [style.strong(report.series.subject), style.plain(_ground(report)), ""]
    return "\n".join([*head, *finding_lines(report, style, with_notes), *_unseen(report, style), _sum(report, style)])


def findings_text(report: Report, style: Style) -> str:
    """What is to be fixed or asked, and one line on what could not be seen."""
    skipped = (one for one in report.results if any(found.status is Status.SKIP for found in one.findings))
    unseen = dict.fromkeys(one.check for one in skipped)
    lines = finding_lines(report, style, with_notes=False)
    if unseen:
        lines.append(f"not looked at, or not in full: {style.plain(', '.join(unseen))}")
    return "\n".join([*lines, _sum(report, style)])


def finding_lines(report: Report, style: Style, with_notes: bool) -> list[str]:
    """The findings, those of the series first, then patch by patch."""
    said, lines = _gather(report, with_notes), list[str]()
    lines += _part("the series", [one for one in said if not one.counters], style)
    lines += _part("several patches", [one for one in said if len(one.counters) >= _SEVERAL], style)
    for patch in report.series.patches:
        few = [one for one in said if len(one.counters) < _SEVERAL and patch.counter in one.counters]
        lines += _part(f"{patch.counter}/{report.series.expected} {patch.subject}", few, style)
    return lines


def _gather(report: Report, with_notes: bool) -> list[_FindingGroup]:
    """What is to be shown, the gravest first; what is said alike of several patches once."""
    found: dict[tuple[str, Finding], dict[int, None]] = {}
    for result in report.results:
        for finding in result.findings:
            if finding.status is Status.SKIP or (finding.status is Status.PASS and not with_notes):
                continue
            counters = found.setdefault((result.check, replace(finding, counter=None)), {})
            if finding.counter is not None:
                counters[finding.counter] = None
    said = [_FindingGroup(check, finding, tuple(counters)) for (check, finding), counters in found.items()]
    return sorted(said, key=lambda one: -one.finding.status.gravity)


def _ground(report: Report) -> str:
    patches = count(len(report.series.patches), "patch", "patches")
    if report.base is None:
        return f"{patches}, base unknown; profile {report.profile}"
    name = report.base.commit[:12] + (f" ({report.describe})" if report.describe else "")
    proof = f"{report.base.matched} of {report.base.expected} paths as the series names them"
    return f"{patches} on {name} ({report.base.footing}, {proof}); profile {report.profile}"


def _part(title: str, said: Sequence[_FindingGroup], style: Style) -> Iterator[str]:
    if not said:
        return
    yield style.strong(title)
    for one in said:
        yield from _finding(one, style)
    yield ""


def _finding(one: _FindingGroup, style: Style) -> Iterator[str]:
    finding = one.finding
    mark = {Status.FAIL: style.bad, Status.ERROR: style.bad, Status.WARN: style.warn}.get(finding.status, style.faint)
    word = mark(_WORD[finding.status].ljust(5))
    yield f"  {word} {style.plain(f'{one.check}/{finding.rule}')}{style.faint(_where(one))}"
    yield _INDENT + style.plain(finding.message)
    for line in (finding.mend or "").splitlines():
        yield f"{_INDENT}{style.good('> ')}{style.plain(line)}"
    details = (finding.details or "").splitlines()
    for line in details[:_MOST_DETAILS]:
        yield f"{_INDENT}{style.faint('| ' + line)}"
    if len(details) > _MOST_DETAILS:
        yield f"{_INDENT}{style.faint(f'| ... {len(details) - _MOST_DETAILS} more lines')}"


def _where(one: _FindingGroup) -> str:
    several = f"  patches {', '.join(map(str, one.counters))}" if len(one.counters) >= _SEVERAL else ""
    return place_of(one.finding) + several


def place_of(finding: Finding) -> str:
    """Where it is: ` file:line`, ` line n of the message`, or nothing."""
    if finding.path is not None:
        return f"  {path_text(finding.path)}" + (f":{finding.line}" if finding.line is not None else "")
    return f"  line {finding.line} of the message" if finding.line is not None else ""


def _unseen(report: Report, style: Style) -> Iterator[str]:
    reasons = find_unseen(report)
    if not reasons:
        return
    yield style.strong("not looked at")
    for names, reason in reasons:
        yield f"  {style.plain(names)}: {style.plain(reason)}"
    yield ""


def find_unseen(report: Report) -> list[tuple[str, str]]:
    """(checks, reason) of what was skipped, each reason once with the checks that it kept from looking."""
    reasons: dict[str, dict[str, list[int]]] = {}
    for result in report.results:
        for finding in result.findings:
            if finding.status is Status.SKIP:
                where = f"{path_text(finding.path)} " if finding.path is not None else ""
                counters = reasons.setdefault(where + finding.message, {}).setdefault(result.check, [])
                if finding.counter is not None:
                    counters.append(finding.counter)
    total = len(report.series.patches)
    return [
        (", ".join(name + _which(counters, total) for name, counters in checks.items()), reason)
        for reason, checks in reasons.items()
    ]


def _which(counters: list[int], total: int) -> str:
    different = sorted(set(counters))
    return f" ({', '.join(map(str, different))})" if different and len(different) < total else ""


def _sum(report: Report, style: Style) -> str:
    findings = [finding for result in report.results for finding in result.findings]
    number = {status: sum(finding.status is status for finding in findings) for status in Status}
    asked = [result for result in report.results if result.status is not Status.SKIP]
    parts = [
        style.bad(f"{number[Status.FAIL]} FAIL") if number[Status.FAIL] else "",
        style.bad(f"{number[Status.ERROR]} ERROR") if number[Status.ERROR] else "",
        style.warn(count(number[Status.WARN], "warning")) if number[Status.WARN] else "",
        count(number[Status.PASS], "note") if number[Status.PASS] else "",
    ]
    said = ", ".join(filter(None, parts)) or style.good("nothing to fix")
    checks = len({result.check for result in asked})
    return f"{count(checks, 'check')} on {count(len(report.series.patches), 'patch', 'patches')}: {said}"
