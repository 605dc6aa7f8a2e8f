# SPDX-License-Identifier: GPL-2.0-or-later
"""What an error means for a series."""

import errno
from pathlib import Path

import pytest

from seriestool.bot.dialects import StoreError
from seriestool.bot.queue.error_handling import classify_error
from seriestool.bot.queue.handlers import StepStatus
from seriestool.git import GitError
from seriestool.util.errors import ConflictError, InputError, NotFoundError, OutsideError


def fate_of(error: Exception) -> StepStatus:
    return classify_error(error, lambda error: "/log").status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OutsideError("no network"), StepStatus.AGAIN),
        (GitError("git took longer than 5 seconds"), StepStatus.AGAIN),
        (ConnectionResetError(), StepStatus.AGAIN),
        (PermissionError(errno.EACCES, "no"), StepStatus.AGAIN),
        (InputError("no series"), StepStatus.FAILED),
        (NotFoundError("no commit"), StepStatus.FAILED),
        (ConflictError("conflict"), StepStatus.FAILED),
        (ZeroDivisionError(), StepStatus.FAILED),
        (StoreError("gone"), StepStatus.LATER),
        (OSError(errno.ENOSPC, "full"), StepStatus.LATER),
        (OSError(errno.EDQUOT, "full"), StepStatus.LATER),
        (GitError("git write-tree failed", "error: unable to write file: No space left on device"), StepStatus.LATER),
        (OutsideError("cannot write: database or disk is full"), StepStatus.LATER),
        (GitError("git cat-file ended early: the repository may be damaged"), StepStatus.BROKEN),
        (
            GitError("git log failed", "error: object file x is empty\nfatal: loose object x is corrupt"),
            StepStatus.BROKEN,
        ),
        (GitError("git rev-list failed: missing tree 123"), StepStatus.BROKEN),
        (GitError("packfile x.pack does not match index"), StepStatus.BROKEN),
        (NotFoundError("not a git repository: '/srv/mirror'"), StepStatus.BROKEN),
        (NotFoundError("no commits in '/srv/mirror'"), StepStatus.BROKEN),
        (InputError("the mail says: bad object, No space left on device"), StepStatus.FAILED),
    ],
)
def test_what_it_means(error: Exception, status: StepStatus) -> None:
    assert fate_of(error) is status


def test_a_bug_has_a_log() -> None:
    seen: list[BaseException] = []

    def log(error: BaseException) -> str:
        seen.append(error)
        return "/state/crash.log"

    trouble = classify_error(KeyError("x"), log)
    assert trouble.error == "a bug: KeyError: 'x' (log: /state/crash.log)"
    assert isinstance(seen[0], KeyError)


def test_a_bug_whose_log_cannot_be_written_is_told_all_the_same() -> None:
    def log(error: BaseException) -> str:
        return Path("/proc/nowhere/log").write_text("x") and ""

    assert "and no log could be written" in classify_error(KeyError("x"), log).error


def test_an_error_of_megabytes_is_cut() -> None:
    assert len(classify_error(OutsideError("x" * 10**6), lambda error: "").error) <= 1000
    assert len(classify_error(ValueError("x" * 10**6), lambda error: "").error) < 1200
