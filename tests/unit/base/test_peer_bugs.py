# SPDX-License-Identifier: GPL-2.0-or-later
"""What other base finders get wrong, case by case; each was seen in b4 0.16.

The answer never depends on the time of day, on hash seeds, on the order of refs or on the machine's git-config.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from tests.support.repos import FIRST_DATE, File, Repo, git_applies
from tests.support.series import lines, make_series, with_stated
from tests.support.session import assert_exact, commits_in_ranges, find, run_find_base

DAY = 24 * 3600
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")


def in_process(repo: Repo, mbox: bytes, *options: str, env: Mapping[str, str] | None = None) -> str:
    """What `find-base` prints in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "seriestool", "find-base", *options, "-"],
        cwd=repo.path, input=mbox, capture_output=True, env={**os.environ, **(env or {})})  # fmt: skip
    assert answer.returncode in (0, 1), answer.stderr
    return answer.stdout.decode()


def test_base_in_another_tree_whose_commits_are_old(repo: Repo) -> None:
    """[E1] Only the newest tip and three weeks before the mail were looked at."""
    repo.commit({"a": "1\n", "b": "1\n"}, date=FIRST_DATE - 90 * DAY)
    base = repo.commit({"a": TEXT, "b": TEXT}, branch="treeB", date=FIRST_DATE - 60 * DAY)
    repo.now = FIRST_DATE
    mbox = make_series(repo, base, {"a": EDITED}, {"b": EDITED})
    repo.commit({"x": "1\n"}, date=FIRST_DATE - DAY)
    assert assert_exact(repo, mbox, base)["base"]["tree"] == "treeB"


def test_restricted_to_one_branch(repo: Repo) -> None:
    """[E2] The option that names a branch crashed."""
    repo.commit({"a": TEXT})
    mbox = make_series(repo, "HEAD", {"a": EDITED})
    repo.commit({"b": "1\n"}, branch="treeB")
    answer = find(repo, mbox, "--tree", "treeB")
    assert answer["verdict"] == "exact"
    assert answer["base"]["tree"] == "treeB"


def test_nothing_names_the_commit(make_repo: Callable[..., Repo]) -> None:
    """[E4] No tags, no branches of its own, a detached HEAD: the answer is an id."""
    origin = make_repo("origin")
    base = origin.commit({"a": TEXT})
    mbox = make_series(origin, base, {"a": EDITED})
    origin.commit({"a": "2\n"})
    repo = make_repo("bare", bare=True)
    repo.git("fetch", "--quiet", str(origin.path), "main:refs/remotes/x/main")
    answer = assert_exact(repo, mbox, base)
    assert re.fullmatch("[0-9a-f]{40}", answer["base"]["commit"])
    assert answer["base"]["describe"] is None


def test_branch_committed_again_after_the_mail(repo: Repo) -> None:
    """[E5] A rebase gives every commit a date after the posting; its trees are the same."""
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    later = repo.now + 30 * DAY
    again = repo.commit({"a": TEXT}, "again", parent=f"{base}~1", date=later)
    assert repo.git("rev-parse", "main") == again
    assert assert_exact(repo, mbox, base, again)["base"]["commit"] == base  # the reflog knows the one before
    repo.git("reflog", "expire", "--expire=now", "--all")
    other = Repo(repo.path.parent / "other")
    other.git("fetch", "--quiet", str(repo.path), "main:refs/remotes/x/main")
    assert assert_exact(other, mbox, again)["base"]["commit"] == again


def ambiguous(repo: Repo) -> bytes:
    """A series on a state that two branches have, each on top of its own history."""
    start = repo.commit({"a": "1\n"})
    one = repo.commit({"a": TEXT, "x": "1\n"}, branch="x", parent=start, date=FIRST_DATE + DAY)
    repo.commit({"a": TEXT, "y": "1\n"}, branch="y", parent=start, date=FIRST_DATE + DAY)
    repo.now = FIRST_DATE + 2 * DAY
    return make_series(repo, one, {"a": EDITED})


def test_hash_seeds_do_not_matter(repo: Repo) -> None:
    """[E6] The order of a set decided which of two branches was named."""
    mbox = ambiguous(repo)
    answers = {in_process(repo, mbox, "--json", env={"PYTHONHASHSEED": seed}) for seed in "01234"}
    assert len(answers) == 1
    assert len(json.loads(answers.pop())["candidates"]) == 2


