# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes now, what goes after what, and through whom."""

import json
import time

import pytest

from seriestool.split.split_plan import PatchPlan, SplitPlan, SubmissionOption
from tests.support.split_series import FIX, needs, patch_on, plan_of, series_of, where

NFSD, NET, UBI = (["fs/nfsd/a.c"], ["net/a.c"], ["drivers/ubi/a.c"])


def patch(plan: SplitPlan, counter: int) -> PatchPlan:
    return {one.counter: one for sub in plan.subseries for one in sub.patches}[counter]


def test_patches_of_two_trees_that_need_nothing_go_now() -> None:
    plan = plan_of(series_of(patch_on(1, "x", NET), patch_on(2, "y", NFSD), patch_on(3, "z", NET)))
    assert where(plan) == {"net-next": (1, 3), "sven/linux": (2,)}
    assert [one.verdicts for one in plan.subseries] == [(SubmissionOption.NOW,)] * 2
    assert all(one.waits == () and one.shared == () for one in plan.subseries)


def test_a_tree_waits_for_another() -> None:
    series = series_of(patch_on(1, "x", NFSD), patch_on(2, "y", NET), patch_on(3, "z", NET), patch_on(4, "w", NFSD))
    plan = plan_of(series, [*needs(3, 2), *needs(4, 3, names=("foo",))])
    assert where(plan) == {"net-next": (2, 3), "sven/linux": (1, 4)}
    second = plan.subseries[1]
    assert second.verdicts == (SubmissionOption.AFTER, SubmissionOption.SHARED_BRANCH, SubmissionOption.NEXT_RC1)
    assert [(wait.on, [tie.names for tie in wait.ties]) for wait in second.waits] == [(1, [("foo",)])]
    assert second.shared == (2, 3)  # what is needed, with what that needs
    assert patch(plan, 1).verdicts == (SubmissionOption.NOW,)
    assert patch(plan, 4).verdicts == (SubmissionOption.AFTER,)
    assert patch(plan, 4).needs == (2, 3)


def test_a_fix_goes_to_the_branch_for_fixes_and_first() -> None:
    plan = plan_of(series_of(patch_on(1, "x", NET), patch_on(2, "y", NET, FIX), patch_on(3, "z", UBI, FIX)))
    assert where(plan) == {"net": (2,), "ubi fixes": (3,), "net-next": (1,)}


def test_the_next_release_waits_for_the_fix_and_no_shared_branch_is_wanted() -> None:
    plan = plan_of(series_of(patch_on(1, "x", NET, FIX), patch_on(2, "y", NET)), needs(2, 1))
    assert where(plan) == {"net": (1,), "net-next": (2,)}
    assert plan.subseries[1].verdicts == (SubmissionOption.AFTER,)


def test_a_fix_that_needs_what_is_none_stays_with_it() -> None:
    series = series_of(patch_on(1, "x", NET), patch_on(2, "y", NET, FIX), patch_on(3, "z", NET, FIX))
    plan = plan_of(series, [*needs(2, 1), *needs(3, 2)])
    assert where(plan) == {"net-next": (1, 2, 3)}
    assert (patch(plan, 2).kept_by, patch(plan, 3).kept_by) == ((1,), (1, 2))


def test_a_fix_of_a_tree_without_a_branch_for_fixes() -> None:
    assert where(plan_of(series_of(patch_on(1, "x", NFSD, FIX)))) == {"sven/linux": (1,)}


def test_the_subject_says_for_which_release() -> None:
    series = (patch_on(1, "x", NET, FIX), patch_on(2, "y", NET))
    assert where(plan_of(series_of(*series, prefixes=("net-next",)))) == {"net-next": (1, 2)}
    assert where(plan_of(series_of(*series, prefixes=("net",)))) == {"net": (1, 2)}


