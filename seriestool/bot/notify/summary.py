# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a report decides whether somebody is told, and of what; small, and kept as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from seriestool.base.verdict import FitLevel
from seriestool.check.protocol import CheckResult, Finding, Report, Status
from seriestool.precheck.complaints import APPLY, Complaint, find_complaints
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.precheck.summary_sentence import base_confidence, name_of_base, verdict_sentence
from seriestool.report.author_mail import takers_of
from seriestool.report.check_export import PREFIX, patchwork_checks
from seriestool.report.terminal import printable_line
from seriestool.series.mail import Mail
from seriestool.series.mail.headers import decode_header
from seriestool.series.model import Patch, Series
from seriestool.series.patch_id import find_patch_id
from seriestool.util.serialization import decode_stored, encode_stored

__all__ = [
    "Complaint",
    "PatchSummary",
    "PatchworkCheck",
    "ReportSummary",
    "SeriesRow",
    "summarize_report",
    "summary_from_json",
    "summary_to_json",
]

HINTS = (
    "auto-submitted",
    "list-id",
    "precedence",
    "return-path",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-cron-env",
    "x-patchwork-action",
    "x-patchwork-bot",
    "x-patchwork-hint",
    "x-patchwork-state",
    "x-seriestool",
    "x-seriestool-hint",
    "x-stable",
)
"""Headers in which a mail says that it wants no answer, or that no person sent it."""
_LONGEST_HINT = 200
_LONGEST_DESCRIPTION = 255
_MOST_CONTEXTS = 3000
"""Checks that are posted to a Patchwork server at a time; of longer series those that say `success` are left out."""


class PatchSummary(Struct, frozen=True):
    """A patch as a reply or Patchwork names it."""

    counter: int
    msgid: str
    subject: str
    patch_id: str | None
    headline: str = ""
    """The header Subject as mailed, decoded."""


class PatchworkCheck(Struct, frozen=True):
    """One check of Patchwork's: a context for each of ours."""

    msgid: str
    context: str
    state: str
    description: str


class ReportSummary(Struct, frozen=True, kw_only=True):
    """A report in short."""

    key: str
    lineage: str
    list: str
    msgid: str
    """Of the first mail: what a reply answers."""
    subject: str
    version: int
    expected: int
    posted: int
    author_name: str
    author: str
    recipients: tuple[str, ...]
    """To and Cc of the series."""
    hints: tuple[str, ...]
    """What the first mail asks of bots, and signs of a program: 'x-patchwork-hint: ignore' and the like, lower case."""
    answer: str
    """precheck.value.Answer."""
    sentence: str
    level: str
    """base.verdict.Level."""
    is_sure: bool
    """Whether what is said of patches rests on a base that is proven; where not, nothing of it is told to anybody."""
    base: str | None
    base_name: str | None
    """As people name it: its id, what git describes it as, its tree."""
    how: str
    """How the base was chosen, and how sure it is: a sentence."""
    complaints: tuple[Complaint, ...]
    patches: tuple[PatchSummary, ...]
    contexts: tuple[PatchworkCheck, ...]
    headline: str = ""
    """The header Subject of the first mail, decoded."""
    takers: tuple[str, ...] = ()
    """Who should take it: a line for each tree."""


class SeriesRow(Struct, frozen=True):
    """What the bot's database knows of a series, as far as a report has it not: a row of the table `series`."""

    key: str
    lineage: str
    list: str
    author_name: str
    author: str
    """Address, lower case."""

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> "SeriesRow":
        """That of the row."""
        return cls(*(str(row[name]) for name in ("key", "lineage", "list", "author_name", "author")))


def summarize_report(precheck: Precheck, posted: SeriesRow) -> ReportSummary:
    """The report in short; what was mailed is read from the raw mails that the series keeps."""
    series = precheck.series
    first = Mail(_first_mail(series))
    is_sure, how = base_confidence(precheck)
    complaints = find_complaints(precheck)
    contexts = _contexts(precheck, complaints, is_sure)
    if len(contexts) > _MOST_CONTEXTS:
        contexts = tuple(one for one in contexts if one.state != "success")[:_MOST_CONTEXTS]
    return ReportSummary(
        key=posted.key,
        lineage=posted.lineage,
        list=posted.list,
        msgid=series.msgid,
        subject=series.subject,
        version=series.version,
        expected=series.expected,
        posted=int(series.posted.timestamp()),
        author_name=posted.author_name,
        author=posted.author,
        recipients=series.recipients,
        hints=tuple(_hints(first)),
        answer=str(answer_of(precheck)),
        sentence=verdict_sentence(precheck),
        level=str(precheck.verdict.level),
        is_sure=is_sure,
        base=precheck.base.commit if precheck.base else None,
        base_name=name_of_base(precheck) if precheck.base else None,
        how=how,
        complaints=complaints,
        patches=tuple(_mailed(patch) for patch in series.patches),
        contexts=contexts,
        headline=_headline(first) or f"[PATCH] {series.subject}",
        takers=takers_of(precheck),
    )


