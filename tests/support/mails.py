# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails of patches as short as they can be, and archives made of them."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.repos import Repo

DAY = 24 * 3600


def diff(path: str = "f", old: str = "1111111", new: str = "2222222", line: str = "one") -> str:
    return (
        f"diff --git a/{path} b/{path}\nindex {old}..{new} 100644\n--- a/{path}\n+++ b/{path}\n"
        f"@@ -1 +1 @@\n-{line}\n+{line} more\n"
    )


def mail(
    msgid: str,
    subject: str = "[PATCH] f: change it",
    *diffs: str,
    below: str = "",
    sender: str = "A U Thor <author@example.com>",
    day: int = 1,
    message: str = "why",
    headers: str = "",
) -> bytes:
    references = f"References: <{below}>\nIn-Reply-To: <{below}>\n" if below else ""
    body = message + ("\n---\n" + "".join(diffs) + "-- \n2.39.5\n" if diffs else "\n")
    return (
        f"From: {sender}\nSubject: {subject}\nDate: Mon, {day} Jun 2026 10:00:00 +0000\nMessage-ID: <{msgid}>\n"
        f"{references}{headers}\n{body}"
    ).encode("utf-8", "surrogateescape")


def series(
    name: str, count: int, version: int = 1, day: int = 1, cover: bool = True, change_id: str = ""
) -> list[bytes]:
    """`name`-v1-0@x is its cover letter, `name`-v1-1@x its first patch; patch 1 makes f 10..1 from 10..0 and so on."""
    mark = f"PATCH v{version}" if version > 1 else "PATCH"
    first = f"{name}-v{version}-{0 if cover else 1}@x"
    stated = f"why\n\nchange-id: {change_id}\n" if change_id else "why"
    mails = [mail(first, f"[{mark} 0/{count}] {name}: all", day=day, message=stated)] if cover else []
    for n in range(1, count + 1):
        one = diff(old=f"{version}{n - 1:06}", new=f"{version}{n:06}", line=f"{name} {n}")
        below = "" if n == 1 and not cover else first
        one = f"change-id: {change_id}\n\n{one}" if change_id and not below else one
        mails.append(
            mail(f"{name}-v{version}-{n}@x", f"[{mark} {n}/{count}] {name}: part {n}", one, below=below, day=day)
        )
    return mails


def fill(repo: Repo, mails: Sequence[bytes], date: int = 1_790_000_000) -> Path:
    """The repository as a public-inbox v2 epoch that has got the mails, one commit each."""
    for at, raw in enumerate(mails):
        repo.commit({"m": raw}, date=date + at)
    return repo.path


def take_back(repo: Repo, raw: bytes) -> None:
    """What public-inbox-learn rm does."""
    repo.commit({"m": None, "d": raw}, date=1_790_100_000)
