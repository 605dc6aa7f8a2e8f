# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot's site on a real Postgres: the same answers, also while the server is away and after it came back."""

from collections.abc import Iterator

import pytest

from seriestool.bot.site.database_reader import DatabaseReader
from seriestool.bot.site.site_export import export_site
from seriestool.util.errors import OutsideError
from tests.support.postgres import Server, running_server
from tests.support.site import NOW, Served, alive, fill, key_of, report_row, series_row, serve


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        with running_server() as server:
            yield server
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def site(server: Server) -> Iterator[Served]:
    url = server.new_database()
    rows = [series_row(1), series_row(2, state="waiting", subject="Cable: 100% longer", author_name="J\u00fcrgen")]
    fill(url, series=rows, reports=[report_row(1)], **alive())
    with serve(url) as served:
        yield served


PATHS = (
    "/",
    "/feed.atom",
    "/api/series",
    f"/api/series/{key_of(1)}",
    f"/series/{key_of(1)}/",
    "/api/lists",
    "/metrics",
)


def test_all_of_it_is_answered(site: Served) -> None:
    for path in (*PATHS, "/health"):
        assert site.get(path).status == 200, path
    assert site.get("/r/series-1@example.com").status == 302
    assert "seriestool_series_done_seconds 100" in site.get("/metrics").body.decode().splitlines()


@pytest.mark.parametrize(
    ("query", "keys"),
    [("q=cable:+100%25", [2]), ("q=_", []), ("author=j%C3%BCrgen", [2]), ("state=done", [1]), ("limit=1", [2])],
)
def test_the_api_is_asked_for_some(site: Served, query: str, keys: list[int]) -> None:
    assert [one["key"] for one in site.get(f"/api/series?{query}").json["series"]] == [key_of(key) for key in keys]


def test_words_that_postgres_cannot_store_find_nothing(site: Served) -> None:
    assert site.get("/r/a%00b@example.com").status == 404
    assert site.get("/r/%ED%A0%80@example.com").status == 404
    assert site.get("/api/series?q=%00").status == 400
    assert site.get("/api/series?q=%ED%A0%80").status == 200


def test_nothing_can_be_written(site: Served) -> None:
    reader = DatabaseReader(site.url)
    with pytest.raises(OutsideError, match="read-only"), reader.look() as connection:
        connection.exec_driver_sql("DELETE FROM series")
    reader.close()
    assert len(site.get("/api/series").json["series"]) == 2


def test_the_server_away_and_back(server: Server, site: Served) -> None:
    server.stop("immediate")
    try:
        for path in PATHS:
            reply = site.get(path)
            assert (reply.status, reply.headers["retry-after"]) == (503, "30"), path
        assert site.get("/health").json["checks"]["database"]["ok"] is False
    finally:
        server.start()
    for path in (*PATHS, "/health"):
        assert site.get(path).status == 200, path


def test_export(site: Served, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = export_site(DatabaseReader(site.url), tmp_path_factory.mktemp("site"), "https://example.org/", NOW)
    assert done.written == 4
