# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer of find-base for people: readable without colour, most important things first."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from seriestool.base.trial import count_applied, first_failure
from seriestool.base.verdict import (
    Candidate,
    CommitRange,
    FitLevel,
    PathAnswer,
    StatedBase,
    StatedBaseState,
    Verdict,
)
from seriestool.report.failure_text import failure_place, lines_of
from seriestool.report.style import Style
from seriestool.report.table import table
from seriestool.series.model import Outcome, Patch, PatchFailure, PatchOutcome, Series, path_text
from seriestool.util.text import count

if TYPE_CHECKING:
    from seriestool.sources.pushlog.push_log_index import Sighting

_SHORT = 12
_MOST_TREES = 12
_MOST_RANGES = 3
_MOST_MISSING = 10
_MARKS = {
    Outcome.UNMODIFIED: "+",
    Outcome.MODIFIED: "~",
    Outcome.EMPTY: "0",
    Outcome.ALREADY_MERGED: "=",
    Outcome.CONFLICT: "x",
}
_LEGEND = "+ applies   ~ applies at an offset   = is there already   x does not apply   0 changes nothing"


def verdict_text(verdict: Verdict, style: Style) -> str:
    """The whole answer; paragraphs are separated by empty lines."""
    paragraphs = [
        heading_lines(verdict.series, style),
        _answer(verdict, style),
        stated_lines(verdict, style),
        _ranges(verdict, style),
        _matrix(verdict, style),
        _failures(verdict, style),
        _paths(verdict, style),
        [f"note: {style.plain(note)}" for note in verdict.notes],
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def obstacles_text(verdict: Verdict, style: Style) -> str:
    """Why no commit takes all patches: the first that fails on each that was tried, and who has which file."""
    paragraphs = [_failures(verdict, style), _paths(verdict, style)]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def heading_lines(series: Series, style: Style) -> list[str]:
    """What the series is called, how large it is, and when it was sent."""
    version = f"v{series.version} " if series.version > 1 else ""
    return [
        style.strong(f"{version}{series.subject}"),
        f"{size_text(series)}, {count(len(series.touched), 'file')}, posted {_minute(series.posted)}",
    ]


def size_text(series: Series) -> str:
    """How many patches it has, and which of them are not at hand; where none is, the answer tells."""
    size = count(series.expected, "patch", "patches")
    if not series.missing or not series.patches:
        return size
    more = ", ..." if len(series.missing) > _MOST_MISSING else ""
    return f"{size} (not at hand: {', '.join(map(str, series.missing[:_MOST_MISSING]))}{more})"


def _answer(verdict: Verdict, style: Style) -> list[str]:
    base = verdict.base
    if not verdict.series.patches:
        return ["base: not looked for, the patches are not at hand"]
    if base is None:
        limit = " that could be tried" if verdict.notes else ""
        return [style.bad(f"base: none. The series applies to no commit of any known tree{limit}.")]
    name = f"{base.commit}" + (f" ({base.describe})" if base.describe else "")
    where = f"in {base.tree}, " if base.tree else ""
    lines = [
        (style.good if verdict.level.is_base else style.bad)(f"base: {_claim(verdict)}"),
        f"  {style.strong(name)}",
        f"  {style.plain(base.subject)}",
        f"  {style.plain(where)}committed {_minute(base.date)}{_lateness(base.date, verdict.series.posted)}",
    ]
    return [*lines, *(f"  {proof}" for proof in _proof(verdict))]


def _claim(verdict: Verdict) -> str:
    best = verdict.candidates[0]
    if verdict.level is FitLevel.EXACT:
        return "exact"
    if verdict.level is FitLevel.APPLIES:
        return "applies, but it is not what the series was made from"
    if verdict.level is FitLevel.THREE_WAY:
        return "three-way. Plain patches fail, merges do not."
    done = count_applied(best.outcomes)
    return f"none takes all patches; at best {done} of {len(best.outcomes)} (partial), on"


def _proof(verdict: Verdict) -> Iterator[str]:
    best = verdict.candidates[0]
    if verdict.level is FitLevel.EXACT:
        each = ", each" if best.expected > 1 else ""
        yield f"proof: {count(best.expected, 'path is', 'paths are')} there{each} as the series names it"
    else:
        yield f"blobs: {best.matched} of {best.expected} paths are as the series names them"
    if verdict.level is FitLevel.THREE_WAY:
        yield f"tried: {count(len(best.outcomes), 'patch goes', 'patches go')} in with git apply --3way"
    elif best.outcomes and verdict.level.is_base:
        yield _fared(best.outcomes)


def _fared(outcomes: Sequence[PatchOutcome]) -> str:
    if count_applied(outcomes) < len(outcomes):
        failing = first_failure(outcomes)
        return f"warning: patch {failing.counter if failing else 0} does not apply even there: was the mail edited?"
    hunks = sum(outcome.offsets for outcome in outcomes)
    how = f"{count(hunks, 'hunk')} at an offset" if hunks else "every hunk at its line"
    return f"tried: {count(len(outcomes), 'patch applies', 'patches apply')}, {how}"


def _lateness(committed: datetime, posted: datetime) -> str:
    return ", after the series was posted" if committed > posted else ""


def stated_lines(verdict: Verdict, style: Style) -> list[str]:
    """What became of the author's own base-commit."""
    stated = verdict.stated
    if stated is None:
        return ["stated base-commit: none"]
    lines = [f"stated base-commit {style.plain(stated.commit)}: {_stated_state(stated, verdict, style)}"]
    if stated.note:
        lines.append(f"  {style.plain(stated.note)}")
    return [*lines, *(f"  {style.plain(_sighting(sighting))}" for sighting in stated.sightings)]


def _stated_state(stated: StatedBase, verdict: Verdict, style: Style) -> str:
    where = {
        StatedBaseState.KNOWN: f"known, in {stated.tree}",
        StatedBaseState.REBASED_AWAY: "rebased away: no branch has it any more",
        StatedBaseState.UNKNOWN: "not in any known tree",
        StatedBaseState.MALFORMED: "no commit id",
    }[stated.state]
    if stated.verdict is None:
        return style.warn(where)
    if stated.verdict is FitLevel.EXACT:
        return style.good(f"{where}, and true: every path is there as named")
    if stated.verdict.is_base:
        return f"{where}; the series applies, but {_differ(stated, verdict)}"
    return style.bad(f"{where}, but false: the series does not apply there, {_differ(stated, verdict)}")


def _differ(stated: StatedBase, verdict: Verdict) -> str:
    return f"{len(verdict.paths) - (stated.matched or 0)} of {len(verdict.paths)} paths differ"


def _sighting(sighting: "Sighting") -> str:
    since = f" from {_second(sighting.since)}" if sighting.since else ""
    until = f" until {_second(sighting.until)}" if sighting.until else ""
    what = "was the tip of" if sighting.role == "tip" else "came with a push to"
    return f"{what} {sighting.ref.removeprefix('refs/heads/')} in {sighting.repo}{since}{until}"


def _ranges(verdict: Verdict, style: Style) -> list[str]:
    """Where else the same holds; only for answers that are bases."""
    if not verdict.level.is_base or not any(candidate.ranges for candidate in verdict.candidates):
        return []
    rows = [row for candidate in verdict.candidates[:_MOST_TREES] for row in _range_rows(candidate, verdict)]
    hidden = len(verdict.candidates) - _MOST_TREES
    tail = [f"  and in {count(hidden, 'more tree')} (--json has all)"] if hidden > 0 else []
    return [f"the same holds ({verdict.level}) for", *table(rows, style), *tail]


def _range_rows(candidate: Candidate, verdict: Verdict) -> Iterator[tuple[str, ...]]:
    name = candidate.tree or "off the branches"
    for found in candidate.ranges[:_MOST_RANGES]:
        yield name, count(found.commits, "commit"), _span(found), _ending(found, candidate, verdict)
        name = ""
    hidden = len(candidate.ranges) - _MOST_RANGES
    if hidden > 0:
        yield "", "", f"and {count(hidden, 'more range')}", ""


def _span(found: CommitRange) -> str:
    if found.commits == 1:
        return found.oldest[:_SHORT]
    return f"{found.oldest[:_SHORT]}..{found.newest[:_SHORT]}"


def _ending(found: CommitRange, candidate: Candidate, verdict: Verdict) -> str:
    if found.ended_by is None:
        return "up to the tip" if candidate.tree else "where that line ends"
    return f"ended by {_commit_name(found.ended_by, verdict)}"


def _matrix(verdict: Verdict, style: Style) -> list[str]:
    """Patches x commits, where no commit takes them all."""
    if verdict.level.is_base or not verdict.candidates or not verdict.candidates[0].outcomes:
        return []
    series = verdict.series
    counters = [str(patch.counter) for patch in series.patches]
    rows = [("commit", "tree", "paths", *counters)]
    for candidate in verdict.candidates:
        marks = [_MARKS[outcome.alone] if outcome.alone else "?" for outcome in candidate.outcomes]
        rows.append((_named(candidate), candidate.tree or "", f"{candidate.matched}/{candidate.expected}", *marks))
    return ["each patch alone, on the bare commit", *table(rows, style), f"  {_LEGEND}"]


def _named(candidate: Candidate) -> str:
    return f"{candidate.commit[:_SHORT]} {candidate.label or ''}".rstrip()


def _failures(verdict: Verdict, style: Style) -> list[str]:
    """For each commit that was tried the first patch and hunk that plain `git apply` refuses."""
    if verdict.level.is_base:
        return []
    lines: list[str] = []
    for candidate in verdict.candidates:
        lines += _first_failures(candidate, verdict, style)
    return ["in order, the first that fails", *lines] if lines else []


def _first_failures(candidate: Candidate, verdict: Verdict, style: Style) -> Iterator[str]:
    failing = first_failure(candidate.outcomes)
    if failing is None or failing.failure is None:
        return
    patch = _patch(verdict.series, failing.counter)
    where = f"  on {_named(candidate)}"
    if failing.outcome is Outcome.ALREADY_MERGED:
        yield style.plain(f"{where}: patch {patch.counter} is there already ({patch.subject})")
        failing = next((later for later in candidate.outcomes if later.outcome is Outcome.CONFLICT), None)
        if failing is None or failing.failure is None:
            return
        patch, where = _patch(verdict.series, failing.counter), "    then"
    assert failing.failure is not None  # noqa: S101
    yield style.bad(f"{where}: patch {patch.counter}, {failure_place(failing.failure)}")
    yield f"      ({style.plain(patch.subject)})"
    if candidate is verdict.candidates[0]:
        yield from lines_of(failing.failure)
        yield from (style.plain(line) for line in _culprit(failing.failure, verdict))


def _culprit(failure: PatchFailure, verdict: Verdict) -> Iterator[str]:
    answer = next((path for path in verdict.paths if path.path == failure.path), None)
    if answer and answer.commit:
        yield f"      changed by {_commit_name(answer.commit, verdict)}"


def _paths(verdict: Verdict, style: Style) -> list[str]:
    """Who has the files that the series was made from."""
    if verdict.level is FitLevel.EXACT or not verdict.paths:
        return []
    rows = [(path_text(path.path), path.blob or path.expects, _holders(path)) for path in verdict.paths]
    return ["what the series was made from, and who has it", *table(rows, style)]


def _holders(path: PathAnswer) -> str:
    if path.holders:
        shown = ", ".join(holder.tree + ("" if holder.until is None else " (before)") for holder in path.holders[:6])
        return shown + (", ..." if len(path.holders) > 6 else "")
    if path.expects == "absent":
        return "absent, as it must be" if path.matched else "is there already"
    return "no tree ever had it" if path.reason == "never" else "not on any branch's own line"


def _commit_name(oid: str, verdict: Verdict) -> str:
    commit = verdict.commit(oid)
    return f"{oid[:_SHORT]} {commit.subject} ({commit.author})" if commit else oid[:_SHORT]


def _patch(series: Series, counter: int) -> Patch:
    return next(patch for patch in series.patches if patch.counter == counter)


def _minute(date: datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M} UTC"


def _second(date: datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M:%S} UTC"
