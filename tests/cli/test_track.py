# SPDX-License-Identifier: GPL-2.0-or-later
"""`track` and `status` as people use them: golden texts, exit codes, what is on disk afterwards."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.repos import Repo
from tests.support.series import lines, make_series
from tests.support.servers import public_inbox
from tests.support.session import Result, run_program

Golden = Callable[[str, str], None]
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")
MORE = {"lamp/b.c": TEXT}


@pytest.fixture
def base(repo: Repo) -> str:
    repo.commit({"README": "lamps\n"}, "lamp: begin")
    base = repo.commit({"lamp/a.c": TEXT}, "lamp: thirty lines")
    repo.git("tag", "-m", "x", "v1.0")
    return base


@pytest.fixture
def mbox(repo: Repo, base: str) -> bytes:
    return with_msgids(make_series(repo, base, {"lamp/a.c": EDITED}, MORE), 1)


def with_msgids(mbox: bytes, version: int) -> bytes:
    """The mails as one thread with message-ids that stay the same."""
    parts = re.split(rb"^(?=From [0-9a-f]{40} )", mbox, flags=re.M)[1:]
    word = b"[PATCH v%d " % version if version > 1 else b"[PATCH "
    first = b"In-Reply-To: <v%d-1@example.com>\n" % version
    return b"".join(
        part.replace(b"\n", b"\nMessage-ID: <v%d-%d@example.com>\n%s" % (version, number, first * (number > 1)), 1)
        .replace(b"[PATCH ", word, 1)
        for number, part in enumerate(parts, 1)
    )  # fmt: skip


def run(repo: Repo, *arguments: str | Path, stdin: bytes = b"") -> Result:
    return run_program(*arguments, cwd=repo.path, stdin=stdin)


def track(repo: Repo, mbox: bytes, *options: str) -> Result:
    return run(repo, "track", *options, "-", stdin=mbox)


def status(repo: Repo, *options: str) -> Result:
    return run(repo, "status", "--offline", *options)


def the_series(repo: Repo, *options: str) -> dict[str, Any]:
    (series,) = json.loads(status(repo, "--json", *options).out)["series"]
    found: dict[str, Any] = series
    return found


def name_of(repo: Repo) -> str:
    (folder,) = (repo.path / "series").iterdir()
    return folder.name


def test_track_keeps_facts_mails_and_a_report(repo: Repo, mbox: bytes, golden: Golden) -> None:
    result = track(repo, mbox)
    assert result.code == 0, result.err
    folder = repo.path / "series" / name_of(repo)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "reports/v1.json", "series.toml", "versions/v1.mbox"
    ]  # fmt: skip
    golden("track", f"{result.out}{result.err}\n{(folder / 'series.toml').read_text()}")
    report = json.loads((folder / "reports/v1.json").read_text())
    assert (report["base"]["verdict"], report["answer"]) == ("exact", "ready")


def test_tracked_again_it_is_as_it_was(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox)
    before = {path: path.read_bytes() for path in (repo.path / "series").rglob("*") if path.is_file()}
    result = track(repo, mbox)
    assert (result.code, result.out) == (0, f"series/{name_of(repo)}: v1 is there already\n")
    assert {path: path.read_bytes() for path in (repo.path / "series").rglob("*") if path.is_file()} == before


def test_another_v1_is_refused_and_force_takes_it(repo: Repo, base: str, mbox: bytes) -> None:
    track(repo, mbox)
    other = with_msgids(make_series(repo, base, {"lamp/a.c": EDITED + "x\n"}, MORE), 1)
    result = track(repo, other)
    assert (result.code, result.err.count("\n")) == (2, 2)
    assert "differs" in result.err
    assert track(repo, other, "--force").code == 0
    assert b"+x\n" in (repo.path / "series" / name_of(repo) / "versions/v1.mbox").read_bytes()


def test_status_in_all_its_states(repo: Repo, base: str, mbox: bytes, golden: Golden) -> None:
    track(repo, mbox, "--tree", "main")
    quiet = status(repo)
    assert (quiet.code, quiet.err) == (0, "")
    shown = ["$ seriestool status", quiet.out]
    repo.commit({"lamp/a.c": EDITED}, "part 1", branch="applied")
    repo.commit(MORE, "part 2", branch="applied")
    repo.commit({"lamp/a.c": "top\n" + TEXT}, "lamp: a line more", branch="next", parent=base)
    changed = TEXT.replace("line 15\n", "line 15, and more\n")
    broke = repo.commit({"lamp/a.c": changed}, "lamp: line 15 has more", author="Jane Doe <jane@example.com>")
    repo.commit({"README": "2\n"}, "lamp: two")
    trees = ("main", "next", "applied", "gone")
    toml = repo.path / "series" / name_of(repo) / "series.toml"
    toml.write_text(toml.read_text().replace('["main"]', json.dumps(trees)))
    result = status(repo)
    assert result.code == 1
    shown += ["$ seriestool status", result.out]
    result = status(repo, "-v")
    assert result.code == 1
    golden("status", "\n".join([*shown, "$ seriestool status -v", result.out]))
    found = {tree["tree"]: tree for tree in the_series(repo)["trees"]}
    assert [found[name]["state"] for name in trees] == ["conflicts", "applies", "merged", "no-tree"]
    assert found["main"]["broke"] == broke
    assert [one["commit"] for one in found["applied"]["merged"]] == repo.git(
        "rev-list", "--reverse", f"{base}..applied"
    ).split()


def test_the_keys_of_the_json(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox)
    answer = json.loads(status(repo, "--json").out)
    assert (answer["schema"], list(answer)) == (1, ["schema", "series"])
    (series,) = answer["series"]
    assert list(series) == [
        "name", "change_id", "subject", "versions", "trees", "newest", "superseded", "commits", "problems"
    ]  # fmt: skip
    assert list(series["trees"][0]) == ["tree", "tip", "state", "patch", "path", "broke", "behind", "merged"]
    (page,) = re.findall(r"`--json`\n:.*?\n\n", (Path(__file__).parents[2] / "docs/man/seriestool-status.1.md")
                         .read_text(), re.S)  # fmt: skip
    assert [key for key in (*answer, *series, *series["trees"][0]) if f'"{key}"' not in page] == []


def test_by_name_or_folder_and_unknown_names(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox)
    name = name_of(repo)
    for word in (name, f"series/{name}", f"series/{name}/"):
        result = status(repo, word)
        assert (result.code, name in result.out) == (0, True), result.err
        assert "lamp/a.c" not in result.out
        assert len(result.out.splitlines()) > 1
    result = status(repo, "nothing")
    assert (result.code, result.err.splitlines()[0]) == (
        2, "seriestool: no series 'nothing' is tracked in 'series'"
    )  # fmt: skip
    assert status(repo, "../../etc").code == 2


def test_nothing_tracked_is_no_failure(repo: Repo, base: str) -> None:
    result = status(repo)
    assert (result.code, result.out) == (0, "")
    assert "nothing is tracked" in result.err
    assert json.loads(status(repo, "--json").out) == {"schema": 1, "series": []}
    assert run(repo, "track", "--all", "--offline").code == 0


def test_a_damaged_record_does_not_hide_the_others(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox)
    (repo.path / "series/damaged").mkdir()
    (repo.path / "series/damaged/series.toml").write_text("?")
    result = status(repo)
    assert result.code == 4
    assert len(result.out.splitlines()) == 2
    assert "no TOML" in result.out.splitlines()[0]
    assert "exact on main" in result.out.splitlines()[1]


def test_without_mails_offline_it_says_that_it_cannot_tell(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox, "--no-mails")
    result = status(repo)
    assert result.code == 4
    assert "neither in the cache nor in an archive" in result.out


def test_no_report_needs_no_repository(tmp_path: Path, mbox: bytes) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    result = run_program("track", "--no-report", "-", cwd=outside, stdin=mbox)
    assert result.code == 0, result.err
    assert run_program("track", "-", cwd=outside, stdin=mbox).code == 2


def test_remove(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox)
    name = name_of(repo)
    result = run(repo, "track", "--remove", name)
    assert (result.code, result.out) == (0, f"{name} is not tracked any more\n")
    assert list((repo.path / "series").iterdir()) == []
    assert run(repo, "track", "--remove", name).code == 2


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "x"], ["--all", "--remove"], ["--all", "--tree", "main"], ["--tree", "gone", "-"]]
)
def test_wrong_words_are_one_line_and_a_hint(repo: Repo, mbox: bytes, arguments: list[str]) -> None:
    result = run(repo, "track", *arguments, stdin=mbox)
    assert (result.code, len(result.err.splitlines())) == (2, 2)
    assert not (repo.path / "series").exists()


def test_hostile_words_reach_neither_path_nor_terminal(repo: Repo, mbox: bytes) -> None:
    hostile = re.sub(rb"^(Subject: .*)", rb"\1 =?utf-8?q?=1B[31m=07?=", mbox, flags=re.M)
    hostile = hostile.replace(b"\n---\n", b"\n---\nchange-id: ../../../../tmp/evil\n", 1)
    result = track(repo, hostile)
    assert result.code == 0, result.err
    assert re.fullmatch(r"[a-z0-9-]+", name_of(repo))
    assert "\x1b" not in result.out + result.err + status(repo, "-v").out
    assert the_series(repo)["change_id"] == "../../../../tmp/evil"
    assert "\x1b" in the_series(repo)["subject"]


def test_the_next_version_is_found_on_the_server(repo: Repo, base: str, mbox: bytes, tmp_path: Path) -> None:
    track(repo, mbox)
    second = with_msgids(make_series(repo, base, {"lamp/a.c": EDITED + "v2\n"}, MORE), 2)
    mails = [
        b"To: list@example.org\n" + part.partition(b"\n")[2]
        for part in re.split(rb"^(?=From [0-9a-f]{40} )", mbox + second, flags=re.M)[1:]
    ]
    with public_inbox(tmp_path / "inbox", mails) as url:
        result = run(repo, "status", "--lore", url)
        assert (result.code, "v2 is out" in result.out) == (0, True), result
        result = run(repo, "track", "--all", "--lore", url)
        assert result.code == 0, result.err
        assert result.out == f"series/{name_of(repo)}: v2\n"
        result = run(repo, "status", "--lore", url)
        assert (result.code, "is out" in result.out) == (0, False), result
    versions = the_series(repo)["versions"]
    assert [(one["version"], one["msgid"]) for one in versions] == [(1, "v1-1@example.com"), (2, "v2-1@example.com")]


def test_a_server_that_is_away_is_told_and_the_rest_answered(repo: Repo, mbox: bytes) -> None:
    track(repo, mbox)
    result = run(repo, "status", "--lore", "http://127.0.0.1:9/none")
    assert result.code == 4
    assert "exact on main" in result.out
    assert "no search for newer versions: cannot reach" in result.out
