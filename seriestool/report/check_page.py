# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks said, as one page of HTML that needs nothing from elsewhere; every word of a mail is escaped."""

from seriestool.protocol import Finding, Report, Status
from seriestool.report.check import find_unseen, place_of
from seriestool.report.terminal import printable, printable_line


def report_page(report: Report) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seriestool.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["line"] = printable_line
    environment.filters["text"] = printable
    page: str = environment.get_template("check.html").render(
        report=report,
        parts=[(None, "The series"), *((patch.counter, patch.subject) for patch in report.series.patches)],
        findings=lambda counter: _findings(report, counter),
        unseen=find_unseen(report),
        place=place_of,
        count=lambda status: sum(one.status == status for result in report.results for one in result.findings),
    )
    return page


def _findings(report: Report, counter: int | None) -> list[tuple[str, Finding]]:
    """(check, finding) of one patch or of the series, the gravest first."""
    found = [
        (result.check, finding)
        for result in report.results
        for finding in result.findings
        if finding.counter == counter and finding.status is not Status.SKIP
    ]
    return sorted(found, key=lambda pair: -pair[1].status.gravity)
