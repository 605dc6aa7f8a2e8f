# SPDX-License-Identifier: GPL-2.0-or-later
"""Which suites a patch can break, by the tree."""

from collections.abc import Mapping

import pytest

from seriestool.check.kunit.makefile import options_of, parse_makefile
from seriestool.check.kunit.suites import SuiteFinder
from tests.support.repos import File, Repo
from tests.support.session import open_scratch_repo

SUITE = "kunit_test_suite(s);\n"
TREE: Mapping[str, File] = {
    "net/Makefile": "obj-$(CONFIG_HANDSHAKE)\t+= handshake/\nobj-y += core/\n",
    "net/handshake/.kunitconfig": "CONFIG_KUNIT=y\nCONFIG_HANDSHAKE=y\nCONFIG_HANDSHAKE_KUNIT_TEST=y\n",
    "net/handshake/Makefile": "obj-y += handshake.o\nhandshake-y := request.o\n"
    "obj-$(CONFIG_HANDSHAKE_KUNIT_TEST) += handshake-test.o\nobj-$(CONFIG_LATE_TEST) += late-test.o\n",
    "net/handshake/request.c": "int a;\n",
    "net/handshake/handshake-test.c": SUITE,
    "net/handshake/late-test.c": SUITE,
    "include/net/handshake.h": "",
    "net/core/Makefile": "obj-y := skbuff.o\nobj-$(CONFIG_NET_TEST) += net_test.o\n"
    "obj-$(CONFIG_PERF_TEST) += perf_test.o\n",
    "net/core/skbuff.c": "int b;\n",
    "net/core/net_test.c": SUITE,
    "net/core/perf_test.c": "int no_suite;\n",
    "fs/Makefile": "obj-$(CONFIG_BINFMT_ELF) += binfmt_elf.o\n",
    "fs/binfmt_elf.c": "#ifdef CONFIG_OTHER\n#endif\n#ifdef CONFIG_ELF_KUNIT_TEST\n"
    '#include "tests/elf_kunit.c"\n#endif\n',
    "fs/tests/elf_kunit.c": SUITE,
    "drivers/fpga/fpga-mgr.c": "",
    "drivers/fpga/tests/.kunitconfig": "CONFIG_KUNIT=y\n",
    "include/linux/fpga/fpga-mgr.h": "",
    "net/mac80211/Makefile": "obj-$(CONFIG_MAC80211) += mac80211.o\nmac80211-y := main.o \\\n\tparse.o\n"
    "obj-y += tests/\n",
    "net/mac80211/parse.c": "EXPORT_SYMBOL_IF_KUNIT(f);\n",
    "net/mac80211/tests/Makefile": "mac-tests-y += elems.o\nobj-$(CONFIG_MAC80211_KUNIT_TEST) += mac-tests.o\n",
    "net/mac80211/tests/elems.c": SUITE,
    "lib/Makefile": "".join(
        f"obj-$(CONFIG_{name.upper()}_KUNIT_TEST) += {name}_kunit.o\n"
        for name in ("string", "cmdline", "bits", "sort", "list", "printf")
    ),
    **{f"lib/{name}_kunit.c": SUITE for name in ("string", "cmdline", "bits", "sort", "list")},
    "lib/printf_kunit.c": '#include "format.h"\n' + SUITE,
    "lib/string.c": "",
    "lib/unrelated.c": "",
    "lib/format.h": "",
    "lib/kunit/.kunitconfig": "CONFIG_KUNIT=y\n",
    "include/linux/string.h": "",
    "Documentation/a.c": "",
}