def test_a_patch_that_straddles_goes_through_one_tree() -> None:
    series = series_of(patch_on(1, "net: x", ["net/a.c", "net/b.c", "fs/nfsd/c.c"]))
    one = patch(plan_of(series), 1)
    assert one.verdicts == (SubmissionOption.NOW, SubmissionOption.THROUGH)
    assert [ack.trees for ack in one.acks] == [("sven/linux",)]
    assert [(part.destination, part.paths) for part in one.parts] == [
        ("net", (b"net/a.c", b"net/b.c")), ("sven/linux", (b"fs/nfsd/c.c",)),
    ]  # fmt: skip
    held = patch(plan_of(series, indivisible={1: ("ops_done",)}), 1)
    assert (held.parts, held.indivisible, held.verdicts) == ((), ("ops_done",), one.verdicts)


def test_a_choice_has_the_owners_and_who_needs_it() -> None:
    series = series_of(patch_on(1, "x", ["lib/x.c", "Documentation/core-api/x.rst"]), patch_on(2, "y", NET))
    first, second = plan_of(series, needs(2, 1)).subseries
    assert (first.name, first.destination, first.verdicts) == (
        "undecided",
        None,
        (SubmissionOption.CHOOSE, SubmissionOption.NOW),
    )
    assert [choice.destination for choice in first.choices] == ["mm", "git.lwn.net/linux docs-next", "net"]
    assert first.choices[2].evidence == ("patch 2 needs it",)
    assert second.verdicts == (SubmissionOption.AFTER, SubmissionOption.SHARED_BRANCH, SubmissionOption.NEXT_RC1)


def test_who_waits_for_another_user_is_no_choice() -> None:
    """If it took the patch, the two would wait for each other."""
    library = patch_on(1, "x", ["lib/x.c", "Documentation/core-api/x.rst"])
    series = series_of(library, patch_on(2, "y", NET), patch_on(3, "z", NFSD))
    plan = plan_of(series, [*needs(2, 1), *needs(3, 1, 2)])
    assert [choice.destination for choice in plan.subseries[0].choices][2:] == ["net"]


def test_trees_that_would_wait_for_each_other() -> None:
    series = series_of(patch_on(1, "x", NET), patch_on(2, "y", NFSD), patch_on(3, "z", NET))
    plan = plan_of(series, [*needs(2, 1), *needs(3, 2)])
    assert where(plan) == {"net-next": (1, 2, 3)}
    (cycle,) = plan.cycles
    assert (set(cycle.trees), cycle.through, cycle.moved) == ({"net-next", "sven/linux"}, "net-next", (2,))
    moved = patch(plan, 2)
    assert moved.moved_from == "sven/linux"
    assert [ack.trees for ack in moved.acks] == [("sven/linux",)]
    assert moved.verdicts == (SubmissionOption.NOW, SubmissionOption.THROUGH)


def test_missing_patches_and_needs_of_them() -> None:
    plan = plan_of(series_of(patch_on(2, "x", NET), expected=3), [*needs(2, 1), *needs(3, 2)])
    assert (plan.missing, where(plan), plan.subseries[0].waits) == ((1, 3), {"net-next": (2,)}, ())


def test_a_series_without_patches() -> None:
    assert plan_of(series_of(expected=2)).subseries == ()


def test_json_has_every_key_always() -> None:
    series = series_of(patch_on(1, "net: x", ["net/a.c", "net/b.c", "fs/nfsd/c.c"], FIX), patch_on(2, "y", NFSD))
    whole = plan_of(series, needs(2, 1)).to_dict()
    empty = plan_of(series_of()).to_dict()
    assert whole["schema"] == 1
    assert whole.keys() == empty.keys()
    assert len({tuple(one) for one in whole["subseries"]}) == 1  # type: ignore[attr-defined]
    json.dumps(whole)


@pytest.mark.parametrize("count", [342])
def test_a_large_series_is_quick(count: int) -> None:
    series = series_of(*(patch_on(n, "x: y", NET if n % 3 else NFSD) for n in range(1, count + 1)))
    ties = [one for n in range(2, count + 1) for one in needs(n, n - 1, max(1, n - 7))]
    started = time.perf_counter()
    plan = plan_of(series, ties)
    assert time.perf_counter() - started < 1
    assert sum(len(one.patches) for one in plan.subseries) == count
