# SPDX-License-Identifier: GPL-2.0-or-later
"""What rebase makes on request: branches, notes, mails; and that two at a time do not disturb each other."""

import json
import mailbox
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cases import CONFLICT_TEXT, ConflictCase, make_conflict_case
from tests.support.repos import Repo
from tests.support.series import lines, make_series
from tests.support.session import run_program

Golden = Callable[[str, str], None]


@pytest.fixture
def case(tmp_path: Path) -> ConflictCase:
    return make_conflict_case(tmp_path)


def mails(path: Path) -> list[mailbox.mboxMessage]:
    return list(mailbox.mbox(path))


def test_a_branch_has_the_patches_as_they_were_mailed(case: ConflictCase) -> None:
    before = case.state()
    result = case.run("--onto", "clean", "--branch", "r/{series}", case.mbox)
    assert result.code == 0, result.err
    assert re.search(r"branch r/part-1 is at [0-9a-f]{12}\n", result.err)
    log = case.repo.git("log", "--format=%an <%ae> %s", "-3", "r/part-1").splitlines()
    assert log == [f"A U Thor <author@example.com> part {n}" for n in (3, 2, 1)]
    assert case.repo.git("rev-parse", "r/part-1~3") == case.repo.git("rev-parse", "clean")
    dates = re.findall(r"^Date: (.*)$", case.mbox.read_text(), re.M)
    assert case.repo.git("log", "--reverse", "--format=%aD", "-3", "r/part-1").splitlines() == dates
    after = case.state()
    assert {key for key in after if after[key] != before.get(key)} == {"refs"}
    assert not (case.repo.path / ".git/hook-ran").exists()
    case.repo.git("fsck", "--strict")


def test_the_commits_are_those_that_git_am_makes(case: ConflictCase, tmp_path: Path) -> None:
    assert case.run("--onto", "clean", "--branch", "ours", case.mbox).code == 0
    case.repo.git("worktree", "add", "-q", "-b", "theirs", str(tmp_path / "am"), "clean")
    subprocess.run(["git", "am", "-q", "-3", str(case.mbox)], cwd=tmp_path / "am", check=True, capture_output=True)
    assert case.repo.git("rev-parse", "ours^{tree}") == case.repo.git("rev-parse", "theirs^{tree}")
    messages = [case.repo.git("log", "--format=%an%n%ae%n%B", f"clean..{name}") for name in ("ours", "theirs")]
    assert messages[0] == messages[1]


def test_each_tree_gets_its_branch_or_none_gets_one(case: ConflictCase) -> None:
    case.repo.commit({"e.c": "1\n"}, "e: one", branch="other", parent=case.base)
    onto = ("--onto", "clean", "--onto", "other")
    same = case.run(*onto, "--branch", "one", case.mbox)
    assert (same.code, "has {tree} in it" in same.err) == (2, True)
    case.repo.git("branch", "r/other", "other")
    taken = case.run(*onto, "--branch", "r/{tree}", case.mbox)
    assert (taken.code, "there already" in taken.err) == (2, True)
    assert "r/clean" not in case.repo.git("branch")
    case.repo.git("branch", "-D", "r/other")
    assert case.run(*onto, "--branch", "r/{tree}", case.mbox).code == 0
    for name in ("clean", "other"):
        assert case.repo.git("log", "--format=%s", "-4", f"r/{name}").splitlines()[0] == "part 3"


def test_a_tree_on_which_it_conflicts_gets_nothing_and_that_is_said(case: ConflictCase, tmp_path: Path) -> None:
    result = case.run(
        "--onto", "clean", "--onto", "main", "--branch", "r/{tree}", "-o", str(tmp_path / "out"), case.mbox
    )
    assert result.code == 3
    assert "nothing made for main: patch 2 conflicts" in result.err
    assert case.repo.git("for-each-ref", "--format=%(refname)", "refs/heads/r") == "refs/heads/r/clean"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["v4-part-1-clean.mbx"]


def test_a_series_that_is_in_the_tree_makes_nothing(case: ConflictCase) -> None:
    assert case.run("--onto", "clean", "--branch", "merged", case.mbox).code == 0
    result = case.run("--onto", "merged", "--branch", "again", case.mbox)
    assert (result.code, "has all patches already" in result.err) == (0, True)
    assert "again" not in case.repo.git("branch")


@pytest.mark.parametrize("name", ["a..b", "-x", "x.lock", "{tree}/../x", "a b"])
def test_a_name_that_git_would_not_take_is_refused_before_any_work(case: ConflictCase, name: str) -> None:
    before = case.state()
    result = case.run("--onto", "clean", f"--branch={name}", case.mbox)
    assert (result.code, result.out) == (2, "")
    assert "cannot be the name of a branch" in result.err
    assert case.state() == before


