# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch uses a name that another introduces: a small series for each way to do so, and for each that is none."""

import pytest

from seriestool.split import c_syntax
from seriestool.split.dependency_graph import DependencyKind
from tests.support.split_series import Files, found_by, staged, ties

USER = "int user(void)\n{\n\treturn 0;\n}\n"
OTHER = "int other(void)\n{\n\treturn 1;\n}\n"


def found(base: Files, *changes: Files | bytes) -> dict[str, list[str]]:
    return ties(found_by(DependencyKind.SYMBOL, staged(base, *changes)))


def using(line: str, text: str = USER) -> str:
    """The function with this line in it."""
    return text.replace("{\n", "{\n\t" + line + "\n", 1)


@pytest.mark.parametrize(
    ("definition", "line", "name"),
    [
        ("int fresh(int a);", "fresh(1);", "fresh"),
        ("static inline int fresh(int a)\n{\n\treturn a;\n}", "return fresh(1);", "fresh"),
        ("static __always_inline struct foo *\nfresh(int a)\n{\n\treturn a;\n}", "return fresh(1);", "fresh"),
        ("#define FRESH 1", "return FRESH;", "FRESH"),
        ("#define fresh(a, b) do { (a); } while (0)", "fresh(1, 2);", "fresh"),
        ("struct fresh {\n\tint a;\n};", "struct fresh x;", "fresh"),
        ("union fresh {\n\tint a;\n};", "foo(sizeof(union fresh));", "fresh"),
        ("enum fresh {\n\tA,\n};", "enum fresh x = 0;", "fresh"),
        ("enum {\n\tOLD,\n#ifdef CONFIG_X\n\tFRESH = 3,\n#endif\n};", "return FRESH;", "FRESH"),
        ("typedef int (*fresh_t)(void *data);", "fresh_t f = NULL;", "fresh_t"),
        ("typedef struct {\n\tint a;\n} fresh_t;", "fresh_t f = {};", "fresh_t"),
        ("struct s {\n\tint fresh;\n};", "x()->fresh = 1;", "fresh"),
        ("struct s {\n\tstruct {\n\t\tint (*fresh)(int a);\n\t} inner;\n};", "x()->fresh(1);", "fresh"),
        ("struct s {\n\tint fresh;\n};", "y = container_of(x, struct t, fresh);", "fresh"),
        ("extern int fresh;", "return fresh;", "fresh"),
        ("int fresh[4] = { 1 };", "return fresh[0];", "fresh"),
        ("DEFINE_MUTEX(fresh);", "mutex_lock(&fresh);", "fresh"),
        ("LIST_HEAD(fresh);", "list_add(x, &fresh);", "fresh"),
        ("DECLARE_PER_CPU(int, other); extern int fresh;", "return fresh;", "fresh"),
        ("TRACE_EVENT(fresh,\n\tTP_PROTO(int a),\n\tTP_ARGS(a)\n);", "trace_fresh(1);", "trace_fresh"),
        ("DEFINE_EVENT(class, fresh, TP_PROTO(int a), TP_ARGS(a));", "trace_fresh(1);", "trace_fresh"),
        ("#ifdef CONFIG_X\nint fresh(void);\n#else\nstatic inline int fresh(void) { return 0; }\n#endif",
         "fresh();", "fresh"),
    ],
)  # fmt: skip
def test_what_a_header_introduces(definition: str, line: str, name: str) -> None:
    header = "#ifndef A_H\n#define A_H\nint old(void);\n#endif\n"
    grown = header.replace("int old(void);\n", "int old(void);\n" + definition + "\n")
    base = {"a.h": header, "b.c": USER}
    assert found(base, {"a.h": grown}, {"b.c": using(line)}) == {"2<-1": [name]}
    assert found(base, {"b.c": using("old();")}, {"a.h": grown}) == {}


