# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series expects of its base, path by path."""

import pytest

from seriestool.base.preimage import ExpectedKind, PreImage, find_preimage
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.trees.history import value_of

A, B = "a" * 40, "b" * 40


def preimage_of(*diffs: str) -> PreImage:
    """The pre-image of a series of these diffs, one patch each."""
    mails = [
        f"From {n:040x} Mon Sep 17 00:00:00 2001\nFrom: A <a@example.com>\nSubject: [PATCH {n}/{len(diffs)}] x\n\n"
        f"---\n{diff}-- \n2.39.5\n\n"
        for n, diff in enumerate(diffs, 1)
    ]
    return find_preimage(series_of_text("".join(mails).encode(), SeriesSelector(), "mbox"))


def change(path: str, index: str | None, hunk: str = "@@ -1 +1 @@\n-1\n+2\n") -> str:
    line = f"index {index} 100644\n" if index else ""
    return f"diff --git a/{path} b/{path}\n{line}--- a/{path}\n+++ b/{path}\n{hunk}"


def create(path: str) -> str:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..d00491f\n--- /dev/null\n+++ b/{path}\n"
        "@@ -0,0 +1 @@\n+1\n"
    )


def rename(old: str, new: str) -> str:
    return f"diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"


def expected(preimage: PreImage) -> dict[str, str]:
    """Path -> blob, 'absent' or 'present'."""
    return {wanted.path.decode(): wanted.blob or str(wanted.expects) for wanted in preimage.expectations}


@pytest.mark.parametrize(
    ("diffs", "wanted"),
    [
        ([change("f", "aaaaaaa..bbbbbbb")], {"f": "aaaaaaa"}),
        ([change("f", "aaaaaaa..bbbbbbb"), change("f", "bbbbbbb..ccccccc")], {"f": "aaaaaaa"}),
        ([change("f", None)], {"f": "present"}),
        ([create("f")], {"f": "absent"}),
        ([create("f"), change("f", "d00491f..bbbbbbb")], {"f": "absent"}),
        ([rename("f", "g")], {"f": "present", "g": "absent"}),
        ([rename("f", "g"), change("g", "aaaaaaa..bbbbbbb")], {"f": "aaaaaaa", "g": "absent"}),
        ([rename("f", "g"), create("f")], {"f": "present", "g": "absent"}),
        ([change("f", "aaaaaaa..bbbbbbb"), rename("f", "g"), rename("g", "f")], {"f": "aaaaaaa", "g": "absent"}),
        (["diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"], {"f": "present"}),
    ],
)
def test_first_touch_says_what_the_base_has(diffs: list[str], wanted: dict[str, str]) -> None:
    assert expected(preimage_of(*diffs)) == wanted


def test_file_whose_lines_change_without_an_index_line_is_proven_by_nothing() -> None:
    wanted = preimage_of(change("f", None)).expectations[0]
    assert wanted.is_unnamed
    assert not wanted.accepts(value_of(0o100644, A))
    assert not wanted.accepts(0)


def test_mode_change_without_an_index_line_needs_a_file_only() -> None:
    wanted = preimage_of("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n").expectations[0]
    assert wanted.accepts(value_of(0o100644, A))
    assert wanted.accepts(value_of(0o100755, A))  # git apply only warns
    assert not wanted.accepts(value_of(0o120000, A))
    assert not wanted.accepts(value_of(0o160000, A))


def test_blob_is_compared_as_far_as_it_is_named() -> None:
    wanted = preimage_of(change("f", f"{A[:10]}..bbbbbbb")).expectations[0]
    assert wanted.accepts(value_of(0o100644, A))
    assert not wanted.accepts(value_of(0o100644, A[:9] + B))
    assert wanted.accepts_entry(0o100644, A)
    assert not wanted.accepts_entry(0o100644, A[:9] + B)
    assert not wanted.accepts_entry(0, "")


def test_added_file_bars_files_above_it() -> None:
    preimage = preimage_of(create("one/two/f"))
    assert preimage.expectations[0].expects is ExpectedKind.ABSENT
    assert set(preimage.barred) == {b"one", b"one/two"}


def test_expectations_are_sorted_by_path() -> None:
    preimage = preimage_of(change("z", "aaaaaaa..bbbbbbb") + change("b", "aaaaaaa..bbbbbbb"), create("m"))
    assert list(preimage.paths) == [b"b", b"m", b"z"]
    assert [wanted.patch for wanted in preimage.expectations] == [1, 2, 1]
