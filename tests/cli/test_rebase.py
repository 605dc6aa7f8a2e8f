# SPDX-License-Identifier: GPL-2.0-or-later
"""What `rebase` prints and how it ends: golden texts, exit codes, the keys of --json; and that it touches nothing."""

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repos import ROOT, Repo
from tests.support.series import lines, make_series
from tests.support.session import Result, rebase_json, run_rebase

Golden = Callable[[str, str], None]
TEXT = lines(1, 30)
JANE = "Jane Doe <jane@example.com>"


def edited(number: int, text: str = TEXT, to: str = "changed") -> str:
    return text.replace(f"line {number}\n", f"line {number} {to}\n")


def matrix(repo: Repo) -> tuple[bytes, tuple[str, ...]]:
    """Four patches on five trees: as they are, moved, merged, merged already, in conflict."""
    base = repo.commit({"drivers/a.c": TEXT, "drivers/b.c": TEXT}, "drivers: start")
    changes = ({"drivers/a.c": edited(9)}, {"drivers/b.c": edited(9)}, {"new.c": "1\n"},
               {"drivers/a.c": edited(9, edited(25))})  # fmt: skip
    mbox = make_series(repo, base, *changes)
    repo.commit({"x": "1\n"}, "x: one")
    repo.commit({"drivers/a.c": "top\n" + TEXT, "drivers/b.c": edited(7)}, "all: moved", branch="next", parent=base)
    repo.commit({"drivers/a.c": edited(9)}, "part 1", branch="net", parent=base)
    repo.commit({"drivers/b.c": edited(9, to="as the maintainer wants it")}, "part 2", branch="net")
    link = "b: line 9 in words\n\nLink: https://lore.kernel.org/all/20231114.1@example.com/\n"
    repo.commit({"drivers/b.c": edited(9, to="in words")}, link, branch="tip", parent=base, author=JANE)
    repo.commit({"drivers/a.c": None}, "a: gone", branch="tip")
    repo.commit({"drivers/b.c": "top\n" + edited(9, to="in words")}, link, branch="drm", parent=base)
    return mbox, ("main", "next", "net", "tip", "drm")


def asked(trees: tuple[str, ...]) -> list[str]:
    return [word for name in trees for word in ("--onto", name)]


def test_text(repo: Repo, golden: Golden) -> None:
    mbox, trees = matrix(repo)
    code, out, err = run_rebase(repo, mbox, *asked(trees))
    assert (code, err) == (3, "")
    golden("rebase-matrix", out)


def test_text_where_all_goes_in(repo: Repo, golden: Golden) -> None:
    mbox, _ = matrix(repo)
    code, out, err = run_rebase(repo, mbox, *asked(("main", "next")))
    assert (code, err) == (0, "")
    golden("rebase-clean", out)


def test_text_where_the_base_is_not_known(repo: Repo, golden: Golden) -> None:
    author = Repo(repo.path.parent / "author")
    lost = author.commit({"a.c": TEXT, "b.c": TEXT})
    mbox = make_series(author, lost, {"a.c": edited(9)}, {"b.c": edited(9)})
    repo.commit({"a.c": "quite different\n", "b.c": edited(7, edited(15))}, "all: other")
    repo.commit({"b.c": edited(15)}, "b: back")
    code, out, _ = run_rebase(repo, mbox, "--onto", "main")
    assert code == 3
    golden("rebase-no-base", out)


def test_text_of_a_base_that_does_not_take_the_patches(repo: Repo, golden: Golden) -> None:
    mbox, _ = matrix(repo)
    code, out, _ = run_rebase(repo, mbox, "--onto", "main", "--base", "tip")
    assert code == 0
    golden("rebase-given-base", out)


def test_each_tree_once_in_the_order_asked_for(repo: Repo) -> None:
    mbox, _ = matrix(repo)
    answer = rebase_json(repo, mbox, "--onto", "net", "--onto", "main", "--onto", "net", "--all-trees")
    names = [tree["name"] for tree in answer["trees"]]
    assert names[:2] == ["net", "main"]
    assert sorted(names) == ["drm", "main", "net", "next", "tip"]


