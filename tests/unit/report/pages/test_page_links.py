# SPDX-License-Identifier: GPL-2.0-or-later
"""Where links may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seriestool.report.pages.page_links import find_url, lore_url


@pytest.mark.parametrize(
    "url",
    [
        "https://lore.kernel.org/r/a@b.org",
        "http://example.org:8080/x?y=z#f",
        "https://docs.kernel.org/process/submitting-patches.html#describe-your-changes",
        "HTTPS://EXAMPLE.ORG/",
    ],
)
def test_web_pages_are_linked(url: str) -> None:
    assert find_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " https://example.org",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org/x",
        "https:example.org",
        "https://",
        "https://kernel.org@evil.example/",
        "https://evil.example\\@kernel.org/",
        'https://example.org/"onmouseover=alert(1)',
        "https://example.org/<x>",
        "https://example.org/\u202ex",
        "https://example.org/\x00",
        "https://ex\u0430mple.org/",
        "https://example.org:port/",
        "https://[::1",
        "https://example.org/" + "x" * 3000,
        "Documentation/process/submitting-patches.rst",
    ],
)
def test_all_else_is_text(text: str | None) -> None:
    assert find_url(text) is None


def test_a_mail_is_found_by_its_id() -> None:
    assert lore_url("20260119.a+b@example.org") == "https://lore.kernel.org/r/20260119.a%2Bb@example.org"


@given(st.text())
def test_no_id_leads_elsewhere(msgid: str) -> None:
    url = lore_url(msgid)
    assert url.startswith("https://lore.kernel.org/r/")
    assert not set(url[len("https://lore.kernel.org/r/") :]) & set("/?#\"'<> \\:")
