# SPDX-License-Identifier: GPL-2.0-or-later
"""How each patch fares on a tree: every outcome, and what it rests on."""

from collections.abc import Mapping

import pytest

from seriestool.git import MergeResult, ScratchRepository, TreeEntry
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import BaseKind, make_stack
from seriestool.rebase.rebase_result import OutcomeReason, PatchResult, Rebase
from seriestool.rebase.tree_rebaser import NoResolutions, Target, TreeRebaser
from seriestool.series.model import Outcome
from seriestool.sources.resolve import SeriesSelector, series_of_text
from tests.support.repos import FIRST_DATE, Repo, files_of
from tests.support.series import lines, make_series
from tests.support.session import hows, on_main, open_repo, rebase, the_conflict

TEXT = lines(1, 30)
MERGED, CONFLICT, PLAIN, MODIFIED = (
    Outcome.ALREADY_MERGED, Outcome.CONFLICT, Outcome.UNMODIFIED, Outcome.MODIFIED)  # fmt: skip


def edited(number: int, text: str = TEXT, to: str = "changed") -> str:
    return text.replace(f"line {number}\n", f"line {number} {to}\n")


def only(repo: Repo, base: str, *changes: Mapping[str, object]) -> PatchResult:
    """The result of the only patch."""
    (result,) = on_main(repo, base, *changes)  # type: ignore[arg-type]
    return result


def tree_files(repo: Repo, mbox: bytes, base: str | None, onto: str = "main") -> tuple[Rebase, dict[str, str]]:
    """The answer, and path -> content of the tree with the series in it, as git reads it."""
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        start = given_base(series, base, place.scratch_repo) if base else None
        target = Target(onto, repo.git("rev-parse", onto))
        result = TreeRebaser(target, place.context.history, place.scratch_repo, NoResolutions()).run(
            make_stack(series, start, place.scratch_repo)
        )
        env = {"GIT_DIR": str(place.scratch_repo._folder)}
        found = {
            path: repo.git_bytes("cat-file", "blob", oid, env=env).decode()
            for path, (_, oid) in files_of(repo, result.trees[-1], env).items()
        }
    return Rebase(series, start, (result,)), found


# What goes in