def test_the_same_question_gets_the_same_answer(repo: Repo) -> None:
    mbox, trees = matrix(repo)
    first = run_rebase(repo, mbox, "--json", *asked(trees))
    assert run_rebase(repo, mbox, "--json", *asked(trees)) == first


# JSON

PATCH = {"patch", "outcome", "how", "offsets", "merged_as", "range_diff", "resolved", "conflicts", "failure"}
CONFLICT = {"commits", "path", "kind", "message", "follows", "places"}
PLACE = {"line", "hunk", "before", "expected", "tree", "series", "after", "commits"}


def test_json_has_every_key_always(repo: Repo) -> None:
    mbox, trees = matrix(repo)
    code, out, err = run_rebase(repo, mbox, "--json", *asked(trees))
    answer = json.loads(out)
    assert (code, err, answer["schema"]) == (3, "", 1)
    assert set(answer) >= {"schema", "series", "base", "clean", "trees", "commits", "notes"}
    assert set(answer["base"]) == {"footing", "commit", "matched", "expected", "rebuilt_files"}
    assert [tree["clean"] for tree in answer["trees"]] == [True, True, True, False, False]
    for tree in answer["trees"]:
        assert set(tree) == {"name", "onto", "clean", "tree_oid", "patches", "test_merges"}
        assert bool(tree["tree_oid"]) == tree["clean"]
        assert tree["onto"] == repo.git("rev-parse", tree["name"])
        for patch in tree["patches"]:
            assert set(patch) == PATCH
            assert all(set(conflict) == CONFLICT for conflict in patch["conflicts"])
            assert all(set(place) == PLACE for conflict in patch["conflicts"] for place in conflict["places"])
    told = {commit["commit"] for commit in answer["commits"]}
    named = {patch["merged_as"] for tree in answer["trees"] for patch in tree["patches"]} - {None}
    assert named
    assert named <= told
    unknown = rebase_json(repo, mbox.replace(b"-line 9", b"-line nine").replace(b"index ", b"index f"), *asked(trees))
    assert unknown.keys() == answer.keys()


# The base that is given


@pytest.mark.parametrize(
    ("base", "footing", "code"), [("main~1", "exact", 0), ("next", "given", 0), ("tip", "given", 0)]
)
def test_a_given_base_is_checked(repo: Repo, base: str, footing: str, code: int) -> None:
    mbox, _ = matrix(repo)
    answer = rebase_json(repo, mbox, "--onto", "main", "--base", base)
    assert answer["base"]["footing"] == footing
    assert answer["base"]["commit"] == repo.git("rev-parse", base)
    assert run_rebase(repo, mbox, "--onto", "main", "--base", base)[0] == code


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "rebase onto what?"),
        (["--onto", "nowhere"], "there is no tree, ref or commit 'nowhere'"),
        (["--onto", ""], "there is no tree, ref or commit ''"),
        (["--onto", "main:drivers"], "there is no tree, ref or commit"),
        (["--onto", "1" * 40], "there is no tree, ref or commit"),
        (["--onto", "a\x1b[31m\n"], "there is no tree, ref or commit"),
        (["--onto=--help"], "there is no tree, ref or commit '--help'"),
        (["--onto", "main", "--base", "nowhere"], "there is no tree, ref or commit 'nowhere'"),
    ],
)
def test_what_is_asked_wrongly_is_said(repo: Repo, options: list[str], words: str) -> None:
    mbox, _ = matrix(repo)
    code, out, err = run_rebase(repo, mbox, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert "\x1b" not in err
    assert "\nhint: " in err


# Hostile series and trees


def mail(diff: str, subject: str = "x: y") -> bytes:
    return (
        "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.com>\n"
        f"Date: Tue, 14 Nov 2023 22:40:00 +0000\nSubject: [PATCH] {subject}\n\nText.\n---\n{diff}-- \n2.39.5\n\n"
    ).encode()


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "dir/../../outside", ".git/config", "a/.GIT/hooks/x"])
def test_a_path_that_leads_out_is_refused(repo: Repo, path: str) -> None:
    repo.commit({"a": "1\n"})
    diff = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+1\n"
    before = checksum(repo.path)
    code, out, err = run_rebase(repo, mail(diff), "--onto", "main", "--base", "main")
    assert (code, out) == (2, ""), out
    assert "Traceback" not in err
    assert checksum(repo.path) == before


