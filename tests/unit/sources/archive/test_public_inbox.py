# SPDX-License-Identifier: GPL-2.0-or-later
"""One archive, however it lies: `--archive`, the index of lists and the push log read the same mails from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.series.mail import Mail
from seriestool.sources.archive.mails_on_disk import find_thread
from seriestool.sources.archive.public_inbox import find_epochs
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index_writer import make_index
from seriestool.sources.pushlog.push_log_index import make_log
from seriestool.sources.pushlog.push_records import read_source
from tests.support.mails import series
from tests.support.repos import Repo

ZERO = "0" * 40
MAILS = series("one", 3)


def record(number: int) -> bytes:
    return (
        "From: Gitolite <devnull@kernel.org>\nSubject: post-receive: pub/x\n"
        f"Date: Thu, 28 May 2026 10:00:{number:02} -0000\nMessage-Id: <{number}@gitolite>\n\n"
        f"---\nservice: git-receive-pack\nrepo: pub/x\nuser: me\nchanges:\n  - ref: refs/heads/next\n"
        f"    old: {ZERO}\n    new: {number:040x}\n    log: |\n         \n"
    ).encode()


def thread(archive: Path, msgid: str) -> list[str]:
    return [Mail(raw).msgid for raw in find_thread(archive, msgid)]


def listed(archive: Path, folder: Path) -> list[str]:
    with make_index(folder / "lists.sqlite") as index:
        update_list(index, "list", str(archive), folder / "mirrors")
        return [patch.msgid for patch in index.series_of("one-v1-0@x")]


def pushes(archive: Path, folder: Path) -> int:
    with make_log(folder / "log.sqlite") as log:
        read_source(str(archive), log, folder / "mirrors")
        return len(log)


@pytest.mark.parametrize("epochs", [("git/0.git", "git/1.git"), ("0.git", "1.git"), ("9.git", "10.git")])
def test_epochs_are_found_the_same_way_everywhere(epochs: tuple[str, str], tmp_path: Path) -> None:
    archive = tmp_path / "inbox"
    for name, mails in zip(epochs, (MAILS[:2], MAILS[2:]), strict=True):
        repo = Repo(archive / name, bare=True)
        for number, mail in enumerate((*mails, record(len(mails)))):
            repo.commit({"m": mail}, str(number))
    assert find_epochs(archive) == tuple(archive / name for name in epochs)
    assert thread(archive, "one-v1-2@x") == [Mail(mail).msgid for mail in MAILS]
    assert listed(archive, tmp_path) == [Mail(mail).msgid for mail in MAILS[1:]]
    assert pushes(archive, tmp_path) == len({len(MAILS[:2]), len(MAILS[2:])})


def test_a_mail_taken_back_in_a_later_epoch_is_gone_everywhere(tmp_path: Path) -> None:
    archive = tmp_path / "inbox"
    first, second = (Repo(archive / name, bare=True) for name in ("0.git", "1.git"))
    for mail in (*MAILS, record(1), record(2)):
        first.commit({"m": mail}, "mail")
    assert len(listed(archive, tmp_path)) == 3
    assert pushes(archive, tmp_path) == 2
    for mail in (MAILS[-1], record(2)):
        second.commit({"d": mail}, "rm")
    assert thread(archive, "one-v1-0@x") == [Mail(mail).msgid for mail in MAILS[:-1]]
    assert listed(archive, tmp_path) == [Mail(mail).msgid for mail in MAILS[1:-1]]
    assert pushes(archive, tmp_path) == 1


def test_a_mail_deleted_from_layout_v1_is_gone_everywhere(make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo = make_repo("inbox.git", bare=True)
    for number, mail in enumerate((*MAILS, record(1), record(2))):
        repo.commit({f"{number:02x}/{'0' * 38}": mail}, "mail")
    for number in (len(MAILS) - 1, len(MAILS) + 1):
        repo.commit({f"{number:02x}/{'0' * 38}": None}, "rm")
    assert thread(repo.path, "one-v1-0@x") == [Mail(mail).msgid for mail in MAILS[:-1]]
    assert listed(repo.path, tmp_path) == [Mail(mail).msgid for mail in MAILS[1:-1]]
    assert pushes(repo.path, tmp_path) == 1


def test_a_record_taken_back_is_forgotten(make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo = make_repo("log.git", bare=True)
    for number in (1, 2):
        repo.commit({"m": record(number)}, "push")
    with make_log(tmp_path / "log.sqlite") as log:
        assert read_source(str(repo.path), log, tmp_path) == 2
        repo.commit({"d": record(2), "m": None}, "rm")
        assert read_source(str(repo.path), log, tmp_path) == 0
        assert log.find_commit(f"{2:040x}") == ()
        assert len(log.find_commit(f"{1:040x}")) == 1
        repo.commit({"m": record(2), "d": None}, "again")
        assert read_source(str(repo.path), log, tmp_path) == 1
