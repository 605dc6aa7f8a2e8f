# SPDX-License-Identifier: GPL-2.0-or-later
"""apply: a patch that applies, one that does not and whose fault that is, one that is there already."""

import pytest
from msgspec.structs import replace

from seriestool.check.protocol import Status
from seriestool.check.rules.apply import CHECK
from seriestool.rebase.patch_stack import BaseKind
from tests.support.repos import Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, open_subject, rules_of

NUMBERS = "".join(f"{n}\n" for n in range(1, 40))


def changed(number: int, text: str) -> str:
    return NUMBERS.replace(f"\n{number}\n", f"\n{text}\n")


@pytest.fixture
def base(repo: Repo) -> Repo:
    repo.commit({"a.c": NUMBERS, "b.c": NUMBERS}, "start")
    return repo


def one(repo: Repo, text: str = "twenty") -> bytes:
    return mail_series(repo, (f"a: count to {text}\n\n{SIGNED}\n", {"a.c": changed(20, text)}))


def test_it_applies(base: Repo) -> None:
    assert ask_check(CHECK, base, one(base)) == ()


def test_no_base_is_a_skip(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, one(base), base=None)) == [("apply", "skip")]


def test_mail_without_a_diff_is_empty(base: Repo) -> None:
    mail = one(base).replace(b"[PATCH]", b"[PATCH 1/1]").partition(b"diff --git")[0] + b"-- \n2.39.5\n\n"
    assert rules_of(ask_check(CHECK, base, mail)) == [("empty", "warn")]


