# SPDX-License-Identifier: GPL-2.0-or-later
"""What a build says went wrong."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from seriestool.check.kunit.build_errors import BuildError, parse_errors, parse_unsatisfied

SOURCE, BUILD = Path("/w/slot/source"), Path("/w/slot/build")


def errors(text: str) -> tuple[BuildError, ...]:
    return parse_errors(text.encode(), SOURCE, BUILD)


def test_a_compiler_that_names_the_whole_path() -> None:
    text = """\
ERROR:root:/w/slot/source/net/a/b.c: In function 'f':
/w/slot/source/net/a/b.c:131:12: error: 'struct r' has no member named 'when'
  131 |         r->when = 1;
make[5]: *** [/w/slot/source/scripts/Makefile.build:234: net/a/b.o] Error 1
"""
    assert errors(text) == (BuildError("'struct r' has no member named 'when'", b"net/a/b.c", 131),)


def test_a_compiler_that_names_the_path_from_the_build_folder() -> None:
    assert errors("../source/net/a/b.c:9: error: no\n") == (BuildError("no", b"net/a/b.c", 9),)


def test_the_first_line_behind_kunits_own_words() -> None:
    assert errors("ERROR:root:../source/a.h:1:2: fatal error: x.h: No such file\n") == (
        BuildError("x.h: No such file", b"a.h", 1),
    )


def test_a_header_outside_the_tree_has_no_path() -> None:
    assert errors("/usr/include/x.h:3:1: error: no\n") == (BuildError("no"),)


def test_warnings_are_no_errors_and_each_error_comes_once() -> None:
    text = "../source/a.c:1:1: warning: w\n" + 2 * "../source/a.c:2:1: error: e\n"
    assert errors(text) == (BuildError("e", b"a.c", 2),)


def test_a_linker() -> None:
    text = "/usr/bin/ld: net/a/b.o: in function `f':\n../source/net/a/b.c:12: undefined reference to `g'\n"
    assert errors(text) == (BuildError("undefined reference to `g'", b"net/a/b.c", 12),)
    text = "ERROR:root:/usr/bin/ld: net/a/b.o: in function `f':\nb.c:(.text+0x1f): undefined reference to `g'\n"
    assert errors(text) == (BuildError("undefined reference to `g'", b"net/a/b.c"),)
    text = "/usr/bin/ld: vmlinux.o: in function `f':\nb.c:(.text+0x1f): undefined reference to `g'\n"
    assert errors(text) == (BuildError("undefined reference to `g'"),)


def test_modpost() -> None:
    assert errors('ERROR: modpost: "f" [net/a.ko] undefined!\n') == (BuildError('"f" [net/a.ko] undefined!'),)


def test_an_object_without_a_source() -> None:
    text = "make[4]: *** No rule to make target 'net/a/new.o', needed by 'net/a/built-in.a'.  Stop.\n"
    assert errors(text)[0].message.startswith("No rule to make target 'net/a/new.o'")


def test_a_makefile_that_cannot_be_read() -> None:
    text = "../source/net/a/Makefile:9: *** missing separator.  Stop.\n"
    assert errors(text) == (BuildError("missing separator.  Stop.", b"net/a/Makefile", 9),)


def test_a_kconfig_that_cannot_be_read() -> None:
    assert errors("net/Kconfig:12: syntax error\n") == (BuildError("syntax error", b"net/Kconfig", 12),)


def test_the_last_line_where_nothing_is_recognised() -> None:
    assert errors("one\nsomething odd\nmake: *** [x] Error 2\n") == (BuildError("something odd"),)
    assert errors("") == ()


def test_the_options_that_kconfig_does_not_give() -> None:
    text = b"""ERROR:root:Not all Kconfig options selected in kunitconfig were in the generated .config.
This is probably due to unsatisfied dependencies.
Missing: CONFIG_NFS_FS=y, CONFIG_NET_HANDSHAKE_KUNIT_TEST=y
Note: many Kconfig options aren't available on UML.
"""
    assert parse_unsatisfied(text) == ("NFS_FS", "NET_HANDSHAKE_KUNIT_TEST")
    assert parse_unsatisfied(b"make: *** [x] Error 2\n") == ()


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    parse_errors(raw, SOURCE, BUILD)
    parse_unsatisfied(raw)


def test_lines_without_end_are_bounded() -> None:
    errors("a" * 3_000_000)
    errors(": " * 1_000_000)
    errors("a:1: error: " * 100_000)
