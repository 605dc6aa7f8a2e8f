# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch each line comes from."""

from hypothesis import given
from hypothesis import strategies as st

from seriestool.series.diff import parse_diff
from seriestool.series.hunks import split_lines
from seriestool.split.patched_files import follow, rows_of
from tests.support.split_series import hunks


def followed(origins: tuple[int, ...], before: bytes, after: bytes, counter: int) -> tuple[int, ...]:
    diff = b"".join(hunks(split_lines(before), split_lines(after), b"a/a", b"b/a"))
    return follow(origins, before, parse_diff(diff)[0].hunks if diff else (), after, counter)


def test_lines_put_in_changed_and_taken_out() -> None:
    assert followed((0, 0, 0), b"a\nb\nc\n", b"a\nx\ny\nc\n", 1) == (0, 1, 1, 0)
    assert followed((0, 1, 1, 0), b"a\nx\ny\nc\n", b"x\ny\nz", 2) == (1, 1, 2)
    assert rows_of((1, 1, 2), 1) == (0, 1)


def test_a_change_that_hunks_do_not_tell() -> None:
    """A binary patch, or a file whose lines were not known before."""
    assert follow((0, 0, 0), b"a\nb\nc\n", (), b"a\nx\ny\nc\n", 1) == (0, 1, 1, 0)
    assert follow((), b"a\n", (), b"b\n", 1) == (1,)
    assert follow((0,), b"a\n", (), b"", 1) == ()


@given(st.lists(st.sampled_from([b"a\n", b"b\n", b"\n"])), st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"])))
def test_each_line_has_an_origin_and_kept_lines_keep_theirs(old: list[bytes], new: list[bytes]) -> None:
    before, after = b"".join(old), b"".join(new)
    origins = followed((0,) * len(old), before, after, 1)
    assert len(origins) == len(new)
    assert all(line in old for line, origin in zip(new, origins, strict=True) if origin == 0)
