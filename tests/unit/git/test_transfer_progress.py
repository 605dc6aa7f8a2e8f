# SPDX-License-Identifier: GPL-2.0-or-later
"""What git says of a fetch, read with GitPython."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import GitError, Repository
from seriestool.git.transfer_progress import TransferReader
from seriestool.util.progress import TransferState
from tests.support.repos import Repo

ALL = ["+refs/heads/*:refs/heads/*"]


@pytest.fixture
def upstream(make_repo: Callable[..., Repo]) -> Repo:
    """A repository with more objects than git unpacks one by one."""
    repo = make_repo("upstream")
    repo.commit({f"f{n}": f"{n}\n" for n in range(150)}, "many")
    return repo


def read(*pieces: bytes) -> tuple[list[TransferState], bytes]:
    states: list[TransferState] = []
    reader = TransferReader(states.append)
    for piece in pieces:
        reader.feed(piece)
    return states, reader.close()


def test_a_fetch_has_totals_and_units(upstream: Repo, tmp_path: Path) -> None:
    states: list[TransferState] = []
    with Repository.create(tmp_path / "here") as here:
        here.fetch(upstream.path.as_uri(), ALL, 60, states.append)
        assert here.resolve("refs/heads/main") == upstream.git("rev-parse", "main")
    last = [state for state in states if state.stage == "receiving"][-1]
    assert (last.done, last.total, last.unit) == (152, 152, "objects")
    assert not (tmp_path / "here/FETCH_HEAD").exists()


def test_a_fetch_that_fails_says_why_as_without_a_listener(tmp_path: Path) -> None:
    url = (tmp_path / "nowhere").as_uri()
    with Repository.create(tmp_path / "here") as here:
        with pytest.raises(GitError) as silent:
            here.fetch(url, ALL, 60)
        with pytest.raises(GitError) as told:
            here.fetch(url, ALL, 60, lambda _: None)
    assert told.value.message == silent.value.message
    assert "does not appear to be a git repository" in told.value.message


def test_a_fetch_that_takes_too_long_is_given_up(upstream: Repo, tmp_path: Path) -> None:
    with Repository.create(tmp_path / "here") as here, pytest.raises(GitError, match=r"longer than 0\.001 seconds"):
        here.fetch(upstream.path.as_uri(), ALL, 0.001, lambda _: None)


def test_lines_that_are_cut_anywhere() -> None:
    states, said = read(
        b"remote: Counting obj", b"ects:  50% (1/2)\rremote: Counting objects: 100% (2/2), done.\nfat", b"al: x"
    )
    assert states == [TransferState("counting", 1, 2), TransferState("counting", 2, 2)]
    assert said == b"fatal: x"


def test_volume_and_stages_without_a_total() -> None:
    states, _ = read(b"Receiving objects:  24% (3/12), 1.20 MiB | 3.00 MiB/s\rremote: Counting objects: 7, done.\n")
    assert states == [TransferState("receiving", 3, 12, "1.20 MiB | 3.00 MiB/s"), TransferState("counting", 7, None)]


def test_updated_refs_are_no_errors_and_refused_ones_are() -> None:
    _, said = read(
        b"From ../upstream\n * [new branch]  not found -> a\n   1..2  b -> b\n + 1...2 c -> c  (forced update)\n"
        b" ! [rejected] d -> d  (non-fast-forward)\nremote: hello\nerror: some local refs could not be updated\n"
    )
    assert said.splitlines() == [
        b" ! [rejected] d -> d  (non-fast-forward)", b"remote: hello", b"error: some local refs could not be updated"
    ]  # fmt: skip


def test_a_server_that_never_stops_talking_fills_no_memory() -> None:
    _, said = read(b"remote: \xff" + b"x" * 10_000_000, *[b"\nremote: " + b"y" * 4000] * 1000)
    assert len(said) < 1 << 17


def test_gitpython_is_imported_for_a_listener_only(upstream: Repo, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from seriestool.git import Repository\n"
        f"here = Repository.create(Path({str(tmp_path / 'here')!r}))\n"
        f"here.fetch({upstream.path.as_uri()!r}, {ALL!r}, 60)\n"
        "print('git' in sys.modules)\n"
        f"here.fetch({upstream.path.as_uri()!r}, {ALL!r}, 60, lambda _: None)\n"
        "print('git' in sys.modules)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "True"]
