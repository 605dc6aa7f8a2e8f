# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of find-base share: series made from repositories, the program's answer, and git as the judge."""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.helpers import File, Repo

Answer = dict[str, Any]
"""The object that `find-base --json` prints."""

_WORK = "seriestool-test-series"


def lines(*numbers: int) -> str:
    """A file of numbered lines: `lines(1, 9)` has nine, `lines(1, 3, 7, 9)` leaves some out."""
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return "".join(f"line {n}\n" for first, last in pairs for n in range(first, last + 1))


def make_series(
    repo: Repo, base: str, *changes: Mapping[str, File] | Mapping[bytes, File], options: Iterable[str] = ()
) -> bytes:
    """The mbox of a series made on `base`, one patch for each of `changes`; nothing refers to its commits any more."""
    tip = base
    for number, files in enumerate(changes, 1):
        tip = repo.commit(files, f"part {number}", branch=_WORK, parent=tip)
    mbox = repo.format_patch(f"{base}..{tip}", *options)
    repo.git("update-ref", "-d", f"refs/heads/{_WORK}")
    return mbox


def with_stated(mbox: bytes, value: str) -> bytes:
    """The same mails with a base-commit trailer where git puts it: below the first diff."""
    return mbox.replace(b"\n-- \n", b"\nbase-commit: " + value.encode() + b"\n-- \n", 1)


def find(repo: Repo | Path, mbox: bytes, *options: str) -> Answer:
    """The answer of `find-base --json` on the series in an mbox, in this process."""
    code, out, err = run_find_base(repo, mbox, "--json", *options)
    assert code in (0, 1), err
    answer: Answer = json.loads(out)
    assert code == (0 if answer["verdict"] in ("exact", "applies", "three-way") else 1)
    return answer


def run_find_base(repo: Repo | Path, mbox: bytes, *options: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of `find-base` in this process."""
    return run_command(repo, mbox, "find-base", *options, "-")


def run_command(repo: Repo | Path, mbox: bytes, *arguments: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command on a repository in this process."""
    from seriestool.cli.main import main

    folder = repo.path if isinstance(repo, Repo) else repo
    old = sys.stdin, sys.stdout, sys.stderr
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(mbox), "utf-8"), out, err
        code = main(["--repo", str(folder), *arguments])
    finally:
        sys.stdin, sys.stdout, sys.stderr = old
    return code, _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined,no-any-return]


def commits_in_ranges(repo: Repo, answer: Answer) -> set[str]:
    """Every commit in any range of any candidate; each range has as many commits as it says."""
    found: set[str] = set()
    for candidate in answer["candidates"]:
        for one in candidate["ranges"]:
            found.update(expanded(repo, one))
    return found


def expanded(repo: Repo, one: Mapping[str, Any]) -> list[str]:
    """The commits of one range, newest first."""
    line = repo.git("rev-list", "--first-parent", one["newest"]).split()
    run = line[: line.index(one["oldest"]) + 1]
    assert len(run) == one["commits"]
    return run


def git_applies(repo: Repo, commit: str, mbox: bytes, *options: str) -> int:
    """How many patches of the mbox, from the first on, `git apply --cached` takes on the commit.

    Git itself splits and decodes the mails (mailsplit, mailinfo), and works on an index of the test's own.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {"GIT_INDEX_FILE": str(folder / "index")}
        repo.git("read-tree", commit, env=env)
        for number, patch in enumerate(patches_of(repo, mbox, folder)):
            if not git_takes(repo, patch, env, *options):
                return number
        return number + 1


def patches_of(repo: Repo, mbox: bytes, folder: Path) -> list[Path]:
    """The diffs of the mails in order, each in a file of its own; replies and cover letters have none."""
    (folder / "mails").mkdir()
    repo.git("mailsplit", "--keep-cr", f"-o{folder}/mails", input=mbox)
    found = []
    for mail in sorted((folder / "mails").iterdir()):
        patch = folder / f"{mail.name}.patch"
        raw = mail.read_bytes()
        repo.git("mailinfo", str(folder / "message"), str(patch), input=raw)
        if not re.search(rb"^Subject: (Re:|\[[^]]*\b0+/\d)", raw, re.MULTILINE):
            found.append(patch)
    return found


def git_takes(repo: Repo, patch: Path, env: Mapping[str, str], *options: str) -> bool:
    """Whether `git apply --cached` takes the diff; an empty one changes nothing."""
    if b"\n+++ " not in patch.read_bytes() and b"diff --git" not in patch.read_bytes():
        return True
    answer = subprocess.run(
        ["git", "apply", "--cached", *options, str(patch)],
        cwd=repo.path, env={**os.environ, **env}, capture_output=True)  # fmt: skip
    return answer.returncode == 0


def assert_exact(repo: Repo, mbox: bytes, *commits: str, judge: bytes | None = None) -> Answer:
    """The answer says exact of just these commits; its base is one of them, and git takes the series on each.

    `judge` is what git gets where it cannot decode the mails itself.
    """
    answer = find(repo, mbox)
    assert answer["verdict"] == "exact", answer
    assert answer["base"]["commit"] in commits
    assert commits_in_ranges(repo, answer) == set(commits)
    assert answer["unmatched"] == []
    best = answer["candidates"][0]
    assert {outcome["outcome"] for outcome in best["outcomes"]} <= {"UNMODIFIED", "EMPTY"}
    assert len(best["outcomes"]) == answer["series"]["patches"]
    for commit in commits:
        assert git_applies(repo, commit, judge or mbox) == answer["series"]["patches"]
    return answer


def assert_applies(repo: Repo, mbox: bytes, *commits: str) -> Answer:
    """The answer says applies of just these commits, and so does git of these and of no other."""
    answer = find(repo, mbox)
    assert answer["verdict"] == "applies", answer
    assert commits_in_ranges(repo, answer) == set(commits)
    everywhere = repo.git("rev-list", "--all").split()
    count = answer["series"]["patches"]
    assert {commit for commit in everywhere if git_applies(repo, commit, mbox) == count} == set(commits)
    return answer


def assert_partial(repo: Repo, mbox: bytes, applied: int) -> Answer:
    """The answer gets this far at best, and every commit that was tried gets as far as git gets."""
    answer = find(repo, mbox)
    assert answer["verdict"] == ("partial" if applied else "none"), answer
    assert leading(answer["candidates"][0]) == applied
    for candidate in answer["candidates"]:
        assert leading(candidate) == git_applies(repo, candidate["commit"], mbox)
    return answer


def leading(candidate: Mapping[str, Any]) -> int:
    """How many patches go in, from the first on."""
    fine = [outcome["outcome"] in ("UNMODIFIED", "MODIFIED", "EMPTY") for outcome in candidate["outcomes"]]
    return fine.index(False) if False in fine else len(fine)


def misplaced(stderr: str) -> tuple[str, int]:
    """(path, line) of the first hunk that `git apply` could not place."""
    found = re.search(r"^error: patch failed: (.*):(\d+)$", stderr, flags=re.MULTILINE)
    assert found, stderr
    return found[1], int(found[2])
