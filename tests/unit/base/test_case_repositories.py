# SPDX-License-Identifier: GPL-2.0-or-later
"""Repositories of every shape, and bases wherever they can be in them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repos import FIRST_DATE, Repo, git_applies
from tests.support.series import lines, make_series, with_stated
from tests.support.session import FindBaseAnswer, assert_applies, assert_exact, commits_in_ranges, find, run_find_base

Make = Callable[..., Repo]
DAY = 24 * 3600
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")
NOWHERE = "0123456789" * 4


def clone_of(repo: Repo, *options: str, name: str = "clone") -> Repo:
    """A clone over file://, as of a server that filters."""
    folder = repo.path.parent / name
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.git("clone", "--quiet", *options, repo.path.as_uri(), str(folder))
    clone = Repo.__new__(Repo)
    clone.path, clone.bare, clone.now = folder, "--bare" in options or "--mirror" in options, repo.now
    return clone


# --- kinds of repositories ----------------------------------------------------------------------------------------


def test_sha256(make_repo: Make) -> None:
    repo = make_repo(object_format="sha256")
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    assert len(base) == 64
    mbox = with_stated(make_series(repo, base, {"a": EDITED}, {"b": TEXT}), base)
    repo.commit({"a": "2\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["stated"]["state"] == "known"


def test_sha256_submodules(make_repo: Make) -> None:
    repo = make_repo(object_format="sha256")
    base = repo.commit({"sub": ("1" * 64, 0o160000)})
    mbox = make_series(repo, base, {"sub": ("2" * 64, 0o160000)})
    repo.commit({"sub": ("3" * 64, 0o160000)})
    assert_exact(repo, mbox, base)


def test_bare(make_repo: Make) -> None:
    repo = make_repo(bare=True)
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    assert_exact(repo, mbox, base)


def test_linked_worktree(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    repo.git("worktree", "add", "--quiet", "--detach", "../linked", base)
    assert find(repo.path.parent / "linked", mbox)["base"]["commit"] == base


def test_detached_head_and_no_tags(repo: Repo) -> None:
    repo.commit({"x": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    repo.git("checkout", "--quiet", "--detach", "HEAD~2")
    answer = assert_exact(repo, mbox, base)
    assert answer["base"]["describe"] is None


def test_tags_decorate_full_ids(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    repo.git("tag", "-a", "-m", "x", "v1", base)
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["base"]["describe"] == "v1"


def test_only_tags_lead_to_the_base(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT}, branch="released")
    mbox = make_series(repo, base, {"a": EDITED})
    repo.git("tag", "v1", "released")
    repo.git("branch", "-D", "released")
    assert_exact(repo, mbox, base)


def test_shallow_clone(repo: Repo) -> None:
    repo.commit({"a": TEXT})
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    clone = clone_of(repo, "--depth=2")
    assert_exact(clone, mbox, base)


def test_shallow_clone_that_ends_above_the_base(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = with_stated(make_series(repo, base, {"a": EDITED}), base)
    repo.commit({"a": "1\n"})
    repo.commit({"a": "2\n"})
    clone = clone_of(repo, "--depth=2")
    answer = find(clone, mbox)
    assert answer["verdict"] == "none"
    assert answer["stated"]["state"] == "unknown"
    assert any("shallow" in note for note in answer["notes"]), answer["notes"]


def test_deepening_a_shallow_clone_finds_more(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "1\n"})
    repo.commit({"a": "2\n"})
    clone = clone_of(repo, "--depth=1")
    assert find(clone, mbox)["verdict"] == "none"
    clone.git("fetch", "--quiet", "--unshallow")
    assert_exact(clone, mbox, base)


def blobless(repo: Repo) -> Repo:
    clone = clone_of(repo, "--filter=blob:none", "--no-checkout")
    clone.git("config", "remote.origin.url", "/nowhere")  # whoever tries to fetch fails
    return clone


def test_blobless_clone_is_exact_without_contents(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = with_stated(make_series(repo, base, {"a": EDITED}, {"b": "new\n"}), base)
    repo.commit({"a": "2\n"})
    clone = blobless(repo)
    answer = find(clone, mbox)
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)
    assert commits_in_ranges(clone, answer) == {base}
    assert answer["stated"]["verdict"] == "exact"
    assert answer["candidates"][0]["outcomes"] == []
    assert any("not tried" in note for note in answer["notes"])
    assert "not tried" in run_find_base(clone, mbox)[1]


def test_blobless_clone_says_what_could_not_be_tried(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.git("update-ref", "-d", "refs/heads/main")
    repo.commit({"a": "top\n" + TEXT})
    clone = blobless(repo)
    answer = find(clone, mbox)
    assert answer["verdict"] == "none"
    assert any("only whole blobs could be compared" in note for note in answer["notes"])
    code, out, err = run_find_base(clone, mbox)
    assert code == 1
    assert all(line.startswith("hint: ") for line in err.splitlines())
    assert "only whole blobs could be compared" in out
    assert "that could be tried" in out


def test_blobless_clone_has_no_blob_fetched(repo: Repo) -> None:
    repo.commit({"a": TEXT})
    mbox = make_series(repo, "HEAD", {"a": EDITED})
    repo.commit({"a": "2\n"})
    clone = clone_of(repo, "--filter=blob:none", "--no-checkout")
    find(clone, mbox)
    kinds = clone.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
    assert "blob" not in kinds


def test_treeless_clone(repo: Repo) -> None:
    repo.commit({"a": TEXT})
    mbox = make_series(repo, "HEAD", {"a": EDITED})
    repo.commit({"a": "2\n"})
    clone = clone_of(repo, "--filter=tree:0", "--no-checkout")
    clone.git("config", "remote.origin.url", "/nowhere")
    code, _, err = run_find_base(clone, mbox)
    assert (code, len(err.splitlines()) <= 2) == (4, True)
    assert err.startswith("seriestool: ")


def test_hundreds_of_refs(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    tip = repo.commit({"a": "2\n"})
    names = [f"refs/heads/topic-{n:03}" for n in range(200)] + [f"refs/pull/{n}/head" for n in range(200)]
    repo.git("update-ref", "--stdin", input="".join(f"create {name} {tip}\n" for name in names))
    answer = assert_exact(repo, mbox, base)
    assert answer["base"]["tree"] == "main"


def test_replaced_parents(repo: Repo) -> None:
    """`git replace --graft`: history is what git says that it is."""
    base = repo.commit({"a": TEXT}, branch="old", parent=())
    mbox = make_series(repo, base, {"a": EDITED})
    new = repo.commit({"a": "2\n"}, parent=())
    repo.git("replace", "--graft", new, base)
    repo.git("branch", "-D", "old")
    answer = assert_exact(repo, mbox, base)
    assert answer["base"]["tree"] == "main"
    assert answer["candidates"][0]["ranges"][0]["ended_by"] == new


def test_graft_after_the_first_question(repo: Repo) -> None:
    base = repo.commit({"a": TEXT}, branch="old", parent=())
    mbox = make_series(repo, base, {"a": EDITED})
    new = repo.commit({"a": "2\n"}, parent=())
    assert find(repo, mbox)["base"]["tree"] == "old"
    repo.git("branch", "-D", "old")
    repo.git("replace", "--graft", new, base)
    assert assert_exact(repo, mbox, base)["base"]["tree"] == "main"


# --- where the base is --------------------------------------------------------------------------------------------


def test_base_is_years_old(repo: Repo) -> None:
    base = repo.commit({"a": TEXT}, date=FIRST_DATE - 1500 * DAY)
    repo.commit({"a": "1\n"}, date=FIRST_DATE - 1400 * DAY)
    repo.now = FIRST_DATE
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    assert_exact(repo, mbox, base)


def test_clocks_that_are_far_off(repo: Repo) -> None:
    base = repo.commit({"a": TEXT}, date=100_000_000)
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "1\n"}, date=2_100_000_000)
    assert_exact(repo, mbox, base)


def test_merge_brings_what_the_series_needs_together(repo: Repo) -> None:
    start = repo.commit({"x": "1\n"})
    repo.commit({"a": TEXT})
    side = repo.commit({"b": TEXT}, branch="side", parent=start)
    base = repo.commit({"b": TEXT}, "merge", parent=["main", side])
    mbox = make_series(repo, base, {"a": EDITED}, {"b": EDITED})
    repo.commit({"b": "2\n"})
    assert_exact(repo, mbox, base)


def test_base_on_a_topic_that_was_merged(repo: Repo) -> None:
    start = repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT}, branch="topic", parent=start)
    mbox = make_series(repo, base, {"a": EDITED})
    last = repo.commit({"a": TEXT + "more\n"}, branch="topic")
    repo.commit({"x": "1\n"})
    repo.commit({"a": TEXT + "more\n"}, "merge", parent=["main", last])
    repo.git("branch", "-D", "topic")
    answer = assert_exact(repo, mbox, base)
    assert answer["candidates"][0]["tree"] is None
    assert answer["base"]["tree"] == "main"


def test_merges_on_both_sides_of_the_base(repo: Repo) -> None:
    start = repo.commit({"a": "1\n"})
    side = repo.commit({"b": "1\n"}, branch="side", parent=start)
    merge = repo.commit({"b": "1\n", "a": TEXT}, "merge", parent=["main", side])
    base = repo.commit({"x": "1\n"})
    mbox = make_series(repo, base, {"a": EDITED})
    other = repo.commit({"a": "2\n"}, branch="other", parent=start)
    repo.commit({"a": "2\n"}, "merge", parent=["main", other])
    assert_exact(repo, mbox, merge, base)


def test_base_on_an_unmerged_topic(repo: Repo) -> None:
    start = repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT}, branch="topic", parent=start)
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"x": "1\n"})
    answer = assert_exact(repo, mbox, base)
    assert answer["base"]["tree"] == "topic"


