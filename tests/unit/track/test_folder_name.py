# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of folders: whatever a mail says, they are one plain lower-case word."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.track.folder_name import folder_name, is_name

MAIL = b"""\
From: A U Thor <author@example.com>
Date: Mon, 16 Mar 2026 10:00:00 +0000
Subject: [PATCH] lamp: fade
Message-ID: <one@example.com>

text
---
diff --git a/lamp.c b/lamp.c
--- a/lamp.c
+++ b/lamp.c
@@ -1 +1 @@
-on
+off
"""
SERIES = series_of_text(MAIL, SeriesSelector(), "mail")


def name(change_id: str | None = None, subject: str = "lamp: fade", msgid: str = "one@example.com") -> str:
    return folder_name(replace(SERIES, change_id=change_id, subject=subject, msgid=msgid))


def test_a_change_id_as_b4_makes_them_is_the_name() -> None:
    assert name("20260512-tls-session-tags-9d0042583f44") == "20260512-tls-session-tags-9d0042583f44"


def test_without_a_change_id_it_is_the_title_and_a_digest() -> None:
    assert re.fullmatch(r"lamp-fade-[0-9a-f]{12}", name())
    assert name(msgid="two@example.com") != name()


@pytest.mark.parametrize(
    "change_id",
    ["../../etc", "/etc/passwd", ".git", "..", ".", "a/b", "a\\b", "a b", "a\nb", "a\0b", "", "A" * 5000, "con.", "-x",
     "NAME", "n\u00e4me", "\u212a", "~root", "$HOME", "a" * 101],
)  # fmt: skip
def test_a_change_id_that_is_no_plain_word_is_not_the_name(change_id: str) -> None:
    assert name(change_id) != change_id
    assert is_name(name(change_id))


def test_names_do_not_clash_where_case_does_not_count() -> None:
    change_ids = ["lamp", "Lamp", "LAMP", "lAmp"]
    assert len({name(one).lower() for one in change_ids}) == len(change_ids)


@given(st.text(), st.text(), st.text())
def test_any_mail_gives_one_plain_word(change_id: str, subject: str, msgid: str) -> None:
    found = name(change_id, subject, msgid)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", found)
    assert len(found) <= 100
    assert is_name(found)
