# SPDX-License-Identifier: GPL-2.0-or-later
"""What an error means for a series."""

import errno
from pathlib import Path

import pytest

from seriestool.bot.queue.error_handling import trouble_of
from seriestool.bot.queue.handlers import Fate
from seriestool.bot.store import StoreError
from seriestool.git import GitError
from seriestool.util.errors import ConflictError, InputError, NotFoundError, OutsideError


def fate_of(error: Exception) -> Fate:
    return trouble_of(error, lambda error: "/log").fate


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (OutsideError("no network"), Fate.AGAIN),
        (GitError("git took longer than 5 seconds"), Fate.AGAIN),
        (ConnectionResetError(), Fate.AGAIN),
        (PermissionError(errno.EACCES, "no"), Fate.AGAIN),
        (InputError("no series"), Fate.FAILED),
        (NotFoundError("no commit"), Fate.FAILED),
        (ConflictError("conflict"), Fate.FAILED),
        (ZeroDivisionError(), Fate.FAILED),
        (StoreError("gone"), Fate.LATER),
        (OSError(errno.ENOSPC, "full"), Fate.LATER),
        (OSError(errno.EDQUOT, "full"), Fate.LATER),
        (GitError("git write-tree failed", "error: unable to write file: No space left on device"), Fate.LATER),
        (OutsideError("cannot write: database or disk is full"), Fate.LATER),
        (GitError("git cat-file ended early: the repository may be damaged"), Fate.BROKEN),
        (GitError("git log failed", "error: object file x is empty\nfatal: loose object x is corrupt"), Fate.BROKEN),
        (GitError("git rev-list failed: missing tree 123"), Fate.BROKEN),
        (GitError("packfile x.pack does not match index"), Fate.BROKEN),
        (NotFoundError("not a git repository: '/srv/mirror'"), Fate.BROKEN),
        (NotFoundError("no commits in '/srv/mirror'"), Fate.BROKEN),
        (InputError("the mail says: bad object, No space left on device"), Fate.FAILED),
    ],
)
def test_what_it_means(error: Exception, fate: Fate) -> None:
    assert fate_of(error) is fate


def test_a_bug_has_a_log() -> None:
    seen: list[BaseException] = []

    def log(error: BaseException) -> str:
        seen.append(error)
        return "/state/crash.log"

    trouble = trouble_of(KeyError("x"), log)
    assert trouble.error == "a bug: KeyError: 'x' (log: /state/crash.log)"
    assert isinstance(seen[0], KeyError)


def test_a_bug_whose_log_cannot_be_written_is_told_all_the_same() -> None:
    def log(error: BaseException) -> str:
        return Path("/proc/nowhere/log").write_text("x") and ""

    assert "and no log could be written" in trouble_of(KeyError("x"), log).error


def test_an_error_of_megabytes_is_cut() -> None:
    assert len(trouble_of(OutsideError("x" * 10**6), lambda error: "").error) <= 1000
    assert len(trouble_of(ValueError("x" * 10**6), lambda error: "").error) < 1200
