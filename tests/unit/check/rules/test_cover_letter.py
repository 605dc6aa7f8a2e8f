# SPDX-License-Identifier: GPL-2.0-or-later
"""cover-letter: what it says of the patches, and whether that is so."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.check.commits.cover_summary import DiffstatTotals, ShortlogSection, parse_shortlog, parse_totals
from seriestool.check.protocol import Status
from seriestool.check.rules.cover_letter import CHECK
from tests.support.repos import File, Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import ask_check, only_finding, rules_of

LONG = "x: a title that is so long that git has to break it into two lines when it lists it in a shortlog"
PATCHES: tuple[tuple[str, dict[str, File]], ...] = (
    (f"{LONG}\n\n{SIGNED}\n", {"a": "1\n2\n3\n"}),
    (f"x: second\n\n{SIGNED}\n", {"b": "1\n2\n", "c": None}),
    (f"x: third\n\n{SIGNED}\n", {"d": "other\n"}),
)


@pytest.fixture
def base(repo: Repo) -> Repo:
    repo.commit({"a": "1\n", "b": "1\n", "c": "1\n"}, "start")
    return repo


def mail(repo: Repo, *options: str, cover: str = "What it is for.", prefix: str = "PATCH") -> bytes:
    raw = mail_series(repo, *PATCHES, options=("--cover-letter", *options), prefix=prefix)
    return raw.replace(b"*** SUBJECT HERE ***", b"x: all").replace(b"*** BLURB HERE ***", cover.encode())


def without(mbox: bytes, counter: int) -> bytes:
    mails = re.split(rb"^(?=From [0-9a-f]{40} )", mbox, flags=re.M)
    return b"".join(one for one in mails if not re.search(rb"^Subject: \[PATCH[^]]* %d/" % counter, one, re.M))


def test_as_git_makes_it(base: Repo) -> None:
    assert ask_check(CHECK, base, mail(base)) == ()


def test_lone_patch_needs_none(base: Repo) -> None:
    assert ask_check(CHECK, base, mail_series(base, PATCHES[0])) == ()


def test_three_patches_without_one_are_a_note(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, mail_series(base, *PATCHES))) == [("no-cover", "pass")]


def test_patches_of_a_thread_whose_head_is_not_here_are_a_skip(base: Repo) -> None:
    raw = without(mail(base, prefix="PATCH v2"), 0)
    assert rules_of(ask_check(CHECK, base, raw)) == [("cover-letter", "skip")]


def test_left_as_git_made_it(base: Repo) -> None:
    raw = mail_series(base, *PATCHES, options=("--cover-letter",))
    assert rules_of(ask_check(CHECK, base, raw)) == [("placeholder", "fail"), ("placeholder", "fail")]


def test_placeholder_in_a_sentence_is_talk(base: Repo) -> None:
    assert ask_check(CHECK, base, mail(base, cover="I forgot *** BLURB HERE *** last time.")) == ()


def test_diffstat_of_an_earlier_version(base: Repo) -> None:
    raw = mail(base).replace(b"4 files changed, 4 insertions(+)", b"3 files changed, 14 insertions(+)", 1)
    found = only_finding(ask_check(CHECK, base, raw), "diffstat")
    assert found.status is Status.WARN
    assert "the cover letter says 3 files, +14 -1, and the patches change 4 files, +4 -1" in found.message
    assert found.mend is not None
    assert "4 files changed, 4 insertions(+), 1 deletion(-)" in found.mend


def test_the_true_diffstat_is_that_of_the_patches_together(base: Repo) -> None:
    """Two patches add three lines to a file, of which the second changes one: three lines are new, not four."""
    patches = (
        (f"x: one\n\n{SIGNED}\n", {"new": "1\n2\n3\n"}),
        (f"x: two\n\n{SIGNED}\n", {"new": "1\n2\nthree\n"}),
    )
    raw = mail_series(base, *patches, options=("--cover-letter",)).replace(b"3 insertions(+)", b"9 insertions(+)", 1)
    found = only_finding(ask_check(CHECK, base, raw), "diffstat")
    assert found.message == "the cover letter says 1 file, +9 -0, and the patches change 1 file, +3 -0"


def test_diffstat_needs_no_base(base: Repo) -> None:
    raw = mail(base).replace(b"4 files changed, 4 insertions(+)", b"3 files changed, 14 insertions(+)", 1)
    found = only_finding(ask_check(CHECK, base, raw, base=None), "diffstat")
    assert (found.status, found.mend) == (Status.WARN, None)


def test_one_of_two_diffstats_is_right(base: Repo) -> None:
    assert ask_check(CHECK, base, mail(base, cover="Before:\n\n 9 files changed, 100 insertions(+)")) == ()


def test_lines_that_one_patch_adds_and_the_next_removes(base: Repo) -> None:
    raw = mail_series(
        base, ("x: a", {"a": "1\n2\n3\n4\n"}), ("x: b", {"a": "1\n3\n", "n": "1\n"}), ("x: c", {"n": None}),
        options=("--cover-letter",),
    )  # fmt: skip
    assert {rule for rule, _ in rules_of(ask_check(CHECK, base, raw))} == {"placeholder"}


def test_renames_and_binaries_are_no_mismatch(base: Repo) -> None:
    many = "".join(f"{n}\n" for n in range(50))
    base.commit({"old/name": many, "bin": b"\0\1"}, "more")
    for option in ("-M", "--no-renames"):
        raw = mail_series(
            base, ("x: a", {"old/name": None, "new/a/name": many + "x\n"}), ("x: b", {"bin": b"\0\2", "a": "2\n"}),
            options=("--cover-letter", option, "--binary"),
        )  # fmt: skip
        assert {rule for rule, _ in rules_of(ask_check(CHECK, base, raw))} == {"placeholder"}


def test_file_that_the_whole_renames(base: Repo) -> None:
    raw = mail_series(base, ("x: a", {"c": None}), ("x: b", {"d": "1\n"}), options=("--cover-letter",))
    assert b"rename c => d" in raw
    assert {rule for rule, _ in rules_of(ask_check(CHECK, base, raw))} == {"placeholder"}


def test_series_with_a_gap_cannot_be_compared(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, without(mail(base), 3))) == [("diffstat", "skip")]


def test_patch_that_the_shortlog_lacks(base: Repo) -> None:
    raw = mail(base).replace(b"  x: third\n", b"", 1)
    found = [one.message for one in ask_check(CHECK, base, raw)]
    assert found == [
        "the cover letter counts 3 patches of A U Thor and lists 2",
        "the cover letter's list of patches lacks 'x: third'",
    ]


def test_patch_of_an_earlier_version_in_the_shortlog(base: Repo) -> None:
    raw = mail(base).replace(b"  x: third\n", b"  x: was third\n", 1)
    assert rules_of(ask_check(CHECK, base, raw)) == [("shortlog", "warn"), ("shortlog", "warn")]


def test_indented_list_of_other_things(base: Repo) -> None:
    assert ask_check(CHECK, base, mail(base, cover="Tested on (2):\n  one machine\n  another")) == ()


def test_cover_counts_other_patches(base: Repo) -> None:
    raw = mail(base).replace(b"[PATCH 0/3]", b"[PATCH 0/2]").replace(b"C O Mitter <committer@", b"A U Thor <author@")
    assert rules_of(ask_check(CHECK, base, raw)) == [("count", "warn")]


def test_patch_that_was_added_later_is_no_mismatch(base: Repo) -> None:
    raw = mail_series(base, *PATCHES[:2], options=("--cover-letter",)).replace(b"*** SUBJECT HERE ***", b"x: all")
    more = mail(base).rpartition(b"\nFrom ")[2].replace(b"[PATCH 3/3]", b"[PATCH 3/2]")
    raw = raw.replace(b"*** BLURB HERE ***", b"It is.") + b"\nFrom " + more
    cover = re.search(rb"^Message-Id: (.*)$", raw, re.I | re.M)
    assert cover
    raw = re.sub(rb"^In-Reply-To: .*$", b"In-Reply-To: " + cover[1], raw, flags=re.I | re.M)
    raw = re.sub(rb"^References: .*$", b"References: " + cover[1], raw, flags=re.I | re.M)
    assert ask_check(CHECK, base, raw) == ()


def stated(raw: bytes, *lines: str) -> bytes:
    return re.sub(rb"^-- $", "\n".join([*lines, "-- "]).encode(), raw, count=1, flags=re.M)


def test_base_that_is_true(base: Repo) -> None:
    tip = base.git("rev-parse", "main")
    assert ask_check(CHECK, base, stated(mail(base), f"base-commit: {tip}")) == ()
    assert ask_check(CHECK, base, stated(mail(base), f"base-commit: {tip}"), base=None) == ()


def test_base_on_which_it_applies_too(base: Repo) -> None:
    raw = mail(base)
    tip = base.commit({"z": "1\n"}, "more")
    assert ask_check(CHECK, base, stated(raw, f"base-commit: {tip}"), base="main~1") == ()


def test_base_that_is_not_the_one(base: Repo) -> None:
    raw = mail(base)
    wrong = base.commit({"a": "other\n"}, "other", branch="other")
    found = only_finding(ask_check(CHECK, base, stated(raw, f"base-commit: {wrong}")), "base-wrong")
    assert (found.status, wrong[:12] in found.message) == (Status.WARN, True)


def test_base_with_prerequisites_is_a_note(base: Repo) -> None:
    raw = mail(base)
    wrong = base.commit({"a": "other\n"}, "other", branch="other")
    raw = stated(raw, f"base-commit: {wrong}", f"prerequisite-patch-id: {'1' * 40}")
    assert rules_of(ask_check(CHECK, base, raw)) == [("base-wrong", "pass")]


def test_base_that_is_not_here_is_a_note(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, stated(mail(base), f"base-commit: {'1' * 40}"))) == [
        ("base-unknown", "pass")
    ]


def test_base_that_is_no_id(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, stated(mail(base), "base-commit: v6.12-rc1"))) == [
        ("base-malformed", "warn")
    ]


def test_no_base_stated_and_none_found(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, mail(base), base=None)) == [("no-base", "pass")]


def test_new_version_that_says_nothing(base: Repo) -> None:
    assert rules_of(ask_check(CHECK, base, mail(base, prefix="PATCH v2"))) == [("no-changelog", "warn")]


@pytest.mark.parametrize(
    "text",
    [
        "Changes in v2:\n- rebased", "v1 -> v2: names", "Changes since v1:", "V2: names", "Changelog:\n- names",
        "No changes.", "v1: https://lore.kernel.org/r/x", "Changes:\n- names", "Since the last posting",
        "Changed from RFC: names", "This version has other names",
    ],
)  # fmt: skip
def test_changelog_in_the_cover_letter(base: Repo, text: str) -> None:
    assert ask_check(CHECK, base, mail(base, cover=text, prefix="PATCH v2")) == ()


def test_changelog_below_the_dashes_of_a_patch(base: Repo) -> None:
    raw = mail(base, prefix="PATCH v3")
    at = raw.rindex(b"\n---\n") + 5
    assert ask_check(CHECK, base, raw[:at] + b"v3: names\n\n" + raw[at:]) == ()


def test_prose_below_the_dashes_of_a_patch(base: Repo) -> None:
    raw = mail(base, prefix="PATCH v3")
    at = raw.rindex(b"\n---\n") + 5
    assert ask_check(CHECK, base, raw[:at] + b"Other names, as wished.\n\n" + raw[at:]) == ()


def test_sent_again_as_it_was(base: Repo) -> None:
    assert ask_check(CHECK, base, mail(base, prefix="PATCH RESEND v2")) == ()


def test_totals() -> None:
    text = " 1 file changed, 1 insertion(+)\n 2 files changed\n> 3 files changed\n 3 files changed, 2 deletions(-)\r\n"
    assert parse_totals(text) == (DiffstatTotals(1, 1, 0), DiffstatTotals(2, 0, 0), DiffstatTotals(3, 0, 2))


def test_shortlog_with_broken_lines() -> None:
    text = "A B (2):\n  one\n  two and\n    more\n\nC (1):\n      three\nend\n"
    assert parse_shortlog(text) == (
        ShortlogSection("A B", 2, ("one", "two and more")),
        ShortlogSection("C", 1, ("three",)),
    )


def test_shortlog_of_titles_with_brackets() -> None:
    assert parse_shortlog("A B (1):\n  [DO NOT MERGE] x: y\n") == (ShortlogSection("A B", 1, ("x: y",)),)


def test_hostile_cover_is_quick(base: Repo) -> None:
    noise = "A" * 50_000 + " (1):\n" + " x\n" * 50_000 + " 1 files changed" * 20_000 + "v" * 100_000
    assert all(
        found.status is not Status.FAIL for found in ask_check(CHECK, base, mail(base, cover=noise, prefix="PATCH v2"))
    )


@given(st.text(alphabet="a (1):\n\t>0", max_size=300))
def test_no_text_is_a_traceback(text: str) -> None:
    blocks = parse_shortlog(text)
    assert all(title.strip() for block in blocks for title in block.titles)
    parse_totals(text)
