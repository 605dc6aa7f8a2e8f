# SPDX-License-Identifier: GPL-2.0-or-later
"""Many workers on one Postgres: one of them decides, and one of them sends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from seriestool.bot.bot_config import Policy
from seriestool.bot.bot_tables import MessageState
from seriestool.bot.notify.send import find_decided, send_message
from seriestool.bot.notify.send.outbox import _claim, _row
from seriestool.bot.store import Store
from tests.support.notify import NOW, RULES, facts, record, rows_of
from tests.support.servers import mail_server
from tests.unit.bot.notify.test_send_crash import ways_of

postgres = pytest.importorskip("tests.support.postgres")
_RULES = replace(RULES, policy=Policy.ALL, per_author=1000, per_day=1000)


@pytest.fixture(scope="module")
def server() -> Iterator[object]:
    try:
        with postgres.running_server() as running:
            yield running
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def store(server) -> Iterator[Store]:  # type: ignore[no-untyped-def]
    opened = Store.open(server.new_database().replace("postgresql://", "postgresql+psycopg://"))
    yield opened
    opened.close()


def test_a_claim_that_another_worker_has_made_meanwhile_is_seen(store: Store) -> None:
    record(store)
    (saying,) = find_decided(store)
    with store.transaction() as slow:
        row = _row(slow, saying)
        assert row is not None
        assert row["state"] == MessageState.DECIDED
        with store.transaction() as quick:
            assert _claim(quick, saying, NOW)
        assert not _claim(slow, saying, NOW)


def test_of_workers_that_decide_of_many_versions_at_once_one_says_it(store: Store) -> None:
    def decide(number: int) -> int:
        report = facts(key=f"{number:040}", lineage=f"l{number % 5}", version=number // 5 + 1)
        return len(record(store, report, _RULES).notifications)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(40))) == 5
    assert sorted(row["lineage"] for row in rows_of(store)) == [f"l{n}" for n in range(5)]


def test_of_workers_that_send_at_once_each_mail_is_sent_by_one(store: Store) -> None:
    for number in range(5):
        record(store, facts(key=f"{number:040}", lineage=f"l{number}"), _RULES)
    waiting = find_decided(store)
    with mail_server() as mails, ThreadPoolExecutor(8) as pool:
        channels = ways_of("all", str(mails.port))
        states = list(pool.map(lambda saying: send_message(store, saying, channels, NOW), waiting * 6))
    assert len(mails.got) == 5
    assert set(states) <= {MessageState.SENT, MessageState.SENDING}
    assert [row["state"] for row in rows_of(store)] == ["sent"] * 5
