# SPDX-License-Identifier: GPL-2.0-or-later
import time

import pytest

from seriestool.check.protocol import Finding, Status
from seriestool.check.rules.new_file import CHECK, _may_list
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

SAID = f"area: change\n\nWhy.\n\n{SIGNED}\n"
MAINTAINERS = """\
List of maintainers

SMALL DRIVER
M:	S <s@example.com>
F:	drivers/small/
F:	include/linux/small.h

BIG SUBSYSTEM
M:	B <b@example.com>
F:	drivers/big/

WIDE SUBSYSTEM
M:	W <w@example.com>
F:	drivers/wide/

DOCUMENTATION
M:	D <d@example.com>
F:	Documentation/

THE REST
M:	T <t@example.com>
F:	*
F:	*/
"""
TREE: dict[str, File] = {
    "MAINTAINERS": MAINTAINERS,
    "drivers/small/Makefile": "obj-$(CONFIG_SMALL) += small.o sub/inner.o\n",
    "drivers/small/small.c": "int a;\n",
    "drivers/big/Makefile": "obj-y += $(patsubst %.c,%.o,$(wildcard *.c))\n",
    **{f"drivers/big/{n}.h": "\n" for n in range(510)},
    "drivers/wide/Makefile": "obj-y += w.o\n",
    **{f"drivers/wide/{n}.h": "\n" for n in range(100)},
    "include/linux/small.h": "int b;\n" * 20,
    "tools/testing/selftests/net/Makefile": "TEST_PROGS := one.sh\nTEST_GEN_PROGS := two\n",
}


def _series(repo: Repo, *changes: dict[str, File], tree: dict[str, File] = TREE) -> tuple[Finding, ...]:
    repo.commit(tree)
    return ask_check(CHECK, repo, mail_series(repo, *((SAID, change) for change in changes), options=["-M"]))


def test_a_file_that_a_small_section_has_and_the_makefile_names_passes(repo: Repo) -> None:
    makefile = "obj-$(CONFIG_SMALL) += small.o more.o\n"
    assert _series(repo, {"drivers/small/more.c": "int x;\n", "drivers/small/Makefile": makefile}) == ()


def test_a_file_of_no_section_warns(repo: Repo) -> None:
    one = only_finding(_series(repo, {"lib/new.h": "int x;\n", "lib/other.h": "int y;\n"}), "no-section")
    assert (one.status, one.path, one.counter) == (Status.WARN, b"lib/new.h", 1)
    assert "lib/other.h" in one.message
    assert "F:\tlib/new.h" in (one.mend or "")


def test_a_section_in_a_later_patch_counts(repo: Repo) -> None:
    maintainers = MAINTAINERS.replace("F:\tdrivers/small/\n", "F:\tdrivers/small/\nF:\tlib/new.h\n")
    assert _series(repo, {"lib/new.h": "int x;\n"}, {"MAINTAINERS": maintainers}) == ()


def test_a_new_folder_that_only_a_whole_subsystem_has_warns(repo: Repo) -> None:
    one = only_finding(_series(repo, {"drivers/big/vendor/new.h": "int x;\n"}), "large-section")
    assert one.status is Status.WARN
    assert "BIG SUBSYSTEM" in one.message


@pytest.mark.parametrize("path", ["drivers/wide/new.h", "drivers/big/new.h", "drivers/wide/sub/new.h"])
def test_a_file_of_a_section_between_or_in_a_folder_that_was_there_is_a_note(repo: Repo, path: str) -> None:
    assert rules_of(_series(repo, {path: "int x;\n"})) == [("wide-section", "pass")]


@pytest.mark.parametrize("path", ["Documentation/new.rst", "tools/testing/selftests/net/lib.txt"])
def test_documents_and_tests_need_no_section_of_their_own(repo: Repo, path: str) -> None:
    assert _series(repo, {path: "x\n"}) == ()


def test_a_file_that_a_later_patch_takes_away_is_not_new(repo: Repo) -> None:
    assert _series(repo, {"lib/new.h": "int x;\n"}, {"lib/new.h": None}) == ()


def test_a_pattern_that_nothing_fits_warns(repo: Repo) -> None:
    more = "F:\tdrivers/small/\nF:\tdrivers/smal/*.c\nF:\tdrivers/small/s*.c\nF:\tlib/gone.c\n"
    found = _series(repo, {"MAINTAINERS": MAINTAINERS.replace("F:\tdrivers/small/\n", more)})
    assert rules_of(found) == [("dead-pattern", "warn")] * 2
    assert ["drivers/smal/*.c" in found[0].message, "lib/gone.c" in found[1].message] == [True, True]


def test_a_dead_pattern_of_before_is_not_new(repo: Repo) -> None:
    old = MAINTAINERS.replace("F:\tdrivers/small/\n", "F:\tdrivers/small/\nF:\tlib/gone.c\n")
    new = old.replace("S <s@example.com>", "Z <z@example.com>")
    assert _series(repo, {"MAINTAINERS": new}, tree={**TREE, "MAINTAINERS": old}) == ()