def choices(repo: Repo, *paths: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(name, options, reasons) of each configuration for a change of these files."""
    if not repo.git("for-each-ref"):
        repo.commit(TREE)
    with open_scratch_repo(repo) as scratch_repo:
        tree = scratch_repo.tree_of(repo.git("rev-parse", "HEAD"))
        found = SuiteFinder(scratch_repo).find(tree, [path.encode() for path in paths])
    return [(one.configuration.name, one.configuration.options, one.reasons) for one in found]


def test_the_nearest_kunitconfig(repo: Repo) -> None:
    assert choices(repo, "net/handshake/request.c") == [
        ("net/handshake/.kunitconfig", (), ("the nearest to net/handshake/request.c",))
    ]


def test_a_makefile_steers_the_tests_beside_it(repo: Repo) -> None:
    assert [name for name, *_ in choices(repo, "net/handshake/Makefile")] == ["net/handshake/.kunitconfig"]


def test_a_header_is_where_the_folder_of_its_name_is(repo: Repo) -> None:
    assert [name for name, *_ in choices(repo, "include/net/handshake.h")] == ["net/handshake/.kunitconfig"]
    assert [name for name, *_ in choices(repo, "include/linux/fpga/fpga-mgr.h")] == ["drivers/fpga/tests/.kunitconfig"]


def test_a_test_that_the_nearest_kunitconfig_leaves_out_gets_its_own(repo: Repo) -> None:
    assert choices(repo, "net/handshake/handshake-test.c")[1:] == []
    assert choices(repo, "net/handshake/late-test.c")[1:] == [
        ("tests of net/handshake", ("LATE_TEST", "HANDSHAKE"), ("net/handshake/late-test.c is a test",))
    ]


def test_a_kunitconfig_in_the_folder_for_tests(repo: Repo) -> None:
    assert [name for name, *_ in choices(repo, "drivers/fpga/fpga-mgr.c")] == ["drivers/fpga/tests/.kunitconfig"]


def test_test_objects_of_the_same_makefile(repo: Repo) -> None:
    """What is only called a test has no suite."""
    assert choices(repo, "net/core/skbuff.c") == [
        ("tests of net/core", ("NET_TEST",), ("there are tests of net/core/skbuff.c in the Makefile of net/core",))
    ]


def test_a_test_that_is_included_and_the_option_it_is_included_under(repo: Repo) -> None:
    assert choices(repo, "fs/binfmt_elf.c") == [
        ("tests of fs", ("ELF_KUNIT_TEST", "BINFMT_ELF"), ("fs/binfmt_elf.c includes tests/elf_kunit.c",))
    ]


def test_a_test_that_another_file_includes(repo: Repo) -> None:
    assert choices(repo, "fs/tests/elf_kunit.c") == []
    repo.commit({"fs/elf.c": '#ifdef CONFIG_X_KUNIT_TEST\n#include "tests/elf_kunit.c"\n#endif\n'})
    assert choices(repo, "fs/tests/elf_kunit.c") == [
        ("tests of fs", ("X_KUNIT_TEST",), ("fs/elf.c includes tests/elf_kunit.c",))
    ]


def test_symbols_exported_for_kunit_and_tests_linked_from_parts(repo: Repo) -> None:
    [(_, options, [reason])] = choices(repo, "net/mac80211/parse.c")
    assert options == ("MAC80211_KUNIT_TEST", "MAC80211")
    assert "exports symbols for KUnit" in reason


def test_of_many_tests_those_that_are_about_the_file(repo: Repo) -> None:
    assert [options for _, options, _ in choices(repo, "lib/string.c")] == [("STRING_KUNIT_TEST",)]
    assert [options for _, options, _ in choices(repo, "lib/format.h")] == [("PRINTF_KUNIT_TEST",)]
    assert choices(repo, "lib/unrelated.c") == []


def test_a_header_of_a_file_in_lib(repo: Repo) -> None:
    assert [options for _, options, _ in choices(repo, "include/linux/string.h")] == [("STRING_KUNIT_TEST",)]


def test_what_is_not_built_breaks_no_test(repo: Repo) -> None:
    assert choices(repo, "Documentation/a.c", "net/handshake/README", "tools/net/x.c") == []


def test_each_configuration_once_with_all_reasons(repo: Repo) -> None:
    [(_, _, reasons)] = choices(repo, "net/handshake/request.c", "include/net/handshake.h")
    assert reasons == ("the nearest to include/net/handshake.h", "the nearest to net/handshake/request.c")


def test_paths_that_are_no_text(repo: Repo) -> None:
    repo.commit({b"net/\xff\xfe/.kunitconfig": "CONFIG_KUNIT=y\n", b"net/\xff\xfe/a.c": ""})
    with open_scratch_repo(repo) as scratch_repo:
        tree = scratch_repo.tree_of(repo.git("rev-parse", "HEAD"))
        [choice] = SuiteFinder(scratch_repo).find(tree, [b"net/\xff\xfe/a.c"])
    assert choice.configuration.path == b"net/\xff\xfe/.kunitconfig"


def test_a_hundred_thousand_paths_are_bounded(repo: Repo) -> None:
    assert len(choices(repo, *(f"net/handshake/{number}.c" for number in range(100_000)))) == 1


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("obj-$(CONFIG_A) += a.o b.o\n", "b", ("A",)),
        ("obj-$(CONFIG_A) := \\\n  a.o \\\n  b.o\n", "b", ("A",)),
        ("m-objs := b.o\nobj-$(CONFIG_M) += m.o\n", "b", ("M",)),
        ("m-$(CONFIG_B) += b.o\nobj-$(CONFIG_M) += m.o\n", "b", ("B", "M")),
        ("m-${CONFIG_B} += b.o\nobj-${CONFIG_M} := m.o\n", "b", ("B", "M")),
        ("a-y += b.o\nb-y += a.o\n", "a", ()),
        ("obj-y += sub/ # b.o\n", "b", ()),
        ("obj-$(CONFIG_A) += sub/\n", "sub/", ("A",)),
        ("CFLAGS_b.o += -g\nccflags-$(CONFIG_A) += b.o.x\n", "b", ()),
    ],
)
def test_makefiles(text: str, name: str, options: tuple[str, ...]) -> None:
    assert options_of(parse_makefile(text.encode()), name) == options
