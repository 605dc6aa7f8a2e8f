# SPDX-License-Identifier: GPL-2.0-or-later
"""The push log: records read, indexed, and asked."""

import multiprocessing
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.git import Repository
from seriestool.sources.archive.public_inbox import is_url
from seriestool.sources.pushlog import Push, RefUpdate, parse_push
from seriestool.sources.pushlog.lost_commits import fetch_commit, repo_url
from seriestool.sources.pushlog.push_log_index import PushLog, Sighting, find_log, make_log
from seriestool.sources.pushlog.push_records import read_source
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from tests.support.repos import Repo

Make = Callable[..., Repo]
Shared = Callable[[str], Path]
SEED = "4d4d6605de5f91a40335729b6a7cc15e83b280f3"
A, B, C, D = (letter * 40 for letter in "abcd")
ZERO = "0" * 40
NEXT = "refs/heads/next"


def record(
    second: int, old: str, new: str, *commits: str, ref: str = NEXT, repo: str = "pub/x", msgid: str | None = None
) -> bytes:
    log = "".join(f"         {oid} subject of {oid[:2]}\n" for oid in commits)
    return (
        f"From: Gitolite <devnull@kernel.org>\nSubject: post-receive: {repo}\n"
        f"Date: Thu, 28 May 2026 10:{second // 60:02}:{second % 60:02} -0000\n"
        f'Message-Id: <{msgid or second}@gitolite>\nMIME-Version: 1.0\nContent-Type: text/plain; charset="utf-8"\n\n'
        f"---\nservice: git-receive-pack\nrepo: {repo}\nuser: me\nchanges:\n  - ref: {ref}\n    old: {old}\n"
        f"    new: {new}\n    log: |\n{log}         \n"
    ).encode()


def at(second: int) -> datetime:
    return datetime(2026, 5, 28, 10, second // 60, second % 60, tzinfo=UTC)


def push(*arguments: str | int, **options: str) -> Push:
    parsed = parse_push(record(*arguments, **options))  # type: ignore[arg-type]
    assert parsed
    return parsed


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PushLog]:
    with make_log(tmp_path / "push-log.sqlite") as made:
        yield made


def stays(log: PushLog, commit: str) -> list[tuple[datetime | None, datetime | None, datetime | None]]:
    return [(tip.since, tip.until, tip.gone_by) for tip in log.find_commit(commit) if tip.role == "tip"]


# Records


def test_text_record(shared: Shared) -> None:
    parsed = parse_push((shared("data/korg-push-log") / "20260528T231855Z.eml").read_bytes())
    assert parsed
    (change,) = parsed.changes
    assert (parsed.repo, parsed.user, parsed.msgid) == (
        "pub/scm/linux/kernel/git/cel/linux", "cel", "178001033517.2802725.1735821371939310118@gitolite.kernel.org",
    )  # fmt: skip
    assert parsed.time == datetime(2026, 5, 28, 23, 18, 55, tzinfo=UTC)
    assert (change.ref, change.old, len(change.commits)) == ("refs/heads/nfsd-testing", SEED, 8)
    assert change.commits[-1] == (change.new, "siw: Enable try_gso")


def test_multipart_record_has_its_commits_in_an_attachment(shared: Shared) -> None:
    parsed = parse_push((shared("data/korg-push-log") / "20260526T183806Z.eml").read_bytes())
    assert parsed
    (change,) = parsed.changes
    assert len(change.commits) == 11
    assert change.commits[0] == (
        "8946e2c7b86e3c271768b014fdd5cd0de2185e45", "svcrdma: Validate Read chunk positions before reconstruction",
    )  # fmt: skip