def test_a_file_below_a_link_is_a_conflict(repo: Repo) -> None:
    outside = repo.path.parent / "outside"
    outside.mkdir()
    repo.commit({"link": (str(outside), 0o120000)})
    diff = "diff --git a/link/x b/link/x\nnew file mode 100644\n--- /dev/null\n+++ b/link/x\n@@ -0,0 +1 @@\n+1\n"
    for options in ([], ["--base", "main"]):
        code, out, _ = run_rebase(repo, mail(diff), "--onto", "main", *options)
        assert code == 3, out
    assert list(outside.iterdir()) == []


def test_control_characters_do_not_reach_the_terminal(repo: Repo) -> None:
    evil = "\x1b]0;owned\x07 \x1b[2J \u202e"
    path = "a\x1b[31m\n"
    base = repo.commit({path: TEXT, "z": TEXT}, f"start {evil}")
    tip = repo.commit({path: edited(9, to=evil), "z": edited(9)}, f"part {evil}", branch="s", parent=base)
    mbox = repo.format_patch(f"{base}..{tip}")
    repo.commit({path: edited(9, to=f"{evil} too"), "z": None}, f"all {evil}\n\nLink: https://lore.kernel.org/x{evil}\n",
                author=f"B{evil} <b@example.com>")  # fmt: skip
    repo.commit({}, branch="ev\u202eil", parent="main")
    repo.commit({path: edited(9, to=f"{evil} too")}, f"part {evil}", branch="same", parent=base)
    for options in ([], ["--json"]):
        code, out, err = run_rebase(repo, mbox, *options, *asked(("main", "ev\u202eil", "same")))
        assert code == 3
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out + err)
    code, out, _ = run_rebase(repo, mbox, *asked(("main",)))
    assert "\\x1b[31m" in out


def test_very_long_lines(repo: Repo) -> None:
    long = "x" * 300_000
    base = repo.commit({"a": f"1\n{long}\n2\n"})
    mbox = make_series(repo, base, {"a": f"1\n{long}y\n2\n"})
    repo.commit({"a": f"1\n{long}z\n2\n"})
    code, out, _ = run_rebase(repo, mbox, "--onto", "main")
    assert code == 3
    assert "x" in out


