# SPDX-License-Identifier: GPL-2.0-or-later
"""Patch-ids are those of git patch-id --stable."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import Repository
from seriestool.series.mail import Mail
from seriestool.series.mail.patch_mail import take_apart
from seriestool.series.patch_id import find_patch_id
from seriestool.sources.archive.public_inbox import find_mails
from tests.support.repos import Repo

A, B = "a" * 40, "b" * 40
HEAD = b"diff --git a/f b/f\nindex 1111111..2222222 100644\n"
HUNK = b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+two\n"
BINARY = f"diff --git a/f b/f\nindex {A}..{B} 100644\nGIT binary patch\ndelta 1\nI\n\n".encode()


def by_git(diff: bytes) -> str | None:
    out = subprocess.run(["git", "patch-id", "--stable"], input=diff, capture_output=True, check=True).stdout
    return out.split()[0].decode() if out else None


@pytest.mark.parametrize(
    "diff",
    [
        HEAD + HUNK,
        HEAD + HUNK + b"-- \n2.39.5\n",
        HEAD + HUNK + b"\\ No newline at end of file\n",
        HEAD + HUNK + HEAD.replace(b"f", b"g") + HUNK.replace(b"/f", b"/g"),
        HEAD.replace(b"f", b"g") + HUNK.replace(b"/f", b"/g") + HEAD + HUNK,
        HEAD + HUNK.replace(b"two", b"t w\to\r"),
        HEAD + HUNK.replace(b"two", b"t\fw\vo"),
        HEAD + HUNK.replace(b"two", b"t\0wo"),
        HEAD + HUNK.replace(b"@@ -1 +1 @@\n", b"@@ -1,2 +1,2 @@\n\n"),
        HEAD + HUNK.replace(b"@@ -1 +1 @@", b"@@ -1,99 +1,99 @@"),
        HEAD + HUNK + f"{A}\n".encode() + HEAD + HUNK,
        b"diff --git a/f b/f\nold mode 100644\nnew mode 100755\n",
        b"diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n" + HEAD + HUNK,
        b"diff --git a/f b/f\nnew file mode 100644\nindex 0000000..e69de29\n",
        BINARY + HEAD + HUNK,
        b"diff --git a/f b/f\nindex 1..2\nBinary files a/f and b/f differ\n",
        b"text before\n" + HEAD + HUNK,
        f"{A}\n".encode() + HEAD + HUNK,
        b"--- f.orig\n+++ f\n@@ -1 +1 @@\n-one\n+two\n",
        b"",
        b"diff ",
    ],
)  # fmt: skip
def test_each_shape_has_the_id_that_git_gives(diff: bytes) -> None:
    if diff.startswith(A.encode()):
        assert find_patch_id(diff) is None  # to git that is the start of another patch
        return
    assert find_patch_id(diff) == by_git(diff)


def test_a_binary_file_without_an_index_line_has_an_id() -> None:
    # No comparison: git hashes memory that it never set.
    assert find_patch_id(b"diff --git a/f b/f\nBinary files a/f and b/f differ\n")


def test_order_of_files_and_line_numbers_do_not_count() -> None:
    one, other = HEAD + HUNK, HEAD.replace(b"f", b"g") + HUNK.replace(b"/f", b"/g")
    assert find_patch_id(one + other) == find_patch_id(other.replace(b"-1 +1", b"-9 +8") + one)
    assert find_patch_id(one) != find_patch_id(other)


def test_diffs_of_a_real_repository(repo: Repo) -> None:
    repo.commit({"a": "1\n2\n3\n", "b.bin": b"\0\1\2" * 50, "c d": "x"})
    repo.commit({"a": "1\n2 \n\n3", "b.bin": b"\0\1\3" * 70, "c d": None, "ä": "y\n"})
    for options in ((), ("--binary",), ("--full-index",), ("-M",), ("-U0",), ("--no-prefix",)):
        diff = repo.git_bytes("diff", *options, "HEAD^", "HEAD")
        assert find_patch_id(diff) == by_git(diff), options


def test_hundreds_of_mailed_diffs(shared: Callable[[str], Path], tmp_path: Path) -> None:
    subprocess.run(
        ["git", "clone", "--quiet", "--bare", str(shared("data/linux-nfs-2026.bundle")), tmp_path / "nfs.git"],
        check=True,
    )
    with Repository.open(tmp_path / "nfs.git") as archive:
        oids = find_mails([archive])[0][::6]
        mails = [Mail(raw) for _, raw in archive.contents(oids)]
    diffs = [take_apart(mail).diff for mail in mails if mail.has_diff and not mail.subject.is_reply]
    assert len(diffs) > 300
    assert [find_patch_id(diff) for diff in diffs] == [by_git(diff) for diff in diffs]
