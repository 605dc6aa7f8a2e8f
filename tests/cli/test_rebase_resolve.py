# SPDX-License-Identifier: GPL-2.0-or-later
"""Conflicts by hand: what a person finds in the work tree, how it goes on, what is remembered; nothing is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cases import CONFLICT_TEXT, ConflictCase, make_conflict_case
from tests.support.repos import Repo
from tests.support.series import lines

BY_HAND = ["UNMODIFIED plain", "MODIFIED by-hand", "UNMODIFIED plain"]


@pytest.fixture
def case(tmp_path: Path) -> ConflictCase:
    return make_conflict_case(tmp_path)


def stopped(case: ConflictCase, *arguments: str) -> ConflictCase:
    result = case.run("--onto", "main", "--resolve", *arguments, case.mbox)
    assert result.code == 3, result.err
    return case


def git(path: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=path, capture_output=True, text=True, check=True).stdout


def test_it_stops_with_markers_stages_and_the_patches_before(case: ConflictCase) -> None:
    before = case.state()
    result = case.run("--onto", "main", "--resolve", case.mbox)
    assert result.code == 3
    assert not (case.repo.path / ".git/hook-ran").exists()
    assert "patch 2 of 3 conflicts on main: part 2" in result.out
    assert "a.c: contents" in result.out
    assert "--continue" in result.err
    tree = case.worktree()
    assert str(tree) in result.out
    text = (tree / "a.c").read_text()
    middle = "||||||| what the series was made from\nline 10\n=======\nline ten of the series\n"
    assert f"<<<<<<< main\nline ten of the tree\n{middle}>>>>>>> part 2\n" in text
    assert "line three\n" in text
    assert [line.split()[2] for line in git(tree, "ls-files", "-u").splitlines()] == ["1", "2", "3"]
    assert git(tree, "log", "--format=%s", "-2").splitlines() == ["part 1", "a: line ten"]
    assert git(tree, "status", "--porcelain") == "UU a.c\n"
    assert case.state() == before


def test_what_was_resolved_becomes_the_patch_and_nothing_is_left_over(case: ConflictCase) -> None:
    stopped(case, "--branch", "ready")
    case.resolve()
    (case.repo.path / ".git/hook-ran").unlink()  # that was the person's git add
    result = case.run("--continue")
    assert result.code == 0, result.err
    assert "by hand" in result.out
    assert case.repo.git("log", "--format=%s by %an", "-3", "ready").splitlines() == [
        f"part {n} by A U Thor" for n in (3, 2, 1)
    ]
    assert "line ten, both\n" in case.repo.git("show", "ready:a.c")
    assert "line twenty\n" in case.repo.git("show", "ready:b.c")
    assert case.leftovers() == []
    assert not (case.repo.path / ".git/hook-ran").exists()


def test_without_a_name_the_branch_is_called_after_series_and_tree(case: ConflictCase) -> None:
    stopped(case)
    case.resolve()
    assert case.run("--continue").code == 0
    assert case.repo.git("rev-parse", "--verify", "part-1-main^{tree}")


def test_it_can_be_continued_from_within_the_work_tree(case: ConflictCase) -> None:
    stopped(case)
    assert case.run("--continue", cwd=case.resolve()).code == 0
    assert case.leftovers() == []


def test_mails_are_written_at_the_end_where_they_were_asked_for(case: ConflictCase, tmp_path: Path) -> None:
    stopped(case, "-o", str(tmp_path / "out"))
    case.resolve()
    assert case.run("--continue").code == 0
    [file] = (tmp_path / "out").iterdir()
    assert b"[PATCH v4 2/3] part 2" in file.read_bytes()
    assert b"+line ten, both" in file.read_bytes()
    assert case.repo.git("branch", "--format=%(refname:short)").splitlines() == ["clean", "main", "next"]


def test_a_patch_can_be_left_out(case: ConflictCase) -> None:
    stopped(case, "--branch", "ready")
    result = case.run("--skip")
    assert result.code == 0, result.err
    assert "2 of 3, 1 left out" in result.out
    assert case.repo.git("log", "--format=%s", "-2", "ready").splitlines() == ["part 3", "part 1"]
    assert case.leftovers() == []


def test_giving_up_leaves_everything_as_it_was(case: ConflictCase) -> None:
    before = case.state()
    stopped(case)
    case.resolve()
    assert case.run("--abort").code == 0
    assert (case.state(), case.leftovers()) == (before, [])
    assert case.run("--abort").code == 2


@pytest.mark.parametrize(
    ("change", "says", "code"),
    [
        ("", "in conflict still: a.c", 3),
        ("git add a.c", "conflict markers are left in a.c", 3),
        ("git checkout --theirs a.c && git add a.c && echo >> b.c", "changed, but not added: b.c", 2),
        ("git checkout -q -f HEAD", "nothing is left of the patch", 2),
    ],
)
def test_it_does_not_go_on_before_the_conflict_is_resolved(
    case: ConflictCase, change: str, says: str, code: int
) -> None:
    stopped(case)
    subprocess.run(["sh", "-c", change], cwd=case.worktree(), check=True)
    result = case.run("--continue")
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert case.run("--skip").code == 0


def test_one_series_is_not_begun_twice_on_one_tree(case: ConflictCase) -> None:
    stopped(case)
    tree = case.resolve()
    again = case.run("--onto", "main", "--resolve", case.mbox)
    assert (again.code, "is under way already" in again.err) == (2, True)
    assert "line ten, both" in (tree / "a.c").read_text()


def test_two_trees_are_resolved_side_by_side_by_name(case: ConflictCase) -> None:
    stopped(case)
    assert case.run("--onto", "next", "--resolve", case.mbox).code == 3
    several = case.run("--continue")
    assert (several.code, "under way: part-1-main, part-1-next" in several.err) == (2, True)
    assert case.run("--abort", "part-1-main").code == 0
    assert case.run("--continue", "part-1-main").code == 2
    case.resolve()
    assert case.run("--continue").code == 0
    assert case.leftovers() == []


def test_a_resolution_is_used_again_on_another_tree_and_shown_as_such(case: ConflictCase) -> None:
    assert case.outcomes("--onto", "next")[1] == "CONFLICT conflict"
    stopped(case)
    case.resolve()
    assert case.run("--continue").code == 0
    assert case.outcomes("--onto", "next") == ["UNMODIFIED plain", "MODIFIED resolved", "UNMODIFIED plain"]
    result = case.run("--onto", "next", "--branch", "again", case.mbox)
    assert "MODIFIED resolved" in result.out
    assert "line ten, both\n" in case.repo.git("show", "again:a.c")
    assert not (case.repo.path / ".git/rr-cache").exists()


def test_a_resolution_is_used_again_for_the_next_version(case: ConflictCase) -> None:
    stopped(case)
    case.resolve()
    assert case.run("--continue").code == 0
    text = case.mbox.read_text().replace("PATCH v3", "PATCH v4").replace("part 2", "part two, better said")
    case.mbox.write_text(text)
    assert case.outcomes("--onto", "main")[1] == "MODIFIED resolved"


def test_looking_at_the_table_remembers_nothing(case: ConflictCase) -> None:
    stopped(case)
    case.resolve()
    assert case.run("--continue").code == 0
    memory = case.repo.path / ".git/seriestool/resolutions"
    before = sorted(path.stat().st_mtime_ns for path in memory.rglob("*"))
    assert case.outcomes("--onto", "next")[1] == "MODIFIED resolved"
    assert sorted(path.stat().st_mtime_ns for path in memory.rglob("*")) == before


def test_the_known_part_of_a_conflict_is_resolved_in_the_work_tree_and_said(case: ConflictCase) -> None:
    stopped(case)
    case.resolve()
    assert case.run("--continue").code == 0
    base = case.base
    both = {
        "a.c": CONFLICT_TEXT.replace("line 10\n", "line ten of the series\n"),
        "b.c": CONFLICT_TEXT.replace("line 5\n", "five\n"),
    }
    from tests.support.series import make_series

    mbox = case.mbox.with_name("two.mbox")
    mbox.write_bytes(make_series(case.repo, base, both))
    other = {
        "a.c": CONFLICT_TEXT.replace("line 10\n", "line ten of the tree\n"),
        "b.c": CONFLICT_TEXT.replace("line 5\n", "fünf\n"),
    }
    case.repo.commit(other, "both", branch="both", parent=base)
    result = case.run("--onto", "both", "--resolve", mbox)
    assert result.code == 3
    assert "a.c: contents (resolved as it was before: have a look)" in result.out
    assert "b.c: contents\n" in result.out
    assert "line ten, both\n" in (case.worktree() / "a.c").read_text()
    assert git(case.worktree(), "diff", "--name-only", "--diff-filter=U").split() == ["a.c", "b.c"]


def test_where_nothing_is_known_to_merge_with_the_patch_itself_is_handed_over(case: ConflictCase) -> None:
    other = Repo(case.repo.path.parent / "other")
    first = other.commit({"a.c": lines(100, 130)}, "start")
    from tests.support.series import make_series

    mbox = case.mbox.with_name("foreign.mbox")
    mbox.write_bytes(make_series(other, first, {"a.c": lines(100, 110) + "new\n" + lines(111, 130)}))
    result = case.run("--onto", "main", "--resolve", mbox)
    assert result.code == 3, result.err
    tree = case.worktree()
    assert git(tree, "status", "--porcelain") == ""
    [patch] = tree.parent.glob("*.patch")
    assert str(patch) in result.out
    assert b"+new\n" in patch.read_bytes()
    assert case.run("--skip").code == 0


def test_a_rebase_that_meets_no_conflict_is_done_at_once(case: ConflictCase) -> None:
    result = case.run("--onto", "clean", "--resolve", "--branch", "ready", case.mbox)
    assert result.code == 0, result.err
    assert "line ten of the series" in case.repo.git("show", "ready:a.c")
    assert case.leftovers() == []


def test_a_damaged_record_is_said_to_be_one_and_can_be_removed(case: ConflictCase) -> None:
    stopped(case)
    record = case.worktree().parent / "session.json"
    record.write_text(record.read_text()[:200])
    result = case.run("--continue")
    assert (result.code, "cannot be read" in result.err) == (4, True)
    assert case.run("--abort").code == 0
    assert case.leftovers() == []


_KILLER = """
import contextlib, os, signal, subprocess, sys
from seriestool.cli.main import main

