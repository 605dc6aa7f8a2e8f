# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges in memory against `git merge-file`."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seriestool.base.prerequisites.version_merge import merge

NUMBERS = [b"%d\n" % n for n in range(24)]


def git_merge(folder: Path, base: list[bytes], ours: list[bytes], theirs: list[bytes]) -> bytes | None:
    """What `git merge-file` makes; None where it has a conflict."""
    for name, lines in (("ours", ours), ("base", base), ("theirs", theirs)):
        (folder / name).write_bytes(b"".join(lines))
    answer = subprocess.run(["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=folder, capture_output=True)
    return answer.stdout if answer.returncode == 0 else None


@st.composite
def edited(draw: st.DrawFn) -> list[bytes]:
    """The numbers with some of them changed, left out, or with lines put in below: no line stands there twice."""
    lines = list(NUMBERS)
    for at in sorted(draw(st.sets(st.integers(0, 23), max_size=5)), reverse=True):
        word = draw(st.sampled_from([b"p", b"q"]))
        new = draw(st.sampled_from([[], [b"%s%d\n" % (word, at)], [lines[at], b"%s%d below\n" % (word, at)]]))
        lines[at : at + 1] = new
    return lines


# Only files in which no line stands twice: where lines repeat, git and we can rightly see the same edit in different
# places ("a a" -> "a": which one went?), and both merges are right. A proof is by the id that comes out, in any case.
@given(edited(), edited())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_result_is_that_of_git_merge_file(tmp_path: Path, ours: list[bytes], theirs: list[bytes]) -> None:
    merged = merge(NUMBERS, ours, theirs)
    expected = git_merge(tmp_path, NUMBERS, ours, theirs)
    if merged is not None and expected is not None:
        assert b"".join(merged) == expected
    if expected is not None:
        assert merged is not None


@given(edited(), edited())
@settings(deadline=None)
def test_sides_can_be_swapped(ours: list[bytes], theirs: list[bytes]) -> None:
    assert merge(NUMBERS, ours, theirs) == merge(NUMBERS, theirs, ours)


def changed(*changes: tuple[int, bytes]) -> list[bytes]:
    lines = list(NUMBERS)
    for at, line in changes:
        lines[at] = line
    return lines


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (changed((3, b"x\n")), changed((9, b"y\n")), changed((3, b"x\n"), (9, b"y\n"))),
        (changed((3, b"x\n")), changed((3, b"x\n")), changed((3, b"x\n"))),
        (changed((3, b"x\n")), changed((3, b"y\n")), None),
        (changed((3, b"x\n")), NUMBERS, changed((3, b"x\n"))),
        (NUMBERS, NUMBERS, NUMBERS),
        ([], NUMBERS, []),
        ([], changed((3, b"x\n")), None),
        (changed((23, b"23")), changed((0, b"top\n")), changed((0, b"top\n"), (23, b"23"))),
    ],
    ids=["apart", "the same change", "conflict", "one side", "nothing", "all gone", "gone and changed", "no newline"],
)
def test_merge(ours: list[bytes], theirs: list[bytes], merged: list[bytes] | None) -> None:
    assert merge(NUMBERS, ours, theirs) == merged


def test_merge_with_an_empty_base() -> None:
    assert merge([], [b"a\n"], []) == [b"a\n"]
    assert merge([], [b"a\n"], [b"a\n"]) == [b"a\n"]