@pytest.mark.parametrize(
    "line",
    [
        "/* fresh() will do it */",
        "// fresh() will do it",
        'pr_info("fresh(): %d\\n", 1);',
        "x = 'f'; /*\n\t * fresh\n\t */",
        "struct t *t = x; t->fresh = 1;",
        "struct fresh y = {};",
        "goto fresh;",
        "int fresh = 1; use(fresh);",
        "for (int fresh = 0; fresh < 1; fresh++) ;",
        "refresh(1);",
    ],
)
def test_words_that_mean_something_else(line: str) -> None:
    base = {"a.h": "int old(void);\n", "b.c": USER}
    assert found(base, {"a.h": "int old(void);\nint fresh(int a);\n"}, {"b.c": using(line)}) == {}


def test_a_local_name_used_again_is_no_need() -> None:
    first = "int first(int arg)\n{\n\tint ret = arg;\n\n\treturn ret;\n}\n"
    second = "int second(int arg)\n{\n\tint ret = arg;\n\n\treturn ret + 1;\n}\n"
    assert found({"a.c": USER, "b.c": OTHER}, {"a.c": USER + first}, {"b.c": OTHER + second}) == {}


def test_static_names_are_seen_in_their_file_only() -> None:
    helper = "static int helper(void)\n{\n\treturn 1;\n}\n\n"
    base = {"a.c": USER, "b.c": OTHER}
    grown = helper + USER
    called = grown.replace("return 0;", "return helper();")
    assert found(base, {"a.c": grown}, {"a.c": called}) == {"2<-1": ["helper"]}
    assert found(base, {"a.c": grown}, {"b.c": using("helper();", OTHER)}) == {}
    assert found(base, {"a.c": grown}, {"b.c": helper + using("helper();", OTHER)}) == {}


def test_a_function_that_stops_being_static() -> None:
    base = {"a.c": "static " + USER, "a.h": "int old(void);\n", "b.c": OTHER}
    shared = {"a.c": USER, "a.h": "int old(void);\nint user(void);\n"}
    assert found(base, shared, {"b.c": using("user();", OTHER)}) == {"2<-1": ["user"]}


def test_a_member_belongs_to_its_struct() -> None:
    header = "struct one {\n\tint a;\n};\n\nstruct two {\n\tint b;\n};\n"
    grown = header.replace("int a;", "int a;\n\tint flags;")
    user = "int user(struct one *one, struct two *two)\n{\n\treturn 0;\n}\n"
    base = {"a.h": header, "b.c": user}
    assert found(base, {"a.h": grown}, {"b.c": using("one->flags = 1;", user)}) == {"2<-1": ["flags"]}
    assert found(base, {"a.h": grown}, {"b.c": using("two->flags = 1;", user)}) == {}
    table = user + "static const struct one table = {\n\t.flags = 1,\n};\n"
    assert found(base, {"a.h": grown}, {"b.c": table}) == {"2<-1": ["flags"]}
    assert found(base, {"a.h": grown}, {"b.c": table.replace("struct one table", "struct two table")}) == {}


def test_a_member_name_that_was_there_is_not_new() -> None:
    header = "struct one {\n\tint flags;\n};\n\nstruct two {\n\tint b;\n};\n"
    grown = header.replace("int b;", "int b;\n\tint flags;")
    assert found({"a.h": header, "b.c": USER}, {"a.h": grown}, {"b.c": using("get()->flags = 1;")}) == {}


def test_changed_signature_and_its_caller() -> None:
    base = {"a.h": "int call(int a);\n", "a.c": "int call(int a)\n{\n\treturn a;\n}\n", "b.c": USER}
    change = {"a.h": "int call(int a, int b);\n", "a.c": "int call(int a, int b)\n{\n\treturn a;\n}\n"}
    assert found(base, change, {"b.c": using("call(1, 2);")}) == {"2<-1": ["call"]}
    assert found(base, {"b.c": using("call(1);")}, change) == {}
    assert found(base, change, {"b.c": using("other(1, 2);")}) == {}


