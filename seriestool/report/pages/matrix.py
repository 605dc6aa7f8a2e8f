# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches x trees as cells with a word in each, and the reasons that the cells lead to."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from seriestool.base.verdict import CommitSummary
from seriestool.rebase.conflict_regions import ConflictRegion
from seriestool.rebase.rebase_result import Conflict, ConflictPlace, OutcomeReason, PatchResult, Rebase, TreeResult
from seriestool.report.failure_text import failure_place, lines_of
from seriestool.report.rebase_text import conflict_key, merge_text, tree_sum
from seriestool.series.model import Outcome, Patch, PatchFailure, path_text
from seriestool.util.text import count

MOST_REASONS = 200
"""Told in full; of the others there is a line each."""
_MOST_FILES = 30
_MOST_PLACES = 10
_MOST_LINES = 12
_LONGEST = 400  # of a line, in characters


class CellKind(Struct, frozen=True):
    """What a cell says: its colour's name, its mark and its word."""

    name: str
    mark: str
    word: str
    legend: str


_KINDS = {
    OutcomeReason.PLAIN: CellKind("ok", "+", "applies", "every hunk at its line"),
    OutcomeReason.OFFSET: CellKind("ok", "~", "moved", "plain git apply takes it, hunks moved"),
    OutcomeReason.THREE_WAY: CellKind("merge", "3", "3-way", "plain git apply refuses it, a three-way merge takes it"),
    OutcomeReason.RESOLVED: CellKind(
        "merge", "r", "resolved", "a conflict that a person resolved before in the same way"
    ),
    OutcomeReason.BY_HAND: CellKind("merge", "r", "by hand", "a person resolved the conflict"),
    OutcomeReason.SKIPPED: CellKind("none", "-", "left out", "a person left it out"),
    OutcomeReason.PATCH_ID: CellKind("there", "=", "merged", "a commit of the tree makes the very same changes"),
    OutcomeReason.REVERSE: CellKind("there", "=", "merged", "the tree has it: it can be taken off again"),
    OutcomeReason.MERGE: CellKind("there", "=", "merged", "merged in, it changes nothing"),
    OutcomeReason.SUBJECT: CellKind(
        "there", "=", "merged, differs", "a commit of its subject and author makes other changes"
    ),
    OutcomeReason.NO_DIFF: CellKind("none", "0", "empty", "the mail has no diff"),
    OutcomeReason.CONFLICT: CellKind("bad", "x", "conflict", "the merge stops"),
    OutcomeReason.NO_BASE: CellKind(
        "bad", "x", "no base", "it does not apply, and there is nothing known to merge it from"
    ),
}


class MatrixCell(Struct, frozen=True):
    """OutcomeReason a patch fares on a tree."""

    kind: CellKind
    more: str
    """What the word leaves open: '2 hunks', '3 places'."""
    anchor: str | None
    """Of the reason; None where there is no more to say."""


class MatrixColumn(Struct, frozen=True):
    """A tree."""

    name: str
    onto: str
    sum: str
    is_clean: bool


class MatrixRow(Struct, frozen=True):
    """A patch."""

    counter: int
    subject: str
    cells: tuple[MatrixCell, ...]


class CommitView(Struct, frozen=True):
    """A commit that made a tree's lines what they are."""

    tree: str
    oid: str
    commit: CommitSummary | None
    is_first: bool


class ConflictSide(Struct, frozen=True):
    """One of the three versions of a place."""

    title: str
    lines: tuple[str, ...]
    left_out: int


class ConflictPlaceView(Struct, frozen=True, kw_only=True):
    """A place in conflict."""

    where: str
    before: tuple[str, ...]
    sides: tuple[ConflictSide, ...]
    after: tuple[str, ...]
    since: tuple[CommitView, ...]


class FileConflictView(Struct, frozen=True, kw_only=True):
    """A file in conflict."""

    path: bytes
    said: str
    since: tuple[CommitView, ...]
    spots: tuple[ConflictPlaceView, ...]
    left_out: int


class CellReason(Struct, frozen=True):
    """What is behind cells that say the same of a patch."""

    anchor: str
    kind: CellKind
    counter: int
    subject: str
    trees: tuple[str, ...]
    merged: tuple[CommitView, ...] = ()
    range_diff: str | None = None
    resolved: tuple[bytes, ...] = ()
    parts: tuple[FileConflictView, ...] = ()
    left_out: int = 0
    failure: str | None = None
    lines: tuple[str, ...] = ()
    is_short: bool = False
    """There are so many that this one is not told in full."""


class MatrixView(Struct, frozen=True, kw_only=True):
    """The grid, the kinds that occur in it, and the reasons in the order of the patches."""

    columns: tuple[MatrixColumn, ...]
    rows: tuple[MatrixRow, ...]
    legend: tuple[CellKind, ...]
    reasons: tuple[CellReason, ...]
    merges: tuple[tuple[str, str, str], ...]
    """(tree, other tree, what came of it) of the test merges."""
    notes: tuple[str, ...]


