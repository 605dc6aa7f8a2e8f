# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer of split for people: the plan, and of each sub-series whether it goes in, and where that was tried."""

from collections.abc import Iterator

from seriestool.rebase.rebase_result import PatchResult
from seriestool.report.rebase_text import outcome_text
from seriestool.report.split_plan_text import SubSeriesAddition, patches_text, plan_text
from seriestool.report.style import Style
from seriestool.report.table import table
from seriestool.series.model import Outcome
from seriestool.split.split_plan import SubSeries
from seriestool.split.subseries_proof import Split, SubSeriesProof

_SHORT = 12


def split_text(answer: Split, style: Style) -> str:
    """The whole answer; paragraphs are separated by empty lines."""
    additions = {
        proof.number: SubSeriesAddition(_clause(proof), tuple(_lines(proof, one, answer, style)))
        for one, proof in zip(answer.plan.subseries, answer.proofs, strict=True)
    }
    notes = [style.plain(f"note: {note}") for note in answer.notes]
    return "\n\n".join([plan_text(answer.plan, style, additions), *(["\n".join(notes)] if notes else [])])


def _clause(proof: SubSeriesProof) -> str | None:
    """What the line that answers has to say of it."""
    stopped = [one.counter for one in proof.stopped]
    if stopped:
        verb = "conflicts" if len(stopped) == 1 else "conflict"
        return f"{patches_text(stopped)} {verb} on {proof.tried_on.target.name}"
    if all(one.outcome is Outcome.ALREADY_MERGED for one in proof.patches):
        return f"merged already in {proof.tried_on.target.name}"
    return None


def _lines(proof: SubSeriesProof, one: SubSeries, answer: Split, style: Style) -> Iterator[str]:
    target = proof.tried_on.target
    commit = answer.commit(target.commit)
    what = f", {commit.subject}" if commit and commit.subject else ""
    stands = "" if proof.tried_on.is_own else f", which stands for {one.name if one.destination else 'its tree'}"
    yield style.plain(f"  tried on {target.name} ({target.commit[:_SHORT]}{what}){stands}")
    rows = [_row(result) for result in proof.patches]
    if proof.first:
        rows = [("first", *_row(result)) for result in proof.first] + [("", *row) for row in rows]
    for result, line in zip((*proof.first, *proof.patches), table(rows, style), strict=True):
        yield f"  {line if result.is_in else style.bad(line)}"
    if proof.stopped:
        yield style.plain(f"  'seriestool rebase --onto {target.name}' says what is behind each conflict")


def _row(result: PatchResult) -> tuple[str, ...]:
    paths = dict.fromkeys(conflict.path for conflict in result.conflicts) if not result.is_in else {}
    names = ", ".join(path.decode("utf-8", "backslashreplace") for path in paths)
    merged = f"as {result.merged_as[:_SHORT]}" if result.merged_as else ""
    return str(result.counter), outcome_text(result), names or merged