def test_base_on_a_remote_branch(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT}, branch="nfsd-testing")
    mbox = make_series(repo, base, {"a": EDITED})
    clone = clone_of(repo)
    answer = assert_exact(clone, mbox, base)
    assert answer["base"]["tree"] == "origin/nfsd-testing"


def rebased_away(make_repo: Make) -> tuple[Repo, Repo, str, bytes]:
    """A server, a clone of it that saw the base, the base, and a series that states it."""
    server = make_repo("server")
    start = server.commit({"a": "1\n"})
    base = server.commit({"a": TEXT}, branch="testing")
    mbox = with_stated(make_series(server, base, {"a": EDITED}), base)
    clone = clone_of(server)
    server.git("branch", "-f", "testing", start)
    server.commit({"a": "rebased\n"}, branch="testing")
    return server, clone, base, mbox


def test_rebased_away_base_is_found_through_the_reflog(make_repo: Make) -> None:
    _, clone, base, mbox = rebased_away(make_repo)
    clone.git("fetch", "--quiet", "--prune")
    assert clone.git("for-each-ref", f"--contains={base}") == ""
    answer = find(clone, mbox)
    assert (answer["stated"]["state"], answer["stated"]["verdict"]) == ("rebased-away", "exact")
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)
    assert git_applies(clone, base, mbox) == 1


