# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a series fits nowhere: who has what it was made from, which commit made the difference, where it was tried."""

from tests.support.repos import Repo, git_applies
from tests.support.series import lines, make_series
from tests.support.session import FindBaseAnswer, find

DAY = 24 * 3600
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")


def author_of(repo: Repo) -> Repo:
    """Somebody else's repository: what is in it is not in ours."""
    return Repo(repo.path.parent / "author")


def path_of(answer: FindBaseAnswer, path: str) -> FindBaseAnswer:
    return next(one for one in answer["preimage"] if one["path"] == path)


def test_blob_that_a_tree_had_and_lost(repo: Repo) -> None:
    """`b` is nowhere, so nothing is exact; `a` came and went."""
    author = author_of(repo)
    base = author.commit({"a": TEXT, "b": TEXT + "own\n"})
    mbox = make_series(author, base, {"a": EDITED}, {"b": EDITED + "own\n"})
    repo.commit({"x": "1\n", "b": "1\n"})
    came = repo.commit({"a": TEXT})
    repo.commit({"x": "2\n"})
    went = repo.commit({"a": "2\n"})
    answer = find(repo, mbox)
    a, b = path_of(answer, "a"), path_of(answer, "b")
    assert a["holders"] == [{"tree": "main", "since": came, "until": went}]
    assert (b["reason"], b["holders"]) == ("never", [])
    assert answer["verdict"] == "partial"
    assert (b["patch"], b["hunk"]) == (2, 1)


def test_commit_that_changed_the_lines_of_the_hunk(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"a": "own\n" + TEXT})
    mbox = make_series(author, base, {"a": "own\n" + EDITED})
    repo.commit({"a": TEXT + "\n"})
    repo.commit({"a": TEXT.replace("line 30", "line thirty")})
    culprit = repo.commit({"a": TEXT.replace("line 14", "line fourteen")}, date=repo.now + 90 * DAY)
    repo.commit({"a": TEXT.replace("line 14", "line fourteen") + "end\n"})
    applies = find(repo, mbox)
    assert applies["verdict"] == "applies"
    assert applies["candidates"][0]["ranges"][0]["ended_by"] == culprit


def test_culprit_where_another_path_fits_nowhere(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"a": "own\n" + TEXT, "b": TEXT})
    mbox = make_series(author, base, {"a": "own\n" + EDITED, "b": EDITED})
    repo.commit({"a": TEXT, "b": "1\n"})
    culprit = repo.commit({"a": TEXT.replace("line 14", "line fourteen")})
    tip = repo.commit({"a": TEXT.replace("line 14", "line fourteen") + "end\n"})
    answer = find(repo, mbox)
    best = answer["candidates"][0]
    assert (best["commit"], best["outcomes"][0]["outcome"]) == (tip, "CONFLICT")
    a = path_of(answer, "a")
    assert (a["commit"], a["patch"], a["hunk"], a["failure"]["line"]) == (culprit, 1, 1, 13)


def test_the_commit_that_takes_most_patches_is_found_wherever_it_is(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"a": "own\n" + TEXT, "b": TEXT})
    mbox = make_series(author, base, {"a": "own\n" + EDITED}, {"b": EDITED})
    far = repo.commit({"a": TEXT, "b": "1\n"})
    for number in range(5):
        repo.commit({"a": TEXT.replace("line 14", "line fourteen") + f"{number}\n"})
    answer = find(repo, mbox)
    assert (answer["verdict"], answer["base"]["commit"]) == ("partial", far)
    assert git_applies(repo, far, mbox) == 1


def test_file_that_is_not_there_and_file_that_is_in_the_way(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"gone": TEXT})
    mbox = make_series(author, base, {"gone": EDITED}, {"new": "1\n"})
    repo.commit({"gone": TEXT, "new": "0\n"})
    repo.commit({"gone": None})
    answer = find(repo, mbox)
    assert answer["verdict"] in ("partial", "none")
    assert path_of(answer, "new")["reason"] == "exists"
    failures = {
        outcome["failure"]["reason"]
        for candidate in answer["candidates"]
        for outcome in candidate["outcomes"]
        if outcome["failure"]
    }
    assert failures == {"missing-file", "exists"}


def test_points_are_tip_tip_at_the_posting_and_tags_around_it(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"a": TEXT})
    mbox = make_series(author, base, {"a": EDITED})
    start = repo.now
    commits = [repo.commit({"a": f"{n}\n"}, date=start + n * DAY - 5 * DAY) for n in range(10)]
    for name, number in (("v1", 0), ("v2", 3), ("v3", 7), ("v4", 8)):
        repo.git("tag", name, commits[number])
    tried = {candidate["commit"]: candidate["label"] for candidate in find(repo, mbox)["candidates"]}
    assert tried[commits[9]] == "tip"
    assert tried[commits[5]] == "tip at the posting date"
    assert tried[commits[3]] == "v2"
    assert tried[commits[7]] == "v3"
    assert commits[0] not in tried


def test_no_merge_without_the_blobs_that_the_series_was_made_from(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"a": TEXT})
    mbox = make_series(author, base, {"a": EDITED})
    tip = repo.commit({"a": TEXT.replace("line 13\n", "line thirteen\n")})
    assert git_applies(repo, tip, mbox, "--3way") == 0
    assert find(repo, mbox)["verdict"] == "none"
    repo.git("hash-object", "-w", "--stdin", input=TEXT)
    assert git_applies(repo, tip, mbox, "--3way") == 1
    assert find(repo, mbox)["verdict"] == "three-way"


def test_a_real_conflict_is_no_merge(repo: Repo) -> None:
    author = author_of(repo)
    base = author.commit({"a": TEXT})
    mbox = make_series(author, base, {"a": EDITED})
    repo.git("hash-object", "-w", "--stdin", input=TEXT)
    repo.commit({"a": TEXT.replace("line 15\n", "line 15, too\n")})
    assert find(repo, mbox)["verdict"] == "none"
