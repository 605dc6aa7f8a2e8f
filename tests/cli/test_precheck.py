# SPDX-License-Identifier: GPL-2.0-or-later
"""What `precheck` prints, for people and for programs, and how it ends."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.kernels import LAMP, LampKernel, make_lamp_kernel, make_mistakes, signed
from tests.support.repos import Repo
from tests.support.series import lines, mail_series, mailed, numbered
from tests.support.session import Result, run_program, timeless

Cli = Callable[..., Result]
Golden = Callable[[str, str], None]
ONLY = "--only=apply,fixes-tag,sign-off,spdx,new-file,recipients,cover-letter"
KEYS = {
    "schema", "answer", "sentence", "sure", "how", "series", "base", "prerequisites", "rebuilt", "dependence_hints",
    "matrix", "split", "checks", "timeline", "versions", "suggestions", "steps",
}  # fmt: skip


@pytest.fixture
def kernel(repo: Repo) -> LampKernel:
    return make_lamp_kernel(repo)


@pytest.fixture
def mistakes(kernel: LampKernel) -> Path:
    return make_mistakes(kernel)


@pytest.fixture
def conflicting(kernel: LampKernel) -> Path:
    """Two patches, the first of which conflicts by now on main, and goes in on another tree."""
    kernel.repo.git("branch", "quiet")
    path = kernel.mail(
        (signed("lamp: return four"), {"drivers/lamp/lamp.c": LAMP.replace("1", "4")}),
        (signed("lamp: say what it is for"), {"Documentation/lamp.rst": "Lamps\n=====\n"}),
        to="lamps@example.com, keeper@example.com",
    )
    kernel.repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "7")}, signed("lamp: return seven"))
    return path


def run(cli: Cli, kernel: LampKernel, *arguments: str | Path) -> Result:
    return cli("precheck", "--offline", ONLY, *arguments, cwd=kernel.repo.path)


def test_what_people_read(kernel: LampKernel, mistakes: Path, cli_here: Cli, golden: Golden) -> None:
    result = run(cli_here, kernel, mistakes)
    assert result.code == 1
    assert result.err == ""
    golden("precheck-to-mend", result.out)


def test_what_people_read_of_a_conflict(kernel: LampKernel, conflicting: Path, cli_here: Cli, golden: Golden) -> None:
    result = run(cli_here, kernel, conflicting)
    assert result.code == 3
    golden("precheck-conflicts", result.out)


def test_what_people_read_where_there_is_no_base(
    kernel: LampKernel, cli_here: Cli, golden: Golden, make_repo: Callable[..., Repo]
) -> None:
    other = make_repo("other")
    other.commit({"drivers/lamp/lamp.c": "quite\nanother\nlamp\n"}, "lamp")
    mail = mail_series(other, (signed("lamp: a different one"), {"drivers/lamp/lamp.c": "quite\na different\nlamp\n"}))
    result = run(cli_here, kernel, kernel.repo.write("../other.mbox", mail))
    assert result.code == 1
    golden("precheck-no-base", result.out)


def test_markdown(kernel: LampKernel, mistakes: Path, cli_here: Cli, golden: Golden) -> None:
    golden("precheck-markdown", run(cli_here, kernel, "--format=markdown", mistakes).out)


@pytest.mark.parametrize("form", ["b4", "patchwork"])
def test_lists_for_programs(kernel: LampKernel, conflicting: Path, cli_here: Cli, golden: Golden, form: str) -> None:
    golden(f"precheck-{form}", run(cli_here, kernel, f"--format={form}", conflicting).out)


def test_json(kernel: LampKernel, mistakes: Path, cli_here: Cli, golden: Golden) -> None:
    result = run(cli_here, kernel, "--json", mistakes)
    answer = json.loads(result.out)
    assert set(answer) == KEYS
    golden("precheck-json", json.dumps(timeless(answer), indent=2) + "\n")


def test_the_second_run_says_the_same(kernel: LampKernel, conflicting: Path, cli_here: Cli) -> None:
    first, second = (json.loads(run(cli_here, kernel, "--json", conflicting).out) for _ in range(2))
    assert timeless(first) == timeless(second)
    kept = [step["step"] for step in second["steps"] if step["kept"]]
    assert kept == ["base", "prerequisites", "matrix", "split", "checks"]
    anew = json.loads(run(cli_here, kernel, "--json", "--no-cache", conflicting).out)
    assert timeless(anew) == timeless(first)
    assert not any(step["kept"] for step in anew["steps"])


def ready(kernel: LampKernel) -> Path:
    patch = (signed("lamp: return four"), {"drivers/lamp/lamp.c": LAMP.replace("1", "4")})
    return kernel.mail(patch, to="lamps@example.com, keeper@example.com, linux-kernel@vger.kernel.org")


def test_what_goes_in_ends_well(kernel: LampKernel, cli_here: Cli) -> None:
    result = run(cli_here, kernel, ready(kernel))
    assert result.code == 0
    assert result.out.splitlines()[3].startswith("goes in: The series was made from ")


def test_what_waits_for_patches_on_a_list(
    repo: Repo, cli_here: Cli, golden: Golden, tmp_path: Path, make_repo: Callable[..., Repo]
) -> None:
    start = repo.commit({"lib/beam.c": numbered(), "lib/top.c": numbered()}, "lamp: start")
    beam = {"lib/beam.c": numbered({10: "beam"})}
    listed = re.sub(rb"(?mi)^Message-Id: <.*>$", b"Message-Id: <beam@example.org>", mailed(repo, start, beam))
    (tmp_path / "list.mbox").write_bytes(listed)
    assert run_program("lists", "add", "lamps", tmp_path / "list.mbox", cwd=repo.path).code == 0
    assert run_program("lists", "update", cwd=repo.path).code == 0
    author = make_repo("author")
    base = author.commit({**beam, "lib/top.c": numbered()})
    change = {"lib/beam.c": numbered({10: "beam", 11: "dim"}), "lib/top.c": numbered({9: "dim"})}
    mbox = mail_series(author, (signed("lamp: dim it"), change), base=base)
    (tmp_path / "dim.mbox").write_bytes(mbox)
    result = cli_here("precheck", "--offline", ONLY, tmp_path / "dim.mbox", cwd=repo.path)
    assert result.code == 1
    golden("precheck-waits", result.out)
    answer = json.loads(cli_here("precheck", "--offline", ONLY, "--json", tmp_path / "dim.mbox", cwd=repo.path).out)
    assert (answer["answer"], answer["sure"]) == ("waits", False)
    assert [need["msgid"] for need in answer["prerequisites"]] == ["beam@example.org"]
    assert [step["step"] for step in answer["steps"] if step["kept"]][:2] == ["base", "prerequisites"]


def test_what_is_merged_ends_well(kernel: LampKernel, cli_here: Cli) -> None:
    mail = ready(kernel)
    kernel.repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "4")}, signed("lamp: return four"))
    result = run(cli_here, kernel, mail)
    assert result.code == 0
    assert "merged already: All of the series is in main already." in result.out


def test_a_step_that_cannot_be_done_is_told(kernel: LampKernel, cli_here: Cli) -> None:
    result = run(cli_here, kernel, "--base=nowhere", ready(kernel))
    assert result.code == 4
    assert "note: footing could not be done: there is no tree, ref or commit 'nowhere'" in result.out


def test_a_check_of_ours_that_breaks_is_a_bug(
    kernel: LampKernel, cli_here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seriestool.check.rules import spdx

    def broken(subject: object) -> Any:
        raise ZeroDivisionError

    from msgspec.structs import replace

    monkeypatch.setattr(spdx, "CHECK", replace(spdx.CHECK, run=broken))
    result = run(cli_here, kernel, ready(kernel))
    assert result.code == 70
    assert re.search(r"the check 'spdx' broke; please report it with the log '", result.err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tree=nowhere"], "there is no tree 'nowhere'"),
        (["--only=nothing"], "nothing"),
        (["--format=odd"], "odd"),
        (["--jobs=0"], "no number of processes"),
        ([], None),
    ],
)
def test_wrong_command_lines(kernel: LampKernel, cli_here: Cli, arguments: list[str], said: str | None) -> None:
    series = [ready(kernel)] if said else []
    result = cli_here("precheck", *arguments, *series, cwd=kernel.repo.path)
    assert result.code == 2
    assert result.out == ""
    assert (said or "SERIES") in result.err


def test_an_answer_in_a_file(kernel: LampKernel, conflicting: Path, cli_here: Cli, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    result = run(cli_here, kernel, "--json", "-o", file, conflicting)
    assert (result.code, result.out, result.err) == (3, "", f"wrote {file}\n")
    assert set(json.loads(file.read_text())) == KEYS
    file.write_text("mine")
    refused = run(cli_here, kernel, "--json", "-o", file, conflicting)
    assert (refused.code, file.read_text()) == (2, "mine")
    assert run(cli_here, kernel, "--color=always", "--force", "-o", file, conflicting).code == 3
    assert "\x1b" not in file.read_text()
    assert run(cli_here, kernel, "-o", tmp_path, conflicting).code == 2


def test_versions_in_one_mailbox(kernel: LampKernel, cli_here: Cli) -> None:
    mails = b""
    for version in ("", " v2", " v3"):
        change = {"drivers/lamp/lamp.c": LAMP.replace("1", f"4{version[2:]}")}
        mails += mail_series(kernel.repo, (signed("lamp: return four"), change), prefix=f"PATCH{version}")
    file = kernel.repo.write("../all.mbox", mails)
    answer = json.loads(run(cli_here, kernel, "--json", file).out)
    assert [(one["version"], one["this"]) for one in answer["versions"]] == [(1, False), (2, False), (3, True)]
    old = json.loads(run(cli_here, kernel, "--json", "--version=2", file).out)
    assert [(one["version"], one["this"]) for one in old["versions"]] == [(1, False), (2, True), (3, False)]
    assert "versions\n  v1  2023-11-14  1 patch" in run(cli_here, kernel, file).out


def test_commits_of_ones_own_before_they_are_sent(kernel: LampKernel, cli_here: Cli) -> None:
    kernel.repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "4")}, signed("lamp: return four"), branch="topic")
    answer = json.loads(run(cli_here, kernel, "--json", "--tree=main", "main..topic").out)
    assert answer["base"]["base"]["commit"] == kernel.repo.git("rev-parse", "main")
    assert answer["answer"] == "ready"


def test_words_of_a_mail_do_not_drive_the_terminal(kernel: LampKernel, cli_here: Cli) -> None:
    name = "drivers/lamp/\x1b[2J.c"
    kernel.repo.commit({name: lines(1, 9)}, signed("lamp: odd"))
    mail = kernel.mail((signed("lamp: \u202emore"), {name: lines(1, 10)}))
    kernel.repo.commit({name: lines(1, 9) + "x\n"}, signed("lamp: odd \x1b[31m"))
    for form in ("text", "markdown", "b4", "patchwork", "json"):
        result = run(cli_here, kernel, f"--format={form}", mail)
        assert result.code == 3
        assert not re.search("[\x1b\u202e]", result.out)
