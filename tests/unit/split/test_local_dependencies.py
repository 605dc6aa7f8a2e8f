# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch uses a parameter, a local variable or a label that another brings to the function."""

import pytest

from seriestool.split.dependency_graph import DependencyKind
from tests.staged import Files, found_by, staged, ties

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


def found(base: Files, *changes: Files | bytes) -> dict[str, list[str]]:
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
    assert found({"a.c": DONE}, {"a.c": edited(TAGS)}, {"a.c": edited(TAGS, USE)}) == {"2<-1": ["tags"]}


def test_what_was_only_written_anew_is_not_introduced() -> None:
    """`data` and `status` stand on a line of the first patch too."""
    uses = ("clear_bit(2,", "copy(data, status);\n\tclear_bit(2,")
    assert found({"a.c": DONE}, {"a.c": edited(TAGS)}, {"a.c": edited(TAGS, uses)}) == {}


def test_introduced_and_then_written_anew() -> None:
    again = (TAGS, ("const struct tagset *tags", "struct tagset *tags"))
    changes = {"a.c": edited(TAGS)}, {"a.c": edited(*again)}, {"a.c": edited(*again, USE)}
    assert found({"a.c": DONE}, *changes) == {"3<-1": ["tags"]}


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
    needs = found({"a.c": DONE}, {"a.c": edited(first)}, {"a.c": edited(first, second)})
    assert needs == ({} if names is None else {"2<-1": names})


def test_a_function_of_its_own() -> None:
    """All in it came with it; another function with the same names has nothing to do with that."""
    other = DONE.replace("done(void", "other(void")
    more = edited(("complete_all(", "use(status);\n\tcomplete_all("), text=other)
    assert found({"a.c": ""}, {"a.c": other}, {"a.c": more}) == {"2<-1": ["status"]}
    assert found({"a.c": DONE}, {"a.c": DONE + other}, {"a.c": edited(USE) + other}) == {}


def test_in_a_renamed_file() -> None:
    rename = b"diff --git a/a.c b/b.c\nsimilarity index 100%\nrename from a.c\nrename to b.c\n"
    changes = {"a.c": edited(TAGS)}, rename, {"b.c": edited(TAGS, USE)}
    assert found({"a.c": DONE}, *changes) == {"3<-1": ["tags"]}


def test_in_an_ifdef() -> None:
    first = ("int i;", "int i;\n#ifdef CONFIG_X\n\tint fresh;\n#endif")
    second = ("complete_all(", "use(fresh);\n\tcomplete_all(")
    assert found({"a.c": DONE}, {"a.c": edited(first)}, {"a.c": edited(first, second)}) == {"2<-1": ["fresh"]}
