# SPDX-License-Identifier: GPL-2.0-or-later
"""All ties together."""

from seriestool.split.dependency_graph import DependencyKind
from seriestool.split.patch_dependencies import find_dependencies
from tests.staged import staged

CODE = "static int helper(int a)\n{\n\treturn a;\n}\n"


def test_each_tie_of_a_pair_is_told_once() -> None:
    grown = CODE.replace("int a)", "int a, int b)")
    used = grown.replace("return a;", "return helper(b, a);")
    found = find_dependencies(staged({"a.c": CODE}, {"a.c": grown}, {"a.c": used}))
    assert [one.to_dict() for one in found] == [
        {"patch": 2, "needs": 1, "tie": "text", "names": ["a.c"]},
        {"patch": 2, "needs": 1, "tie": "symbol", "names": ["helper"]},
        {"patch": 2, "needs": 1, "tie": "scope", "names": ["b"]},
    ]


def test_sorted_by_patch_then_by_what_it_needs() -> None:
    base = {"a.h": "int old(void);\n", "b.h": "int older(void);\n", "c.c": "int c;\n"}
    use = {"c.c": "int c;\nint d(void) { return one() + two(); }\n"}
    found = find_dependencies(staged(base, {"a.h": "int one(void);\n"}, {"b.h": "int two(void);\n"}, use))
    assert [(one.patch, one.needs, one.tie, one.names) for one in found] == [
        (3, 1, DependencyKind.SYMBOL, ("one",)),
        (3, 2, DependencyKind.SYMBOL, ("two",)),
    ]


def test_the_same_stages_give_the_same_answer() -> None:
    stages = staged({"a.c": CODE}, {"a.c": CODE + "int x;\nint y;\n"}, {"a.c": CODE + "int x;\nint y;\nint *z = &x;\n"})
    assert find_dependencies(stages) == find_dependencies(list(stages))
    assert find_dependencies([]) == ()
