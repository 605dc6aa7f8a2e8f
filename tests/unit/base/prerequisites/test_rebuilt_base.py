# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of a series that sits on mailed work, put together from trees and mails; every blob proven or named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult
from seriestool.base.prerequisites.rebuilt_base import PatchStep, order_steps
from seriestool.base.verdict import FitLevel
from seriestool.sources.lists import ListedPatch
from tests.support.lists import prerequisites, recipe_of, subjects
from tests.support.repos import Repo
from tests.support.series import mailed, numbered, with_change_id

PLAIN = {"f": numbered()}
FIRST, SECOND = {20: "first"}, {20: "first", 22: "second"}
MINE = {21: "mine", 19: "mine too"}


def named(mbox: bytes, name: str) -> bytes:
    """The same series with other titles."""
    return mbox.replace(b" part ", b" " + name.encode() + b" ")


def proves(found: PrerequisiteResult, kind: str, path: str = "f") -> None:
    recipe = recipe_of(found, path)
    assert (recipe.is_proven, recipe.kind) == (True, kind)
    assert found.rebuilt is not None
    assert found.rebuilt.matched == found.rebuilt.expected
    assert found.rebuilt.level is FitLevel.APPLIES


def commit_off_tree(repo: Repo, parent: str, files: dict[str, str | bytes | None]) -> str:
    """A commit that no ref has."""
    oid = repo.commit(files, branch="gone", parent=parent)
    repo.git("update-ref", "-d", "refs/heads/gone")
    return oid


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_unmerged_patches_are_put_on(make_repo: Callable[..., Repo], object_format: str) -> None:
    repo = make_repo("tree", object_format)
    base = repo.commit(PLAIN)
    lock = named(mailed(repo, base, {"f": numbered(FIRST)}, {"f": numbered(SECOND)}), "lock")
    above = commit_off_tree(repo, base, {"f": numbered(SECOND)})
    found = prerequisites(repo, mailed(repo, above, {"f": numbered(SECOND | MINE)}), lock)
    proves(found, "patches")
    assert subjects(found.needs) == ["+lock 1 unmerged", "+lock 2 unmerged"]
    assert {need.source for need in found.needs} == {"discovered"}
    assert found.needs[0].paths == (b"f",)
    assert recipe_of(found, "f").commit == base


def test_patches_of_a_newer_tree_are_taken_off(make_repo: Callable[..., Repo]) -> None:
    away, repo = make_repo("away"), make_repo("tree")
    old = away.commit(PLAIN)
    lock = named(mailed(away, old, {"f": numbered(FIRST)}, {"f": numbered(SECOND)}), "lock")
    mbox = mailed(away, old, {"f": numbered(MINE)})
    newer = repo.commit({"f": numbered(SECOND)})
    found = prerequisites(repo, mbox, lock)
    proves(found, "patches")
    assert sorted(subjects(found.needs)) == ["-lock 1 merged", "-lock 2 merged"]
    assert [patch.subject for patch, removal in recipe_of(found, "f").patches if removal] == ["lock 2", "lock 1"]
    assert recipe_of(found, "f").commit == newer


def test_some_patches_are_taken_off_and_others_put_on(make_repo: Callable[..., Repo]) -> None:
    away, repo = make_repo("away"), make_repo("tree")
    old = away.commit(PLAIN)
    merged = named(mailed(away, old, {"f": numbered({40: "merged"})}), "merged")
    wanted = named(mailed(away, old, {"f": numbered(FIRST)}), "wanted")
    above = commit_off_tree(away, old, {"f": numbered(FIRST)})
    mbox = mailed(away, above, {"f": numbered(FIRST | MINE)})
    repo.commit({"f": numbered({40: "merged"})})
    found = prerequisites(repo, mbox, merged, wanted)
    proves(found, "patches")
    assert sorted(subjects(found.needs)) == ["+wanted 1 unmerged", "-merged 1 merged"]


def test_patch_goes_in_by_context_where_a_maintainer_edited_what_is_below_it(repo: Repo) -> None:
    old = repo.commit(PLAIN)
    lock = named(mailed(repo, old, {"f": numbered(FIRST)}), "lock")
    edited = repo.commit({"f": numbered({60: "no mail has this"})}, branch="main")
    above = commit_off_tree(repo, edited, {"f": numbered({60: "no mail has this"} | FIRST)})
    mbox = mailed(repo, above, {"f": numbered({60: "no mail has this"} | FIRST | MINE)})
    found = prerequisites(repo, mbox, lock)
    proves(found, "patches")
    assert recipe_of(found, "f").commit == edited


