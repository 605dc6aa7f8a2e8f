# SPDX-License-Identifier: GPL-2.0-or-later
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seriestool.git import Repository
from seriestool.series.model import DiffKind
from seriestool.sources.resolve import SourceOptions, find_msgid_in_url, resolve
from seriestool.util.errors import InputError, NotFoundError
from tests.support.repos import ROOT, Repo

DATA = ROOT / "tests/data/mail"
ARCHIVE = SourceOptions(archives=(DATA / "two-versions.mbox",), offline=True)


def in_repository(repo: Repo, **options: object) -> SourceOptions:
    return SourceOptions(repository=lambda: Repository.open(repo.path), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        "v1-1@example.org",
        "<v1-1@example.org>",
        "id:v1-1@example.org",
        "https://lore.kernel.org/list/v1-1@example.org/",
        "https://lore.kernel.org/r/v1-1@example.org",
        "http://lore.kernel.org/all/v1-1%40example.org/T/#m123",
        "https://patch.msgid.link/v1-1@example.org",
        "https://lkml.kernel.org/r/v1-1@example.org",
        "https://patchwork.kernel.org/project/netdevbpf/patch/v1-1@example.org/",
        "https://inbox.example.org/list/v1-1@example.org/raw",
    ],
)
def test_every_form_of_a_message_id(name: str) -> None:
    assert resolve(name, ARCHIVE).msgid == "v2-0@example.org"


@pytest.mark.parametrize("name", ["20260101-french-0123456789ab", "change-id:20260101-french-0123456789ab"])
def test_change_id(name: str) -> None:
    options = SourceOptions(archives=(DATA / "change-id-new-title.mbox",), offline=True)
    assert resolve(name, options).msgid == "v2@example.org"


def test_archives_are_asked_in_order() -> None:
    options = SourceOptions(archives=(DATA / "lone-patch.mbox", DATA / "two-versions.mbox"), offline=True)
    assert resolve("v1-1@example.org", options).version == 2


def test_archive_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no archive"):
        resolve("a@example.org", SourceOptions(archives=(tmp_path / "x",)))


def test_offline_and_unknown() -> None:
    with pytest.raises(NotFoundError, match=r"'a@example\.org' is neither in the cache nor in an archive"):
        resolve("a@example.org", ARCHIVE)


def test_offline_and_an_unknown_change_id(tmp_path: Path) -> None:
    options = SourceOptions(offline=True, cache_dir=tmp_path)
    with pytest.raises(NotFoundError, match=r"'nothing' in the cache or in an archive$"):
        resolve("change-id:nothing", options)


def test_standard_input() -> None:
    data = (DATA / "two-versions.mbox").read_bytes()
    assert resolve("-", SourceOptions(version=1, read_stdin=lambda: data)).version == 1


def test_page_of_a_list_archive() -> None:
    assert resolve(str(DATA / "pipermail-reply.txt")).titles
    series = resolve(str(DATA / "pipermail-patch.txt"))
    assert (series.subject, len(series.patches)) == ("hello: say two in French", 1)
    assert series.patches[0].author_email == "author@example.org"


@pytest.mark.parametrize(
    "content", [b"", b"\0\xff" * 500, b"just words\n", b"#!/bin/sh\nexit\n", b"key: value\nother: thing\n"]
)
def test_not_a_mail_at_all(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match="has no mail in it"):
        resolve(str(tmp_path / "x"))


def test_a_truncated_mbox_is_incomplete(tmp_path: Path) -> None:
    data = (DATA / "no-cover-chained.mbox").read_bytes()
    (tmp_path / "x.mbox").write_bytes(data[: data.index(b"PATCH 3/3")])
    with pytest.raises(InputError, match="patch 3 of 3 is missing"):
        resolve(str(tmp_path / "x.mbox"))


def test_a_mail_cut_in_its_diff_is_corrupt(tmp_path: Path) -> None:
    data = (DATA / "plain.eml").read_bytes()
    (tmp_path / "x.eml").write_bytes(data[: data.index(b"+deux")])
    with pytest.raises(InputError, match="patch 1 'hello: say two in French': corrupt patch"):
        resolve(str(tmp_path / "x.eml"))


def test_path_wins_over_message_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v1-1@example.org").write_bytes((DATA / "lone-patch.mbox").read_bytes())
    assert resolve("v1-1@example.org", ARCHIVE).msgid == "1@example.org"


@pytest.mark.parametrize("name", ["", "nonsense", "a b@c", "x" * 5000, "a\0b", "no/such/file.mbox", "/"])
def test_names_of_nothing(name: str) -> None:
    with pytest.raises(InputError):
        resolve(name, ARCHIVE)


def test_git_archive_alone_has_many_series(make_repo: Callable[..., Repo]) -> None:
    with pytest.raises(InputError, match="has many series") as caught:
        resolve(str(make_repo("inbox.git", bare=True).path))
    assert "--archive" in (caught.value.hint or "")