def test_the_notes_of_the_mails_are_kept_beside_those_that_are_there(case: ConflictCase) -> None:
    text = case.mbox.read_text().replace("\n---\n", "\n---\nNot for the log: tested on two boards.\n\n")
    case.mbox.write_text(text)
    old = case.repo.git("rev-parse", "main")
    case.repo.git("notes", "--ref=seriestool", "add", "-m", "an old note", old)
    assert case.run("--onto", "clean", "--branch", "noted", "--notes", case.mbox).code == 0
    for n in range(3):
        assert "tested on two boards" in case.repo.git("notes", "--ref=seriestool", "show", f"noted~{n}")
    assert case.repo.git("notes", "--ref=seriestool", "show", old) == "an old note"
    assert case.run("--onto", "clean", "--notes", case.mbox).code == 2


def with_cover(case: ConflictCase) -> None:
    """The same series, as git and b4 mail it: a cover letter, a change-id, people in Cc."""
    changes = (
        {"a.c": CONFLICT_TEXT.replace("line 3\n", "line three\n")},
        {"b.c": CONFLICT_TEXT.replace("line 20\n", "line twenty\n")},
    )
    options = ["--cover-letter", "--subject-prefix=RFC PATCH net-next v3", "--to=list@example.com", "--thread"]
    text = make_series(case.repo, case.base, *changes, options=options).decode()
    text = text.replace("*** SUBJECT HERE ***", "Lines in words")
    text = text.replace("*** BLURB HERE ***", "Numbers are hard to read.\n\nChanges in v3:\n- all of them")
    text = text.replace("\n-- \n", "\nbase-commit: " + "1" * 40 + "\nchange-id: 20260101-lines-0123456789ab\n-- \n", 1)
    case.mbox.write_text(re.sub(r"cover\.\d+\.git\.", "cover.git.", text))


def test_the_next_version_is_a_series_that_find_base_and_git_am_take(case: ConflictCase, tmp_path: Path) -> None:
    with_cover(case)
    out = tmp_path / "out"
    assert case.run("--onto", "next", "-o", str(out), "--branch", "ready", "--base", case.base, case.mbox).code == 0
    [file] = out.iterdir()
    assert file.name == "v4-lines-in-words-next.mbx"
    answer = run_program("find-base", "--json", "--repo", case.repo.path, file)
    found = json.loads(answer.out)
    assert (found["verdict"], found["base"]["commit"]) == ("exact", case.repo.git("rev-parse", "next"))
    assert found["stated"]["state"] == "known"
    assert found["series"]["version"] == 4
    assert found["series"]["change_id"] == "20260101-lines-0123456789ab"
    case.repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "am"), "next")
    command = ["git", "am", "-q", "--empty=drop", str(file)]
    subprocess.run(command, cwd=tmp_path / "am", check=True, capture_output=True)
    applied = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=tmp_path / "am", capture_output=True, text=True)
    assert applied.stdout.strip() == case.repo.git("rev-parse", "ready^{tree}")


def test_the_mails_are_threaded_and_from_who_sends_them(case: ConflictCase, tmp_path: Path) -> None:
    with_cover(case)
    assert case.run("--onto", "next", "-o", str(tmp_path / "out"), "--base", case.base, case.mbox).code == 0
    cover, *patches = mails(next((tmp_path / "out").iterdir()))
    assert cover["Subject"] == "[RFC PATCH net-next v4 0/2] Lines in words"
    assert [mail["Subject"] for mail in patches] == [f"[RFC PATCH net-next v4 {n}/2] part {n}" for n in (1, 2)]
    assert {mail["In-Reply-To"] for mail in patches} == {cover["Message-ID"]}
    assert len({mail["Message-ID"] for mail in (cover, *patches)}) == 3
    assert {mail["From"] for mail in (cover, *patches)} == {"C O Mitter <committer@example.com>"}
    assert {mail["To"] for mail in (cover, *patches)} == {"list@example.com"}
    assert all(mail.get_payload().startswith("From: A U Thor <author@example.com>\n\n") for mail in patches)


def test_the_cover_letter_says_what_happened(case: ConflictCase, tmp_path: Path, golden: Golden) -> None:
    with_cover(case)
    assert case.run("--onto", "next", "-o", str(tmp_path / "out"), "--base", case.base, case.mbox).code == 0
    cover = mails(next((tmp_path / "out").iterdir()))[0]
    # The new commits have the time of the run in them.
    text = re.sub(r"(?<==)( +\d: ) [0-9a-f]{12} ", r"\1 ............ ", cover.get_payload())
    golden("rebase-cover-letter", text)


def test_a_single_patch_says_it_below_its_message(case: ConflictCase, tmp_path: Path) -> None:
    case.mbox.write_bytes(make_series(case.repo, case.base, {"a.c": CONFLICT_TEXT.replace("line 3\n", "line three\n")}))
    assert case.run("--onto", "next", "-o", str(tmp_path / "out"), case.mbox).code == 0
    [file] = (tmp_path / "out").iterdir()
    [mail] = mails(file)
    message, _, below = mail.get_payload().partition("\n---\n")
    assert "rebased onto" not in message
    assert "- rebased onto next" in below.partition("diff --git")[0]
    found = json.loads(run_program("find-base", "--json", "--repo", case.repo.path, file).out)
    assert (found["verdict"], found["base"]["commit"]) == ("exact", case.repo.git("rev-parse", "next"))


