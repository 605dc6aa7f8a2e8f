# SPDX-License-Identifier: GPL-2.0-or-later
"""subject-prefix: form, habits of the files' other commits, and the tree that the bracket names."""

import pytest

from seriestool.check.protocol import Status
from seriestool.check.rules.subject_prefix import CHECK
from tests.support.repos import Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

MAINTAINERS = """\
List of maintainers

NETWORKING [GENERAL]
M:	N <n@example.com>
L:	netdev@vger.kernel.org
T:	git git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net.git
T:	git git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net-next.git
F:	net/

X86 ARCHITECTURE
M:	X <x@example.com>
L:	x86@kernel.org
T:	git git://git.kernel.org/pub/scm/linux/kernel/git/tip/tip.git x86/core
F:	arch/x86/

NFS CLIENT
M:	T <t@example.com>
T:	git git://git.linux-nfs.org/projects/trondmy/linux-nfs.git
F:	fs/nfs/

THE REST
M:	L <l@example.com>
L:	linux-kernel@vger.kernel.org
T:	git git://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git
F:	*
F:	*/
"""
FIXES = 'Fixes: 0123456789ab ("net: core: begin")\n'


@pytest.fixture
def kernel(repo: Repo) -> Repo:
    files = {
        "MAINTAINERS": MAINTAINERS, "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n", "net/core.c": "0\n",
        "arch/x86/boot.c": "0\n", "fs/nfs/inode.c": "0\n", "README": "0\n",
    }  # fmt: skip
    repo.commit(files, "Linux 6.12")
    for number in range(6):
        repo.commit({"net/core.c": f"{number + 1}\n"}, f"net: core: do {number}")
    return repo


def mail(repo: Repo, title: str, path: str = "net/core.c", prefix: str = "PATCH net-next", more: str = "") -> bytes:
    return mail_series(repo, (f"{title}\n\n{more}{SIGNED}\n", {path: "new\n"}), prefix=prefix)


def test_as_the_others_are(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "net: core: do more")) == ()


def test_nothing_is_known_of_the_habits_without_a_base(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "net: core: do more"), base=None) == ()


def test_seventy_five_characters_are_enough(kernel: Repo) -> None:
    title = "net: core: " + "x" * 64
    assert len(title) == 75
    assert ask_check(CHECK, kernel, mail(kernel, title)) == ()
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, title + "y")), "too-long")
    assert (found.status, found.message) == (Status.WARN, "the subject has 76 characters, 75 are the most")


def test_revert_is_as_long_as_what_it_reverts(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, f'Revert "net: core: {"x" * 64}"')) == ()


def test_ends_with_a_dot(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, "net: core: do more.")), "ends-with-dot")
    assert (found.status, found.mend) == (Status.WARN, "net: core: do more")


@pytest.mark.parametrize("title", ["net: core: do more ...", "net: core: drop foo etc."])
def test_dots_that_may_be(kernel: Repo, title: str) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, title)) == ()


def test_no_prefix(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, "do more")), "no-prefix")
    assert (found.status, found.mend) == (Status.WARN, "net: do more")
    assert "6 of the last 7 commits to its files have one" in found.message


def test_no_prefix_where_there_are_several_to_choose_from(kernel: Repo) -> None:
    for number in range(7):
        kernel.commit({"net/core.c": f"more {number}\n"}, f"{'abcdefg'[number]}x: do {number}")
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, "do more")), "no-prefix")
    assert (found.status, found.mend) == (Status.WARN, None)
    assert "'net:', 'gx:'" in found.message


def test_prefix_that_nobody_used(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, "foobar: do more")), "unused-prefix")
    assert found.status is Status.WARN
    assert "'net:'" in found.message


@pytest.mark.parametrize("title", ["net/core: do more", "Net: do more", "core: do more", "networking: do more"])
def test_kin_of_what_is_used(kernel: Repo, title: str) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, title)) == ()


def test_few_commits_are_no_habit(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "do more", "fs/nfs/inode.c", "PATCH")) == ()


def test_new_file_has_no_habits(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "do more", "fs/nfs/new.c", "PATCH")) == ()


def test_lower_case_for_tip_is_a_note(kernel: Repo) -> None:
    found = only_finding(
        ask_check(CHECK, kernel, mail(kernel, "x86/boot: do more", "arch/x86/boot.c", "PATCH")), "lower-case"
    )
    assert (found.status, found.mend) == (Status.PASS, "x86/boot: Do more")