def test_some_of_the_changes_between_two_versions(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    repo.commit({"f": numbered({10: "ten", 20: "twenty", 30: "thirty", 50: "fifty"})})
    middle = commit_off_tree(repo, base, {"f": numbered({10: "ten", 20: "twenty", 30: "thirty"})})
    mbox = mailed(repo, middle, {"f": numbered({10: "ten", 20: "twenty", 21: "mine", 30: "thirty", 51: "mine"})})
    found = prerequisites(repo, mbox)
    proves(found, "subset")
    assert (recipe_of(found, "f").changes, found.needs) == (1, ())


def test_three_way_merge_of_versions(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    repo.commit({"f": numbered({10: "ten", 20: "twenty"})})
    side = repo.commit({"f": numbered({50: "fifty", 60: "sixty"})}, branch="side", parent=base)
    merged = {10: "ten", 20: "twenty", 50: "fifty", 60: "sixty"}
    below = commit_off_tree(repo, side, {"f": numbered(merged)})
    mbox = mailed(repo, below, {"f": numbered(merged | {21: "mine", 51: "mine"})})
    found = prerequisites(repo, mbox)
    proves(found, "merge")
    assert len(recipe_of(found, "f").others) == 2


def test_version_that_only_another_tree_has(repo: Repo) -> None:
    base = repo.commit({"f": numbered(), "g": numbered()})
    left = repo.commit({"f": numbered(FIRST)}, branch="left", parent=base)
    right = repo.commit({"g": numbered(FIRST)}, branch="right", parent=base)
    both = {"f": numbered(FIRST), "g": numbered(FIRST)}
    above = commit_off_tree(repo, base, dict(both))
    mbox = mailed(repo, above, {"f": numbered(FIRST | MINE), "g": numbered(FIRST | MINE)})
    found = prerequisites(repo, mbox)
    assert found.rebuilt is not None
    kinds = {recipe.path: (recipe.kind, recipe.commit) for recipe in found.rebuilt.recipes}
    assert set(kinds.values()) == {
        ("base", found.rebuilt.commit),
        ("version", left if right == found.rebuilt.commit else right),
    }
    assert (found.rebuilt.matched, found.rebuilt.level, found.needs) == (2, FitLevel.APPLIES, ())


def test_blob_that_nothing_makes_is_named_with_the_version_nearest_to_it(repo: Repo) -> None:
    base = repo.commit({"f": numbered(), "g": numbered()})
    repo.commit({"g": numbered({5: "other"})})
    unknown = commit_off_tree(repo, base, {"g": numbered(FIRST), "f": numbered({3: "nobody mailed this"})})
    lock = mailed(repo, base, {"g": numbered(FIRST)})
    mbox = mailed(repo, unknown, {"g": numbered(FIRST | MINE), "f": numbered({3: "nobody mailed this", 50: "mine"})})
    repo.git("prune", "--expire=now")
    found = prerequisites(repo, mbox, lock)
    recipe = recipe_of(found, "f")
    assert (recipe.is_proven, recipe.kind, recipe.commit) == (False, "nearest", base)
    assert found.rebuilt is not None
    assert (found.rebuilt.matched, found.rebuilt.expected) == (1, 2)
    assert found.rebuilt.level is FitLevel.APPLIES  # the hunk of f fits the version that stands in


def test_blob_that_nothing_makes_and_that_is_in_the_repository_all_the_same(repo: Repo) -> None:
    """Somebody applied the patches below it by hand once."""
    base = repo.commit(PLAIN)
    above = commit_off_tree(repo, base, {"f": numbered(dict.fromkeys(range(2, 40, 3), "quite"))})
    mbox = mailed(repo, above, {"f": numbered(dict.fromkeys(range(2, 40, 3), "quite") | {45: "mine"})})
    proves(found := prerequisites(repo, mbox), "object")
    assert (found.needs, recipe_of(found, "f").commit) == ((), None)
    repo.git("prune", "--expire=now")
    assert recipe_of(prerequisites(repo, mbox), "f").kind == "nearest"


def test_patches_are_named_though_the_blob_is_in_the_repository(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    lock = named(mailed(repo, base, {"f": numbered(FIRST)}), "lock")
    above = commit_off_tree(repo, base, {"f": numbered(FIRST)})
    mbox = mailed(repo, above, {"f": numbered(FIRST | MINE)})
    repo.git("cat-file", "-e", f"{above}:f")
    proves(found := prerequisites(repo, mbox, lock), "patches")
    assert subjects(found.needs) == ["+lock 1 unmerged"]


def test_file_that_an_unmerged_patch_creates(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    adding = named(mailed(repo, base, {"new": numbered()}, {"new": numbered(FIRST)}), "adding")
    above = commit_off_tree(repo, base, {"new": numbered(FIRST)})
    found = prerequisites(repo, mailed(repo, above, {"new": numbered(FIRST | MINE)}), adding)
    proves(found, "patches", "new")
    assert recipe_of(found, "new").commit is None
    assert subjects(found.needs) == ["+adding 1 unmerged", "+adding 2 unmerged"]


def test_file_that_a_merged_patch_deleted(make_repo: Callable[..., Repo]) -> None:
    away, repo = make_repo("away"), make_repo("tree")
    old = away.commit({"f": numbered(), "g": numbered()})
    dropping = named(mailed(away, old, {"g": None}), "dropping")
    mbox = mailed(away, old, {"g": numbered(MINE)})
    repo.commit(PLAIN)
    found = prerequisites(repo, mbox, dropping)
    proves(found, "patches", "g")
    assert subjects(found.needs) == ["-dropping 1 merged"]


def test_file_that_an_unmerged_patch_renames(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    moving = named(mailed(repo, base, {"f": None, "moved": numbered(FIRST)}, options=("-M",)), "moving")
    assert b"rename from f" in moving
    above = commit_off_tree(repo, base, {"f": None, "moved": numbered(FIRST)})
    found = prerequisites(repo, mailed(repo, above, {"moved": numbered(FIRST | MINE)}), moving)
    proves(found, "patches", "moved")
    assert subjects(found.needs) == ["+moving 1 unmerged"]


@pytest.mark.parametrize(
    "shape",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text + "\n\n\n",
        lambda text: text.replace("line", "l\u00efne \x0c"),
    ],
    ids=["CRLF", "no newline at the end", "empty lines at the end", "form feeds and UTF-8"],
)
def test_odd_files_are_rebuilt_byte_by_byte(repo: Repo, shape: Callable[[str], str]) -> None:
    base = repo.commit({"f": shape(numbered(count=30))})
    first = {28: "first"}
    lock = mailed(repo, base, {"f": shape(numbered(first, 30))})
    above = commit_off_tree(repo, base, {"f": shape(numbered(first, 30))})
    mbox = mailed(repo, above, {"f": shape(numbered(first | {29: "mine", 27: "mine"}, 30))})
    proves(prerequisites(repo, mbox, lock), "patches")


def test_empty_file_that_a_patch_fills(repo: Repo) -> None:
    base = repo.commit({"f": "", "g": numbered()})
    filling = mailed(repo, base, {"f": "one\n"})
    above = commit_off_tree(repo, base, {"f": "one\n"})
    proves(prerequisites(repo, mailed(repo, above, {"f": "one\nmine\n"}), filling), "patches")


def test_merged_patch_is_named_with_the_commit_that_has_it(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    lock = named(mailed(repo, base, {"f": numbered(FIRST)}), "lock")
    merged = repo.commit({"f": numbered(FIRST)}, branch="next", parent=base)
    edited = repo.commit({"f": numbered({60: "edited"})})
    above = commit_off_tree(repo, edited, {"f": numbered({60: "edited"} | FIRST)})
    mbox = mailed(repo, above, {"f": numbered({60: "edited", 61: "mine"} | FIRST | MINE)})
    found = prerequisites(repo, mbox, lock)
    proves(found, "patches")
    assert subjects(found.needs) == ["+lock 1 merged"]
    assert found.needs[0].merged_as == merged


def test_version_that_is_superseded_says_so(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    old = with_change_id(named(mailed(repo, base, {"f": numbered(FIRST)}), "lock"), "20260101-lock-0123")
    above = commit_off_tree(repo, base, {"f": numbered(FIRST)})
    mbox = mailed(repo, above, {"f": numbered(FIRST | MINE)})
    new = mailed(repo, base, {"f": numbered({20: "primus"})}, options=("-v2",))
    found = prerequisites(repo, mbox, old, with_change_id(named(new, "lock"), "20260101-lock-0123"))
    proves(found, "patches")
    assert subjects(found.needs) == ["+lock 1 superseded"]


def test_patches_of_the_series_itself_are_no_prerequisites(make_repo: Callable[..., Repo]) -> None:
    away, repo = make_repo("away"), make_repo("tree")
    old = away.commit(PLAIN)
    mbox = mailed(away, old, {"f": numbered(MINE)})
    repo.commit({"f": numbered(MINE)})  # it was merged, and nobody has what was before it
    found = prerequisites(repo, mbox)
    proves(found, "patches")
    assert found.needs == ()


def test_id_that_a_mail_claims_proves_nothing(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    above = commit_off_tree(repo, base, {"f": numbered(FIRST)})
    honest = mailed(repo, base, {"f": numbered({20: "evil"})})
    wanted, made = (
        repo.git("rev-parse", "--short", f"{above}:f"),
        repo.git("hash-object", "--stdin", input=numbered({20: "evil"}))[:7],
    )
    false = honest.replace(f"..{made}".encode(), f"..{wanted}".encode())
    assert false != honest
    mbox = mailed(repo, above, {"f": numbered(FIRST | MINE)})
    repo.git("prune", "--expire=now")
    found = prerequisites(repo, mbox, false)
    assert found.rebuilt is not None
    assert (found.rebuilt.matched, recipe_of(found, "f").kind, found.needs) == (0, "nearest", ())


def test_nothing_is_rebuilt_where_a_tree_is_the_base(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    found = prerequisites(repo, mailed(repo, base, {"f": numbered(FIRST)}))
    assert (found.rebuilt, found.needs) == (None, ())


def test_answer_is_the_same_json_twice(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    lists = [named(mailed(repo, base, {"f": numbered(FIRST)}), name) for name in ("one", "two", "three")]
    above = commit_off_tree(repo, base, {"f": numbered(FIRST)})
    mbox = mailed(repo, above, {"f": numbered(FIRST | MINE)})
    assert prerequisites(repo, mbox, *lists).to_dict() == prerequisites(repo, mbox, *lists).to_dict()


def test_a_series_that_applies_to_something_else_has_its_own_base_rebuilt(repo: Repo) -> None:
    base = repo.commit(PLAIN)
    theirs = named(mailed(repo, base, {"f": numbered({2: "theirs"})}), "theirs")
    above = commit_off_tree(repo, base, {"f": numbered({2: "theirs"})})
    mine = mailed(repo, above, {"f": numbered({2: "theirs", 60: "mine"})})
    found = prerequisites(repo, mine, theirs)
    proves(found, "patches")
    assert subjects(found.needs) == ["+theirs 1 unmerged"]


def test_of_two_explanations_the_one_that_explains_more_and_is_current_is_taken(repo: Repo) -> None:
    base = repo.commit({"f": numbered(), "g": numbered()})
    both = {"f": numbered({9: "theirs"}), "g": numbered({9: "theirs"})}
    old = with_change_id(named(mailed(repo, base, both), "old"), "20260101-theirs-0123456789ab")
    new = with_change_id(named(mailed(repo, base, both, options=["-v2"]), "new"), "20260101-theirs-0123456789ab")
    lone = named(mailed(repo, base, {"g": numbered({9: "theirs"})}), "lone")
    above = commit_off_tree(repo, base, both)
    mine = {name: text.replace("line 11\n", "mine\n") for name, text in both.items()}
    found = prerequisites(repo, mailed(repo, above, mine), old, lone, new)
    assert subjects(found.needs) == ["+new 1 unmerged"]
    assert found.needs[0].paths == (b"f", b"g")


START = datetime(2026, 1, 1, tzinfo=UTC)


def listed(msgid: str, date: datetime, series: str | None = None, counter: int = 1) -> ListedPatch:
    name = msgid.partition("@")[0]
    return ListedPatch(
        msgid=msgid, subject=name, author="A", date=date, version=1, counter=counter, expected=2, series=series or msgid
    )


def step(letter: str) -> PatchStep:
    name = letter.lower()
    date = START + timedelta(days=ord(name))
    return listed(f"{name}@x", date), letter.isupper()


@pytest.mark.parametrize(
    ("runs", "order"),
    [
        ([], ""),
        ([""], ""),
        (["a"], "a"),
        (["cab"], "cab"),
        (["b", "a", "c"], "abc"),
        (["ab", "bc", "ac"], "abc"),
        (["ca", "ab"], "cab"),
        (["db", "ac"], "acdb"),
        (["ab", "ba"], "ab"),  # the first one has the say
        (["ab", "bc", "ca"], "abc"),
        (["ab", "bca", "cd"], "abcd"),
        (["Cb", "a"], "aCb"),
        (["bB"], "bB"),
    ],
)
def test_order(runs: list[str], order: str) -> None:
    found = order_steps([[step(letter) for letter in run] for run in runs])
    assert "".join(patch.subject.upper() if removal else patch.subject for patch, removal in found) == order


def test_patches_of_a_series_stay_in_their_order() -> None:
    """The second one was mailed first, and nothing but its number keeps it behind."""
    late, early = (listed(f"{n}@x", START + timedelta(days=-n), "s@x", n) for n in (1, 2))
    between = listed("b@x", START)
    found = order_steps([[(early, False)], [(between, False), (late, False)]])
    assert [patch for patch, _ in found] == [between, late, early]


def test_many_long_runs() -> None:
    letters = [chr(0x4E00 + n) for n in range(200)]
    runs = [[step(letter) for letter in letters[n : n + 20]] for n in range(0, 180, 3)]
    assert len(order_steps(runs)) == 197
