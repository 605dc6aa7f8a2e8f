# SPDX-License-Identifier: GPL-2.0-or-later
"""What `check` prints, for people and for programs."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seriestool.check.protocol import Check, CheckSubject, Finding, Scope
from seriestool.check.registry import BUILTIN
from tests.support.kernels import LAMP, LampKernel, make_lamp_kernel, make_mistakes, signed
from tests.support.repos import Repo
from tests.support.series import mail_series
from tests.support.session import Result

Cli = Callable[..., Result]
Golden = Callable[[str, str], None]
ONLY = "--only=apply,fixes-tag,sign-off,spdx,new-file,recipients,cover-letter"


@pytest.fixture
def kernel(repo: Repo) -> LampKernel:
    return make_lamp_kernel(repo)


@pytest.fixture
def mistakes(kernel: LampKernel) -> Path:
    return make_mistakes(kernel)


def check(cli: Cli, kernel: LampKernel, *arguments: str | Path) -> Any:
    """The answer as JSON."""
    result = cli("check", "--json", *arguments, cwd=kernel.repo.path)
    assert result.code in (0, 1), result.err
    answer = json.loads(result.out)
    assert result.code == (1 if answer["status"] == "fail" else 0)
    return answer


def said(answer: Any) -> set[tuple[str, str, int | None, str]]:
    """(check, rule, patch, status) of each finding."""
    return {
        (result["check"], one["rule"], one["patch"], one["status"])
        for result in answer["results"]
        for one in result["findings"]
    }


def without_seconds(text: str) -> str:
    """The answer, in which no time is measured."""
    answer = json.loads(text)
    for result in answer["results"]:
        result["seconds"] = 0
    return json.dumps(answer, indent=2) + "\n"


def test_the_answer(kernel: LampKernel, mistakes: Path, cli_here: Cli, golden: Golden) -> None:
    result = cli_here("check", ONLY, mistakes, cwd=kernel.repo.path)
    assert result.code == 1
    golden("check-text", result.out + result.err)


@pytest.mark.parametrize("form", ["b4", "patchwork", "html"])
def test_the_answer_for_programs(kernel: LampKernel, mistakes: Path, cli_here: Cli, golden: Golden, form: str) -> None:
    result = cli_here("check", ONLY, f"--format={form}", mistakes, cwd=kernel.repo.path)
    assert (result.code, result.err) == (1, "")
    golden(f"check-{form}", without_style(result.out))


def without_style(page: str) -> str:
    """The page less its style sheet and the hash of it: how it looks is not what this test is of."""
    return re.sub(r"(?s)(?<=<style>).*(?=</style>)|sha256-[^&]*", "", page)


def test_the_answer_as_json(kernel: LampKernel, mistakes: Path, cli_here: Cli, golden: Golden) -> None:
    result = cli_here("check", ONLY, "--json", mistakes, cwd=kernel.repo.path)
    assert (result.code, result.err) == (1, "")
    golden("check-json", without_seconds(result.out))


def test_the_list_of_checks(kernel: LampKernel, cli_here: Cli) -> None:
    lines = cli_here("check", "--list", cwd=kernel.repo.path).out.splitlines()
    assert [line.split()[0] for line in lines] == list(BUILTIN)
    assert {line.split()[1] for line in lines} == {"patch", "series"}


def test_quiet_leaves_the_notes_out(kernel: LampKernel, mistakes: Path, cli_here: Cli) -> None:
    loud, quiet = (cli_here("check", ONLY, *more, mistakes, cwd=kernel.repo.path).out for more in ([], ["-q"]))
    assert "\n  note " in loud
    assert "\n  note " not in quiet
    assert quiet.count("\n  FAIL ") == loud.count("\n  FAIL ") > 0


def test_what_is_said_of_several_patches_alike_is_said_once(kernel: LampKernel, cli_here: Cli) -> None:
    patches = [
        (f"lamp: return {n}\n\nIt is time.", {"drivers/lamp/lamp.c": LAMP.replace("1", f"{n}")}) for n in range(4, 8)
    ]
    out = cli_here("check", "--only=sign-off", kernel.mail(*patches), cwd=kernel.repo.path).out
    assert out.count("there is no Signed-off-by") == 1
    assert "several patches\n  FAIL  sign-off/missing  patches 1, 2, 3, 4\n" in out
    assert out.endswith("1 check on 4 patches: 4 FAIL\n")


def test_a_good_series_passes(kernel: LampKernel, cli_here: Cli) -> None:
    good = kernel.mail(
        (signed("lamp: return four"), {"drivers/lamp/lamp.c": LAMP.replace("1", "4")}),
        to="lamps@example.com, keeper@example.com",
    )
    answer = check(cli_here, kernel, ONLY, good)
    assert {one for one in said(answer) if one[3] != "pass"} == set()
    assert answer["status"] == "pass"


def test_before_sending(kernel: LampKernel, cli_here: Cli) -> None:
    """A range of commits: nobody has it yet, so recipients are said and not missed; the base is the commit below."""
    repo = kernel.repo
    below = repo.git("rev-parse", "main")
    repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "4")}, "lamp: return four\n\nMore.", branch="topic")
    repo.commit({"unrelated": "x\n"}, "elsewhere")
    answer = check(cli_here, kernel, "--only=apply,recipients,sign-off", "main..topic")
    assert answer["base"]["commit"] == below
    assert ("recipients", "send-to", 1, "pass") in said(answer)
    assert not {rule for _, rule, _, _ in said(answer) if rule.startswith("missing-")} - {"missing"}


def test_a_project_that_is_no_kernel(repo: Repo, cli_here: Cli) -> None:
    repo.commit({"main.c": "int main;\n", "README": "x\n"}, "first")
    file = repo.write("../series.mbox", mail_series(repo, ("main: more", {"main.c": "int main, more;\n"})))
    result = cli_here("check", "--json", "--skip=attestation", file, cwd=repo.path)
    answer = json.loads(result.out)
    assert answer["profile"] == "not-kernel"
    assert {one for one in said(answer) if one[3] in ("fail", "error")} == set()
    assert (result.code, result.err) == (0, "")


def test_without_a_base_what_needs_no_tree_is_checked(kernel: LampKernel, cli_here: Cli) -> None:
    other = Repo(kernel.repo.path.parent / "other")
    other.commit({"drivers/lamp/lamp.c": "other\n"}, "other")
    file = other.write("../series.mbox", mail_series(other, ("x", {"drivers/lamp/lamp.c": "more\n"})))
    answer = check(cli_here, kernel, file)
    assert answer["base"] is None
    assert all(one["findings"][0]["status"] == "skip" for one in answer["results"] if one["check"] == "spdx")
    assert ("apply", "apply", 1, "skip") in said(answer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only=nope", "x"], "there is no check 'nope'"),
        (["--profile=nope", "x"], "there is no profile 'nope'"),
        (["--severity=nope", "x"], "'nope' is no severity"),
        (["--severity=spxd/missing=off", "x"], "there is no check 'spxd'"),
        (["--only=spdx", "--skip=spdx", "x"], "no check is left"),
        (["--jobs=0", "x"], "'0' is no number of processes"),
        ([], "no series was named"),
        (["--base=nope", "x"], "there is no tree, ref or commit 'nope'"),
        (["--tree=nope", "x"], "there is no tree 'nope'"),
    ],
)
def test_a_wrong_command_line_is_one_clear_line(
    kernel: LampKernel, mistakes: Path, cli_here: Cli, arguments: list[str], message: str
) -> None:
    arguments = [str(mistakes) if argument == "x" else argument for argument in arguments]
    result = cli_here("check", *arguments, cwd=kernel.repo.path)
    assert result.code == 2
    assert result.err.startswith(f"seriestool: {message}")
    assert result.out == ""


def test_checks_are_listed_outside_of_a_repository(cli_here: Cli, tmp_path: Path) -> None:
    result = cli_here("check", "--list", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert "fixes-tag" in result.out


# --- severities ------------------------------------------------------------------------------------------------------


def test_a_severity_of_the_command_line_goes_before_that_of_git_config(
    kernel: LampKernel, mistakes: Path, cli_here: Cli
) -> None:
    kernel.repo.git("config", "--add", "seriestool.severity", "spdx=off")
    kernel.repo.git("config", "--add", "seriestool.severity", "fixes-tag=note")
    found = said(check(cli_here, kernel, ONLY, mistakes))
    assert not {one for one in found if one[0] == "spdx"}
    assert {one[3] for one in found if one[0] == "fixes-tag"} <= {"pass", "skip"}
    found = said(check(cli_here, kernel, ONLY, "--severity", "fixes-tag=fail", mistakes))
    assert "fail" in {one[3] for one in found if one[0] == "fixes-tag"}


# --- commands of the user's, and b4's --------------------------------------------------------------------------------


def test_a_command_of_the_users_is_a_check(kernel: LampKernel, mistakes: Path, cli_here: Cli) -> None:
    answer_text = '[{"tool": "mine", "status": "warn", "summary": "hm"}]'
    script = kernel.repo.write("../mine.sh", f"#!/bin/sh\necho '{answer_text}'\n")
    script.chmod(0o755)
    kernel.repo.git("config", "seriestool.perpatch-check-cmd", str(script))
    answer = check(cli_here, kernel, "--only=mine", mistakes)
    assert said(answer) == {("mine", "mine", number, "warn") for number in (1, 2, 3)}


def test_as_a_command_of_b4_it_knows_the_series_from_b4s_tracking_data(
    kernel: LampKernel, cli: Cli, tmp_path: Path
) -> None:
    """The second patch changes what the first one adds: alone it applies to nothing."""
    repo = kernel.repo
    mbox = mail_series(
        repo,
        (signed("lamp: new file"), {"drivers/lamp/new.c": "a\n"}),
        (signed("lamp: change it"), {"drivers/lamp/new.c": "b\n"}),
    )
    second = b"From " + mbox.split(b"\nFrom ")[1]
    blob = repo.git("hash-object", "-w", "--stdin", input=mbox)
    tracking = tmp_path / "tracking.json"
    tracking.write_text(json.dumps({"series": {"thread-blob": blob, "base-commit": repo.git("rev-parse", "main")}}))
    command = ("check", "--format=b4", "--only=apply,spdx", "-q", "-")
    result = cli(*command, cwd=repo.path, stdin=second, env={"B4_TRACKING_FILE": str(tracking)})
    items = json.loads(result.out)
    assert {item["tool"] for item in items} == {"seriestool-apply", "seriestool-spdx"}
    assert {tuple(item) for item in items} == {("tool", "status", "summary", "url", "details")}
    assert items[0]["status"] == "pass"
    repo.git("clone", "-q", f"file://{repo.path}", "../clone")  # has no objects of the series
    alone = json.loads(cli(*command, cwd=repo.path.parent / "clone", stdin=second).out)
    assert {item["status"] for item in alone} == {"warn"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"series": 1}', b'{"series": {"thread-blob": "HEAD"}}'])
def test_tracking_data_that_cannot_be_read_is_as_good_as_none(
    kernel: LampKernel, mistakes: Path, cli: Cli, tmp_path: Path, content: bytes
) -> None:
    tracking = tmp_path / "tracking.json"
    tracking.write_bytes(content)
    first = mistakes.read_bytes().split(b"\nFrom ")[0] + b"\n"
    result = cli("check", "--format=b4", "--only=apply", "-", cwd=kernel.repo.path, stdin=first,
                 env={"B4_TRACKING_FILE": str(tracking)})  # fmt: skip
    assert [item["status"] for item in json.loads(result.out)] == ["pass"]


# --- what breaks -----------------------------------------------------------------------------------------------------


def test_a_check_that_breaks_is_named_with_its_log(
    kernel: LampKernel, mistakes: Path, cli_here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(subject: CheckSubject) -> tuple[Finding, ...]:
        raise ZeroDivisionError

    broken = Check("spdx", "for a test", Scope.PATCH, crash)
    monkeypatch.setattr("seriestool.check.rules.spdx.CHECK", broken)
    result = cli_here("check", "--only=spdx,apply", mistakes, cwd=kernel.repo.path)
    assert result.code == 70
    assert "ERROR spdx/broken" in result.out
    log = Path(result.err.partition("log '")[2].partition("'")[0])
    assert "ZeroDivisionError" in log.read_text()


def test_a_command_that_cannot_be_started_is_no_clean_answer(kernel: LampKernel, mistakes: Path, cli_here: Cli) -> None:
    kernel.repo.git("config", "seriestool.perpatch-check-cmd", "/no/such/program")
    result = cli_here("check", "--only=program,apply", mistakes, cwd=kernel.repo.path)
    assert (result.code, "log" in result.err) == (70, False)
    assert "ERROR program/broken" in result.out


def test_nothing_of_the_user_is_touched(kernel: LampKernel, mistakes: Path, cli_here: Cli) -> None:
    def state() -> tuple[str, ...]:
        git = kernel.repo.git
        return git("status", "--porcelain"), git("for-each-ref", "refs/heads"), git("stash", "list")

    before = state()
    check(cli_here, kernel, mistakes)
    assert state() == before


def test_html_of_hostile_mails_has_no_markup_of_theirs(kernel: LampKernel, cli_here: Cli) -> None:
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
    file = kernel.mail((f"{evil}\n\n{evil}", {f"drivers/lamp/{evil.replace('/', '_')}.c": "x\n"}))
    page = cli_here("check", "--format=html", file, cwd=kernel.repo.path).out
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_text_of_hostile_mails_drives_no_terminal(kernel: LampKernel, cli_here: Cli) -> None:
    file = kernel.mail(("evil \x1b]0;owned\x07 \u202e\n\nx\x1b[2J", {"drivers/lamp/\x1b[31m.c": "x\n"}))
    out = cli_here("check", "--color=always", file, cwd=kernel.repo.path).out
    assert "\x1b]" not in out
    assert "\x1b[2J" not in out
    assert "\u202e" not in out
    assert "\x07" not in out


def test_a_subject_in_latin_1(kernel: LampKernel, cli_here: Cli) -> None:
    file = kernel.mail((signed("lamp: caf\u00e9"), {"drivers/lamp/lamp.c": "x\n"}))
    raw = file.read_bytes()
    start = raw.index(b"Subject: ")
    end = raw.index(b"\nTo:", start)
    file.write_bytes(raw[:start] + b"Subject: [PATCH] lamp: caf\xe9" + raw[end:])
    answer = check(cli_here, kernel, file)
    assert {one for one in said(answer) if one[3] == "error"} == set()


def test_five_hundred_patches(kernel: LampKernel, cli_here: Cli) -> None:
    patches = [(signed(f"lamp: return {n}"), {"drivers/lamp/lamp.c": LAMP.replace("1", f"{n}9")}) for n in range(500)]
    answer = check(cli_here, kernel, "--only=apply,fixes-tag,sign-off,integrity,spdx", kernel.mail(*patches))
    assert len(answer["patches"]) == 500
    assert not {one for one in said(answer) if one[3] in ("fail", "error")}


def test_a_shallow_clone_is_no_reason_to_fail(kernel: LampKernel, mistakes: Path, cli_here: Cli) -> None:
    kernel.repo.git("clone", "-q", "--depth=1", f"file://{kernel.repo.path}", "../shallow")
    result = cli_here("check", "--json", "--only=fixes-tag", mistakes, cwd=kernel.repo.path.parent / "shallow")
    found = said(json.loads(result.out))
    assert ("skip" in {one[3] for one in found}) and "fail" not in {one[3] for one in found}


def test_interrupted_it_ends_what_it_started(kernel: LampKernel, mistakes: Path, tmp_path: Path) -> None:
    """A command that sleeps for ever: ^C ends the program and the command, at once."""
    script = kernel.repo.write("../sleeps.sh", f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 1000\n")
    script.chmod(0o755)
    kernel.repo.git("config", "seriestool.perpatch-check-cmd", str(script))
    process = subprocess.Popen(
        [sys.executable, "-m", "seriestool", "check", "--only=sleeps", str(mistakes)],
        cwd=kernel.repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not Path(f"/proc/{pid}").exists())


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


ASK_B4 = """
import email, email.policy, json, sys
from b4.review.checks import run_perpatch_checks
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(json.dumps(run_perpatch_checks([("m", mail)], sys.argv[1:2], sys.argv[2])["m"]))
"""


def test_b4_takes_it_for_a_check_command(kernel: LampKernel, mistakes: Path) -> None:
    first = mistakes.read_bytes().split(b"\nFrom ")[0].partition(b"\n")[2] + b"\n"
    command = f"{sys.executable} -m seriestool check --format=b4 --only=fixes-tag,spdx -q -"
    answer = subprocess.run(
        [sys.executable, "-c", ASK_B4, command, str(kernel.repo.path)], input=first, capture_output=True, check=True,
    )  # fmt: skip
    assert [(item["tool"], item["status"]) for item in json.loads(answer.stdout)] == [
        ("seriestool-fixes-tag", "fail"),
        ("seriestool-spdx", "pass"),
    ]
