# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages in a real browser: what is seen, where it stands, what it loads, and what axe-core says of it."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.report.check_page import report_page
from seriestool.report.precheck_page import precheck_page
from seriestool.report.series_index import IndexRow, Paging, index_page
from tests.support.browser import Browser, open_browser
from tests.support.pages import (
    DAY,
    POSTED,
    hostile_precheck,
    made_patch,
    made_precheck,
    made_series,
    real_precheck,
    without_answers,
)
from tests.support.repos import Repo

MADE = ("precheck", "nothing", "hostile", "index", "check")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def plain_browser() -> Iterator[Browser]:
    """One in which no page may run scripts."""
    with open_browser(scripts=False) as found:
        yield found


@pytest.fixture(scope="module")
def made() -> Precheck:
    return made_precheck(made_series(*(made_patch(n, f"net: part {n} computes") for n in range(1, 7))))


@pytest.fixture(scope="module")
def pages(made: Precheck, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    assert made.checks is not None
    texts = {
        "precheck": precheck_page(made),
        "nothing": precheck_page(without_answers(made)),
        "hostile": precheck_page(hostile_precheck()),
        "index": index_page([row(n) for n in range(30)], POSTED, Paging(1, 2, None, "index-2.html"), "feed.atom"),
        "check": report_page(made.checks),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


def row(n: int) -> IndexRow:
    answer = list(PrecheckAnswer)[n % len(PrecheckAnswer)] if n % 7 else None
    href = f"s/{n}/index.html" if answer else None
    subject = f"{('net', 'mm', 'nfsd')[n % 3]}: series {n} of many"
    sentence = f"It is {answer}." if answer else "It waits for its turn."
    posted = POSTED - n * DAY
    author = ("Ned Net", "Zo\u00eb Mem")[n % 2]
    msgid = f"m{n}@example.org"
    return IndexRow(subject, author, n % 3 + 1, "netdev", posted, msgid, answer, sentence, href, posted)


def test_what_judges_the_pages_can_say_no(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<title>x</title><img src=elsewhere.png><p style='color:#ccc;background:#fff'>pale</p>")
    browser.look()
    browser.open(bad)
    assert {one.split(" ")[0] for one in browser.axe()} >= {"image-alt", "color-contrast", "html-has-lang"}
    assert browser.requests() == [bad.as_uri(), (tmp_path / "elsewhere.png").as_uri()]
    assert browser.complaints() != []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MADE)
def test_axe_finds_nothing_serious(browser: Browser, pages: Path, name: str, scheme: str) -> None:
    browser.look(scheme)
    browser.open(pages / f"{name}.html")
    for one in browser.all("details"):
        browser.run("arguments[0].open = true", one)
    assert browser.axe() == []


@pytest.mark.parametrize("name", MADE)
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_refused(browser: Browser, pages: Path, name: str) -> None:
    browser.look()
    browser.open(pages / f"{name}.html")
    assert browser.requests() == [(pages / f"{name}.html").as_uri()]
    assert browser.complaints() == []


@pytest.mark.parametrize("name", MADE)
def test_a_phone_does_not_scroll_sideways(browser: Browser, pages: Path, name: str) -> None:
    browser.look(width=360, height=740)
    browser.open(pages / f"{name}.html")
    wide = browser.run(
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 361"
        " && !e.closest('.scroll') && !e.closest('.unseen, .skip')).map(e => e.outerHTML.slice(0, 200))"
    )
    assert wide == []
    assert browser.run("return document.documentElement.scrollWidth") <= 360


def test_light_and_dark_differ(browser: Browser, pages: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        browser.look(scheme)
        browser.open(pages / "precheck.html")
        colours[scheme] = [browser.one("body").value_of_css_property(name) for name in ("background-color", "color")]
    assert brightness(colours["light"][0]) > 0.9 > 0.2 > brightness(colours["light"][1])
    assert brightness(colours["dark"][0]) < 0.2 < 0.7 < brightness(colours["dark"][1])


def brightness(colour: str) -> float:
    """0 for black, 1 for white, of rgb(...) or rgba(...)."""
    numbers = [float(number) for number in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(numbers) / 3 / 255


# --- the matrix -----------------------------------------------------------------------------------------------------


def test_the_matrix_has_a_word_for_each_patch_on_each_tree(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    heads = [head.text.split("\n")[0] for head in browser.all(".grid thead th")]
    assert heads == ["patch", "net-next", "net", "linus", "stable/linux-6.12.y"]
    rows = [[cell.text for cell in cells(row)] for row in browser.all(".grid tbody tr")]
    assert rows[0] == ["+applies", "33-way", "=merged, differs", "xno base"]
    assert rows[1] == ["+applies", "xconflict 1 place", "~moved 2 hunks", "xno base"]
    assert [cell.text for cell in browser.all(".grid tfoot td")] == ["all in", "4 of 6", "all in", "0 of 6"]


def test_colours_go_with_words(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    seen = {
        (cell.text.split(" ")[0], cell.value_of_css_property("background-color"))
        for cell in browser.all(".grid tbody td")
    }
    assert len({colour for _, colour in seen}) == 4
    assert len({word for word, _ in seen}) == len(seen)


def test_a_cell_leads_to_its_reason(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    last = browser.all(".grid tbody tr")[4]
    link = cells(last)[1].find_element("css selector", "a")
    anchor = link.get_attribute("href").partition("#")[2]
    reason = browser.one(f"#{anchor}")
    assert not reason.is_displayed()
    link.click()
    assert reason.is_displayed()
    assert "drivers/net/part5.c" in reason.text
    assert "hunk 1, line 12 of the tree" in reason.text
    titles = [head.text for head in reason.find_elements("css selector", "h5")]
    assert titles == ["the series was made from", "the tree has", "the series wants"]
    assert "return other(n);" in reason.text
    assert "in net since 000000000000 net: change what they compute (Nora Net, 2026-01-20)" in reason.text
    commit = reason.find_element("css selector", "a")
    assert commit.get_attribute("href") == "https://lore.kernel.org/r/n@x.org"
    assert "noreferrer" in str(commit.get_attribute("rel"))


def cells(row: WebElement) -> list[WebElement]:
    return row.find_elements("css selector", "td")


# --- the timeline ---------------------------------------------------------------------------------------------------


def test_labels_of_the_pictures_do_not_overlap(browser: Browser, pages: Path) -> None:
    browser.look(width=1280)
    browser.open(pages / "precheck.html")
    for picture in browser.all("svg[role=img]"):
        boxes = browser.run(
            "return [...arguments[0].querySelectorAll('text')].map(text => [text.textContent, text.getBBox()])"
            ".map(([text, box]) => [text, box.x, box.y, box.x + box.width, box.y + box.height])",
            picture,
        )
        assert len(boxes) > 10
        width = browser.run("return arguments[0].viewBox.baseVal.width", picture)
        assert [box for box in boxes if box[1] < 0 or box[3] > width] == []
        assert [(one[0], other[0]) for one, other in combinations(boxes, 2) if overlap(one, other)] == []


def overlap(one: list[float], other: list[float]) -> bool:
    return one[1] < other[3] - 1 and other[1] < one[3] - 1 and one[2] < other[4] - 2 and other[2] < one[4] - 2


def test_the_timeline_stands_where_the_dates_say(browser: Browser, pages: Path, made: Precheck) -> None:
    browser.look(width=1280)
    browser.open(pages / "precheck.html")
    assert made.timeline is not None
    whole = (made.timeline.until - made.timeline.since) / timedelta(days=1)
    left, right = middle(browser, "svg .history", "left"), middle(browser, "svg .bar", "right")

    def x(days: float) -> float:
        """Where the day stands that is so many days after the posting."""
        return left + (30 + days) / whole * (right - left)

    def is_at(selector: str, days: float, side: str = "middle") -> bool:
        return abs(middle(browser, selector, side) - x(days)) < 1.5

    assert is_at("g[data-kind=posted] path", 0)
    assert is_at("g[data-kind=version] path", -12)
    assert is_at("g[data-tree='net-next'] g[data-kind=base] path", -3)
    assert is_at("g[data-tree='net-next'] g[data-kind=stated] path", -4)
    assert is_at("g[data-tree='net'] g[data-kind=broke] path", 9)
    assert is_at("g[data-tree='net'] .bar", -6, "left")
    assert is_at("g[data-tree='net'] .bar", 9, "right")
    assert is_at("g[data-tree='net'] .tip", 30)
    assert abs(middle(browser, "g[data-tree='linus'] g[data-kind=base] path") - left) < 1.5  # long before the window
    assert "\u2190 base" in browser.one("g[data-tree='linus'] g[data-kind=base] text").text
    assert browser.all("g[data-tree='linus'] .bar") == []


def middle(browser: Browser, selector: str, side: str = "middle") -> float:
    """Where the first such element stands, in pixels of the window; of `right` the one that reaches farthest."""
    boxes = browser.run(
        "return [...document.querySelectorAll(arguments[0])].filter(e => !e.closest('ul'))"
        ".map(e => e.getBoundingClientRect()).map(box => [box.left, box.right])",
        selector,
    )
    assert boxes, selector
    if side == "right":
        return max(box[1] for box in boxes)
    return float(boxes[0][0] if side == "left" else sum(boxes[0]) / 2)


def test_the_timeline_is_told_to_those_who_do_not_see_it(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html", "timeline")
    picture = browser.all("svg[role=img]")[0]
    named = browser.run(
        "return arguments[0].getAttribute('aria-labelledby').split(' ')"
        ".map(id => document.getElementById(id).textContent)",
        picture,
    )
    assert named[0] == "When the series applies, tree by tree"
    assert "it applies up to the tip of net-next" in named[1]
    tips = browser.run("return [...arguments[0].querySelectorAll('g title')].map(e => e.textContent)", picture)
    assert "broke 000000000000, 2026-01-28: net: change what they compute" in tips
    browser.run("arguments[0].open = true", browser.one("#timeline ~ details"))
    rows = [row.text for row in browser.all("#timeline ~ details tbody tr")]
    assert any(text.startswith("net-next") and text.endswith("the tip, 000000000000 150") for text in rows)
    assert "linus never" in rows
    assert any(text.startswith("2026-01-16 15:04 base net-next") for text in rows)


# --- findings -------------------------------------------------------------------------------------------------------


def test_a_finding_stands_under_its_line(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    found = browser.run(
        """return [...document.querySelectorAll('#patch-4 .finding')].map(e => {
            const before = e.previousElementSibling;
            const line = before && before.matches('pre') ? before.lastElementChild : null;
            return [e.querySelector('code').textContent, line && line.dataset.n, line && line.textContent,
                    line && line.getBoundingClientRect().bottom <= e.getBoundingClientRect().top];
        })"""
    )
    assert found == [
        ["style/subject-mismatch", "3", "It was wanted, and this is why.", True],
        ["style/long-line", "12", "+\tvalue_1 = compute(1, &state);", True],
    ]


def test_what_is_to_be_mended_leads_to_its_place(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    first = browser.all(".gathered li")[0]
    assert first.text.startswith("FAIL style/subject-mismatch the commit has another subject")
    browser.run("document.querySelectorAll('details.patch').forEach(e => { e.open = false; })")
    link = first.find_element("css selector", "a")
    target = browser.one(f"#{str(link.get_attribute('href')).partition('#')[2]}")
    assert not target.is_displayed()
    link.click()
    assert target.is_displayed()
    assert 'Fixes: 0123 ("x")' in target.text
    source = target.find_element("css selector", "a")
    assert source.get_attribute("href") == "https://www.kernel.org/doc/html/latest/process/submitting-patches.html"


def test_links_lead_to_web_pages_and_into_the_page_only(browser: Browser, pages: Path) -> None:
    for name in MADE:
        browser.open(pages / f"{name}.html")
        hrefs = browser.run("return [...document.querySelectorAll('[href]')].map(e => e.getAttribute('href'))")
        relative = ("#", "s/", "index", "feed")
        assert [
            href
            for href in hrefs
            if not href.startswith(("https://lore.kernel.org/r/", "https://www.kernel.org/", *relative))
        ] == []
        inside = {href[1:] for href in hrefs if href.startswith("#")}
        ids = browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
        assert inside - set(ids) == set()
        assert len(ids) == len(set(ids))


# --- hostile mails, other ways to read ------------------------------------------------------------------------------


def test_hostile_mails_are_text(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "hostile.html")
    assert browser.all("script, img, iframe, object, embed, link, form, base") == []
    assert len(browser.all("style")) == 1
    assert browser.run("return window.hit === undefined && document.title.includes('{{ 7*7 }}')")
    handlers = browser.run(
        "return [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).map(a => a.name)"
        ".filter(name => name.startsWith('on') || name === 'style')"
    )
    assert handlers == []
    text = browser.one("body").text
    assert "49" not in browser.one("h1").text
    assert "{{ 7*7 }}" in text
    assert not set("\x00\u202e\u2066\u200f") & set(browser.run("return document.documentElement.textContent"))
    assert "\\u202e" in text


def test_with_scripts_off_all_is_there(plain_browser: Browser, pages: Path) -> None:
    plain_browser.open(pages / "index.html")
    assert not plain_browser.one("#search").is_displayed()
    assert sum(row.is_displayed() for row in plain_browser.all("#series > li")) == 30
    plain_browser.open(pages / "precheck.html")
    titles = [head.text for head in plain_browser.all("h2")]
    assert titles == ["Patches on trees", "When it applies", "What it builds on", "Who should take it", "What to fix",
                      "Versions", "What was done"]  # fmt: skip
    link = plain_browser.all(".grid tbody tr")[4].find_element("css selector", "a[href^='#why']")
    link.click()
    assert plain_browser.one(f"#{str(link.get_attribute('href')).partition('#')[2]}").is_displayed()


def test_paper_has_what_is_folded_away(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    folded = browser.one("#why-5-1")
    assert not folded.is_displayed()
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.run("return arguments[0].getBoundingClientRect().height", folded) > 50
    assert not browser.one("nav.parts").is_displayed()
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_first_tab_skips_to_the_answer(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "precheck.html")
    browser.one("body").send_keys(Keys.TAB)
    focused = browser.driver.switch_to.active_element
    assert focused.text == "Skip to the answer"
    assert browser.run("return arguments[0].getBoundingClientRect().left", focused) >= 0
    focused.send_keys(Keys.ENTER)
    assert browser.driver.current_url.endswith("#main")


# --- the index ------------------------------------------------------------------------------------------------------


def shown(browser: Browser) -> list[str]:
    return [row.find_element("css selector", "h2").text for row in browser.all("#series > li") if row.is_displayed()]


def test_the_index_is_searched(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "index.html")
    assert len(shown(browser)) == 30
    box = browser.one("#wanted")
    box.send_keys("ZO\u00cb  nfsd")
    assert shown(browser) == [f"nfsd: series {n} of many" for n in (5, 11, 17, 23, 29)]
    assert browser.one("#found").text == "5 of 30 series"
    box.send_keys(" <img src=x onerror=alert(1)>")
    assert shown(browser) == []
    assert browser.one("#found").text == "0 of 30 series"
    box.send_keys(Keys.ENTER)
    assert browser.driver.current_url == (pages / "index.html").as_uri()
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    assert len(shown(browser)) == 30
    assert browser.one("#found").text == ""


def test_the_index_leads_to_pages(browser: Browser, pages: Path) -> None:
    browser.look()
    browser.open(pages / "index.html")
    first, second = browser.all("#series > li")[:2]
    assert first.find_elements("css selector", "h2 a") == []
    assert "It waits for its turn." in first.text
    assert second.find_element("css selector", "h2 a").get_attribute("href") == (pages / "s/1/index.html").as_uri()
    assert browser.one("nav a").text == "older"


# --- real ones, big ones --------------------------------------------------------------------------------------------


def test_a_series_that_was_really_looked_at(browser: Browser, repo: Repo, tmp_path: Path) -> None:
    page = tmp_path / "real.html"
    page.write_text(precheck_page(real_precheck(repo, tmp_path)), encoding="utf-8")
    browser.look()
    browser.open(page)
    grid = {
        head.text.split("\n")[0]: [cells(row)[n].text for row in browser.all(".grid tbody tr")]
        for n, head in enumerate(browser.all(".grid thead th")[1:])
    }
    assert grid["lamp-next"] == ["xconflict 1 place", "+applies", "+applies"]
    assert grid["main"] == ["+applies"] * 3
    assert grid["linus"] == ["=merged", "+applies", "+applies"]
    assert len(browser.all("svg .bar")) >= 2
    mismatch = next(one for one in browser.all(".finding") if "fixes-tag/subject-mismatch" in one.text)
    line = browser.run("return arguments[0].previousElementSibling.lastElementChild.textContent", mismatch)
    assert line.startswith("Fixes: ")
    assert browser.axe() == []
    assert browser.requests() == [page.as_uri()]


def test_three_hundred_patches_load_in_two_seconds(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "big.html"
    series = made_series(*(made_patch(n, f"net: part {n} computes", 60) for n in range(1, 301)))
    page.write_text(precheck_page(made_precheck(series, 8)), encoding="utf-8")
    browser.look()
    browser.open(page)
    assert len(browser.all("details.patch")) == 300
    assert len(browser.all(".grid tbody td")) == 2400
    assert 0 < browser.load_seconds() < 2