def test_folder_made_by_format_patch(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "1\n"})
    repo.commit({"f": "2\n"}, "second", author="B <b@example.org>")
    repo.commit({"f": "3\n"}, "third", date=1_800_000_000)
    repo.git("format-patch", "--quiet", "--cover-letter", "-o", str(tmp_path / "out"), f"{base}..")
    series = resolve(str(tmp_path / "out"))
    assert [patch.subject for patch in series.patches] == ["second", "third"]
    assert series.cover is not None


# --- ranges -------------------------------------------------------------------------------------------------------


def test_range(repo: Repo) -> None:
    base = repo.commit({"old": "1\n2\n3\n4\n5\n"})
    repo.commit({"old": None, "new": "1\n2\n3\n4\nfive\n"}, "one\n\nbody\n\nSigned-off-by: A <a@example.org>")
    tip = repo.commit({"bin": bytes(range(256))}, "two [not a prefix]", branch="main")
    for name in (f"{base}..{tip}", f"{base}..", "main~2..main", "HEAD~2..HEAD"):
        series = resolve(name, in_repository(repo))
        assert [patch.subject for patch in series.patches] == ["one", "two [not a prefix]"]
    (diff,) = series.patches[0].files
    assert diff.kind is DiffKind.RENAME
    assert diff.old_blob == repo.git("rev-parse", f"{base}:old")
    assert series.patches[0].message == "body\n\nSigned-off-by: A <a@example.org>"
    assert series.posted == datetime.fromtimestamp(int(repo.git("log", "-1", "--format=%ct")), UTC)


def test_range_does_not_depend_on_the_configuration(repo: Repo) -> None:
    base = repo.commit({"f": "1\n" * 20})
    repo.commit({"f": "1\n" * 10 + "2\n" + "1\n" * 10}, "one")
    expected = resolve(f"{base}..", in_repository(repo))
    for key, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.context": "0",
        "diff.external": "false",
        "diff.renames": "false",
        "format.attach": "x",
        "format.subjectPrefix": "RFC PATCH",
        "format.coverLetter": "true",
        "format.headers": "X-Hidden: yes",
        "format.signature": "me",
        "format.from": "true",
        "format.notes": "true",
        "format.useAutoBase": "true",
        "format.thread": "true",
        "color.ui": "always",
        "core.abbrev": "7",
    }.items():
        repo.git("config", key, value)
    assert resolve(f"{base}..", in_repository(repo)) == expected


def test_range_with_a_message_that_looks_like_a_mailbox(repo: Repo) -> None:
    base = repo.commit({"f": "1\n"})
    repo.commit({"f": "2\n"}, f"one\n\nFrom {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: x@example.org\n>From y\n")
    (patch,) = resolve(f"{base}..", in_repository(repo)).patches
    assert patch.message == f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: x@example.org\n>From y"


def test_range_with_a_commit_that_changes_nothing(repo: Repo) -> None:
    base = repo.commit({"f": "1\n"})
    repo.commit({"f": "2\n"}, "one")
    repo.commit({}, "two")
    with pytest.raises(InputError, match=rf"a commit of '{base}\.\.' changes nothing: 'two'") as error:
        resolve(f"{base}..", in_repository(repo))
    assert "--no-keep-empty" in (error.value.hint or "")
    assert [one.subject for one in resolve(f"{base}..", in_repository(repo, partial=True)).patches] == ["one"]


def test_empty_range(repo: Repo) -> None:
    repo.commit({"f": "1\n"})
    with pytest.raises(InputError, match=r"'HEAD\.\.HEAD' has no commits"):
        resolve("HEAD..HEAD", in_repository(repo))


def test_range_of_unknown_commits(repo: Repo) -> None:
    repo.commit({"f": "1\n"})
    with pytest.raises(NotFoundError, match="'nowhere' is no commit"):
        resolve("nowhere..HEAD", in_repository(repo))
    with pytest.raises(InputError, match="three dots"):
        resolve("HEAD...HEAD", in_repository(repo))


def test_range_cannot_be_an_option(repo: Repo) -> None:
    repo.commit({"f": "1\n"})
    with pytest.raises(InputError):
        resolve(f"--output={os.devnull}..HEAD", in_repository(repo))


def test_message_id_with_two_dots(repo: Repo) -> None:
    repo.commit({"f": "1\n"})
    with pytest.raises(NotFoundError, match="neither in the cache"):
        resolve("a..b@example.org", in_repository(repo, offline=True))


@pytest.mark.parametrize(
    ("url", "msgid"),
    [
        ("https://x.example/a@b/", "a@b"),
        ("https://x.example/%3Ca@b%3E/", "a@b"),
        ("https://x.example/list/a%2Bc@b/T/", "a+c@b"),
        ("https://x.example/about", None),
    ],
)
def test_message_id_in_url(url: str, msgid: str | None) -> None:
    assert find_msgid_in_url(url) == msgid


@pytest.mark.parametrize("url", ["https://[/a@example.org/", "https://[::1/a@example.org/"])
def test_a_url_whose_host_is_none(url: str) -> None:
    assert find_msgid_in_url(url) is None
    with pytest.raises(InputError, match="names no mail"):
        resolve(url)
