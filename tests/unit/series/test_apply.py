# SPDX-License-Identifier: GPL-2.0-or-later
import time

import pytest

from seriestool.series.apply import FileState, PatchedFiles, PathTrack, apply_patch, parent_paths, reverse_patch, tracks
from seriestool.series.diff import parse_diff
from seriestool.series.model import FileDiff, PatchFailure
from tests.support.repos import Repo

TEN = b"".join(b"%d\n" % n for n in range(1, 11))
FIVE = b"--- a/f\n+++ b/f\n@@ -3,5 +3,5 @@\n 3\n 4\n-5\n+five\n 6\n 7\n"
DELETE = b"diff --git a/n b/n\ndeleted file mode 100644\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"


def create(path: bytes) -> bytes:
    return b"diff --git a/%b b/%b\nnew file mode 100644\n--- /dev/null\n+++ b/%b\n@@ -0,0 +1 @@\n+x\n" % (
        path,
        path,
        path,
    )


CREATE = create(b"n")


def rename(old: bytes, new: bytes, word: bytes = b"rename") -> bytes:
    return b"diff --git a/%b b/%b\nsimilarity index 100%%\n%b from %b\n%b to %b\n" % (old, new, word, old, word, new)


def tried(files: dict[bytes, bytes], text: bytes) -> dict[bytes, bytes] | PatchFailure:
    result = apply_patch({path: FileState(content) for path, content in files.items()}, parse_diff(text))
    return {p: s.content for p, s in result.files.items()} if isinstance(result, PatchedFiles) else result


def series(*texts: bytes) -> tuple[PathTrack, ...]:
    return tracks([parse_diff(text) for text in texts])


def test_a_hunk_at_its_place() -> None:
    result = apply_patch({b"f": FileState(TEN)}, parse_diff(FIVE))
    assert result == PatchedFiles({b"f": FileState(TEN.replace(b"5", b"five"))}, 0)


@pytest.mark.parametrize("moved", [1, 40, 700])
def test_a_hunk_that_moved_is_counted(moved: int) -> None:
    result = apply_patch({b"f": FileState(b"x\n" * moved + TEN)}, parse_diff(FIVE))
    assert isinstance(result, PatchedFiles)
    assert result.offsets == 1


def test_the_nearer_place_wins_and_of_two_the_later_one() -> None:
    block = b"3\n4\n5\n6\n7\n"
    hunk = FIVE.replace(b"-3,5 +3,5", b"-12,5 +12,5")
    assert tried({b"f": block + b"x\n" * 12 + block + b"x\n"}, hunk) == {
        b"f": block + b"x\n" * 12 + block.replace(b"5", b"five") + b"x\n"
    }
    both = b"x\n" * 5 + block + b"y\n" * 7 + block  # at lines 6 and 18: six away each
    assert tried({b"f": both}, hunk) == {b"f": b"x\n" * 5 + block + b"y\n" * 7 + block.replace(b"5", b"five")}


def test_a_failing_hunk_says_what_it_expected_and_found() -> None:
    failure = tried({b"f": TEN.replace(b"6", b"six")}, FIVE)
    assert failure == PatchFailure(
        b"f", "hunk", 1, 3, (b"3\n", b"4\n", b"5\n", b"6\n", b"7\n"), (b"3\n", b"4\n", b"5\n", b"six\n", b"7\n")
    )


def test_lines_of_an_earlier_hunk_are_not_matched_again() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -2,2 +2,3 @@\n a\n+b\n c\n@@ -3,2 +4,3 @@\n b\n+d\n c\n"
    assert isinstance(tried({b"f": b"x\na\nc\ny\n"}, text), PatchFailure)


def test_a_hunk_from_line_one_has_to_stand_at_the_beginning() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n+0\n 1\n 2\n"
    assert isinstance(tried({b"f": b"x\n" + TEN}, text), PatchFailure)


def test_a_hunk_without_context_behind_has_to_stand_at_the_end() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -9,2 +9,3 @@\n 9\n 10\n+11\n"
    assert tried({b"f": b"x\n" + TEN}, text) == {b"f": b"x\n" + TEN + b"11\n"}
    assert isinstance(tried({b"f": TEN + b"x\n"}, text), PatchFailure)


