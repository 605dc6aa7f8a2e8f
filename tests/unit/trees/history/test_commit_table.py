# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of what commit messages say, against `git log --format` and by hand."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from seriestool.git import Repository
from seriestool.series.message.title_comparison import fold_title
from seriestool.trees.history import CommitTable, History, IndexedCommit, fingerprint, index_window, update
from tests.support.histories import indexed
from tests.support.repos import FIRST_DATE, Repo

Make = Callable[..., Repo]
ZONES = (b"+0000", b"-0330", b"+0545", b"+1400", b"-1200")
AUTHORS = (b"A U Thor <a@example.com>", "J\u00f6rg \u00c4 <j@example.com>".encode(), b"<empty@example.com>", b"C D <>")
TITLES = (
    b"net: one",
    b"net: one.",
    b"Net:  One",
    "f\u00fcr alle: \u00dcber".encode(),
    b'Revert "net: one"',
    b"two\nlines",
    b"x" * 1500,
    b"Fixes: 0123456789ab",
    b"\ttabs\there ",
    b"  blank",
    b"say `this'\\n",
    b"...",
    "\u2028odd \u00a0spaces".encode(),
    b"\x01odd",
)
ID = "0123456789abcdef0123456789abcdef01234567"
TEXTS = (
    b"Plain text: of a paragraph",
    b'Fixes: 0123456789ab ("quoted")\nand text',
    b"> This reverts commit 0123456789abcdef.",
    b"This reverts commit 0123456789abcdef0123456789abcdef01234567.",
    b"It does. This reverts commit 0123456.",
    b"(cherry picked from commit 0123456789abcdef)",
    b"\x01 not a commit 0 ",
    b"a\r\nb\r\n\r\nc",
    b":100644 100644",
    b" \n\t",
    b"Link: https://lore.kernel.org/r/in-the-text@example.com",
)
TRAILERS = (
    b"Signed-off-by: A <a@example.com>",
    b'Fixes: 0123456789ab ("net: one")',
    b"fixes: commit 0123456789ABCDEF",
    b"Fixes: #12",
    b"Fixes: 0123456 (x)\n  goes on",
    b"Link: https://lore.kernel.org/r/20240101.1@example.com",
    b"Link: https://example.com/x",
    b"LINK : https://patch.msgid.link/a%40b/",
    b"Message-Id: <20240101.2@example.com>",
    b"Message-ID: <m@x>\n\tmore",
    b"Change-Id: I0123456789",
    b"(cherry picked from commit 0123456789abcdef0123)",
    b"Not a trailer",
    b"Link: ",
    b"X:y",
    "Link: https://ex\u00e4mple.com".encode(),
    b"Link: \xff\xfe",
    b"Change-Id: " + b"z" * 600,
)


class Writer:
    """Adds commits with given messages to a repository, as they are, byte by byte."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self._time = FIRST_DATE

    def commit(self, message: bytes, **header: bytes) -> str:
        """One more commit on main; `header`: author, encoding, date (of the author)."""
        self._time += 60
        tree = self.repo.git("hash-object", "-t", "tree", "-w", "--stdin", input="")
        parent = self.repo.git("for-each-ref", "--format=%(objectname)", "refs/heads/main")
        author = header.get("author", AUTHORS[0])
        date = header.get("date", b"%d +0000" % self._time)
        lines = [b"tree " + tree.encode(), *([b"parent " + parent.encode()] if parent else [])]
        lines += [b"author %s %s" % (author, date), b"committer C <c@example.com> %d +0000" % self._time]
        lines += [b"encoding " + header["encoding"]] if "encoding" in header else []
        raw = b"\n".join([*lines, b"", message])
        file = self.repo.path / "raw-commit"
        file.write_bytes(raw)
        oid = self.repo.git("hash-object", "-t", "commit", "-w", "--literally", str(file))
        self.repo.git("update-ref", "refs/heads/main", oid)
        return oid


def made_message(chosen: random.Random) -> bytes:
    """A title and some paragraphs; the last one often has trailers."""
    parts = [chosen.choice(TITLES)]
    parts += [chosen.choice(TEXTS) for _ in range(chosen.choice([0, 0, 1, 2]))]
    if chosen.random() < 0.8:
        parts.append(b"\n".join(chosen.choice(TRAILERS) for _ in range(chosen.randrange(1, 6))))
    return chosen.choice([b"\n\n", b"\n\n", b"\n \n", b"\n\n\n"]).join(parts) + chosen.choice([b"", b"\n", b"\n\n"])


def printed(repo: Repo, form: str) -> dict[str, str]:
    """What git log prints of each commit, in that format."""
    out = repo.git_bytes("log", "--all", "-z", "--date=raw", "--encoding=UTF-8", f"--format=%H{form}").decode(
        "utf-8", "replace"
    )
    size = len(repo.git("rev-parse", "main"))
    return {one[:size]: one[size:] for one in out.split("\0") if one}


def trailers(repo: Repo, key: str) -> dict[str, list[str]]:
    """The values of git's own trailers of that name."""
    form = f"%(trailers:key={key},valueonly=true,unfold=true,separator=%x01)"
    return {oid: [value for value in text.split("\x01") if value] for oid, text in printed(repo, form).items()}


