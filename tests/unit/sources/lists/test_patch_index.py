# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of patches: what it is asked, and what it answers."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seriestool.series.model import DiffKind
from seriestool.sources.lists import BlobEdge, ListedPatch
from seriestool.sources.lists.list_update import UpdateTally, update_list
from seriestool.sources.lists.patch_index import find_index
from seriestool.sources.lists.patch_index_writer import PatchIndexWriter, make_index
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from tests.support.mails import diff, fill, mail, series
from tests.support.repos import Repo

Make = Callable[..., Repo]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PatchIndexWriter]:
    with make_index(tmp_path / "lists.sqlite") as made:
        yield made


@pytest.fixture
def archive(make_repo: Make) -> Repo:
    return make_repo("0.git", bare=True)


def read(index: PatchIndexWriter, repo: Repo, mails: Sequence[bytes], name: str = "list") -> UpdateTally:
    return update_list(index, name, str(fill(repo, mails)), Path("unused"))


def msgids(patches: Sequence[ListedPatch]) -> list[str]:
    return [patch.msgid for patch in patches]


def test_everything_that_is_known_of_a_patch(index: PatchIndexWriter, archive: Repo) -> None:
    raw = mail(
        "a@x", "[PATCH net v3 2/2] f: =?utf-8?q?caf=C3=A9?=", diff(), below="other@x",
        message="From: Zoë <zoe@example.com>\n\nwhy\n\nchange-id: 20260601-x")  # fmt: skip
    assert read(index, archive, [raw]) == UpdateTally(mails=1, added=1)
    patch = index.find_patch("a@x")
    assert patch is not None
    assert (patch.subject, patch.author, patch.version, patch.counter, patch.expected) == (
        "f: café", "Zoë <zoe@example.com>", 3, 2, 2,
    )  # fmt: skip
    assert patch.date == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert patch.edges == (BlobEdge(b"f", None, "1111111", "2222222", "modify"),)
    assert (patch.series, patch.lists) == ("a@x", ("list",))
    assert patch.patch_id
    assert index.read_mail(patch) == raw
    assert index.read_patch(patch).files[0].new_blob == "2222222"


@pytest.mark.parametrize(
    ("stored", "asked", "found"),
    [
        ("1234567", "1234567", True),
        ("1234567", "12345678", True),
        ("1234567", "1234567" + "a" * 33, True),
        ("1234567", "123456", True),
        ("1234567", "1234", True),
        ("1234567", "1234568", False),
        ("1234567", "12345680", False),
        ("1234567", "1235", False),
        ("1234", "1234567", True),
        ("f" * 40, "f" * 40, True),
        ("f" * 40, "f" * 12, True),
        ("f" * 40, "f" * 64, True),
        ("f" * 12, "f" * 40, True),
        ("8" + "0" * 39, "8000", True),
        ("7" + "f" * 39, "8000", False),
        ("0000001", "00000010", True),
        ("0000001", "00000001", False),
    ],
)
def test_ids_match_in_both_directions(
    index: PatchIndexWriter, archive: Repo, stored: str, asked: str, found: bool
) -> None:
    read(
        index,
        archive,
        [
            mail("a@x", "[PATCH] f", diff(old="1" * 7, new=stored)),
            mail("b@x", "[PATCH] g", diff(old=stored, new="2" * 7)),
        ],
    )
    assert bool(index.find_making(asked)) is found
    assert msgids(index.find_needing(asked)) == (["b@x"] if found else [])


@pytest.mark.parametrize("bad", ["", "123", "xyzw", "1234567'", "ABCDEF1", "1" * 65])
def test_what_is_no_id_is_refused(index: PatchIndexWriter, bad: str) -> None:
    with pytest.raises(InputError, match="is not a blob id"):
        index.find_making(bad)