def test_attachments_go_to_the_changes_they_belong_to() -> None:
    raw = (
        'Date: Thu, 28 May 2026 10:00:00 -0000\nMessage-Id: <m@x>\nContent-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\n---\nservice: git-receive-pack\nrepo: pub/x\nuser: me\n"
        f"git_push_cert_status: G\nchanges:\n  - ref: refs/heads/one\n    old: {ZERO}\n    new: {A}\n"
        f"    log: revlist-1.txt\n  - ref: refs/heads/two\n    old: {A}\n    new: {B}\n    log: revlist-2.txt\n"
        f"--b\nContent-Type: text/plain\n\ncertificate version 0.1\n{ZERO} {A} refs/heads/one\n"
        f"--b\nContent-Type: text/plain\n\n{C} c\n{B} b\n"
        f"--b\nContent-Type: text/plain\n\n{A} a\n--b--\n"
    )
    parsed = parse_push(raw.encode())
    assert parsed
    assert parsed.changes == (
        RefUpdate("refs/heads/one", None, A, ((A, "a"),)),
        RefUpdate("refs/heads/two", A, B, ((C, "c"), (B, "b"))),
    )


def test_created_and_deleted_branches() -> None:
    assert push(0, ZERO, A).changes[0].old is None
    assert push(0, A, ZERO).changes[0].new is None


def test_several_changes_and_crlf() -> None:
    raw = record(0, A, B, C, B) + f"  - ref: refs/tags/v1\n    old: {ZERO}\n    new: {D}\n    log: |\n".encode()
    for text in (raw, raw.replace(b"\n", b"\r\n"), b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + raw):
        parsed = parse_push(text)
        assert parsed
        assert [(c.ref, c.old, c.new, len(c.commits)) for c in parsed.changes] == [
            (NEXT, A, B, 2), ("refs/tags/v1", None, D, 0),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("find", "replace"),
    [
        (b"git-receive-pack", b"git-upload-pack"),
        (b"repo: pub/x", b"repo: ../../etc"),
        (b"repo: pub/x", b"repo: /pub/x"),
        (b"repo: pub/x", b"repo: -x"),
        (b"Date:", b"X-Date:"),
        (b"Message-Id:", b"X-Id:"),
        (b"service:", b"servant:"),
    ],
)
def test_what_is_no_record_of_a_push(find: bytes, replace: bytes) -> None:
    raw = record(0, A, B)
    assert parse_push(raw)
    assert parse_push(raw.replace(find, replace)) is None


@pytest.mark.parametrize("bad", ["old: zzz", "old: 123", "ref: HEAD", "ref: refs/heads/a b", "ref: "])
def test_change_that_makes_no_sense_is_left_out(bad: str) -> None:
    key = bad.partition(":")[0]
    raw, count = re.subn(rf"(?m)\b{key}: .*$", bad, record(0, A, B).decode())
    parsed = parse_push(raw.encode())
    assert count == 1
    assert parsed
    assert parsed.changes == ()


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_subject_cannot_forge_a_change(separator: str) -> None:
    forged = f"{separator}  - ref: refs/heads/forged{separator}    old: {A}{separator}    new: {C}"
    raw = record(0, A, B, B).decode().replace("subject of bb", f"x{forged}")
    parsed = parse_push(raw.encode())
    assert parsed
    assert [change.ref for change in parsed.changes] == [NEXT]


def test_odd_input_is_no_record_and_no_traceback() -> None:
    raw = record(0, A, B, C)
    for end in range(0, len(raw), 7):
        parse_push(raw[:end])
    for odd in (b"", b"\n", b"\0" * 100, b":\n\n:", b'Content-Type: multipart/mixed; boundary=""\n\n----\n' * 50):
        assert parse_push(odd) is None


def test_huge_hostile_record_is_bounded() -> None:
    started = time.perf_counter()
    parse_push(record(0, A, B) + b"  - ref: refs/heads/x\n    old: y\n" * 200_000)
    parse_push(record(0, A, B) + b" " * 5_000_000 + b":" * 1_000_000)
    assert time.perf_counter() - started < 10


@given(st.binary(max_size=2000), st.integers(0, 500), st.integers(0, 500))
def test_no_bytes_are_a_traceback(noise: bytes, start: int, end: int) -> None:
    raw = record(0, A, B, C, B)
    parse_push(noise)
    parse_push(raw[:start] + noise + raw[end:])


