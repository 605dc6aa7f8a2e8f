# SPDX-License-Identifier: GPL-2.0-or-later
"""A real public-inbox server answers as a local archive does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seriestool.sources.lists import ListedPatch
from seriestool.sources.lists.list_update import update_list
from seriestool.sources.lists.patch_index_writer import make_index
from seriestool.sources.lists.remote_lists import RemoteLists
from seriestool.sources.lore import Lore
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from tests.support.mails import diff, mail, series
from tests.support.servers import ADDRESS, public_inbox

NEAR = datetime(2026, 6, 2, tzinfo=UTC)
QUOTED = 'a"b'


def all_mails() -> list[bytes]:
    return [
        *series("one", 3, change_id="20260601-one-0123456789ab"),
        *series("one", 3, 2, day=4, change_id="20260601-one-0123456789ab"),
        *series("two", 2, cover=False, day=5),
        mail("lone@x", "[PATCH] g: alone", diff("dir/g.c", "abcdef012345", "fedcba987654"), day=6),
        mail("reply@x", "Re: [PATCH] g: alone", diff("dir/g.c", "abcdef012345", "9999999"), below="lone@x", day=7),
    ]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    to = f"To: {ADDRESS}\nList-Id: <list.example.org>\nSubject: ".encode()
    mails = [raw.replace(b"Subject: ", to, 1) for raw in all_mails()]
    with public_inbox(tmp_path_factory.mktemp("lists"), mails) as found:
        yield found


@dataclass
class Counting:
    """Lore, and how often it was asked."""

    lore: Lore
    asked: list[str] = field(default_factory=list)

    def search(self, query: str) -> Sequence[bytes]:
        self.asked.append(query)
        return self.lore.search(query)

    def get_thread(self, msgid: str) -> Sequence[bytes]:
        self.asked.append(msgid)
        return self.lore.get_thread(msgid)


@pytest.fixture
def server(url: str, tmp_path: Path) -> Counting:
    return Counting(Lore(url, cache_dir=tmp_path / "cache"))


@pytest.fixture
def lists(server: Counting) -> Iterator[RemoteLists]:
    with RemoteLists(server) as found:
        yield found


def msgids(patches: Sequence[ListedPatch]) -> list[str]:
    return [patch.msgid for patch in patches]


@pytest.mark.parametrize("asked", ["fedcba9", "fedcba987654", "fedcba987654" + "3" * 28])
def test_who_makes_a_blob(lists: RemoteLists, asked: str) -> None:
    assert msgids(lists.find_making(asked)) == ["lone@x"]
    assert msgids(lists.find_making(asked, b"dir/g.c")) == ["lone@x"]
    assert lists.find_making(asked, b"other") == ()


def test_who_needs_a_blob(lists: RemoteLists) -> None:
    assert msgids(lists.find_needing("abcdef012345")) == ["lone@x"]
    assert lists.find_needing("fedcba987654") == ()


def test_what_the_server_does_not_have(lists: RemoteLists) -> None:
    assert lists.find_making("7777777") == lists.find_patch_id("0" * 40) == lists.find_change_id("none") == ()
    assert lists.find_patch("none@x") is None
    assert lists.series_of("none@x") == ()


def test_a_series_is_whole_though_one_patch_of_it_was_asked_for(lists: RemoteLists, server: Counting) -> None:
    (patch,) = lists.find_making("2000002")
    assert (patch.msgid, patch.series, patch.version) == ("one-v2-2@x", "one-v2-0@x", 2)
    assert msgids(lists.series_of(patch.series)) == ["one-v2-1@x", "one-v2-2@x", "one-v2-3@x"]
    assert [one.title for one in lists.series_of(patch.series)] == ["one: all"] * 3


def test_one_request_for_many_blobs_and_none_for_the_same_again(lists: RemoteLists, server: Counting) -> None:
    lists.prefetch(making=["fedcba987654", "1000001", "2000001"], needing=["abcdef012345", "abcdef0"])
    assert server.asked == ["dfpost:fedcba9 OR dfpost:1000001 OR dfpost:2000001 OR dfpre:abcdef0"]
    assert msgids(lists.find_making("fedcba9876")) == ["lone@x"]
    assert msgids(lists.find_needing("abcdef012345")) == ["lone@x"]
    assert len(server.asked) == 1


def test_one_request_for_many_paths(lists: RemoteLists, server: Counting) -> None:
    lists.prefetch_touching([b"dir/g.c", b"f", b"dir/g.c", QUOTED.encode()], NEAR)
    assert server.asked == ['(dfn:"dir/g.c" OR dfn:"f") d:20260403..20260801']
    assert msgids(lists.find_touching(b"dir/g.c", NEAR)) == ["lone@x"]
    assert len(lists.find_touching(b"f", NEAR)) == 8
    assert len(server.asked) == 1


def test_one_request_for_many_patch_ids(lists: RemoteLists, server: Counting) -> None:
    with RemoteLists(server.lore) as other:
        found = [other.find_patch(msgid) for msgid in ("lone@x", "one-v1-1@x")]
    ids = [patch.patch_id for patch in found if patch and patch.patch_id]
    lists.prefetch_patch_ids([*ids, ids[0], "0 OR 1"])
    assert server.asked == [f"patchid:{ids[0]} OR patchid:{ids[1]}"]
    assert msgids(lists.find_patch_id(ids[0])) == ["lone@x"]
    assert msgids(lists.find_patch_id(ids[1])) == ["one-v2-1@x", "one-v1-1@x"]
    assert len(server.asked) == 1


def test_by_patch_id(lists: RemoteLists) -> None:
    (known,) = lists.find_making("fedcba987654")
    assert known.patch_id is not None
    with RemoteLists(lists._server) as fresh:
        assert msgids(fresh.find_patch_id(known.patch_id)) == ["lone@x"]


def test_by_change_id_in_all_versions(lists: RemoteLists) -> None:
    found = lists.find_change_id("20260601-one-0123456789ab")
    assert msgids(found) == [f"one-v{version}-{n}@x" for version in (1, 2) for n in (1, 2, 3)]
    assert lists.find_versions("one-v1-0@x") == ("one-v1-0@x", "one-v2-0@x")


def test_by_message_id_of_patch_and_cover_letter(lists: RemoteLists, server: Counting) -> None:
    patch = lists.find_patch("two-v1-2@x")
    assert patch is not None
    assert patch.series == "two-v1-1@x"
    assert len(lists.series_of("one-v1-0@x")) == 3
    assert lists.find_patch("two-v1-1@x") is not None
    assert server.asked == ["two-v1-2@x", "one-v1-0@x"]


def test_by_path_around_a_date(lists: RemoteLists) -> None:
    assert msgids(lists.find_touching(b"dir/g.c", NEAR)) == ["lone@x"]
    assert len(lists.edges_of(b"dir/g.c")) == 1
    assert lists.find_touching(b"dir/g.c", datetime(2019, 1, 1, tzinfo=UTC)) != ()  # it is here by now
    assert lists.find_touching(b"dir/none.c", NEAR) == ()


def test_mails_and_patches_are_at_hand(lists: RemoteLists) -> None:
    (patch,) = lists.find_making("fedcba987654")
    assert b"Subject: [PATCH] g: alone\n" in lists.read_mail(patch)
    assert lists.read_patch(patch).files[0].new_blob == "fedcba987654"
    with RemoteLists(lists._server) as fresh, pytest.raises(NotFoundError):
        fresh.read_mail(patch)


@pytest.mark.parametrize("text", [QUOTED, "a\\", "a\nb", "", 'x" OR dfpost:0'])
def test_nothing_gets_out_of_its_quotes(lists: RemoteLists, server: Counting, text: str) -> None:
    assert lists.find_change_id(text) == ()
    assert lists.find_touching(text.encode(), NEAR) == ()
    assert lists.find_patch_id(text) == ()
    assert server.asked == []


def test_bad_ids_are_refused_and_short_ones_not_asked_for(lists: RemoteLists, server: Counting) -> None:
    with pytest.raises(InputError):
        lists.find_making("1234567 OR x")
    assert lists.find_making("fedc") == ()
    assert server.asked == []


def test_no_server() -> None:
    with RemoteLists(Lore("http://127.0.0.1:9/none")) as lists, pytest.raises(OutsideError):
        lists.find_making("fedcba987654")


def test_offline_only_the_cache_answers(url: str, tmp_path: Path) -> None:
    with RemoteLists(Lore(url, cache_dir=tmp_path)) as lists:
        assert lists.find_making("fedcba987654")
    with RemoteLists(Lore(url, cache_dir=tmp_path, offline=True)) as lists:
        assert lists.find_making("fedcba987654")
        assert lists.find_making("1000001") == ()


def test_server_and_local_archive_say_the_same(lists: RemoteLists, url: str, tmp_path: Path) -> None:
    file = tmp_path / "all.mbox"
    file.write_bytes(b"".join(b"From x@y Mon Jun  1 10:00:00 2026\n" + raw + b"\n" for raw in all_mails()))
    with make_index(tmp_path / "lists.sqlite") as local:
        update_list(local, "list", str(file), tmp_path)
        for blob in ("1000001", "2000003", "fedcba987654", "0000000"):
            for ours, theirs in ((local.find_making, lists.find_making), (local.find_needing, lists.find_needing)):
                assert [_facts(patch) for patch in ours(blob)] == [_facts(patch) for patch in theirs(blob)]


def _facts(patch: ListedPatch) -> tuple[object, ...]:
    return (patch.msgid, patch.subject, patch.author, patch.date, patch.version, patch.counter, patch.expected,
            patch.series, patch.change_id, patch.patch_id, patch.edges)  # fmt: skip
