# SPDX-License-Identifier: GPL-2.0-or-later
"""The helpers' own promises: a test built on a wrong repository proves nothing."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repos import FIRST_DATE, Repo


def test_commits_follow_each_other_a_minute_apart(repo: Repo) -> None:
    first = repo.commit({"a": "1\n"})
    second = repo.commit({"b": "2\n"})
    assert repo.git("log", "--format=%H %P %ct").splitlines() == [
        f"{second} {first} {FIRST_DATE + 120}",
        f"{first}  {FIRST_DATE + 60}",
    ]
    assert (repo.path / "b").read_text() == "2\n"
    assert repo.git("status", "--porcelain") == ""


def test_modes_deletion_links_and_odd_names(repo: Repo) -> None:
    base = repo.commit({"run": ("x", 0o100755), "link": ("run", 0o120000), b'\xff "\n\\': "odd", "gone": "g"})
    repo.commit({"gone": None, "sub": (base, 0o160000)})
    raw = repo.git_bytes("ls-tree", "-z", "HEAD").split(b"\0")[:-1]
    entries = {line.partition(b"\t")[2]: line.split()[0] for line in raw}
    assert entries == {b"run": b"100755", b"link": b"120000", b'\xff "\n\\': b"100644", b"sub": b"160000"}


def test_branches_merges_and_roots(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    side = repo.commit({"b": "1"}, branch="side")
    assert repo.git("rev-parse", "side^", "main").split() == [base, base]
    main = repo.commit({"c": "1"})
    merge = repo.commit({"b": "1"}, parent=("main", "side"))
    assert repo.git("rev-parse", f"{merge}^1", f"{merge}^2").split() == [main, side]
    root = repo.commit({"z": "1"}, branch="other", parent=())
    assert repo.git("rev-list", "--parents", "-1", root) == root
    assert repo.git("ls-tree", "--name-only", root) == "z"
    assert repo.git("rev-parse", "other") == root
    again = repo.commit({"y": "1"}, branch="other", parent=())
    assert repo.git("rev-list", "--parents", "other") == again


def test_bare_sha256_and_format_patch(make_repo: Callable[..., Repo]) -> None:
    repo = make_repo("bare", object_format="sha256", bare=True)
    base = repo.commit({"a": "1\n"})
    assert len(base) == 64
    repo.commit({"a": "2\n"}, "two\n\nbody", date=1_600_000_000)
    mbox = repo.format_patch(f"{base}..main", "--full-index")
    assert b"Subject: [PATCH] two" in mbox
    assert b"Date: Sun, 13 Sep 2020" in mbox


def test_the_environment_is_sealed(sealed: Path, repo: Repo) -> None:
    assert os.environ["HOME"] == str(sealed)
    assert repo.git("config", "--list", "--show-origin", "--global").count(str(sealed / ".gitconfig")) == 4
    assert (
        repo.git("config", "--list", "--system", env={"GIT_CONFIG_NOSYSTEM": "0", "GIT_CONFIG_SYSTEM": "/dev/null"})
        == ""
    )


def test_the_network_is_out_of_reach() -> None:
    with pytest.raises(pytest.fail.Exception), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(socket.gaierror):
        socket.create_connection(("lore.kernel.org", 443))


def test_loopback_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
