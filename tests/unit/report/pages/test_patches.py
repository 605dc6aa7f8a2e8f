# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of a patch, beside its lines; what is too long is cut."""

from time import process_time

from msgspec.structs import replace

from seriestool.check.protocol import CheckResult, Finding, Report, Status
from seriestool.report.pages.diffs import FOLDED, MOST_OF_FILE, FileView
from seriestool.report.pages.finding_views import MOST_OF_PATCH as MOST_SAID
from seriestool.report.pages.finding_views import view_findings
from seriestool.report.pages.patches import MOST_OF_PAGE, MOST_OF_PATCH, MOST_OPEN, PatchView, view_patches
from seriestool.series.diff import parse_diff
from seriestool.series.model import Patch
from tests.support.pages import made_patch, made_series

PATH = b"drivers/net/part1.c"


def view(patch: Patch, *findings: Finding) -> PatchView:
    series = made_series(patch)
    report = Report(series, None, None, "generic", (CheckResult("style", patch.counter, findings),))
    return view_patches(series, view_findings(report))[0]


def warn(line: int | None = None, path: bytes | None = PATH) -> Finding:
    return Finding(Status.WARN, "rule", "message", path, line)


def lines_with_findings(view: FileView) -> list[tuple[int | None, str]]:
    return [(block.rows[-1].number, block.rows[-1].text) for block in view.blocks if block.said]


def test_a_finding_is_under_its_line_in_the_file_after_the_patch() -> None:
    diff = b"""\
diff --git a/f b/f
--- a/f
+++ b/f
@@ -5,3 +5,4 @@ x
 five
-six
+new six
+seven
 eight
@@ -100,2 +101,2 @@
-a
+b
 c
"""
    patch = replace(made_patch(1, "x"), files=parse_diff(diff), diff=diff)
    seen = view(patch, *(warn(line, b"f") for line in (5, 7, 8, 101, 200)))
    assert lines_with_findings(seen.files[0]) == [(5, " five"), (7, "+seven"), (8, " eight"), (101, "+b")]
    assert [said.finding.line for said in seen.files[0].said] == [200]
    rows = [(row.kind, row.number) for block in seen.files[0].blocks for row in block.rows]
    assert rows == [
        ("hunk", None), ("same", 5), ("del", None), ("add", 6), ("add", 7), ("same", 8),
        ("hunk", None), ("del", None), ("add", 101), ("same", 102),
    ]  # fmt: skip
    assert seen.said == ()


def test_each_finding_has_one_place() -> None:
    findings = (warn(12), warn(4000), warn(None), warn(1, b"other.c"), warn(3, None), warn(99, None), warn(None, None))
    seen = view(made_patch(1, "x"), *findings)
    file = seen.files[0]
    assert [said.finding.line for block in file.blocks for said in block.said] == [12]
    assert [said.finding.line for said in file.said] == [4000, None]
    assert [said.finding.line for block in seen.message for said in block.said] == [3]
    assert [(said.finding.path, said.finding.line) for said in seen.said] == [(b"other.c", 1), (None, 99), (None, None)]


def test_line_one_of_the_message_is_the_subject() -> None:
    seen = view(made_patch(1, "net: do it"), warn(1, None))
    assert [row.text for row in seen.message[0].rows] == ["net: do it"]


def test_the_gravest_comes_first_and_notes_are_not_counted() -> None:
    statuses = (Status.PASS, Status.WARN, Status.SKIP, Status.FAIL, Status.ERROR)
    findings = tuple(Finding(status, "r", str(status)) for status in statuses)
    seen = view(made_patch(1, "x"), *findings)
    assert [said.word for said in seen.said] == ["fail", "error", "warn", "note"]
    assert seen.counts == (("fail", 1), ("error", 1), ("warn", 1))
    assert seen.is_open
    assert not view(made_patch(1, "x"), Finding(Status.PASS, "r", "m")).is_open


def test_findings_of_the_series_that_name_a_patch_are_with_it() -> None:
    series = made_series(made_patch(1, "x"), made_patch(2, "y"))
    findings = (replace(warn(None, None), counter=2), warn(None, None))
    found = view_findings(Report(series, None, None, "generic", (CheckResult("cover", None, findings),)))
    assert {counter: len(said) for counter, said in found.shown.items()} == {2: 1, None: 1}
    assert found.totals == (("warn", 2),)