@pytest.mark.parametrize(
    "new",
    ["int call(int b);", "int\ncall(int a);", "int call(int a); /* same */", "extern int call(int a);",
     "int call(int a) __must_check;"],
)  # fmt: skip
def test_the_same_signature_written_otherwise(new: str) -> None:
    assert found({"a.h": "int call(int a);\n", "b.c": USER}, {"a.h": new + "\n"}, {"b.c": using("call(1);")}) == {}


@pytest.mark.parametrize("new", ["long call(int a);", "int call(long a);", "int *call(int a);", "int call(void);"])
def test_another_signature(new: str) -> None:
    changes = {"a.h": new + "\n"}, {"b.c": using("call(1);")}
    assert found({"a.h": "int call(int a);\n", "b.c": USER}, *changes) == {"2<-1": ["call"]}


def test_introduced_and_then_changed() -> None:
    first, second = {"a.h": "int call(int a);\n"}, {"a.h": "int call(int a, int b);\n"}
    third = {"b.c": using("call(1, 2);")}
    needs = {"2<-1": ["call"], "3<-1": ["call"], "3<-2": ["call"]}
    assert found({"a.h": "\n", "b.c": USER}, first, second, third) == needs


CALLBACK = """\
typedef void (*done_t)(void *data, int status);

struct request {
	void (*done)(void *data, int status);
};
"""


def test_a_callback_changed_with_its_implementers_needs_nothing() -> None:
    """The prototype and who implements it are in one patch."""
    driver = "static void driver_done(void *data, int status)\n{\n}\n\nstatic done_t table = driver_done;\n"
    base = {"a.h": CALLBACK, "d.c": driver, "b.c": USER}
    grown = {"a.h": CALLBACK.replace("int status", "int status, int tags"), "d.c": driver.replace("status", "s, int t")}
    assert found(base, grown, {"b.c": using("other();")}) == {}
    assert found(base, grown, {"b.c": using("get()->done(x, 1, 2);")}) == {"2<-1": ["done"]}
    assert found(base, grown, {"b.c": using("done_t mine = NULL;")}) == {"2<-1": ["done_t"]}


def test_a_macro_with_another_number_of_parameters() -> None:
    base = {"a.h": "#define wrap(a) (a)\n", "b.c": USER}
    assert found(base, {"a.h": "#define wrap(a, b) (a)\n"}, {"b.c": using("wrap(1, 2);")}) == {"2<-1": ["wrap"]}
    assert found(base, {"a.h": "#define wrap(b) (b + 1)\n"}, {"b.c": using("wrap(1);")}) == {}


def test_names_in_the_body_of_a_macro() -> None:
    base = {"a.h": "int old(void);\n", "b.h": "#define B 1\n"}
    grown = {"a.h": "int old(void);\nint fresh(int a);\nstruct s {\n\tint member;\n};\n"}
    lines = ("#define wrap(x, y)", "\tdo {", "\t\tfresh(y); /* old */", "\t\t(x)->member = 1;", "\t} while (0)\n")
    body = " \\\n".join(lines)
    assert found(base, grown, {"b.h": "#define B 1\n" + body}) == {"2<-1": ["fresh", "member"]}
    assert found(base, grown, {"b.h": "#define B 1\n#define wrap(fresh, x) (fresh + x)\n"}) == {}


def test_what_is_announced_is_needed_by_what_implements_it() -> None:
    body = "int fresh(int a)\n{\n\treturn a;\n}\n"
    base = {"a.h": "int old(void);\n", "a.c": USER}
    assert found(base, {"a.h": "int old(void);\nint fresh(int a);\n"}, {"a.c": USER + body}) == {"2<-1": ["fresh"]}
    # Two architectures each have their own.
    both = {"x86/a.c": USER}, {"arm/a.c": OTHER}
    assert found({**both[0], **both[1]}, {"x86/a.c": USER + body}, {"arm/a.c": OTHER + body}) == {}


