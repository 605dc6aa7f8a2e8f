# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool fetch` and `seriestool show`, as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repos import ROOT, Repo, shared
from tests.support.session import Result

Cli = Callable[..., Result]
DATA = ROOT / "tests/data/mail"


def test_fetch_writes_an_mbox_that_git_am_takes(repo: Repo, cli_here: Cli, tmp_path: Path) -> None:
    base = repo.commit({"hello.txt": "one\ntwo\nthree\n"})
    result = cli_here("fetch", DATA / "two-versions.mbox", cwd=tmp_path)
    assert (result.code, result.out) == (0, "v2_20260106_author_some_french.mbx\n")
    assert result.err == "2 patches of 'Some French', v2\n"
    repo.git("am", "--quiet", str(tmp_path / result.out.strip()))
    assert repo.git("show", "HEAD:hello.txt") == "one\ndeux\ntrois"
    assert repo.git("rev-list", "--count", f"{base}..") == "2"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_fetch_to_standard_output_and_from_standard_input(cli_here: Cli) -> None:
    data = (DATA / "two-versions.mbox").read_bytes()
    result = cli_here("fetch", "-o", "-", "--version", "v1", "-", stdin=data)
    assert result.code == 0
    assert result.out.startswith("From git@z ")
    assert "Subject: [PATCH 1/2] hello: say two in French\n" in result.out


def test_fetch_replaces_no_other_content(cli_here: Cli, tmp_path: Path) -> None:
    target = tmp_path / "out.mbx"
    first = cli_here("fetch", DATA / "two-versions.mbox", "-o", target)
    again = cli_here("fetch", DATA / "two-versions.mbox", "-o", target)
    assert (first.code, again.code) == (0, 0)
    content = target.read_bytes()
    other = cli_here("fetch", DATA / "lone-patch.mbox", "-o", target)
    assert other.code == 2
    assert other.err.startswith(f"seriestool: '{target}' is there already\nhint: ")
    assert target.read_bytes() == content
    assert cli_here("fetch", DATA / "lone-patch.mbox", "-o", target, "--force").code == 0
    assert target.read_bytes() != content


def test_fetch_to_where_nothing_can_be_written(cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = cli_here("fetch", DATA / "lone-patch.mbox", "-o", tmp_path / "file/out.mbx")
    assert result.code == 4
    assert "cannot write" in result.err


def test_fetch_of_a_page_without_patches(cli_here: Cli, tmp_path: Path) -> None:
    result = cli_here("fetch", DATA / "pipermail-reply.txt", cwd=tmp_path)
    assert result.code == 2
    assert "there are no patches of 'Some French'" in result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["show", "fetch"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing-patches.mbox"], "seriestool: series is incomplete: patches 3 and 7 of 9 are missing"),
        (["two-series.mbox"], "has more than one series"),
        (["only-replies.mbox"], "has no patch in it"),
        (["no-such-file.mbox"], "is not there, and no message-id"),
        (["two-versions.mbox", "--version", "9"], "version 9 of 'Some French' was not found"),
        (["two-versions.mbox", "--version", "x"], "'x' is no version"),
        (["two-versions.mbox", "--lore", "lore"], "'lore' is no URL"),
        (["two-versions.mbox", "--archive"], "expected one argument"),
    ],
)
def test_bad_input(command: str, arguments: list[str], message: str, cli_here: Cli, tmp_path: Path) -> None:
    result = cli_here(command, DATA / arguments[0], *arguments[1:], cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "hint: " in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_missing_patches_with_partial(cli_here: Cli) -> None:
    result = cli_here("show", DATA / "missing-patches.mbox", "--partial")
    assert result.code == 0
    assert "  missing      3, 7 of 9\n" in result.out


def test_show(cli_here: Cli) -> None:
    result = cli_here("show", DATA / "cover-and-replies.mbox")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Some French\n"
        "  version      v1\n"
        "  author       A U Thor <author@example.org>\n"
        "  posted       2026-01-05 09:00:00 UTC\n"
        "  message-id   v1-0@example.org\n"
        f"  base-commit  {'1' * 40} (as stated)\n"
        f"  needs        patch-id {'2' * 40}\n"
        "\n"
        "2 patches\n"
        "  1  hello: say two in French  1 file\n"
        "  2  hello: say three in French  1 file\n"
        "\n"
        "1 file\n"
        "  hello.txt\n"
    )


def test_show_json(cli_here: Cli) -> None:
    result = cli_here("show", "--json", DATA / "cover-and-replies.mbox")
    value = json.loads(result.out)
    assert value["schema"] == 1
    assert value["series"]["msgid"] == "v1-0@example.org"
    assert value["series"]["patches"] == 2
    assert value["base"]["commit"] == "1" * 40
    first = value["patches"][0]
    assert (first["counter"], first["msgid"], first["title"]) == (1, "v1-1@example.org", "hello: say two in French")
    assert first["files"][0]["old_blob"] == "4cb29ea"
    assert set(value) == {"schema", "series", "cover", "prefixes", "base", "titles", "patches", "remarks"}


def test_show_a_page(cli_here: Cli) -> None:
    result = cli_here("show", DATA / "pipermail-reply.txt")
    assert result.code == 0
    assert "2 patches, not at hand\n  hello: say two in French\n" in result.out
    assert "change-id    20260101-french-0123456789ab\n" in result.out


def test_show_a_range_of_the_repository(repo: Repo, cli_here: Cli) -> None:
    repo.commit({"f": "1\n"})
    repo.commit({"f": "2\n"}, "second")
    assert cli_here("show", "HEAD~1..HEAD", cwd=repo.path).out.startswith("second\n")
    assert cli_here("show", "--repo", repo.path, "HEAD~1..").out.startswith("second\n")


def test_show_from_an_archive_offline(cli_here: Cli) -> None:
    result = cli_here("show", "--offline", "--archive", DATA / "two-versions.mbox", "v1-2@example.org")
    assert "  version      v2\n" in result.out


def test_lore_is_away(cli_here: Cli, tmp_path: Path) -> None:
    result = cli_here("show", "a@example.org", "--lore", "http://127.0.0.1:9/all", cwd=tmp_path)
    assert result.code == 4
    assert result.err.startswith("seriestool: cannot reach http://127.0.0.1:9/all\nhint: ")
    assert len(result.err.splitlines()) == 2


def test_a_huge_file_is_one_clear_line(cli_here: Cli, tmp_path: Path) -> None:
    with (tmp_path / "huge.mbox").open("wb") as file:
        file.truncate(1_000_000_000)
    result = cli_here("show", tmp_path / "huge.mbox")
    assert result.code == 2
    assert result.err.startswith(f"seriestool: '{tmp_path}/huge.mbox' is larger than 200 MB\nhint: ")


def test_real_series(cli: Cli) -> None:
    result = cli("show", shared("data/tls-session-tags/series.mbox"))
    assert result.code == 0
    assert "9 patches\n" in result.out
    assert "29 files\n" in result.out
