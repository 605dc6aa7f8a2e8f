# SPDX-License-Identifier: GPL-2.0-or-later
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.series.mail import split_mbox
from seriestool.sources import lore as lore_module
from seriestool.sources.lore import Lore, get_patchwork_msgid, server_of_url
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.util.errors import InputError, NotFoundError, OutsideError, SeriestoolError
from tests.support.repos import ROOT
from tests.support.servers import free_port, http_server, public_inbox

DATA = ROOT / "tests/data/mail"
CHANGE_ID = "20260101-french-0123456789ab"


def load(name: str) -> tuple[bytes, ...]:
    return split_mbox((DATA / name).read_bytes())


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    mails = [*load("two-versions.mbox"), load("change-id-new-title.mbox")[-1], load("stray-patch-in-thread.mbox")[-1]]
    with public_inbox(tmp_path_factory.mktemp("lore"), mails) as url:
        yield url


def ids(name: str, options: SourceOptions) -> list[str]:
    return [patch.msgid.partition("@")[0] for patch in resolve(name, options).patches]


def test_message_id_finds_the_newest_version_of_another_thread(inbox: str) -> None:
    options = SourceOptions(lore_url=inbox)
    assert ids("v1-1@example.org", options) == ["v2-1", "v2-2"]
    assert ids("<v1-0@example.org>", replace(options, version=1)) == ["v1-1", "v1-2"]
    assert ids("id:v2-0@example.org", replace(options, version=1)) == ["v1-1", "v1-2"]


@pytest.mark.parametrize(
    "form", ["{}/v1-0@example.org/", "{}/v1-0@example.org/T/#u", "{}/v1-0%40example.org/t.mbox.gz"]
)
def test_url_names_its_own_server(inbox: str, form: str) -> None:
    assert ids(form.format(inbox), SourceOptions()) == ["v2-1", "v2-2"]


def test_redirecting_url(inbox: str) -> None:
    server = inbox.rpartition("/")[0]
    assert ids(f"{server}/r/v1-0@example.org", SourceOptions(lore_url=inbox)) == ["v2-1", "v2-2"]
    # The server's address without an inbox: it says itself where the mail is.
    assert ids("v1-0@example.org", SourceOptions(lore_url=server, version=1)) == ["v1-1", "v1-2"]


@pytest.mark.parametrize("name", [CHANGE_ID, f"change-id:{CHANGE_ID}"])
def test_change_id(inbox: str, name: str) -> None:
    assert resolve(name, SourceOptions(lore_url=inbox)).subject == "lang: speak French"


def test_server_from_git_config(inbox: str) -> None:
    for config in ({"seriestool.lore": (inbox + "/",)}, {"b4.midmask": (inbox + "/%s",)}):
        assert ids("v2-0@example.org", SourceOptions(config=lambda config=config: config)) == ["v2-1", "v2-2"]


def test_unknown_message_id(inbox: str) -> None:
    with pytest.raises(NotFoundError, match=f"^no such message on {inbox}: 'nobody@example.org'$"):
        resolve("nobody@example.org", SourceOptions(lore_url=inbox))


def test_unknown_change_id(inbox: str) -> None:
    with pytest.raises(NotFoundError, match="no series with change-id"):
        resolve("20260101-nothing-ffffffffffff", SourceOptions(lore_url=inbox))


