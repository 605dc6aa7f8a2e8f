# SPDX-License-Identifier: GPL-2.0-or-later
"""All ties together."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from seriestool.series.diff import split_diff
from seriestool.series.model import Patch
from seriestool.split.c_syntax import MOST_BYTES, CParser
from seriestool.split.dependency_graph import DependencyKind
from seriestool.split.patch_dependencies import PartDependencies, find_dependencies, find_part_dependencies
from tests.support.split_series import Files, staged

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


def cut(patch: Patch) -> list[Patch]:
    """One part for each file."""
    pieces = zip(patch.files, split_diff(patch.diff), strict=True)
    return [replace(patch, files=(diff,), diff=raw) for diff, raw in pieces]


def bindings(before: Files, after: Files) -> PartDependencies:
    changed: Mapping[str, str | bytes | None] = {name: text for name, text in after.items() if before.get(name) != text}
    (stage,) = staged(before, changed)
    return find_part_dependencies(stage, cut(stage.patch), CParser())


def ties(found: PartDependencies) -> dict[str, list[str]]:
    return {f"{one.patch}<-{one.needs}": list(one.names) for one in found.ties}


TYPE = "typedef void (*done_t)(void *data, int status);\n"
WIDE = "typedef void (*done_t)(void *data, int status, int tag);\n"
OPS = "struct ops {\n\tint (*open)(struct file *file);\n};\n"
WIDE_OPS = "struct ops {\n\tint (*open)(struct file *file, int flags);\n};\n"
USER = "static void my_done(void *data, int status)\n{\n\tdata = 0;\n}\n"
WIDE_USER = "static void my_done(void *data, int status, int tag)\n{\n\tdata = 0;\n}\n"


def test_a_callback_and_its_implementer() -> None:
    found = bindings({"h.h": TYPE, "d.c": USER}, {"h.h": WIDE, "d.c": WIDE_USER})
    assert (found.names, found.order) == (("done_t",), ())
    assert ties(found) == {"1<-2": ["done_t"], "2<-1": ["done_t"]}


def test_a_struct_of_operations_and_its_implementer() -> None:
    old, new = "static int my_open(struct file *f)\n{\n}\n", "static int my_open(struct file *f, int flags)\n{\n}\n"
    assert bindings({"h.h": OPS, "d.c": old}, {"h.h": WIDE_OPS, "d.c": new}).names == ("open",)


def test_two_implementers_are_not_tied_to_each_other() -> None:
    before = {"a.c": USER, "b.c": USER.replace("my_", "our_")}
    after = {"a.c": WIDE_USER, "b.c": WIDE_USER.replace("my_", "our_")}
    found = bindings(before, after)
    assert (found.ties, found.order) == ((), (1, 2))


def test_another_change_of_a_signature_is_no_implementer() -> None:
    other = WIDE_USER.replace("int tag", "long tag")
    assert bindings({"h.h": TYPE, "d.c": USER}, {"h.h": WIDE, "d.c": other}).names == ()


def test_who_called_already_goes_with_the_signature() -> None:
    before = {"h.h": "int f(int n);\n", "d.c": "int g(void)\n{\n\treturn f(1);\n}\n"}
    after = {"h.h": "int f(int n, int m);\n", "d.c": "int g(void)\n{\n\treturn f(1, 2);\n}\n"}
    assert bindings(before, after).names == ("f",)


def test_who_calls_it_only_now_can_wait() -> None:
    before = {"a.c": "int g(void)\n{\n\treturn 1;\n}\n", "h.h": "int f(int n);\n"}
    after = {"a.c": "int g(void)\n{\n\treturn f(1, 2);\n}\n", "h.h": "int f(int n, int m);\n"}
    found = bindings(before, after)
    assert (found.names, found.order, ties(found)) == ((), (2, 1), {"1<-2": ["f"]})


def test_a_new_name_comes_before_its_user() -> None:
    before = {"a.c": "int a;\n", "h.h": "int h;\n", "lib.c": "int l;\n"}
    after = {
        "a.c": "int a;\nint g(void)\n{\n\treturn f(1);\n}\n",
        "h.h": "int h;\nint f(int n);\n",
        "lib.c": "int l;\nint f(int n)\n{\n\treturn n;\n}\n",
    }
    found = bindings(before, after)
    assert (found.names, found.order) == ((), (2, 3, 1))
    assert ties(found) == {"1<-2": ["f"], "1<-3": ["f"], "3<-2": ["f"]}


def test_an_inline_function_does_not_wait_for_the_body_of_another() -> None:
    inline = "int f(int n);\nstatic inline int twice(int n)\n{\n\treturn f(n) + f(n);\n}\n"
    found = bindings({"h.h": "", "lib.c": ""}, {"h.h": inline, "lib.c": "int f(int n)\n{\n\treturn n;\n}\n"})
    assert (found.names, found.order) == ((), (1, 2))


def test_parts_that_use_each_other() -> None:
    before = {"a.h": "int a;\n", "b.h": "int b;\n"}
    after = {"a.h": "int a;\n#define A B\n#define C 1\n", "b.h": "int b;\n#define B 1\n#define D C\n"}
    assert set(bindings(before, after).names) == {"B", "C"}


def test_a_function_that_moves_is_never_there_twice() -> None:
    body = "int moved(int n)\n{\n\treturn n;\n}\n"
    assert bindings(
        {"a.c": f"int a;\n{body}", "b.c": "int b;\n"}, {"a.c": "int a;\n", "b.c": f"int b;\n{body}"}
    ).names == ("moved",)


def test_the_last_user_goes_first() -> None:
    before = {"a.h": "int a;\n#define OLD 1\n", "b.c": "int b = OLD;\n"}
    found = bindings(before, {"a.h": "int a;\n", "b.c": "int b = 1;\n"})
    assert (found.names, found.order, ties(found)) == ((), (2, 1), {"1<-2": ["OLD"]})


def test_a_name_that_is_replaced() -> None:
    before = {"a.h": "int a;\n#define OLD 1\n", "b.c": "int b = OLD;\n"}
    found = bindings(before, {"a.h": "int a;\n#define NEW 1\n", "b.c": "int b = NEW;\n"})
    assert set(found.names) == {"OLD", "NEW"}


def test_a_member_that_goes() -> None:
    before = {
        "a.h": "struct s {\n\tint data;\n\tint other;\n};\n",
        "b.c": "int f(struct s *s)\n{\n\treturn s->data;\n}\n",
    }
    after = {"a.h": "struct s {\n\tint other;\n};\n", "b.c": "int f(struct s *s)\n{\n\treturn 0;\n}\n"}
    assert ties(bindings(before, after)) == {"1<-2": ["data"]}
    prose = {"a.h": before["a.h"], "b.c": "/* the data */\nint b;\n"}
    assert ties(bindings(prose, {"a.h": after["a.h"], "b.c": "int b;\n"})) == {}


@pytest.mark.parametrize("name", ["README", "data.bin", "Makefile"])
def test_what_is_no_code_ties_nothing(name: str) -> None:
    found = bindings({name: "old\n", "a.c": "int a;\n"}, {name: "int f(void);\n", "a.c": "int a;\nint g = f;\n"})
    assert (found.ties, found.order) == ((), (1, 2))


def test_an_option_and_who_needs_it() -> None:
    before = {"Kconfig": 'config A\n\tbool "a"\n', "a.c": "int a;\n"}
    after = {"Kconfig": 'config A\n\tbool "a"\n\nconfig B\n\tbool "b"\n', "a.c": "int a;\n#ifdef CONFIG_B\n#endif\n"}
    assert ties(bindings(before, after)) == {"2<-1": ["CONFIG_B"]}


def test_what_cannot_be_parsed_is_not_known_to_be_free() -> None:
    large = "/*" + "x" * MOST_BYTES + "*/\n"
    found = bindings({"a.h": large, "b.c": "int b;\n"}, {"a.h": f"{large}int a;\n", "b.c": "int c;\n"})
    assert found == PartDependencies((), (), ())


def test_renames_and_removals_are_read() -> None:
    body = "int f(void)\n{\n\treturn 1;\n}\n"
    diff = b"diff --git a/a.c b/sub/a.c\nsimilarity index 100%\nrename from a.c\nrename to sub/a.c\n"
    gone = "".join(f"-{line}\n" for line in body.replace("f(", "g(").splitlines()).encode()
    diff += b"diff --git a/b.c b/b.c\ndeleted file mode 100644\n--- a/b.c\n+++ /dev/null\n@@ -1,4 +0,0 @@\n" + gone
    (stage,) = staged({"a.c": body, "b.c": body.replace("f(", "g(")}, diff)
    found = find_part_dependencies(stage, cut(stage.patch), CParser())
    assert (found.ties, found.order) == ((), (1, 2))
