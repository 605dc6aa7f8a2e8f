# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is known of a series, for people, in the order in which they ask: can it be applied, on what, what stands
in the way, what is to be fixed, who takes it. Details only where they matter; the other commands have all of them."""

from collections.abc import Iterator, Sequence

from seriestool.precheck.complaints import find_namesakes
from seriestool.precheck.conclusions import answer_of, applies_somewhere, intended_tree, needs_of
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer, SeriesVersion
from seriestool.precheck.summary_sentence import base_confidence, verdict_sentence
from seriestool.rebase.rebase_result import Conflict, PatchResult, Rebase, TreeResult
from seriestool.report.check_text import findings_text
from seriestool.report.find_base_text import heading_lines, obstacles_text, stated_lines
from seriestool.report.prerequisites_text import needs_text
from seriestool.report.rebase_text import commit_line, matrix_lines, merged_lines
from seriestool.report.split_plan_text import head_lines
from seriestool.report.style import Style
from seriestool.series.model import path_text
from seriestool.util.text import count

_MOST_FILES = 6
_MOST_VERSIONS = 10
_GOOD = (PrecheckAnswer.READY, PrecheckAnswer.MERGED)
WORDS = {
    PrecheckAnswer.MERGED: "merged already",
    PrecheckAnswer.NO_BASE: "no base",
    PrecheckAnswer.WAITS: "waits for other patches",
    PrecheckAnswer.CONFLICTS: "conflicts",
    PrecheckAnswer.TO_MEND: "goes in, with things to fix",
    PrecheckAnswer.READY: "goes in",
}


def precheck_text(precheck: Precheck, style: Style, with_times: bool = False) -> str:
    """The whole report; paragraphs are separated by empty lines."""
    paragraphs = [
        "\n".join(heading_lines(precheck.series, style)),
        "\n".join(_answer(precheck, style)),
        _trees(precheck, style),
        "\n\n".join(filter(None, _in_the_way(precheck, style))),
        _mend(precheck, style),
        _who(precheck, style),
        "\n".join(_versions(precheck.versions, style)),
        "\n".join(_notes(precheck, style)),
        "\n".join(_times(precheck, style)) if with_times else "",
    ]
    return "\n\n".join(text for text in paragraphs if text)


def _answer(precheck: Precheck, style: Style) -> Iterator[str]:
    answer = answer_of(precheck)
    mark = style.good if answer in _GOOD else style.warn if answer is PrecheckAnswer.TO_MEND else style.bad
    yield f"{mark(WORDS[answer])}: {style.plain(verdict_sentence(precheck))}"
    is_sure, how = base_confidence(precheck)
    yield f"{'sure' if is_sure else 'not sure'}: {style.plain(how)}"
    if precheck.verdict.stated is not None:
        yield from stated_lines(precheck.verdict, style)


def _trees(precheck: Precheck, style: Style) -> str:
    matrix = precheck.matrix
    if matrix is None:
        return ""
    # How a merged commit differs from its patch is for 'seriestool rebase': here it would bury the rest.
    merged = "\n".join(" ".join(part.strip() for part in lines[:2]) for lines in merged_lines(matrix, style))
    grid = "\n".join([style.strong("on the trees' tips"), *matrix_lines(matrix, style)])
    return "\n\n".join(filter(None, (grid, merged)))


def _in_the_way(precheck: Precheck, style: Style) -> Iterator[str]:
    """What it builds on, what conflicts on the tree that it is for, or why there is no base."""
    found = precheck.prerequisites
    if found is not None and (needs_of(precheck) or (found.rebuilt is not None and found.rebuilt.matched)):
        yield needs_text(found, precheck.verdict, style)
    if precheck.matrix is None:
        return  # of files that no tree here has, there is no more to say
    if not applies_somewhere(precheck):
        yield obstacles_text(precheck.verdict, style)
    elif answer_of(precheck) is PrecheckAnswer.CONFLICTS and (tree := intended_tree(precheck)):
        yield "\n".join(_conflicts(tree, precheck.matrix, style))


def _conflicts(tree: TreeResult, matrix: Rebase, style: Style) -> Iterator[str]:
    yield style.strong(f"what conflicts on {tree.name}")
    for patch, result in zip(matrix.series.patches, tree.patches, strict=True):
        if not result.is_in:
            yield f"  {style.bad(f'patch {patch.counter}')} {style.plain(patch.subject)}"
            yield from _files(result, matrix, style)
    yield style.faint(f"  'seriestool rebase SERIES --onto {tree.name}' shows the lines")


def _files(result: PatchResult, matrix: Rebase, style: Style) -> Iterator[str]:
    for conflict in result.conflicts[:_MOST_FILES]:
        yield f"    {style.plain(path_text(conflict.path))}: {style.plain(_kind(conflict))}"
        for oid in culprits_of(conflict):
            yield f"      since {style.plain(commit_line(oid, matrix))}"
    if (hidden := len(result.conflicts) - _MOST_FILES) > 0:
        yield f"    and in {count(hidden, 'more file')}"


def _kind(conflict: Conflict) -> str:
    if conflict.follows is not None:
        return f"lines that the conflict of patch {conflict.follows} left open"
    return count(len(conflict.places), "place") if conflict.places else conflict.message or conflict.kind


def culprits_of(conflict: Conflict) -> Sequence[str]:
    """The newest commit behind each place, each once."""
    newest = [oids[0] for oids in (conflict.commits, *(place.commits for place in conflict.places)) if oids]
    return list(dict.fromkeys(newest))[:3]


def _mend(precheck: Precheck, style: Style) -> str:
    if precheck.checks is None:
        return ""
    return f"{style.strong('checks')} (profile {style.plain(precheck.checks.profile)})\n" + findings_text(
        precheck.checks, style
    )


def _who(precheck: Precheck, style: Style) -> str:
    lines = head_lines(precheck.plan, {}, style) if precheck.plan else []
    names = [f"{one.name}: {'; '.join(one.reasons)}" for one in precheck.suggestions[:2]]
    if names and precheck.plan is not None and len(precheck.plan.subseries) == 1:
        lines += [f"  {style.plain(name)}" for name in names]
    return "\n".join([style.strong("who takes it"), *lines]) if lines else ""


def _versions(versions: Sequence[SeriesVersion], style: Style) -> Iterator[str]:
    if len(versions) < 2:
        return
    yield style.strong("versions")
    if len(versions) > _MOST_VERSIONS:
        yield f"  {count(len(versions) - _MOST_VERSIONS, 'older one')}"
    for one in versions[-_MOST_VERSIONS:]:
        mark = "  (this one)" if one.is_this else ""
        size = count(one.patches, "patch", "patches")
        yield style.plain(f"  v{one.version}  {one.posted:%Y-%m-%d}  {size}  <{one.msgid}>{mark}")


def _notes(precheck: Precheck, style: Style) -> Iterator[str]:
    notes = [*precheck.series.remarks, *precheck.verdict.notes, *(precheck.matrix.notes if precheck.matrix else ())]
    yield from (f"note: {style.plain(note)}" for note in notes)
    for counter, which in find_namesakes(precheck):
        yield style.plain(f"note: patch {counter}: {which}")
    for step in precheck.steps:
        if step.problem:
            yield style.warn(f"note: {step.name} could not be done: {step.problem}")


def _times(precheck: Precheck, style: Style) -> Iterator[str]:
    for step in precheck.steps:
        yield style.faint(f"{step.name}: {'kept' if step.is_kept else f'{step.seconds:.2f} s'}")
