# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from seriestool.series.mail.stated import base_info, change_id, parse_stated, parse_stated_below_diff
from seriestool.series.model import Prerequisite

OID = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("case", "text", "commit"),
    [
        ("format-patch", f"words\n\nstat\n\n\nbase-commit: {OID}\nprerequisite-patch-id: 12\n-- \n2.39", OID),
        ("b4", f"words\n\n---\nbase-commit: {OID}\nchange-id: x\n\nBest regards,\n-- \nA", OID),
        ("upper case", f"words\n\nBase-Commit: {OID}\n", OID),
        ("below a diffstat without empty line", f" a | 1 +\n 1 file changed\nbase-commit: {OID}\n", OID),
        ("a name, not an id", "words\n\nbase-commit: v6.9-rc1\n", "v6.9-rc1"),
        ("a remark behind the id", f"words\n\nbase-commit: {OID} (topic/x)\n", OID),
        ("twice", f"base-commit: v1\n\nbase-commit: {OID}\n", OID),
        ("quoted", f"> base-commit: {OID}\n", None),
        ("in a sentence", f"I think that\nbase-commit: {OID}\nis wrong.\n", None),
        ("in a line", f"see base-commit: {OID}\n", None),
        ("indented", f"  base-commit: {OID}\n", None),
        ("empty", "base-commit:\n", None),
    ],
)
def test_base_commit_of_a_cover_letter(case: str, text: str, commit: str | None) -> None:
    assert base_info(parse_stated(text)).commit == commit


def test_prerequisites_in_order_and_each_once() -> None:
    text = """\
        base-commit: 0123
        prerequisite-patch-id: 11
        prerequisite-patch-id: 11
        prerequisite-message-id: <a@example.org>
        prerequisite-change-id: 20260101-x-0123456789ab:v2
        prerequisite-base-commit: 0456
        Based-on: <b@example.org> ("[PATCH] other")
        Depends-on: https://example.org/b@example.org
        """.replace("        ", "")
    assert base_info(parse_stated(text)).prerequisites == (
        Prerequisite("patch-id", "11"),
        Prerequisite("message-id", "a@example.org"),
        Prerequisite("change-id", "20260101-x-0123456789ab:v2"),
        Prerequisite("base-commit", "0456"),
        Prerequisite("based-on", "b@example.org"),
        Prerequisite("depends-on", "https://example.org/b@example.org"),
    )


def test_change_id() -> None:
    assert change_id(parse_stated("words\n\nchange-id: 20260101-x-0123456789ab\n")) == "20260101-x-0123456789ab"
    assert change_id(parse_stated("change-id: is a thing\nthat b4 makes\n")) is None


def test_below_a_diff_only_the_margin_counts() -> None:
    diff = f"@@ -1 +1,2 @@\n base-commit: 1\n+base-commit: 2\n-base-commit: 3\n\nbase-commit: {OID}\n-- \n2.39\n"
    assert parse_stated_below_diff(diff) == (("base-commit", OID),)
