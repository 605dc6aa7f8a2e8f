# SPDX-License-Identifier: GPL-2.0-or-later
"""What hunks say of a blob that nobody has."""

import pytest

from seriestool.base.prerequisites.pins import pinned_after, pinned_before, violations
from seriestool.series.diff import parse_diff
from seriestool.series.model import FileDiff


def diffs(*hunks: bytes) -> tuple[FileDiff, ...]:
    return parse_diff(b"diff --git a/f b/f\nindex 1111111..2222222 100644\n--- a/f\n+++ b/f\n" + b"".join(hunks))


CHANGE = b"@@ -3,3 +4,3 @@\n three\n-four\n+vier\n five\n"


@pytest.mark.parametrize(
    ("hunks", "before", "after"),
    [
        ([CHANGE], {2: b"three\n", 3: b"four\n", 4: b"five\n"}, {3: b"three\n", 4: b"vier\n", 5: b"five\n"}),
        ([b"@@ -1 +1,2 @@\n+top\n one\n"], {0: b"one\n"}, {0: b"top\n", 1: b"one\n"}),
        ([b"@@ -5,0 +6 @@\n+six\n"], {}, {5: b"six\n"}),
        ([b"@@ -6 +5,0 @@\n-six\n"], {5: b"six\n"}, {}),
        ([b"@@ -0,0 +1 @@\n+one\n"], {}, {0: b"one\n"}),
        (
            [b"@@ -2 +2 @@\n-two\n\\ No newline at end of file\n+two\n"],
            {1: b"two"},
            {1: b"two\n"},
        ),
        ([b"@@ -1 +1 @@\n-a\r\n+b\r\n"], {0: b"a\r\n"}, {0: b"b\r\n"}),
        ([], {}, {}),
    ],
)
def test_each_old_and_new_line_is_pinned_at_its_place(
    hunks: list[bytes], before: dict[int, bytes], after: dict[int, bytes]
) -> None:
    found = diffs(*hunks) if hunks else ()
    assert pinned_before(found) == before
    assert pinned_after(found) == after


def test_violations_are_counted_line_by_line() -> None:
    pins = {0: b"one\n", 1: b"two\n", 9: b"ten\n"}
    assert violations([b"one\n", b"two\n"], pins) == 1
    assert violations([b"one\n", b"zwei\n"], pins) == 2
    assert violations([], pins) == 3
    assert violations([b"anything\n"], {}) == 0


def test_pins_that_contradict_each_other_keep_one() -> None:
    other = diffs(b"@@ -3 +3 @@\n-drei\n+3\n")
    assert pinned_before((*diffs(CHANGE), *other))[2] in (b"three\n", b"drei\n")