def test_rebased_away_base_is_found_through_the_journal(make_repo: Make) -> None:
    _, clone, base, mbox = rebased_away(make_repo)
    find(clone, mbox)  # the journal sees the tip while it is one
    clone.git("fetch", "--quiet", "--prune")
    clone.git("reflog", "expire", "--expire=now", "--all")
    find(clone, mbox)
    clone.git("gc", "--quiet", "--prune=now")
    answer = find(clone, mbox)
    assert (answer["stated"]["state"], answer["stated"]["verdict"]) == ("rebased-away", "exact")
    assert (answer["verdict"], answer["base"]["commit"]) == ("exact", base)
    assert "rebased away" in run_find_base(clone, mbox)[1]


def test_rebased_away_base_says_where_and_when_it_was_a_tip(make_repo: Make) -> None:
    _, clone, _, mbox = rebased_away(make_repo)
    find(clone, mbox)
    clone.git("fetch", "--quiet", "--prune")
    find(clone, mbox)
    note = find(clone, mbox)["stated"]["note"]
    assert note.startswith("it was the tip of origin/testing until 20")
    assert note in run_find_base(clone, mbox)[1]


def test_base_that_no_ref_and_no_journal_knows(make_repo: Make) -> None:
    server, _, base, mbox = rebased_away(make_repo)
    answer = find(clone_of(server, name="fresh"), mbox)
    assert answer["stated"] == {**answer["stated"], "commit": base, "state": "unknown", "verdict": None, "tree": None}
    assert answer["verdict"] == "none"


