# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's own commands as checks, by b4's protocol."""

import json
from pathlib import Path

import pytest

from seriestool.check.protocol import Check, CheckError, Finding, Scope, Status
from seriestool.check.user_commands import PER_PATCH, PER_SERIES, find_commands
from seriestool.sandbox import Unsandboxed
from tests.support.repos import Repo
from tests.support.series import mail_series
from tests.support.session import ask_check, rules_of

PATCHES = (("one", {"a": "1\n"}), ("two", {"b": "2\n"}))


@pytest.fixture
def mbox(repo: Repo) -> bytes:
    repo.commit({"start": "x\n"})
    return mail_series(repo, *PATCHES, options=["--cover-letter"])


def command(tmp_path: Path, script: str, key: str = PER_PATCH) -> Check:
    path = tmp_path / "My_Check.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    (check,) = find_commands({key: (f"'{path}' --fast",)}, {"PATH": "/usr/bin:/bin", "TOKEN": "t"}, Unsandboxed())
    return check


def says(tmp_path: Path, repo: Repo, mbox: bytes, items: object) -> tuple[Finding, ...]:
    (tmp_path / "answer").write_text(json.dumps(items))
    return ask_check(command(tmp_path, f"cat {tmp_path}/answer"), repo, mbox)


def test_a_command_is_called_by_its_programs_name(tmp_path: Path) -> None:
    check = command(tmp_path, "true")
    assert (check.name, check.scope) == ("my-check", Scope.PATCH)
    assert "--fast" in check.summary
    assert command(tmp_path, "true", PER_SERIES).scope is Scope.SERIES


def test_it_gets_the_patchs_mail_and_the_users_environment(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    check = command(tmp_path, f'cat > {tmp_path}/stdin; echo "$1 $TOKEN $PWD" > {tmp_path}/told')
    assert ask_check(check, repo, mbox, counter=2) == ()
    assert b"[PATCH 2/2] two" in (tmp_path / "stdin").read_bytes()
    assert b"[PATCH 1/2]" not in (tmp_path / "stdin").read_bytes()
    assert (tmp_path / "told").read_text() == f"--fast t {repo.path}\n"


def test_a_command_of_the_series_gets_the_cover_letter(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    assert ask_check(command(tmp_path, f"cat > {tmp_path}/stdin", PER_SERIES), repo, mbox) == ()
    assert b"[PATCH 0/2]" in (tmp_path / "stdin").read_bytes()


def test_its_answer_becomes_findings(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    found = says(
        tmp_path, repo, mbox,
        [
            {"tool": "Some Tool", "status": "warn", "summary": "not\n good", "url": "https://x.org/1",
             "details": "a\nb"},
            {"tool": "t", "status": "pass", "summary": "fine"},
            {"tool": "t", "status": "what", "summary": ""},
            "no object",
        ],
    )  # fmt: skip
    assert rules_of(found) == [("some-tool", "warn"), ("t", "pass"), ("t", "fail")]
    assert found[0] == Finding(Status.WARN, "some-tool", "not good", details="a\nb", source="https://x.org/1")


def test_one_object_is_a_list_of_one(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    assert rules_of(says(tmp_path, repo, mbox, {"status": "fail", "summary": "bad"})) == [("my-check", "fail")]


def test_nothing_is_nothing_to_say(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    assert says(tmp_path, repo, mbox, []) == ()
    assert ask_check(command(tmp_path, "true"), repo, mbox) == ()


def test_a_failure_without_an_answer_is_a_fail(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    (found,) = ask_check(command(tmp_path, "echo no such tool >&2; exit 3"), repo, mbox)
    assert (found.status, found.message, found.details) == (
        Status.FAIL,
        "it ended with exit code 3",
        "no such tool",
    )


def test_what_is_no_json_breaks_the_check_and_not_the_patch(tmp_path: Path, repo: Repo, mbox: bytes) -> None:
    with pytest.raises(CheckError, match="printed no JSON"):
        ask_check(command(tmp_path, "echo hello"), repo, mbox)


@pytest.mark.parametrize("text", ["", "  ", "'unclosed"])
def test_a_command_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(CheckError):
        find_commands({PER_PATCH: (text,)}, {}, Unsandboxed())
