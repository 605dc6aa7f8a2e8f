# SPDX-License-Identifier: GPL-2.0-or-later
"""Mailed patches put on and taken off by context."""

from collections.abc import Sequence
from dataclasses import replace

from seriestool.base.prerequisites.patch_routes import (
    MOST_ROUTES,
    MOST_STEPS,
    PatchMove,
    PatchRoute,
    find_route,
    moves_of,
)
from seriestool.base.prerequisites.search_effort import LINE, SearchEffort
from seriestool.series.binary import blob_oid
from seriestool.series.diff import parse_diff
from seriestool.series.model import FileDiff

TEXT = [b"%d\n" % n for n in range(1, 101)]
LARGE = 100_000_000


def identify(lines: Sequence[bytes]) -> str:
    return blob_oid(b"".join(lines), 40)


def change(at: int, new: bytes, old: bytes | None = None) -> FileDiff:
    """A diff that changes one line, with the line before and the one after it as context."""
    before, after = TEXT[at - 2], TEXT[at]
    hunk = b"@@ -%d,3 +%d,3 @@\n %s-%s+%s %s" % (at - 1, at - 1, before, old or TEXT[at - 1], new, after)
    return parse_diff(b"diff --git a/f b/f\nindex 1111111..2222222 100644\n--- a/f\n+++ b/f\n" + hunk)[0]


def changed(**words: bytes) -> list[bytes]:
    """TEXT with other lines: `changed(_5=b"five\\n")`."""
    lines = list(TEXT)
    for name, word in words.items():
        lines[int(name[1:]) - 1] = word
    return lines


def route_to(
    wanted: list[bytes], *diffs: FileDiff, versions: Sequence[list[bytes]] = (TEXT,), may_add: bool = True,
    effort: SearchEffort | None = None,
) -> PatchRoute | None:  # fmt: skip
    moves = moves_of((number, diff, may_add) for number, diff in enumerate(diffs))
    return find_route(
        versions, moves, dict(enumerate(wanted)), identify, identify(wanted), effort or SearchEffort(LARGE)
    )


def steps(route: PatchRoute | None) -> list[tuple[int, bool]] | None:
    return route and [(move.patch, move.is_removal) for move in route.moves]


def test_several_patches_in_the_order_that_applies() -> None:
    wanted = changed(_5=b"V\n", _9=b"nine\n")
    found = route_to(wanted, change(5, b"V\n", b"five\n"), change(9, b"nine\n"), change(5, b"five\n"))
    assert sorted(steps(found) or []) == [(0, False), (1, False), (2, False)]
    assert found is not None
    assert identify(found.stages[-1]) == identify(wanted) == identify(found.lines)
    assert len(found.stages) == 3


def test_patches_taken_off_and_others_put_on() -> None:
    found = route_to(
        changed(_9=b"nine\n"), change(5, b"five\n"), change(9, b"nine\n"), versions=[changed(_5=b"five\n")]
    )
    assert sorted(steps(found) or []) == [(0, True), (1, False)]


def test_version_that_is_nearest_is_the_start() -> None:
    found = route_to(changed(_9=b"nine\n"), change(9, b"nine\n"), versions=[changed(_50=b"far\n"), TEXT])
    assert found is not None and found.start == 1


def test_patch_that_may_not_be_put_on_is_only_taken_off() -> None:
    assert route_to(changed(_9=b"nine\n"), change(9, b"nine\n"), may_add=False) is None
    assert steps(route_to(TEXT, change(9, b"nine\n"), versions=[changed(_9=b"nine\n")], may_add=False)) == [(0, True)]


