# SPDX-License-Identifier: GPL-2.0-or-later
"""The places of a conflict, read from files that git itself merged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seriestool.git import ScratchRepository, TreeEntry
from seriestool.rebase import conflict_regions
from seriestool.rebase.conflict_regions import ConflictRegion, FileVersions, find_regions
from seriestool.rebase.line_blame import align_lines, map_span
from seriestool.series.hunks import split_lines
from tests.support.repos import Repo
from tests.support.series import lines
from tests.support.session import open_scratch_repo

TEXT = lines(1, 30).encode()


def edited(number: int, to: bytes, text: bytes = TEXT) -> bytes:
    return text.replace(b"line %d\n" % number, b"line %d %s\n" % (number, to))


def regions_of(
    scratch_repo: ScratchRepository, base: bytes | None, ours: bytes, theirs: bytes
) -> tuple[ConflictRegion, ...]:
    """The regions that git's merge of the three contents has."""
    nothing = scratch_repo.write("tree", b"")

    def tree(content: bytes | None) -> str:
        if content is None:
            return nothing
        return scratch_repo.edit(nothing, {b"f": TreeEntry(0o100644, "blob", scratch_repo.write("blob", content))})

    merge = scratch_repo.merge(tree(base), tree(ours), tree(theirs))
    merged = split_lines(scratch_repo.blob(scratch_repo.entries(merge.tree, [b"f"])[b"f"].oid))
    return find_regions(merged, merge.ours, merge.theirs, FileVersions(ours, base or b"", theirs))


def sides(region: ConflictRegion) -> tuple[bytes, bytes, bytes]:
    return b"".join(region.expected), b"".join(region.tree), b"".join(region.series)


def test_one_line_on_both_sides(repo: Repo) -> None:
    with open_scratch_repo(repo) as scratch_repo:
        (region,) = regions_of(scratch_repo, TEXT, edited(9, b"here"), edited(9, b"there"))
    assert sides(region) == (b"line 9\n", b"line 9 here\n", b"line 9 there\n")
    assert (region.start, region.before[-1], region.after[0]) == (9, b"line 8\n", b"line 10\n")


def test_a_clean_merge_and_a_file_without_markers_have_none(repo: Repo) -> None:
    with open_scratch_repo(repo) as scratch_repo:
        assert regions_of(scratch_repo, TEXT, edited(3, b"here"), edited(20, b"there")) == ()
        versions = FileVersions(TEXT, TEXT, TEXT)
        assert find_regions(split_lines(TEXT), "1" * 40, "2" * 40, versions) == ()
        assert find_regions([], "1" * 40, "2" * 40, versions) == ()


def test_lines_that_look_like_markers_are_lines(repo: Repo) -> None:
    fake = b"<<<<<<< HEAD\nx\n||||||| base\n=======\ny\n>>>>>>> theirs\n"
    base = fake + TEXT + fake
    with open_scratch_repo(repo) as scratch_repo:
        (region,) = regions_of(scratch_repo, base, edited(9, b"here", base), edited(9, b"there", base))
        assert sides(region) == (b"line 9\n", b"line 9 here\n", b"line 9 there\n")
        (region,) = regions_of(scratch_repo, TEXT, edited(9, b"\n" + fake), edited(9, b"there"))
        assert sides(region) == (b"line 9\n", b"line 9 \n" + fake + b"\n", b"line 9 there\n")
        (region,) = regions_of(scratch_repo, TEXT, edited(9, b"here"), edited(9, b"\n" + fake))
        assert sides(region) == (b"line 9\n", b"line 9 here\n", b"line 9 \n" + fake + b"\n")


def test_titles_of_restructured_text_are_lines(repo: Repo) -> None:
    base = b"before\n\nChapter\n=======\n\ntext\n"
    ours, theirs = (base.replace(b"Chapter", word) for word in (b"Section", b"Heading"))
    with open_scratch_repo(repo) as scratch_repo:
        (region,) = regions_of(scratch_repo, base, ours, theirs)
        assert sides(region) == (b"Chapter\n", b"Section\n", b"Heading\n")
        one = base.replace(b"Chapter\n=======\n", b"Section\n-------\n")
        two = base.replace(b"Chapter\n=======\n", b"Heading\n~~~~~~~\n")
        (region,) = regions_of(scratch_repo, base, one, two)
        assert sides(region) == (b"Chapter\n=======\n", b"Section\n-------\n", b"Heading\n~~~~~~~\n")
        (region,) = regions_of(scratch_repo, base, one, base.replace(b"text\n", b"").replace(b"Chapter", b"Heading"))
        assert region.expected[:2] == (b"Chapter\n", b"=======\n")
        assert region.series[:2] == (b"Heading\n", b"=======\n")


