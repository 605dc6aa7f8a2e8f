# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of steps that are kept: the same as fresh ones, and not used where they could be wrong."""

import random
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.base.verdict import FitLevel
from seriestool.check.selection import CheckOptions
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck
from seriestool.precheck.step_cache import _SCHEMA, StepCache
from seriestool.precheck.timeline import MarkKind, TimelineMark
from seriestool.session import SeriesInput, SessionOptions
from seriestool.sources.resolve import SourceOptions, resolve
from seriestool.util.database import make_database
from tests.support.kernels import make_lamp_kernel, make_mistakes
from tests.support.repos import File, Repo, shared
from tests.support.series import lines, mail_series
from tests.support.session import QUICK, open_precheck, precheck, run_precheck_of, run_precheck_on, timeless

STEPS = ("base", "prerequisites", "matrix", "split", "checks")
ALL_BUT_BUILDS = CheckOptions(skip=("kunit-build", "bisect"))


def kept(found: Precheck) -> set[str]:
    return {step.name for step in found.steps if step.is_kept}


@pytest.fixture
def case(repo: Repo) -> bytes:
    """A series that conflicts on the tip of one tree, goes in on another, and was made from a third thing."""
    repo.commit({"lib/lamp.c": lines(1, 30), "lib/bulb.c": lines(1, 9)}, "lamps")
    repo.commit({"lib/new.c": "x\n"}, "new", branch="next")
    side = repo.commit({"lib/lamp.c": lines(1, 30) + "x\n", "lib/bulb.c": lines(1, 8)}, "unknown", branch="gone")
    changes: list[Mapping[str, File]] = [{"lib/lamp.c": lines(2, 30) + "x\n"}, {"lib/bulb.c": lines(1, 7)}]
    mbox = mail_series(repo, *((f"lamp: part {n}", one) for n, one in enumerate(changes)), base=side)
    repo.git("update-ref", "-d", "refs/heads/gone")
    repo.commit({"lib/lamp.c": "other\n"}, "lamp: other")
    return mbox


def test_a_second_look_is_all_kept_and_says_the_same(repo: Repo, case: bytes, tmp_path: Path) -> None:
    fresh = precheck(repo, tmp_path / "a", case)
    again = precheck(repo, tmp_path / "a", case)
    anew = precheck(repo, tmp_path / "b", case)
    assert (kept(fresh), kept(again), kept(anew)) == (set(), set(STEPS), set())
    assert timeless(again) == timeless(fresh) == timeless(anew)
    assert again.base == fresh.base
    assert again.prerequisites == fresh.prerequisites


