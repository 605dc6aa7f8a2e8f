# SPDX-License-Identifier: GPL-2.0-or-later
"""seriestool bot: status and retry as they are printed; run as far as it goes without lists."""

import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from seriestool.bot.bot_tables import cursors, mails, sayings, series, workers
from seriestool.bot.store import Store
from seriestool.cli.bot import ACTIONS, get_action
from seriestool.util.errors import InputError
from tests.support.bots import fill, key_of
from tests.support.session import Result, run_program

NOW = 1_770_100_000


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.sqlite"


@pytest.fixture
def bot(database: str) -> Callable[..., Result]:
    return lambda action, *arguments: run_program("bot", action, "--database", database, *arguments)


@pytest.fixture
def filled(database: str) -> str:
    """A bot in the middle of its work."""
    with closing(Store.open(database)) as store:
        fill(store, range(3))
        fill(store, [3], state="failed", error="no network", finished=NOW, tries=3, subject="evil \x1b[31m subject")
        fill(store, [4], state="running", worker="one")
        fill(store, range(5, 9), state="done", finished=NOW)
        with store.transaction() as connection:
            lists = {"list": "linux-nfs", "position": "{}", "read_at": NOW, "error": "timed out"}
            connection.execute(insert(cursors).values(lists))
            connection.execute(insert(workers).values(name="one", token="0", beats=5, seen=NOW, started=NOW))
            for number, state in ((5, "sent"), (6, "unknown"), (7, "decided")):
                connection.execute(insert(sayings).values(saying(number, state)))
            connection.execute(insert(mails), [mail(3, b"x"), mail(5, b"x"), mail(7, None)])
    return database


def saying(number: int, state: str) -> dict[str, object]:
    return {
        "id": f"{number}" * 40, "key": key_of(number), "lineage": key_of(number), "channel": "author", "state": state,
        "reason": "new", "said": "[]", "message": b"", "msgid": f"{number}@bot", "decided": NOW, "error": None,
    }  # fmt: skip


def mail(number: int, raw: bytes | None) -> dict[str, object]:
    return {
        "msgid": f"{number}@example.com", "list": "list0", "seen": NOW, "posted": NOW, "sender": "a@example.com",
        "is_patch": 1, "series": key_of(number), "head": "{}", "sender_name": "A", "raw": raw,
    }  # fmt: skip


def state_of(database: str, number: int) -> tuple[str, int]:
    with closing(Store.open(database)) as store, store.transaction() as connection:
        row = connection.execute(select(series.c.state, series.c.rounds).where(series.c.key == key_of(number))).one()
        return row.state, row.rounds


def test_status(filled: str, bot: Callable[..., Result], golden: Callable[[str, str], None]) -> None:
    result = bot("status")
    assert (result.code, result.err) == (0, "")
    golden("bot-status", re.sub(r"\d+ (days?|hours?|minutes?|seconds)", "some time", result.out))


def test_status_as_json(filled: str, bot: Callable[..., Result]) -> None:
    answer = json.loads(bot("status", "--json").out)
    assert answer["schema"] == 1
    assert answer["states"] == {
        "waiting": 3, "incomplete": 0, "queued": 0, "running": 1, "done": 4, "failed": 1, "superseded": 0
    }  # fmt: skip
    assert answer["sayings"] == {"decided": 1, "sending": 0, "sent": 1, "unknown": 1, "failed": 0}
    assert answer["workers"] == [{"name": "one", "seen": NOW, "started": NOW, "in_hand": 1}]
    assert [one["error"] for one in answer["failed"]] == ["no network"]
    assert [one["msgid"] for one in answer["unknown"]] == ["6@bot"]
    assert answer["lists"][0]["error"] == "timed out"
    assert answer["oldest_waiting"] == 1_770_000_000


def test_status_of_a_bot_that_never_ran(bot: Callable[..., Result]) -> None:
    result = bot("status")
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(
        r"seriestool: there is no bot's database '.*bot\.sqlite'\nhint: 'seriestool bot run' makes it\n", result.err
    )


def test_retry_a_series_by_key_and_message_id(filled: str, bot: Callable[..., Result]) -> None:
    result = bot("retry", key_of(5)[:12], "<3@example.com>")
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{key_of(5)} waits again\n{key_of(3)} waits again\n"
    assert state_of(filled, 5) == state_of(filled, 3) == ("waiting", 1)


