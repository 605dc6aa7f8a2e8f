# SPDX-License-Identifier: GPL-2.0-or-later
"""What compilers and make say, as sets; the lines are as gcc 12 and make 4.3 wrote them for Linux 6.12."""

import pytest

from seriestool.check.builds.diagnostics import Diagnostic, parse_diagnostics

ROOTS = ("/c/1/source", "/c/1/output/x", "../../source")

ERROR = """\
../../source/net/handshake/alert.c: In function \u2018tls_broken\u2019:
../../source/net/handshake/alert.c:113:33: error: implicit declaration of function \u2018tls_undefined\u2019 \
[-Werror=implicit-function-declaration]
  113 | int tls_broken(void) { return tls_undefined(); }
      |                                 ^~~~~~~~~~~~~
cc1: some warnings being treated as errors
make[5]: *** [/c/1/source/scripts/Makefile.build:234: net/handshake/alert.o] Error 1
make[4]: *** [/c/1/source/scripts/Makefile.build:478: net/handshake] Error 2
make[2]: Target 'net/handshake/alert.o' not remade because of errors.
"""
WARNING = "/c/1/source/fs/a.c:7:5: warning: unused variable 'x' [-Wunused-variable]\n"


def only(output: str) -> Diagnostic:
    (found,) = parse_diagnostics(output, ROOTS)
    return found


def test_an_error_has_its_path_as_the_tree_has_it_and_its_flag() -> None:
    found = only(ERROR)
    assert (found.path, found.line, found.is_error) == ("net/handshake/alert.c", 113, True)
    assert found.text == "implicit declaration of function 'tls_undefined'"
    assert found.flag == "-Wimplicit-function-declaration"


def test_a_warning_is_the_same_on_another_line_and_in_another_folder() -> None:
    assert only(WARNING) == only(WARNING.replace(":7:5:", ":99:1:").replace("/c/1/source", "../../source"))
    assert not only(WARNING).is_error


def test_a_warning_of_another_name_is_another_one() -> None:
    assert only(WARNING) != only(WARNING.replace("'x'", "'y'"))


def test_a_warning_that_became_an_error_is_one() -> None:
    assert only(WARNING.replace("warning:", "error:").replace("-W", "-Werror=")).is_error


def test_sizes_that_change_with_every_change_do_not_count() -> None:
    frame = "fs/a.c:7:1: warning: the frame size of 2064 bytes is larger than 2048 bytes [-Wframe-larger-than=]\n"
    assert only(frame) == only(frame.replace("2064", "2080"))


def test_objtool_speaks_of_objects_and_offsets() -> None:
    said = "fs/a.o: warning: objtool: f+0x1b: unreachable instruction\n"
    assert only(said) == only(said.replace("0x1b", "0x2c"))
    assert only(said).path == "fs/a.o"


def test_a_source_that_is_not_there_is_an_error() -> None:
    said = "make[5]: *** No rule to make target 'net/x/gone.o', needed by 'net/x/built-in.a'.  Stop.\n"
    assert only(said).text == "No rule to make target 'net/x/gone.o', needed by 'net/x/built-in.a'"
    assert only("make[5]: *** No rule to make target 'net/x/gone.o'.\n").is_error


def test_an_assembler_s_error_counts() -> None:
    found = only(
        "/c/1/source/arch/x86/a.S: Assembler messages:\n/c/1/source/arch/x86/a.S:3: Error: no such instruction\n"
    )
    assert (found.path, found.line, found.is_error) == ("arch/x86/a.S", 3, True)


def test_an_object_that_fails_without_a_word_is_an_error() -> None:
    found = only("make[5]: *** [/c/1/source/scripts/Makefile.build:234: net/a.o] Error 1\n")
    assert (found.path, found.text) == ("net/a.o", "make says: Error 1")


@pytest.mark.parametrize("said", ["", "In file included from a.c:1:\n", "a.c:3:5: note: declared here\n", ":::\n" * 50])
def test_what_is_neither_is_nothing(said: str) -> None:
    assert parse_diagnostics(said, ROOTS) == frozenset()


def test_output_without_end_has_an_end() -> None:
    said = "".join(f"a.c:{n}:1: warning: w{n}\n" for n in range(5000)) + "x" * 10_000_000
    assert len(parse_diagnostics(said, ROOTS)) == 2000