left = int(sys.argv[1])
when = sys.argv[2]
class Counted(subprocess.Popen):
    def __init__(self, *arguments, **options):
        global left
        left -= 1
        if not left and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().__init__(*arguments, **options)
        if not left:
            with contextlib.suppress(subprocess.TimeoutExpired):  # some live for long
                self.wait(0.2)
            os.kill(os.getpid(), signal.SIGKILL)
subprocess.Popen = Counted
sys.exit(main(sys.argv[3:]))
"""


def killed(case: ConflictCase, count: int, when: str, *arguments: str) -> int:
    """The exit code of a run that is killed right before or after it starts its n-th process."""
    command = [sys.executable, "-c", _KILLER, str(count), when, "rebase", *arguments]
    scratch = case.mbox.parent / "scratch"  # what a killed run leaves there goes with the test
    scratch.mkdir(exist_ok=True)
    env = {**os.environ, "TMPDIR": str(scratch)}
    return subprocess.run(command, cwd=case.repo.path, capture_output=True, env=env).returncode


# Before every other process, after every other one: together that is every step.
@pytest.mark.parametrize(("when", "first"), [("before", 1), ("after", 2)])
def test_killed_at_any_step_of_the_beginning_nothing_is_half_made(tmp_path: Path, when: str, first: int) -> None:
    case = make_conflict_case(tmp_path)
    before = case.state()
    assert case.run("--onto", "clean", case.mbox).code == 0  # the index of the history is there
    kills = 0
    for count in range(first, 200, 2):
        code = killed(case, count, when, "--onto", "main", "--resolve", str(case.mbox))
        assert case.state() == before
        if code != -signal.SIGKILL:
            assert code == 3
            break
        kills += 1
        case.repo.git("worktree", "prune")
        # Of what a killed run leaves, a record that was written goes on, and anything less is no obstacle.
        if kills % 4 == 0:
            assert case.run("--abort").code in (0, 2)
            assert case.leftovers() == []
    assert kills > 8
    case.resolve()
    assert case.run("--continue").code == 0
    assert case.leftovers() == []


@pytest.mark.parametrize(("when", "first"), [("before", 1), ("after", 2)])
def test_killed_at_any_step_of_going_on_the_next_run_ends_it(tmp_path: Path, when: str, first: int) -> None:
    case = make_conflict_case(tmp_path)
    stopped(case, "--branch", "ready")
    case.resolve()
    kills = 0
    for count in range(first, 200, 2):
        code = killed(case, count, when, "--continue")
        names = case.repo.git("branch", "--format=%(refname:short)").split()
        if "ready" in names:
            assert "line ten, both" in case.repo.git("show", "ready:a.c")
        if code != -signal.SIGKILL:
            break
        kills += 1
    assert kills > 8
    # After the last removal there is nothing to go on with: that is what the run says then.
    assert code in (0, 2)
    assert "line ten, both" in case.repo.git("show", "ready:a.c")
    assert case.run("--abort").code in (0, 2)
    assert case.leftovers() == []