def test_a_file_that_says_something_else_is_not_replaced(case: ConflictCase, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "v4-part-1-clean.mbx").write_text("mine\n")
    kept = case.run("--onto", "clean", "-o", str(out), case.mbox)
    assert (kept.code, (out / "v4-part-1-clean.mbx").read_text()) == (2, "mine\n")
    assert case.run("--onto", "clean", "-o", str(out), "--force", case.mbox).code == 0
    assert len(mails(out / "v4-part-1-clean.mbx")) == 4


def test_it_says_whether_the_result_merges_with_the_other_trees(case: ConflictCase) -> None:
    case.repo.commit(
        {"b.c": CONFLICT_TEXT.replace("line 20\n", "line 20 of friend\n")}, "b", branch="friend", parent=case.base
    )
    stranger = {"z.c": "1\n"}
    case.repo.commit(stranger, "another history", branch="stranger", parent=())
    answer = case.json("--onto", "clean", "--test-merge", "all")
    merges = {merge["tree"]: merge for merge in answer["trees"][0]["test_merges"]}
    assert merges["friend"]["conflicts"] == ["b.c"]
    assert merges["main"]["conflicts"] == ["a.c"]
    assert (merges["next"]["conflicts"], merges["next"]["problem"]) == (["a.c"], None)
    assert "clean" not in merges
    assert "unrelated histories" in merges["stranger"]["problem"]
    named = case.json("--onto", "clean", "--test-merge", "friend")
    assert [merge["tree"] for merge in named["trees"][0]["test_merges"]] == ["friend"]


def test_conflicts_that_two_trees_have_without_the_series_are_not_its_own(case: ConflictCase) -> None:
    ours, theirs = (CONFLICT_TEXT.replace("line 28\n", f"line 28 of {name}\n") for name in ("ours", "theirs"))
    case.repo.commit({"b.c": ours}, "b", branch="ours", parent=case.base)
    case.repo.commit({"b.c": theirs}, "b", branch="theirs", parent=case.base)
    answer = case.json("--onto", "ours", "--test-merge", "theirs")
    assert answer["trees"][0]["test_merges"][0]["conflicts"] == []


def test_two_at_the_same_time_are_both_right_20_times(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    text = lines(1, 60)
    base = repo.commit({"a.c": text, "b.c": text}, "start")
    boxes = []
    for name in ("a.c", "b.c"):
        changes = [{name: text.replace(f"line {n}\n", f"line {n} of the series\n")} for n in (10, 30)]
        changes[1] = {name: changes[0][name].replace("line 30\n", "line 30 of the series\n")}
        boxes.append(tmp_path / f"{name}.mbox")
        boxes[-1].write_bytes(make_series(repo, base, *changes))
    repo.commit({"a.c": "first\n" + text, "b.c": text + "last\n"}, "upstream")
    command = [sys.executable, "-m", "seriestool", "--repo", str(repo.path), "rebase", "--onto", "main", "--branch"]
    for turn in range(20):
        runs = [
            subprocess.Popen([*command, f"r/{turn}-{n}", str(mbox)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for n, mbox in enumerate(boxes)
        ]
        for run in runs:
            err = run.communicate()[1]
            assert run.returncode == 0, err
        expected = text.replace("line 10\n", "line 10 of the series\n").replace("line 30\n", "line 30 of the series\n")
        assert repo.git_bytes("show", f"r/{turn}-0:a.c").decode() == "first\n" + expected
        assert repo.git_bytes("show", f"r/{turn}-1:b.c").decode() == expected + "last\n"
        assert repo.git_bytes("show", f"r/{turn}-0:b.c").decode() == text + "last\n"


def test_interrupted_it_leaves_nothing_behind(case: ConflictCase, tmp_path: Path) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    before = case.state()
    import os

    # ^C before our code runs is Python's to answer, with 1 where its own imports are cut short.
    program = "import sys; from seriestool.cli.main import run; print('here', flush=True); run()"
    command = [sys.executable, "-c", program, "rebase", "--all-trees", "--branch", "r/{tree}", str(case.mbox)]
    for delay in (0.05, 0.15, 0.25):
        process = subprocess.Popen(
            command, cwd=case.repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(scratch)}, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate()
        assert process.returncode in (130, 3, -signal.SIGINT)
        assert list(scratch.iterdir()) == []
        made = case.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/r").splitlines()
        assert made in ([], ["r/clean"])  # all or none: refs move at once, and ^C may come just after
        for name in made:
            case.repo.git("branch", "-q", "-D", name)
        assert case.state() == before
