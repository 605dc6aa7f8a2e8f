# SPDX-License-Identifier: GPL-2.0-or-later
"""The grid, and what is behind its cells."""

from msgspec.structs import replace

from seriestool.rebase.rebase_result import Conflict, OutcomeReason, PatchResult, Rebase, TestMerge, TreeResult
from seriestool.report.pages.matrix import MOST_REASONS, view_matrix
from seriestool.series.model import Outcome
from tests.support.pages import made_conflict, made_patch, made_precheck, made_series, oid


def made(count: int = 5, trees: int = 4) -> Rebase:
    matrix = made_precheck(made_series(*(made_patch(n, f"net: part {n}") for n in range(1, count + 1))), trees).matrix
    assert matrix is not None
    return matrix


def test_each_outcome_has_its_word_and_what_it_leaves_open() -> None:
    seen = view_matrix(made())
    words = [[f"{cell.kind.mark} {cell.kind.word} {cell.more}".strip() for cell in row.cells] for row in seen.rows]
    assert words[0] == ["+ applies", "3 3-way", "= merged, differs", "x no base"]
    assert words[1] == ["+ applies", "x conflict 1 place", "~ moved 2 hunks", "x no base"]
    assert [column.sum for column in seen.columns] == ["all in", "3 of 5", "all in", "0 of 5"]
    assert [kind.word for kind in seen.legend] == [
        "applies",
        "moved",
        "3-way",
        "merged, differs",
        "conflict",
        "no base",
    ]


def test_cells_with_more_to_say_lead_to_reasons_that_are_there() -> None:
    seen = view_matrix(made())
    anchors = [cell.anchor for row in seen.rows for cell in row.cells if cell.anchor]
    assert set(anchors) == {reason.anchor for reason in seen.reasons}
    assert seen.rows[0].cells[0].anchor is None


def test_the_same_conflict_on_several_trees_is_told_once() -> None:
    matrix = made(2, 2)
    result = PatchResult(
        1, Outcome.CONFLICT, OutcomeReason.CONFLICT, conflicts=(made_conflict(matrix.series.patches[0]),)
    )
    moved = replace(result.conflicts[0].places[0], line=99, commits=(oid(2),))
    other = replace(result, conflicts=(replace(result.conflicts[0], places=(moved,)),))
    fine = PatchResult(2, Outcome.UNMODIFIED, OutcomeReason.PLAIN)
    trees = (TreeResult("one", oid(1), (result, fine), ()), TreeResult("two", oid(2), (other, fine), ()))
    seen = view_matrix(replace(matrix, trees=trees))
    assert [(reason.counter, reason.trees) for reason in seen.reasons] == [(1, ("one", "two"))]
    spot = seen.reasons[0].parts[0].spots[0]
    assert spot.where == "hunk 1, line 12 / 99 of the tree"
    assert [(since.tree, since.oid) for since in spot.since] == [("one", oid(1)), ("two", oid(2))]
    assert seen.rows[0].cells[0].anchor == seen.rows[0].cells[1].anchor


def test_conflicts_without_places_say_what_git_said() -> None:
    matrix = made(1, 1)
    conflicts = (
        Conflict(b"a.c", "modify/delete", "a.c: deleted in the tree and modified by the patch", commits=(oid(1),)),
        Conflict(b"b.c", "contents", "", follows=3),
    )
    result = PatchResult(1, Outcome.CONFLICT, OutcomeReason.CONFLICT, conflicts=conflicts)
    seen = view_matrix(replace(matrix, trees=(TreeResult("one", oid(1), (result,), ()),)))
    first, second = seen.reasons[0].parts
    assert first.said == "deleted in the tree and modified by the patch"
    assert [since.commit.subject for since in first.since if since.commit] == ["net: change what they compute"]
    assert second.said == "lines that the conflict of patch 3 left open"
    assert seen.rows[0].cells[0].more == "2 places"


def test_long_sides_are_cut() -> None:
    matrix = made(1, 1)
    conflict = made_conflict(matrix.series.patches[0])
    region = replace(conflict.places[0].region, tree=tuple(b"x" * 900 + b"\n" for _ in range(100)))
    conflict = replace(conflict, places=tuple(replace(conflict.places[0], region=region) for _ in range(50)))
    result = PatchResult(1, Outcome.CONFLICT, OutcomeReason.CONFLICT, conflicts=(conflict,) * 90)
    reason = view_matrix(replace(matrix, trees=(TreeResult("one", oid(1), (result,), ()),))).reasons[0]
    side = reason.parts[0].spots[0].sides[1]
    assert (len(side.lines), side.left_out) == (12, 88)
    assert all(len(line) <= 401 for line in side.lines)
    assert (len(reason.parts[0].spots), reason.parts[0].left_out) == (10, 40)
    assert (len(reason.parts), reason.left_out) == (30, 60)


def test_many_reasons_become_short() -> None:
    seen = view_matrix(made(300))
    assert len(seen.reasons) > MOST_REASONS
    assert [reason.is_short for reason in seen.reasons].index(True) == MOST_REASONS
    assert all(cell.anchor for row in seen.rows for cell in row.cells if cell.kind.name == "bad")


def test_test_merges_are_told() -> None:
    matrix = made(1, 1)
    merges = (TestMerge("other", oid(5), ()), TestMerge("third", oid(6), (b"a.c",)), TestMerge("x", oid(7), (), "gone"))
    seen = view_matrix(replace(matrix, trees=(replace(matrix.trees[0], test_merges=merges),)))
    assert seen.merges == (
        ("net-next", "other", "merges"),
        ("net-next", "third", "conflicts in a.c"),
        ("net-next", "x", "not tried: gone"),
    )
