# SPDX-License-Identifier: GPL-2.0-or-later
"""`syscalls`: the tables of system calls."""

import pytest

from seriestool.check.protocol import Finding
from seriestool.check.rules.syscalls import CHECK
from tests.support.repos import File, Repo, shared
from tests.support.series import mail_series
from tests.support.session import ask_check, only_finding, rules_of

X86 = "arch/x86/entry/syscalls/syscall_64.tbl"
ALPHA = "arch/alpha/kernel/syscalls/syscall.tbl"
COMMON = "scripts/syscall.tbl"
GENERIC = "include/uapi/asm-generic/unistd.h"
TABLE = """\
# a table
0\tcommon\tread\t\tsys_read
1\tcommon\twrite\t\tsys_write
# 2 was never used
3\t64\tclose\t\tsys_close
4\tcommon\told\t\tsys_ni_syscall
470\tcommon\tlistns\t\tsys_listns
"""
UNISTD = "#define __NR_read 0\n__SYSCALL(__NR_read, sys_read)\n#define __NR_listns 470\n#define __NR_syscalls 471\n"
NEW = "471\tcommon\tnewcall\t\tsys_newcall\n"


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    tables = {X86: TABLE, COMMON: TABLE, ALPHA: TABLE.replace("470", "580"), GENERIC: UNISTD}
    repo.commit({**tables}, "tables")
    return repo


def check(kernel: Repo, *patches: dict[str, File], counter: int = 1) -> tuple[Finding, ...]:
    mbox = mail_series(kernel, *((f"part {number}", files) for number, files in enumerate(patches, 1)))
    return ask_check(CHECK, kernel, mbox, counter=counter)


def table(old: str, new: str) -> dict[str, File]:
    assert TABLE.count(old) == 1
    return {X86: TABLE.replace(old, new)}


def test_a_patch_of_something_else_says_nothing(kernel: Repo) -> None:
    assert check(kernel, {"a.c": "int a;\n"}) == ()


def test_spaces_and_comments_are_nothing(kernel: Repo) -> None:
    assert check(kernel, table("1\tcommon\twrite\t\tsys_write", "1 common write sys_write # it writes")) == ()


def test_a_patch_that_does_not_apply_is_skipped(kernel: Repo) -> None:
    mbox = mail_series(kernel, ("part 1", table("# a table\n", "")))
    kernel.commit({X86: "# nothing left\n"}, "meanwhile")
    assert rules_of(ask_check(CHECK, kernel, mbox)) == [("skipped", "skip")]


def test_a_number_changed(kernel: Repo) -> None:
    found = check(kernel, table("1\tcommon\twrite", "2\tcommon\twrite"))
    assert rules_of(found) == [("number-changed", "fail")]
    assert (found[0].path, found[0].line) == (X86.encode(), 3)


def test_a_number_given_to_another_call(kernel: Repo) -> None:
    found = check(kernel, table("write\t\tsys_write", "scribble\t\tsys_scribble"))
    assert rules_of(found) == [("number-reused", "fail")]
    assert "1 was that of write, and is that of scribble" in found[0].message


def test_a_call_removed(kernel: Repo) -> None:
    assert rules_of(check(kernel, table("1\tcommon\twrite\t\tsys_write\n", ""))) == [("removed", "fail")]


def test_a_call_removed_that_did_nothing(kernel: Repo) -> None:
    assert rules_of(check(kernel, table("4\tcommon\told\t\tsys_ni_syscall\n", ""))) == [("removed", "warn")]


def test_a_call_that_does_nothing_any_more(kernel: Repo) -> None:
    assert rules_of(check(kernel, table("sys_write", "sys_ni_syscall"))) == [("no-longer-implemented", "warn")]


def test_another_function_behind_a_call_is_nothing(kernel: Repo) -> None:
    assert check(kernel, table("sys_write", "sys_write64")) == ()


def test_a_call_for_all_instead_of_some(kernel: Repo) -> None:
    assert check(kernel, table("3\t64\tclose", "3\tcommon\tclose")) == ()


def test_a_call_for_others(kernel: Repo) -> None:
    assert rules_of(check(kernel, table("0\tcommon\tread", "0\t64\tread"))) == [("abi-changed", "warn")]


