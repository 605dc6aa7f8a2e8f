# SPDX-License-Identifier: GPL-2.0-or-later
"""Chains of patches that index lines link, and mails that lie in their index lines."""

from collections.abc import Sequence

import pytest

from seriestool.base.prerequisites.index_line_chains import find_chain
from seriestool.base.prerequisites.patch_routes import PatchRoute, moves_of
from seriestool.base.prerequisites.search_effort import SearchEffort
from seriestool.series.binary import blob_oid
from seriestool.series.diff import parse_diff
from seriestool.series.model import FileDiff

LARGE = 100_000_000


def identify(lines: Sequence[bytes]) -> str:
    return blob_oid(b"".join(lines), 40)


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
