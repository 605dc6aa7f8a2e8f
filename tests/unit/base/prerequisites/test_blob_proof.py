# SPDX-License-Identifier: GPL-2.0-or-later
"""The search for one blob: which patches may be used for it, and how much is read and tried."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from seriestool.base.preimage import find_preimage
from seriestool.base.prerequisites.blob_proof import (
    MOST_TOUCHES,
    MOST_VERSIONS,
    BlobProof,
    BlobSearch,
    nearest,
    prepare,
    prove,
)
from seriestool.base.prerequisites.patch_source import PatchSource, PathTouch
from seriestool.series.diff import parse_diff
from tests.support.lists import MemoryLists
from tests.support.repos import FIRST_DATE, Repo
from tests.support.series import mailed, numbered, parse_whole
from tests.support.session import search_context_of

POSTED = datetime.fromtimestamp(FIRST_DATE, UTC) + timedelta(days=10)
FIRST = {20: "first"}


def search_for(
    repo: Repo, mbox: bytes, lists: MemoryLists, posted: datetime = POSTED, own: Sequence[str] = ()
) -> BlobSearch:
    """What is known of the first blob of the series."""
    context = search_context_of(repo)
    preimage = find_preimage(parse_whole(mbox))
    return prepare(
        preimage.expectations[0], preimage, context.history, context.contents, PatchSource(lists), posted,
        frozenset(own),
    )  # fmt: skip


def on_top(repo: Repo, base: str, content: str) -> bytes:
    """A series on a commit that has this content of f and that no ref has."""
    above = repo.commit({"f": content}, branch="gone", parent=base)
    mbox = mailed(repo, above, {"f": content.replace("line 21\n", "mine\n")})
    repo.git("update-ref", "-d", "refs/heads/gone")
    return mbox


def steps(proof: BlobProof | None) -> list[tuple[str, bool]] | None:
    return proof and [(touch.patch.msgid, removal) for touch, removal in proof.steps]


def test_own_patches_are_never_put_on(repo: Repo) -> None:
    base = repo.commit({"f": numbered()})
    lock = mailed(repo, base, {"f": numbered(FIRST)})
    msgid = parse_whole(lock).patches[0].msgid
    mbox = on_top(repo, base, numbered(FIRST))
    assert steps(prove(search_for(repo, mbox, MemoryLists(lock)))) == [(msgid, False)]
    assert prove(search_for(repo, mbox, MemoryLists(lock), own=[msgid])) is None


def test_own_patches_may_be_taken_off(repo: Repo) -> None:
    base = repo.commit({"f": numbered()}, branch="gone")
    lock = mailed(repo, base, {"f": numbered(FIRST)})
    mbox = on_top(repo, base, numbered())
    repo.git("update-ref", "-d", "refs/heads/gone")
    repo.commit({"f": numbered(FIRST)}, parent=())
    msgid = parse_whole(lock).patches[0].msgid
    assert steps(prove(search_for(repo, mbox, MemoryLists(lock), own=[msgid]))) == [(msgid, True)]


@pytest.mark.parametrize(
    ("later", "is_put_on"), [(timedelta(days=-300), True), (timedelta(hours=20), True), (timedelta(days=2), False)]
)
def test_patch_dated_after_the_series_is_not_put_on(repo: Repo, later: timedelta, is_put_on: bool) -> None:
    base = repo.commit({"f": numbered()})
    lock = mailed(repo, base, {"f": numbered(FIRST)})
    search = search_for(repo, on_top(repo, base, numbered(FIRST)), MemoryLists(lock))
    posted = search.touches[0].patch.date - later
    assert (prove(replace(search, posted=posted)) is not None) == is_put_on


def test_patch_dated_after_the_series_may_be_taken_off(repo: Repo) -> None:
    base = repo.commit({"f": numbered()}, branch="gone")
    lock = mailed(repo, base, {"f": numbered(FIRST)})
    mbox = on_top(repo, base, numbered())
    repo.git("update-ref", "-d", "refs/heads/gone")
    repo.commit({"f": numbered(FIRST)}, parent=())
    search = search_for(repo, mbox, MemoryLists(lock), posted=POSTED - timedelta(days=100))
    assert steps(prove(search)) == [(parse_whole(lock).patches[0].msgid, True)]


def test_no_more_patches_and_versions_are_taken_than_are_bounded(repo: Repo) -> None:
    base = repo.commit({"f": numbered()})
    for number in range(MOST_VERSIONS + 5):
        repo.commit({"f": numbered({70: f"version {number}"})})
    source = MemoryLists(mailed(repo, base, {"f": numbered({1: "one"})}))
    search = search_for(repo, on_top(repo, base, numbered({40: "nobody mailed this"})), source)
    assert len(search.versions) == MOST_VERSIONS
    assert source.asked == [MOST_TOUCHES]


def test_lines_of_other_mails_that_name_the_blob_are_pinned_too(repo: Repo) -> None:
    base = repo.commit({"f": numbered()})
    content = numbered(FIRST)
    above = repo.commit({"f": content}, branch="gone", parent=base)
    other = mailed(repo, above, {"f": content.replace("line 60\n", "sixty\n")})
    search = search_for(repo, on_top(repo, base, content), MemoryLists(other))
    assert search.pins[59] == b"line 60\n"
    assert search.pins[20] == b"line 21\n"


def test_mails_whose_pins_contradict_the_blob_hinder_but_prove_nothing_false(repo: Repo) -> None:
    base = repo.commit({"f": numbered()})
    lock = mailed(repo, base, {"f": numbered(FIRST)})
    mbox = on_top(repo, base, numbered(FIRST))
    blob = (find_preimage(parse_whole(mbox)).expectations[0].blob or "").encode()
    lies = parse_diff(
        b"diff --git a/f b/f\nindex "
        + blob
        + b"..1234567 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-lie\n+truth\n line 2\n"
    )[0]
    source = MemoryLists(lock)
    search = search_for(repo, mbox, source)
    lying = replace(
        search, pins={**search.pins, 0: b"lie\n"}, touches=(*search.touches, PathTouch(search.touches[0].patch, lies))
    )
    assert steps(prove(lying)) == [(parse_whole(lock).patches[0].msgid, False)]


def test_empty_file_is_a_version_like_any_other(repo: Repo) -> None:
    base = repo.commit({"f": ""})
    filling = mailed(repo, base, {"f": numbered()})
    proof = prove(search_for(repo, on_top(repo, base, numbered()), MemoryLists(filling)))
    assert proof is not None
    assert proof.content == numbered().encode()


def test_nearest_is_a_version_that_takes_the_hunks(repo: Repo) -> None:
    repo.commit({"f": numbered({5: "five", 40: "forty"})})
    base = repo.commit({"f": numbered()})
    search = search_for(repo, on_top(repo, base, numbered({70: "unknown"})), MemoryLists())
    assert prove(search) is None
    best = nearest(search, lambda lines: b"forty\n" in lines)
    assert best is not None and b"forty\n" in best.lines
    plain = nearest(search, lambda _: True)
    assert plain is not None and b"".join(plain.lines) == numbered().encode()
    assert nearest(replace(search, versions=()), lambda _: True) is None


def test_version_is_proven_by_its_content_and_not_by_its_name(repo: Repo) -> None:
    base = repo.commit({"f": numbered()})
    search = search_for(repo, mailed(repo, base, {"f": numbered(FIRST)}), MemoryLists())
    assert search.same is not None
    false = replace(search.same, lines=[b"something else\n"])
    assert prove(replace(search, same=false, versions=())) is None


def test_series_without_any_version_of_its_file(repo: Repo, make_repo) -> None:  # type: ignore[no-untyped-def]
    base = repo.commit({"f": numbered()})
    mbox = mailed(repo, base, {"f": numbered(FIRST)})
    empty = make_repo("empty")
    empty.commit({"other": "1\n"})
    search = search_for(empty, mbox, MemoryLists(mbox))
    assert (search.versions, prove(search)) == ((), None)
