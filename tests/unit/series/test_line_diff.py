# SPDX-License-Identifier: GPL-2.0-or-later
"""Two versions of a file taken apart."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.series.line_diff import compare_lines

WORDS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"}\n", b"\n", b"x"]), max_size=30)
FILES = st.one_of(WORDS, st.lists(st.integers(0, 60).map(lambda n: b"%d\n" % n), max_size=60))


@given(FILES, FILES)
@settings(deadline=None)
def test_parts_make_both_versions(ours: list[bytes], theirs: list[bytes]) -> None:
    parts = compare_lines(ours, theirs)
    assert [line for part in parts for line in part.ours] == ours
    assert [line for part in parts for line in (part.ours if part.theirs is None else part.theirs)] == theirs
    changes = [part for part in parts if part.theirs is not None]
    assert all(part.ours != part.theirs for part in changes)
    assert (not changes) == (ours == theirs)
    assert all(a.theirs is None or b.theirs is None for a, b in pairwise(parts))


def test_two_large_files_without_a_line_in_common_are_one_change() -> None:
    ours, theirs = [b"}\n", b"\n"] * 5_000, [b"{\n", b";\n"] * 5_000
    assert [(len(part.ours), len(part.theirs or ())) for part in compare_lines(ours, theirs)] == [(10_000, 10_000)]
