# SPDX-License-Identifier: GPL-2.0-or-later
"""What fetch writes: `git am` of it makes what `git am` of the original mails makes."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from seriestool.series.mail import Mail, assemble, parse_mails, split_mbox
from seriestool.series.mail.mbox_writer import format_date, mbox_name, write_mbox
from seriestool.series.model import Series
from tests.support.repos import ROOT, Repo

DATA = ROOT / "tests/data/mail"
# git has no good answer for these two; and patches of these need another base.
ALL = sorted({path.stem for path in DATA.glob("*.eml")} - {"attached-format-patch", "with-html-twin", "clock-wrong"})
OTHER_BASE = {"flowed-but-not-stuffed", "base64-crlf"}


def load(name: str) -> Series:
    return assemble(parse_mails(split_mbox((DATA / name).read_bytes())))


def apply(repo: Repo, mbox: bytes, base: str) -> str:
    repo.git("reset", "--quiet", "--hard", base)
    repo.git("am", "--quiet", input=mbox)
    return repo.git("log", "--format=%T%n%an%n%ae%n%at%n%B", f"{base}..")


@pytest.mark.parametrize("case", [case for case in ALL if case not in OTHER_BASE])
def test_git_am_makes_the_same_commit(case: str, repo: Repo) -> None:
    base = repo.commit({"hello.txt": "one\ntwo\nthree\n"})
    original = (DATA / f"{case}.eml").read_bytes()
    if case == "hostile-date":  # git am refuses the original
        assert apply(repo, write_mbox(load(f"{case}.eml")), base)
        return
    expected = apply(repo, b"From x@example.org Mon Jan  5 10:00:00 2026\n" + original, base)
    got = apply(repo, write_mbox(load(f"{case}.eml")), base)
    if case == "no-date":  # git takes today's date, and we take 1970
        assert got.splitlines()[0] == expected.splitlines()[0]
    else:
        assert got == expected


def test_a_series_with_cover_letter(repo: Repo) -> None:
    base = repo.commit({"hello.txt": "one\ntwo\nthree\n"})
    apply(repo, write_mbox(load("two-versions.mbox")), base)
    assert repo.git("show", "HEAD:hello.txt") == "one\ndeux\ntrois"
    assert repo.git("log", "--format=%s", f"{base}..").split("\n") == [
        "hello: say three in French",
        "hello: say two in French",
    ]


@pytest.mark.parametrize(
    ("case", "before", "after"),
    [
        ("CRLF", b"one\r\ntwo\r\n", b"one\r\n2\r\n"),
        ("mixed line ends", b"one\r\ntwo\n", b"one\n2\r\n"),
        ("a From line", b"x\n", b"From me Mon Sep 17 00:00:00 2001\nX: y\n"),
        ("Latin-1", b"caf\xe9\n", b"th\xe9\n"),
        ("no newline at the end", b"x", b"y"),
        ("long lines", b"x" * 5000 + b"\n", b"y" * 5000 + b"\n"),
        ("binary", bytes(range(256)), bytes(range(255, -1, -1))),
        ("NUL in a text", b"x\n" * 6000 + b"\0\n", b"y\n" + b"x\n" * 6000 + b"\0\n"),
    ],
)
def test_contents_that_mail_might_break(
    case: str, before: bytes, after: bytes, repo: Repo, make_repo: Callable[..., Repo]
) -> None:
    base = repo.commit({"f": before})
    repo.commit({"f": after}, "change\n\nFrom here on it is\n>From there\n\nFrom x Mon Jan  5 10:00:00 2026\nA: b\n")
    # As bytes of one mail: no transport has touched it.
    (raw,) = split_mbox(repo.format_patch(f"{base}..", "--binary", "--full-index"))[:1] or (b"",)
    series = from_repository(repo, base)
    fresh = make_repo("fresh")
    start = fresh.commit({"f": before})
    fresh.git("am", "--quiet", "--keep-cr", input=write_mbox(series))
    assert fresh.git_bytes("cat-file", "blob", "HEAD:f") == after
    assert fresh.git("log", "--format=%B", f"{start}..") == repo.git("log", "--format=%B", f"{base}..")
    assert raw


def from_repository(repo: Repo, base: str) -> Series:
    from seriestool.git import Repository
    from seriestool.sources.resolve import SourceOptions, resolve

    with Repository.open(repo.path) as repository:
        return resolve(f"{base}..HEAD", SourceOptions(repository=lambda: repository))


@pytest.mark.parametrize("name", ["Ann", "Ünï Cödé", 'O\'Neil, "Al" (x)', "名前 " * 6])
def test_author_names_survive(name: str) -> None:
    series = load("lone-patch.mbox")
    patch = replace(series.patches[0], author_name=name.strip(), subject="Ünï" * 40)
    (raw,) = split_mbox(write_mbox(replace(series, patches=(patch,))))
    again = assemble([Mail(raw)]).patches[0]
    assert (again.author_name, again.subject) == (name.strip(), "Ünï" * 40)


def test_a_base_commit_is_stated_and_replaces_the_old_one() -> None:
    for name in ("lone-patch.mbox", "no-cover-shallow.mbox"):
        series = load(name)
        assert series.base.commit == "1" * 40
        again = assemble(parse_mails(split_mbox(write_mbox(series, "a" * 40))))
        assert again.base.commit == "a" * 40
        assert b"1" * 40 not in write_mbox(series, "a" * 40)


def test_what_is_written_reads_the_same() -> None:
    series = load("two-versions.mbox")
    again = assemble(parse_mails(split_mbox(write_mbox(series))))
    assert again.patches == series.patches
    assert again.version == 2


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("two-versions.mbox", "v2_20260106_author_some_french.mbx"),
        ("lone-patch.mbox", "20260105_author_hello_say_two_in_french.mbx"),
    ],
)
def test_file_name(name: str, file: str) -> None:
    assert mbox_name(load(name)) == file


def test_file_name_is_never_a_path() -> None:
    assert "/" not in mbox_name(replace(load("lone-patch.mbox"), subject="../../etc/passwd \0 " * 50))
    assert len(mbox_name(replace(load("lone-patch.mbox"), subject="x" * 500))) < 120


def test_date() -> None:
    assert format_date(datetime(2026, 1, 5, 9, 8, 7, tzinfo=UTC)) == "Mon, 5 Jan 2026 09:08:07 +0000"
