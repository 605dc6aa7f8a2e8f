# SPDX-License-Identifier: GPL-2.0-or-later
"""b4 in its child process: branches of `b4 prep`, made as b4 makes them, and what the process may not do."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seriestool.git import Repository
from seriestool.series.model import Series
from seriestool.sources import b4
from seriestool.sources.b4 import B4Error, attest, read_prep_branch
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.util.errors import InputError, NotFoundError
from tests.support.repos import Repo

CHANGE_ID = "20231114-count-0123456789ab"
MARKER = "--- b4-submit-tracking ---"


@pytest.fixture
def prep(repo: Repo) -> Repo:
    """`b4/count`: a cover commit with tracking data, as b4 0.16 makes one, and two patches on main."""
    repo.now = int(time.time()) - 3600  # b4 looks for cover letters of the last year
    repo.commit({"a": "1\n"}, "start")
    start_prep(repo)
    repo.commit({"a": "1\n2\n"}, "a: count to two\n\nSo.", branch="b4/count")
    repo.commit({"a": "1\n2\n3\n"}, "a: count to three", branch="b4/count")
    return repo


def start_prep(repo: Repo, revision: int = 2) -> None:
    tracking = {"series": {"revision": revision, "change-id": CHANGE_ID, "prefixes": ["RFC"]}}
    cover = "count: further than before\n\nOne is not enough.\n\nTo: list@example.com\n\n"
    magic = "# This section is used internally by b4 prep for tracking purposes.\n"
    repo.commit({}, f"{cover}{MARKER}\n{magic}{json.dumps(tracking, indent=2)}\n", branch="b4/count", parent="main")


def named(repo: Repo, name: str) -> Series:
    with Repository.open(repo.path) as repository:
        return resolve(name, SourceOptions(repository=lambda: repository))


@pytest.mark.parametrize("name", ["b4/count", "refs/heads/b4/count"])
def test_a_prep_branch_is_a_series(prep: Repo, name: str) -> None:
    series = named(prep, name)
    assert series.cover is not None
    assert series.cover.subject == "count: further than before"
    assert "One is not enough." in series.cover.body
    assert (series.version, series.change_id) == (2, CHANGE_ID)
    assert [patch.subject for patch in series.patches] == ["a: count to two", "a: count to three"]
    assert series.base.commit == prep.git("rev-parse", "main")


def test_it_is_the_same_each_time_and_nothing_is_changed(prep: Repo) -> None:
    before = prep.git("for-each-ref"), prep.git("status", "--porcelain"), prep.git("symbolic-ref", "HEAD")
    assert named(prep, "b4/count") == named(prep, "b4/count")
    assert before == (prep.git("for-each-ref"), prep.git("status", "--porcelain"), prep.git("symbolic-ref", "HEAD"))


def test_head_may_be_anywhere(prep: Repo, tmp_path: Path) -> None:
    expected = named(prep, "b4/count")
    prep.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "main")
    prep.git("clone", "--quiet", "--mirror", str(prep.path), str(tmp_path / "bare"))
    for path in (tmp_path / "linked", tmp_path / "bare"):
        with Repository.open(path) as repository:
            assert resolve("b4/count", SourceOptions(repository=lambda: repository)) == expected


def test_a_branch_that_b4_does_not_manage(prep: Repo) -> None:
    prep.git("branch", "topic", "main")
    with pytest.raises(InputError, match="b4 does not manage it"):
        named(prep, "topic")
    with pytest.raises(NotFoundError, match="'nothing' is not there"):
        named(prep, "nothing")


def test_a_branch_without_patches_is_told_in_b4s_words(repo: Repo) -> None:
    repo.now = int(time.time()) - 3600
    repo.commit({"a": "1\n"}, "start")
    start_prep(repo)
    with pytest.raises(B4Error, match=r"b4: .*rev-list"):
        named(repo, "b4/count")


def test_tracking_data_that_is_broken(repo: Repo) -> None:
    repo.now = int(time.time()) - 3600
    repo.commit({"a": "1\n"}, "start")
    repo.commit({}, f"cover\n\n{MARKER}\nno json\n", branch="b4/count")
    with pytest.raises(B4Error, match=r"^b4: "):
        named(repo, "b4/count")


def test_prerequisites_are_stated_and_not_looked_up(prep: Repo) -> None:
    """b4 asks lore what a change-id means, unless it is told not to."""
    stated = ["change-id: 20230101-x-0123456789ab:v1"]
    tracking = {"series": {"revision": 1, "change-id": CHANGE_ID, "prerequisites": stated}}
    prep.commit({}, f"cover\n\nText.\n\n{MARKER}\n{json.dumps(tracking)}\n", branch="b4/more", parent="main")
    prep.commit({"b": "1\n"}, "b: add", branch="b4/more")
    series = named(prep, "b4/more")
    assert [one.value for one in series.base.prerequisites] == ["20230101-x-0123456789ab:v1"]


def fake_python(folder: Path, script: str) -> str:
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("script", "message"),
    [("echo 'no module named b4' >&2; exit 1", "b4 ended early: no module named b4"), ("exit 3", "exit code 3")],
)
def test_a_child_that_breaks(
    prep: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    monkeypatch.setattr(sys, "executable", fake_python(tmp_path, script))
    with Repository.open(prep.path) as repository, pytest.raises(B4Error, match=message):
        read_prep_branch(repository, "refs/heads/b4/count")


def test_a_child_that_takes_too_long(prep: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", fake_python(tmp_path, "sleep 60"))
    monkeypatch.setattr(b4, "_TIMEOUT", 0.2)
    with Repository.open(prep.path) as repository, pytest.raises(B4Error, match=r"longer than 0\.2 seconds"):
        read_prep_branch(repository, "refs/heads/b4/count")


def test_the_environment_is_clean_and_home_is_left_alone(
    prep: Repo, sealed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (prep.path / ".b4-config").write_text("[b4]\n\tprep-cover-template = /nowhere\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b4.py").write_text("raise SystemExit('not this one')\n")
    before = sorted(sealed.iterdir())
    assert named(prep, "b4/count").version == 2
    with Repository.open(prep.path) as repository:
        assert len(attest([b"From: a@example.com\n\nx\n"], repository, {}, offline=True).mails) == 1
    assert sorted(sealed.iterdir()) == before


def test_b4_is_never_imported_here() -> None:
    code = "import sys, seriestool.sources.b4, seriestool.check.rules.attestation; print('b4' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
