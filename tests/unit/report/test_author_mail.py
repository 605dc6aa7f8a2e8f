# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of a letter: what is said alike of several patches is said once, and who should take what."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from seriestool.precheck.complaints import Complaint
from seriestool.report.author_mail import AuthorMail, _patches, author_mail_text, guarded
from tests.support.notify import FAILURE, WARNING

LETTER = AuthorMail("widget: halves", 1, 3, "It goes in.", "0" * 40, "v6.9", "Every file is there.", ())


def text(complaints: Sequence[Complaint], **changes: object) -> str:
    return author_mail_text(replace(LETTER, complaints=tuple(complaints), **changes))  # type: ignore[arg-type]


def test_what_is_said_alike_of_several_patches_is_said_once() -> None:
    alike = [replace(WARNING, counter=n, title=f"t{n}", patch_id=str(n)) for n in (1, 2, 3, 5)]
    said = text([*alike, FAILURE, replace(FAILURE, counter=None, title=None, message="no cover letter")])
    assert said.count("no licence") == 1
    order = ["The series", "no cover letter", "Patches 1-3, 5", "no licence", 'Patch 1 ("widget: count halves")']
    places = [said.index(one) for one in order]
    assert places == sorted(places)


def test_more_than_fits_is_counted_by_what_is_said() -> None:
    alike = [replace(WARNING, counter=n) for n in range(1, 40)]
    assert "left out" not in text(alike)
    different = [replace(WARNING, counter=n, message=f"thing {n}") for n in range(1, 23)]
    assert "2 more things of this kind are left out here." in text(different)
    assert "1 more thing of this kind is left out, see the page below." in text(different[:21], url="https://x.org/")


def test_where_nothing_is_to_be_mended_it_says_so() -> None:
    assert "Nothing was found that is to be fixed." in text(())


@pytest.mark.parametrize(
    ("counters", "words"),
    [([1], "patch 1"), ([1, 2], "patches 1-2"), ([3, 1, 2, 7], "patches 1-3, 7"), ([1, 3], "patches 1, 3")],
)
def test_patches_are_named_in_runs(counters: list[int], words: str) -> None:
    assert _patches(counters) == words


@pytest.mark.parametrize(
    "line",
    ["Acked-by: A <a@b.org>", "   Fixes: 0123456 (x)", "From me to you", ">From x", "---", "--", "diff --git a/x b/x",
     "+++ b/x", "@@ -1 +1 @@", "#syz fix: x", "/lgtm", ".", "*** SUBJECT HERE ***", "base-commit: 0123", "Index: x"],
)  # fmt: skip
def test_a_line_that_programs_act_on_is_marked(line: str) -> None:
    assert guarded(f"x\n{line}\ny").split("\n")[1].lstrip().startswith("| ")


@pytest.mark.parametrize("line", ["It applies to v6.9.", "https://example.org/x", "  * a.c:3: it is wrong", "Hello,"])
def test_words_of_ours_are_left_as_they_are(line: str) -> None:
    assert guarded(f"x\n{line}\ny").split("\n")[1] == line