def test_order_in_which_refs_were_made_does_not_matter(repo: Repo) -> None:
    """[E6]"""
    mbox = ambiguous(repo)
    first = find(repo, mbox)
    tips = {name: repo.git("rev-parse", name) for name in ("x", "y")}
    repo.git("pack-refs", "--all")
    for name in ("x", "y"):
        repo.git("branch", "-D", name)
    for name in ("y", "x"):
        repo.git("branch", name, tips[name])
    assert find(repo, mbox) == first


def test_all_ranges_of_all_trees_are_told(repo: Repo) -> None:
    """[E6] Any commit with equal blobs was 'the exact match'; there may be many."""
    mbox = ambiguous(repo)
    tips = {repo.git("rev-parse", name) for name in ("x", "y")}
    answer = assert_exact(repo, mbox, *tips)
    assert {candidate["tree"] for candidate in answer["candidates"]} == {"x", "y"}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles", "XXX+12", "XXX-14"])
def test_time_of_day_and_zone_do_not_matter(repo: Repo, zone: str) -> None:
    """[E7] git reads a bare date as that day at the current time."""
    base = repo.commit({"a": TEXT}, date=FIRST_DATE - 60)
    commits = [repo.commit({"x": f"{n}\n"}, date=FIRST_DATE + n * 3600) for n in range(30)]
    mbox = make_series(repo, base, {"a": EDITED})
    mbox = re.sub(rb"^Date: .*$", b"Date: Wed, 15 Nov 2023 10:00:00 +0900", mbox, count=1, flags=re.M)
    answers = {in_process(repo, mbox, "--json", env={"TZ": zone}), in_process(repo, mbox, "--json")}
    assert len(answers) == 1
    found = json.loads(answers.pop())["base"]["commit"]
    posted = 1700010000  # 01:00 UTC
    before = [oid for n, oid in enumerate(commits) if FIRST_DATE + n * 3600 <= posted]
    assert found == before[-1]


def test_new_files_only(repo: Repo) -> None:
    """[E8] 'No indexes to check against'."""
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"new/a": TEXT}, {"new/b": TEXT})
    assert_exact(repo, mbox, base)


def test_new_file_that_is_there_already(repo: Repo) -> None:
    """A commit that has the file was called an exact match, and git apply says 'already exists in index'."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED, "new": "1\n"})
    has_it = repo.commit({"new": "mine\n"})
    assert git_applies(repo, has_it, mbox) == 0
    assert_exact(repo, mbox, base)


def test_renamed_in_patch_1_and_modified_in_patch_2(repo: Repo) -> None:
    """[E9] The second patch's blob was looked for under a name that the base does not have."""
    base = repo.commit({"a": TEXT})
    middle = TEXT.replace("line 3\n", "line three\n")
    mbox = make_series(repo, base, {"a": None, "b": middle}, {"b": middle.replace("line 20\n", "line twenty\n")})
    repo.commit({"a": "2\n"})
    assert assert_exact(repo, mbox, base)["candidates"][0]["matched"] == 2  # a is there, b is not


