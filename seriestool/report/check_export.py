# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks said, for other programs: b4's protocol, and the checks of Patchwork's API.

Neither has a word for "it could not be seen": it becomes a warning that says so, and never a fail.
"""

from collections.abc import Iterable, Iterator

from seriestool.check.protocol import CheckResult, Finding, Report, Status
from seriestool.report.check_text import place_of
from seriestool.report.terminal import printable_line
from seriestool.util.text import count

_B4 = {Status.PASS: "pass", Status.WARN: "warn", Status.FAIL: "fail", Status.SKIP: "warn", Status.ERROR: "warn"}
_PATCHWORK = {
    Status.PASS: "success",
    Status.WARN: "warning",
    Status.FAIL: "fail",
    Status.SKIP: "warning",
    Status.ERROR: "warning",
}
_LONGEST = 255  # characters of a description in Patchwork
PREFIX = "seriestool-"
"""Before the name of a check, so that nobody takes it for another tool's of the same name."""


def b4_items(report: Report) -> list[dict[str, str]]:
    """One item for each check: `{"tool", "status", "summary", "url", "details"}`.

    b4 keeps answers by mail and tool and knows no base, so the summary names it.
    """
    return [_b4_item(name, results, report) for name, results in _by_check(report.results).items()]


def _b4_item(name: str, results: list[CheckResult], report: Report) -> dict[str, str]:
    findings = [finding for result in results for finding in result.findings]
    status = max((result.status for result in results), key=lambda one: one.gravity)
    on = f" (on {report.describe or report.base.commit[:12]})" if report.base else " (no base)"
    return {
        "tool": f"{PREFIX}{name}",
        "status": _B4[status],
        "summary": _summary(findings, status) + on,
        "url": next((one.source for one in findings if one.source and one.source.startswith("http")), ""),
        "details": "\n".join(line for finding in findings for line in _lines(finding)),
    }


def patchwork_checks(report: Report) -> list[dict[str, str]]:
    """The bodies of `POST /api/patches/{id}/checks/`, each with the `msgid` of its patch; one context per check.

    What was said of the series as a whole stands with each patch: Patchwork knows checks of patches only.
    """
    bodies = []
    for name, results in _by_check(report.results).items():
        for patch in report.series.patches:
            ours = [one for one in results if one.counter in (None, patch.counter)]
            findings = [f for one in ours for f in one.findings if f.counter in (None, patch.counter)]
            if not ours:
                continue
            status = max((f.status for f in findings), key=lambda one: one.gravity, default=Status.PASS)
            bodies.append(
                {
                    "msgid": patch.msgid,
                    "context": f"{PREFIX}{name}",
                    "state": _PATCHWORK[status],
                    "description": _summary(findings, status)[:_LONGEST],
                    "target_url": "",
                }
            )
    return bodies


def _by_check(results: Iterable[CheckResult]) -> dict[str, list[CheckResult]]:
    found: dict[str, list[CheckResult]] = {}
    for result in results:
        found.setdefault(result.check, []).append(result)
    return found


def _summary(findings: Iterable[Finding], status: Status) -> str:
    worst = [finding for finding in findings if finding.status is status]
    if status is Status.PASS:
        return "nothing to fix" + (f" ({count(len(worst), 'note')})" if worst else "")
    said = {Status.SKIP: "not looked at: ", Status.ERROR: "the check broke: "}.get(status, "")
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    return f"{said}{printable_line(worst[0].message)}{more}"


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.status}: {finding.rule}{place_of(finding)}: {printable_line(finding.message)}"
    for text in (finding.mend, finding.details):
        for line in (text or "").splitlines():
            yield f"    {printable_line(line)}"