def view_matrix(answer: Rebase) -> MatrixView:
    """The grid of the answer."""
    reasons: list[CellReason] = []
    rows = []
    for n, patch in enumerate(answer.series.patches):
        results = [(tree, tree.patches[n]) for tree in answer.trees]
        groups = _groups(results)
        anchors: dict[str, str] = {}
        for group in groups:
            anchor = f"why-{patch.counter}-{len(anchors) + 1}"
            anchors.update(dict.fromkeys((tree.name for tree, _ in group), anchor))
            reasons.append(
                _reason(anchor=anchor, patch=patch, group=group, answer=answer, is_short=len(reasons) >= MOST_REASONS)
            )
        cells = tuple(_cell(result, anchors.get(tree.name)) for tree, result in results)
        rows.append(MatrixRow(patch.counter, patch.subject, cells))
    kinds = dict.fromkeys(cell.kind for row in rows for cell in row.cells)
    return MatrixView(
        columns=tuple(MatrixColumn(tree.name, tree.onto, tree_sum(tree), tree.is_clean) for tree in answer.trees),
        rows=tuple(rows),
        legend=tuple(kind for kind in _KINDS.values() if kind in kinds),
        reasons=tuple(reasons),
        merges=tuple((tree.name, one.tree, merge_text(one)) for tree in answer.trees for one in tree.test_merges),
        notes=answer.notes,
    )


_Group = list[tuple[TreeResult, PatchResult]]


def _groups(results: Sequence[tuple[TreeResult, PatchResult]]) -> list[_Group]:
    """The trees of which there is more to say than the word does, those together of which it is the same."""
    groups: dict[tuple[object, ...], _Group] = {}
    for tree, result in results:
        if result.conflicts or result.failure or result.merged_as or result.resolved:
            alike = result.how, tuple(map(conflict_key, result.conflicts)), result.merged_as, result.resolved
            groups.setdefault(alike, []).append((tree, result))
    return list(groups.values())


def _cell(result: PatchResult, anchor: str | None) -> MatrixCell:
    more = ""
    if result.how is OutcomeReason.CONFLICT:
        more = count(sum(len(one.places) or 1 for one in result.conflicts), "place")
    elif result.how is OutcomeReason.OFFSET:
        more = count(result.offsets, "hunk")
    return MatrixCell(_KINDS[result.how], more, anchor)


def _reason(anchor: str, patch: Patch, group: _Group, answer: Rebase, is_short: bool) -> CellReason:
    tree, result = group[0]
    names = tuple(one.name for one, _ in group)
    kind = _KINDS[result.how]
    if is_short:
        return CellReason(
            anchor=anchor, kind=kind, counter=patch.counter, subject=patch.subject, trees=names, is_short=True
        )
    merged = result.merged_as if result.outcome is Outcome.ALREADY_MERGED else None
    alike = list(zip(*(one.conflicts for _, one in group), strict=True))
    failure, lines = _failure(result.failure)
    return CellReason(
        anchor=anchor,
        kind=kind,
        counter=patch.counter,
        subject=patch.subject,
        trees=names,
        merged=(CommitView(tree.name, merged, answer.commit(merged), True),) if merged else (),
        range_diff=result.range_diff,
        resolved=result.resolved,
        parts=tuple(_part(conflicts, names, answer) for conflicts in alike[:_MOST_FILES]),
        left_out=max(len(alike) - _MOST_FILES, 0),
        failure=failure,
        lines=lines,
    )


def _failure(failure: PatchFailure | None) -> tuple[str | None, tuple[str, ...]]:
    if failure is None:
        return None, ()
    return failure_place(failure), tuple(line.removeprefix("      ")[:_LONGEST] for line in lines_of(failure))


def _part(alike: Sequence[Conflict], names: Sequence[str], answer: Rebase) -> FileConflictView:
    """One file in conflict, the same on all the trees called `names`."""
    conflict = alike[0]
    spots = list(zip(*(one.places for one in alike), strict=True))
    return FileConflictView(
        path=conflict.path,
        said=_said(conflict),
        since=tuple(
            since for name, one in zip(names, alike, strict=True) for since in _since(name, one.commits, answer)
        ),
        spots=tuple(_spot(places, names, answer) for places in spots[:_MOST_PLACES]),
        left_out=max(len(spots) - _MOST_PLACES, 0),
    )


def _said(conflict: Conflict) -> str:
    if conflict.follows is not None:
        return f"lines that the conflict of patch {conflict.follows} left open"
    if conflict.places:
        return ""
    said = conflict.message or conflict.kind
    return said.removeprefix(path_text(conflict.path)).lstrip(": ") or conflict.kind


def _spot(places: Sequence[ConflictPlace], names: Sequence[str], answer: Rebase) -> ConflictPlaceView:
    hunk = f"hunk {places[0].hunk}, " if places[0].hunk else ""
    numbers = " / ".join(dict.fromkeys(str(one.line) for one in places))
    region: ConflictRegion = places[0].region
    return ConflictPlaceView(
        where=f"{hunk}line {numbers} of the tree",
        before=tuple(map(_line, region.before[-2:])),
        sides=tuple(
            ConflictSide(title, tuple(map(_line, lines[:_MOST_LINES])), max(len(lines) - _MOST_LINES, 0))
            for title, lines in (
                ("the series was made from", region.expected),
                ("the tree has", region.tree),
                ("the series wants", region.series),
            )
        ),
        after=tuple(map(_line, region.after[:2])),
        since=tuple(
            since for name, one in zip(names, places, strict=True) for since in _since(name, one.commits, answer)
        ),
    )


def _since(name: str, commits: Sequence[str], answer: Rebase) -> Iterator[CommitView]:
    for number, oid in enumerate(commits):
        yield CommitView(name, oid, answer.commit(oid), number == 0)


def _line(line: bytes) -> str:
    text = line.rstrip(b"\r\n").decode("utf-8", "replace")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\u2026"
