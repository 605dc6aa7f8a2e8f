# SPDX-License-Identifier: GPL-2.0-or-later
"""Diffs that git made, read with unidiff; and unidiff as the second judge of our own parser."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unidiff import PatchSet

from seriestool.series.diff import parse_diff
from seriestool.series.generated_diff import count_changes
from tests.support.repos import Repo

TEXTS = ("a\n", "b\n", "\n", "--- x\n", "+++ y\n", "@@ z\n", "ä\r\n", "\u2028\n")
LINES = st.lists(st.sampled_from(TEXTS), max_size=30)


def made(repo: Repo, old: dict[str, str | bytes], new: dict[str, str | bytes | None], *options: str) -> bytes:
    first = repo.commit(old, "old", parent=())
    second = repo.commit(new, "new", parent=first)
    return repo.git_bytes("diff", "--find-renames", *options, first, second)


def test_files_and_lines(repo: Repo) -> None:
    old: dict[str, str | bytes] = {"a": "1\n2\n", "b": "x\n" * 9, "c": "gone\n", "bin": b"\0\1"}
    new: dict[str, str | bytes | None] = {"a": "1\n3", "b": None, "moved": "x\n" * 9, "c": None, "bin": b"\0\2"}
    diff = made(repo, old, new)
    stat = repo.git("diff", "--shortstat", "HEAD^", "HEAD")
    assert stat == " 4 files changed, 1 insertion(+), 2 deletions(-)"
    assert count_changes(diff) == (4, 1, 2)


@pytest.mark.parametrize("diff", [b"", b"no diff\n"])
def test_nothing(diff: bytes) -> None:
    assert count_changes(diff) == (0, 0, 0)


def test_what_cannot_be_read() -> None:
    assert count_changes(b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(LINES, LINES, st.booleans())
def test_our_parser_and_unidiff_agree_on_what_git_makes(repo: Repo, old: list[str], new: list[str], ends: bool) -> None:
    content = "".join(new)
    diff = made(repo, {"file": "".join(old)}, {"file": content if ends else content.rstrip("\n")})
    ours = [hunk for file in parse_diff(diff) for hunk in file.hunks]
    theirs = [hunk for file in PatchSet(io.StringIO(diff.decode("latin-1"))) for hunk in file]
    assert [(one.old_start, one.old_lines, one.new_start, one.new_lines) for one in ours] == [
        (one.source_start, one.source_length, one.target_start, one.target_length) for one in theirs
    ]
    assert [[line.rstrip(b"\n") for line in one.lines] for one in ours] == [
        [str(line).encode("latin-1").rstrip(b"\n") for line in one if line.line_type != "\\"] for one in theirs
    ]