def test_a_last_line_without_newline_is_another_line() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -9,2 +9,2 @@\n 9\n-10\n\\ No newline at end of file\n+ten\n"
    assert tried({b"f": TEN[:-1]}, text) == {b"f": TEN[:-3] + b"ten\n"}
    assert isinstance(tried({b"f": TEN}, text), PatchFailure)


REASONS = {
    "no such file": ({}, FIVE, "missing-file"),
    "there already": ({b"n": b""}, CREATE, "exists"),
    "more than it removes": ({b"n": b"x\ny\n"}, DELETE, "hunk"),
    "removal without hunks": ({b"n": b"x\n"}, b"diff --git a/n b/n\ndeleted file mode 100644\n", "leaves-contents"),
    "rename onto a file": ({b"a": b"", b"b": b""}, rename(b"a", b"b"), "exists"),
    "copy onto a file": ({b"a": b"", b"b": b""}, rename(b"a", b"b", b"copy"), "exists"),
    "symbolic link expected": (
        {b"n": b"x\n"}, DELETE.replace(b"deleted file mode 100644", b"deleted file mode 120000"), "mode"),
    "below a file": ({b"d": b""}, create(b"d/n"), "exists"),
    "renamed away earlier in the patch": (
        {b"f": TEN}, rename(b"f", b"g") + FIVE.replace(b"---", b"diff --git a/f b/f\n---", 1), "missing-file"),
    "binary without data": (
        {b"n": b""}, b"diff --git a/n b/n\nindex 1234567..2345678\nBinary files a/n and b/n differ\n", "binary"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "text", "reason"), REASONS.values(), ids=REASONS)
def test_reasons(files: dict[bytes, bytes], text: bytes, reason: str) -> None:
    failure = tried(files, text)
    assert isinstance(failure, PatchFailure)
    assert failure.reason == reason


def test_a_wrong_permission_bit_is_no_failure() -> None:
    text = b"diff --git a/f b/f\nindex 1234567..2345678 100755\n" + FIVE
    result = apply_patch({b"f": FileState(TEN, 0o100644)}, parse_diff(text))
    assert isinstance(result, PatchedFiles)
    assert result.files[b"f"].mode == 0o100644


def test_files_that_swap_their_names() -> None:
    assert tried({b"a": b"1", b"b": b"2"}, rename(b"a", b"b") + rename(b"b", b"a")) == {b"a": b"2", b"b": b"1"}


def test_a_copy_reads_what_was_there_before_the_patch() -> None:
    text = b"diff --git a/f b/f\n" + FIVE + rename(b"f", b"g", b"copy")
    assert tried({b"f": TEN}, text) == {b"f": TEN.replace(b"5", b"five"), b"g": TEN}


def test_a_type_change_is_a_removal_and_a_creation() -> None:
    text = DELETE + CREATE.replace(b"100644", b"120000")
    result = apply_patch({b"n": FileState(b"x\n")}, parse_diff(text))
    assert isinstance(result, PatchedFiles)
    assert result.files == {b"n": FileState(b"x\n", 0o120000)}


def test_a_traditional_diff_that_only_adds_creates_what_is_absent() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+x\n"
    assert tried({}, text) == {b"f": b"x\n"}
    assert tried({b"f": b""}, text) == {b"f": b"x\n"}
    assert isinstance(tried({b"f": b"y\n"}, text), PatchFailure)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_binary_patches_both_ways(repo: Repo, object_format: str) -> None:
    other = Repo(repo.path / object_format, object_format)
    old = bytes(range(256)) * 20
    contents = {b"bin": old, b"gone": b"\0\1", b"lit": b"\0" * 9}
    changed = {b"bin": old[:900] + b"\0new\0" + old[950:], b"new": b"\0\2", b"lit": b"\0other"}
    base = other.commit(contents)
    tip = other.commit({**changed, b"gone": None})
    diffs = parse_diff(other.git_bytes("diff", "--binary", "--full-index", "--no-renames", base, tip))
    assert {hunk.method for diff in diffs for hunk in diff.binary_hunks} == {"delta", "literal"}
    before = {path: FileState(content) for path, content in contents.items()}
    after = apply_patch(before, diffs)
    assert isinstance(after, PatchedFiles)
    assert after.files == {path: FileState(content) for path, content in changed.items()}
    back = apply_patch(after.files, reverse_patch(diffs))
    assert isinstance(back, PatchedFiles)
    assert back.files == before
    assert isinstance(apply_patch(after.files, diffs), PatchFailure)


