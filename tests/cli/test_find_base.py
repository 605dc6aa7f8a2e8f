# SPDX-License-Identifier: GPL-2.0-or-later
"""What `find-base` prints: golden texts of the situations that people meet, the keys of --json, b4's own line."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.support.repos import FIRST_DATE, ROOT, Repo
from tests.support.series import lines, make_series, with_stated
from tests.support.session import Result, find, run_find_base

Golden = Callable[[str, str], None]
DAY = 24 * 3600
TEXT = lines(1, 30)
EDITED = TEXT.replace("line 15\n", "line fifteen\n")


def exact(repo: Repo) -> bytes:
    repo.commit({"drivers/a.c": "1\n"}, "a: start")
    base = repo.commit({"drivers/a.c": TEXT}, "a: thirty lines")
    repo.git("tag", "-m", "x", "v1.0")
    mbox = make_series(repo, base, {"drivers/a.c": EDITED}, {"drivers/b.c": TEXT})
    repo.commit({"x": "1\n"}, "x: one")
    repo.commit({"x": "2\n"}, "x: two", branch="next")
    repo.commit({"drivers/a.c": "2\n"}, "a: all anew")
    return mbox


def applies(repo: Repo) -> bytes:
    lost = repo.commit({"drivers/a.c": TEXT}, branch="lost", parent=())
    mbox = make_series(repo, lost, {"drivers/a.c": EDITED}, {"drivers/b.c": TEXT})
    forget(repo, "lost")
    repo.commit({"drivers/a.c": "top\n" + TEXT}, "a: a line more", parent=())
    repo.commit({"drivers/a.c": "2\n"}, "a: all anew")
    return mbox


def three_way(repo: Repo) -> bytes:
    base = repo.commit({"drivers/a.c": TEXT}, branch="lost", parent=())
    mbox = make_series(repo, base, {"drivers/a.c": EDITED})
    forget(repo, "lost")
    repo.commit({"drivers/a.c": TEXT.replace("line 13\n", "line thirteen\n")}, "a: line 13 in words", parent=())
    return mbox


def partial(repo: Repo) -> bytes:
    """Patch 1 goes in, patch 2 is there already, patch 3 does not fit any more."""
    author = Repo(repo.path.parent / "author")
    base = author.commit({"a.c": TEXT, "b.c": TEXT, "c.c": "first\n" + TEXT})
    mbox = make_series(author, base, {"a.c": EDITED}, {"b.c": EDITED}, {"c.c": "first\n" + EDITED})
    repo.commit({"a.c": TEXT, "b.c": EDITED, "c.c": TEXT}, "all: start")
    changed = TEXT.replace("line 15\n", "line 15, and more\n")
    repo.commit({"c.c": changed}, "c: line 15 has more", author="Jane Doe <jane@example.com>")
    repo.commit({"x": "1\n"}, "x: one")
    return mbox


def none(repo: Repo) -> bytes:
    author = Repo(repo.path.parent / "author")
    lost = author.commit({"a.c": TEXT})
    mbox = make_series(author, lost, {"a.c": EDITED}, {"new.c": TEXT})
    repo.commit({"a.c": "quite different\n"}, "a: other", parent=())
    repo.commit({"new.c": "1\n"}, "new: here")
    return with_stated(mbox, lost)


def stated_false(repo: Repo) -> bytes:
    wrong = repo.commit({"a.c": "1\n"}, "a: start")
    base = repo.commit({"a.c": TEXT}, "a: thirty lines")
    return with_stated(make_series(repo, base, {"a.c": EDITED}), wrong)


def rebased_away(repo: Repo) -> bytes:
    start = repo.commit({"a.c": "1\n"}, "a: start", date=FIRST_DATE - DAY)
    base = repo.commit({"a.c": TEXT}, "a: thirty lines", branch="testing", parent=start, date=FIRST_DATE)
    mbox = with_stated(make_series(repo, base, {"a.c": EDITED}), base)
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("update-ref", "--create-reflog", "refs/heads/testing", base)
    date = {"GIT_COMMITTER_DATE": f"{FIRST_DATE + DAY} +0000"}
    repo.git("update-ref", "--create-reflog", "refs/heads/testing", start, env=date)
    return mbox


def forget(repo: Repo, branch: str) -> None:
    repo.git("update-ref", "-d", f"refs/heads/{branch}")


SITUATIONS = [exact, applies, three_way, partial, none, stated_false, rebased_away]
CODES = {partial: 1, none: 1}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda function: function.__name__)
def test_text(repo: Repo, golden: Golden, situation: Callable[[Repo], bytes]) -> None:
    code, out, err = run_find_base(repo, situation(repo))
    assert code == CODES.get(situation, 0)
    golden(f"find-base-{situation.__name__.replace('_', '-')}", out + err)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda function: function.__name__)
def test_text_is_the_same_without_colour(repo: Repo, situation: Callable[[Repo], bytes]) -> None:
    mbox = situation(repo)
    plain = run_find_base(repo, mbox)[1]
    assert "\x1b" not in plain
    assert all(len(line.rstrip()) == len(line) for line in plain.splitlines())


def test_a_quoted_cover_letter_leads_to_its_patches(repo: Repo, cli_here: Callable[..., Result]) -> None:
    repo.commit({"a.c": TEXT})
    letter = ROOT / "tests/data/mail/pipermail-reply.txt"
    result = cli_here("find-base", letter, cwd=repo.path)
    assert result.code == 1
    assert "hint: 'seriestool find-base 20" in result.err


def test_each_range_that_is_shown_says_what_ended_it(repo: Repo) -> None:
    base = repo.commit({"drivers/a.c": TEXT}, "a: thirty lines")
    mbox = make_series(repo, base, {"drivers/a.c": EDITED})
    repo.commit({"drivers/a.c": "2\n"}, "a: all anew")
    repo.commit({"drivers/a.c": TEXT}, "a: thirty lines again")
    repo.commit({"drivers/a.c": "3\n"}, "a: once more")
    out = run_find_base(repo, mbox)[1]
    assert set(re.findall(r"ended by [0-9a-f]{12} (a: \w+ \w+) ", out)) == {"a: all anew", "a: once more"}


def test_only_readers_of_text_get_hints(repo: Repo) -> None:
    mbox = none(repo)
    assert "hint: " in run_find_base(repo, mbox)[2]
    assert run_find_base(repo, mbox, "--json")[2] == ""


ANSWER: dict[str, Any] = {
    "schema": int, "verdict": str, "notes": list, "commits": list, "preimage": list,
    "series": {
        "msgid": str, "subject": str, "version": int, "patches": int, "expected": int, "missing": list, "files": list,
        "change_id": (str, None), "posted": str,
    },
    "base": ({"commit": str, "tree": (str, None), "describe": (str, None), "subject": str, "date": str}, None),
    "stated": (
        {"commit": str, "state": str, "verdict": (str, None), "tree": (str, None), "matched": (int, None),
         "note": (str, None), "sightings": list},
        None,
    ),
    "candidates": [{
        "tree": (str, None), "commit": str, "label": (str, None), "verdict": str, "matched": int, "expected": int,
        "ranges": [{
            "oldest": str, "newest": str, "commits": int, "made_by": (str, None), "ended_by": (str, None),
        }],
        "outcomes": [{
            "patch": int, "outcome": (str, None), "alone": (str, None), "offsets": int, "failure": (dict, None),
        }],
    }],
    "unmatched": [{
        "path": str, "blob": (str, None), "expects": str, "matched": bool, "reason": str, "trees": list,
        "holders": list, "commit": (str, None), "patch": (int, None), "hunk": (int, None), "failure": (dict, None),
    }],
}  # fmt: skip


def misfits(value: object, schema: object, at: str = "answer") -> list[str]:
    """Where a value is not of the schema; a tuple has alternatives, None is null."""
    if isinstance(schema, tuple):
        tries = [misfits(value, one, at) for one in schema]
        return [] if [] in tries else tries[0]
    if schema is None or isinstance(schema, type):
        fits = value is None if schema is None else type(value) is schema
        return [] if fits else [f"{at} is {value!r}"]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return [found for n, one in enumerate(value) for found in misfits(one, schema[0], f"{at}[{n}]")]
    assert isinstance(schema, Mapping)
    if not isinstance(value, Mapping) or not schema.keys() <= value.keys():
        return [f"{at} has not all of {sorted(schema)}"]
    return [found for key in schema for found in misfits(value[key], schema[key], f"{at}.{key}")]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda function: function.__name__)
def test_json_has_every_key_always(repo: Repo, situation: Callable[[Repo], bytes]) -> None:
    answer = find(repo, situation(repo))
    assert misfits(answer, ANSWER) == []
    assert answer["schema"] == 1
    assert answer["verdict"] in ("exact", "applies", "three-way", "partial", "none")
    ids = [answer["base"]["commit"]] if answer["base"] else []
    ids += [candidate["commit"] for candidate in answer["candidates"]]
    ids += [one[key] for c in answer["candidates"] for one in c["ranges"] for key in ("oldest", "newest")]
    assert all(re.fullmatch("[0-9a-f]{40}", oid) for oid in ids)


BASE_LINE = re.compile(
    r" Base: (\S+ \(exact match\)|\S+ \(best guess, \d+/\d+ blobs matched\)|failed to guess base"
    r"|base-commit \S+ not known, ignoring)"
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda function: function.__name__)
def test_b4_lines(repo: Repo, situation: Callable[[Repo], bytes]) -> None:
    code, out, err = run_find_base(repo, situation(repo), "--format=b4")
    assert code == CODES.get(situation, 0)
    assert all(line.startswith("hint: ") for line in err.splitlines())
    assert all(BASE_LINE.fullmatch(line) for line in out.splitlines()), out


def test_b4_names_a_tag(repo: Repo) -> None:
    assert run_find_base(repo, exact(repo), "--format=b4")[1].startswith(" Base: v1.0")


def test_output_states_the_base(repo: Repo) -> None:
    mbox = exact(repo)
    base = find(repo, mbox)["base"]["commit"]
    path = repo.path.parent / "out.mbx"
    code, _, err = run_find_base(repo, mbox, "-o", str(path))
    assert code == 0, err
    assert f"\nbase-commit: {base}\n".encode() in path.read_bytes()
    repo.git("checkout", "--quiet", "--detach", base)
    repo.git("am", "--quiet", str(path))
    assert find(repo, path.read_bytes())["stated"]["verdict"] == "exact"


def test_branch_has_the_series_on_its_base(repo: Repo) -> None:
    mbox = exact(repo)
    base = find(repo, mbox)["base"]["commit"]
    before = repo.git("rev-parse", "HEAD"), repo.git("status", "--porcelain")
    code, _, err = run_find_base(repo, mbox, "--branch", "applied")
    assert code == 0, err
    assert repo.git("log", "--format=%s", f"{base}..applied").split("\n") == ["part 2", "part 1"]
    assert repo.git("show", "applied:drivers/a.c") + "\n" == EDITED
    assert (repo.git("rev-parse", "HEAD"), repo.git("status", "--porcelain")) == before


def test_branch_that_is_there_is_left_alone(repo: Repo) -> None:
    mbox = exact(repo)
    tip = repo.git("rev-parse", "next")
    code, _, err = run_find_base(repo, mbox, "--branch", "next")
    assert code == 2
    assert "a branch 'next' is there already" in err
    assert repo.git("rev-parse", "next") == tip


def test_a_branch_that_was_made_is_no_tree_the_next_time(repo: Repo) -> None:
    base = repo.commit({"a.c": TEXT})
    mbox = make_series(repo, base, {"a.c": EDITED})
    first = run_find_base(repo, mbox, "--json", "--branch", "review")
    made = repo.git("rev-parse", "review")
    again = run_find_base(repo, mbox, "--json")
    assert again[1] == first[1]
    repo.git("branch", "-D", "review")
    assert run_find_base(repo, mbox, "--json", "--branch", "review")[:2] == first[:2]
    assert repo.git("rev-parse", "review^") == repo.git("rev-parse", f"{made}^") == base
    repo.git("update-ref", "refs/heads/review", base)  # now it is somebody's
    assert "review" in run_find_base(repo, mbox)[1]