def test_offline_uses_what_was_fetched_before(inbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    online = SourceOptions(lore_url=inbox, cache_dir=tmp_path / "cache")
    offline = replace(online, offline=True)
    with pytest.raises(NotFoundError, match="neither in the cache nor in an archive"):
        resolve("v1-0@example.org", offline)
    assert ids("v1-0@example.org", online) == ["v2-1", "v2-2"]
    monkeypatch.setattr(Lore, "_ask", lambda *_: pytest.fail("offline asks nobody"))
    assert ids("v1-0@example.org", offline) == ["v2-1", "v2-2"]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_cache_that_cannot_be_written_is_no_error(inbox: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    options = SourceOptions(lore_url=inbox, cache_dir=tmp_path / "cache", version=1)
    assert ids("v1-0@example.org", options) == ["v1-1", "v1-2"]


def test_an_archive_is_asked_before_the_server(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes((DATA / "two-versions.mbox").read_bytes())
    options = SourceOptions(lore_url=f"http://127.0.0.1:{free_port()}", archives=(tmp_path / "a.mbox",))
    assert ids("https://lore.kernel.org/r/v1-0@example.org", options) == ["v2-1", "v2-2"]


def test_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}/all"
    with pytest.raises(OutsideError, match=f"^cannot reach {url}$") as caught:
        resolve("a@example.org", SourceOptions(lore_url=url))
    assert caught.value.exit_code == 4
    assert "--offline" in (caught.value.hint or "")


MBOX = gzip.compress((DATA / "two-versions.mbox").read_bytes())


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        ("HTML", (200, "text/html", b"<html>please prove that you are human</html>")),
        ("nothing", (200, "text/plain", b"")),
        ("cut gzip", (200, "application/gzip", MBOX[: len(MBOX) // 2])),
        ("damaged gzip", (200, "application/gzip", MBOX[:20] + bytes(30) + MBOX[50:])),
        ("gzip of HTML", (200, "application/gzip", gzip.compress(b"<html>sorry</html>"))),
        ("error", (500, "text/plain", b"oops")),
        ("too many requests", (429, "text/plain", b"slow down")),
    ],
)
def test_nonsense(case: str, answer: tuple[int, str, bytes], tmp_path: Path) -> None:
    with http_server(lambda _: answer) as url, pytest.raises(OutsideError) as caught:
        resolve("a@example.org", SourceOptions(lore_url=url + "/all", cache_dir=tmp_path))
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert not list(tmp_path.rglob("*.mbox"))


def test_a_gzip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seriestool.series.mail.mbox.MAX_BYTES", 100_000)
    bomb = gzip.compress(bytes(1_000_000))
    with http_server(lambda _: (200, "application/gzip", bomb)) as url, pytest.raises(OutsideError, match="larger"):
        Lore(url).get_thread("a@example.org")


def test_an_answer_that_trickles_in_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lore_module, "_PATIENCE", 0.0)
    with (
        http_server(lambda _: (200, "application/gzip", MBOX)) as url,
        pytest.raises(OutsideError, match="took longer"),
    ):
        Lore(url).get_thread("a@example.org")


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: str) -> tuple[int, str, bytes]:
        time.sleep(3)
        return 200, "text/plain", b""

    config = {"liblore.{}.requesttimeout": ("0.3",)}
    with http_server(never) as url:
        start = time.monotonic()
        section = {key.format(url): value for key, value in config.items()}
        with pytest.raises(OutsideError, match="cannot reach"):
            Lore(url, lambda: section).get_thread("a@example.org")
        assert time.monotonic() - start < 2.5


def test_a_search_that_fails_is_told_not_hidden() -> None:
    def answer(path: str) -> tuple[int, str, bytes]:
        return (500, "text/plain", b"") if "q=" in path else (200, "application/gzip", MBOX)

    with http_server(answer) as url:
        series = resolve("v1-0@example.org", SourceOptions(lore_url=url))
    assert series.version == 2
    assert series.remarks and "no search for newer versions" in series.remarks[0]


def test_fallback_server_from_git_config(inbox: str) -> None:
    server, _, name = inbox.rpartition("/")
    away = f"http://127.0.0.1:{free_port()}"
    config = {f"liblore.{away}.fallback": (server,), f"liblore.{away}.useragentplus": ("me",)}
    options = SourceOptions(lore_url=f"{away}/{name}", config=lambda: config, version=1)
    assert ids("v1-0@example.org", options) == ["v1-1", "v1-2"]


def test_a_bad_value_in_git_config_is_told() -> None:
    with pytest.raises(SeriestoolError, match="probettl"):
        Lore("http://127.0.0.1:1", lambda: {"liblore.http://127.0.0.1:1.probettl": ("soon",)}).get_thread("a@b")


@pytest.mark.parametrize(
    ("path", "api", "value"),
    [
        ("/patch/12/", "/api/patches/12/", {"msgid": "<v1-1@example.org>"}),
        ("/project/x/list/?series=34", "/api/series/34/", {"cover_letter": {"msgid": "<v1-0@example.org>"}}),
        ("/series/34/mbox/", "/api/series/34/", {"cover_letter": None, "patches": [{"msgid": "<v1-1@example.org>"}]}),
        ("/cover/56/", "/api/covers/56/", {"msgid": "<v1-0@example.org>"}),
    ],
)
def test_patchwork_number(path: str, api: str, value: object, inbox: str) -> None:
    def answer(asked: str) -> tuple[int, str, bytes]:
        return (200, "application/json", json.dumps(value).encode()) if asked == api else (404, "text/plain", b"")

    with http_server(answer) as url:
        assert ids(url + path, SourceOptions(lore_url=inbox, version=1)) == ["v1-1", "v1-2"]


def test_patchwork_url_with_message_id(inbox: str) -> None:
    url = "https://patchwork.kernel.org/project/x/patch/v1-1@example.org/"
    assert ids(url, SourceOptions(lore_url=inbox, version=1)) == ["v1-1", "v1-2"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", NotFoundError),
        (500, b"", OutsideError),
        (200, b"<html>", OutsideError),
        (200, b"[]", OutsideError),
        (200, b"{}", OutsideError),
        (200, b'{"msgid": 3}', OutsideError),
    ],
)
def test_patchwork_nonsense(status: int, body: bytes, error: type[SeriestoolError]) -> None:
    with http_server(lambda _: (status, "application/json", body)) as url, pytest.raises(error):
        get_patchwork_msgid(f"{url}/patch/12/")


def test_patchwork_offline() -> None:
    with pytest.raises(NotFoundError, match="needs the network"):
        resolve("https://patchwork.example.org/patch/12/", SourceOptions(offline=True))


def test_url_of_no_mail() -> None:
    with pytest.raises(InputError, match="names no mail"):
        resolve("https://example.org/about.html", SourceOptions())


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://x.example/list/a@b/T/", "https://x.example/list"),
        ("https://x.example/a@b/", "https://x.example"),
        ("https://x.example/r/a@b/", "https://x.example"),
    ],
)
def test_server_of_url(url: str, server: str) -> None:
    assert server_of_url(url) == server
