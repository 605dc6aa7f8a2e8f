# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits, trees and tags as git itself reads them: `git log` and `git ls-tree` are the judges."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.git import Commit, Repository, TreeEntry, TreeObject, parse_tag_name
from seriestool.git.objects import format_tree, parse_ident
from tests.support.repos import Repo

MakeRepo = Callable[..., Repo]

NOBODY = b"C O Mitter <committer@example.com> 1700000000 +0000"
FORMAT = "%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s"
"""What a Commit has, in the words of git-log(1)."""

IDENTS = (
    b"A U Thor <author@example.com> 1700000000 +0530",
    b"  A U Thor   <author@example.com> 1700000000 -0800",
    b" <author@example.com> 1700000000 +0000",
    b"A <one@example.com> B <two@example.com> 1700000000 +0000",
    b"A U Thor <> 12 +0000",
    b"A U Thor <a>b> 1700000000 +0000",
)
MESSAGES = (
    b"title\n",
    b"title",
    b"title\n\nText.\n",
    b"title that goes on\nin a second line  \n\nText.\n",
    b"\n\n  title \n \n\nText.\n",
    b"",
    b"\n",
)


def written(repo: Repo, raw: bytes) -> str:
    return repo.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input=raw)


def raw_commit(repo: Repo, author: bytes = NOBODY, message: bytes = b"x\n", more: bytes = b"") -> bytes:
    tree = repo.git("mktree", input=b"").encode()
    return b"tree %s\nauthor %s\ncommitter %s\n%s\n%s" % (tree, author, NOBODY, more, message)


def as_git_reads(repo: Repo, oid: str) -> list[str]:
    out = repo.git("log", "-1", "--no-mailmap", "--encoding=UTF-8", f"--format={FORMAT}", oid)
    return out.split("\0")


def as_we_read(commit: Commit) -> list[str]:
    people = [text for one in (commit.author, commit.committer) for text in (one.name, one.email, str(one.time))]
    return [commit.tree, " ".join(commit.parents), *people, commit.subject]


@pytest.mark.parametrize("author", IDENTS)
@pytest.mark.parametrize("message", MESSAGES)
def test_people_and_titles_are_read_as_git_reads_them(repo: Repo, author: bytes, message: bytes) -> None:
    raw = raw_commit(repo, author, message)
    oid = written(repo, raw)
    assert as_we_read(Commit(oid, raw)) == [text.strip() for text in as_git_reads(repo, oid)]  # we strip more than git


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("ISO-8859-1", "größer, von Jörg"),
        ("ISO-8859-15", "5 € mehr"),
        ("KOI8-R", "исправить"),
        ("EUC-JP", "修正"),
        ("UTF-8", "größer"),
        ("ISO-8859-1", "Ã¤ is what a Latin-1 commit may say"),
    ],
)
def test_text_is_decoded_by_the_encoding_header(repo: Repo, charset: str, text: str) -> None:
    oid = repo.commit({}, text, author=f"{text} <a@example.com>", charset=charset)
    with Repository.open(repo.path) as repository:
        commit = repository.objects.commit(oid)
    assert commit is not None
    assert (commit.author.name, commit.subject) == (text, text)
    assert as_we_read(commit) == as_git_reads(repo, oid)
    assert text.encode(charset) in commit.raw


@pytest.mark.parametrize("header", ["", "encoding UTF-8\n", "encoding no-such-thing\n", "encoding punycode\n"])
def test_what_is_in_no_encoding_that_we_know_is_utf_8_or_latin_1(repo: Repo, header: str) -> None:
    for raw, text in ((b"gr\xc3\xb6\xc3\x9fer", "größer"), (b"gr\xf6\xdfer", "größer")):
        commit = Commit("", raw_commit(repo, b"%s <a@b> 1 +0000" % raw, raw, header.encode()))
        assert (commit.author.name, commit.subject) == (text, text)


def test_signatures_and_merged_tags_are_no_fields(repo: Repo) -> None:
    first, second = (repo.commit({}, name, branch=name) for name in ("one", "two"))
    signed = b"gpgsig -----BEGIN\n author N O Body <x> 1 +0000\n \n parent 123\n -----END\n"
    raw = raw_commit(repo, more=b"mergetag object 12\n type commit\n author x\n" + signed)
    head, rest = raw.split(b"\n", 1)
    raw = b"%s\nparent %s\nparent %s\n%s" % (head, first.encode(), second.encode(), rest)
    commit = Commit("", raw)
    assert commit.parents == (first, second)
    assert (commit.author.name, commit.subject) == ("C O Mitter", "x")
    assert as_we_read(commit) == as_git_reads(repo, written(repo, raw))


def test_the_zone_of_a_date_stays() -> None:
    ident = parse_ident(b"A U Thor <a@example.com> 1700000000 +0530")
    assert (ident.zone, ident.date.isoformat()) == ("+0530", "2023-11-14T22:13:20+00:00")
    assert ident.line == "A U Thor <a@example.com> 1700000000 +0530"


@pytest.mark.parametrize("raw", [b"", b"A U Thor", b"A <a@b>", b"A <a@b> x y", b"<<<>>>", b"A <a@b> " + b"9" * 5000])
def test_an_odd_person_has_a_date_all_the_same(raw: bytes) -> None:
    assert parse_ident(raw).date.year == 1970


def test_a_date_after_the_last_year_is_the_last_one() -> None:
    assert parse_ident(b"A <a@b> 9999999999999 +0000").date.year == 9999


@given(st.binary(max_size=300))
def test_no_object_is_too_odd_to_be_read(raw: bytes) -> None:
    for data in (raw, b"tree 1\nauthor " + raw + b"\n\n" + raw):
        commit = Commit("1" * 40, data)
        assert isinstance(commit.message.trailers, tuple)
        as_we_read(commit)
    TreeObject.parse(raw, 20)
    parse_tag_name(raw)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_trees_are_read_as_git_reads_them(make_repo: MakeRepo, object_format: str) -> None:
    repo = make_repo("repo", object_format)
    repo.commit({"a b\n": "1\n", "run": ("2\n", 0o100755), "dir/x": "3\n", b"\xff": ("a", 0o120000)})
    raw = repo.git_bytes("cat-file", "tree", "HEAD^{tree}")
    lines = repo.git_bytes("ls-tree", "-z", "HEAD").split(b"\0")[:-1]
    expected = {}
    for meta, _, name in (line.partition(b"\t") for line in lines):
        mode, kind, oid = meta.decode().split()
        expected[name] = TreeEntry(int(mode, 8), kind, oid)
    with Repository.open(repo.path) as repository:
        assert repository.objects.tree("HEAD^{tree}") == expected
        assert repository.objects.tree("HEAD:run") is repository.objects.commit("HEAD:run") is None
    assert format_tree(expected) == raw


def test_a_tag_has_its_name_in_itself(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    repo.git("tag", "-a", "-m", "x", "v1")
    assert parse_tag_name(repo.git_bytes("cat-file", "tag", "v1")) == b"v1"
    assert parse_tag_name(repo.git_bytes("cat-file", "commit", "HEAD")) is None
