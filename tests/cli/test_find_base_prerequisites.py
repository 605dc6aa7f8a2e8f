# SPDX-License-Identifier: GPL-2.0-or-later
"""What `find-base` prints of a base that it rebuilt from the patches on a list."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.repos import Repo
from tests.support.series import mailed, numbered
from tests.support.session import find, run_find_base, run_program

BEAM = "https://lore.kernel.org/r/beam-0@example.org"
LETTER = f"lamp: dim it\n\nIt depends on {BEAM} for the beam.\n\nBased-on: <none@example.org>\n"


def named(mbox: bytes, name: str) -> bytes:
    """The same mails with message-ids that are the same in every run."""
    ids = re.findall(rb"^Message-Id: <(.*)>$", mbox, flags=re.I | re.M)
    for number, msgid in enumerate(ids, 1):
        mbox = mbox.replace(msgid, f"{name}-{number}@example.org".encode())
    return mbox


@pytest.fixture
def series(repo: Repo, tmp_path: Path) -> bytes:
    """A series on two patches of a list, less one that main has, and on an edit that nobody mailed."""
    start = repo.commit({path: numbered() for path in ("beam.c", "glow.c", "odd.c", "top.c")}, "lamp: start")
    repo.git("tag", "-m", "x", "v1.0")
    beam = {"beam.c": numbered({10: "beam"})}
    wider = {"beam.c": numbered({10: "beam", 30: "wide"})}
    unmerged = named(mailed(repo, start, beam, wider, options=["--subject-prefix=PATCH v2"]), "beam")
    glow = numbered({20: "glow"})
    merged = named(mailed(repo, start, {"glow.c": glow}), "glow")
    repo.commit({"glow.c": glow}, "glow: more", parent=start)
    repo.commit({"glow.c": numbered({20: "glow", 60: "later"})}, "glow: and later")
    list_of(repo, tmp_path / "list.mbox", unmerged + merged)
    author = Repo(tmp_path / "author")
    files = {**wider, "glow.c": numbered({60: "later"}), "odd.c": numbered({40: "by hand"}), "top.c": numbered()}
    base = author.commit(files)
    dimmed = {
        "beam.c": numbered({10: "beam", 30: "wide", 31: "dim"}), "glow.c": numbered({21: "dim", 60: "later"}),
        "odd.c": numbered({40: "by hand", 60: "dim"}), "top.c": numbered({5: "dim"}), "new.c": "dim\n",
    }  # fmt: skip
    mbox = named(mailed(author, base, dimmed), "dim")
    return mbox.replace(b"part 1\n\n", LETTER.encode().partition(b"\n")[0] + b"\n\n", 1).replace(
        b"\n---\n", b"\n---\n" + LETTER.encode().partition(b"\n\n")[2] + b"\n", 1
    )


def list_of(repo: Repo, file: Path, mbox: bytes) -> None:
    file.write_bytes(mbox)
    assert run_program("lists", "add", "lamps", file, cwd=repo.path).code == 0
    assert run_program("lists", "update", cwd=repo.path).code == 0


def test_text(repo: Repo, series: bytes, golden: Callable[[str, str], None]) -> None:
    code, out, err = run_find_base(repo, series)
    assert code == 1
    assert all(len(line.rstrip()) == len(line) for line in out.splitlines())
    golden("find-base-rebuilt", out + err)


NEED = {"msgid", "subject", "series", "version", "counter", "state", "source", "stated_as", "taken_off", "merged_as",
        "proven"}  # fmt: skip
REBUILT = {"commit", "tree", "matched", "expected", "verdict", "blobs", "outcomes"}
BLOB = {"path", "blob", "proven", "kind", "commit", "patches", "others", "changes"}


def test_json(repo: Repo, series: bytes) -> None:
    answer = find(repo, series)
    rebuilt: dict[str, Any] = answer["rebuilt"]
    assert all(set(need) == NEED for need in answer["prerequisites"])
    assert set(rebuilt) == REBUILT
    assert all(set(blob) == BLOB for blob in rebuilt["blobs"])
    assert {blob["path"]: blob["kind"] for blob in rebuilt["blobs"]} == {
        "beam.c": "patches", "glow.c": "patches", "odd.c": "nearest", "top.c": "base",
    }  # fmt: skip
    states = [(need["msgid"], need["state"], need["taken_off"]) for need in answer["prerequisites"]]
    assert states == [
        (None, "missing", False),
        ("beam-1@example.org", "unmerged", False),
        ("beam-2@example.org", "unmerged", False),
        ("glow-1@example.org", "merged", True),
    ]
    assert answer["dependence_hints"] == [BEAM]


def test_the_keys_are_there_where_nobody_was_asked(repo: Repo, series: bytes) -> None:
    answer = find(repo, series, "--no-prerequisites")
    assert (answer["prerequisites"], answer["rebuilt"], answer["dependence_hints"]) == ([], None, [])


def test_a_branch_on_it(repo: Repo, series: bytes) -> None:
    """A commit with what mails do not explain, one for each patch, and the series."""
    code, _, err = run_find_base(repo, series, "--branch", "dimmed")
    assert code == 1
    assert "on a base that was rebuilt: 3 of 4 blobs are proven" in err
    subjects = repo.git("log", "--reverse", "--format=%s", "main..dimmed").splitlines()
    assert subjects == ["Rebuilt base of 'lamp: dim it'", "part 1", "part 2", "lamp: dim it"]
    changed = repo.git("diff", "--name-only", "main", "dimmed~3").split()
    assert changed == ["glow.c"]
    assert "odd.c" in repo.git("log", "-1", "--format=%B", "dimmed~3")


def test_no_branch_where_the_series_does_not_apply_on_it(repo: Repo, series: bytes) -> None:
    mbox = series.replace(b" line 61\n", b" quite another\n")
    code, _, err = run_find_base(repo, mbox, "--branch", "dimmed")
    assert code == 1
    assert repo.git("for-each-ref", "refs/heads/dimmed") == ""
    assert "no branch" in err