@pytest.fixture
def writer(make_repo: Make) -> Writer:
    return Writer(make_repo("written"))


def table_of(writer: Writer, folder: Path) -> CommitTable:
    return CommitTable(indexed(writer.repo, folder))


@pytest.mark.parametrize("seed", range(4))
def test_random_messages_as_git_log_reads_them(writer: Writer, tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311
    for count in (40, 3, 9, 1):
        for _ in range(count):
            date = b"%d %s" % (FIRST_DATE + chosen.randrange(10**6), chosen.choice(ZONES))
            writer.commit(made_message(chosen), author=chosen.choice(AUTHORS), date=date)
        history = indexed(writer.repo, tmp_path / "index")
    table = CommitTable(history)
    head = printed(writer.repo, "%x01%an%x01%ae%x01%ad%x01%ct%x01%s")
    links, changes = trailers(writer.repo, "Link"), trailers(writer.repo, "Change-Id")
    texts = printed(writer.repo, "%B")
    assert len(head) == len(history) == 53
    titles: dict[str, set[str]] = {}
    for oid, text in head.items():
        name, email, date, committed, title = text[1:].split("\x01", 4)
        found = table.find(oid)
        assert found is not None and history.oid(found.position) == oid
        assert (found.author_name, found.author_email, found.committed) == (name, email, int(committed))
        sign = -1 if found.zone < 0 else 1
        assert f"{found.authored} {'-' if sign < 0 else '+'}{abs(found.zone) // 60:02}{abs(found.zone) % 60:02}" == date
        if "\ufffd" not in texts[oid]:  # else all of it is read as Latin-1, as parse_commit does
            assert found.title.encode()[:1000] == title.encode()[:1000]
            assert list(found.links) == links[oid]
        assert list(found.change_ids) == [one for one in changes[oid] if len(one) < 500]
        titles.setdefault(fold_title(found.title), set()).add(oid)
    for oid in head:
        commit = table.find(oid)
        assert commit is not None
        assert {history.oid(at) for at in table.with_title(commit.title)} == titles[fold_title(commit.title)]
        for msgid in commit.msgids:
            assert commit.position in table.with_msgid(msgid)
        for change in commit.change_ids:
            assert commit.position in table.with_change_id(change)
    everything = [table.at(position) for position in range(len(history))]
    assert set(table.fixing(ID)) == {one.position for one in everything if one and any(map(ID.startswith, one.fixes))}
    assert set(table.reverting(ID)) == {
        one.position for one in everything if one and any(map(ID.startswith, one.reverts))
    }
    assert set(table.picking(ID)) == {one.position for one in everything if one and any(map(ID.startswith, one.picks))}


def test_what_one_message_says(writer: Writer, tmp_path: Path) -> None:
    fixed = writer.commit(b"net: a bug\n")
    message = f"""net: the fix

    This reverts commit 1111111111111111.
> This reverts commit 2222222222222222.
This reverts commit {fixed}.

Fixes: 3333333333333333 ("in the text")

Fixes: {fixed[:12]} ("net: a bug")
Link: https://lore.kernel.org/all/20240102.3-1-a@example.com/#t
Message-Id: <20240102.3-2-a@example.com>
Change-Id: I123
(cherry picked from commit {fixed[:10]})
"""
    oid = writer.commit(message.encode())
    table = table_of(writer, tmp_path / "index")
    found = table.find(oid)
    assert found is not None
    assert (found.fixes, found.reverts, found.picks) == ((fixed[:12],), (fixed,), (fixed[:10],))
    assert found.msgids == ("20240102.3-1-a@example.com", "20240102.3-2-a@example.com")
    assert table.fixing(fixed) == table.reverting(fixed) == table.picking(fixed) == (found.position,)
    assert table.with_msgid("20240102.3-2-a@example.com") == table.with_change_id("I123") == (found.position,)
    assert table.with_title("NET:  the fix.") == (found.position,)
    assert table.fixing(oid) == table.with_title("net") == table.with_msgid("") == ()
    assert table.missing == ()


def test_trailers_in_the_text_and_in_the_title_are_none(writer: Writer, tmp_path: Path) -> None:
    for message in (b"Link: https://a/b@c", b"t\n\nLink: https://a/b@c\n\ntext", b"t\n\nLink: https://a/b@c\nand text"):
        found = table_of_one(writer, tmp_path, message)
        assert found.links == found.msgids == ()


def table_of_one(writer: Writer, tmp_path: Path, message: bytes, **header: bytes) -> IndexedCommit:
    oid = writer.commit(message, **header)
    found = table_of(writer, tmp_path / "index").find(oid)
    assert found is not None
    return found


def test_a_message_in_another_encoding(writer: Writer, tmp_path: Path) -> None:
    title, author = "f\u00fcr: \u00dcber", "J\u00f6rg <j@example.com>"
    latin = table_of_one(
        writer, tmp_path, title.encode("latin-1"), author=author.encode("latin-1"), encoding=b"ISO-8859-1"
    )
    undeclared = table_of_one(writer, tmp_path, title.encode("latin-1"), author=author.encode("latin-1"))
    unknown = table_of_one(writer, tmp_path, title.encode(), author=author.encode(), encoding=b"no-such-charset")
    for found in (latin, undeclared, unknown):
        assert (found.title, found.author_name) == (title, "J\u00f6rg")
    assert len(table_of(writer, tmp_path / "index").with_title(title)) == 3


HOSTILE = {
    "a long line": b"t" * 3_000_000,
    "a long block of trailers": b"t\n\n" + b"Link: https://a/b@c\n" * 100_000,
    "a long value": b"t\n\nLink: https://a/" + b"b" * 100_000,
    "many targets": b"t\n\n" + b"This reverts commit 0123456789.\n" * 50_000,
    "blank lines": b"t\n\n" + b"\n \n" * 300_000,
    "continuations": b"t\n\nLink: x\n" + b" y\n" * 20_000,
    "tokens of the log": b"\x01" + b"a" * 40 + b" 1 \n:100644 100644 " + b"0" * 40,
    "no title": b"\n\n\n",
    "empty": b"",
    "nul": b"title\n\nLink: https://a/b@c\0Link: x",
    "utf-7 newline": b"t+AAo-u+AAA-v\n\n+AAA-",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_do_no_harm(writer: Writer, tmp_path: Path, name: str) -> None:
    header = {"encoding": b"UTF-7", "author": b"a+AAo-b <c+AAo-d>"} if name.startswith("utf-7") else {}
    before = writer.commit(b"net: before\n\nLink: https://a/before@c")
    hostile = writer.commit(HOSTILE[name], **header)
    after = writer.commit(b"net: after\n\nLink: https://a/after@c")
    table = table_of(writer, tmp_path / "index")
    assert [table.with_msgid(msgid) for msgid in ("before@c", "after@c")] == [
        (one.position,) for oid in (before, after) if (one := table.find(oid))
    ]
    found = table.find(hostile)
    assert found is not None and len(found.title) <= 1000 and len(found.links) <= 100 and len(found.reverts) <= 100


@pytest.mark.parametrize(
    "date", [b"", b"-5 +0000", b"99999999999999999999999 +0000", b"9999999999 +9999", b"x y", b"12 +x"]
)
def test_dates_that_are_none(writer: Writer, tmp_path: Path, date: bytes) -> None:
    found = table_of_one(writer, tmp_path, b"title", date=date)
    assert 0 <= found.authored < 2**32


def test_a_shallow_history_says_so(writer: Writer, make_repo: Make, tmp_path: Path) -> None:
    for number in range(6):
        writer.commit(b"number %d" % number)
    clone = make_repo("clone", bare=True)
    clone.git("fetch", "--quiet", "--depth=2", writer.repo.path.as_uri(), "main:refs/heads/main")
    table = CommitTable(indexed(clone, tmp_path / "index"))
    assert table.missing == ("the history is shallow",)
    assert (len(table.with_title("number 5")), len(table.with_title("number 1"))) == (1, 0)
    clone.git("fetch", "--quiet", "--unshallow", writer.repo.path.as_uri(), "main:refs/heads/main")
    table = CommitTable(indexed(clone, tmp_path / "index"))
    assert table.missing == () and len(table.with_title("number 1")) == 1


def test_a_window_says_that_it_knows_no_messages(writer: Writer) -> None:
    oid = writer.commit(b"title")
    with Repository.open(writer.repo.path) as git:
        table = CommitTable(index_window(git, git.refs(), 0, FIRST_DATE * 2).history([]))
    assert table.find(oid) is None and table.with_title("title") == ()
    assert table.missing == ("only a part of the history is indexed",)


def test_an_index_of_the_version_before_is_built_anew(writer: Writer, tmp_path: Path) -> None:
    oid = writer.commit(b"title")
    folder = tmp_path / "index"
    indexed(writer.repo, folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    old = {key: value for key, value in manifest.items() if key != "is_shallow"}
    (folder / "manifest.json").write_text(json.dumps({**old, "version": 2}))
    with Repository.open(writer.repo.path) as git:
        assert History.open(folder, fingerprint(git, git.refs())) is None
        found = CommitTable(update(git, git.refs(), folder)).find(oid)
    assert found is not None and found.title == "title"
    assert not set(manifest["layers"]) & {file.name for file in folder.iterdir()}


def test_merges_are_told(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"f": "1"})
    side = repo.commit({"g": "1"}, branch="side", parent=base)
    repo.commit({"f": "2"})
    repo.git("merge", "--quiet", "--no-ff", "-m", "both", side)
    table = CommitTable(indexed(repo, tmp_path / "index"))
    merged = table.find(repo.git("rev-parse", "HEAD"))
    plain = table.find(base)
    assert merged is not None and plain is not None
    assert (merged.is_merge, plain.is_merge) == (True, False)
