# SPDX-License-Identifier: GPL-2.0-or-later
"""integrity: gaps, doubles, what is taken back."""

import re

from msgspec.structs import replace

from seriestool.check.rules.integrity import CHECK
from tests.support.kernels import FOO_KERNEL
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, open_subject, rules_of


def series(repo: Repo, *patches: tuple[str, dict[str, File]]) -> bytes:
    repo.commit({"a": "1\n2\n3\n", "b": "1\n"}, "start")
    return mail_series(repo, *patches)


def three(repo: Repo) -> bytes:
    return series(repo, ("x: a", {"a": "1\n2\n"}), ("x: b", {"b": "2\n"}), ("x: c", {"c": "1\n"}))


def without(mbox: bytes, counter: int) -> bytes:
    mails = re.split(rb"^(?=From [0-9a-f]{40} )", mbox, flags=re.M)
    return b"".join(mail for mail in mails if f"[PATCH {counter}/".encode() not in mail)


def test_whole_series(repo: Repo) -> None:
    assert ask_check(CHECK, repo, three(repo)) == ()


def test_lone_patch(repo: Repo) -> None:
    assert ask_check(CHECK, repo, series(repo, ("x: a", {"a": "1\n"}))) == ()


def test_it_needs_no_base(repo: Repo) -> None:
    assert ask_check(CHECK, repo, three(repo), base=None) == ()


def test_missing_patch(repo: Repo) -> None:
    found = only_finding(ask_check(CHECK, repo, without(three(repo), 2)), "missing-patches")
    assert (str(found.status), found.message) == ("warn", "patch 2 of 3 is not there")


def test_counts_beyond_its_end(repo: Repo) -> None:
    mail = three(repo).replace(b"[PATCH 3/3]", b"[PATCH 4/3]")
    found = ask_check(CHECK, repo, mail)
    assert {("miscounted", "pass"), ("missing-patches", "warn")} == set(rules_of(found))
    assert only_finding(found, "miscounted").counter == 4


def test_counter_twice(repo: Repo) -> None:
    with open_subject(repo, three(repo)) as subject:
        first, second, third = subject.series.patches
        doubled = replace(subject.series, patches=(first, second, replace(third, counter=2)))
        found = tuple(CHECK.run(replace(subject, series=doubled)))
    assert ("duplicate-counter", "warn") in rules_of(found)


def test_same_subject_twice(repo: Repo) -> None:
    found = ask_check(CHECK, repo, series(repo, ("x: a", {"a": "1\n"}), ("x:  A", {"b": "2\n"})))
    assert rules_of(found) == [("duplicate-subject", "warn")]
    assert found[0].counter == 2


def test_same_change_twice(repo: Repo) -> None:
    many = "".join(f"{n % 7}\n" for n in range(60))
    repo.commit({"a": many}, "start")
    once, twice = many.replace("3\n4\n", "3\nx\n4\n", 1), many.replace("3\n4\n", "3\nx\n4\n", 2)
    found = ask_check(CHECK, repo, mail_series(repo, ("x: a", {"a": once}), ("x: a", {"a": twice})))
    assert rules_of(found) == [("duplicate-patch", "warn")]
    assert found[0].message == "patches 1 and 2 make the same change"


def test_taken_back_later(repo: Repo) -> None:
    patches = ("x: a", {"a": "1\n2\nx\n"}), ("x: b", {"b": "2\n"}), ("x: c", {"a": "1\n2\n3\n"})
    found = ask_check(CHECK, repo, series(repo, *patches))
    assert rules_of(found) == [("undone", "warn")]
    assert (found[0].message, found[0].counter) == ("it takes back all that patch 1 does", 3)


def test_moved_on_is_not_taken_back(repo: Repo) -> None:
    assert ask_check(CHECK, repo, series(repo, ("x: a", {"a": "1\nx\n"}), ("x: b", {"a": "1\ny\n"}))) == ()


def test_fix_behind_other_work(repo: Repo) -> None:
    fix = f'x: b\n\nFixes: 0123456789ab ("x: z")\n{SIGNED}\n'
    assert ask_check(CHECK, repo, series(repo, ("x: a", {"a": "1\n"}), (fix, {"b": "2\n"}))) == ()  # it is no kernel
    repo.commit(FOO_KERNEL, "a kernel")
    found = ask_check(CHECK, repo, series(repo, ("x: a", {"a": "1\n"}), (fix, {"b": "2\n"})))
    assert rules_of(found) == [("mixed", "pass")]


def test_fix_first_is_fine(repo: Repo) -> None:
    fix = f'x: b\n\nFixes: 0123456789ab ("x: z")\n{SIGNED}\n'
    assert ask_check(CHECK, repo, series(repo, (fix, {"b": "2\n"}), ("x: a", {"a": "1\n"}))) == ()


def test_many_patches_are_a_note(repo: Repo) -> None:
    found = ask_check(CHECK, repo, series(repo, *((f"x: {n}", {f"n{n}": f"{n}\n"}) for n in range(16))))
    assert rules_of(found) == [("too-many", "pass")]


def test_partial_reroll_is_told(repo: Repo) -> None:
    with open_subject(repo, three(repo)) as subject:
        remarked = replace(subject.series, remarks=("v2 is a partial reroll",))
        assert rules_of(CHECK.run(replace(subject, series=remarked))) == [("partial-reroll", "pass")]


def test_mode_changes_and_binaries_are_not_taken_back(repo: Repo) -> None:
    patches = ("x: a", {"a": ("1\n2\n3\n", 0o100755)}), ("x: b", {"a": ("1\n2\n3\n", 0o100644)})
    assert "undone" not in dict(rules_of(ask_check(CHECK, repo, series(repo, *patches))))
