# SPDX-License-Identifier: GPL-2.0-or-later
"""C that nobody would write: it is parsed in bounds, or not at all, and never crashes."""

import pytest

from seriestool.split import c_syntax
from seriestool.split.c_syntax import CParser, is_c, is_header, leaves
from seriestool.split.patch_dependencies import find_dependencies
from tests.support.split_series import staged

HOSTILE = {
    "parentheses": b"(" * 60_000,
    "blocks": b"int f(void) {" + b"{ int a; a = 1;" * 4_000,
    "calls": b"int f(void) { return " + b"g(" * 20_000,
    "stars": b"int " + b"*" * 60_000 + b"a;",
    "structs": b"struct a {" * 10_000,
    "ifdefs": b"int f(void)\n{\n" + b"#ifdef A\n" * 5_000,
    "declarators": b"int f(" + b"int (*g)(" * 5_000,
    "locals": b"int f(void)\n{\n" + b"int a;\n" * 3_000 + b"a = 1;\n}\n",
    "macro": b"#define A " + b"(" * 60_000,
    "every byte": bytes(range(256)) * 300,
    "no newline": b"int a",
    "nothing": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files(content: bytes) -> None:
    """A patch adds the file, the next one a line to it, the last one a use."""
    changes = {"a.c": content + b"\nint z;\n"}, {"a.c": content + b"\nint z;\nint y = z;\n"}
    find_dependencies(staged({"a.c": "int x;\n"}, *changes))


def test_files_that_are_too_large_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_syntax, "MOST_BYTES", 10)
    reader = CParser()
    assert reader.find_code(b"int a;") is not None
    assert reader.find_code(b"int a; int b;") is None


def test_a_series_is_parsed_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_syntax, "MOST_PARSED", 13)
    reader = CParser()
    assert [reader.find_code(b"int a;") is not None for _ in range(3)] == [True, True, False]


def test_code_made_to_be_slow_is_given_up() -> None:
    reader = CParser()
    assert reader.find_code(b"f(" * 900_000) is None
    assert reader.find_code(b"int a;\n" * 100_000) is not None


def test_leaves_in_order() -> None:
    code = CParser().find_code(b"int a /* b */ = c + 1;\n")
    assert code is not None
    assert [code.text(leaf) for leaf in leaves(code.root, frozenset({"comment"}))] == [
        b"int", b"a", b"=", b"c", b"+", b"1", b";",
    ]  # fmt: skip


def test_names_of_files() -> None:
    assert [path for path in (b"a.c", b"a.h", b"a.c.inc", b"a.S", b"a.rst", b"c") if is_c(path)] == [
        b"a.c", b"a.h", b"a.c.inc",
    ]  # fmt: skip
    assert [is_header(path) for path in (b"a.c", b"a.h", b"a.c.inc")] == [False, True, True]
