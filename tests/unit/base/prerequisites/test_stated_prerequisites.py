# SPDX-License-Identifier: GPL-2.0-or-later
"""Prerequisites that the author states: every form found, missing, ambiguous and superseded; and hints."""

import pytest

from seriestool.base.prerequisites.patch_source import PatchSource
from seriestool.base.prerequisites.prerequisite_results import NeededPatchState
from seriestool.base.prerequisites.stated_prerequisites import find_hints, resolve_stated
from tests.support.lists import MemoryLists
from tests.support.series import parse_whole

WORK = "20260101-lock-0123456789ab"


def mails(
    name: str, *texts: str, version: int = 1, work: str | None = None, notes: str = "", title: str | None = None
) -> bytes:
    """The mbox of a series: a patch for each text, from `line` to that text."""
    return "".join(
        _mail(f"{name}-v{version}-{n}@example.com", _prefix(version, n, len(texts)) + (title or f"{name} {n}"), text,
              notes if n == 1 else "", work)
        for n, text in enumerate(texts, 1)
    ).encode()  # fmt: skip


def _prefix(version: int, number: int, count: int) -> str:
    return f"[PATCH{f' v{version}' if version > 1 else ''} {number}/{count}] "


def _mail(msgid: str, subject: str, text: str, notes: str, work: str | None) -> str:
    lines = f"change-id: {work}\n" if work else ""
    parent = msgid.rpartition("-")[0] + "-1@example.com"
    return (
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
        f"From: A U Thor <author@example.com>\nDate: Tue, 2 Jun 2026 10:00:00 +0000\nMessage-ID: <{msgid}>\n"
        + (f"In-Reply-To: <{parent}>\n" if parent != msgid else "")
        + f"Subject: {subject}\n\nWords.\n\n---\n{notes}\n"
        f"diff --git a/f b/f\nindex 1111111..2222222 100644\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-line\n+{text}\n"
        f"{lines}-- \n2.39.5\n\n"
    )


LOCK = mails("lock", "one", "two", work=WORK)
LOCK_V2 = mails("lock", "eins", "two", version=2, work=WORK)
OTHER = mails("other", "three")


def resolved(line: str, *lists: bytes) -> list[tuple[str | None, NeededPatchState, str | None]]:
    """(msgid, state, the author's words) of each need of a series that states `line`."""
    series = parse_whole(mails("mine", "mine", notes=line + "\n"))
    needs = resolve_stated(series, PatchSource(MemoryLists(*lists)))
    assert {need.source for need in needs} <= {"stated"}
    return [(need.patch.msgid if need.patch else None, need.state, need.stated_as) for need in needs]


def patch_id(mbox: bytes, number: int) -> str:
    from seriestool.series.patch_id import find_patch_id

    return find_patch_id(parse_whole(mbox).patches[number - 1].diff) or ""


FIRST, SECOND = "lock-v1-1@example.com", "lock-v1-2@example.com"
WHOLE = [FIRST, SECOND]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"prerequisite-patch-id: {patch_id(LOCK, 1)}", [FIRST]),
        (f"prerequisite-patch-id: {patch_id(LOCK, 2).upper()}", [SECOND]),
        (f"prerequisite-message-id: <{FIRST}>", WHOLE),
        (f"prerequisite-message-id: {FIRST}", WHOLE),
        (f"prerequisite-message-id: <{SECOND}>", WHOLE),
        (f"prerequisite-change-id: {WORK}", WHOLE),
        (f"prerequisite-change-id: {WORK}:v1", WHOLE),
        (f"Based-on: <{FIRST}>", WHOLE),
        (f"Based-on: {FIRST}", WHOLE),
        (f"based-on: <{FIRST}> (the locks)", WHOLE),
        (f"Depends-on: {FIRST}", WHOLE),
        (f"Depends-on: <{FIRST}>", WHOLE),
        (f"Depends-on: https://lore.kernel.org/r/{FIRST}", WHOLE),
        (f"Depends-on: https://lore.kernel.org/linux-nfs/{FIRST}/", WHOLE),
        (f"Depends-on: https://lore.kernel.org/all/{FIRST.replace('@', '%40')}/T/#u", WHOLE),
        (f"Depends-on: https://patchwork.kernel.org/project/linux-nfs/patch/{FIRST}/", WHOLE),
        (f"Depends-on: https://msgid.link/{FIRST}", WHOLE),
    ],
)
def test_found(line: str, found: list[str]) -> None:
    needs = resolved(line, OTHER, LOCK)
    assert [(msgid, state) for msgid, state, _ in needs] == [(msgid, NeededPatchState.UNMERGED) for msgid in found]
    assert all(words and words.lower().startswith(line.partition(":")[0].lower()) for _, _, words in needs)


