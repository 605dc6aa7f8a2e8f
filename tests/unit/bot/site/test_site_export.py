# SPDX-License-Identifier: GPL-2.0-or-later
"""The site as files: the same as the server's, written only where it is new, each file whole."""

from pathlib import Path

import pytest

from seriestool.bot.site.database_reader import DatabaseReader
from seriestool.bot.site.site_export import export_site
from seriestool.report.series_index import PAGE_ROWS
from seriestool.util.errors import OutsideError
from tests.support.site import NOW, fill, key_of, report_row, series_row, serve, sqlite_url

URL = "https://example.org/bot/"


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = sqlite_url(tmp_path)
    fill(url, series=[series_row(number) for number in (1, 2)], reports=[report_row(1)])
    return url


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_what_the_server_answers(url: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = export_site(DatabaseReader(url), site, URL, NOW // 60 * 60)
    assert files(site) == {"index.html", "feed.atom", f"series/{key_of(1)}/index.html", f"series/{key_of(1)}.json"}
    assert (done.written, done.kept) == (4, 0)
    with serve(url) as served:
        for file, path in (
            ("index.html", "/"),
            ("feed.atom", "/feed.atom"),
            (f"series/{key_of(1)}/index.html", f"/series/{key_of(1)}/"),
            (f"series/{key_of(1)}.json", f"/series/{key_of(1)}.json"),
        ):
            assert (site / file).read_bytes() == served.get(path).body


def test_again_only_what_is_new_is_written(url: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    export_site(DatabaseReader(url), site, URL, NOW)
    old = (site / f"series/{key_of(1)}/index.html").stat()
    fill(url, reports=[report_row(2)])
    done = export_site(DatabaseReader(url), site, URL, NOW)
    assert (done.written, done.kept) == (4, 2)  # two of the new report, index and feed
    assert (site / f"series/{key_of(1)}/index.html").stat().st_ino == old.st_ino
    done = export_site(DatabaseReader(url), site, URL, NOW)
    assert (done.written, done.kept) == (0, 6)


def test_a_report_made_anew_is_written_again(url: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    export_site(DatabaseReader(url), site, URL, NOW)
    from seriestool.bot.store import Store

    store = Store.open(url)
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM reports")
    store.close()
    fill(url, reports=[report_row(1, "<title>anew</title>", made=NOW)])
    export_site(DatabaseReader(url), site, URL, NOW)
    assert (site / f"series/{key_of(1)}/index.html").read_text() == "<title>anew</title>"


def test_pages_of_the_index_come_and_go(tmp_path: Path) -> None:
    url, site = sqlite_url(tmp_path), tmp_path / "site"
    fill(url, series=[series_row(number) for number in range(PAGE_ROWS + 1)])
    site.mkdir()
    for name in ("index-3.html", "index-of-mine.html", "mine.html"):
        (site / name).write_text("old")
    export_site(DatabaseReader(url), site, URL, NOW)
    assert files(site) == {"index.html", "index-2.html", "feed.atom", "index-of-mine.html", "mine.html"}


def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    url, site = sqlite_url(tmp_path), tmp_path / "deep/site"
    fill(url, series=[series_row(1, key="../../evil")], reports=[report_row(1, key="../../evil")])
    export_site(DatabaseReader(url), site, URL, NOW)
    assert files(tmp_path / "deep") == {"site/index.html", "site/feed.atom"}


def test_a_full_disk_leaves_no_half_file(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    export_site(DatabaseReader(url), site, URL, NOW)
    before = {name: (site / name).read_bytes() for name in files(site)}
    fill(url, reports=[report_row(2)])

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutsideError, match="No space left"):
        export_site(DatabaseReader(url), site, URL, NOW)
    assert {name: (site / name).read_bytes() for name in files(site)} == before


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="cannot read the bot's database"):
        export_site(DatabaseReader(sqlite_url(tmp_path)), tmp_path / "site", URL, NOW)
    assert files(tmp_path) == set()
