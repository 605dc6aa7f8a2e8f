# SPDX-License-Identifier: GPL-2.0-or-later
"""Databases of the bot: a file, and a Postgres server where one is installed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seriestool.bot.store import Store
from tests.support.bots import collected
from tests.support.postgres import Server, find_programs, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running server of this test process."""
    if find_programs() is None:
        pytest.skip("needs a Postgres server (Debian: postgresql), which is not there")
    with running_server() as server:
        yield server


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What the bot logs in the test, from level info on."""
    with collected([]) as said:
        yield said


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def open_store(database: str) -> Iterator[Callable[[], Store]]:
    """Opens that database, as another process would."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(database))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """That database, open."""
    return open_store()
