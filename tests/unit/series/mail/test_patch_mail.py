# SPDX-License-Identifier: GPL-2.0-or-later
"""Single mails, read as `git mailinfo` itself reads them; each is a file in tests/data/mail named after its case."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seriestool.series.mail import Mail, split_mbox
from seriestool.series.mail.mail_parser import has_whole_hunks, unflow
from seriestool.series.mail.patch_mail import parse_author, parse_patch
from seriestool.series.model import Patch
from tests.support.repos import ROOT

DATA = ROOT / "tests/data/mail"
# What git has no good answer for; their tests are below.
OTHERWISE = {"attached-format-patch", "with-html-twin", "flowed-but-not-stuffed", "signed", "base64-crlf"}
NO_DATE = {"hostile-date", "clock-wrong", "no-date"}
LIKE_GIT = sorted({path.stem for path in DATA.glob("*.eml")} - OTHERWISE)


def load(case: str) -> Patch:
    (raw,) = split_mbox((DATA / f"{case}.eml").read_bytes())
    return parse_patch(Mail(raw), 1)


def mailinfo(case: str, folder: Path) -> tuple[dict[str, str], str, bytes]:
    """(headers, message as git am cleans it, patch)."""
    raw = (DATA / f"{case}.eml").read_bytes()
    command = ["git", "mailinfo", str(folder / "message"), str(folder / "patch")]
    printed = subprocess.run(command, input=raw, capture_output=True, check=True, cwd=folder).stdout.decode()
    fields = dict(line.split(": ", 1) for line in printed.splitlines() if ": " in line)
    message = (folder / "message").read_bytes()
    clean = subprocess.run(["git", "stripspace"], input=message, capture_output=True, check=True, cwd=folder).stdout
    return fields, clean.decode().strip("\n"), (folder / "patch").read_bytes()


@pytest.mark.parametrize("case", LIKE_GIT)
def test_as_git_mailinfo_reads_it(case: str, tmp_path: Path) -> None:
    fields, message, diff = mailinfo(case, tmp_path)
    patch = load(case)
    assert (patch.author_name, patch.author_email) == (fields["Author"], fields["Email"])
    assert patch.subject == fields["Subject"]
    assert patch.message == message
    assert patch.diff and diff.rstrip(b"\n").endswith(patch.diff.rstrip(b"\n"))
    assert [file.path for file in patch.files] == [b"hello.txt"]
    if case not in NO_DATE:
        out = subprocess.run(
            ["git", "var", "GIT_AUTHOR_IDENT"],
            capture_output=True,
            env={**os.environ, "GIT_AUTHOR_DATE": fields["Date"]},
        )
        assert int(patch.date.timestamp()) == int(out.stdout.split()[-2])


def test_there_are_cases() -> None:
    assert len(LIKE_GIT) >= 20


def test_attached_format_patch_file_is_the_patch() -> None:
    patch = load("attached-format-patch")
    assert patch.subject == "hello: attached"
    assert (patch.author_name, patch.author_email) == ("B U Ilder", "builder@example.org")
    assert patch.date == datetime(2026, 1, 3, 1, 4, 5, tzinfo=UTC)
    assert patch.message.startswith("Because it is nicer.")
    assert len(patch.files) == 1


def test_html_twin_is_left_out() -> None:
    assert b"<p>" not in load("with-html-twin").diff


def test_signature_part_is_left_out() -> None:
    assert b"PGP" not in load("signed").diff


def test_carriage_returns_in_base64_are_kept() -> None:
    # The mailbox's own line ends are stripped; encoded ones are content (git-am(1), --quoted-cr).
    assert b"+deux\r\n" in load("base64-crlf").diff


def test_flowed_mail_that_was_never_flowed_keeps_its_diff() -> None:
    assert b"\n \n-two \n+deux\n" in load("flowed-but-not-stuffed").diff


def test_notes_and_trailers() -> None:
    patch = load("plain")
    assert patch.notes.startswith(" hello.txt | 2 +-")
    assert [(one.name, one.value) for one in patch.trailers] == [("Signed-off-by", "A U Thor <author@example.org>")]


@pytest.mark.parametrize(
    ("case", "moment"),
    [
        ("hostile-date", datetime(2026, 1, 5, 10, 0, 5, tzinfo=UTC)),
        ("no-date", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_date_falls_back(case: str, moment: datetime) -> None:
    assert load(case).date == moment


def test_posting_date_is_checked_against_the_first_server() -> None:
    mail = Mail((DATA / "clock-wrong.eml").read_bytes())
    assert mail.posted == datetime(2026, 1, 5, 10, 0, 5, tzinfo=UTC)
    assert parse_patch(mail, 1).date.year == 2037  # what git am would write


@pytest.mark.parametrize(
    ("value", "author"),
    [
        ("A <a@example.org>", ("A", "a@example.org")),
        ("Ann <a@example.org>", ("Ann", "a@example.org")),
        ("a@example.org", ("a@example.org", "a@example.org")),
        ("a at example.org (Ann Other)", ("Ann Other", "a@example.org")),
        ('"Other, Ann" <a@example.org>', ("Other, Ann", "a@example.org")),
        ("b@x <a@example.org>", ("b@x", "b@x")),
        ("", ("", "")),
    ],
)
def test_author(value: str, author: tuple[str, str]) -> None:
    assert parse_author(value) == author


def test_unflow_joins_and_unstuffs() -> None:
    assert unflow(b"a \nb\n  c\n-- \nsig\n", delsp=False) == b"a b\n c\n-- \nsig\n"
    assert unflow(b"a \nb\n", delsp=True) == b"ab\n"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (b"@@ -1,2 +1,2 @@\n a\n-b\n+c\n", True),
        (b"@@ -1,2 +1,2 @@\n a\n-b\n", False),
        (b"@@ -1 +1 @@\n-b\nc\n", False),
        (b"@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+c\n-- \n2.39\n", True),
        (b"no hunk\n", True),
    ],
)
def test_whole_hunks(text: bytes, whole: bool) -> None:
    assert has_whole_hunks(text) is whole


def test_nested_parts_are_bounded() -> None:
    body = b"text\n"
    for depth in range(200):
        mark = b"b%d" % depth
        body = b'Content-Type: multipart/mixed; boundary="%s"\n\n--%s\n%s\n--%s--\n' % (mark, mark, body, mark)
    assert Mail(body).parts == ()


def test_a_missing_closing_boundary_loses_nothing() -> None:
    raw = b'From: a@example.org\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nfirst\n--b\n\nsecond\n'
    assert [part.text for part in Mail(raw).parts] == [b"first\n", b"second\n"]


def test_a_million_lines() -> None:
    lines = b"+x\n" * 1_000_000
    head = b"diff --git a/f b/f\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/f\n"
    raw = b"From: a@example.org\nSubject: [PATCH] f\n\nm\n---\n" + head + b"@@ -0,0 +1,1000000 @@\n" + lines
    assert len(parse_patch(Mail(raw), 1).files[0].hunks[0].lines) == 1_000_000


def test_a_hunk_header_of_endless_numbers_in_flowed_text() -> None:
    text = b"@@ -1," + b"1" * 5000 + b" +1,1 @@\n a\n"
    assert unflow(text, False)


def test_a_nul_in_the_author_cannot_reach_git() -> None:
    assert parse_author("A\0 B <a\0@example.org>") == ("A B", "a@example.org")
