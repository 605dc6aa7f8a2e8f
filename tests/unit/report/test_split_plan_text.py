# SPDX-License-Identifier: GPL-2.0-or-later
"""The plan as people and Graphviz read it."""

import re

from seriestool.report.split_dot import plan_dot
from seriestool.report.split_plan_text import plan_text
from seriestool.report.style import Style
from seriestool.split.dependency_graph import DependencyKind
from seriestool.split.split_plan import SplitPlan
from seriestool.util.text import spans
from tests.support.split_series import FIX, needs, patch_on, plan_of, series_of

EVIL = 'net: "x" \\N\x1b[31m\u202e\nnew'


def text(plan: SplitPlan) -> str:
    return plan_text(plan, Style())


def made() -> SplitPlan:
    series = series_of(
        patch_on(1, "net: fix", ["net/a.c"], FIX),
        patch_on(2, "lib: new", ["lib/x.c", "Documentation/core-api/x.rst"]),
        patch_on(3, "net: both", ["net/a.c", "net/b.c", "fs/nfsd/c.c"]),
        patch_on(4, "nfsd: use", ["fs/nfsd/c.c"]),
    )
    ties = [
        *needs(3, 1, tie=DependencyKind.TEXT, names=("net/a.c",)),
        *needs(3, 2, names=("new",)),
        *needs(4, 3, names=("both",)),
    ]
    return plan_of(series, ties, indivisible={3: ("both_ops",)})


def test_the_answer_comes_first() -> None:
    assert text(made()).partition("\n\n")[0] == (
        "all of it: 4 patches in 4 sub-series\n"
        "  1  net         patch 1  now, on its own\n"
        "  2  undecided   patch 2  choose: mm, git.lwn.net/linux docs-next or net-next; then on its own\n"
        "  3  net-next    patch 3  after 1 (net) and 2 (undecided); patch 3 with Acked-by of sven/linux\n"
        "  4  sven/linux  patch 4  after 3 (net-next)"
    )


def test_each_sub_series_says_why() -> None:
    _, first, second, third, fourth = text(made()).split("\n\n")
    assert "     a fix, separable from the rest\n" in first
    assert "  it may go to\n    mm                           MAINTAINERS: 1 of 2 files is in 'LIBRARY'\n" in second
    assert "    net-next                     patch 3 needs it" in second
    assert "Acked-by wanted of sven/linux for fs/nfsd/c.c: Sven <sven@example.org>" in third
    assert "cannot be cut by file: both_ops changes with its users" in third
    assert "  waits for 1 (net)\n    3 needs 1  text  in net/a.c\n" in third
    assert "or patch 2 through net-next too, with Acked-by of the owners" in third
    assert (
        "  in the same cycle: patches 2-3 on a shared branch that is never rebased, on top of patch 1, for net-next, "
        "whoever takes it and sven/linux\n  or later: once patches 2-3 are in the next -rc1\n"
    ) in fourth
    assert fourth.endswith("  Cc\n    Sven <sven@example.org>")


def test_one_tree_is_one_line() -> None:
    plan = plan_of(series_of(patch_on(1, "net: x", ["net/a.c"])))
    assert text(plan).startswith("all of it: 1 patch in 1 sub-series\n  1  net-next  patch 1  now\n\n")


def test_a_fix_that_cannot_be_parted_says_so() -> None:
    series = series_of(patch_on(1, "net: x", ["net/a.c"]), patch_on(2, "net: y", ["net/a.c"], FIX))
    assert "a fix, but not for net: it needs patch 1" in text(plan_of(series, needs(2, 1)))
    lone = series_of(patch_on(1, "net: x", ["net/a.c"], FIX), prefixes=("net-next",))
    assert "a fix, but not for net: the subject says so" in text(plan_of(lone))
    other = series_of(patch_on(1, "x", ["fs/nfsd/a.c"], FIX))
    assert "a fix; no branch of sven/linux for fixes is known" in text(plan_of(other))


def test_a_cycle_and_missing_patches_are_told() -> None:
    series = series_of(patch_on(1, "x", ["net/a.c"]), patch_on(2, "y", ["fs/nfsd/a.c"]), patch_on(3, "z", ["net/a.c"]),
                       expected=5)  # fmt: skip
    found = text(plan_of(series, [*needs(2, 1), *needs(3, 2)]))
    assert "net-next and sven/linux would wait for each other: patch 2 through net-next" in found
    assert "patches 4-5 of 5 not at hand" in found
    assert "patches that go there need it; its files belong to sven/linux" in found


def test_ranges() -> None:
    assert [spans(numbers) for numbers in ((), (1,), (1, 2), (1, 2, 3, 7, 9, 10))] == ["", "1", "1-2", "1-3, 7, 9-10"]


def test_hostile_words_drive_nothing() -> None:
    plan = plan_of(series_of(patch_on(1, EVIL, ["net/a.c"]), patch_on(2, EVIL, ["fs/nfsd/b.c"])),
                   needs(2, 1, names=('"];evil', "\x1b")))  # fmt: skip
    for found in (text(plan), plan_dot(plan)):
        assert "\x1b" not in found
        assert "\u202e" not in found
        assert not any(line.startswith("new") for line in found.splitlines())


def test_graph_is_one_of_graphviz() -> None:
    """Each line is of the few forms that the graph needs, and each string ends where it should."""
    quoted = r'"(?:[^"\\]|\\\\|\\")*"'
    forms = "|".join([
        rf"  label={quoted};", r"  rankdir=LR;", rf"  node \[shape=box, fontname={quoted}\];",
        r"digraph plan \{", r" *\}",
        r"  subgraph cluster_\d+ \{", rf"    label={quoted};", rf"    p\d+ \[label={quoted}\];",
        rf"  p\d+ -> p\d+ \[label={quoted}\];",
    ])  # fmt: skip
    plan = plan_of(series_of(patch_on(1, EVIL, ["net/a.c"]), patch_on(2, EVIL, ["fs/nfsd/b.c"])),
                   needs(2, 1, names=('"];evil\\', "\\")))  # fmt: skip
    for one in (plan, made()):
        assert [line for line in plan_dot(one).splitlines() if not re.fullmatch(forms, line)] == []


def test_graph_has_clusters_and_labelled_edges() -> None:
    dot = plan_dot(made())
    assert '  subgraph cluster_3 {\n    label="3. net-next";\n    p3 [label="3 net: both"];\n  }' in dot
    assert '  p1 -> p3 [label="text: net/a.c"];' in dot
    assert '  p3 -> p4 [label="symbol: both"];' in dot