@pytest.mark.parametrize("seed", range(6))
def test_what_is_kept_is_what_is_found(repo: Repo, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    for number in range(8):
        branch = dice.choice(["main", "next", "side"])
        files: Mapping[str, File] = {f"lib/{dice.randrange(3)}.c": lines(1, dice.randrange(3, 40))}
        repo.commit(files, f"lamp: change {number}", branch=branch if number else "main")
    names = repo.git("for-each-ref", "--format=%(refname:short)").split()
    patches = [
        (f"lamp: part {n}\n\nWhy.", {f"lib/{dice.randrange(4)}.c": lines(dice.randrange(1, 4), dice.randrange(5, 40))})
        for n in range(dice.randrange(1, 4))
    ]
    mbox = mail_series(repo, *patches, base=dice.choice(names))
    for number in range(3):
        repo.commit({f"lib/{dice.randrange(3)}.c": lines(2, dice.randrange(5, 50))}, f"later {number}", branch="main")
    with open_precheck(repo, tmp_path) as resources:
        fresh, again = run_precheck_on(resources, mbox), run_precheck_on(resources, mbox)
    assert kept(again) == set(STEPS)
    assert timeless(fresh) == timeless(again)


def test_all_checks_say_the_same_again(repo: Repo, tmp_path: Path) -> None:
    mbox = make_mistakes(make_lamp_kernel(repo)).read_bytes()
    wishes = SessionOptions(checks=ALL_BUT_BUILDS)
    fresh, again = (precheck(repo, tmp_path, mbox, wishes) for _ in range(2))
    assert timeless(fresh) == timeless(again)
    assert again.checks is not None
    assert [(one.check, one.counter) for one in again.checks.results] == [
        (one.check, one.counter)
        for one in fresh.checks.results  # type: ignore[union-attr]
    ]
    assert {one.check for one in again.checks.results if one.is_kept} >= {"fixes-tag", "sign-off", "spdx", "uapi"}
    assert not any(one.is_kept for one in again.checks.results if one.check == "attestation")


def _moved(repo: Repo) -> None:
    repo.commit({"lib/other.c": "y\n"}, "other")


def _tagged(repo: Repo) -> None:
    repo.git("tag", "v1", "main")


def _renamed(repo: Repo) -> None:
    repo.git("branch", "-m", "next", "for-next")


@pytest.mark.parametrize("change", [_moved, _tagged, _renamed])
def test_where_the_trees_changed_all_is_found_anew(
    repo: Repo, case: bytes, tmp_path: Path, change: Callable[[Repo], None]
) -> None:
    with open_precheck(repo, tmp_path) as resources:
        run_precheck_on(resources, case)
        change(repo)
        again = run_precheck_on(resources, case)
    assert kept(again) == set()
    assert timeless(again) == timeless(precheck(repo, tmp_path / "new", case))


@pytest.mark.parametrize(
    ("old", "new"), [(b"part 0", b"part O"), (b"list@example", b"lisp@example"), (b"\n-- \n", b"\n-- \n2.0\n")]
)
def test_another_mail_is_another_question(repo: Repo, case: bytes, tmp_path: Path, old: bytes, new: bytes) -> None:
    precheck(repo, tmp_path, case)
    assert old in case
    assert "checks" not in kept(precheck(repo, tmp_path, case.replace(old, new, 1)))


def test_other_checks_are_another_question_and_the_rest_stays(repo: Repo, case: bytes, tmp_path: Path) -> None:
    precheck(repo, tmp_path, case)
    wishes = SessionOptions(checks=replace(QUICK, severities=("sign-off=fail",)))
    assert kept(precheck(repo, tmp_path, case, wishes)) == set(STEPS) - {"checks"}


def test_without_keeping_nothing_is_kept(repo: Repo, case: bytes, tmp_path: Path) -> None:
    for _ in range(2):
        with open_precheck(repo, tmp_path, keeps=False) as resources:
            assert kept(run_precheck_on(resources, case)) == set()
    assert not (tmp_path / "precheck.sqlite").exists()


def test_a_candidate_that_git_threw_away_is_not_named_again(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"lib/lamp.c": lines(1, 30)}, "lamps")
    repo.commit({"lib/lamp.c": lines(1, 31)}, "lamp: topic", branch="topic")
    mbox = mail_series(repo, ("lamp: more", {"lib/lamp.c": lines(1, 32)}), base="topic")
    repo.commit({"lib/lamp.c": "dark\n"}, "lamp: off", branch="topic")
    precheck(repo, tmp_path, mbox)
    repo.git("branch", "-D", "topic")
    first = precheck(repo, tmp_path, mbox)
    repo.git("reflog", "expire", "--expire=now", "--all")
    for ref in repo.git("for-each-ref", "--format=%(refname)", "refs/seriestool").split():
        repo.git("update-ref", "-d", ref)
    assert first.verdict.level is FitLevel.EXACT
    with open_precheck(repo, tmp_path) as resources:
        run_precheck_on(resources, mbox)
        repo.git("gc", "--quiet", "--prune=now")
        again = run_precheck_on(resources, mbox)
    assert "base" not in kept(again)
    assert again.verdict.level is not FitLevel.EXACT


# --- the file -----------------------------------------------------------------------------------------------------


@pytest.fixture
def steps(tmp_path: Path) -> StepCache:
    return StepCache.open(tmp_path)


def change(steps: StepCache, value: bytes) -> None:
    with steps._database.transaction() as connection:
        connection.execute("UPDATE steps SET answer = ?", (value,))


MARKS = tuple[int, ...]


@pytest.mark.parametrize(
    "damaged",
    [b"", b"no zlib", zlib.compress(b"no json"), zlib.compress(b'"text"'), zlib.compress(b"[1")[:-3],
     zlib.compress(b'[{"a": 1}]'), zlib.compress(b"[" * 100_000), zlib.compress(b"null")],
)  # fmt: skip
def test_what_is_damaged_is_not_used(steps: StepCache, damaged: bytes) -> None:
    steps.keep("q", (1, 2))
    assert steps.find("q", MARKS) == (1, 2)
    change(steps, damaged)
    assert steps.find("q", MARKS) is None