def test_retry_failed(filled: str, bot: Callable[..., Result]) -> None:
    assert bot("retry", "--failed").out == "1 series that failed: waiting again\n"
    assert state_of(filled, 3) == ("waiting", 1)
    assert state_of(filled, 5) == ("done", 0)
    assert bot("retry", "--failed").out == "0 series that failed: waiting again\n"


def test_retry_unknown(filled: str, bot: Callable[..., Result]) -> None:
    assert bot("retry", "--unknown").out == "1 message of unknown fate: sent at the next round\n"
    assert state_of(filled, 6) == ("done", 0)
    assert json.loads(bot("status", "--json").out)["sayings"]["decided"] == 2
    with closing(Store.open(filled)) as store, store.transaction() as connection:
        decided = select(func.max(sayings.c.decided))
        assert connection.execute(decided).scalar_one() > time.time() - 600  # what is old would be withdrawn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to retry was named"),
        (["nobody@example.com"], "the bot knows no series 'nobody@example.com'"),
        (["%"], "the bot knows no series '%'"),
        (["_______"], "the bot knows no series '_______'"),
        ([key_of(4)], f"series {key_of(4)[:12]} is running as it is"),
        ([key_of(0)], f"series {key_of(0)[:12]} is waiting as it is"),
        ([key_of(7)], f"the mails of series {key_of(7)[:12]} are not kept any more"),
    ],
)
def test_what_cannot_be_retried(filled: str, bot: Callable[..., Result], arguments: list[str], message: str) -> None:
    result = bot("retry", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"seriestool: {message}\n")


def test_what_never_was_complete_cannot_be_retried(filled: str, bot: Callable[..., Result]) -> None:
    with closing(Store.open(filled)) as store:
        fill(store, [9], state="incomplete", missing=1)
    result = bot("retry", key_of(9))
    assert (result.code, result.err) == (2, f"seriestool: series {key_of(9)[:12]} is incomplete as it is\n")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://relative.db", "postgresql:/x"])
def test_a_url_that_is_none(url: str) -> None:
    result = run_program("bot", "status", "--database", url)
    assert result.code == 2
    assert result.err.startswith("seriestool: the bot's database is no URL that it knows\nhint: ")


def test_a_password_is_not_shown_where_the_server_is_not_there() -> None:
    result = run_program("bot", "status", "--database", "postgresql://bot:secret@127.0.0.1:1/x")
    assert result.code == 4
    assert result.err.startswith("seriestool: cannot use the bot's database: ")
    assert "secret" not in result.err


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite").write_text("not a database, but long enough to look like one" * 100)
    result = run_program("bot", "status", "--database", f"sqlite:///{tmp_path}/bot.sqlite")
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith("seriestool: cannot use the bot's database: file is not a database\n")


@pytest.mark.parametrize("arguments", [["bot"], ["bot", "fly"], ["bot", "statu"], ["bot", "run", "--jobs", "0"]])
def test_what_cannot_be_done(arguments: list[str]) -> None:
    result = run_program(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("seriestool: ")


def test_the_nearest_action_is_named() -> None:
    with pytest.raises(InputError) as error:
        get_action("statu")
    assert error.value.hint == "did you mean 'status'?"


@pytest.mark.parametrize("action", ["run", "status", "retry", "replay"])
def test_each_action_has_its_help_and_its_options_are_on_the_page(action: str) -> None:
    result = run_program("bot", action, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"usage: seriestool bot {action} ")
    page = (Path(__file__).parents[2] / "docs/man/seriestool-bot.1.md").read_text()
    own = result.out.partition("\n\n")[2].partition("common options:")[0]  # the usage has the common ones too
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", own)) - {"--help"}
    assert ("--database" in options) == (action != "replay")
    assert {one for one in options if one not in page} == set()


def test_the_help_names_all_actions() -> None:
    result = run_program("bot", "--help")
    assert result.code == 0
    assert all(f"  {one.name}" in result.out for one in ACTIONS)


def test_common_options_may_stand_after_the_action(filled: str) -> None:
    with closing(Store.open(filled)) as store, store.transaction() as connection:
        connection.execute(update(series).values(state="done"))
    result = run_program("bot", "retry", "--failed", "--database", filled, "--quiet")
    assert (result.code, result.out) == (0, "0 series that failed: waiting again\n")