def test_newest_first_limited_and_by_path(index: PatchIndexWriter, archive: Repo) -> None:
    read(
        index,
        archive,
        [mail(f"{day}@x", "[PATCH] f", diff(path), day=day) for day, path in ((2, "f"), (9, "g"), (5, "f"))],
    )
    assert msgids(index.find_making("2222222")) == ["9@x", "5@x", "2@x"]
    assert msgids(index.find_making("2222222", limit=1)) == ["9@x"]
    assert msgids(index.find_making("2222222", b"f")) == ["5@x", "2@x"]
    assert index.find_making("2222222", b"unknown") == ()
    near = datetime(2026, 6, 4, tzinfo=UTC)
    assert msgids(index.find_touching(b"f", near)) == ["5@x", "2@x"]
    assert msgids(index.find_touching(b"f", near, 1)) == ["5@x"]


def test_kinds_of_edges(index: PatchIndexWriter, archive: Repo) -> None:
    created = (
        "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..3333333\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"
    )
    deleted = (
        "diff --git a/o b/o\ndeleted file mode 100644\nindex 4444444..0000000\n"
        "--- a/o\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    renamed = "diff --git a/p b/q\nsimilarity index 100%\nrename from p\nrename to q\n"
    changed = (
        "diff --git a/r b/s\nsimilarity index 90%\ncopy from r\ncopy to s\nindex 5555555..6666666 100644\n"
        "--- a/r\n+++ b/s\n@@ -1 +1 @@\n-x\n+y\n"
    )
    bare = "--- a/t\n+++ b/t\n@@ -1 +1 @@\n-x\n+y\n"
    read(index, archive, [mail("a@x", "[PATCH] all", created, deleted, renamed, changed, bare)])
    patch = index.find_patch("a@x")
    assert patch is not None
    assert patch.edges == (
        BlobEdge(b"n", None, None, "3333333", DiffKind.CREATE),
        BlobEdge(b"o", None, "4444444", None, DiffKind.DELETE),
        BlobEdge(b"q", b"p", None, None, DiffKind.RENAME),
        BlobEdge(b"s", b"r", "5555555", "6666666", DiffKind.COPY),
        BlobEdge(b"t", None, None, None, DiffKind.MODIFY),
    )
    assert index.edges_of(b"r") == ((patch.number, patch.edges[3]),) == index.edges_of(b"s")
    assert index.edges_of(b"p") == ((patch.number, patch.edges[2]),)
    assert index.edges_of(b"unknown") == ()
    assert msgids(index.find_needing("5555555", b"r")) == ["a@x"]
    assert index.find_needing("5555555", b"s") == ()
    assert msgids(index.find_making("6666666", b"s")) == ["a@x"]


def test_a_series_in_order_by_any_of_its_message_ids(index: PatchIndexWriter, archive: Repo) -> None:
    read(index, archive, [series("one", 3)[i] for i in (2, 0, 3, 1)] + series("two", 2))
    wanted = ["one-v1-1@x", "one-v1-2@x", "one-v1-3@x"]
    for msgid in ("one-v1-0@x", "one-v1-2@x"):
        assert msgids(index.series_of(msgid)) == wanted
    assert {patch.series for patch in index.series_of("one-v1-0@x")} == {"one-v1-0@x"}
    assert {patch.title for patch in index.series_of("one-v1-0@x")} == {"one: all"}
    assert index.series_of("unknown@x") == ()


def test_a_series_without_cover_letter_has_the_name_of_its_first_patch(index: PatchIndexWriter, archive: Repo) -> None:
    read(index, archive, series("one", 2, cover=False))
    assert [patch.series for patch in index.series_of("one-v1-2@x")] == ["one-v1-1@x"] * 2
    assert [patch.title for patch in index.series_of("one-v1-2@x")] == ["one: part 1"] * 2


def test_a_cover_letter_that_comes_in_a_later_update(index: PatchIndexWriter, archive: Repo) -> None:
    cover, *patches = series("one", 2)
    read(index, archive, patches)
    assert {patch.series for patch in index.series_of("one-v1-1@x")} == {"one-v1-1@x"}
    read(index, archive, [cover])
    assert msgids(index.series_of("one-v1-0@x")) == ["one-v1-1@x", "one-v1-2@x"]


def test_a_list_that_has_less_of_a_series_takes_nothing_away(index: PatchIndexWriter, make_repo: Make) -> None:
    cover, *patches = series("one", 3)
    read(index, make_repo("a.git", bare=True), [cover, *patches], "a")
    read(index, make_repo("b.git", bare=True), patches[1:], "b")
    found = index.series_of("one-v1-0@x")
    assert [(patch.series, patch.lists) for patch in found] == [
        ("one-v1-0@x", ("a",)), ("one-v1-0@x", ("a", "b")), ("one-v1-0@x", ("a", "b")),
    ]  # fmt: skip


def test_the_list_with_the_cover_letter_wins_also_when_it_comes_second(
    index: PatchIndexWriter, make_repo: Make
) -> None:
    cover, *patches = series("one", 3)
    read(index, make_repo("b.git", bare=True), patches[1:], "b")
    read(index, make_repo("a.git", bare=True), [cover, *patches], "a")
    assert len(index.series_of("one-v1-0@x")) == 3


def test_versions_by_title(index: PatchIndexWriter, archive: Repo) -> None:
    read(
        index,
        archive,
        series("one", 2, 2, day=3) + series("one", 2, day=1) + series("two", 2) + series("one", 3, 3, day=9),
    )
    assert index.find_versions("one-v2-0@x") == ("one-v1-0@x", "one-v2-0@x", "one-v3-0@x")
    assert index.find_versions("one-v1-2@x") == index.find_versions("one-v3-0@x")
    assert index.find_versions("unknown@x") == ()


def test_versions_by_change_id(index: PatchIndexWriter, archive: Repo) -> None:
    read(index, archive, series("one", 2, 1, change_id="c-1") + series("renamed", 2, 2, day=4, change_id="c-1")
         + series("one", 2, 3, day=6, cover=False, change_id="c-2"))  # fmt: skip
    assert index.find_versions("one-v1-0@x") == ("one-v1-0@x", "renamed-v2-0@x")
    assert msgids(index.find_change_id("c-1")) == ["one-v1-1@x", "one-v1-2@x", "renamed-v2-1@x", "renamed-v2-2@x"]
    assert index.find_change_id("c-9") == ()


def test_the_same_change_in_two_mails(index: PatchIndexWriter, archive: Repo) -> None:
    again = mail("b@x", "[PATCH v2] f", diff(old="9999999"), day=2)
    read(index, archive, [mail("a@x", "[PATCH] f", diff()), again, mail("c@x", "[PATCH] f", diff(line="other"))])
    patch = index.find_patch("a@x")
    assert patch is not None
    assert patch.patch_id is not None
    assert msgids(index.find_patch_id(patch.patch_id)) == ["b@x", "a@x"]
    assert index.find_patch_id("0" * 40) == index.find_patch_id("no id") == ()


def test_replies_are_no_patches(index: PatchIndexWriter, archive: Repo) -> None:
    assert read(index, archive, [mail("a@x", "Re: [PATCH] f", diff()), mail("b@x", "plain talk")]).added == 0
    assert len(index) == 0


def test_a_mail_with_a_diff_that_calls_itself_nothing(index: PatchIndexWriter, archive: Repo) -> None:
    read(index, archive, [mail("a@x", "see what I have done", diff())])
    assert msgids(index.find_making("2222222")) == ["a@x"]


def test_reading_only(index: PatchIndexWriter, archive: Repo, tmp_path: Path) -> None:
    read(index, archive, series("one", 2))
    assert find_index(tmp_path / "none.sqlite") is None
    found = find_index(tmp_path / "lists.sqlite")
    assert found is not None
    with found:
        assert len(found) == 2
        assert [patch.number for patch in found.find_patches([2, 7, 1, 2])] == [2, 1]


def test_damage_is_said_and_mended(archive: Repo, tmp_path: Path) -> None:
    path = tmp_path / "lists.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(OutsideError, match="damaged"):
        find_index(path)
    with make_index(path) as index:
        read(index, archive, series("one", 2))
        assert len(index) == 2


def test_a_mail_whose_archive_is_gone(index: PatchIndexWriter, archive: Repo, tmp_path: Path) -> None:
    read(index, archive, [mail("a@x", "[PATCH] f", diff())])
    archive.path.rename(tmp_path / "elsewhere")
    patch = index.find_patch("a@x")
    assert patch is not None
    with pytest.raises((NotFoundError, OutsideError)):
        index.read_mail(patch)
