# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists read into the table of mails: by git and over HTTP, cut short, rewritten, damaged, hostile."""

import contextlib
import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seriestool.bot.intake import list_reader
from seriestool.bot.intake.list_reader import ReadLimits, read_list
from seriestool.bot.intake.mail_table import ListReadResult, parse_row
from seriestool.bot.intake.purge import OLD, UNUSED, purge
from seriestool.sources import lore
from seriestool.sources.archive.public_inbox import fetch_epochs
from seriestool.util.errors import OutsideError
from tests.support.intake import NOW, Bot
from tests.support.mails import diff, fill, mail, series, take_back
from tests.support.repos import ROOT, Repo
from tests.support.servers import http_server, public_inbox

Make = Callable[..., Repo]
ALL = ReadLimits(first_days=None)


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path)


@pytest.fixture
def archive(make_repo: Make) -> Repo:
    return make_repo("0.git", bare=True)


def read(
    bot: Bot, source: Path | str, name: str = "list", limits: ReadLimits | None = ALL, via: str | None = None
) -> ListReadResult:
    return read_list(bot.store, name, str(source), Path(bot.url[10:]).parent / "mirrors", bot.now, via, limits)


def msgids(bot: Bot) -> list[str]:
    return [row[0] for row in bot.rows("SELECT msgid FROM mails ORDER BY msgid")]


def cursor(bot: Bot, name: str = "list") -> tuple[dict[str, object], str | None]:
    ((position, error),) = bot.rows(f"SELECT position, error FROM cursors WHERE list = '{name}'")  # noqa: S608
    return json.loads(position), error


def test_only_what_is_new_is_read(bot: Bot, archive: Repo) -> None:
    mails = series("one", 3)
    assert read(bot, fill(archive, mails[:2])) == ListReadResult(2, 2)
    assert read(bot, archive.path) == ListReadResult()
    assert read(bot, fill(archive, mails[2:])) == ListReadResult(2, 2)
    assert len(bot.look().complete) == 1


def test_raw_is_kept_of_what_may_be_part_of_a_series(bot: Bot, archive: Repo) -> None:
    fill(archive, [*series("one", 1), mail("r@x", "Re: [PATCH 1/1] one", below="one-v1-1@x"), mail("t@x", "talk")])
    read(bot, archive.path)
    kept = {row[0]: bool(row[1]) for row in bot.rows("SELECT msgid, raw IS NOT NULL FROM mails")}
    assert kept == {"one-v1-0@x": True, "one-v1-1@x": True, "r@x": False, "t@x": True}


def test_the_first_time_some_days_are_enough(bot: Bot, archive: Repo) -> None:
    fill(archive, [mail("old@x", "[PATCH] old", diff())], date=NOW - 40 * 86_400)
    fill(archive, [mail("new@x", "[PATCH] new", diff())], date=NOW - 86_400)
    read(bot, archive.path, limits=ReadLimits(first_days=30))
    assert msgids(bot) == ["new@x"]


def test_a_clock_that_is_years_ahead_hides_nothing(bot: Bot, archive: Repo) -> None:
    fill(archive, [mail("new@x", "[PATCH] new", diff())], date=NOW - 86_400)
    bot.now += 10 * 365 * 86_400
    read(bot, archive.path, limits=ReadLimits(first_days=30))
    bot.now = NOW
    fill(archive, [mail("newer@x", "[PATCH] newer", diff())], date=NOW)
    read(bot, archive.path)
    assert msgids(bot) == ["new@x", "newer@x"]


def test_an_epoch_more(bot: Bot, make_repo: Make, tmp_path: Path) -> None:
    fill(make_repo("inbox/git/0.git", bare=True), [mail("a@x", "[PATCH] a", diff())])
    read(bot, tmp_path / "inbox")
    fill(make_repo("inbox/git/1.git", bare=True), [mail("b@x", "[PATCH] b", diff())])
    read(bot, tmp_path / "inbox")
    assert msgids(bot) == ["a@x", "b@x"]


def test_a_history_that_was_rewritten(bot: Bot, archive: Repo) -> None:
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in range(4)], date=NOW - 100)
    read(bot, archive.path)
    tree = archive.path
    archive.git("update-ref", "-d", "refs/heads/main")
    archive.git("reflog", "expire", "--expire=now", "--all")
    archive.git("gc", "--quiet", "--prune=now")
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in (0, 2, 3, 4)], date=NOW - 90)
    assert read(bot, tree) == ListReadResult(4, 1)
    assert msgids(bot) == ["0@x", "1@x", "2@x", "3@x", "4@x"]
    assert read(bot, tree) == ListReadResult()