def damaged_summary(row: Mapping[str, Any], sentence: str) -> ReportSummary:
    """The same of a series that cannot be read, from its row of the table `series`: nothing is known of its patches."""
    return ReportSummary(
        key=row["key"],
        lineage=row["lineage"],
        list=row["list"],
        msgid=row["msgid"],
        subject=row["subject"],
        version=row["version"],
        expected=row["expected"],
        posted=row["posted"],
        author_name=row["author_name"],
        author=row["author"],
        recipients=(),
        hints=(),
        answer=str(PrecheckAnswer.DAMAGED),
        sentence=sentence,
        level=str(FitLevel.NONE),
        is_sure=False,
        base=None,
        base_name=None,
        how=sentence,
        complaints=(),
        patches=(),
        contexts=(),
    )


def summary_to_json(facts: ReportSummary) -> str:
    """The facts as a row keeps them."""
    return encode_stored(facts).decode()


def summary_from_json(text: str) -> ReportSummary:
    """The facts of a row; raises ValueError where it has none."""
    return decode_stored(ReportSummary, text)


def _first_mail(series: Series) -> bytes:
    if series.cover is not None:
        return series.cover.raw
    return series.patches[0].raw if series.patches else b""


def _hints(mail: Mail) -> Iterator[str]:
    for name in HINTS:
        for value in mail.headers(name):
            yield f"{name}: {decode_header(value)[:_LONGEST_HINT].strip().lower()}"


def _headline(mail: Mail) -> str:
    return decode_header(mail.header("subject") or b"")


def _mailed(patch: Patch) -> PatchSummary:
    headline = _headline(Mail(patch.raw)) or f"[PATCH] {patch.subject}"
    return PatchSummary(
        counter=patch.counter,
        msgid=patch.msgid,
        subject=patch.subject,
        patch_id=find_patch_id(patch.diff),
        headline=headline,
    )


def _contexts(precheck: Precheck, complaints: tuple[Complaint, ...], is_sure: bool) -> tuple[PatchworkCheck, ...]:
    """What Patchwork is told: whether it goes in, and what each check saw; of a doubtful base only that it is one."""
    found = list(_apply_contexts(precheck, complaints, is_sure))
    if is_sure and precheck.checks is not None:
        bodies = patchwork_checks(_seen(precheck.checks))
        found += [PatchworkCheck(one["msgid"], one["context"], one["state"], one["description"]) for one in bodies]
    return tuple(replace(one, description=_description(one.description)) for one in found)


def _seen(report: Report) -> Report:
    """The report without what was not looked at: it says nothing of the patch, and would stand there as a warning."""
    results = ((result, tuple(filter(_is_seen, result.findings))) for result in report.results)
    kept = (replace(result, findings=seen) for result, seen in results if _says_something(result, seen))
    return replace(report, results=tuple(kept))


def _says_something(result: CheckResult, seen: tuple[Finding, ...]) -> bool:
    return result.check != APPLY and (bool(seen) or not result.findings)


def _is_seen(finding: Finding) -> bool:
    return finding.status not in (Status.SKIP, Status.ERROR)


def _apply_contexts(precheck: Precheck, complaints: tuple[Complaint, ...], is_sure: bool) -> Iterator[PatchworkCheck]:
    refused = {one.counter: one for one in reversed(complaints) if one.source.startswith(f"{APPLY}/")}
    for patch in precheck.series.patches:
        complaint = refused.get(patch.counter)
        if not is_sure:
            state, text = "warning", "we could not tell for sure what it is based on, so nothing was tried"
        elif complaint is not None:
            state, text = "fail" if complaint.is_grave else "warning", complaint.message
        else:
            state, text = "success", f"it applies to {name_of_base(precheck)}"
        yield PatchworkCheck(patch.msgid, f"{PREFIX}{APPLY}", state, text)


def _description(text: str) -> str:
    """One line without blanks at its ends: what Patchwork keeps of it, so that ours is known again."""
    line = " ".join(printable_line(text).split())
    return line if len(line) <= _LONGEST_DESCRIPTION else line[: _LONGEST_DESCRIPTION - 3].rstrip() + "..."