def test_a_file_named_in_maintainers_that_goes_away_warns(repo: Repo) -> None:
    one = only_finding(_series(repo, {"include/linux/small.h": None}), "stale-pattern")
    assert (one.status, one.path) == (Status.WARN, b"include/linux/small.h")
    assert "SMALL DRIVER" in one.message


def test_a_file_named_in_maintainers_that_moves_warns(repo: Repo) -> None:
    change: dict[str, File] = {"include/linux/small.h": None, "drivers/small/small.h": "int b;\n" * 20}
    assert ("stale-pattern", "warn") in rules_of(_series(repo, change))


def test_a_folder_named_in_maintainers_of_which_all_goes_warns(repo: Repo) -> None:
    gone: dict[str, File] = {"drivers/small/small.c": None, "drivers/small/Makefile": None}
    assert "drivers/small/" in only_finding(_series(repo, gone), "stale-pattern").message


def test_maintainers_that_follow_the_move_pass(repo: Repo) -> None:
    maintainers = MAINTAINERS.replace("F:\tinclude/linux/small.h\n", "")
    change: dict[str, File] = {"include/linux/small.h": None, "MAINTAINERS": maintainers}
    assert _series(repo, change) == ()


def test_a_source_that_no_makefile_names_warns(repo: Repo) -> None:
    one = only_finding(_series(repo, {"drivers/small/more.c": "int x;\n"}), "not-built")
    assert (one.status, one.path) == (Status.WARN, b"drivers/small/more.c")
    assert "drivers/small/more.c" in one.message


def test_many_sources_that_no_makefile_names_are_one_thing(repo: Repo) -> None:
    one = only_finding(_series(repo, {f"drivers/small/n{n}.c": "int x;\n" for n in range(9)}), "not-built")
    assert "and 5 more" in one.message


def test_a_makefile_above_may_name_it(repo: Repo) -> None:
    assert _series(repo, {"drivers/small/sub/inner.c": "int x;\n"}) == ()


def test_a_name_that_is_part_of_another_is_not_it(repo: Repo) -> None:
    assert rules_of(_series(repo, {"drivers/small/mall.c": "int x;\n"})) == [("not-built", "warn")]


def test_a_makefile_with_a_wildcard_for_other_files_is_judged(repo: Repo) -> None:
    makefile = "obj-y := small.o\nextra := $(patsubst %.c,%.o,$(wildcard *.bpf.c))\n"
    found = _series(repo, {"drivers/small/more.c": "int x;\n", "drivers/small/Makefile": makefile})
    assert rules_of(found) == [("not-built", "warn")]


def test_a_makefile_with_a_wildcard_that_fits_is_not_judged(repo: Repo) -> None:
    assert "not-built" not in dict(rules_of(_series(repo, {"drivers/big/new.c": "int x;\n"})))


def test_a_source_that_another_one_includes_is_built_with_it(repo: Repo) -> None:
    makefile = "obj-y += small.o main.o\n"
    files: dict[str, File] = {"drivers/small/main.c": '#include "part.c"\n', "drivers/small/part.c": "int x;\n"}
    assert _series(repo, {**files, "drivers/small/Makefile": makefile}) == ()


def test_a_folder_without_makefiles_is_not_judged(repo: Repo) -> None:
    assert "not-built" not in dict(rules_of(_series(repo, {"crypto/new.c": "int x;\n"})))


def test_a_selftest_that_its_makefile_does_not_list_warns(repo: Repo) -> None:
    files: dict[str, File] = {f"tools/testing/selftests/net/{name}": ("#!/bin/sh\n", 0o100755) for name in ("n.sh",)}
    assert rules_of(_series(repo, files)) == [("not-run", "warn")]


def test_a_selftest_that_is_listed_and_a_library_pass(repo: Repo) -> None:
    files: dict[str, File] = {
        "tools/testing/selftests/net/new.sh": ("#!/bin/sh\n", 0o100755),
        "tools/testing/selftests/net/lib.sh": "f() { :; }\n",
        "tools/testing/selftests/net/Makefile": "TEST_PROGS := one.sh new.sh\nTEST_GEN_PROGS := two\n",
    }
    assert _series(repo, files) == ()


def test_a_series_that_does_not_apply_skips(repo: Repo) -> None:
    repo.commit(TREE)
    mbox = mail_series(repo, (SAID, {"drivers/small/small.c": "int z;\n"}))
    repo.commit({"drivers/small/small.c": "something else\n"})
    assert rules_of(ask_check(CHECK, repo, mbox)) == [("skipped", "skip")]


def test_a_tree_without_maintainers_is_not_asked_for_sections(repo: Repo) -> None:
    assert _series(repo, {"lib/new.h": "x\n"}, tree={"a.c": "int a;\n"}) == ()


def test_makefiles_of_shells_take_no_time() -> None:
    start = time.process_time()
    assert _may_list(b"$(shell " * 100_000, b"a/b.c") is False
    assert _may_list(b"obj-y += $(patsubst %.c,%.o,$(shell cd a && ls))", b"a/b.c")
    assert time.process_time() - start < 5
