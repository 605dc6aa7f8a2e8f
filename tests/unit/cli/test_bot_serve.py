# SPDX-License-Identifier: GPL-2.0-or-later
"""`bot serve` as a process: where it listens, how it ends, what it says."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.repos import ROOT, Repo
from tests.support.servers import free_port
from tests.support.site import alive, fill, report_row, series_row, sqlite_url

START = """\
import sys
from seriestool.cli import bot_serve
from seriestool.cli.options import CliParser, add_common_options, default_options
from seriestool.cli.ui import open_ui
from seriestool.util.errors import SeriestoolError
parser = CliParser("seriestool bot serve")
bot_serve.add_arguments(parser)
add_common_options(parser)
try:
    arguments = parser.parse_args(sys.argv[1:], default_options())
    sys.exit(bot_serve.run(arguments, open_ui(arguments)))
except SeriestoolError as error:
    sys.exit(f"{error.message}")
"""


@pytest.fixture
def home(repo: Repo, tmp_path: Path) -> Repo:
    url = sqlite_url(tmp_path)
    fill(url, series=[series_row(1)], reports=[report_row(1)], **alive())
    repo.git("config", "seriestool.bot.database", url)
    return repo


def start(home: Repo, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        cwd=home.path, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    return process.stderr.readline()


def addresses(process: "subprocess.Popen[str]") -> set[str]:
    """Where the process listens, from the kernel's own table (proc_pid_net(5), one line for each socket)."""
    inodes = set()
    for handle in Path(f"/proc/{process.pid}/fd").iterdir():
        if found := re.fullmatch(r"socket:\[(\d+)\]", str(handle.readlink())):
            inodes.add(found[1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                found.add(words[1].partition(":")[0])
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_on_loopback_only_and_ends_when_told(home: Repo, number: signal.Signals) -> None:
    port = free_port()
    process = start(home, "--listen", f"localhost:{port}")
    try:
        assert first_line(process) == f"listening on http://127.0.0.1:{port}/\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/series", timeout=10) as answer:
            assert b"lamp: part 1" in answer.read()
        assert addresses(process) == {"0100007F"}
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.communicate()


def test_unless_told_it_is_loopback(home: Repo) -> None:
    from seriestool.cli.bot_serve import add_arguments
    from seriestool.cli.options import CliParser

    parser = CliParser("x")
    add_arguments(parser)
    assert parser.parse_args([]).listen == "127.0.0.1"


def test_the_page_has_each_option() -> None:
    from seriestool.cli.bot_serve import add_arguments
    from seriestool.cli.options import CliParser

    parser = CliParser("x")
    add_arguments(parser)
    page = (ROOT / "docs/man/seriestool-bot-serve.1.md").read_text()
    options = set(re.findall(r"--[a-z-]+", parser.format_help())) - {"--help"}
    assert options == {"--database", "--listen", "--export", "--url"}
    assert {option for option in options if f"`{option} " not in page} == set()


def test_the_command_line_names_another_database(repo: Repo, tmp_path: Path) -> None:
    fill(sqlite_url(tmp_path), series=[series_row(1)], reports=[report_row(1)])
    process = start(repo, "--export", str(tmp_path / "site"), "--database", sqlite_url(tmp_path))
    assert process.communicate(timeout=30)[0].endswith("4 files written, 0 as they were\n")
    process = start(repo, "--export", str(tmp_path / "site"), "--database", "mysql://secret@host/x")
    said = process.communicate(timeout=30)[1]
    assert said == "the bot's database is no URL that it knows\n"


def test_told_so_it_listens_for_all_and_says_it(home: Repo) -> None:
    port = free_port()
    process = start(home, "--listen", f"0.0.0.0:{port}")
    try:
        assert first_line(process) == f"listening on http://0.0.0.0:{port}/\n"
        assert first_line(process) == "whoever reaches this machine can read all of it\n"
        assert addresses(process) == {"00000000"}
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_one_line(home: Repo) -> None:
    port = free_port()
    first = start(home, "--listen", f"127.0.0.1:{port}")
    try:
        first_line(first)
        second = start(home, "--listen", f"127.0.0.1:{port}")
        _, said = second.communicate(timeout=20)
        assert said == f"cannot listen on 127.0.0.1 port {port}: Address already in use\n"
        assert second.returncode == 1
    finally:
        first.kill()
        first.communicate()


def test_export(home: Repo, tmp_path: Path) -> None:
    process = start(home, "--export", str(tmp_path / "site"), "--url", "https://example.org")
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, f"{tmp_path / 'site'}: 4 files written, 0 as they were\n")
    assert "https://example.org/series/" in (tmp_path / "site/feed.atom").read_text()


@pytest.mark.parametrize(
    "arguments", [["--listen", "example.org"], ["--url", "javascript:x"], ["--url", "http://a b/"]]
)
def test_what_cannot_be_is_one_line(home: Repo, arguments: list[str]) -> None:
    _, said = start(home, *arguments).communicate(timeout=20)
    assert said.count("\n") == 1
    assert "is no" in said


def test_it_starts_before_the_bot_does(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "seriestool.bot.database", sqlite_url(tmp_path))
    port = free_port()
    process = start(repo, "--listen", f"127.0.0.1:{port}")
    try:
        first_line(process)
        assert status(port) == 503
        fill(sqlite_url(tmp_path), **alive())
        assert status(port) == 503  # a clock of today: it was not seen for long
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/lists", timeout=10) as answer:
            assert answer.status == 200
    finally:
        process.kill()
        process.communicate()


def status(port: int) -> int:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < deadline