def test_an_abi_that_is_given_up(kernel: Repo) -> None:
    assert rules_of(check(kernel, table("3\t64\tclose\t\tsys_close\n", ""))) == [("abi-removed", "warn")]


def test_a_number_given_twice(kernel: Repo) -> None:
    found = check(kernel, table("# 2 was never used\n", "2\tcommon\tone\tsys_one\n2\t64\ttwo\tsys_two\n"))
    assert rules_of(found) == [("number-given-twice", "fail")]


def test_a_number_that_another_call_has_and_keeps(kernel: Repo) -> None:
    found = check(kernel, table("# 2 was never used\n", "3\tcommon\tother\tsys_other\n"))
    assert rules_of(found) == [("number-given-twice", "fail")]


def test_one_number_for_two_abis(kernel: Repo) -> None:
    assert check(kernel, table("# 2 was never used\n", "2\tx32\tone\tsys_one\n2\t64\ttwo\tsys_two\n")) == ()


def everywhere() -> dict[str, File]:
    return {
        X86: TABLE + NEW,
        COMMON: TABLE + NEW,
        ALPHA: TABLE.replace("470", "580") + NEW.replace("471", "581"),
        GENERIC: UNISTD.replace("#define __NR_syscalls 471", "#define __NR_newcall 471\n#define __NR_syscalls 472"),
    }


def test_a_new_call_everywhere(kernel: Repo) -> None:
    assert rules_of(check(kernel, everywhere())) == [("new-call", "pass")]


def test_a_new_call_in_one_table_only(kernel: Repo) -> None:
    found = only_finding(check(kernel, {X86: TABLE + NEW}), "not-in-all-tables")
    assert f"newcall is not in {ALPHA}, {GENERIC}, {COMMON}" in found.message


def test_a_new_call_in_one_table_at_a_time(kernel: Repo) -> None:
    parts = [{path: text} for path, text in everywhere().items()]
    assert rules_of(check(kernel, *parts)) == [("new-call", "pass")]


def test_a_call_of_one_architecture_only(kernel: Repo) -> None:
    assert check(kernel, table("# 2 was never used\n", "2\t64\tuprobe\tsys_uprobe\n")) == ()


def test_a_new_call_with_another_number_elsewhere(kernel: Repo) -> None:
    files = everywhere() | {COMMON: TABLE + NEW.replace("471", "472")}
    found = only_finding(check(kernel, files), "number-differs")
    assert (str(found.status), "472 in scripts/syscall.tbl" in found.message) == ("warn", True)


def test_the_count_is_not_raised(kernel: Repo) -> None:
    files = everywhere() | {GENERIC: UNISTD + "#define __NR_newcall 471\n"}
    found = only_finding(check(kernel, files), "count-not-raised")
    assert (found.mend, found.line) == ("#define __NR_syscalls 472", 4)


def tables_at(repo: Repo, tag: str) -> dict[str, bytes]:
    paths = repo.git("ls-tree", "-r", "--name-only", tag).split("\n")
    return {path: repo.git_bytes("show", f"{tag}:{path}") for path in paths if path.endswith(".tbl") or path == GENERIC}


def test_lines_that_are_no_rows(kernel: Repo) -> None:
    odd = "abc\n12\n9999999999 common x sys_x\n\xff \xfe\n5 common\n"
    assert check(kernel, {X86: TABLE + odd}) == ()


def test_a_call_that_others_had_already(kernel: Repo) -> None:
    kernel.commit({COMMON: TABLE + NEW}, "one has it")
    assert check(kernel, {X86: TABLE + NEW}) == ()


def test_years_of_real_tables(repo: Repo) -> None:
    repo.git("fetch", "-q", str(shared("data/kernel-subset.bundle")), "refs/tags/*:refs/tags/*")
    old, new = (tables_at(repo, tag) for tag in ("v6.12.8", "v7.1.8"))
    repo.commit({**old}, "v6.12.8")
    found = check(repo, {**{path: None for path in old if path not in new}, **new})
    assert [one for one in found if str(one.status) == "fail"] == []
    assert sum(one.rule == "new-call" for one in found) == 9