def test_what_is_of_another_type_is_not_used(steps: StepCache) -> None:
    steps.keep("q", ({"kind": "posted"},))
    assert steps.find("q", tuple[TimelineMark, ...]) is None
    assert steps.find("other", MARKS) is None
    assert MarkKind.POSTED == "posted"


def test_a_file_that_is_none_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "precheck.sqlite").write_bytes(b"this is no database, by any means" * 100)
    steps = StepCache.open(tmp_path)
    steps.keep("q", (1,))
    assert steps.find("q", MARKS) == (1,)


def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "precheck.sqlite") as connection:
        connection.execute("CREATE TABLE steps (question TEXT)")
        connection.execute("PRAGMA user_version = 99")
    assert StepCache.open(tmp_path).find("q", MARKS) is None


def test_what_was_used_least_recently_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1000))
    monkeypatch.setattr("time.time", lambda: next(now))
    steps = StepCache(make_database(tmp_path / "precheck.sqlite", _SCHEMA), most=3000)
    texts = {f"q{n}": tuple(random.Random(n * 1000 + at).randrange(1 << 60) for at in range(100)) for n in range(6)}  # noqa: S311
    for question, answer in texts.items():
        steps.keep(question, answer)
    assert steps.find("q0", MARKS) == texts["q0"]
    steps.close()
    steps = StepCache.open(tmp_path)
    left = {question for question in texts if steps.find(question, MARKS)}
    assert "q0" in left
    assert "q5" in left
    assert "q1" not in left


def test_two_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    one, other = StepCache.open(tmp_path), StepCache.open(tmp_path)
    for number in range(20):
        (one if number % 2 else other).keep(f"q{number}", (number,))
    one.close()
    assert [other.find(f"q{number}", MARKS) for number in range(20)] == [(number,) for number in range(20)]


# --- real series --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("kernel"), bare=True)
    repo.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
    return repo


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A public-inbox archive: a commit for each mail, the mail in the file `m`."""
    repo = Repo(tmp_path_factory.mktemp("mails"), bare=True)
    repo.git("fetch", "--quiet", str(shared("data/linux-nfs-2026.bundle")), "+refs/*:refs/*")
    return repo


def first_mails(mails: Repo, most: int) -> list[str]:
    """The message-ids of mails that begin a series, evenly spread over the archive."""
    titles = (line.split(" ", 1) for line in mails.git("log", "--all", "--format=%H %s").splitlines())
    first = re.compile(r"\[PATCH[^]/]*( 0+/\d+)?\]")
    commits = [commit for commit, title in titles if first.match(title)]
    raw = (mails.git_bytes("cat-file", "blob", f"{commit}:m") for commit in commits[:: len(commits) // most])
    found = (re.search(rb"(?im)^message-id:\s*<([^>\s]+)>", mail) for mail in raw)
    return [match[1].decode() for match in found if match]


def test_real_series_say_the_same_again(kernel: Repo, mails: Repo, tmp_path: Path) -> None:
    """Of all kinds: some go in, some conflict, some are merged, some are for another project."""
    wishes = SessionOptions(
        checks=CheckOptions(skip=("kunit-build", "bisect", "checkpatch", "kernel-doc", "netlink-spec"))
    )
    options = SourceOptions(archives=(mails.path,), offline=True, partial=True, cache_dir=tmp_path)
    answers = Counter[str]()
    with open_precheck(kernel, tmp_path) as resources:
        for msgid in first_mails(mails, 8):
            asked = SeriesInput(resolve(msgid, options))
            fresh, again = (run_precheck_of(resources, asked, wishes) for _ in range(2))
            assert timeless(fresh) == timeless(again), msgid
            assert (again.base, again.prerequisites) == (fresh.base, fresh.prerequisites)
            assert kept(again) >= {"base", "prerequisites"}
            answers[answer_of(fresh)] += 1
    assert len(answers) >= 2, answers


def test_a_real_series_says_the_same_again(kernel: Repo, tmp_path: Path) -> None:
    mbox = shared("data/tls-session-tags/series.mbox").read_bytes()
    wishes = SessionOptions(checks=CheckOptions(skip=("kunit-build", "bisect", "checkpatch")))
    with open_precheck(kernel, tmp_path) as resources:
        fresh, again = run_precheck_on(resources, mbox, wishes), run_precheck_on(resources, mbox, wishes)
    assert kept(again) == set(STEPS) - {"checks"}  # attestation is asked each time
    assert timeless(fresh) == timeless(again)
    assert again.base == fresh.base
