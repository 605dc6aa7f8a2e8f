# SPDX-License-Identifier: GPL-2.0-or-later
"""`abi-docs`: Documentation/ABI."""

import pytest

from seriestool.check.protocol import Finding
from seriestool.check.rules.abi_docs import CHECK
from tests.support.repos import File, Repo
from tests.support.series import mail_series
from tests.support.session import ask_check, rules_of

DOC = "Documentation/ABI/testing/sysfs-toy"
OBSOLETE = "Documentation/ABI/obsolete/sysfs-toy"
ENTRY = """\
What:\t\t/sys/class/toy/{name}
Date:\t\tMay 2026
KernelVersion:\t7.2
Contact:\tlist@example.com
Description:
\t\tWhat the toy is.
\t\tNote: it is a toy.

"""
DRIVER = "int toy;\n"


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    repo.commit({DOC: ENTRY.format(name="color"), "drivers/toy.c": DRIVER}, "a toy")
    return repo


def check(kernel: Repo, *patches: dict[str, File], counter: int = 1) -> tuple[Finding, ...]:
    mbox = mail_series(kernel, *((f"part {number}", files) for number, files in enumerate(patches, 1)))
    return ask_check(CHECK, kernel, mbox, counter=counter)


def both(*names: str) -> str:
    return "".join(ENTRY.format(name=name) for name in names)


def test_a_patch_of_something_else_says_nothing(kernel: Repo) -> None:
    assert check(kernel, {"drivers/toy.c": "long toy;\n"}) == ()


def test_a_patch_that_does_not_apply_is_skipped(kernel: Repo) -> None:
    mbox = mail_series(kernel, ("part 1", {DOC: both("color", "size")}))
    kernel.commit({DOC: "other\n"}, "meanwhile")
    assert rules_of(ask_check(CHECK, kernel, mbox)) == [("skipped", "skip")]


def test_a_whole_entry(kernel: Repo) -> None:
    assert check(kernel, {DOC: both("color", "size")}) == ()


def test_an_entry_without_some_fields(kernel: Repo) -> None:
    bare = "What:\t\t/sys/class/toy/size\nContact:\nDescription:\tIts size.\n"
    found = check(kernel, {DOC: both("color") + bare})
    assert rules_of(found) == [("fields-missing", "warn")]
    assert (found[0].message, found[0].line) == ("the entry of /sys/class/toy/size has no Contact and no Date", 9)


def test_several_names_in_one_entry(kernel: Repo) -> None:
    text = "What:\t\t/sys/class/toy/size\nWhat:\t\t/sys/class/toy/\n\t\twidth\n" + both("x").split("\n", 1)[1]
    assert check(kernel, {DOC: both("color") + text}) == ()


def test_an_old_entry_without_fields_is_nothing_new(kernel: Repo) -> None:
    bare = "What:\t\t/sys/class/toy/old\nDescription:\tOld.\n\n"
    kernel.commit({DOC: bare}, "old")
    assert check(kernel, {DOC: bare + both("size")}) == ()


def test_an_entry_dropped(kernel: Repo) -> None:
    assert rules_of(check(kernel, {DOC: None})) == [("not-obsolete-first", "warn")]


def test_an_entry_moved_to_obsolete(kernel: Repo) -> None:
    assert check(kernel, {DOC: None, OBSOLETE: both("color")}) == ()


def test_an_entry_dropped_with_its_driver(kernel: Repo) -> None:
    assert check(kernel, {DOC: None}, {"drivers/toy.c": None}) == ()


ATTRIBUTES = DRIVER + "static DEVICE_ATTR_RO(size);\nstatic DEVICE_ATTR(width, 0444, show, NULL);\n"


def test_a_new_attribute_that_nobody_describes(kernel: Repo) -> None:
    found = check(kernel, {"drivers/toy.c": ATTRIBUTES})
    assert rules_of(found) == [("attribute-undocumented", "warn")]
    assert "size, width" in found[0].message
    assert (found[0].path, found[0].line) == (b"drivers/toy.c", 2)


def test_a_new_attribute_described_in_a_later_patch(kernel: Repo) -> None:
    assert check(kernel, {"drivers/toy.c": ATTRIBUTES}, {DOC: both("color", "size", "width")}) == ()


def test_an_attribute_that_moves(kernel: Repo) -> None:
    kernel.commit({"drivers/toy.c": ATTRIBUTES}, "attributes")
    assert check(kernel, {"drivers/toy.c": DRIVER, "drivers/other.c": ATTRIBUTES}) == ()


def test_a_project_that_has_no_such_folder(repo: Repo) -> None:
    repo.commit({"toy.c": DRIVER}, "a project")
    assert check(repo, {"toy.c": ATTRIBUTES}) == ()


def test_undecodable_entries(kernel: Repo) -> None:
    assert rules_of(check(kernel, {DOC: both("color").encode() + b"What: \xff\xfe\n"})) == [("fields-missing", "warn")]
