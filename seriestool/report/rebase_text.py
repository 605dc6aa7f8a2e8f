# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer of rebase for people: the table first, then each conflict with all that it takes to judge it."""

from collections.abc import Iterator, Sequence

from seriestool.base.verdict import CommitSummary
from seriestool.rebase.conflict_regions import ConflictRegion
from seriestool.rebase.patch_stack import BaseKind
from seriestool.rebase.rebase_result import Conflict, OutcomeReason, PatchResult, Rebase, TestMerge, TreeResult
from seriestool.report.failure_text import failure_place, lines_of
from seriestool.report.style import Style
from seriestool.report.table import table
from seriestool.report.terminal import printable_line
from seriestool.series.model import Outcome, Patch, path_text
from seriestool.util.text import count

_SHORT = 12
_MOST_LINES = 12
_HOW = {
    OutcomeReason.PLAIN: "",
    OutcomeReason.NO_DIFF: "",
    OutcomeReason.CONFLICT: "",
    OutcomeReason.NO_BASE: "no base",
    OutcomeReason.THREE_WAY: "3-way",
    OutcomeReason.OFFSET: "offset",
    OutcomeReason.RESOLVED: "resolved",
    OutcomeReason.BY_HAND: "by hand",
    OutcomeReason.SKIPPED: "skipped",
    OutcomeReason.PATCH_ID: "patch-id",
    OutcomeReason.REVERSE: "reverse",
    OutcomeReason.MERGE: "merge",
    OutcomeReason.SUBJECT: "subject",
}


