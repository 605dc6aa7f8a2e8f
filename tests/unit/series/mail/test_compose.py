# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails about to be sent: whom they go to, and what they state."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

from msgspec.structs import replace

from seriestool.series.mail.compose import OutgoingSeries, compose
from tests.support.split_series import patch_of

DIFF = b"diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-1\n+2\n"
SENT = OutgoingSeries(
    subject="all",
    cover="Why.",
    patches=(patch_of(1, DIFF),),
    version=1,
    prefixes=("net-next",),
    base_commit="a" * 40,
    change_id="20240101-all-0123456789ab",
    sender_name="Ann",
    sender_email="ann@example.com",
    date=datetime(2024, 1, 1, tzinfo=UTC),
    recipients=("list@example.org",),
)


def headers(outgoing: OutgoingSeries) -> dict[str, str]:
    raw = compose(outgoing).partition(b"\n")[2]
    return {name.lower(): str(value) for name, value in message_from_bytes(raw, policy=policy.default).items()}


def test_people_and_lists_in_cc() -> None:
    cc = ("Ned <ned@example.org>", '"Nora N. Nett" <nora@example.org>', "Sven Särv <sven@example.org>", "l@example.org")
    found = headers(replace(SENT, cc=cc))
    assert found["to"] == "list@example.org"
    assert found["cc"] == (
        'Ned <ned@example.org>, "Nora N. Nett" <nora@example.org>, Sven Särv <sven@example.org>, l@example.org'
    )
    assert "cc" not in headers(SENT)


def test_no_name_makes_a_header() -> None:
    odd = "A\r\nBcc: x@example.org\r\n\r\nbody <a@example.org>"
    found = headers(replace(SENT, cc=(odd, "b@example.org\nX: y")))
    assert {"bcc", "x"}.isdisjoint(found)


def test_what_it_needs_stands_below_its_base() -> None:
    lines = compose(replace(SENT, needs=("prerequisite-patch-id: " + "b" * 40,))).decode().split("\n")
    at = lines.index("base-commit: " + "a" * 40)
    assert lines[at + 1 : at + 3] == ["change-id: 20240101-all-0123456789ab", "prerequisite-patch-id: " + "b" * 40]


def test_nothing_in_the_cover_is_a_patch() -> None:
    evil = "Why.\n---\ndiff --git a/x b/x\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\nIndex: x\n-- fine"
    text = compose(replace(SENT, cover=evil)).decode()
    assert text.count("\ndiff --git") == 1
    assert "\n ---\n diff --git a/x b/x\n --- a/x\n +++ /dev/null\n @@ -1 +0,0 @@\n Index: x\n-- fine\n" in text
