# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages as the bot's server sends them, in a real browser: nothing of ours is blocked, links lead on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seriestool.report.precheck_page import precheck_page
from tests.support.browser import Browser, open_browser
from tests.support.pages import hostile_precheck, made_precheck, made_series
from tests.support.site import Served, alive, fill, key_of, report_row, series_row, serve, sqlite_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    url = sqlite_url(tmp_path)
    rows = [series_row(1), series_row(2, subject="cable: longer"), series_row(3, subject="<script>alert(1)</script>")]
    reports = [
        report_row(1, precheck_page(made_precheck(made_series()))),
        report_row(3, precheck_page(hostile_precheck())),
    ]
    fill(url, series=rows, reports=reports, **alive())
    with serve(url) as served:
        yield served


def visit(browser: Browser, site: Served, path: str) -> None:
    browser.driver.get("about:blank")
    browser.complaints()
    browser.driver.get(f"http://127.0.0.1:{site.port}{path}")


def is_styled(browser: Browser) -> bool:
    return bool(browser.run("return document.styleSheets.length === 1 && document.styleSheets[0].cssRules.length > 10"))


def test_the_index_is_styled_and_searched(browser: Browser, site: Served) -> None:
    visit(browser, site, "/")
    assert is_styled(browser)
    browser.one("#wanted").send_keys("cable")
    assert [item.text.partition("\n")[0] for item in browser.all("#series li") if item.is_displayed()] == [
        "cable: longer"
    ]
    assert not [said for said in browser.complaints() if "favicon" not in said]


def test_a_link_leads_to_the_page(browser: Browser, site: Served) -> None:
    visit(browser, site, "/")
    browser.one(f'a[href="series/{key_of(1)}/"]').click()
    assert browser.driver.current_url.endswith(f"/series/{key_of(1)}/")
    assert is_styled(browser)
    assert len(browser.all("h1")) == 1
    assert not [said for said in browser.complaints() if "favicon" not in said]


def test_a_hostile_page_runs_nothing(browser: Browser, site: Served) -> None:
    visit(browser, site, f"/series/{key_of(3)}/")
    assert is_styled(browser)
    assert not [said for said in browser.complaints() if "favicon" not in said]


def test_nobody_puts_a_page_into_a_frame(browser: Browser, site: Served, tmp_path: Path) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(f'<iframe src="http://127.0.0.1:{site.port}/"></iframe>')
    browser.driver.get("about:blank")
    browser.complaints()
    browser.driver.get(frame.as_uri())
    assert any("frame" in said.lower() for said in browser.complaints())
