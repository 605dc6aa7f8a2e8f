# SPDX-License-Identifier: GPL-2.0-or-later
"""Mailed patches put on and taken off: by context, by the chain of index lines, led by pinned lines."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from seriestool.base.prerequisites.patch_routes import (
    LINE,
    MOST_ROUTES,
    MOST_STEPS,
    PatchMove,
    PatchRoute,
    SearchEffort,
    find_chain,
    find_route,
    moves_of,
    pinned_after,
    pinned_before,
    violations,
)
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


def state(number: int) -> list[bytes]:
    """A file of which each number makes another content."""
    return [b"top\n", b"state %d\n" % number, b"bottom\n"]


def link(before: int, after: int, claims: tuple[str, str] | None = None, digits: int = 12) -> FileDiff:
    """The diff from one state to another; `claims` are other ids for its index line."""
    old, new = claims or (identify(state(before))[:digits], identify(state(after))[:digits])
    text = (
        f"diff --git a/f b/f\nindex {old}..{new} 100644\n--- a/f\n+++ b/f\n"
        f"@@ -1,3 +1,3 @@\n top\n-state {before}\n+state {after}\n bottom\n"
    )
    return parse_diff(text.encode())[0]


def chain(
    wanted: int,
    *diffs: FileDiff,
    versions: Sequence[int] = (0,),
    may_add: bool = True,
    effort: SearchEffort | None = None,
) -> list[tuple[int, bool]] | None:
    moves = moves_of((number, diff, may_add) for number, diff in enumerate(diffs))
    found = find_chain(
        [state(one) for one in versions], moves, identify, identify(state(wanted))[:12], effort or SearchEffort(LARGE)
    )
    if found is None:
        return None
    assert found.lines == state(wanted) == found.stages[-1]
    return [(move.patch, move.is_removal) for move in found.moves]


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_chain_forwards(digits: int) -> None:
    assert chain(2, link(1, 2, digits=digits), link(0, 1, digits=digits)) == [(1, False), (0, False)]


def test_chain_backwards() -> None:
    assert chain(2, link(1, 0), link(2, 1), may_add=False) == [(0, True), (1, True)]


def test_chain_back_and_forth() -> None:
    assert chain(2, link(1, 0), link(1, 2)) == [(0, True), (1, False)]


def test_chain_of_two_hundred() -> None:
    links = [link(n, n + 1) for n in range(200)]
    assert chain(200, *links) == [(n, False) for n in range(200)]


def test_shortest_of_several_chains() -> None:
    assert chain(3, link(0, 1), link(1, 2), link(2, 3), link(0, 3)) == [(3, False)]
    assert chain(3, link(0, 1), link(1, 3), link(7, 3), versions=(0, 7)) == [(2, False)]


def test_no_chain() -> None:
    assert chain(2, link(0, 1), link(3, 2)) is None
    assert chain(2) is None
    assert chain(2, link(0, 2), versions=()) is None


def test_patch_that_may_not_be_put_on() -> None:
    assert chain(1, link(0, 1), may_add=False) is None


@pytest.mark.parametrize("wanted", [3, 9])
def test_cycles_end(wanted: int) -> None:
    effort = SearchEffort(LARGE)
    links = [link(0, 1), link(1, 0), link(1, 2), link(2, 1), link(2, 0), link(0, 2), link(2, 2)]
    assert chain(wanted, *links, effort=effort) is None
    assert effort.tries < 50


def test_cycle_on_the_way_is_no_detour() -> None:
    assert chain(3, link(0, 1), link(1, 0), link(1, 2), link(2, 1), link(2, 3)) == [(0, False), (2, False), (4, False)]


def test_claim_that_the_diff_does_not_keep_is_no_link() -> None:
    wanted, start = identify(state(5))[:12], identify(state(0))[:12]
    assert chain(5, link(0, 1, claims=(start, wanted))) is None
    assert chain(5, link(0, 1, claims=(start, wanted)), link(0, 5)) == [(1, False)]
    assert chain(5, link(0, 1, claims=(start, "abcdef123456")), link(1, 5, claims=("abcdef123456", wanted))) is None


def test_ten_thousand_mails_that_claim_the_blob_are_tried_as_long_as_the_effort_lasts() -> None:
    claims = (identify(state(0))[:12], identify(state(5))[:12])
    effort = SearchEffort(64_000)
    assert chain(5, *(link(0, n + 10, claims=claims) for n in range(10_000)), effort=effort) is None
    assert effort.tries == 64_000 // (4 * 32)
    assert chain(5, link(0, 5), *(link(0, n + 10, claims=claims) for n in range(100))) == [(0, False)]


def test_ids_too_short_to_say_anything_link_nothing() -> None:
    assert chain(1, link(0, 1, digits=4)) is None


def test_chain_that_begins_with_a_new_file() -> None:
    new = identify(state(0))[:12]
    creating = parse_diff(
        f"diff --git a/f b/f\nnew file mode 100644\nindex 000000000000..{new}\n--- /dev/null\n+++ b/f\n"
        "@@ -0,0 +1,3 @@\n+top\n+state 0\n+bottom\n".encode()
    )[0]
    assert chain(1, link(0, 1), creating, versions=()) == [(1, False), (0, False)]


def test_diffs_without_index_lines_link_nothing() -> None:
    plain = parse_diff(b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n top\n-state 0\n+state 1\n bottom\n")[0]
    assert chain(1, plain) is None


def test_route_names_its_start() -> None:
    moves = moves_of([(0, link(7, 8), True)])
    found = find_chain([state(0), state(7)], moves, identify, identify(state(8)), SearchEffort(LARGE))
    assert isinstance(found, PatchRoute)
    assert found.start == 1


def diffs(*hunks: bytes) -> tuple[FileDiff, ...]:
    return parse_diff(b"diff --git a/f b/f\nindex 1111111..2222222 100644\n--- a/f\n+++ b/f\n" + b"".join(hunks))


CHANGE = b"@@ -3,3 +4,3 @@\n three\n-four\n+vier\n five\n"


@pytest.mark.parametrize(
    ("hunks", "before", "after"),
    [
        ([CHANGE], {2: b"three\n", 3: b"four\n", 4: b"five\n"}, {3: b"three\n", 4: b"vier\n", 5: b"five\n"}),
        ([b"@@ -1 +1,2 @@\n+top\n one\n"], {0: b"one\n"}, {0: b"top\n", 1: b"one\n"}),
        ([b"@@ -5,0 +6 @@\n+six\n"], {}, {5: b"six\n"}),
        ([b"@@ -6 +5,0 @@\n-six\n"], {5: b"six\n"}, {}),
        ([b"@@ -0,0 +1 @@\n+one\n"], {}, {0: b"one\n"}),
        (
            [b"@@ -2 +2 @@\n-two\n\\ No newline at end of file\n+two\n"],
            {1: b"two"},
            {1: b"two\n"},
        ),
        ([b"@@ -1 +1 @@\n-a\r\n+b\r\n"], {0: b"a\r\n"}, {0: b"b\r\n"}),
        ([], {}, {}),
    ],
)
def test_each_old_and_new_line_is_pinned_at_its_place(
    hunks: list[bytes], before: dict[int, bytes], after: dict[int, bytes]
) -> None:
    found = diffs(*hunks) if hunks else ()
    assert pinned_before(found) == before
    assert pinned_after(found) == after


def test_violations_are_counted_line_by_line() -> None:
    pins = {0: b"one\n", 1: b"two\n", 9: b"ten\n"}
    assert violations([b"one\n", b"two\n"], pins) == 1
    assert violations([b"one\n", b"zwei\n"], pins) == 2
    assert violations([], pins) == 3
    assert violations([b"anything\n"], {}) == 0


def test_pins_that_contradict_each_other_keep_one() -> None:
    other = diffs(b"@@ -3 +3 @@\n-drei\n+3\n")
    assert pinned_before((*diffs(CHANGE), *other))[2] in (b"three\n", b"drei\n")