def test_exports_and_parameters_of_modules_use_a_name() -> None:
    body = USER + "static int debug;\nint fresh(void)\n{\n\treturn 1;\n}\n"
    more = body + "EXPORT_SYMBOL_GPL(fresh);\nmodule_param(debug, int, 0644);\n"
    assert found({"a.c": USER}, {"a.c": body}, {"a.c": more}) == {"2<-1": ["debug", "fresh"]}
    assert found({"a.c": body, "b.c": OTHER}, {"a.c": more}, {"b.c": using("fresh();", OTHER)}) == {}


def test_moved_code_is_not_new() -> None:
    base = {"a.c": USER + "int moving(void)\n{\n\treturn 2;\n}\n", "b.c": OTHER, "c.c": "int c;\n"}
    moved = {"a.c": USER, "b.c": OTHER + "int moving(void)\n{\n\treturn 2;\n}\n"}
    assert found(base, moved, {"c.c": "int c;\nint d(void) { return moving(); }\n"}) == {}


def test_renamed_files_keep_their_names() -> None:
    rename = b"diff --git a/a.h b/new.h\nsimilarity index 100%\nrename from a.h\nrename to new.h\n"
    base = {"a.h": "int old(void);\n", "b.c": USER}
    fresh = {"a.h": "int old(void);\nint fresh(int a);\n"}
    assert found(base, fresh, rename, {"b.c": using("fresh(1);")}) == {"3<-1": ["fresh"]}
    assert found(base, rename, {"b.c": using("old();")}) == {}


def test_copied_and_removed_files() -> None:
    copy = b"diff --git a/a.h b/new.h\nsimilarity index 100%\ncopy from a.h\ncopy to new.h\n"
    base = {"a.h": "int old(void);\n", "b.c": USER, "d.c": "int d(void) { return old(); }\n"}
    fresh = {"a.h": "int old(void);\nint fresh(int a);\n"}
    assert found(base, fresh, copy, {"b.c": using("fresh(1);")}) == {"3<-1": ["fresh"]}
    assert found(base, copy, {"a.h": None}, {"b.c": using("old();")}) == {}
    assert found(base, {"a.h": None, "z.h": "int old(void);\n"}, {"b.c": using("old();")}) == {}


def test_a_file_that_was_not_read_defines_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_syntax, "MOST_BYTES", 200)
    filler = "/*" + "-" * 200 + "*/\n"
    base = {"a.h": "int old(void);\n", "b.c": USER}
    large, small = {"a.h": filler + "int old(void);\n"}, {"a.h": "int old(void);\n"}
    assert found(base, large, small, {"b.c": using("old();")}) == {}
    assert found({**base, **large}, small, {"b.c": using("old();")}) == {}


def test_included_files() -> None:
    base = {"b.c": '#include "old.h"\n' + USER, "lib/Makefile": "obj-y += old.o\n", "lib/b.c": USER}
    header = {"include/linux/fresh.h": "int x;\n", "lib/own.h": "int y;\n", "lib/fresh.c": "int z;\n"}
    assert found(base, header, {"b.c": "#include <linux/fresh.h>\n" + USER}) == {"2<-1": ["linux/fresh.h"]}
    assert found(base, header, {"lib/b.c": '#include "own.h"\n' + USER}) == {"2<-1": ["own.h"]}
    assert found(base, header, {"b.c": '#include "own.h"\n#include <sys/fresh.h>\n' + USER}) == {}
    assert found(base, header, {"lib/Makefile": "obj-y += old.o fresh.o\n"}) == {"2<-1": ["fresh.o"]}


KCONFIG = 'config OLD\n\tbool "old"\n'