def test_an_archive_that_shrank(bot: Bot, archive: Repo) -> None:
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in range(3)], date=NOW - 100)
    read(bot, archive.path)
    archive.git("update-ref", "refs/heads/main", "main~2")
    assert read(bot, archive.path) == ListReadResult()
    fill(archive, [mail("new@x", "[PATCH] f", diff())], date=NOW - 50)
    assert read(bot, archive.path) == ListReadResult(1, 1)


def test_a_mail_that_the_archive_took_back(bot: Bot, archive: Repo) -> None:
    mails = [*series("one", 2), mail("spam@x", "[PATCH] buy", diff())]
    read(bot, fill(archive, mails))
    bot.look()
    take_back(archive, mails[3])
    take_back(archive, mails[1])
    assert read(bot, archive.path).gone == 2
    bot.settle()
    assert bot.series() == [("one-v1-0@x", 1, "incomplete", 1)]
    assert msgids(bot) == ["one-v1-0@x", "one-v1-2@x"]


def test_a_mail_that_was_taken_back_after_it_was_looked_at(bot: Bot, archive: Repo) -> None:
    mails = series("one", 2)
    read(bot, fill(archive, mails))
    bot.look()
    with bot.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE series SET state = 'done'")
    take_back(archive, mails[1])
    read(bot, archive.path)
    assert bot.series() == [("one-v1-0@x", 1, "done", 0)]
    assert bot.rows("SELECT msgid FROM mails WHERE raw IS NULL") == [("one-v1-1@x",)]


def test_no_such_list(bot: Bot, tmp_path: Path) -> None:
    tally = read(bot, tmp_path)
    assert tally.error == f"'{tmp_path}' is no list"
    assert cursor(bot)[1] == tally.error
    url = f"file://{tmp_path}/none"
    assert "there is no git archive" in str(read(bot, url, "other").error)


def test_a_list_that_moves(bot: Bot, make_repo: Make) -> None:
    first = fill(make_repo("a.git", bare=True), [mail("a@x", "[PATCH] a", diff())])
    second = fill(make_repo("b.git", bare=True), [mail("a@x", "[PATCH] a", diff()), mail("b@x", "[PATCH] b", diff())])
    read(bot, first)
    assert read(bot, second) == ListReadResult(2, 1)
    assert cursor(bot)[0]["source"] == str(second)


def test_a_mailbox(bot: Bot, tmp_path: Path) -> None:
    file = tmp_path / "list.mbox"
    file.write_bytes(b"".join(b"From x@y Mon Jun  1 10:00:00 2026\n" + raw + b"\n" for raw in series("one", 2)))
    assert read(bot, file) == ListReadResult(3, 3)
    assert read(bot, file) == ListReadResult()


def test_bounds_of_a_look(bot: Bot, archive: Repo) -> None:
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in range(10)])
    fill(archive, [mail("huge@x", "[PATCH] f", diff(), message="x" * 5000)])
    limits = ReadLimits(first_days=None, batch=2, most=4, largest=4000)
    for _ in range(4):
        read(bot, archive.path, limits=limits)
    assert len(msgids(bot)) == 10
    assert "huge@x" not in msgids(bot)


def test_mails_and_cursor_go_in_together(bot: Bot, archive: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in range(6)])
    count = 0

    def fail(*arguments: object, **named: object) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise OutsideError("no space left")
        keep(*arguments, **named)

    keep = list_reader.set_cursor
    monkeypatch.setattr(list_reader, "set_cursor", fail)
    assert read(bot, archive.path, limits=ReadLimits(first_days=None, batch=2)).error == "no space left"
    assert msgids(bot) == ["0@x", "1@x"]
    read(bot, archive.path)
    assert len(msgids(bot)) == 6


_CHILD = """
import sys
import time
from pathlib import Path
from seriestool.bot.store import Store
from seriestool.bot.intake.list_reader import ReadLimits, read_list
from seriestool.bot.intake.due_mails import assemble_series
store = Store.open(sys.argv[1])
limits = ReadLimits(first_days=None, batch=5)
print(read_list(store, "list", sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), limits=limits).error)
assemble_series(store, int(sys.argv[4]))
"""