@pytest.mark.parametrize(
    "line",
    [
        f"prerequisite-patch-id: {'0' * 40}",
        "prerequisite-patch-id: not a patch-id",
        "prerequisite-message-id: <gone@example.com>",
        "prerequisite-message-id: nothing like a message-id",
        "prerequisite-change-id: 20260101-gone-0123456789ab",
        "prerequisite-change-id: 20260101-gone-0123456789ab:v2",
        f"prerequisite-change-id: {WORK}:v7",
        f"prerequisite-change-id: {WORK}:v",
        f"prerequisite-change-id: {WORK}:v1x",
        f"prerequisite-change-id: {WORK}:v\u00b2",
        f"prerequisite-change-id: {WORK}:v{'9' * 5000}",
        "Based-on: <gone@example.com>",
        "Based-on: gone@example.com",
        "Depends-on: https://lore.kernel.org/r/gone@example.com",
        "Depends-on: https://patchwork.kernel.org/project/x/list/?series=123",
        "Depends-on: the series by Someone",
    ],
)
def test_missing_is_named_and_not_passed_over(line: str) -> None:
    needs = resolved(line, OTHER, LOCK)
    assert [(msgid, state) for msgid, state, _ in needs] == [(None, NeededPatchState.MISSING)]
    assert needs[0][2] and line.partition(": ")[2].strip("<>")[:40] in needs[0][2]


def test_base_commit_of_the_prerequisites_is_no_patch() -> None:
    assert resolved(f"prerequisite-base-commit: {'0' * 40}", LOCK) == []


def test_patch_id_that_two_works_have_is_ambiguous() -> None:
    twin = mails("twin", "one")
    needs = resolved(f"prerequisite-patch-id: {patch_id(LOCK, 1)}", LOCK, twin)
    assert [(msgid, state) for msgid, state, _ in needs] == [
        (FIRST, NeededPatchState.AMBIGUOUS),
        ("twin-v1-1@example.com", NeededPatchState.AMBIGUOUS),
    ]


def test_patch_id_that_two_versions_have_means_the_newer_one() -> None:
    needs = resolved(f"prerequisite-patch-id: {patch_id(LOCK, 2)}", LOCK, LOCK_V2)
    assert [(msgid, state) for msgid, state, _ in needs] == [("lock-v2-2@example.com", NeededPatchState.UNMERGED)]


def test_patch_id_in_two_versions_without_change_id_is_one_work_by_its_title() -> None:
    old, new = mails("some", "one", title="some title"), mails("some", "one", version=2, title="some title")
    needs = resolved(f"prerequisite-patch-id: {patch_id(old, 1)}", old, new)
    assert [(msgid, state) for msgid, state, _ in needs] == [("some-v2-1@example.com", NeededPatchState.UNMERGED)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"prerequisite-patch-id: {patch_id(LOCK, 1)}", [FIRST]),
        (f"prerequisite-message-id: <{FIRST}>", WHOLE),
        (f"prerequisite-change-id: {WORK}:v1", WHOLE),
        (f"Based-on: <{FIRST}>", WHOLE),
        (f"Depends-on: https://lore.kernel.org/r/{FIRST}", WHOLE),
    ],
)
def test_superseded_by_a_newer_version(line: str, found: list[str]) -> None:
    needs = resolved(line, LOCK, LOCK_V2)
    assert [(msgid, state) for msgid, state, _ in needs] == [(msgid, NeededPatchState.SUPERSEDED) for msgid in found]


def test_change_id_without_a_version_is_the_newest() -> None:
    needs = resolved(f"prerequisite-change-id: {WORK}", LOCK, LOCK_V2)
    assert [(msgid, state) for msgid, state, _ in needs] == [
        ("lock-v2-1@example.com", NeededPatchState.UNMERGED),
        ("lock-v2-2@example.com", NeededPatchState.UNMERGED),
    ]


def test_several_are_resolved_in_their_order() -> None:
    lines = f"prerequisite-message-id: <gone@example.com>\nprerequisite-patch-id: {patch_id(OTHER, 1)}"
    needs = resolved(lines, OTHER)
    assert [msgid for msgid, _, _ in needs] == [None, "other-v1-1@example.com"]


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("This depends on https://lore.kernel.org/r/a@b.", ("https://lore.kernel.org/r/a@b",)),
        ("Based on top of the locks (https://lore.kernel.org/r/a@b).", ("https://lore.kernel.org/r/a@b",)),
        ("It needs\nhttps://lore.kernel.org/r/a@b/\nto build.", ("https://lore.kernel.org/r/a@b/",)),
        ("See https://lore.kernel.org/r/a@b for the talk.", ()),
        ("It depends on luck. See https://lore.kernel.org/r/a@b for the talk.", ()),
        ("It depends on luck.\n\nhttps://lore.kernel.org/r/a@b\n", ()),
        ("Nothing.", ()),
    ],
)
def test_links_next_to_words_of_dependence_are_hints(text: str, hints: tuple[str, ...]) -> None:
    series = parse_whole(mails("mine", "mine", notes=text + "\n"))
    assert find_hints(series) == hints
    assert resolve_stated(series, PatchSource(MemoryLists(LOCK))) == ()


def test_hint_is_told_once_and_hints_are_few() -> None:
    text = " ".join(f"This depends on https://lore.kernel.org/r/{n % 50}@b ." for n in range(100))
    assert len(set(find_hints(parse_whole(mails("mine", "mine", notes=text))))) == 10


def test_long_text_without_an_end_is_read_in_time() -> None:
    text = "depends " * 20_000 + "https://" * 20_000
    assert len(find_hints(parse_whole(mails("mine", "mine", notes=text)))) <= 10