@pytest.mark.parametrize(
    ("change", "is_need"),
    [
        ({"b.c": using("if (IS_ENABLED(CONFIG_FRESH)) return 1;")}, True),
        ({"b.c": "#ifdef CONFIG_FRESH\nint x;\n#endif\n" + USER}, True),
        ({"b.c": "#ifdef CONFIG_FRESH_MODULE\nint x;\n#endif\n" + USER}, True),
        ({"b.c": using("/* CONFIG_FRESH */")}, False),
        ({"Makefile": "obj-$(CONFIG_FRESH) += a.o\n"}, True),
        ({"Makefile": "obj-y += a.o # CONFIG_FRESH\n"}, False),
        ({"d/Kconfig": KCONFIG + "\tdepends on FRESH && OLD\n"}, True),
        ({"d/Kconfig": KCONFIG + "\tselect FRESH\n"}, True),
        ({"d/Kconfig": KCONFIG + "\thelp\n\t  FRESH is better.\n"}, False),
        ({"d/Kconfig": KCONFIG + "\tdefault y # FRESH\n"}, False),
        ({"arch/x_defconfig": "CONFIG_FRESH=y\n"}, True),
        ({"doc.rst": "Set CONFIG_FRESH.\n"}, False),
    ],
)  # fmt: skip
def test_options(change: Files, is_need: bool) -> None:
    base = {"Kconfig": KCONFIG, "d/Kconfig": KCONFIG, "b.c": USER, "Makefile": "obj-y += a.o\n", "doc.rst": "x\n",
            "arch/x_defconfig": "CONFIG_OLD=y\n"}  # fmt: skip
    fresh = {"Kconfig": KCONFIG + '\nconfig FRESH\n\tbool "fresh"\n\thelp\n\t  config NONE\n'}
    needs = found(base, fresh, change)
    assert set(needs) == ({"2<-1"} if is_need else set())


def test_prose_is_not_read() -> None:
    base = {"a.h": "int old(void);\n", "doc.rst": "About.\n", "x.yaml": "a: b\n"}
    fresh = {"a.h": "int old(void);\nstruct tagset {\n\tint a;\n};\n"}
    assert found(base, fresh, {"doc.rst": "About.\nThe tagset is struct tagset.\n", "x.yaml": "a: tagset\n"}) == {}


def test_stages_that_are_not_known_and_odd_bytes() -> None:
    base = {"a.h": b"/* \xff\xfe */\nint old(void);\n", "b.c": USER}
    stages = staged(base, {"a.h": b"/* \xff\xfe */\nint old(void);\nint fresh\xe9(void);\nint f2(void);\n"},
                    {"b.c": using("f2();")}, {"b.c": using("f2();") + "\0\xff"})  # fmt: skip
    assert ties(found_by(DependencyKind.SYMBOL, stages)) == {"2<-1": ["f2"]}
    assert ties(found_by(DependencyKind.SYMBOL, stages[1:])) == {}
    assert found_by(DependencyKind.SYMBOL, []) == ()


def test_an_ifdef_maze_still_gives_names() -> None:
    maze = "#ifdef A\nstatic int pick(int a)\n#else\nstatic int pick(int a, int b)\n#endif\n{\n\treturn a;\n}\n"
    fresh = maze + "#if defined(B) && \\\n\tC\nint fresh(void) {\n#else\nint fresh(int a) {\n#endif\n\treturn 0;\n}\n"
    assert found({"a.c": maze, "b.c": USER}, {"a.c": fresh}, {"b.c": using("fresh();")}) == {"2<-1": ["fresh"]}


DONE = """\
static void done(void *data, int status)
{
	struct xprt *xprt = data;
	int i;

	if (!status)
		set_bit(1, &xprt->flags);

	for (i = 0; i < 3; i++) {
		int inner = i;

		use(inner);
	}

	clear_bit(2, &xprt->flags);
	if (status < 0)
		return;
	complete_all(&xprt->done);
}
"""


def local_ties(base: Files, *changes: Files | bytes) -> dict[str, list[str]]:
    return ties(found_by(DependencyKind.SCOPE, staged(base, *changes)))