def test_a_submodule_is_the_line_that_names_its_commit(repo: Repo) -> None:
    base = repo.commit({"sub": ("1" * 40, 0o160000)})
    tip = repo.commit({"sub": ("2" * 40, 0o160000)})
    diffs = parse_diff(repo.git_bytes("diff", base, tip))
    result = apply_patch({b"sub": FileState(b"Subproject commit " + b"1" * 40 + b"\n", 0o160000)}, diffs)
    assert isinstance(result, PatchedFiles)
    assert result.files[b"sub"].content == b"Subproject commit " + b"2" * 40 + b"\n"
    assert isinstance(apply_patch({b"sub": FileState(b"Subproject commit " + b"1" * 40 + b"\n")}, diffs), PatchFailure)


def test_merged_already_is_that_the_reverse_applies() -> None:
    diffs: tuple[FileDiff, ...] = parse_diff(FIVE) + parse_diff(CREATE)
    merged = {b"f": FileState(TEN.replace(b"5", b"five")), b"n": FileState(b"x\n")}
    undone = apply_patch(merged, reverse_patch(diffs))
    assert isinstance(undone, PatchedFiles)
    assert undone.files == {b"f": FileState(TEN)}


# Tracks


def test_a_track_goes_through_renames() -> None:
    found = series(rename(b"f", b"g"), FIVE.replace(b"/f", b"/g"))
    assert [(track.path, track.must_be_absent) for track in found] == [(b"f", False), (b"g", True)]
    result = found[0].try_content(TEN)
    assert result.ok
    assert result.state == FileState(TEN.replace(b"5", b"five"))
    failing = found[0].try_content(b"other\n")
    assert (failing.ok, failing.patch) == (False, 1)
    assert found[1].try_content(None).ok
    assert not found[1].try_content(b"").ok


def test_a_copy_is_a_second_track_of_the_same_path() -> None:
    found = series(FIVE, rename(b"f", b"g", b"copy"), FIVE.replace(b"5", b"4").replace(b"/f", b"/g"))
    assert [(track.path, track.must_be_absent) for track in found] == [(b"f", False), (b"f", False), (b"g", True)]
    moved = b"x\n" + TEN
    assert [len(track.try_content(moved).offsets) for track in found[:1]] == [1]


def test_a_created_file_must_be_absent_and_stays_the_series_own() -> None:
    (track,) = series(CREATE, DELETE, CREATE)
    assert track.must_be_absent
    assert track.try_content(None).ok
    assert track.try_content(b"x\n").patch == 0


def test_a_path_that_the_series_freed_before_is_not_asked_of_the_base() -> None:
    by = {(track.path, track.is_rebuilt): track for track in series(rename(b"n", b"m"), CREATE)}
    assert len(by) == 3
    assert by[b"n", True].try_content(b"anything").ok
    assert not by[b"n", True].must_be_absent
    assert not by[b"n", False].try_content(None).ok
    assert by[b"m", False].must_be_absent


def test_a_series_that_contradicts_itself_fails_on_every_base() -> None:
    (track,) = series(CREATE, CREATE)
    assert [track.try_content(content).ok for content in (None, b"", b"x\n")] == [False, False, False]


def test_swapped_files_are_two_tracks_without_other_conditions() -> None:
    found = series(rename(b"a", b"b") + rename(b"b", b"a"))
    assert [(track.path, track.steps[0].diff.path, track.must_be_absent) for track in found] == [
        (b"a", b"b", False), (b"b", b"a", False)]  # fmt: skip


def test_parents_of_new_files() -> None:
    found = series(create(b"d/e/n"), FIVE)
    assert parent_paths(found) == (b"d", b"d/e")


def test_a_large_file_is_tried_in_little_time() -> None:
    lines = [b"line %d\n" % n for n in range(3000)]
    changes = range(100, 3000, 290)
    hunks = (b"@@ -%d,3 +%d,3 @@\n %b-%b+new\n %b" % (n, n, *lines[n - 1 : n + 2]) for n in changes)
    text = b"--- a/f\n+++ b/f\n" + b"".join(hunks)
    (track,) = series(text)
    content = b"".join(lines)
    assert track.try_content(content).ok
    start = time.process_time()
    for _ in range(100):
        track.try_content(content)
        track.try_content(content[:-20])
    assert time.process_time() - start < 0.4
