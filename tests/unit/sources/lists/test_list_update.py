# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists read into the index: piece by piece, cut short, twice at once, hostile."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.sources.lists import list_update
from seriestool.sources.lists.indexed_mail import parse_entry
from seriestool.sources.lists.list_update import UpdateTally, update_list
from seriestool.sources.lists.patch_index import normalize_mail
from seriestool.sources.lists.patch_index_writer import ArchivedMail, PatchIndexWriter, make_index
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from tests.support.mails import diff, fill, mail, series, take_back
from tests.support.repos import Repo

Make = Callable[..., Repo]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PatchIndexWriter]:
    with make_index(tmp_path / "lists.sqlite") as made:
        yield made


@pytest.fixture
def archive(make_repo: Make) -> Repo:
    return make_repo("0.git", bare=True)


def read(
    index: PatchIndexWriter, source: Path | str, name: str = "list", mirrors: Path = Path("unused")
) -> UpdateTally:
    return update_list(index, name, str(source), mirrors)


def all_msgids(index: PatchIndexWriter) -> list[str]:
    return sorted(patch.msgid for patch in index.find_patches(range(1, 10_000)))


def test_only_what_is_new_is_read(index: PatchIndexWriter, archive: Repo) -> None:
    mails = series("one", 3)
    assert read(index, fill(archive, mails[:2])) == UpdateTally(2, 1)
    assert read(index, archive.path) == UpdateTally()
    assert read(index, fill(archive, mails[2:])) == UpdateTally(2, 2)
    assert len(index.series_of("one-v1-0@x")) == 3


def test_epochs_of_an_archive(index: PatchIndexWriter, make_repo: Make, tmp_path: Path) -> None:
    for epoch in (0, 1, 10):
        fill(make_repo(f"inbox/git/{epoch}.git", bare=True), [mail(f"{epoch}@x", "[PATCH] f", diff())])
    assert read(index, tmp_path / "inbox").added == 3
    patch = index.find_patch("10@x")
    assert patch is not None
    assert index.read_mail(patch).startswith(b"From: A U Thor")


def test_an_archive_at_a_url(index: PatchIndexWriter, make_repo: Make, tmp_path: Path) -> None:
    for epoch in (0, 1):
        fill(make_repo(f"inbox/git/{epoch}.git", bare=True), [mail(f"{epoch}@x", "[PATCH] f", diff())])
    url = f"file://{tmp_path}/inbox"
    assert read(index, url, mirrors=tmp_path / "mirrors").added == 2
    fill(Repo(tmp_path / "inbox/git/1.git", bare=True), [mail("2@x", "[PATCH] f", diff())])
    assert read(index, url, mirrors=tmp_path / "mirrors") == UpdateTally(1, 1)


def test_a_mailbox(index: PatchIndexWriter, tmp_path: Path) -> None:
    mails = series("one", 2)
    file = tmp_path / "list.mbox"
    file.write_bytes(b"".join(b"From x@y Mon Jun  1 10:00:00 2026\n" + raw + b"\n" for raw in mails))
    assert read(index, file) == UpdateTally(3, 2)
    assert read(index, file) == UpdateTally()
    (first, _) = index.series_of("one-v1-0@x")
    assert index.read_mail(first).strip() == mails[1].strip()
    with file.open("ab") as more:
        more.write(b"From x@y Mon Jun  1 10:00:00 2026\n" + mail("late@x", "[PATCH] f", diff()))
    assert read(index, file) == UpdateTally(4, 1)


def test_no_such_list(index: PatchIndexWriter, tmp_path: Path) -> None:
    for source in (tmp_path / "none", tmp_path):
        with pytest.raises(NotFoundError, match="is no list"):
            read(index, source)


def test_an_unreadable_url(index: PatchIndexWriter, tmp_path: Path) -> None:
    with pytest.raises((OutsideError, NotFoundError)):
        read(index, f"file://{tmp_path}/none", mirrors=tmp_path / "mirrors")


