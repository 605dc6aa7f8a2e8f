# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges in memory against `git merge-file`."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seriestool.base.prerequisites.patch_routes import Pins, SearchEffort
from seriestool.base.prerequisites.version_merge import VersionSubset, find_between, merge
from seriestool.series.line_diff import DiffPart, compare_lines

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


LARGE = 100_000_000


def lines(text: str) -> list[bytes]:
    return [f"{word}\n".encode() for word in text.split()]


def between(
    ours: list[bytes], theirs: list[bytes], wanted: list[bytes], pins: Pins | None = None
) -> VersionSubset | None:
    return find_between([ours, theirs], pins or {}, lambda found: list(found) == wanted, SearchEffort(LARGE))


def taken(parts: tuple[DiffPart, ...], choice: list[bool]) -> list[bytes]:
    """The content that has theirs of those changes of which `choice` says so."""
    left = iter(choice)
    return [
        line
        for part in parts
        for line in (part.ours if part.theirs is None or not next(left) else part.theirs)
    ]  # fmt: skip


WORDS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"}\n", b"\n", b"x"]), max_size=30)
FILES = st.one_of(WORDS, st.lists(st.integers(0, 60).map(lambda n: b"%d\n" % n), max_size=60))


@given(FILES, FILES, st.data())
@settings(deadline=None)
def test_one_or_two_changes_are_found_without_pins(ours: list[bytes], theirs: list[bytes], data: st.DataObject) -> None:
    parts = compare_lines(ours, theirs)
    count = sum(part.theirs is not None for part in parts)
    chosen = data.draw(st.sets(st.integers(0, max(count - 1, 0)), max_size=min(count, 2)))
    wanted = taken(parts, [number in chosen for number in range(count)])
    found = between(ours, theirs, wanted)
    assert found is not None
    assert list(found.lines) == wanted
    assert found.changes <= 2


@given(FILES, FILES, st.data())
@settings(deadline=None)
def test_any_subset_is_found_where_all_lines_are_pinned(
    ours: list[bytes], theirs: list[bytes], data: st.DataObject
) -> None:
    parts = compare_lines(ours, theirs)
    count = sum(part.theirs is not None for part in parts)
    wanted = taken(parts, data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    found = between(ours, theirs, wanted, dict(enumerate(wanted)))
    assert found is not None
    assert list(found.lines) == wanted


def test_smallest_subset_comes_first() -> None:
    ours, theirs = lines("1 a 2 b 3 c 4"), lines("1 A 2 B 3 C 4")
    assert between(ours, theirs, lines("1 A 2 b 3 c 4")) == VersionSubset(0, 1, lines("1 A 2 b 3 c 4"), 1)
    assert between(ours, theirs, lines("1 a 2 B 3 C 4")) == VersionSubset(1, 0, lines("1 a 2 B 3 C 4"), 1)


def test_one_change_of_two_hundred_is_found_wherever_it_is() -> None:
    ours = [b"%d\n" % n for n in range(800)]
    theirs = [b"%d changed\n" % n if n % 4 == 1 else b"%d\n" % n for n in range(800)]
    for at in (1, 401, 797):
        wanted = [*ours]
        wanted[at] = theirs[at]
        found = between(ours, theirs, wanted)
        assert found is not None and found.changes == 1


def test_pins_leave_one_of_a_million_subsets() -> None:
    ours = [b"%d\n" % n for n in range(80)]
    theirs = [b"%d changed\n" % n if n % 4 == 1 else b"%d\n" % n for n in range(80)]
    wanted = [theirs[n] if n % 8 == 1 else ours[n] for n in range(80)]
    effort = SearchEffort(LARGE)
    found = find_between([ours, theirs], dict(enumerate(wanted)), lambda got: list(got) == wanted, effort)
    assert found is not None and found.changes == 10
    assert effort.tries < 2_000


def test_content_that_the_pins_exclude_is_not_even_tried() -> None:
    tried: list[object] = []
    pins = {0: b"neither\n"}
    assert (
        find_between([lines("1 a 2"), lines("1 A 2")], pins, lambda got: bool(tried.append(got)), SearchEffort(LARGE))
        is None
    )
    assert tried == []


def test_pin_below_the_end_excludes_a_shorter_content() -> None:
    assert between(lines("1 2"), lines("1 2 3"), lines("1 2"), {2: b"3\n"}) is None
    assert between(lines("1 2"), lines("1 2 3"), lines("1 2 3"), {2: b"3\n"}) is not None


def test_tries_are_bounded_where_nothing_is_pinned() -> None:
    ours = [b"%d\n" % n for n in range(2_000)]
    theirs = [b"%d changed\n" % n if n % 2 else b"%d\n" % n for n in range(2_000)]
    tried: list[int] = []
    effort = SearchEffort(20_000_000)
    assert find_between([ours, theirs], {}, lambda got: bool(tried.append(len(got))), effort) is None
    assert effort.is_spent
    assert len(tried) <= 20_000_000 // (2_000 * 32)


def test_versions_without_lines_and_the_same_version_twice() -> None:
    assert between([], [], [b"a\n"]) is None
    assert between([], lines("a"), lines("a")) is not None
    assert between(lines("a"), lines("a"), lines("b")) is None
    assert find_between([], {}, lambda _: True, SearchEffort(LARGE)) is None
    assert find_between([lines("a")], {}, lambda _: True, SearchEffort(LARGE)) is None