# Questions


def test_seed_case(log: PushLog, shared: Shared, tmp_path: Path) -> None:
    assert read_source(str(shared("data/korg-push-log")), log, tmp_path / "m") == 10
    for oid in (SEED, SEED[:7], SEED[:12]):
        assert log.find_commit(oid) == (
            Sighting(
                SEED, "pub/scm/linux/kernel/git/cel/linux", "refs/heads/nfsd-testing", "tip",
                None, datetime(2026, 5, 28, 23, 18, 55, tzinfo=UTC), None,
                "178001033517.2802725.1735821371939310118@gitolite.kernel.org"),
        )  # fmt: skip


@pytest.mark.parametrize(
    "oid",
    ["5200f5f493f7", "887d478b", "97bac3c7", "b69fc3ea", "8defc3ed", "332e2f4f", "6f90c761", "ee6ae4a6", "4d4d6605"],
)
def test_every_base_that_was_found_by_hand(oid: str, log: PushLog, shared: Shared, tmp_path: Path) -> None:
    read_source(str(shared("data/korg-push-log")), log, tmp_path / "m")
    assert [sighting.role for sighting in log.find_commit(oid)] == ["tip"]


def test_tip_from_one_push_to_the_next(log: PushLog) -> None:
    log.add([push(1, A, B, B), push(2, B, C, C)])
    assert stays(log, B) == [(at(1), at(2), None)]
    assert stays(log, A) == [(None, at(1), None)]
    assert stays(log, C) == [(at(2), None, None)]


def test_order_of_arrival_does_not_matter(log: PushLog) -> None:
    log.add([push(2, B, C)])
    log.add([push(1, A, B)])
    assert stays(log, B) == [(at(1), at(2), None)]


def test_pushes_of_one_second_are_in_the_order_of_their_records(log: PushLog) -> None:
    log.add([push(1, B, C, msgid="101.b@x"), push(1, A, B, msgid="100.a@x")])
    assert stays(log, B) == [(at(1), at(1), None)]


def test_replaced_and_set_again(log: PushLog) -> None:
    log.add([push(1, A, B), push(2, B, C), push(3, C, B), push(4, B, A)])
    assert stays(log, B) == [(at(3), at(4), None), (at(1), at(2), None)]


def test_record_that_is_missing_leaves_the_end_open(log: PushLog) -> None:
    log.add([push(1, A, B), push(5, C, D)])
    assert stays(log, B) == [(at(1), None, at(5))]
    assert stays(log, C) == [(None, at(5), None)]


def test_deleted_branch_ends_a_stay(log: PushLog) -> None:
    log.add([push(1, ZERO, B), push(2, B, ZERO)])
    assert stays(log, B) == [(at(1), at(2), None)]


def test_carried_commit_names_the_push(log: PushLog) -> None:
    log.add([push(1, A, B, C, B), push(2, B, D, D)])
    (carried,) = log.find_commit(C)
    assert (carried.role, carried.ref, carried.since, carried.msgid) == ("carried", NEXT, at(1), "1@gitolite")
    found = log.find_push("1@gitolite")
    assert found
    assert found.changes == (RefUpdate(NEXT, A, B, ((C, "subject of cc"), (B, "subject of bb"))),)
    assert [sighting.role for sighting in log.find_commit(B)] == ["tip"]


def test_same_commit_on_two_branches_and_two_servers_trees(log: PushLog) -> None:
    log.add([push(1, A, B), push(2, A, B, ref="refs/heads/x"), push(3, A, B, repo="pub/y")])
    assert [(tip.repo, tip.ref) for tip in log.find_commit(B)] == [
        ("pub/y", NEXT), ("pub/x", "refs/heads/x"), ("pub/x", NEXT),
    ]  # fmt: skip