def test_base_named_by_hand_is_no_fault_of_the_author(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": changed(20, "something else")}, "meanwhile")
    found = only_finding(ask_check(CHECK, base, mail), "apply")
    assert (found.status, found.path, found.line) == (Status.WARN, b"a.c", 17)
    assert "hunk 1 at line 17 of a.c, where it expects '20' and finds 'something else'" in found.message
    assert "named by hand" in found.message


def test_base_that_was_put_together_may_be_what_is_wrong(base: Repo) -> None:
    base.commit({"there/later.c": "x\n"}, branch="other")
    mbox = mail_series(base, ("one", {"there/later.c": "y\n"}), base="other")
    with open_subject(base, mbox) as subject:
        assert subject.base is not None
        rebuilt = replace(subject, base=replace(subject.base, footing=BaseKind.REBUILT), step=subject.steps[0])
        findings = tuple(CHECK.run(rebuilt))
    assert rules_of(findings) == [("apply", "skip")]
    assert findings[0].message.endswith("the base was put together from files that are proven, and may lack some")


def test_base_that_the_series_states_itself(base: Repo) -> None:
    mail = one(base)
    tip = base.commit({"a.c": changed(20, "something else")}, "meanwhile")
    mail = mail.replace(b"-- \n", b"base-commit: " + tip.encode() + b"\n-- \n")
    assert rules_of(ask_check(CHECK, base, mail)) == [("apply", "fail")]


def test_stated_base_with_prerequisites_is_not_all_of_it(base: Repo) -> None:
    mail = one(base)
    tip = base.commit({"a.c": changed(20, "something else")}, "meanwhile")
    stated = f"base-commit: {tip}\nprerequisite-patch-id: {'1' * 40}\n"
    mail = mail.replace(b"-- \n", stated.encode() + b"-- \n")
    assert rules_of(ask_check(CHECK, base, mail)) == [("apply", "warn")]


def test_damaged_diff_on_the_very_file_that_it_names(base: Repo) -> None:
    mail = one(base).replace(b"\n 19\n", b"\n 19  \n")
    found = only_finding(ask_check(CHECK, base, mail), "apply")
    assert found.status is Status.FAIL
    assert "damaged or edited" in found.message


def test_second_patch_that_does_not_follow_the_first(base: Repo) -> None:
    mail = mail_series(base, ("a: one", {"a.c": changed(20, "x")}), ("a: two", {"a.c": changed(20, "y")})).replace(
        b"-x\n+y", b"-z\n+y"
    )
    assert ask_check(CHECK, base, mail, counter=1) == ()
    assert rules_of(ask_check(CHECK, base, mail, counter=2)) == [("apply", "fail")]


def test_patch_on_top_of_one_that_does_not_apply_is_a_skip(base: Repo) -> None:
    mail = mail_series(base, ("a: one", {"a.c": changed(20, "x")}), ("a: two", {"a.c": changed(20, "y")}))
    base.commit({"a.c": changed(20, "something else")}, "meanwhile")
    found = ask_check(CHECK, base, mail, counter=2)
    assert rules_of(found) == [("apply", "skip")]
    assert "patch 1" in found[0].message


def test_patch_on_top_of_one_that_is_there_already_fails_by_itself(base: Repo) -> None:
    first, meanwhile = changed(20, "x"), changed(20, "x").replace("\n31\n", "\nother\n")
    mail = mail_series(base, ("a: one", {"a.c": first}), ("a: two", {"a.c": first.replace("\n30\n", "\ny\n")}))
    base.commit({"a.c": meanwhile}, "the first one, and more")
    assert rules_of(ask_check(CHECK, base, mail, counter=1)) == [("applied-already", "warn")]
    assert rules_of(ask_check(CHECK, base, mail, counter=2)) == [("apply", "warn")]


def test_patch_behind_one_that_is_missing_is_a_skip(base: Repo) -> None:
    mail = mail_series(base, ("a: one", {"a.c": changed(20, "x")}), ("a: two", {"a.c": changed(20, "y")}))
    second = b"From " + mail.split(b"\n\n\nFrom ", 1)[1]
    found = ask_check(CHECK, base, second, counter=2)
    assert rules_of(found) == [("apply", "skip")]
    assert "patch 1, which is not there" in found[0].message


def test_missing_file(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": None}, "gone")
    found = only_finding(ask_check(CHECK, base, mail), "apply")
    assert (found.status, found.path) == (Status.WARN, b"a.c")
    assert "a.c: the file is not there" in found.message


def test_file_that_is_there_already(base: Repo) -> None:
    mail = mail_series(base, ("c: new", {"c.c": "c\n"}))
    base.commit({"c.c": "other\n"}, "meanwhile")
    assert "c.c: the file is there already" in only_finding(ask_check(CHECK, base, mail), "apply").message


def test_offset_is_a_note(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": "0\n0\n" + NUMBERS}, "two lines more")
    found = only_finding(ask_check(CHECK, base, mail), "offset")
    assert (found.status, found.message[:13]) == (Status.PASS, "1 hunk applie")


def test_all_of_it_is_in_the_base(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": changed(20, "twenty")}, "by somebody else", author="B <b@example.com>", date=1_000_000_000)
    assert ("applied-already", "warn") in rules_of(ask_check(CHECK, base, mail))


def test_merged_since_in_another_tree(base: Repo) -> None:
    mail = one(base)
    commit = base.commit({"a.c": changed(20, "twenty")}, "a: count to twenty", branch="next")
    base.git("update-ref", "refs/remotes/origin/next", commit)
    base.git("branch", "-D", "next")
    found = only_finding(ask_check(CHECK, base, mail), "merged")
    assert found.status is Status.WARN
    assert "it is in origin/next already, as " in found.message


def test_put_into_a_branch_of_ones_own_to_be_reviewed(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": changed(20, "twenty")}, "a: count to twenty", branch="review")
    found = only_finding(ask_check(CHECK, base, mail), "merged-here")
    assert found.status is Status.PASS
    assert "it is in your branch review already, as " in found.message


def test_another_version_was_merged(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": changed(20, "twenty!")}, "a: count to twenty", branch="next")
    assert rules_of(ask_check(CHECK, base, mail)) == [("merged-otherwise", "pass")]


def test_own_commits_are_not_merged_already(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": changed(20, "twenty")}, "a: count to twenty", branch="next")
    assert ask_check(CHECK, base, mail, is_mailed=False) == ()


def test_names_that_are_no_text(base: Repo) -> None:
    mail = mail_series(base, ("odd: name", {b"\xff.c": "1\n"}))
    base.commit({b"\xff.c": "2\n"}, "meanwhile")
    found = only_finding(ask_check(CHECK, base, mail), "apply")
    assert found.path == b"\xff.c"
    assert "\\xff.c" in found.message


def test_a_tree_that_has_all_of_it_under_another_name_is_named(base: Repo) -> None:
    """The seed case: the fix went in on its own, by other words and on other files, and stands in the series still."""
    mail = one(base)
    content = {"a.c": "0\n" + changed(20, "twenty")}
    tip = base.commit(content, "quite another subject", branch="mine", parent="main")
    base.git("update-ref", "refs/remotes/stable/master", tip)
    found = only_finding(ask_check(CHECK, base, mail), "contained")
    assert (found.status, found.message) == (Status.WARN, "all that it does is there already in stable/master")


def test_a_removal_that_could_stand_anywhere_is_not_taken_for_one(base: Repo) -> None:
    mail = mail_series(base, ("a: less", {"a.c": NUMBERS.replace("20\n", "")}))
    base.git("update-ref", "refs/remotes/stable/master", "main")
    assert ask_check(CHECK, base, mail) == ()


def test_commits_of_a_range_are_contained_in_their_own_branch(base: Repo) -> None:
    mail = one(base)
    base.commit({"a.c": changed(20, "twenty")}, "topic", branch="topic", parent="main")
    assert ask_check(CHECK, base, mail, is_mailed=False) == ()