def test_lower_case_where_the_others_are_upper(kernel: Repo) -> None:
    for number in range(6):
        kernel.commit({"fs/nfs/inode.c": f"{number + 1}\n"}, f"NFS: Do {number}")
    assert rules_of(ask_check(CHECK, kernel, mail(kernel, "NFS: do more", "fs/nfs/inode.c", "PATCH"))) == [
        ("lower-case", "pass")
    ]
    assert ask_check(CHECK, kernel, mail(kernel, "NFS: nfs4_foo() leaks", "fs/nfs/inode.c", "PATCH")) == ()


def test_no_tree_is_named(kernel: Repo) -> None:
    found = only_finding(ask_check(CHECK, kernel, mail(kernel, "net: core: do more", prefix="PATCH")), "no-designation")
    assert (found.status, found.mend) == (Status.PASS, "[PATCH net-next]")
    found = only_finding(
        ask_check(CHECK, kernel, mail(kernel, "net: core: mend", prefix="PATCH", more=FIXES)), "no-designation"
    )
    assert found.mend == "[PATCH net]"


def test_series_that_goes_through_one_of_several_trees(kernel: Repo) -> None:
    raw = mail_series(kernel, ("net: core: do", {"net/core.c": "x\n"}), ("NFS: do", {"fs/nfs/inode.c": "x\n"}))
    assert ask_check(CHECK, kernel, raw) == ()


def test_fix_for_next(kernel: Repo) -> None:
    assert rules_of(ask_check(CHECK, kernel, mail(kernel, "net: core: mend", more=FIXES))) == [("fix-for-next", "pass")]


def test_fix_for_fixes(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "net: core: mend", prefix="PATCH net", more=FIXES)) == ()


@pytest.mark.parametrize("prefix", ["RFC PATCH net-next v3", "PATCH RESEND net-next", "PATCH v2 net-next"])
def test_other_words_of_the_bracket(kernel: Repo, prefix: str) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "net: core: do more", prefix=prefix)) == ()


def test_tree_that_has_other_files(kernel: Repo) -> None:
    found = ask_check(CHECK, kernel, mail(kernel, "NFS: do more", "fs/nfs/inode.c", "PATCH net-next"))
    assert rules_of(found) == [("other-tree", "pass")]


def test_tree_that_nobody_knows(kernel: Repo) -> None:
    found = ask_check(CHECK, kernel, mail(kernel, "NFS: do more", "fs/nfs/inode.c", "PATCH nfs-utils"))
    assert rules_of(found) == [("unknown-tree", "pass")]


@pytest.mark.parametrize("prefix", ["PATCH 6.12.y", "PATCH 6.12", "PATCH 6.6/6.12"])
def test_stable_version_on_its_tree(kernel: Repo, prefix: str) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "net: core: mend", prefix=prefix)) == ()


def test_name_of_the_subsystem(kernel: Repo) -> None:
    assert ask_check(CHECK, kernel, mail(kernel, "nfs: do more", "fs/nfs/inode.c", "PATCH nfs")) == ()


@pytest.mark.parametrize("prefix", ["PATCH 6.6.y", "PATCH stable 6.6", "PATCH v6.6", "PATCH linux-6.6.y"])
def test_stable_version_on_another_tree_is_a_skip(kernel: Repo, prefix: str) -> None:
    assert rules_of(ask_check(CHECK, kernel, mail(kernel, "net: core: mend", prefix=prefix))) == [
        ("stable-base", "skip")
    ]


def test_latin_1(kernel: Repo) -> None:
    raw = mail(kernel, "net: core: grXXe").replace(b"grXXe", b"gr\xfc\xdfe")
    assert ask_check(CHECK, kernel, raw) == ()


def test_character_set_that_is_another(kernel: Repo) -> None:
    raw = mail(kernel, "net: core: XX").replace(b": XX", b": =?utf-8?q?gr=FC=DFe?=")
    assert rules_of(ask_check(CHECK, kernel, raw)) == [("undecodable", "warn")]


def test_no_subject_at_all(kernel: Repo) -> None:
    raw = mail(kernel, "net: core: do more").replace(b"] net: core: do more", b"]")
    assert ("no-subject", "fail") in rules_of(ask_check(CHECK, kernel, raw))


def test_long_and_odd_subjects_are_quick(kernel: Repo) -> None:
    raw = mail(kernel, "net: XX").replace(b"XX", b":" * 20_000 + b" [" * 20_000)
    assert ("too-long", "warn") in rules_of(ask_check(CHECK, kernel, raw))
