# SPDX-License-Identifier: GPL-2.0-or-later
"""What files define, as the syntax tells it."""

from seriestool.split.c_syntax import CParser
from seriestool.split.outline import Definition, Outline, SymbolKind, SymbolName, read_outline

SOURCE = b"""\
static DEFINE_MUTEX(lock);
struct outer {
	int first, *second[3];
	struct {
		int deep;
	} inner;
} __packed;
typedef struct {
	int z;
} alias_t;
extern int announced;
int here = 1;
static int hidden(int a);
int shown(struct outer *o, ...)
{
	struct outer local;
	enum { NOT_SEEN } e;
#define INSIDE 1
	return local.first;
}
"""


def outline(content: bytes, in_header: bool = False) -> Outline:
    code = CParser().find_code(content)
    assert code is not None
    return read_outline(code, in_header)


def test_names_of_a_source_file() -> None:
    found = outline(SOURCE)
    assert {(name.space.name, name.text, name.owner) for name in found} == {
        ("NAME", b"lock", b""),
        ("TAG", b"outer", b""),
        ("MEMBER", b"first", b"outer"),
        ("MEMBER", b"second", b"outer"),
        ("MEMBER", b"deep", b"outer"),
        ("MEMBER", b"inner", b"outer"),
        ("NAME", b"alias_t", b""),
        ("MEMBER", b"z", b"alias_t"),
        ("NAME", b"announced", b""),
        ("NAME", b"here", b""),
        ("NAME", b"hidden", b""),
        ("NAME", b"shown", b""),
        ("NAME", b"INSIDE", b""),
    }
    assert {name.text for name, one in found.items() if one.is_shared} == {b"announced", b"here", b"shown"}
    assert {name.text for name, one in found.items() if not one.has_body} == {b"announced", b"hidden"}


def test_all_of_a_header_is_shared() -> None:
    assert all(one.is_shared for one in outline(SOURCE, in_header=True).values())


def test_versions_of_one_name_in_an_ifdef() -> None:
    found = outline(b"#ifdef A\nint f(int a);\n#else\nstatic inline void f(void) { }\n#endif\n", in_header=True)
    assert found == {
        SymbolName(SymbolKind.NAME, b"f"): Definition(True, True, frozenset({b"int ( int )", b"void ( void )"})),
    }
