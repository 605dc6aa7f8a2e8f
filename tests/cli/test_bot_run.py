# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot from a list's archive to the draft in a maildir and the page, as a user runs it."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seriestool.bot.store import Store
from seriestool.series.mail import split_mbox
from tests.support.kernels import LampKernel, make_lamp_kernel, make_mistakes
from tests.support.mails import fill
from tests.support.repos import Repo
from tests.support.session import Result

pytest.importorskip("dbos")

Make = Callable[..., Repo]
Cli = Callable[..., Result]
POSTED = 1_700_000_000
"""Before the mails' own dates: a list has a mail when it has it."""


@pytest.fixture
def kernel(repo: Repo, make_repo: Make, tmp_path: Path) -> LampKernel:
    """A repository whose git-config has a list with one series, in which there are mistakes, and one damaged patch."""
    kernel = make_lamp_kernel(repo)
    mails = list(split_mbox(make_mistakes(kernel).read_bytes(), "mbox"))
    damaged = (
        mails[-1].replace(b"[PATCH 3/3]", b"[PATCH]").replace(b"\n+=====\n", b"\n").replace(b"Message-I", b"X-Was-I")
    )
    damaged = b"Message-ID: <damaged@example.com>\n" + damaged.replace(b"\nReferences:", b"\nX-Ref:").replace(
        b"\nIn-Reply-To:", b"\nX-Irt:"
    )
    archive = fill(make_repo("lamps.git", bare=True), [*mails, damaged], date=POSTED)
    for key, value in {
        "seriestool.list.lamps.path": str(archive),
        "seriestool.bot.policy": "draft",
        "seriestool.bot.from": "Lamp Bot <bot@example.org>",
        "seriestool.bot.maildir": str(tmp_path / "drafts"),
        "seriestool.bot.skip": "kunit-build,bisect,checkpatch",
        "seriestool.bot.database": f"sqlite:///{tmp_path}/state/bot.sqlite",
        "seriestool.bot.trees": "0",
        "seriestool.bot.settle": "0",
    }.items():
        repo.git("config", key, value)
    return kernel


def run(cli: Cli, kernel: LampKernel, *words: str | Path) -> Result:
    return cli("bot", *words, cwd=kernel.repo.path)


def rows(tmp_path: Path, question: str) -> list[Any]:
    from sqlalchemy import text

    store = Store.open(f"sqlite:///{tmp_path}/state/bot.sqlite")
    try:
        with store.transaction() as connection:
            return list(connection.execute(text(question)))
    finally:
        store.close()


def test_from_the_list_to_a_draft_and_a_page(cli: Cli, kernel: LampKernel, tmp_path: Path) -> None:
    result = run(cli, kernel, "run", "--once")
    assert result.code == 0, result.err
    assert "lamp: return four v1: to-mend; draft: " in result.err
    (draft,) = (tmp_path / "drafts" / "new").iterdir()
    letter = draft.read_text()
    assert "From: Lamp Bot <bot@example.org>" in letter
    assert "[fixes-tag/subject-mismatch]" in letter
    (row,) = rows(tmp_path, "SELECT answer, page, document, decision FROM reports WHERE answer = 'to-mend'")
    assert "subject-mismatch" in zlib.decompress(row.page).decode()
    assert json.loads(zlib.decompress(row.document))["answer"] == "to-mend"
    assert row.decision.startswith("draft: ")


def test_a_second_run_says_nothing_twice(cli: Cli, kernel: LampKernel, tmp_path: Path) -> None:
    run(cli, kernel, "run", "--once")
    before = sorted((tmp_path / "drafts" / "new").iterdir())
    result = run(cli, kernel, "run", "--once")
    assert (result.code, sorted((tmp_path / "drafts" / "new").iterdir())) == (0, before)
    run(cli, kernel, "retry", rows(tmp_path, "SELECT key FROM series WHERE subject LIKE '%four'")[0].key)
    result = run(cli, kernel, "run", "--once")
    assert "lamp: return four v1: to-mend" in result.err
    assert sorted((tmp_path / "drafts" / "new").iterdir()) == before


def test_what_is_old_is_let_go_of(cli: Cli, kernel: LampKernel, tmp_path: Path) -> None:
    from sqlalchemy import text

    run(cli, kernel, "run", "--once")
    (before,) = rows(tmp_path, "SELECT count(*) AS mails, min(seen) AS seen FROM mails")
    store = Store.open(f"sqlite:///{tmp_path}/state/bot.sqlite")
    with store.transaction() as connection:
        connection.execute(text("UPDATE mails SET seen = seen - 201 * 86400"))
    store.close()
    assert run(cli, kernel, "run", "--once").code == 0
    assert before.mails > 1
    assert rows(tmp_path, "SELECT msgid FROM mails") == []
    (found, _) = rows(tmp_path, "SELECT key FROM series WHERE state = 'done'")
    assert run(cli, kernel, "retry", found.key).err.startswith("seriestool: the mails of series")
    assert len(rows(tmp_path, "SELECT key FROM reports")) == 2


def test_a_damaged_patch_has_a_report_that_says_so(cli: Cli, kernel: LampKernel, tmp_path: Path) -> None:
    run(cli, kernel, "run", "--once")
    (row,) = rows(tmp_path, "SELECT sentence, page, decision FROM reports WHERE answer = 'damaged'")
    assert "corrupt patch" in row.sentence
    assert "corrupt patch" in zlib.decompress(row.page).decode()
    assert row.decision == "nothing is said: a mail of it cannot be read"


def test_the_site_of_what_was_found(cli: Cli, kernel: LampKernel, tmp_path: Path) -> None:
    run(cli, kernel, "run", "--once")
    assert run(cli, kernel, "serve", "--export", tmp_path / "site").code == 0
    assert "lamp: return four" in (tmp_path / "site" / "index.html").read_text()
    pages = list((tmp_path / "site" / "series").glob("*/index.html"))
    assert len(pages) == 2


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("policy", "all", "policy 'all' sends mails, and that needs --send"),
        ("policy", "patchwork", "policy 'patchwork' needs a server and a token"),
        ("policy", "loud", "'loud' is no policy of the bot"),
        ("skip", "kunit", "there is no check 'kunit'"),
        ("list", "lampz", "no list 'lampz' is configured"),
        ("from", "nobody", "seriestool.bot.from is 'nobody'"),
    ],
)
def test_a_slip_in_the_configuration_is_told_at_once(
    cli: Cli, kernel: LampKernel, key: str, value: str, said: str
) -> None:
    kernel.repo.git("config", f"seriestool.bot.{key}", value)
    result = run(cli, kernel, "run", "--once")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"seriestool: {said}")


def test_a_replay_says_what_would_have_been_said(cli: Cli, kernel: LampKernel, tmp_path: Path) -> None:
    words = ("replay", "2023-11-01", "2023-12-01", "--state", tmp_path / "replay")
    result = run(cli, kernel, *words, "--policy", "all")
    assert result.code == 0, result.err
    (line,) = [line for line in result.out.splitlines() if "return four" in line]
    assert "to-mend  all: " in line
    assert not (tmp_path / "drafts").exists()
    assert run(cli, kernel, *words, "--policy", "all").out == ""  # all of it was seen
