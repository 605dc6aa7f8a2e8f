# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as Markdown: no word of a mail can be anything but text."""

import html
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # rich brings it

from seriestool.report.precheck_markdown import md, precheck_markdown, table_lines
from seriestool.report.terminal import printable_line
from tests.support.repos import Repo
from tests.support.series import mail_series
from tests.support.session import precheck

HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "`code` **bold** _em_ ~~gone~~",
    "| a | b |",
    "# heading",
    "- item",
    "> quote",
    "&lt;script&gt;",
    "https://evil.example www.evil.example",
    "@everyone #1 $x^2$",
    "\\<b>",
    "--- *** ___",
    "<!-- comment",
    "[ref]: http://evil.example",
    "a\nb\r\n\n# c",
    "1. one",
    "\x1b[31mred",
    "\u202etxt.exe",
]


def rendered(text: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


def plain(page: str) -> str:
    """The text of a page of which `tags` are gone."""
    return html.unescape(page.replace("<!-- -->", ""))


@given(st.text(max_size=60))
@example("a\\")
@pytest.mark.parametrize("before", ["text: ", "- "])
def test_what_goes_in_comes_out_as_text(before: str, text: str) -> None:
    page = rendered(before + md(text))
    body = re.sub(r"</?(p|ul|li)>\n?", "", page).strip()
    assert "<" not in body.replace("<!-- -->", "")
    expected = (before.removeprefix("- ") + printable_line(text).replace("\t", " ")).strip()
    assert plain(body).split() == expected.split()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_of_a_table_stays_one(text: str) -> None:
    page = rendered("\n".join(table_lines(("patch", "tree"), [(text, "x"), ("y", text)])))
    assert page.count("<td>") == 4
    tags = set(re.findall(r"</?([a-z0-9]+)", page.replace("<!-- -->", "")))
    assert tags <= {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_is_a_mention_or_a_link(text: str) -> None:
    assert not re.search(r"@\w|(?<!\\)#\d|#\w|https?:|www\.", md(text))


def test_a_hostile_mail_makes_a_tame_page(repo: Repo, tmp_path: Path) -> None:
    name = "lib/<img src=x onerror=alert(1)>|`.c"
    repo.commit({name: "a\nb\nc\n"}, "first")
    subject = "lamp: <script>alert(1)</script> [x](javascript:1) | @you `**`"
    mbox = mail_series(repo, (subject, {name: "a\nb\nd\n"}))
    repo.commit({name: "a\nx\nc\n"}, "<b>second</b> | ![x](http://evil.example)")
    page = rendered(precheck_markdown(precheck(repo, tmp_path, mbox)))
    tags = set(re.findall(r"<(/?[a-z0-9]+)", page.replace("<!-- -->", "")))
    assert {tag.strip("/") for tag in tags} <= {
        "h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "a"
    } - {"a"}  # fmt: skip
    assert "javascript:1" not in re.findall(r'href="([^"]*)"', page)
    assert html.unescape(page).count("<script>alert(1)</script>") >= 2