def test_ambiguous_abbreviation_tells_all(log: PushLog) -> None:
    one, two = "1234567" + "a" * 33, "1234567" + "b" * 33
    log.add([push(1, one, two)])
    assert {tip.commit for tip in log.find_commit("1234567")} == {one, two}
    assert {tip.commit for tip in log.find_commit("1234567a")} == {one}
    assert {tip.commit for tip in log.find_commit(one[:39])} == {one}
    assert log.find_commit(one[:39] + "b") == ()


@pytest.mark.parametrize("oid", ["", "123456", "x" * 40, "A" * 40, "1" * 65, "%" * 8])
def test_what_is_no_commit_id(log: PushLog, oid: str) -> None:
    with pytest.raises(InputError, match="is not a commit id"):
        log.find_commit(oid)


def test_record_told_twice_counts_once(log: PushLog) -> None:
    assert log.add([push(1, A, B), push(1, A, B)]) == 1
    assert log.add([push(1, A, B)]) == 0
    assert len(log) == 1


# Sources


def epoch(make_repo: Make, name: str, mails: list[bytes]) -> Repo:
    """A public-inbox archive: each commit has one mail as the blob `m`."""
    archive = make_repo(name, bare=True)
    for mail in mails:
        archive.commit({"m": mail}, branch="master")
    return archive


def test_folder_is_read_where_it_changed(log: PushLog, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "1.eml").write_bytes(record(1, A, B))
    (folder / "other.eml").write_bytes(b"Subject: hello\n\nworld\n")
    assert read_source(str(folder), log, tmp_path / "m") == 1
    (folder / "2.eml").write_bytes(record(2, B, C))
    assert read_source(str(folder), log, tmp_path / "m") == 1
    assert read_source(str(folder), log, tmp_path / "m") == 0


def test_mailbox(log: PushLog, tmp_path: Path) -> None:
    mbox = tmp_path / "log.mbox"
    start = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
    mbox.write_bytes(b"".join(start + record(n, A, B) + b"\n" for n in range(3)))
    assert read_source(str(mbox), log, tmp_path / "m") == 3


def test_archive_is_read_from_where_the_last_update_stopped(log: PushLog, make_repo: Make, tmp_path: Path) -> None:
    archive = epoch(make_repo, "inbox/git/0.git", [record(n, A, B) for n in range(3)])
    assert read_source(str(tmp_path / "inbox"), log, tmp_path / "m") == 3
    archive.commit({"m": record(9, A, B)}, branch="master")
    reads: list[int] = []
    assert read_source(str(tmp_path / "inbox"), log, tmp_path / "m", progress=reads.append) == 1
    assert reads == [1]
    epoch(make_repo, "inbox/git/1.git", [record(20, A, B)])
    assert read_source(str(tmp_path / "inbox/git"), log, tmp_path / "m") == 5 - 4
    assert read_source(str(archive.path), log, tmp_path / "m") == 0


def test_archive_whose_history_was_rewritten(log: PushLog, make_repo: Make, tmp_path: Path) -> None:
    archive = epoch(make_repo, "a", [record(1, A, B)])
    read_source(str(archive.path), log, tmp_path / "m")
    archive.commit({"m": record(2, B, C)}, branch="master", parent=())
    archive.git("gc", "--quiet", "--prune=now")
    assert read_source(str(archive.path), log, tmp_path / "m") == 1


def test_archive_at_a_url(log: PushLog, make_repo: Make, tmp_path: Path) -> None:
    for first in (0, 1):  # kernel.org's own log counts its epochs from 1
        epoch(make_repo, f"in{first}/git/{first}.git", [record(10 * first + 1, A, B)])
        epoch(make_repo, f"in{first}/git/{first + 1}.git", [record(10 * first + 2, A, B)])
        url = (tmp_path / f"in{first}").as_uri()
        assert read_source(url, log, tmp_path / "m") == 2
        assert read_source(url + "/git/", log, tmp_path / "m") == 0
    single = epoch(make_repo, "single", [record(50, A, B)])
    assert read_source(single.path.as_uri(), log, tmp_path / "m") == 1
    single.commit({"m": record(51, A, B)}, branch="master")
    assert read_source(single.path.as_uri(), log, tmp_path / "m") == 1


