# SPDX-License-Identifier: GPL-2.0-or-later
"""URLs of the bot's database, as people write them; errors of it."""

from collections.abc import Callable

import pytest
from sqlalchemy import insert, select

from seriestool.bot.bot_tables import leases
from seriestool.bot.dialects import StoreError, with_driver
from seriestool.bot.queue.workflows import engine_url
from seriestool.bot.store import Store
from seriestool.util.errors import InputError


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_is_spelled_as_people_spell_it(scheme: str) -> None:
    assert with_driver(f"{scheme}://bot@host/db?sslmode=require") == "postgresql+psycopg://bot@host/db?sslmode=require"


@pytest.mark.parametrize(
    "url", ["", "x", "mysql://host/db", "sqlite:file", "postgresql", "postgresql:/host", "file:///x"]
)
def test_what_is_no_url_of_ours(url: str) -> None:
    with pytest.raises(InputError):
        with_driver(url)


def test_dbos_has_a_file_beside_or_the_same_database() -> None:
    assert engine_url("sqlite:////x/bot.sqlite") == "sqlite:////x/bot.dbos.sqlite"
    assert engine_url("sqlite:////x/other.db") == "sqlite:////x/other.db.dbos.sqlite"
    assert engine_url("postgres://h/d") == "postgresql+psycopg://h/d"


def test_a_transaction_that_breaks_off_did_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        connection.execute(insert(leases).values(name="x", token="0"))
        raise ZeroDivisionError
    with store.transaction() as connection:
        assert connection.execute(select(leases)).all() == []


def test_two_processes_that_make_the_tables_at_once(open_store: Callable[[], Store]) -> None:
    for _ in range(3):
        open_store()


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreError) as error:
        Store.open("postgresql://nobody@127.0.0.1:1/x")
    assert error.value.exit_code == 4
