# SPDX-License-Identifier: GPL-2.0-or-later
"""What all steps together say of a series: the answer in a word, the sentence, and how sure it is."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.base.verdict import FitLevel
from seriestool.check.selection import CheckOptions
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.precheck.summary_sentence import base_confidence, verdict_sentence
from seriestool.report.precheck_markdown import md, precheck_markdown
from seriestool.report.precheck_text import precheck_text
from seriestool.report.style import Style
from seriestool.session import SessionOptions
from tests.support.kernels import LAMP as KERNEL_LAMP
from tests.support.kernels import make_lamp_kernel
from tests.support.repos import File, Repo
from tests.support.series import lines, mail_series, with_stated
from tests.support.session import QUICK, precheck

SIGNED = "\n\nIt was wanted.\n\nSigned-off-by: A U Thor <author@example.com>"
LAMP = "drivers/lamp.c"


def mail(repo: Repo, *changes: Mapping[str, File], base: str = "main", prefix: str = "PATCH") -> bytes:
    """A series with one patch for each of the changes, made on `base`."""
    patches = [(f"lamp: part {number}{SIGNED}", files) for number, files in enumerate(changes, 1)]
    return mail_series(repo, *patches, base=base, prefix=prefix)


@pytest.fixture
def lamps(repo: Repo) -> Repo:
    repo.commit({LAMP: lines(1, 30), "drivers/bulb.c": lines(1, 9)}, "lamps")
    repo.commit({LAMP: lines(1, 31)}, "lamp: one line more")
    return repo


def forget(repo: Repo) -> None:
    """Throw away what no ref leads to."""
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")


def say(found: Precheck) -> tuple[PrecheckAnswer, bool, str]:
    return answer_of(found), base_confidence(found)[0], verdict_sentence(found)


def test_it_goes_in_on_its_base(lamps: Repo, tmp_path: Path) -> None:
    tip = lamps.git("rev-parse", "main")
    mbox = mail(lamps, {LAMP: lines(1, 32)}, {LAMP: lines(1, 33)})
    answer, is_sure, sentence = say(precheck(lamps, tmp_path, mbox))
    assert (answer, is_sure) == (PrecheckAnswer.READY, True)
    assert sentence.startswith(f"The series was made from {tip[:12]} (in main), and goes in on the tip of main")


def test_a_check_that_fails_is_to_be_mended(repo: Repo, tmp_path: Path) -> None:
    make_lamp_kernel(repo)
    unsigned = ("lamp: return four\n\nIt was wanted.", {"drivers/lamp/lamp.c": KERNEL_LAMP.replace("1", "4")})
    answer, is_sure, sentence = say(precheck(repo, tmp_path, mail_series(repo, unsigned)))
    assert (answer, is_sure) == (PrecheckAnswer.TO_MEND, True)
    assert sentence.endswith("; 1 thing to fix.")


def test_the_tree_moved_on_and_conflicts(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 30)})
    lamps.commit({LAMP: lines(1, 30) + "other\n"}, "lamp: something else")
    answer, is_sure, sentence = say(precheck(lamps, tmp_path, mbox))
    assert (answer, is_sure) == (PrecheckAnswer.CONFLICTS, True)
    assert sentence.endswith(f"; on the tip of main the patch conflicts in {LAMP}.")


def test_the_tree_has_no_such_file_any_more(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)})
    lamps.commit({LAMP: None}, "lamp: gone")
    answer, is_sure, sentence = say(precheck(lamps, tmp_path, mbox))
    assert (answer, is_sure) == (PrecheckAnswer.CONFLICTS, True)
    assert sentence.endswith(f"; on the tip of main the patch conflicts in {LAMP}.")


def test_all_of_it_was_merged(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)}, {LAMP: lines(1, 33)})
    lamps.commit({LAMP: lines(1, 32)}, "lamp: part 1")
    lamps.commit({LAMP: lines(1, 33)}, "lamp: part 2")
    answer, _, sentence = say(precheck(lamps, tmp_path, mbox))
    assert (answer, sentence) == (PrecheckAnswer.MERGED, "All of the series is in main already.")


def test_the_first_patch_was_merged_and_the_rest_goes_in(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)}, {LAMP: lines(1, 33)})
    lamps.commit({LAMP: lines(1, 32)}, "lamp: part 1")
    answer, is_sure, sentence = say(precheck(lamps, tmp_path, mbox))
    assert (answer, is_sure) == (PrecheckAnswer.READY, True)
    assert "goes in on the tip of main (patch 1 of 2 is there already)" in sentence


def test_of_most_that_was_merged_is_told_what_was_not(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, *({LAMP: lines(1, 32 + number)} for number in range(5)))
    for number in range(4):
        lamps.commit({LAMP: lines(1, 32 + number)}, f"lamp: part {number + 1}")
    _, _, sentence = say(precheck(lamps, tmp_path, mbox))
    assert "goes in on the tip of main (all but patch 5 of 5 are there already)" in sentence


def test_what_was_merged_otherwise_is_no_conflict(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)}, {"drivers/bulb.c": lines(1, 10)})
    lamps.commit({LAMP: lines(1, 31) + "line 32, as the maintainer wants it\n"}, "lamp: part 1")
    lamps.commit({"drivers/bulb.c": lines(1, 9) + "another line\n"}, "bulb: one line more")
    found = precheck(lamps, tmp_path, mbox)
    answer, _, sentence = say(found)
    assert answer is PrecheckAnswer.CONFLICTS
    assert sentence.endswith("patch 2 of 2 conflicts in drivers/bulb.c (patch 1 of 2 is there already).")
    told = precheck_markdown(found).partition("## What conflicts")[2].partition("##")[0]
    assert "- patch 2, drivers/bulb.c" in told
    assert "- patch 1" not in told


def test_that_a_tree_has_a_patch_already_is_no_question_to_the_author(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)}, {LAMP: lines(1, 33)})
    lamps.commit({LAMP: lines(1, 32)}, "lamp: part 1")
    lamps.git("config", "core.bare", "true")  # a mirror: its branches are trees of other people
    found = precheck(lamps, tmp_path, mbox, SessionOptions(checks=CheckOptions(only=("apply",))))
    assert found.checks is not None
    assert [one.rule for result in found.checks.results for one in result.findings] == ["merged"]
    assert "question" not in verdict_sentence(found)


def test_what_was_merged_with_other_changes_is_told_so(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)})
    lamps.commit({LAMP: lines(1, 31) + "line 32, as the maintainer wants it\n"}, "lamp: part 1")
    answer, _, sentence = say(precheck(lamps, tmp_path, mbox))
    with_what = "the patch with other changes, under the same name and author"
    assert (answer, sentence) == (PrecheckAnswer.MERGED, f"All of the series is in main already; {with_what}.")


def test_what_may_be_there_from_a_later_version_is_doubted(lamps: Repo, tmp_path: Path) -> None:
    """A later version was merged that does it elsewhere in the file: git would put this one beside it."""
    mbox = mail(lamps, {LAMP: lines(1, 32)})
    lamps.commit({LAMP: "line 32\n" + lines(1, 31)}, "lamp: part 1")
    found = precheck(lamps, tmp_path, mbox, SessionOptions(checks=CheckOptions(only=("apply",))))
    answer, _, sentence = say(found)
    assert (answer, sentence.endswith(", though the patch may be in a tree in another form.")) == (
        PrecheckAnswer.READY,
        True,
    )
    told = "note: patch 1: main has a commit of the same name and author that changes something else: "
    assert told in precheck_text(found, Style(False))
    assert md(told.removeprefix("note: patch 1: ")) in precheck_markdown(found)


def test_what_is_left_of_it_goes_in_though_nobody_knows_its_base(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)}, {LAMP: lines(1, 33)})
    lamps.commit({LAMP: lines(1, 32)}, "lamp: part 1")
    found = precheck(lamps, tmp_path, mbox)
    bare = replace(found, base=None, verdict=replace(found.verdict, level=FitLevel.PARTIAL, base=None))
    there = "(patch 1 of 2 is there already)"
    sentence = f"The series goes in on the tip of main {there}, though what it was made from is not known."
    assert say(bare) == (PrecheckAnswer.READY, False, sentence)


def test_nothing_takes_it(lamps: Repo, tmp_path: Path) -> None:
    side = lamps.commit({LAMP: "quite\nanother\nlamp\n"}, "unknown", branch="gone")
    mbox = mail(lamps, {LAMP: "quite\na different\nlamp\n"}, base=side)
    lamps.git("update-ref", "-d", "refs/heads/gone")
    forget(lamps)
    answer, is_sure, sentence = say(precheck(lamps, tmp_path, mbox))
    assert (answer, is_sure) == (PrecheckAnswer.NO_BASE, False)
    assert sentence == "The series applies to no commit of a tree that is here."


def test_patches_that_are_not_at_hand_are_told(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, *({f"drivers/new{number}.c": lines(1, 9)} for number in range(3)))
    found = precheck(lamps, tmp_path, mbox)
    series = replace(found.series, patches=found.series.patches[::2])
    part = replace(found, series=series, matrix=None, plan=None, checks=None)
    assert "3 patches (not at hand: 2), " in precheck_text(part, Style(False))
    assert md("3 patches (not at hand: 2), posted ") in precheck_markdown(part)


def test_it_is_for_another_project(lamps: Repo, tmp_path: Path) -> None:
    other = lamps.commit({"src/tool.c": lines(1, 9), LAMP: None, "drivers/bulb.c": None}, "a tool", branch="away")
    mbox = mail(lamps, {"src/tool.c": lines(1, 10)}, base=other)
    lamps.git("update-ref", "-d", "refs/heads/away")
    forget(lamps)
    found = precheck(lamps, tmp_path, mbox)
    assert say(found) == (PrecheckAnswer.NO_BASE, False, "No tree here has the files that the series changes.")
    assert found.matrix is None
    assert found.plan is None
    assert {step.name: step.problem for step in found.steps if step.problem} == {
        "matrix": "no tree here has the files that the series changes",
        "split": "nothing here says who takes it",
    }


@pytest.mark.parametrize(("others", "is_ours"), [(9, True), (10, False)])
def test_one_file_that_every_project_has_is_no_sign(lamps: Repo, tmp_path: Path, others: int, is_ours: bool) -> None:
    # https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com: of its 26 files LTP has one.
    files = {f"src/tool{number}.c": lines(1, 9) for number in range(others)}
    other = lamps.commit({**files, LAMP: "of another project\n"}, "tools", branch="away", parent=())
    mbox = mail(lamps, {path: lines(1, 10) for path in (*files, LAMP)}, base=other)
    lamps.git("update-ref", "-d", "refs/heads/away")
    forget(lamps)
    found = precheck(lamps, tmp_path, mbox)
    assert answer_of(found) is PrecheckAnswer.NO_BASE
    assert (found.matrix is not None) is is_ours
    assert (verdict_sentence(found) != "No tree here has the files that the series changes.") is is_ours


def test_new_files_alone_prove_nothing_of_a_tree_that_it_is_not_for(lamps: Repo, tmp_path: Path) -> None:
    lamps.commit({"drivers/net.c": lines(1, 9)}, "net", branch="net-next")
    lamps.commit({"drivers/new.c": "there already\n"}, "a net of its own", branch="net", parent=())
    new: Mapping[str, File] = {"drivers/new.c": lines(1, 3)}
    for prefix, sure in (("PATCH net-next", True), ("PATCH net", False)):
        found = precheck(lamps, tmp_path, mail(lamps, new, prefix=prefix))
        assert found.verdict.level == "exact"
        is_sure, how = base_confidence(found)
        assert is_sure is sure
        assert how.startswith("All files are new, so that many commits would do; ")


def test_a_base_that_only_applies_counts_in_the_tree_that_it_is_for(lamps: Repo, tmp_path: Path) -> None:
    tip = lamps.git("rev-parse", "main")
    lamps.commit({"drivers/net.c": lines(1, 9)}, "net-next", branch="net-next", parent=tip)
    lamps.commit({LAMP: "of the net alone\n"}, "a net of its own", branch="net", parent=())
    side = lamps.commit({LAMP: lines(1, 20) + "line X\n" + lines(22, 31)}, "unknown", branch="gone")
    text = lines(1, 3, 5, 20) + "line X\n" + lines(22, 31)
    for prefix, sure in (("PATCH net-next", True), ("PATCH net", False)):
        mbox = mail(lamps, {LAMP: text, "drivers/bulb.c": lines(1, 8)}, base=side, prefix=prefix)
        lamps.git("update-ref", "-d", "refs/heads/gone")
        found = precheck(lamps, tmp_path, mbox)
        lamps.git("update-ref", "refs/heads/gone", side)
        assert found.verdict.level == "applies"
        assert base_confidence(found)[0] is sure, base_confidence(found)


def test_a_stated_base_that_is_true_is_sure(lamps: Repo, tmp_path: Path) -> None:
    old = lamps.git("rev-parse", "main~1")
    mbox = with_stated(mail(lamps, {"drivers/bulb.c": lines(1, 8)}, base="main~1"), old)
    lamps.commit({"drivers/bulb.c": lines(2, 9)}, "bulb: less")
    found = precheck(lamps, tmp_path, mbox)
    is_sure, how = base_confidence(found)
    assert is_sure
    assert "it is the base-commit that the author states" in how


def test_a_base_that_the_user_names_and_that_is_none_is_not_sure(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail(lamps, {LAMP: lines(1, 32)})
    lamps.commit({LAMP: "nothing\n"}, "lamp: away")
    found = precheck(lamps, tmp_path, mbox, SessionOptions(base="main", checks=QUICK))
    is_sure, how = base_confidence(found)
    assert not is_sure
    assert "was given as the base, though patches do not apply there" in how


def test_words_of_a_mail_stand_as_they_came(lamps: Repo, tmp_path: Path) -> None:
    name = "drivers/<b>&\x1b[31m.c"
    lamps.commit({name: lines(1, 9)}, "odd")
    mbox = mail(lamps, {name: lines(1, 10)})
    lamps.commit({name: lines(1, 9) + "other\n"}, "odd: other")
    assert "drivers/<b>&\x1b[31m.c" in verdict_sentence(precheck(lamps, tmp_path, mbox))


@pytest.mark.parametrize("word", ["wrong", "should have", "please", "must rebase", "fail"])
def test_no_sentence_sounds_like_blame(word: str) -> None:
    from seriestool.precheck import summary_sentence

    source = Path(summary_sentence.__file__).read_text()
    code = source.split('"""', 2)[2]  # what it is for says what it must not say
    assert word not in code.lower().replace("status.fail", "").replace("fails", "")