def edited(*pairs: tuple[str, str], text: str = DONE) -> str:
    """The function with some words in another form."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


TAGS = ("int status)", "int status,\n\t\t const struct tagset *tags)")
USE = ("clear_bit(2,", "copy(tags);\n\tclear_bit(2,")


def test_a_parameter() -> None:
    assert local_ties({"a.c": DONE}, {"a.c": edited(TAGS)}, {"a.c": edited(TAGS, USE)}) == {"2<-1": ["tags"]}


def test_what_was_only_written_anew_is_not_introduced() -> None:
    """`data` and `status` stand on a line of the first patch too."""
    uses = ("clear_bit(2,", "copy(data, status);\n\tclear_bit(2,")
    assert local_ties({"a.c": DONE}, {"a.c": edited(TAGS)}, {"a.c": edited(TAGS, uses)}) == {}


def test_introduced_and_then_written_anew() -> None:
    again = (TAGS, ("const struct tagset *tags", "struct tagset *tags"))
    changes = {"a.c": edited(TAGS)}, {"a.c": edited(*again)}, {"a.c": edited(*again, USE)}
    assert local_ties({"a.c": DONE}, *changes) == {"3<-1": ["tags"]}


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        (("int i;", "int i;\n\tbool fresh = false;"), ("complete_all(", "use(fresh);\n\tcomplete_all("), ["fresh"]),
        (("int i;", "int i, *fresh;"), ("complete_all(", "*fresh = 1;\n\tcomplete_all("), ["fresh"]),
        (("int i;", "int i;\n\tLIST_HEAD(fresh);"), ("complete_all(", "use(&fresh);\n\tcomplete_all("), ["fresh"]),
        (("complete_all(", "out:\n\tcomplete_all("), ("\tif (!status)", "\tif (!xprt)\n\t\tgoto out;\n\tif (!status)"),
         ["out"]),
        # The inner one is not seen further down, and the name is one of a function there.
        (("int inner = i;", "int inner = i, fresh;"), ("complete_all(", "use(fresh);\n\tcomplete_all("), None),
        # The second patch has one of its own.
        (("int i;", "int i;\n\tint fresh;"), ("int inner = i;", "int inner = i, fresh = 1;\n\t\tuse(fresh);"), None),
        (("int i;", "int i;\n\tint fresh;"), ("complete_all(", "/* fresh */\n\tcomplete_all("), None),
        (("int i;", "int i;\n\tint fresh;"), ("complete_all(", "xprt->fresh = 1;\n\tcomplete_all("), None),
    ],
)  # fmt: skip
def test_in_the_body(first: tuple[str, str], second: tuple[str, str], names: list[str] | None) -> None:
    needs = local_ties({"a.c": DONE}, {"a.c": edited(first)}, {"a.c": edited(first, second)})
    assert needs == ({} if names is None else {"2<-1": names})


def test_a_function_of_its_own() -> None:
    """All in it came with it; another function with the same names has nothing to do with that."""
    other = DONE.replace("done(void", "other(void")
    more = edited(("complete_all(", "use(status);\n\tcomplete_all("), text=other)
    assert local_ties({"a.c": ""}, {"a.c": other}, {"a.c": more}) == {"2<-1": ["status"]}
    assert local_ties({"a.c": DONE}, {"a.c": DONE + other}, {"a.c": edited(USE) + other}) == {}


def test_in_a_renamed_file() -> None:
    rename = b"diff --git a/a.c b/b.c\nsimilarity index 100%\nrename from a.c\nrename to b.c\n"
    changes = {"a.c": edited(TAGS)}, rename, {"b.c": edited(TAGS, USE)}
    assert local_ties({"a.c": DONE}, *changes) == {"3<-1": ["tags"]}


def test_in_an_ifdef() -> None:
    first = ("int i;", "int i;\n#ifdef CONFIG_X\n\tint fresh;\n#endif")
    second = ("complete_all(", "use(fresh);\n\tcomplete_all(")
    assert local_ties({"a.c": DONE}, {"a.c": edited(first)}, {"a.c": edited(first, second)}) == {"2<-1": ["fresh"]}