def test_epoch_that_was_there_and_cannot_be_fetched_is_an_error(log: PushLog, make_repo: Make, tmp_path: Path) -> None:
    archive = epoch(make_repo, "in/0.git", [record(1, A, B)])
    url = (tmp_path / "in").as_uri()
    read_source(url, log, tmp_path / "m")
    archive.path.rename(tmp_path / "away")
    with pytest.raises(OutsideError, match="cannot fetch"):
        read_source(url, log, tmp_path / "m")


def test_source_that_is_not_there(log: PushLog, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_source(str(tmp_path / "nothing"), log, tmp_path / "m")
    with pytest.raises(NotFoundError, match="there is no git archive at"):
        read_source((tmp_path / "nothing").as_uri(), log, tmp_path / "m")
    assert list((tmp_path / "m").rglob("*.git")) == []


def test_since(log: PushLog, tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    for n in (1, 2, 3):
        (tmp_path / f"mails/{n}.eml").write_bytes(record(n, A, B))
    assert read_source(str(tmp_path / "mails"), log, tmp_path / "m", since=at(3)) == 1
    assert read_source(str(tmp_path / "mails"), log, tmp_path / "m", since=at(2)) == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [("https://x/y", True), ("file:///x", True), ("git@host:x", True), ("a/b", False), ("/a:b", False), (".", False)],
)
def test_url_or_path(source: str, expected: bool) -> None:
    assert is_url(source) is expected


# The file


def _read_alone(folder: Path, index: Path, mirrors: Path) -> None:
    with make_log(index) as log:
        read_source(str(folder), log, mirrors)


def test_two_updaters_at_once(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    for n in range(200):
        (tmp_path / f"mails/{n}.eml").write_bytes(record(n, A, B))
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "mails", tmp_path / "i.sqlite", tmp_path / "m")
    workers = [context.Process(target=_read_alone, args=arguments) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with make_log(tmp_path / "i.sqlite") as log:
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
        assert len(log) == 200


def test_update_cut_short_is_whole_batches_and_goes_on(log: PushLog) -> None:
    def cut_short() -> Iterator[Push]:
        for n in range(2500):
            yield push(n % 3000, A, B, msgid=str(n))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log.add(cut_short())
    assert len(log) == 2000
    assert log.add(push(0, A, B, msgid=str(n)) for n in range(2500)) == 500


def test_killed_updater_leaves_a_usable_index(tmp_path: Path) -> None:
    def endless() -> None:
        with make_log(tmp_path / "i.sqlite") as log:
            n = 0
            while True:
                log.add([push(0, A, B, msgid=str(n + i)) for i in range(50)])
                n += 50

    worker = multiprocessing.get_context("fork").Process(target=endless)
    worker.start()
    time.sleep(0.5)
    assert worker.pid
    worker.kill()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    with make_log(tmp_path / "i.sqlite") as log:
        assert len(log) % 50 == 0
        log.add([push(1, B, C, msgid="last")])
        assert stays(log, C) == [(at(1), None, None)]


def test_no_index_is_none(tmp_path: Path) -> None:
    assert find_log(tmp_path / "none.sqlite") is None


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"x" * 5000])
def test_damaged_index_is_told_and_made_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "i.sqlite"
    path.write_bytes(content)
    with pytest.raises(OutsideError, match="is damaged"):
        find_log(path)
    with make_log(path) as log:
        assert log.add([push(1, A, B)]) == 1


def test_index_of_another_version_is_made_again(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "i.sqlite") as connection:
        connection.execute("CREATE TABLE x (y)")
    with pytest.raises(OutsideError, match="is damaged"):
        find_log(tmp_path / "i.sqlite")
    with make_log(tmp_path / "i.sqlite") as log:
        assert len(log) == 0