def test_patch_is_not_put_on_twice_nor_taken_off_again() -> None:
    adding = parse_diff(b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -100 +100,2 @@\n 100\n+100\n")[0]
    assert route_to([*TEXT, b"100\n", b"100\n"], adding) is None
    assert steps(route_to([*TEXT, b"100\n"], adding)) == [(0, False)]


def test_two_patches_that_undo_each_other_end() -> None:
    effort = SearchEffort(LARGE)
    there, back = change(5, b"five\n"), change(5, b"5\n", b"five\n")
    assert route_to(changed(_7=b"never\n"), there, back, effort=effort) is None
    assert effort.tries < 20


def test_as_many_steps_as_are_allowed_and_no_more() -> None:
    lines = range(5, 5 * MOST_STEPS + 10, 5)
    words = {f"_{at}": b"%d!\n" % at for at in lines}
    diffs = [change(at, b"%d!\n" % at) for at in lines]
    assert len(diffs) == MOST_STEPS + 1
    assert route_to(changed(**words), *diffs) is None
    del words["_5"]
    assert len(steps(route_to(changed(**words), *diffs)) or []) == MOST_STEPS


def test_ten_thousand_mails_that_do_not_fit_cost_no_try() -> None:
    effort = SearchEffort(LARGE)
    diffs = [change(5, b"word %d\n" % n, b"not there %d\n" % n) for n in range(10_000)]
    assert route_to(changed(_5=b"never\n"), *diffs, effort=effort) is None
    assert effort.tries == 0


def test_ten_thousand_mails_that_fit_are_tried_as_long_as_the_effort_lasts() -> None:
    effort = SearchEffort(3_000 * 101 * LINE)
    diffs = [change(5, b"word %d\n" % n) for n in range(10_000)]
    assert route_to(changed(_5=b"never\n"), *diffs, effort=effort) is None
    assert 3_000 <= effort.tries <= 3_001


def test_mails_that_fit_in_any_order_are_no_endless_search() -> None:
    effort = SearchEffort(10**12)
    diffs = [change(at, b"%d!\n" % at) for at in range(3, 93, 3)]
    assert route_to(changed(_99=b"never\n"), *diffs, effort=effort) is None
    assert effort.tries <= MOST_ROUTES * 2 * len(diffs)


def test_huge_hunk_is_one_try_at_most() -> None:
    effort = SearchEffort(LARGE)
    body = b"".join(b"-old %d\n+new %d\n" % (n, n) for n in range(50_000))
    huge = parse_diff(b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,50000 +1,50000 @@\n" + body)[0]
    assert route_to(changed(_5=b"five\n"), huge, change(5, b"five\n"), effort=effort) is not None
    assert effort.tries == 1


def test_file_is_created_only_where_there_is_none() -> None:
    creating = parse_diff(
        b"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+1\n+2\n"
    )[0]
    more = parse_diff(b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -2 +2 @@\n-2\n+two\n")[0]
    found = route_to([b"1\n", b"two\n"], more, creating, versions=[])
    assert (steps(found), found and found.start) == ([(1, False), (0, False)], None)
    assert route_to([b"1\n", b"2\n", b"1\n", b"2\n"], creating, versions=[[b"1\n", b"2\n"]]) is None


def test_empty_file_and_no_file_are_not_the_same() -> None:
    creating = parse_diff(b"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+1\n")[0]
    filling = replace(creating, kind=change(1, b"x\n").kind, old_path=b"f")
    assert steps(route_to([b"1\n"], filling, versions=[[]])) == [(0, False)]
    assert route_to([b"1\n"], filling, versions=[]) is None


def test_deletion_leaves_nothing_to_go_on_with() -> None:
    body = b"".join(b"-" + line for line in TEXT)
    gone = parse_diff(
        b"diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1,100 +0,0 @@\n" + body
    )[0]
    assert route_to([], gone) is None
    assert steps(route_to(TEXT, gone, versions=[])) == [(0, True)]


def test_moves_know_the_lines_that_they_need() -> None:
    moves: list[PatchMove] = moves_of([(0, change(5, b"five\n"), True)])
    assert [(move.is_removal, move.needs) for move in moves] == [
        (True, {b"4\n", b"five\n", b"6\n"}),
        (False, {b"4\n", b"5\n", b"6\n"}),
    ]
