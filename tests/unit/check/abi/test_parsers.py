# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever stands in a tree, reading it ends, and says something or nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.check.abi.abi_change import AbiChange, ChangeSeverity, find_line, find_sentinels, is_padding, is_sum
from seriestool.check.abi.abi_entries import parse_entries
from seriestool.check.abi.c_types import HeaderTypes, Macro
from seriestool.check.abi.header_comparison import HeaderAbi, compare
from seriestool.check.abi.header_text import ioctl_magics, leaked_options, listed_magics, user_lines, without_comments
from seriestool.check.abi.installed_headers import find_header, included
from seriestool.check.abi.macros import parse_preprocessed
from seriestool.check.abi.syscall_tables import compare_tables, parse_generic, parse_table
from seriestool.check.abi.ynl import first_difference, parse_generated

WORDS = (
    b"/*", b"*/", b"//", b"\n", b"#define ", b"#ifdef __KERNEL__\n", b"#if ", b"#else\n", b"#endif\n", b"CONFIG_A",
    b" ", b"_IO('", b"'x', 1)", b"0xAB", b"#include <a.h>\n", b'# 1 "a.h"\n', b"\xff", b"What:", b"Description:\n",
    b"\t", b"1 common read sys_read\n", b"YNL-GEN kernel header", b"__NR_a 3\n",
    b"Documentation/netlink/specs/a.yaml", b"\0",
)  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=4)), max_size=40).map(b"".join)


@given(TEXT)
def test_any_text_can_be_read(text: bytes) -> None:
    assert without_comments(text).count(b"\n") == text.count(b"\n")
    assert all(number >= 1 for number, _ in user_lines(text))
    leaked_options(text), ioctl_magics(text), listed_magics(text), parse_entries(text), parse_generated(text)
    included(text, b"linux/a.h"), parse_preprocessed(text), parse_generic(text)
    find_line(text, AbiChange(ChangeSeverity.NOTE, "x", "read", "", "struct a"))


@given(TEXT, TEXT)
def test_any_two_tables_can_be_compared(one: bytes, other: bytes) -> None:
    old, new = parse_table(one), parse_table(other)
    assert list(compare_tables(old, old)) == []
    list(compare_tables(old, new))
    assert (first_difference(one, other) is None) == (one == other)


@given(st.binary(max_size=30))
def test_any_path_can_be_asked_about(path: bytes) -> None:
    for folder in (b"", b"include/uapi/", b"arch/x86/include/uapi/"):
        find_header(folder + path + b".h")


def test_paths_that_leave_the_tree_are_no_headers() -> None:
    assert find_header(b"include/uapi/../../etc/a.h") is None
    assert find_header(b"include/uapi/linux/a.h") == (None, b"linux/a.h")
    assert find_header(b"arch/x86/include/uapi/asm/a.h") == ("x86", b"asm/a.h")
    assert find_header(b"include/linux/a.h") is None


@pytest.mark.parametrize(
    "piece",
    [
        *(b"/*", b"/", b"#if X\n", b"#if " + b" " * 9999 + b"X\n", b"_IO("),
        *(b"#ifdef __KERNEL__\n", b"A" * 50 + b"_MAX", b"What:\n", b"1 "),
    ],
)
def test_long_texts_take_no_time(piece: bytes) -> None:
    text = piece * (400_000 // len(piece))
    start = time.monotonic()
    leaked_options(text), ioctl_magics(text), parse_entries(text), parse_generated(text), parse_table(text)
    parse_preprocessed(text), included(text, b"a.h")
    name = text.decode()
    is_padding(name), is_sum(name, name), find_sentinels([name])
    assert time.monotonic() - start < 5


def test_macros_of_quotes_take_no_time() -> None:
    start = time.monotonic()
    nothing = HeaderTypes()
    sides = [
        HeaderAbi(nothing, nothing, {"X": macro}, {"X": macro}, {})
        for macro in (Macro("X", None, '"' + r"\"" * 200_000), Macro("X", None, "y"))
    ]
    assert [change.rule for change in compare(*sides)] == ["macro-text-changed"]
    assert time.monotonic() - start < 5


def test_fields_before_any_interface_are_nobodys() -> None:
    (entry,) = parse_entries(b"Date: today\nContact: me\nWhat: /sys/a\nDescription: b\n")
    assert (entry.what, entry.lacks()) == (("/sys/a",), ("Contact", "Date"))


@pytest.mark.parametrize(
    "condition", ["ifdef __KERNEL__", "if defined(__KERNEL__)", "if defined ( __KERNEL__ ) && X", "if  __KERNEL__"]
)
def test_what_only_the_kernel_sees_is_hidden(condition: str) -> None:
    assert list(leaked_options(f"#{condition}\nCONFIG_A\n#else\nCONFIG_B\n#endif\nCONFIG_C\n".encode())) == [
        "CONFIG_B",
        "CONFIG_C",
    ]


def test_a_struct_of_any_name_is_looked_for() -> None:
    assert find_line(b"struct a(b {\nint c;\n", AbiChange(ChangeSeverity.NOTE, "x", "c", "", "struct a(b")) == 2


def test_what_counts_the_others() -> None:
    assert find_sentinels(("A", "B", "__X_MAX", "X_MAX")) == {"__X_MAX", "X_MAX"}
    assert find_sentinels(("A", "X_SIZE", "__X_MAX")) == {"__X_MAX"}
    assert find_sentinels(("A", "B", "X_COUNT")) == {"X_COUNT"}
    assert is_sum("X_ALL", "(X_A | X_B)")
    assert not is_sum("X_SIZE", "64")
    assert is_sum("DM_VERSION_MINOR", "48")
    assert is_padding("reserved2")
    assert is_padding("u.__pad")
    assert not is_padding("padlock")