def test_a_blobless_clone_says_what_is_missing(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit({"a": edited(7)})
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", repo.path.as_uri(), str(clone))
    from tests.support.session import run_command

    code, out, err = run_command(clone, mbox, "rebase", "--onto", "main", "-")  # type: ignore[arg-type]
    assert (code, out) == (4, "")
    assert "is not in this repository: a partial clone fetches it with 'git fetch --refetch --no-filter'" in err
    assert len(err.splitlines()) <= 2


def test_the_program_itself(repo: Repo, cli: Callable[..., Result], tmp_path: Path) -> None:
    mbox, _ = matrix(repo)
    (tmp_path / "x.mbox").write_bytes(mbox)
    result = cli("rebase", "--onto", "tip", tmp_path / "x.mbox", cwd=repo.path)
    assert (result.code, result.err) == (3, "")
    assert "patch 2 conflicts on tip: part 2" in result.out


# Nothing is touched


def checksum(path: Path) -> dict[str, str]:
    """Every file of a repository and its work tree with its content and mode; what is ours in it is left out."""
    found = {}
    for file in sorted(path.rglob("*")):
        name = str(file.relative_to(path))
        if ".git/seriestool" in name:
            continue
        content = os.fsencode(file.readlink()) if file.is_symlink() else b"" if file.is_dir() else file.read_bytes()
        found[name] = f"{file.lstat().st_mode:o} {hashlib.sha256(content).hexdigest()}"
    return found


def lived_in(repo: Repo) -> None:
    """A repository that somebody works in: hooks, staged and unstaged changes, a merge driver, stashes of config."""
    for hook in ("pre-commit", "post-checkout", "post-merge", "reference-transaction", "post-index-change"):
        file = repo.write(f".git/hooks/{hook}", f"#!/bin/sh\necho {hook} >> {repo.path}/hooked\nexit 1\n")
        file.chmod(0o755)
    repo.git("config", "rerere.enabled", "true")
    repo.git("config", "merge.conflictStyle", "merge")
    repo.write("drivers/a.c", "not committed\n")
    repo.write("staged", "staged\n")
    repo.write("untracked", "untracked\n")
    repo.git("-c", "core.hooksPath=/dev/null", "add", "staged")


def test_a_rebase_changes_nothing(repo: Repo) -> None:
    mbox, trees = matrix(repo)
    lived_in(repo)
    before = checksum(repo.path)
    assert any("/objects/" in name for name in before)
    assert run_rebase(repo, mbox, *asked(trees))[0] == 3
    assert run_rebase(repo, mbox, "--json", "--all-trees", "--base", "main~1")[0] == 3
    assert checksum(repo.path) == before
    assert "hooked" not in before


def test_an_end_at_any_moment_changes_nothing_and_the_next_run_works(repo: Repo, tmp_path: Path) -> None:
    mbox, trees = matrix(repo)
    lived_in(repo)
    (tmp_path / "x.mbox").write_bytes(mbox)
    wanted = run_rebase(repo, mbox, "--json", *asked(trees))
    before = checksum(repo.path)
    dice = random.Random(1)  # noqa: S311
    command = [sys.executable, "-m", "seriestool", "--repo", str(repo.path), "rebase", "--json", *asked(trees)]
    ended = []
    for number in range(6):
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        process = subprocess.Popen(
            [*command, str(tmp_path / "x.mbox")], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, env={**os.environ, "TMPDIR": str(scratch)})  # fmt: skip
        time.sleep(dice.uniform(0.1, 0.45))
        kind = signal.SIGINT if number % 2 else signal.SIGKILL
        os.killpg(process.pid, kind)
        err = process.communicate(timeout=60)[1]
        ended.append(process.returncode)
        if kind == signal.SIGINT:
            assert process.returncode in (130, 3, -signal.SIGINT), err
            assert b"Traceback" not in err or process.returncode != 130  # Python's own, while it starts or imports
            assert list(scratch.glob("seriestool-*")) == []
        assert checksum(repo.path) == before
    assert -signal.SIGKILL in ended
    assert run_rebase(repo, mbox, "--json", *asked(trees)) == wanted


def test_no_thread_imports_anything(repo: Repo, tmp_path: Path) -> None:
    """Python may lose a ^C that comes while it imports, and the lock with it: other threads would wait forever."""
    mbox, trees = matrix(repo)
    repo.git("config", "rerere.enabled", "true")
    (tmp_path / "x.mbox").write_bytes(mbox)
    (tmp_path / "watched.py").write_text(
        "import sys, threading\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if threading.current_thread() is not threading.main_thread():\n"
        "            print('imported in a thread:', name, file=sys.stderr)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from seriestool.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, str(tmp_path / "watched.py"), "--repo", str(repo.path), "rebase", *asked(trees)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run([*command, str(tmp_path / "x.mbox")], capture_output=True, env=env)
    assert (answer.returncode, answer.stderr.decode()) == (3, "")