def test_places_with_few_lines_between_them_are_one(repo: Repo) -> None:
    with open_scratch_repo(repo) as scratch_repo:
        ours, theirs = (edited(9, side, edited(13, side)) for side in (b"here", b"there"))
        (region,) = regions_of(scratch_repo, TEXT, ours, theirs)
        assert sides(region)[0] == lines(9, 13).encode()
        assert sides(region)[1] == b"line 9 here\n" + lines(10, 12).encode() + b"line 13 here\n"
        assert sides(region)[2] == b"line 9 there\n" + lines(10, 12).encode() + b"line 13 there\n"
        assert (region.before[-1], region.after[0]) == (b"line 8\n", b"line 14\n")
        ours, theirs = (edited(9, side, edited(14, side)) for side in (b"here", b"there"))
        first, second = regions_of(scratch_repo, TEXT, ours, theirs)
        assert (sides(first)[0], sides(second)[0]) == (b"line 9\n", b"line 14\n")
        assert (first.after, second.before) == ((b"line 10\n", b"line 11\n", b"line 12\n"), (
            b"line 11\n", b"line 12\n", b"line 13\n"))  # fmt: skip


def test_markers_that_an_earlier_conflict_left_are_lines(repo: Repo) -> None:
    old = b"<<<<<<< " + b"1" * 40 + b"\nx\n||||||| 2222222\nline 9\n=======\ny\n>>>>>>> " + b"3" * 40 + b"\n"
    ours = TEXT.replace(b"line 9\n", old)
    with open_scratch_repo(repo) as scratch_repo:
        (region,) = regions_of(scratch_repo, TEXT, ours, edited(9, b"there"))
        assert sides(region) == (b"line 9\n", old, b"line 9 there\n")


def test_crlf_and_no_newline_at_the_end(repo: Repo) -> None:
    with open_scratch_repo(repo) as scratch_repo:
        crlf = [text.replace(b"\n", b"\r\n") for text in (TEXT, edited(9, b"here"), edited(9, b"there"))]
        (region,) = regions_of(scratch_repo, crlf[0], crlf[1], crlf[2])
        assert sides(region) == (b"line 9\r\n", b"line 9 here\r\n", b"line 9 there\r\n")
        (region,) = regions_of(scratch_repo, TEXT + b"end", TEXT + b"here", TEXT + b"there")
        assert [side.rstrip(b"\n") for side in sides(region)] == [b"end", b"here", b"there"]


def test_removed_on_one_side(repo: Repo) -> None:
    with open_scratch_repo(repo) as scratch_repo:
        (region,) = regions_of(scratch_repo, TEXT, TEXT.replace(b"line 9\n", b""), edited(9, b"there"))
        assert sides(region) == (b"line 9\n", b"", b"line 9 there\n")
        (region,) = regions_of(scratch_repo, None, b"here\n", b"there\n")
        assert sides(region) == (b"", b"here\n", b"there\n")


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"=======\n", b"<<<<<<< x\n", b"||||||| y\n"]), max_size=7)


def test_each_side_of_a_region_stands_in_its_own_file(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        conflict_regions, "NEAR", -1
    )  # what is between two that are joined stands in the merged file only
    with open_scratch_repo(repo) as scratch_repo:

        @settings(max_examples=50, deadline=None)
        @given(LINES, LINES, LINES)
        def check(base: list[bytes], ours: list[bytes], theirs: list[bytes]) -> None:
            for region in regions_of(scratch_repo, *(b"".join(text) for text in (base, ours, theirs))):
                assert stands_in(region.expected, base)
                assert stands_in(region.tree, ours)
                assert stands_in(region.series, theirs)

        check()


def stands_in(some: tuple[bytes, ...], text: list[bytes]) -> bool:
    return any(tuple(text[at : at + len(some)]) == some for at in range(len(text) + 1))


@given(
    st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12), st.integers(0, 12),
    st.integers(0, 12))  # fmt: skip
def test_a_span_maps_back_into_the_older_file(old: list[int], new: list[int], one: int, other: int) -> None:
    older, newer = ([b"%d\n" % n for n in text] for text in (old, new))
    first, last = sorted(min(at, len(newer)) for at in (one, other))
    (start, stop), is_same = map_span(align_lines(older, newer), (first, last))
    assert 0 <= start <= stop <= len(older)
    if is_same and first < last:
        assert older[start:stop] == newer[first:last]
    assert map_span(align_lines(newer, newer), (first, last)) == ((first, last), True)
