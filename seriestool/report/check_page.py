# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks said, as one page of HTML that needs nothing from elsewhere; every word of a mail is escaped."""

from msgspec import Struct

from seriestool.check.protocol import Report
from seriestool.report.check_text import find_unseen, place_of
from seriestool.report.pages.finding_views import FindingView, view_findings
from seriestool.report.pages.page_template import render
from seriestool.series.model import Patch


class _PatchFindings(Struct, frozen=True):
    """A patch, and what is said of it."""

    patch: Patch
    said: tuple[FindingView, ...]


def report_page(report: Report) -> str:
    """The page."""
    found = view_findings(report)
    views = [_PatchFindings(patch, tuple(found.shown.get(patch.counter, ()))) for patch in report.series.patches]
    return render(
        "check.html",
        {
            "report": report,
            "totals": found.totals,
            "of_series": found.shown.get(None, ()),
            "patches": views,
            "unseen": find_unseen(report),
            "place": lambda finding: place_of(finding).strip(),
        },
    )