def test_one_mail_on_two_lists_is_one_patch(index: PatchIndexWriter, make_repo: Make) -> None:
    raw = mail("a@x", "[PATCH] f", diff())
    first, second = fill(make_repo("a.git", bare=True), [raw]), fill(make_repo("b.git", bare=True), [raw + b"\n"])
    assert (read(index, first, "a").added, read(index, second, "b").added) == (1, 0)
    patch = index.find_patch("a@x")
    assert patch is not None
    assert patch.lists == ("a", "b")
    assert index.lists() == {"a": 1, "b": 1}
    index.forget("a")
    patch = index.find_patch("a@x")
    assert patch is not None
    assert patch.lists == ("b",)
    assert index.read_mail(patch) == raw + b"\n"
    index.forget("b")
    assert index.find_making("2222222") == ()
    assert index.lists() == {}


def test_a_mail_that_the_archive_took_back(index: PatchIndexWriter, archive: Repo) -> None:
    spam, good = mail("spam@x", "[PATCH] f", diff()), mail("good@x", "[PATCH] f", diff())
    read(index, fill(archive, [spam, good]))
    take_back(archive, spam)
    read(index, archive.path)
    assert [patch.lists for patch in index.find_patches([1, 2])] == [("list",)]
    assert all_msgids(index) == ["good@x"]


def test_an_archive_that_was_rewritten(index: PatchIndexWriter, make_repo: Make, tmp_path: Path) -> None:
    path = fill(
        make_repo("0.git", bare=True), [mail("gone@x", "[PATCH] f", diff()), mail("kept@x", "[PATCH] f", diff())]
    )
    read(index, path)
    path.rename(tmp_path / "before")
    fill(make_repo("0.git", bare=True), [mail("kept@x", "[PATCH] f", diff())])
    read(index, path)
    assert all_msgids(index) == ["kept@x"]


def test_layout_v1_with_a_file_for_each_mail(index: PatchIndexWriter, archive: Repo) -> None:
    archive.commit({"ab/cdef": mail("a@x", "[PATCH] f", diff()), "cd/ef01": mail("b@x", "[PATCH] f", diff())})
    read(index, archive.path)
    assert all_msgids(index) == ["a@x", "b@x"]
    archive.commit({"ab/cdef": None})
    read(index, archive.path)
    assert all_msgids(index) == ["b@x"]


def test_a_batch_border_within_a_series(
    index: PatchIndexWriter, archive: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_update, "_BATCH", 2)
    read(index, fill(archive, series("one", 5) + series("two", 3, cover=False)))
    assert len(index.series_of("one-v1-0@x")) == 5
    assert len(index.series_of("two-v1-1@x")) == 3


def test_cut_short_it_goes_on(index: PatchIndexWriter, archive: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_update, "_BATCH", 2)
    fill(archive, series("one", 5))

    def stop(done: int) -> None:
        if done > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update_list(index, "list", str(archive.path), Path("unused"), stop)
    had = len(index)
    assert 0 < had < 5
    assert read(index, archive.path).mails < 6
    assert len(index.series_of("one-v1-0@x")) == 5


def _update_in_own_process(path: str, source: str) -> None:
    with make_index(Path(path)) as index:
        update_list(index, "list", source, Path("unused"))


