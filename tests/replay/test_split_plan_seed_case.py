# SPDX-License-Identifier: GPL-2.0-or-later
"""Which trees take a real series that straddles four of them; what ties its patches was worked out by hand.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com
"""

import subprocess
from collections.abc import Mapping

import pytest

from seriestool.report.split_plan_text import plan_text
from seriestool.report.style import Style
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.split.dependency_graph import Dependency, DependencyKind
from seriestool.split.destination import Flavour
from seriestool.split.owners import SeriesOwners, find_owners
from seriestool.split.plan_series import split_by_file
from seriestool.split.split_plan import PatchPlan, SplitPlan, SubmissionOption, make_plan
from seriestool.trees.maintainers import parse_maintainers
from tests.support.repos import Repo, shared

TIES: Mapping[DependencyKind, str] = {
    DependencyKind.TEXT: "2<1 5<4 6<4 8<4",
    DependencyKind.SYMBOL: "4<2 4<3 5<4 6<4 7<3 8<2 8<3 8<7 9<2 9<3 9<8",
    DependencyKind.SCOPE: "7<4",
}
TREES = ("v7.1.8", "v7.2.12", "v7.3-rc7")


@pytest.fixture(scope="module", params=TREES)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[SeriesOwners, SplitPlan]:
    """SeriesOwners by the MAINTAINERS of a release, and the plan."""
    folder = tmp_path_factory.mktemp("kernel") / "kernel.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(shared("data/kernel-subset.bundle")), str(folder)], check=True)
    maintainers = parse_maintainers(Repo(folder, bare=True).git_bytes("show", f"{request.param}:MAINTAINERS"))
    mbox = shared("data/tls-session-tags/series.mbox").read_bytes()
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    ties = [
        Dependency(*map(int, pair.split("<")), tie, ("x",))  # type: ignore[call-arg, misc]
        for tie, pairs in TIES.items()
        for pair in pairs.split()
    ]
    owners = find_owners(series, maintainers, ())
    assert [split_by_file(patch, owners)[0].counter for patch in series.patches] == list(range(1, 10))
    return owners, make_plan(series, owners, ties, {4: ("tls_done_func_t",)})


def patch(plan: SplitPlan, counter: int) -> PatchPlan:
    return next(one for one in plan.of_patch(counter).patches if one.counter == counter)


def test_who_takes_what_in_which_order(found: tuple[SeriesOwners, SplitPlan]) -> None:
    plan = found[1]
    assert [(one.name, one.flavour, one.counters) for one in plan.subseries] == [
        ("net", Flavour.FIXES, (1,)),
        ("undecided", Flavour.NEXT, (3,)),
        ("net-next", Flavour.NEXT, (2, 4, 5, 6)),
        ("cel/linux", Flavour.NEXT, (7, 8, 9)),
    ]
    assert [[wait.on for wait in one.waits] for one in plan.subseries] == [[], [], [1, 2], [2, 3]]
    assert plan.cycles == ()


def test_what_can_be_done(found: tuple[SeriesOwners, SplitPlan]) -> None:
    fix, tagset, handshake, nfsd = found[1].subseries
    assert fix.verdicts == (SubmissionOption.NOW,)
    assert tagset.verdicts == (SubmissionOption.CHOOSE, SubmissionOption.NOW)
    both = (SubmissionOption.AFTER, SubmissionOption.THROUGH, SubmissionOption.SHARED_BRANCH, SubmissionOption.NEXT_RC1)
    assert (handshake.verdicts, nfsd.verdicts) == (both, both)
    assert (handshake.shared, nfsd.shared) == ((3,), (2, 3, 4))


def test_the_fix_has_a_fixes_trailer(found: tuple[SeriesOwners, SplitPlan]) -> None:
    assert [one.counter for one in found[0].patches if one.is_fix] == [1]


def test_nobody_is_guessed_for_the_library(found: tuple[SeriesOwners, SplitPlan]) -> None:
    choices = [one.destination for one in found[1].subseries[1].choices]
    assert set(choices[:2]) == {"git.lwn.net/linux docs-next", "mm mm-nonmm-unstable"}
    assert choices[2:] == ["net"]  # not cel/linux: it waits for net-next, which needs the library too


def test_the_callback_changes_in_four_trees_at_once(found: tuple[SeriesOwners, SplitPlan]) -> None:
    one = patch(found[1], 4)
    assert (one.indivisible, one.parts) == (("tls_done_func_t",), ())
    assert [ack.trees for ack in one.acks] == [("nvme",), ("cel/linux", "linux-nfs")]
    assert [ack.paths for ack in one.acks] == [
        (b"drivers/nvme/host/tcp.c", b"drivers/nvme/target/tcp.c"),
        (b"net/sunrpc/svcsock.c", b"net/sunrpc/xprtsock.c"),
    ]
    nvme, sunrpc = (" ".join(ack.people) for ack in one.acks)
    assert "kbusch@" in nvme
    assert "trondmy@" in sunrpc
    assert "chuck.lever@" not in sunrpc  # the author


def test_files_whose_tree_is_wrong_go_with_their_code(found: tuple[SeriesOwners, SplitPlan]) -> None:
    """MAINTAINERS gives nfsd.yaml to net, nfsd_netlink.h to the client, handshake.h to nobody."""
    assert (patch(found[1], 2).acks, patch(found[1], 9).acks) == ((), ())
    assert [ack.paths for ack in patch(found[1], 8).acks] == [(b"include/net/handshake.h",)]


def test_the_text_answers_first(found: tuple[SeriesOwners, SplitPlan]) -> None:
    head = plan_text(found[1], Style()).split("\n\n")[0].splitlines()
    assert head[0].endswith("9 patches in 4 sub-series")
    assert head[1].split() == ["1", "net", "patch", "1", "now,", "on", "its", "own"]
    assert head[3].endswith("patch 4 with Acked-by of nvme and cel/linux or linux-nfs")