def test_killed_at_any_moment(tmp_path: Path, archive: Repo) -> None:
    mails = [raw for n in range(12) for raw in series(f"s{n}", 3)]
    fill(archive, mails)
    whole, cut = Bot(tmp_path, "whole"), Bot(tmp_path, "cut")
    read(whole, archive.path)
    whole.look()
    kills = 0
    command = [sys.executable, "-c", _CHILD, whole.url, str(archive.path), str(tmp_path / "m"), str(NOW)]
    begun = time.monotonic()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    idle = time.monotonic() - begun  # what a run takes that has nothing to do
    for moment in range(20):
        command = [sys.executable, "-c", _CHILD, cut.url, str(archive.path), str(tmp_path / "m"), str(NOW)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            process.wait(0.6 * idle + 0.04 * moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    read(cut, archive.path)
    cut.look()
    assert kills > 5
    for question in ('SELECT "key", msgid, state FROM series ORDER BY 1', "SELECT msgid, series FROM mails ORDER BY 1"):
        assert cut.rows(question) == whole.rows(question)


def test_a_full_disk(tmp_path: Path, archive: Repo) -> None:
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}"), message=os.urandom(5000).hex()) for n in range(40)])
    bot = Bot(tmp_path)
    command = [sys.executable, "-c", _CHILD, bot.url, str(archive.path), str(tmp_path / "m"), str(NOW)]

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))

    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=limit)
    assert "cannot use the bot's database" in answer.stdout + answer.stderr
    assert len(msgids(bot)) < 40
    read(bot, archive.path)
    assert len(msgids(bot)) == 40


def _cut_packs(copy: Path) -> None:
    Repo(copy, bare=True).git("repack", "-adq")
    for pack in copy.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:200])


def _empty_objects(copy: Path) -> None:
    for file in [*copy.glob("objects/??/*"), *copy.glob("objects/pack/*")]:
        file.chmod(0o600)
        file.write_bytes(b"")


def _garble_head(copy: Path) -> None:
    (copy / "HEAD").write_bytes(b"\0\0\0")


def _garble_refs(copy: Path) -> None:
    (copy / "refs/heads/main").write_bytes(b"x" * 41)


def _lose_objects(copy: Path) -> None:
    for file in copy.glob("objects/??/*"):
        file.unlink()


@pytest.mark.parametrize("damage", [_cut_packs, _empty_objects, _garble_head, _garble_refs, _lose_objects])
def test_a_copy_that_is_damaged_is_mended(
    bot: Bot, make_repo: Make, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    archive = make_repo("inbox/git/0.git", bare=True)
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in range(5)])
    url = f"file://{tmp_path}/inbox"
    assert read(bot, url) == ListReadResult(5, 5)
    (copy,) = (tmp_path / "mirrors").glob("*/0.git")
    damage(copy)
    for n in (5, 6):
        fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}"))], date=NOW + n)
        tally = read(bot, url)
        assert (tally.error, tally.added) == (None, 1)
    assert len(msgids(bot)) == 7


def test_a_copy_of_which_a_mail_is_damaged_is_fetched_anew(bot: Bot, make_repo: Make, tmp_path: Path) -> None:
    archive = make_repo("inbox/git/0.git", bare=True)
    fill(archive, [mail(f"{n}@x", "[PATCH] f", diff(old=f"{n:07}")) for n in range(5)])
    url = f"file://{tmp_path}/inbox"
    (copy,) = fetch_epochs(url, tmp_path / "mirrors")
    blob = Repo(copy, bare=True).git("rev-parse", "main~2:m")
    file = copy / "objects" / blob[:2] / blob[2:]
    file.chmod(0o600)
    file.write_bytes(b"x" * 50)
    assert read(bot, url) == ListReadResult(5, 5)
    assert copy.with_name("0.git.damaged").is_dir()


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[str]:
    mails = [*series("one", 2), mail("r@x", "Re: [PATCH 1/2] one: part 1", below="one-v1-1@x")]
    received = [b"Received: from x by y; Mon, 1 Jun 2026 10:00:00 +0000\n" + raw for raw in mails]
    with public_inbox(tmp_path / "server", received) as url:
        yield url