def rebase_text(answer: Rebase, style: Style) -> str:
    """The whole answer; paragraphs are separated by empty lines."""
    paragraphs = [
        _heading(answer, style),
        matrix_lines(answer, style),
        *merged_lines(answer, style),
        *_conflicts(answer, style),
        _test_merges(answer, style),
        [f"note: {style.plain(note)}" for note in answer.notes],
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def _heading(answer: Rebase, style: Style) -> list[str]:
    series = answer.series
    version = f"v{series.version} " if series.version > 1 else ""
    return [style.strong(f"{version}{series.subject}"), _from(answer, style)]


def _from(answer: Rebase, style: Style) -> str:
    base = answer.base
    if base is None:
        return style.warn("base: not known; patches are tried as they are, with nothing to merge from")
    name = _name(base.commit, answer)
    share = f"{base.matched} of {base.expected} paths as the series names them"
    if base.footing is BaseKind.EXACT:
        return style.plain(f"base: {name}, exact")
    if base.footing is BaseKind.REBUILT:
        files = count(base.put_in, "file")
        return style.plain(f"base: rebuilt on {name} with {files} put in, {share}")
    if base.footing is BaseKind.APPLIES:
        return style.plain(f"base: {name}, on which all patches apply, {share}")
    return style.warn(f"base: {name} as given, though patches do not apply there, {share}")


def matrix_lines(answer: Rebase, style: Style) -> list[str]:
    """Patches x trees."""
    heads = [("", *(tree.name for tree in answer.trees)), ("", *(tree.onto[:_SHORT] for tree in answer.trees))]
    rows = [
        (f"{patch.counter:>3}", *(outcome_text(tree.patches[n]) for tree in answer.trees), patch.subject)
        for n, patch in enumerate(answer.series.patches)
    ]
    sums = ("", *(tree_sum(tree) for tree in answer.trees))
    return table([*heads, *rows, sums], style)


def outcome_text(result: PatchResult) -> str:
    """OutcomeReason a patch fared, in two words or three."""
    how = _HOW[result.how]
    if result.outcome is Outcome.CONFLICT and result.how is OutcomeReason.CONFLICT:
        places = sum(len(conflict.places) or 1 for conflict in result.conflicts)
        how = f"{places} in {count(len(result.conflicts), 'file')}"
    return f"{result.outcome} {how}".rstrip()


def tree_sum(tree: TreeResult) -> str:
    """OutcomeReason many of the patches are in, in words."""
    skipped = sum(result.how is OutcomeReason.SKIPPED for result in tree.patches)
    fine = sum(result.is_in for result in tree.patches) - skipped
    count_in = "all in" if fine == len(tree.patches) else f"{fine} of {len(tree.patches)}"
    return f"{count_in}, {skipped} left out" if skipped else count_in


def merged_lines(answer: Rebase, style: Style) -> Iterator[list[str]]:
    """As which commits patches are merged already."""
    for patch, results in _by_patch(answer):
        for tree, result in results:
            if result.outcome is not Outcome.ALREADY_MERGED or result.merged_as is None:
                continue
            same = "with the same changes" if result.how is OutcomeReason.PATCH_ID else f"({result.how})"
            lines = [f"patch {patch.counter} is in {tree.name} {same} as", f"  {commit_line(result.merged_as, answer)}"]
            diff = [f"    {line}" for line in (result.range_diff or "").splitlines()]
            yield [style.plain(line) for line in [*lines, *diff]]


def _conflicts(answer: Rebase, style: Style) -> Iterator[list[str]]:
    """Each conflict once, with all trees in which it is the same."""
    for patch, results in _by_patch(answer):
        groups: dict[tuple[object, ...], list[tuple[TreeResult, PatchResult]]] = {}
        for tree, result in results:
            if result.outcome is Outcome.CONFLICT:
                groups.setdefault(tuple(map(conflict_key, result.conflicts)), []).append((tree, result))
        for group in groups.values():
            names = ", ".join(tree.name for tree, _ in group)
            yield [style.bad(f"patch {patch.counter} conflicts on {names}: {patch.subject}")]
            for alike in zip(*(result.conflicts for _, result in group), strict=True):
                yield list(_conflict(alike, [tree.name for tree, _ in group], answer, style))
            if (failure := group[0][1].failure) is not None:
                yield [style.plain(f"  {failure_place(failure)}"), *lines_of(failure)]


def conflict_key(conflict: Conflict) -> tuple[object, ...]:
    """What makes two conflicts the same to a reader: not at which line, nor which commit is behind it."""
    texts = tuple((place.region.expected, place.region.tree, place.region.series) for place in conflict.places)
    return conflict.path, conflict.kind, conflict.follows, texts


def _conflict(alike: Sequence[Conflict], names: Sequence[str], answer: Rebase, style: Style) -> Iterator[str]:
    """One file in conflict, the same on all the trees called `names`."""
    conflict = alike[0]
    path = path_text(conflict.path)
    if conflict.follows is not None:
        yield style.plain(f"  {path}: lines that the conflict of patch {conflict.follows} left open")
        return
    if not conflict.places:
        said = conflict.message or conflict.kind
        yield style.plain(f"  {said}" if said.startswith(path) else f"  {path}: {said}")
    for name, one in zip(names, alike, strict=True):
        yield from (style.plain(line) for line in _since(name, one.commits, answer))
    for places in zip(*(one.places for one in alike), strict=True):
        hunk = f" hunk {places[0].hunk}" if places[0].hunk else ""
        lines = dict.fromkeys(str(place.line) for place in places)
        yield style.plain(f"  {path}{hunk}, line {' / '.join(lines)} of the tree")
        yield from (f"      {line}" for line in _region(places[0].region))
        for name, here in zip(names, places, strict=True):
            yield from (style.plain(line) for line in _since(name, here.commits, answer))


def _since(name: str, commits: Sequence[str], answer: Rebase) -> Iterator[str]:
    for number, oid in enumerate(commits):
        yield f"    {'and before that' if number else f'in {name} since'} {commit_line(oid, answer)}"


def _region(region: ConflictRegion) -> Iterator[str]:
    yield from _lines(" ", region.before[-2:])
    for title, lines in (
        ("the series was made from", region.expected),
        ("the tree has", region.tree),
        ("the series wants", region.series),
    ):
        yield f"--- {title}" + ("" if lines else " nothing here")
        yield from _lines("|", lines)
    yield "---"
    yield from _lines(" ", region.after[:2])


def _lines(mark: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines[:_MOST_LINES]:
        yield f"{mark} {printable_line(line.rstrip(bytes((10, 13))).decode('utf-8', 'replace'))}".rstrip()
    if len(lines) > _MOST_LINES:
        yield f"{mark} ... {count(len(lines) - _MOST_LINES, 'more line')}"


def _test_merges(answer: Rebase, style: Style) -> list[str]:
    rows = [(tree.name, merge.tree, merge_text(merge)) for tree in answer.trees for merge in tree.test_merges]
    return ["the rebased series merged with other trees", *table(rows, style)] if rows else []


def merge_text(merge: TestMerge) -> str:
    """What came of a test merge."""
    if merge.problem:
        return f"not tried: {merge.problem}"
    return f"conflicts in {', '.join(map(path_text, merge.paths))}" if merge.paths else "merges"


def _by_patch(answer: Rebase) -> Iterator[tuple[Patch, list[tuple[TreeResult, PatchResult]]]]:
    for n, patch in enumerate(answer.series.patches):
        yield patch, [(tree, tree.patches[n]) for tree in answer.trees]


def _name(oid: str, answer: Rebase) -> str:
    commit = answer.commit(oid)
    return f"{oid[:_SHORT]} ({commit.subject})" if commit else oid[:_SHORT]


def commit_line(oid: str, answer: Rebase) -> str:
    """A commit with its subject, author and date."""
    commit: CommitSummary | None = answer.commit(oid)
    if commit is None:
        return oid[:_SHORT]
    link = f" {commit.link}" if commit.link else ""
    return f"{oid[:_SHORT]} {commit.subject} ({commit.author}, {commit.date:%Y-%m-%d}){link}"