def test_stated_base_that_is_in_the_object_store_only(repo: Repo) -> None:
    """Objects that nothing refers to are no tree; git may throw them away tonight."""
    repo.commit({"a": "1\n"})
    base = repo.commit({"a": TEXT}, branch="gone")
    mbox = with_stated(make_series(repo, base, {"a": EDITED}), base)
    repo.git("branch", "-D", "gone")
    answer = find(repo, mbox)
    assert answer["stated"]["state"] in ("unknown", "rebased-away")
    assert answer["verdict"] != "exact" or answer["base"]["commit"] == base


# --- the stated base ----------------------------------------------------------------------------------------------


def stated_case(repo: Repo) -> tuple[str, str, bytes]:
    """(another commit, the base, a series on the base)"""
    other = repo.commit({"a": "quite\nsomething\nelse\n"}, "another one")
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.commit({"a": "2\n"})
    return other, base, mbox


def stated_of(answer: FindBaseAnswer) -> tuple[str, str | None]:
    return answer["stated"]["state"], answer["stated"]["verdict"]


def test_true_base_commit(repo: Repo) -> None:
    _, base, mbox = stated_case(repo)
    answer = assert_exact(repo, with_stated(mbox, base), base)
    assert stated_of(answer) == ("known", "exact")
    assert answer["stated"]["tree"] == "main"


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_abbreviated_base_commit(repo: Repo, digits: int) -> None:
    _, base, mbox = stated_case(repo)
    assert stated_of(assert_exact(repo, with_stated(mbox, base[:digits]), base)) == ("known", "exact")


def test_false_base_commit_is_said_to_be_false(repo: Repo) -> None:
    other, base, mbox = stated_case(repo)
    mbox = with_stated(mbox, other)
    answer = assert_exact(repo, mbox, base)
    assert stated_of(answer) == ("known", "none")
    assert git_applies(repo, other, mbox) == 0
    assert "false" in run_find_base(repo, mbox)[1]


