# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams that wait for each other are parted, whatever the needs are."""

from hypothesis import given
from hypothesis import strategies as st

from seriestool.split.dependency_graph import PatchGroup, break_cycles, order_groups, transitive_needs
from seriestool.split.destination import Flavour
from tests.support.split_series import needs

A, B, C = (PatchGroup(name, Flavour.NEXT) for name in "abc")
OPEN = PatchGroup(None, Flavour.NEXT, ("a", "b"))


def test_needs_go_by_way_of_others() -> None:
    assert transitive_needs((1, 2, 3), [*needs(3, 2), *needs(2, 1), *needs(9, 1), *needs(1, 1)]) == {
        1: frozenset(), 2: {1}, 3: {1, 2},
    }  # fmt: skip


def test_without_a_cycle_nothing_moves() -> None:
    patch_groups = {1: A, 2: B, 3: B}
    assert break_cycles(patch_groups, transitive_needs(patch_groups, needs(2, 1)), {}) == (patch_groups, ())


def test_the_one_that_owns_most_takes_what_it_needs() -> None:
    patch_groups = {1: A, 2: B, 3: A, 4: B, 5: A}
    found, (cycle,) = break_cycles(
        patch_groups, transitive_needs(patch_groups, [*needs(2, 1), *needs(3, 2), *needs(4, 3)]), {}
    )
    assert found == {1: A, 2: A, 3: A, 4: B, 5: A}
    assert (cycle.through, cycle.moved, set(cycle.patch_groups)) == (A, (2,), {A, B})


def test_changes_decide_between_equals_and_an_undecided_one_never_wins() -> None:
    patch_groups = {1: A, 2: B, 3: A, 4: B}
    ties = transitive_needs(patch_groups, [*needs(2, 1), *needs(3, 2)])
    assert break_cycles(patch_groups, ties, {2: 5.0})[1][0].through == B
    patch_groups = {1: OPEN, 2: A, 3: OPEN}
    found, (cycle,) = break_cycles(patch_groups, transitive_needs(patch_groups, [*needs(2, 1), *needs(3, 2)]), {})
    assert (cycle.through, found) == (A, {1: A, 2: A, 3: OPEN})


@given(
    st.lists(st.sampled_from([A, B, C, OPEN]), max_size=12),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=30),
)
def test_no_two_streams_wait_for_each_other(kinds: list[PatchGroup], pairs: list[tuple[int, int]]) -> None:
    patch_groups = dict(enumerate(kinds, 1))
    ties = transitive_needs(patch_groups, [one for a, b in pairs if a > b for one in needs(a, b)])
    found, cycles = break_cycles(patch_groups, ties, {})
    order = order_groups(found, ties)
    assert set(order) == set(found.values())
    assert all(order.index(found[need]) <= order.index(found[n]) for n in found for need in ties[n])
    assert {n for n in found if found[n] != patch_groups[n]} <= {n for cycle in cycles for n in cycle.moved}
