# SPDX-License-Identifier: GPL-2.0-or-later
"""Where two changes of a file stand once they are exchanged."""

from seriestool.series.diff import parse_diff
from seriestool.series.hunks import split_lines
from seriestool.split.commute import FileChange, commute, find_change
from tests.bases import lines
from tests.staged import hunks

TEXT = lines(1, 40).encode()


def change(before: bytes, after: bytes) -> FileChange:
    diff = b"".join(hunks(split_lines(before), split_lines(after), b"a/a", b"b/a"))
    found = find_change(before, parse_diff(diff)[0].hunks)
    assert found is not None
    return found


def places(one: FileChange) -> list[tuple[int, int]]:
    """(where a hunk begins, where its first changed line is)."""
    return [(span.start, span.runs[0].start) for span in one]


def test_places_shift_by_what_is_above() -> None:
    grown = TEXT.replace(b"line 10\n", b"line 10\nmore\nand more\n")
    both = grown.replace(b"line 30\n", b"")
    pair = commute(change(TEXT, grown), change(grown, both))
    assert pair is not None
    second, first = pair
    assert second == change(TEXT, TEXT.replace(b"line 30\n", b""))
    assert first == change(TEXT.replace(b"line 30\n", b""), both)
    assert places(first) == [(7, 10)]
    assert places(second) == [(26, 29)]


def test_exchanged_twice_they_are_as_they_were() -> None:
    middle = TEXT.replace(b"line 30\n", b"line 30\nmore\n")
    end = middle.replace(b"line 5\n", b"")
    first, second = change(TEXT, middle), change(middle, end)
    pair = commute(first, second)
    assert pair is not None
    assert commute(*pair) == (first, second)


def test_what_changes_the_same_lines_stays() -> None:
    middle = TEXT.replace(b"line 30\n", b"changed\n")
    assert commute(change(TEXT, middle), change(middle, middle.replace(b"changed\n", b"again\n"))) is None


def test_no_change_where_hunks_find_no_place() -> None:
    hunk = parse_diff(b"--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n not there\n-a\n+b\n")[0].hunks
    assert find_change(TEXT, hunk) is None
