# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks say, sorted by patch, the gravest first; so much of it as a page can hold."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from seriestool.check.protocol import Finding, Report, Status

MOST_OF_PATCH = 200
"""Findings of one patch that are shown."""
MOST_OF_PAGE = 4000
_SHOWN = (Status.FAIL, Status.ERROR, Status.WARN, Status.PASS)

Counts = tuple[tuple[str, int], ...]
"""(status, how often), the gravest first; notes are not counted."""


class FindingView(Struct, frozen=True):
    """A finding on the page."""

    anchor: str
    check: str
    finding: Finding

    @property
    def word(self) -> str:
        """Its status as people read it."""
        return "note" if self.finding.status is Status.PASS else str(self.finding.status)

    @property
    def where(self) -> str:
        """What the words around it do not say: the line."""
        return f"line {self.finding.line}" if self.finding.line is not None else ""


class PageFindings(Struct, frozen=True):
    """All that is said; of the patches by their counters, of the series with None."""

    shown: Mapping[int | None, Sequence[FindingView]]
    counts: Mapping[int | None, Counts]
    left_out: Mapping[int | None, int]
    totals: Counts


def view_findings(report: Report | None) -> PageFindings:
    """What is said of each patch, and of the series."""
    found: dict[int | None, list[FindingView]] = {}
    number = 0
    for result in report.results if report else ():
        for finding in result.findings:
            if finding.status in _SHOWN:
                number += 1
                counter = finding.counter if finding.counter is not None else result.counter
                found.setdefault(counter, []).append(FindingView(f"finding-{number}", result.check, finding))
    shown: dict[int | None, Sequence[FindingView]] = {}
    budget = MOST_OF_PAGE
    for counter in sorted(found, key=lambda one: -1 if one is None else one):
        ordered = sorted(found[counter], key=lambda one: -one.finding.status.gravity)
        shown[counter] = ordered[: min(MOST_OF_PATCH, budget)]
        budget -= len(shown[counter])
    return PageFindings(
        shown,
        {counter: _counts(said) for counter, said in found.items()},
        {counter: len(said) - len(shown[counter]) for counter, said in found.items()},
        _counts([one for said in found.values() for one in said]),
    )


def _counts(said: Sequence[FindingView]) -> Counts:
    number = Counter(one.finding.status for one in said)
    return tuple((str(status), number[status]) for status in _SHOWN if number[status] and status is not Status.PASS)