def test_a_thousand_records_a_second(log: PushLog) -> None:
    commits = [f"{n:040x}" for n in range(1, 21)]
    records = [record(n % 3000, A, B, *commits, msgid=str(n), repo=f"pub/{n % 50}") for n in range(3000)]
    started = time.perf_counter()
    assert log.add(parsed for raw in records if (parsed := parse_push(raw))) == 3000
    assert 3000 / (time.perf_counter() - started) > 1000


# The commit itself


def test_fetch_brings_a_rebased_away_commit_and_its_history(make_repo: Make) -> None:
    there, here = make_repo("there.git", bare=True), make_repo("here")
    root = there.commit({"a": "0"}, branch="main")
    old = there.commit({"a": "1"}, branch="main")
    there.commit({"a": "2"}, branch="main", parent=root)
    git = Repository.open(here.path)
    assert fetch_commit(git, there.path.as_uri(), old) == f"refs/seriestool/bases/{old}"
    assert here.git("for-each-ref", "--format=%(refname) %(objectname)") == f"refs/seriestool/bases/{old} {old}"
    assert here.git("rev-list", old).split() == [old, root]
    assert not (here.path / ".git/shallow").exists()
    assert not (here.path / ".git/FETCH_HEAD").exists()


def test_second_commit_fetched_leaves_the_first(make_repo: Make) -> None:
    there, here = make_repo("there.git", bare=True), make_repo("here")
    olds = [there.commit({"a": str(n)}, branch="main", parent=()) for n in range(3)]
    git = Repository.open(here.path)
    for old in olds[:2]:
        fetch_commit(git, there.path.as_uri(), old)
    assert sorted(here.git("for-each-ref", "--format=%(objectname)").split()) == sorted(olds[:2])


def test_fetch_keeps_a_shallow_repository_as_shallow_as_it_is(make_repo: Make, tmp_path: Path) -> None:
    there = make_repo("there.git", bare=True)
    root = there.commit({"a": "0"}, branch="main")
    tip = there.commit({"a": "1"}, branch="main")
    here = make_repo("here")
    here.git("fetch", "-q", "--depth=1", there.path.as_uri(), "main:refs/remotes/origin/main")
    old = there.commit({"a": "2"}, branch="main", parent=tip)
    there.commit({"a": "3"}, branch="main", parent=root)
    shallow = (here.path / ".git/shallow").read_bytes()
    fetch_commit(Repository.open(here.path), there.path.as_uri(), old)
    assert (here.path / ".git/shallow").read_bytes() == shallow


def test_server_that_no_longer_has_it_is_not_found(make_repo: Make) -> None:
    there, here = make_repo("there.git", bare=True), make_repo("here")
    old = there.commit({"a": "1"}, branch="main")
    there.commit({"a": "2"}, branch="main", parent=())
    there.git("gc", "--quiet", "--prune=now")
    with pytest.raises(NotFoundError, match="the server no longer has"):
        fetch_commit(Repository.open(here.path), there.path.as_uri(), old)
    assert here.git("for-each-ref") == ""


def test_repository_that_is_gone_is_not_found(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the server no longer has the repository"):
        fetch_commit(Repository.open(repo.path), (tmp_path / "nowhere").as_uri(), A)


def test_server_that_cannot_be_reached_is_outside(repo: Repo) -> None:
    with pytest.raises(OutsideError, match="cannot fetch") as failure:
        fetch_commit(Repository.open(repo.path), "http://127.0.0.1:9/x.git", A)
    assert failure.value.exit_code == 4


def test_commit_that_is_here_already_is_only_kept(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"a": "1"})
    fetch_commit(Repository.open(repo.path), (tmp_path / "nowhere").as_uri(), commit)
    assert repo.git("rev-parse", f"refs/seriestool/bases/{commit}") == commit


def test_url_of_a_repository_in_the_log() -> None:
    assert repo_url("pub/scm/x/linux") == "https://git.kernel.org/pub/scm/x/linux.git"
    assert repo_url("pub/x", "file:///srv/") == "file:///srv/pub/x.git"