def test_a_copy_that_takes_long_is_logged(
    bot: Bot, inbox: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seriestool.util.progress._NOTED_EVERY", 0)
    assert read(bot, inbox, via="git").added == 4
    assert "fetching 'list': counting, 12 of 12 objects" in said


def test_a_server_over_http(bot: Bot, inbox: str) -> None:
    tally = read(bot, inbox, via="http")
    assert (tally.error, tally.added) == (None, 4)
    assert cursor(bot)[0]["way"] == "http"
    assert len(bot.look().complete) == 1
    again = read(bot, inbox)
    assert (again.error, again.added) == (None, 0)
    assert not (Path(bot.url[10:]).parent / "mirrors").exists()


def test_a_server_with_a_git_archive(bot: Bot, inbox: str) -> None:
    tally = read(bot, inbox)
    assert (tally.error, tally.added) == (None, 4)
    assert cursor(bot)[0]["way"] == "git"


def test_a_server_that_has_nothing_of_late(bot: Bot, inbox: str) -> None:
    assert read(bot, inbox, via="http", limits=ReadLimits(first_days=1)) == ListReadResult()
    bot.now = 1_780_308_000 + 86_400  # the clock was wrong
    assert read(bot, inbox, via="http", limits=ReadLimits(first_days=2)).added == 4


def test_a_server_without_a_git_archive(bot: Bot) -> None:
    def answer(path: str) -> tuple[int, str, bytes]:
        if "git" in path or "info/refs" in path:
            return 404, "text/plain", b"no"
        if "q=" in path:
            mbox = b"".join(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + raw + b"\n" for raw in series("one", 2))
            return 200, "application/gzip", gzip.compress(mbox)
        return 200, "text/html", b"<html>"

    with http_server(answer) as url:
        assert read(bot, f"{url}/list") == ListReadResult(3, 3)
        assert cursor(bot)[0]["way"] == "http"


def _bomb() -> bytes:
    return gzip.compress(b"\0" * 210_000_000, 9)


HOSTILE = {
    "an error": (500, "text/plain", b"broken", "500"),
    "a page": (200, "text/html", b"<html>sign in</html>", "damaged|no mailbox"),
    "garbage": (200, "application/gzip", bytes(range(256)) * 40, "damaged|no mailbox"),
    "cut short": (
        200,
        "application/gzip",
        gzip.compress(b"From a\nSubject: x\n\n" * 999)[:60],
        "ends in the middle|damaged",
    ),
    "a gzip bomb": (200, "application/gzip", b"", "larger than"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_server(bot: Bot, archive: Repo, case: str) -> None:
    status, kind, body, said = HOSTILE[case]
    body = body or _bomb()
    start = time.monotonic()
    with http_server(lambda path: (status, kind, body) if "q=" in path else (200, "text/html", b"")) as url:
        tally = read(bot, f"{url}/list", "bad", via="http")
    assert tally.added == 0
    assert any(word in str(tally.error) for word in said.split("|")), tally.error
    assert "\n" not in str(tally.error)
    assert cursor(bot, "bad")[1] == tally.error
    assert time.monotonic() - start < 120
    assert read(bot, fill(archive, series("one", 1)), "good") == ListReadResult(2, 2)
    assert read(bot, "http://127.0.0.1:9/none", "gone", via="http").error


def test_a_server_that_leads_elsewhere(bot: Bot) -> None:
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://localhost:1/secret")
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tally = read(bot, f"http://127.0.0.1:{server.server_address[1]}/list", via="http")
        server.shutdown()
    assert "sends us to another server" in str(tally.error)


def test_mails_that_are_bombs(bot: Bot) -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
    bombs = [
        mail(
            "refs@x",
            "[PATCH] f",
            diff(),
            headers="X: y\nReferences: " + " ".join(f"<{n}@y>" for n in range(100_000)) + "\n",
        ),
        b"Message-ID: <deep@x>\nSubject: [PATCH] f\nFrom: a@x\n" + nested,
        mail("claim@x", "[PATCH 1/99999999] f", diff()),
        mail("many@x", "[PATCH 1/9999] f", diff()),
        mail("title@x", "[PATCH] " + "x" * 500_000, diff()),
        mail("name@x", "[PATCH] f", diff(), sender="x" * 100_000 + " <a@x>"),
        mail("nul@x", "[PATCH] f\0\x1b[31m", diff()),
        mail("big@x", "[PATCH] f", diff(), message="y" * 5_000_000),
    ]
    start = time.monotonic()
    assert bot.get(*bombs).added == 8
    bot.look()
    assert bot.settle().incomplete
    assert time.monotonic() - start < 10
    longest = bot.rows("SELECT max(length(head)), max(length(sender_name)), count(*) FROM mails")
    assert longest[0][0] < 20_000
    assert longest[0][1] <= 300
    assert bot.rows("SELECT count(*) FROM links")[0][0] <= 10


@pytest.mark.parametrize(
    "msgid",
    ["a\x1b[2J@x", "a\x07b@x", "x" * 10_000 + "@y", "\x9b@x", "ü" * 400 + "@x"],
    ids=["escape", "bell", "long", "c1", "bytes"],
)
def test_message_ids_that_cannot_be_keys(bot: Bot, msgid: str) -> None:
    assert bot.get(mail(msgid, "[PATCH] f", diff())) == ListReadResult(left_out=1)


@pytest.mark.parametrize("msgid", ["../../etc/passwd@x", "/etc/passwd", "a%00b@x", "';DROP/**/TABLE/**/mails;--@x"])
def test_message_ids_that_look_like_something_else(bot: Bot, msgid: str) -> None:
    bot.get(mail(msgid, "[PATCH] f", diff()))
    bot.look()
    assert bot.rows("SELECT msgid FROM series") == [(msgid,)]


def test_one_author_with_hundreds_of_series(bot: Bot) -> None:
    start = time.monotonic()
    bot.get(*[raw for n in range(300) for raw in series(f"s{n}", 2, day=1 + n % 28)])
    bot.get(*series("other", 2))
    bot.look()
    bot.get(*series("more", 2))
    again = time.monotonic()
    bot.look()
    assert len(bot.series()) == 302
    assert time.monotonic() - start < 20
    assert time.monotonic() - again < 1


def test_a_flood_of_mails_hides_no_other_series(bot: Bot) -> None:
    victim = series("victim", 2)
    bot.get(victim[0], victim[1])
    bot.get(*[
        mail(f"{n}@x", f"[PATCH {1 + n % 7}/9] flood", diff(old=f"{n:07}"), below=above, sender=f"m{n % 9}@x")
        for n in range(2000)
        for above in ("victim-v1-0@x" if n % 2 else f"{n - 1}@x",)
    ])  # fmt: skip
    bot.get(victim[2], *series("other", 2))
    start = time.monotonic()
    bot.look()
    assert {"victim-v1-0@x", "other-v1-0@x"} <= {row[0] for row in bot.series()}
    bot.get(*series("more", 2))
    bot.look()
    assert time.monotonic() - start < 30
    assert "more-v1-0@x" in {row[0] for row in bot.series()}


def test_of_two_mails_with_one_message_id_the_first_counts(bot: Bot) -> None:
    bot.get(mail("a@x", "[PATCH] mine", diff()), mail("a@x", "[PATCH] forged", diff(line="evil")))
    bot.get(mail("a@x", "[PATCH] forged", diff(line="evil"), sender="Mallory <m@x>"))
    bot.look()
    assert bot.rows("SELECT subject FROM series") == [("mine",)]


def test_what_no_open_work_needs_goes(bot: Bot) -> None:
    bot.get(*series("open", 1), *series("done", 1), mail("never@x", "[PATCH 1/2] never", diff()))
    bot.settle()
    with bot.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE series SET state = 'done' WHERE msgid = 'done-v1-0@x'")
    assert purge(bot.store, NOW + UNUSED) == 0
    assert purge(bot.store, NOW + UNUSED + 1) == 1
    assert purge(bot.store, NOW + OLD + 1) == 3
    assert msgids(bot) == ["open-v1-0@x", "open-v1-1@x"]
    bot.get(*series("done", 1))
    assert bot.look().complete == [], "what was found once is not found again"


def test_a_mail_in_half() -> None:
    whole = mail("a@x", "[PATCH] f", diff())
    for end in range(0, len(whole), 7):
        row = parse_row(whole[:end], "list", NOW)
        assert row is None or row.values["msgid"]


@pytest.mark.parametrize("case", ["endless", "trickling"])
def test_a_server_that_never_ends(bot: Bot, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()
            piece, pause = (b"x" * 100_000, 0.0) if case == "endless" else (b"x", 0.05)
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(piece)
                    time.sleep(pause)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(lore, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr(lore, "_PATIENCE", 0.5)
    monkeypatch.setattr(lore, "_PIECE", 1)
    if case == "endless":
        monkeypatch.setattr(lore, "_PATIENCE", 60)
        monkeypatch.setattr(lore, "_PIECE", 1 << 16)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tally = read(bot, f"http://127.0.0.1:{server.server_address[1]}/list", via="http")
        server.shutdown()
    assert ("more than" if case == "endless" else "took longer than") in str(tally.error)