def test_true_base_commit_comes_first_of_many_exact_ones(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    rest = [repo.commit({"x": f"{n}\n"}, date=FIRST_DATE + n * DAY) for n in range(1, 6)]
    mbox = with_stated(make_series(repo, rest[-1], {"a": EDITED}), rest[1])
    answer = assert_exact(repo, mbox, base, *rest)
    assert answer["base"]["commit"] == rest[1]


def test_stated_base_that_only_applies_does_not_hide_an_exact_one(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    near = repo.commit({"a": "top\n" + TEXT})
    mbox = with_stated(mbox, near)
    answer = assert_exact(repo, mbox, base)
    assert stated_of(answer) == ("known", "applies")
    assert git_applies(repo, near, mbox) == 1


def test_unknown_base_commit(repo: Repo) -> None:
    _, base, mbox = stated_case(repo)
    assert stated_of(assert_exact(repo, with_stated(mbox, NOWHERE), base)) == ("unknown", None)


@pytest.mark.parametrize("value", ["v6.9-rc1", "net-next/main", "6", "HEAD", "main", "g" * 40, "deadbee; rm -rf /"])
def test_base_commit_that_is_no_commit_id(repo: Repo, value: str) -> None:
    _, base, mbox = stated_case(repo)
    answer = assert_exact(repo, with_stated(mbox, value), base)
    assert stated_of(answer) == ("malformed", None)
    assert answer["stated"]["commit"] == value


def test_base_commit_that_is_a_blob(repo: Repo) -> None:
    _, base, mbox = stated_case(repo)
    blob = repo.git("rev-parse", f"{base}:a")
    assert stated_of(assert_exact(repo, with_stated(mbox, blob), base)) == ("unknown", None)


def test_base_commit_that_is_a_tag_object(repo: Repo) -> None:
    _, base, mbox = stated_case(repo)
    repo.git("tag", "-a", "-m", "x", "v1", base)
    tag = repo.git("rev-parse", "v1")
    assert stated_of(assert_exact(repo, with_stated(mbox, tag), base))[0] in ("known", "unknown")


def test_ambiguous_abbreviated_base_commit(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    _, base, mbox = stated_case(repo)
    assert stated_of(assert_exact(repo, with_stated(mbox, base[:6]), base)) == ("malformed", None)


# --- applies ------------------------------------------------------------------------------------------------------


def test_applies_at_an_offset_on_all_that_take_it(repo: Repo) -> None:
    """The base itself is gone; later commits moved the lines."""
    lost = repo.commit({"a": TEXT}, branch="lost", parent=())
    mbox = make_series(repo, lost, {"a": EDITED}, {"b": "new\n"})
    repo.git("branch", "-D", "lost")
    first = repo.commit({"a": "top\n" + TEXT}, parent=())
    second = repo.commit({"x": "1\n"})
    repo.commit({"a": "top\n" + EDITED})
    third = repo.commit({"a": "top\ntop\n" + TEXT})
    answer = assert_applies(repo, mbox, first, second, third)
    assert answer["candidates"][0]["outcomes"][0]["offsets"] == 1


def test_commits_after_the_posting_rank_lower_and_are_told(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    later = repo.commit({"x": "1\n"}, date=repo.now + 90 * DAY)
    answer = assert_exact(repo, mbox, base, later)
    assert answer["base"]["commit"] == base


def test_all_trees_are_newer_than_the_mail(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    new = Repo(repo.path.parent / "new")
    new.now = repo.now + 300 * DAY
    first = new.commit({"a": TEXT})
    second = new.commit({"x": "1\n"})
    answer = assert_exact(new, mbox, first, second)
    assert answer["base"]["commit"] == first


def test_three_way(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.git("update-ref", "-d", "refs/heads/main")
    # Line 14 is context of the only hunk: plain git refuses, a merge does not.
    tip = repo.commit({"a": TEXT.replace("line 13\n", "line thirteen\n")})
    answer = find(repo, mbox)
    assert git_applies(repo, tip, mbox) == 0
    assert git_applies(repo, tip, mbox, "--3way") == 1
    assert (answer["verdict"], answer["base"]["commit"]) == ("three-way", tip)


def test_where_nothing_changes_between_two_asks(repo: Repo) -> None:
    _, _, mbox = stated_case(repo)
    assert find(repo, mbox) == find(repo, mbox)


def test_a_tree_can_be_singled_out(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    on_topic = repo.commit({"x": "1\n"}, branch="topic")
    answer = find(repo, mbox, "--tree", "topic")
    assert answer["candidates"][0]["tree"] == "topic"
    assert on_topic in commits_in_ranges(repo, answer)
    assert Path(repo.path).exists()


def test_a_tag_that_is_called_like_a_blob(repo: Repo) -> None:
    base = repo.commit({"a": TEXT})
    mbox = make_series(repo, base, {"a": EDITED})
    repo.git("tag", repo.git("rev-parse", f"{base}:a")[:15], base)
    answer = assert_exact(repo, mbox, base)
    assert [one["outcome"] for one in answer["candidates"][0]["outcomes"]] == ["UNMODIFIED"]