def test_a_patch_on_files_that_nobody_changed_goes_in_as_it_is(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    repo.commit({"b": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {"new": "1\n"})
    answer, files = tree_files(repo, mbox, base)
    assert hows(answer.trees[0].patches) == [(PLAIN, OutcomeReason.PLAIN)] * 2
    assert files == {"a": edited(9), "b": TEXT, "new": "1\n"}


def test_lines_above_make_an_offset(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(20)})
    repo.commit({"a": "top\n" + TEXT})
    for start in (base, None):
        answer, files = tree_files(repo, mbox, start)
        (result,) = answer.trees[0].patches
        assert (result.outcome, result.how, result.offsets) == (MODIFIED, OutcomeReason.OFFSET, 1)
        assert files == {"a": "top\n" + edited(20)}


def test_a_change_beside_it_takes_a_merge(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit({"a": edited(7)})
    answer, files = tree_files(repo, mbox, base)
    assert hows(answer.trees[0].patches) == [(MODIFIED, OutcomeReason.THREE_WAY)]
    assert files == {"a": edited(7, edited(9))}


def test_it_follows_a_file_that_the_tree_renamed(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {"a": edited(9, edited(25))})
    repo.commit({"a": None, "d/b": edited(2)})
    answer, files = tree_files(repo, mbox, base)
    assert hows(answer.trees[0].patches) == [(MODIFIED, OutcomeReason.THREE_WAY)] * 2
    assert files == {"d/b": edited(2, edited(9, edited(25)))}


def test_a_mail_without_a_diff_is_empty(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {}, {"a": edited(20, edited(9))}, options=["--always"])
    assert mbox.count(b"\nSubject: ") == 3
    answer = rebase(repo, mbox, base=base)
    assert hows(answer.trees[0].patches) == [
        (PLAIN, OutcomeReason.PLAIN), (Outcome.EMPTY, OutcomeReason.NO_DIFF), (PLAIN, OutcomeReason.PLAIN)]  # fmt: skip
    assert answer.is_clean


def test_where_the_merge_stops_and_the_plain_patch_goes_in_the_patch_counts(repo: Repo) -> None:
    """The tree moved the lines to another place of the file."""
    block, rest = lines(1, 12), lines(100, 160)
    base = repo.commit({"a": block + rest})
    mbox = make_series(repo, base, {"a": edited(6, block) + rest})
    tip = repo.commit({"a": rest + block})
    answer, files = tree_files(repo, mbox, base)
    assert hows(answer.trees[0].patches) == [(MODIFIED, OutcomeReason.OFFSET)]
    assert files == {"a": rest + edited(6, block)}
    with open_repo(repo) as place:
        series = series_of_text(mbox, SeriesSelector(), "mbox")
        (step,) = make_stack(series, given_base(series, base, place.scratch_repo), place.scratch_repo).steps
        assert step.after
        assert not place.scratch_repo.merge(step.before, place.scratch_repo.tree_of(tip), step.after).is_clean


def test_modes_links_and_submodules_go_in(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "s": ("1" * 40, 0o160000), "l": ("x", 0o120000)})
    mbox = make_series(repo, base, {"a": (TEXT, 0o100755)}, {"s": ("2" * 40, 0o160000)}, {"l": ("y", 0o120000)})
    tip = repo.commit({"z": "1\n"})
    with open_repo(repo) as place:
        series = series_of_text(mbox, SeriesSelector(), "mbox")
        stack = make_stack(series, given_base(series, base, place.scratch_repo), place.scratch_repo)
        result = TreeRebaser(Target("main", tip), place.context.history, place.scratch_repo, NoResolutions()).run(stack)
        entries = place.scratch_repo.entries(result.trees[-1], [b"a", b"s", b"l"])
        assert result.is_clean
        assert {path: (entry.mode, entry.kind) for path, entry in entries.items()} == {
            b"a": (0o100755, "blob"), b"s": (0o160000, "commit"), b"l": (0o120000, "blob")}  # fmt: skip
        assert entries[b"s"].oid == "2" * 40


# What is in already


def test_the_same_commit_by_its_patch_id(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    merged = repo.commit({"a": edited(9)}, "a: renamed by the maintainer")
    repo.commit({"a": edited(9, edited(25))})
    for start in (base, None):
        (result,) = rebase(repo, mbox, base=start).trees[0].patches
        assert (result.outcome, result.how, result.merged_as) == (MERGED, OutcomeReason.PATCH_ID, merged)


def test_what_can_be_taken_off_is_in(repo: Repo) -> None:
    """It came with another commit, together with other things."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit({"a": edited(9), "b": "1\n"}, "all: many things")
    for start in (base, None):
        (result,) = rebase(repo, mbox, base=start).trees[0].patches
        assert (result.outcome, result.how, result.merged_as) == (MERGED, OutcomeReason.REVERSE, None)


def test_a_merge_that_changes_nothing_says_that_it_is_in(repo: Repo) -> None:
    """The context changed meanwhile: it could not be taken off."""
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit({"a": edited(7, edited(9))}, "all at once")
    assert hows(on_main(repo, base, {"a": edited(9)})) == [(MERGED, OutcomeReason.MERGE)]
    assert hows(rebase(repo, mbox).trees[0].patches) == [(CONFLICT, OutcomeReason.NO_BASE)]


def test_a_commit_of_the_same_name_with_other_changes_is_shown_as_a_range_diff(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    merged = repo.commit({"a": edited(9, to="changed, by the maintainer")}, "Part  1")
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert (result.outcome, result.how, result.merged_as) == (MERGED, OutcomeReason.SUBJECT, merged)
    assert "    -+line 9 changed\n    ++line 9 changed, by the maintainer\n" in (result.range_diff or "")
    assert the_path(result) == b"a"


@pytest.mark.parametrize("charset", ["UTF-8", "ISO-8859-1"])
def test_a_commit_of_the_same_name_in_any_encoding(repo: Repo, charset: str) -> None:
    base = repo.commit({"a": TEXT})
    author = "Jörg Müller <joerg@example.com>"
    posted = repo.commit({"a": edited(9)}, "größer", parent=base, branch="work", author=author)
    # Sent from another address: only the name is left to compare.
    mbox = repo.format_patch(f"{base}..{posted}").replace(b"joerg@example.com", b"joerg@example.org")
    repo.git("branch", "-D", "work")
    merged = repo.commit({"a": edited(9, to="changed, by the maintainer")}, "größer", author=author, charset=charset)
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert (result.outcome, result.how, result.merged_as) == (MERGED, OutcomeReason.SUBJECT, merged)


def the_path(result: PatchResult) -> bytes:
    (conflict,) = result.conflicts
    return conflict.path


def test_a_commit_of_the_same_name_that_has_no_parent_has_no_range(repo: Repo) -> None:
    base = repo.commit({"a": TEXT}, branch="old")
    mbox = make_series(repo, base, {"a": edited(9)})
    merged = repo.commit({"a": edited(9, to="other")}, "part 1", parent=())
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert (result.how, result.merged_as, result.range_diff) == (OutcomeReason.SUBJECT, merged, None)


@pytest.mark.parametrize("other", ["author", "subject", "date", "branch"])
def test_another_commit_is_not_the_patch(repo: Repo, other: str) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit(
        {"a": edited(9, to="other")},
        "part 2" if other == "subject" else "part 1",
        author="B <b@example.com>" if other == "author" else "A U Thor <author@example.com>",
        date=FIRST_DATE - 7 * 24 * 3600 if other == "date" else None,
        branch="elsewhere" if other == "branch" else None,
        parent=base,
    )
    if other == "branch":
        repo.commit({"a": edited(9, to="third")}, parent=base)
    assert hows(rebase(repo, mbox, base=base).trees[0].patches) == [(CONFLICT, OutcomeReason.CONFLICT)]


def test_lines_that_could_go_in_twice_are_in_already(repo: Repo) -> None:
    """Where the tree was changed beside them since, git merges them a second time; git-rebase leaves them out."""
    base = repo.commit({"a": TEXT})
    added = TEXT.replace("line 9\n", "line 9\nnew\n")
    mbox = make_series(repo, base, {"a": added})
    merged = repo.commit({"a": added}, "another name")
    repo.commit({"a": added.replace("line 9\nnew\n", "line 9\n" + lines(100, 120) + "new\n")}, "beside it")
    for known in (base, None):
        (result,) = rebase(repo, mbox, base=known).trees[0].patches
        assert (result.outcome, result.how, result.merged_as) == (MERGED, OutcomeReason.PATCH_ID, merged), known


def test_a_list_that_sends_in_its_own_name_hides_no_author(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    munged = mbox.replace(b"From: A U Thor <author@example.com>", b"From: A U Thor via devel <devel@lists.example.com>")
    assert munged != mbox
    merged = repo.commit({"a": edited(9, to="changed, by the maintainer")}, "part 1")
    (result,) = rebase(repo, munged, base=base).trees[0].patches
    assert (result.outcome, result.how, result.merged_as) == (MERGED, OutcomeReason.SUBJECT, merged)


def test_what_was_reverted_is_not_in(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    first = repo.commit({"a": edited(9)}, "part 1")
    revert = repo.commit({"a": TEXT}, f'Revert "part 1"\n\nThis reverts commit {first}.\n')
    assert hows(rebase(repo, mbox, base=base).trees[0].patches) == [(PLAIN, OutcomeReason.PLAIN)]
    repo.commit({"a": edited(9, to="otherwise")}, "a: otherwise")
    assert hows(rebase(repo, mbox, base=base).trees[0].patches) == [(CONFLICT, OutcomeReason.CONFLICT)]
    assert hows(rebase(repo, mbox).trees[0].patches) == [(CONFLICT, OutcomeReason.NO_BASE)]
    repo.commit({"a": edited(9)}, f'Reapply "part 1"\n\nThis reverts commit {revert[:12]}.\n')
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert (result.outcome, result.how) == (MERGED, OutcomeReason.PATCH_ID)


def test_a_revert_elsewhere_takes_nothing_back(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    first = repo.commit({"a": edited(9, to="as merged")}, "part 1")
    repo.commit({"a": TEXT}, f'Revert "part 1"\n\nThis reverts commit {first}.\n', branch="other")
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert (result.how, result.merged_as) == (OutcomeReason.SUBJECT, first)


def test_a_later_patch_goes_on_top_of_one_that_is_in_already(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {"a": edited(9, edited(10))}, {"new": "1\n"})
    repo.commit({"a": edited(9, to="as merged")}, "part 1")
    answer, files = tree_files(repo, mbox, base)
    outcomes = hows(answer.trees[0].patches)
    assert outcomes[0] == (MERGED, OutcomeReason.SUBJECT)
    assert outcomes[1][0] is CONFLICT  # its context is the changed line
    assert outcomes[2] == (PLAIN, OutcomeReason.PLAIN)
    assert files["new"] == "1\n"
    mbox = make_series(repo, base, {"a": edited(9)}, {"a": edited(9, edited(15))})
    answer, files = tree_files(repo, mbox, base)
    assert [one[0] for one in hows(answer.trees[0].patches)] == [MERGED, PLAIN]
    assert files["a"] == edited(9, edited(15), to="as merged")


# What conflicts


def test_both_changed_a_line(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)})
    repo.commit({"a": TEXT + "more\n"})
    culprit = repo.commit({"a": "top\n" + edited(9, to="otherwise") + "more\n"})
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    conflict = the_conflict(result)
    (place,) = conflict.places
    assert (conflict.path, conflict.kind, result.how) == (b"a", "contents", OutcomeReason.CONFLICT)
    assert (place.line, place.hunk, place.commits) == (10, 1, (culprit,))
    region = place.region
    assert (region.expected, region.tree, region.series) == (
        (b"line 9\n",), (b"line 9 otherwise\n",), (b"line 9 changed\n",))  # fmt: skip
    assert region.before == (b"line 6\n", b"line 7\n", b"line 8\n")
    assert region.after == (b"line 10\n", b"line 11\n", b"line 12\n")
    assert not rebase(repo, mbox, base=base).is_clean


def test_the_hunk_of_each_place_is_named(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": edited(3, edited(15, edited(27)))})
    repo.commit({"a": edited(15, edited(27, to="y"), to="x")})
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert [(place.line, place.hunk) for place in the_conflict(result).places] == [(15, 2), (27, 3)]


def test_what_is_not_known_cannot_be_merged(repo: Repo) -> None:
    lost = repo.commit({"a": TEXT}, branch="lost", parent=())
    mbox = make_series(repo, lost, {"a": edited(9)}, {"new": "1\n"})
    repo.commit({"a": edited(7)}, parent=())
    first, second = rebase(repo, mbox).trees[0].patches
    assert (first.outcome, first.how, second.outcome) == (CONFLICT, OutcomeReason.NO_BASE, PLAIN)
    assert (first.failure and first.failure.path, the_conflict(first).kind) == (b"a", "hunk")
    assert the_conflict(first).message == "what the patch was made from is not known"


def test_a_file_that_the_tree_deleted(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": "1\n"})
    repo.commit({"a": None})
    conflict = the_conflict(only(repo, base, {"a": edited(9)}))
    assert (conflict.path, conflict.kind, conflict.places) == (b"a", "modify/delete", ())
    assert conflict.message == "a deleted in the tree and modified in the series"
    assert conflict.commits == (repo.git("rev-parse", "main"),)


def test_a_file_that_the_series_deletes(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": "1\n"})
    repo.commit({"a": edited(9)})
    assert the_conflict(only(repo, base, {"a": None})).kind == "modify/delete"


def test_both_add_a_file(repo: Repo) -> None:
    base = repo.commit({"b": "1\n"})
    repo.commit({"a": edited(9)})
    conflict = the_conflict(only(repo, base, {"a": TEXT}))
    (place,) = conflict.places
    assert place.region.expected == ()
    assert b"line 9 changed\n" in place.region.tree
    assert b"line 9\n" in place.region.series


def test_both_rename_a_file(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    repo.commit({"a": None, "b": TEXT})
    result = only(repo, base, {"a": None, "c": TEXT})
    assert {(one.path, one.kind) for one in result.conflicts} == {
        (path, "rename/rename") for path in (b"a", b"b", b"c")}  # fmt: skip


def test_a_new_file_in_a_folder_that_the_tree_renamed(repo: Repo) -> None:
    """Nothing that the patch touches has changed, and still git asks."""
    base = repo.commit({"d/a": TEXT, "d/b": lines(50, 90)})
    mbox = make_series(repo, base, {"d/new": "1\n"})
    repo.commit({"d/a": None, "d/b": None, "e/a": TEXT, "e/b": lines(50, 90)})
    conflict = the_conflict(rebase(repo, mbox, base=base).trees[0].patches[0])
    assert (conflict.path, conflict.kind) == (b"e/new", "directory rename suggested")
    assert conflict.message == (
        "CONFLICT (file location): d/new added in the series inside a directory that was renamed in the tree, "
        "suggesting it should perhaps be moved to e/new.")  # fmt: skip


def test_a_folder_that_the_series_renames_while_the_tree_adds_to_it(repo: Repo) -> None:
    base = repo.commit({"d/a": TEXT, "d/b": lines(50, 90)})
    mbox = make_series(repo, base, {"d/a": None, "d/b": None, "e/a": TEXT, "e/b": lines(50, 90)})
    repo.commit({"d/new": "1\n"})
    assert the_conflict(rebase(repo, mbox, base=base).trees[0].patches[0]).path == b"e/new"


def test_a_folder_that_went_to_two_places(repo: Repo) -> None:
    """Git stops, and its index has nothing in conflict."""
    many = {f"d/{n}": lines(n * 100, n * 100 + 30) for n in range(1, 5)}
    base = repo.commit(many)
    mbox = make_series(repo, base, {"d/new": "1\n"})
    repo.commit({**dict.fromkeys(many), **{f"{'ef'[int(p[2:]) % 2]}/{p[2:]}": text for p, text in many.items()}})
    (result,) = rebase(repo, mbox, base=base).trees[0].patches
    assert (the_conflict(result).path, result.how) == (b"d", OutcomeReason.CONFLICT)


@pytest.mark.parametrize("proven", [True, False], ids=["base", "no-base"])
def test_a_new_file_in_the_place_of_a_folder_takes_nothing_away(repo: Repo, proven: bool) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"x": "file\n"})
    repo.commit({"x/y": "the tree's\n"})
    answer, files = tree_files(repo, mbox, base if proven else None)
    conflict = the_conflict(answer.trees[0].patches[0])
    assert (conflict.path, conflict.kind) == (b"x", "file/directory" if proven else "exists")
    assert files["x/y"] == "the tree's\n"


def test_a_file_that_becomes_a_folder_and_back(repo: Repo) -> None:
    base = repo.commit({"x/y": "1\n", "z": "1\n"})
    mbox = make_series(repo, base, {"x/y": None, "x": "file\n"}, {"x": None, "x/y": "2\n"})
    repo.commit({"b": "1\n"})
    answer, files = tree_files(repo, mbox, base)
    assert hows(answer.trees[0].patches) == [(PLAIN, OutcomeReason.PLAIN)] * 2
    assert files == {"x/y": "2\n", "z": "1\n", "b": "1\n"}
    repo.commit({"x/more": "the tree's\n"})
    answer, files = tree_files(repo, mbox, base)
    assert answer.trees[0].patches[0].outcome is CONFLICT
    assert files["x/more"] == "the tree's\n"


@pytest.mark.parametrize("both_add", [False, True])
def test_submodules_that_cannot_be_merged(repo: Repo, both_add: bool) -> None:
    old = {} if both_add else {"s": ("1" * 40, 0o160000)}
    base = repo.commit({"a": TEXT, **old})
    mbox = make_series(repo, base, {"s": ("2" * 40, 0o160000), "a": edited(9)}, {"a": edited(9, edited(25))})
    repo.commit({"s": ("3" * 40, 0o160000)})
    first, second = rebase(repo, mbox, base=base).trees[0].patches
    assert the_conflict(first).path == b"s"
    assert second.is_in


def test_links_that_cannot_be_merged(repo: Repo) -> None:
    base = repo.commit({"l": ("x", 0o120000), "a": TEXT})
    repo.commit({"l": ("y", 0o120000), "a": ("target", 0o120000)})
    result = only(repo, base, {"l": ("z", 0o120000), "a": edited(9)})
    assert {one.path for one in result.conflicts} == {b"l", b"a"}
    assert all(not one.places for one in result.conflicts)


def test_binaries_that_cannot_be_merged(repo: Repo) -> None:
    data = bytes(range(256)) * 8
    base = repo.commit({"a": data})
    mbox = make_series(repo, base, {"a": data + b"1"}, options=["--binary"])
    repo.commit({"a": data + b"2"})
    conflict = the_conflict(rebase(repo, mbox, base=base).trees[0].patches[0])
    assert (conflict.path, conflict.kind, conflict.places) == (b"a", "binary", ())


def test_a_conflict_stays_open_and_what_touches_its_lines_follows_it(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT})
    mbox = make_series(
        repo, base, {"a": edited(9)}, {"b": edited(3)}, {"a": edited(9, edited(25))},
        {"a": edited(9, edited(25), to="twice")})  # fmt: skip
    repo.commit({"a": edited(9, to="otherwise")})
    answer, files = tree_files(repo, mbox, base)
    results = answer.trees[0].patches
    assert [one.outcome for one in results] == [CONFLICT, PLAIN, MODIFIED, CONFLICT]
    assert the_conflict(results[0]).follows is None
    assert the_conflict(results[3]).follows == 1
    assert "line 25 changed\n" in files["a"]
    assert (answer.trees[0].is_clean, answer.trees[0].tree_oid) == (False, None)


def test_another_conflict_in_the_same_file_does_not_follow(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    repo.commit({"a": edited(9, edited(25, to="y"), to="x")})
    first, second = on_main(repo, base, {"a": edited(9)}, {"a": edited(9, edited(25))})
    assert [the_conflict(one).follows for one in (first, second)] == [None, None]
    assert [place.line for place in the_conflict(second).places] == [31]  # with the markers of the first one


def test_a_resolution_is_used_where_it_resolves_everything(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT})
    mbox = make_series(repo, base, {"a": edited(9), "b": edited(9)})
    tip = repo.commit({"a": edited(9, to="x"), "b": edited(9, to="x")})
    series = series_of_text(mbox, SeriesSelector(), "mbox")

    class Some:
        def __init__(self, paths: list[bytes]) -> None:
            self.paths = paths

        def replay(self, scratch_repo: ScratchRepository, merge: MergeResult) -> Mapping[bytes, TreeEntry]:
            assert merge.stages.keys() == {b"a", b"b"}
            return {path: TreeEntry(0o100644, "blob", scratch_repo.write("blob", b"resolved\n")) for path in self.paths}

    with open_repo(repo) as place:
        stack = make_stack(series, given_base(series, base, place.scratch_repo), place.scratch_repo)

        def result(*paths: bytes) -> PatchResult:
            some = Some(list(paths))
            return (
                TreeRebaser(Target("main", tip), place.context.history, place.scratch_repo, some).run(stack).patches[0]
            )

        both, one = result(b"a", b"b"), result(b"a")
    assert (both.outcome, both.how, both.resolved) == (MODIFIED, OutcomeReason.RESOLVED, (b"a", b"b"))
    assert (one.outcome, one.resolved) == (CONFLICT, ())


# The base that the user names


def test_a_given_base_is_looked_at(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {"b": edited(9)})
    beside = repo.commit({"a": edited(25)})
    wrong = repo.commit({"a": "1\n"})
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        found = {commit: given_base(series, commit, place.scratch_repo) for commit in (base, beside, wrong)}
    assert [(found[one].footing, found[one].matched, found[one].expected) for one in (base, beside, wrong)] == [
        (BaseKind.EXACT, 2, 2), (BaseKind.APPLIES, 1, 2), (BaseKind.GIVEN, 1, 2)]  # fmt: skip


def test_patches_that_do_not_apply_on_the_base_are_tried_as_they_are(repo: Repo) -> None:
    base = repo.commit({"a": TEXT, "b": TEXT})
    mbox = make_series(repo, base, {"a": edited(9)}, {"b": edited(9)})
    wrong = repo.commit({"a": "1\n"})
    repo.commit({"a": edited(25), "b": edited(7)})
    answer = rebase(repo, mbox, base=wrong)
    assert hows(answer.trees[0].patches) == [(PLAIN, OutcomeReason.PLAIN), (MODIFIED, OutcomeReason.THREE_WAY)]