def test_two_updaters_at_once_and_one_that_is_killed(
    archive: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_update, "_BATCH", 5)
    mails = [one for n in range(40) for one in series(f"s{n}", 4)]
    fill(archive, mails)
    context = multiprocessing.get_context("fork")
    path = tmp_path / "lists.sqlite"
    arguments = (str(path), str(archive.path))
    processes = [context.Process(target=_update_in_own_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    time.sleep(0.15)
    if processes[0].pid is not None and processes[0].is_alive():
        os.kill(processes[0].pid, signal.SIGKILL)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes[1:]] == [0, 0]
    with make_index(path) as index:
        read(index, archive.path)
        assert len(index) == 160
        assert all(len(index.series_of(f"s{n}-v1-0@x")) == 4 for n in range(40))


@pytest.mark.parametrize(
    ("stated", "received", "imported", "posted"),
    [
        ("Mon, 1 Jun 2026 10:00:00 +0200", None, (2026, 6, 5), (2026, 6, 1, 8)),
        ("Mon, 1 Jun 2026 10:00:00 +0000", None, (2036, 6, 5), (2026, 6, 1, 10)),  # imported years later
        ("Mon, 1 Jun 2097 10:00:00 +0000", None, (2026, 6, 5), (2026, 6, 5)),
        ("Mon, 1 Jun 2097 10:00:00 +0000", "Tue, 2 Jun 2026 10:00:00 +0000", (2026, 6, 5), (2026, 6, 2, 10)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None, (2026, 6, 5), (2026, 6, 5)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None, None, (1990, 1, 1)),
        ("no date", None, (2026, 6, 5), (2026, 6, 5)),
        ("no date", "Tue, 2 Jun 2026 10:00:00 +0000", (2026, 6, 5), (2026, 6, 2, 10)),
        ("Mon, 99 Foo 99999 99:99:99 +9999", None, (2026, 6, 5), (2026, 6, 5)),
    ],
)
def test_dates_are_not_believed_blindly(
    stated: str, received: str | None, imported: tuple[int, int, int] | None, posted: tuple[int, int, int]
) -> None:
    raw = mail("a@x", "[PATCH] f", diff(), headers=f"Received: by host; {received}\n" if received else "")
    raw = raw.replace(b"Mon, 1 Jun 2026 10:00:00 +0000", stated.encode(), 1)
    entry = parse_entry(raw, datetime(*imported, tzinfo=UTC) if imported else None)
    assert entry is not None
    assert entry.known.posted == datetime(*posted, tzinfo=UTC)


def hostile() -> Iterator[tuple[str, bytes]]:
    many = "".join(diff(f"f{n}") for n in range(12_000))
    yield "many files", mail("many@x", "[PATCH] many", many)
    yield "subject", mail("subject@x", "[PATCH 1/1] " + "s" * 1_000_000, diff())
    yield "encoded subject", mail("encoded@x", "=?utf-8?q?" + "=5BPATCH=5D" * 50_000 + "?=", diff())
    yield "references", mail("references@x", "[PATCH 1/2] f", diff(), below=" ".join(f"<{n}@x>" for n in range(50_000)))
    yield "long msgid", mail("m" * 100_000 + "@x", "[PATCH] f", diff())
    yield "no msgid", mail("", "[PATCH] f", diff())
    yield "sql", mail("'); DROP TABLE patch;--@x", "[PATCH] '); DROP TABLE patch;--", diff("'; DROP TABLE edge;--"))
    yield "bytes", mail("\udcff\udcfe@x", "[PATCH] \udcff\x00\x1b", diff("\udcff"), sender="\udcff <\udcfe@x>")
    yield "surrogates", mail("utf7@x", "[PATCH] =?utf-7?q?+2AA-?=", diff(), sender="=?utf-7?q?+2AA-?= <a@x>")
    yield "counter", mail("counter@x", "[PATCH v9999 9999/1] f", diff())
    yield "cycle", mail("cycle@x", "[PATCH 1/2] f", diff(), below="cycle@x")
    yield "unsafe path", mail("unsafe@x", "[PATCH] f", diff("../../etc/passwd"))
    yield "corrupt", mail("corrupt@x", "[PATCH] f", diff().replace("+one", "*one"))
    yield "long path", mail("path@x", "[PATCH] f", diff("p" * 10_000))
    yield "gzip", b"\x1f\x8b" + b"junk" * 100
    yield "empty", b""
    yield "headers only", b"Message-ID: <h@x>\nSubject: [PATCH] f"
    yield "carriage returns", mail("cr@x", "[PATCH] f", diff()).replace(b"\n", b"\r\n")


@pytest.mark.parametrize("raw", [raw for _, raw in hostile()], ids=[name for name, _ in hostile()])
def test_hostile_mails_end_up_in_bounds(index: PatchIndexWriter, archive: Repo, raw: bytes) -> None:
    started = time.monotonic()
    tally = read(index, fill(archive, [raw, mail("good@x", "[PATCH] f", diff(new="3333333"))]))
    assert time.monotonic() - started < 5
    assert tally.mails == 2
    assert [patch.msgid for patch in index.find_making("3333333")] == ["good@x"]
    for patch in index.find_patches(range(1, 10)):
        assert len(patch.subject) <= 300
        assert len(patch.edges) <= 10_000
        assert index.find_patch(patch.msgid) == patch
        assert index.read_mail(patch)
        assert patch in index.series_of(patch.msgid)


PIECES = (
    b"From: A <a@x>\n", b"Subject: [PATCH 1/2] f\n", b"Subject: =?utf-7?q?+2AA-?=\n", b"Message-ID: <a@x>\n", b"\n",
    b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Transfer-Encoding: base64\n", b"--b\n", b"\xff\0\r\n",
    b"diff --git a/f b/f\n", b"index 1111111..2222222 100644\n", b"--- a/f\n", b"+++ b/f\n", b"@@ -1 +1 @@\n", b"-x\n",
    b"+y\n", b"change-id: x\n", b"References: <b@x>\n", b"Date: Mon, 31 Dec 9999 23:59:59 -2359\n", b"---\n",
    b"GIT binary patch\n", b"delta 1\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_mail_ends_in_a_traceback(pieces: list[bytes]) -> None:
    with contextlib.suppress(InputError):
        parse_entry(normalize_mail(b"".join(pieces)), datetime(2026, 6, 1, tzinfo=UTC))


def test_one_sender_of_thousands_of_half_series_costs_seconds_at_most(index: PatchIndexWriter) -> None:
    mails = [mail(f"{n}@x", f"[PATCH 1/2] part {n}", diff()) for n in range(2000)]
    entries = [entry for raw in mails if (entry := parse_entry(raw))]
    located = [ArchivedMail(entry, bytes(20)) for entry in entries]
    started = time.process_time()
    index.add("list", "path", located, "")
    assert time.process_time() - started < 10


def test_damaged_mails_are_counted(index: PatchIndexWriter, archive: Repo) -> None:
    mails = dict(hostile())
    bad = [mails["corrupt"], mails["unsafe path"]]
    assert read(index, fill(archive, [*bad, mail("good@x", "[PATCH] f", diff())])) == UpdateTally(3, 1, 2)


def test_a_message_id_that_is_used_twice_means_the_first_mail(index: PatchIndexWriter, archive: Repo) -> None:
    read(
        index,
        fill(archive, [mail("a@x", "[PATCH] f", diff(new="3333333")), mail("a@x", "[PATCH] g", diff(new="4444444"))]),
    )
    patch = index.find_patch("a@x")
    assert patch is not None
    assert (patch.subject, index.find_making("4444444")) == ("f", ())


def test_real_mails(index: PatchIndexWriter, shared: Callable[[str], Path], tmp_path: Path) -> None:
    bundle = shared("data/linux-nfs-2026.bundle")
    Repo(tmp_path).git("clone", "--quiet", "--bare", str(bundle), "nfs.git")
    started = time.monotonic()
    tally = read(index, tmp_path / "nfs.git")
    assert tally.mails == 5147
    assert tally.added > 2300
    assert tally.damaged < 10
    assert tally.mails / (time.monotonic() - started) > 500  # a loaded machine; benchmarks/lists_index.py measures
    packed = sum(pack.stat().st_size for pack in (tmp_path / "nfs.git/objects/pack").glob("*.pack"))
    assert (tmp_path / "lists.sqlite").stat().st_size < 0.15 * packed
    for patch in index.find_patches(range(1, 3000, 100)):
        parsed = index.read_patch(patch)
        assert [edge.new for edge in patch.edges] == [diff.new_blob and diff.new_blob[:15] for diff in parsed.files]
        assert patch in index.series_of(patch.series)