def test_pure_renames(repo: Repo) -> None:
    """[E9b] No index line at all."""
    repo.commit({"x": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": None, "b": TEXT})
    assert_exact(repo, mbox, base)


def test_quoted_name_after_a_plain_one(repo: Repo) -> None:
    """[E10] The blob of a C-quoted name was taken for that of the file before it."""
    base = repo.commit({"a": TEXT, "src/é.c": lines(40, 60)})
    mbox = make_series(repo, base, {"a": EDITED, "src/é.c": lines(40, 61)})
    assert b'"a/src/\\303\\251.c"' in mbox
    repo.commit({"a": TEXT, "src/é.c": "2\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["series"]["files"] == ["a", "src/é.c"]


def test_mode_of_one_new_file_does_not_stick_to_the_next(repo: Repo) -> None:
    """[E10] After one file of mode 0755 every later one was 0755."""
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"bin/run": ("#!\n", 0o100755), "doc": ("text\n", 0o100644)})
    code, _, err = run_find_base(repo, mbox, "--branch", "applied")
    assert code == 0, err
    modes = dict(line.split()[3::-3] for line in repo.git("ls-tree", "-r", "applied").splitlines())
    assert modes == {"bin/run": "100755", "doc": "100644", "x": "100644"}


def test_no_prefix(repo: Repo) -> None:
    """[E10] Nothing was read from a --no-prefix diff."""
    base = repo.commit({"dir/a": TEXT})
    mbox = make_series(repo, base, {"dir/a": EDITED}, options=["--no-prefix"])
    repo.commit({"dir/a": "2\n"})
    answer = find(repo, mbox)
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)
    assert git_applies(repo, base, mbox, "-p0") == 1


def test_repository_in_which_the_caller_does_not_stand(repo: Repo) -> None:
    """[E10] The work tree of the process, not that of the repository asked about, was used."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    other = Repo(repo.path.parent / "other")
    other.commit({"a": "2\n"})
    answer = subprocess.run(
        [sys.executable, "-m", "seriestool", "--repo", str(repo.path), "find-base", "--json", "-"],
        cwd=other.path, input=mbox, capture_output=True)  # fmt: skip
    assert json.loads(answer.stdout)["base"]["commit"] == base


def test_bare_repository(make_repo: Callable[..., Repo]) -> None:
    """[E11a] No base at all was printed."""
    repo = make_repo(bare=True)
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    assert base in run_find_base(repo, mbox)[1]


def test_blobless_clone_over_full_history(repo: Repo) -> None:
    """[E11b] Without the blobs only the newest commit was looked at."""
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = repo.path.parent / "blobless"
    repo.git("clone", "--quiet", "--bare", "--filter=blob:none", repo.path.as_uri(), str(clone))
    answer = find(clone, mbox)
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)


def test_shallow_clone_without_tags(repo: Repo) -> None:
    """[E11c] 'No commits found before', or the match was thrown away because nothing describes it."""
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    clone = repo.path.parent / "shallow"
    repo.git("clone", "--quiet", "--depth=1", "--no-tags", repo.path.as_uri(), str(clone))
    answer = find(clone, mbox)
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)


def test_two_runs_at_once_do_not_disturb_each_other(repo: Repo) -> None:
    """[E12] A worktree at a fixed path was removed under the other run."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    command = [sys.executable, "-m", "seriestool", "find-base", "--json", "-"]
    runs = [subprocess.Popen(command, cwd=repo.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write(mbox)
        run.stdin.close()
    answers = {run.stdout.read() for run in runs if run.stdout is not None}
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    for run in runs:
        assert run.stdout is not None
        run.stdout.close()
    assert {json.loads(answer)["base"]["commit"] for answer in answers} == {base}


def test_hooks_are_not_run(repo: Repo) -> None:
    """[E12] The user's hooks ran."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    for name in ("post-checkout", "pre-commit", "applypatch-msg", "reference-transaction", "post-index-change"):
        hook = repo.write(f".git/hooks/{name}", f"#!/bin/sh\ntouch {repo.path}/ran-{name}\n")
        hook.chmod(0o755)
    code, _, err = run_find_base(repo, mbox, "--branch", "applied")
    assert code == 0, err
    assert not list(repo.path.glob("ran-*"))


def test_wrong_but_existing_base_commit(repo: Repo) -> None:
    """[E13] It was taken at its word, although another branch matches exactly."""
    wrong = repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT}, branch="other")
    mbox = with_stated(make_series(repo, base, {"a": EDITED}), wrong)
    answer = assert_exact(repo, mbox, base)
    assert (answer["stated"]["state"], answer["stated"]["verdict"]) == ("known", "none")


def test_three_way_in_a_subdirectory_is_no_false_conflict(repo: Repo) -> None:
    """[E14] In a sparse worktree every merge below a folder failed."""
    base = repo.commit({"fs/c.c": TEXT})
    mbox = make_series(repo, base, {"fs/c.c": EDITED})
    repo.git("update-ref", "-d", "refs/heads/main")
    tip = repo.commit({"fs/c.c": TEXT.replace("line 13\n", "line thirteen\n")})
    assert git_applies(repo, tip, mbox) == 0
    assert git_applies(repo, tip, mbox, "--3way") == 1
    assert find(repo, mbox)["verdict"] == "three-way"


def test_tag_name_as_base_commit_is_not_its_first_hex_digit(repo: Repo) -> None:
    """`base-commit: v6.9-rc1` was read as '6'."""
    base = repo.commit({"a": TEXT})
    repo.git("tag", "v6.9-rc1")
    mbox = with_stated(make_series(repo, base, {"a": EDITED}), "v6.9-rc1")
    stated = assert_exact(repo, mbox, base)["stated"]
    assert (stated["commit"], stated["state"], stated["verdict"]) == ("v6.9-rc1", "malformed", "exact")
    assert base in stated["note"]


def test_stated_blob_or_tree_is_no_commit(repo: Repo) -> None:
    """Any kind of object passed for a known base-commit."""
    base = repo.commit({"a": TEXT})
    tree = repo.git("rev-parse", "HEAD^{tree}")
    mbox = with_stated(make_series(repo, base, {"a": EDITED}), tree)
    assert assert_exact(repo, mbox, base)["stated"]["state"] == "unknown"


def test_pasted_git_show_in_a_reply_adds_nothing(repo: Repo) -> None:
    """`Commit: A <a@b>` from a reply became a trailer of every patch."""
    base = repo.commit({"a": TEXT})
    other = "1" * 40
    mbox = make_series(repo, base, {"a": EDITED}).replace(b"\nSubject:", b"\nMessage-ID: <p1@example.com>\nSubject:", 1)
    reply = (
        "From x@y Mon Sep 17 00:00:00 2001\nFrom: R <r@example.com>\nSubject: Re: [PATCH] part 1\n"
        "Message-ID: <r1@example.com>\nIn-Reply-To: <p1@example.com>\nDate: Wed, 15 Nov 2023 10:00:00 +0000\n\n"
        f"commit {other}\nAuthor: C <c@example.com>\nCommit: C <c@example.com>\n\nbase-commit: {other}\n\n"
    )
    assert assert_exact(repo, mbox + reply.encode(), base)["stated"] is None
    code, _, err = run_find_base(repo, mbox + reply.encode(), "--branch", "applied")
    assert code == 0, err
    assert "Commit:" not in repo.git("log", "-1", "--format=%B", "applied")


def test_exit_code_says_whether_there_is_a_base(repo: Repo) -> None:
    """It was 0 whether or not a base was found."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    assert run_find_base(repo, mbox)[0] == 0
    other = Repo(repo.path.parent / "other")
    other.commit({"a": "2\n"})
    code, out, _ = run_find_base(other, mbox)
    assert code == 1
    assert "a hunk 1 at line 12" in out  # and it says where


def test_prefix_of_a_blob_id_is_not_enough_for_two_files(repo: Repo) -> None:
    """Blobs are looked for at their own path: the same content elsewhere proves nothing."""
    repo.commit({"other": TEXT, "a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    assert_exact(repo, mbox, base)


def test_series_own_commits_in_the_future_are_not_the_base(repo: Repo) -> None:
    """With a late clock, the parent of the series' own merged commit was the answer."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    later = [repo.commit({"x": f"{n}\n"}, date=repo.now + DAY) for n in range(5)]
    merged = repo.commit({"a": EDITED}, "part 1", date=repo.now + DAY)
    answer = assert_exact(repo, mbox, base, *later)
    assert answer["base"]["commit"] == base
    assert merged not in commits_in_ranges(repo, answer)


CONFIGS: list[list[tuple[str, str]]] = [
    [("core.quotePath", "false"), ("core.abbrev", "4"), ("diff.renames", "copies"), ("diff.noprefix", "true")],
    [("apply.whitespace", "fix"), ("apply.ignoreWhitespace", "change"), ("core.autocrlf", "true")],
    [("log.showSignature", "true"), ("log.date", "relative"), ("color.ui", "always"), ("format.pretty", "fuller")],
    [("core.pager", "false"), ("diff.external", "false"), ("diff.ignoreSubmodules", "all"), ("log.follow", "true")],
    [("core.logAllRefUpdates", "always"), ("gc.auto", "1"), ("merge.renames", "false"), ("log.mailmap", "true")],
]


@pytest.mark.parametrize("settings", CONFIGS)
def test_git_config_of_the_machine_does_not_matter(repo: Repo, settings: list[tuple[str, str]]) -> None:
    files: dict[str, File] = {"a b": TEXT, "sub": ("1" * 40, 0o160000)}
    base = repo.commit(files)
    mbox = make_series(repo, base, {"a b": EDITED}, {"sub": ("2" * 40, 0o160000)})
    repo.commit({"a b": "top \n" + TEXT})
    plain = find(repo, mbox)
    for key, value in settings:
        repo.git("config", "--global", key, value)
    assert find(repo, mbox) == plain
    assert plain["base"]["commit"] == base