def test_a_huge_diff_is_cut_but_not_near_findings() -> None:
    seen = view(made_patch(1, "x", 10_000), warn(7000)).files[0]
    shown = [row for block in seen.blocks for row in block.rows if row.kind != "gap"]
    assert len(shown) == MOST_OF_FILE + 11
    assert seen.left_out == 10_004 - len(shown)
    assert lines_with_findings(seen) == [(7000, "+\tvalue_6989 = compute(6989, &state);")]
    gaps = [row.text for block in seen.blocks for row in block.rows if row.kind == "gap"]
    assert sum(int(text.split()[0]) for text in gaps) == seen.left_out
    assert all(text.endswith(" lines not shown") for text in gaps)
    assert (seen.added, seen.removed) == (10_000, 0)


def test_a_big_diff_is_folded_unless_something_is_said_of_it() -> None:
    big = made_patch(1, "x", FOLDED + 1)
    assert view(big).files[0].is_folded
    assert not view(big, warn(12)).files[0].is_folded
    assert not view(made_patch(1, "x", 20)).files[0].is_folded


def test_a_patch_and_a_page_are_bounded() -> None:
    many = tuple(made_patch(1, "x", 390, f"dir/file{n}.c").files[0] for n in range(500))
    series = made_series(*(replace(made_patch(n, "x"), files=many) for n in range(1, 41)))
    views = view_patches(series, view_findings(None))
    shown = [
        sum(row.kind != "gap" for file in one.files for block in file.blocks for row in block.rows) for one in views
    ]
    assert max(shown) == MOST_OF_PATCH
    assert sum(shown) == MOST_OF_PAGE
    assert (len(views[0].files), views[0].files_left_out) == (300, 200)


def test_a_million_lines_are_not_looked_at() -> None:
    patch = made_patch(1, "x", 1_000_000)
    start = process_time()
    seen = view(patch).files[0]
    assert process_time() - start < 0.5
    assert (seen.shown, seen.left_out, seen.added) == (MOST_OF_FILE, 1_000_004 - MOST_OF_FILE, 1_000_000)


def test_only_so_many_lines_are_folded_out() -> None:
    series = made_series(*(made_patch(n, "x", 100) for n in range(1, 101)))
    results = tuple(CheckResult("style", n, (warn(None, None),)) for n in range(1, 101))
    views = view_patches(series, view_findings(Report(series, None, None, "generic", results)))
    is_open = [one.is_open for one in views]
    assert is_open == sorted(is_open, reverse=True)
    assert 0 < sum(is_open) * 104 <= MOST_OPEN


def test_a_thousand_findings_are_bounded() -> None:
    seen = view(made_patch(1, "x"), *(warn(12) for _ in range(1000)))
    assert seen.said_left_out == 1000 - MOST_SAID
    assert seen.counts == (("warn", 1000),)
    assert len(seen.files[0].blocks[0].said) == MOST_SAID


def test_long_lines_are_cut_and_odd_bytes_shown() -> None:
    diff = (
        b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-"
        + b"x" * 5000
        + b"\n+\xff\r\n\\ No newline at end of file\n"
    )
    patch = replace(made_patch(1, "x"), files=parse_diff(diff), diff=diff)
    rows = [row for block in view(patch).files[0].blocks for row in block.rows]
    assert len(rows[1].text) < 700
    assert rows[1].text.endswith("\u2026")
    assert rows[2].text == "+\ufffd"
    assert rows[3].kind == "meta"


def test_what_becomes_of_a_file_is_said() -> None:
    diff = b"""\
diff --git a/old b/new
similarity index 100%
rename from old
rename to new
diff --git a/gone b/gone
deleted file mode 100644
index 0123456..0000000
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/run b/run
old mode 100644
new mode 100755
diff --git a/b.bin b/b.bin
index 0123456..89abcde 100644
Binary files a/b.bin and b/b.bin differ
"""
    patch = replace(made_patch(1, "x"), files=parse_diff(diff), diff=diff)
    seen = view(patch).files
    assert [(file.what, file.old_path) for file in seen] == [
        ("renamed from", b"old"),
        ("deleted", None),
        ("mode 100644 to 100755", None),
        ("binary, without its data", None),
    ]
