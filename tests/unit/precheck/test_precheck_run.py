# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that break, workshops that stay open, and what is asked for."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from seriestool.check.selection import CheckOptions
from seriestool.git import Repository
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.rebase.patch_stack import BaseKind
from seriestool.session import SeriesInput, SessionOptions
from seriestool.util.errors import InputError, NotFoundError, OutsideError
from tests.support.repos import Repo
from tests.support.series import lines, mail_series, parse_series
from tests.support.session import QUICK, open_precheck, precheck, run_precheck_of, run_precheck_on, timeless

LAMP = "lib/lamp.c"
NAMES = ["base", "prerequisites", "matrix", "split", "checks", "timeline", "versions"]


@pytest.fixture
def lamps(repo: Repo) -> Repo:
    repo.commit({LAMP: lines(1, 30)}, "lamps")
    repo.commit({"lib/b.c": "b\n"}, "next", branch="next")
    return repo


@pytest.fixture
def mbox(lamps: Repo) -> bytes:
    return mail_series(lamps, ("lamp: more", {LAMP: lines(1, 31)}))


def problems(found: Precheck) -> dict[str, str]:
    return {step.name: step.problem for step in found.steps if step.problem}


def test_the_steps_are_told_in_their_order(lamps: Repo, mbox: bytes, tmp_path: Path) -> None:
    found = precheck(lamps, tmp_path, mbox)
    assert [step.name for step in found.steps] == NAMES
    assert problems(found) == {}
    assert [version.msgid for version in found.versions if version.is_this] == [found.series.msgid]


@pytest.mark.parametrize(
    ("step", "function", "part"),
    [
        ("prerequisites", "session.rebuild_from_trees", "prerequisites"),
        ("matrix", "rebase.rebase_series.rebase_series", "matrix"),
        ("split", "split.plan_series.plan_series", "plan"),
        ("timeline", "precheck.precheck_run.make_timeline", "timeline"),
    ],
)
def test_a_step_that_breaks_leaves_the_others_standing(
    lamps: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, function: str, part: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OutsideError("the disk is full", hint="make room")

    side = lamps.commit({LAMP: lines(1, 29) + "x\n"}, "unknown", branch="gone")
    mbox = mail_series(lamps, ("lamp: more", {LAMP: lines(1, 29) + "y\n"}), base=side)
    lamps.git("update-ref", "-d", "refs/heads/gone")
    whole = precheck(lamps, tmp_path / "a", mbox)
    monkeypatch.setattr(f"seriestool.{function}", broken)
    found = precheck(lamps, tmp_path / "b", mbox)
    assert problems(found) == {step: "the disk is full"}
    assert [one.name for one in found.steps] == NAMES
    assert getattr(whole, part) is not None
    assert getattr(found, part) is None
    assert found.verdict == whole.verdict
    assert found.checks is not None
    assert answer_of(found) in tuple(PrecheckAnswer)


def test_what_broke_is_not_kept(lamps: Repo, mbox: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OutsideError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("seriestool.rebase.rebase_series.rebase_series", broken)
        assert precheck(lamps, tmp_path, mbox).matrix is None
    assert precheck(lamps, tmp_path, mbox).matrix is not None


def test_a_bug_of_ours_is_no_problem_of_a_step(
    lamps: Repo, mbox: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("seriestool.split.plan_series.plan_series", broken)
    with pytest.raises(ZeroDivisionError):
        precheck(lamps, tmp_path, mbox)


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        (SessionOptions(trees=("nowhere",)), InputError),
        (SessionOptions(checks=CheckOptions(only=("no-such",))), InputError),
        (SessionOptions(checks=CheckOptions(profile="no-such")), InputError),
        (SessionOptions(checks=CheckOptions(severities=("apply=very",))), InputError),
    ],
)
def test_what_is_wrong_from_the_start_stops_it(
    lamps: Repo, mbox: bytes, tmp_path: Path, wishes: SessionOptions, error: type[Exception]
) -> None:
    with pytest.raises(error):
        precheck(lamps, tmp_path, mbox, wishes)


def test_an_empty_repository_stops_it(repo: Repo, make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo.commit({LAMP: lines(1, 30)}, "lamps")
    mbox = mail_series(repo, ("lamp: more", {LAMP: lines(1, 31)}))
    with pytest.raises(NotFoundError):
        precheck(make_repo("empty"), tmp_path, mbox)


def test_a_base_that_is_no_commit_is_the_problem_of_its_step(lamps: Repo, mbox: bytes, tmp_path: Path) -> None:
    found = precheck(lamps, tmp_path, mbox, SessionOptions(base="nowhere", checks=QUICK))
    assert problems(found) == {"footing": "there is no tree, ref or commit 'nowhere'"}
    assert found.base is None


def test_a_base_known_from_elsewhere_counts_where_it_is_true(lamps: Repo, tmp_path: Path) -> None:
    mbox = mail_series(lamps, ("lamp: more", {LAMP: lines(1, 31)}))
    true, tip = lamps.git("rev-parse", "next"), lamps.git("rev-parse", "main")
    lamps.commit({LAMP: "dark\n"}, "lamp: off")
    false = lamps.git("rev-parse", "main")
    for base, commit in ((true, true), (false, tip)):
        with open_precheck(lamps, tmp_path) as resources:
            found = run_precheck_of(resources, SeriesInput(parse_series(mbox), base=base))
        assert found.base is not None
        assert found.base.footing is BaseKind.EXACT
        assert found.base.commit in (commit, true)


def test_only_the_trees_that_were_asked_for(lamps: Repo, mbox: bytes, tmp_path: Path) -> None:
    found = precheck(lamps, tmp_path, mbox, SessionOptions(trees=("next",), checks=QUICK))
    assert found.matrix is not None
    assert [tree.name for tree in found.matrix.trees] == ["next"]
    assert [candidate.tree for candidate in found.verdict.candidates] == ["next"]


def test_a_series_without_its_patches_has_no_more_than_a_verdict(lamps: Repo, tmp_path: Path) -> None:
    series = parse_series(mail_series(lamps, ("lamp: more", {LAMP: lines(1, 31)})))
    bare = replace(series, patches=(), base=replace(series.base, commit=lamps.git("rev-parse", "main")))
    with open_precheck(lamps, tmp_path) as resources:
        found = run_precheck_of(resources, SeriesInput(bare))
    assert (found.matrix, found.plan, found.checks) == (None, None, None)
    assert answer_of(found) is PrecheckAnswer.NO_BASE
    assert timeless(found)["sentence"].startswith("The patches themselves are not at hand")


def test_a_workshop_sees_that_the_trees_have_moved(lamps: Repo, mbox: bytes, tmp_path: Path) -> None:
    with open_precheck(lamps, tmp_path) as resources:
        assert answer_of(run_precheck_on(resources, mbox)) is PrecheckAnswer.READY
        lamps.commit({LAMP: "dark\n"}, "lamp: off")
        moved = run_precheck_on(resources, mbox)
        assert answer_of(moved) is PrecheckAnswer.CONFLICTS
        lamps.commit({LAMP: lines(1, 31)}, "lamp: more")
        assert answer_of(run_precheck_on(resources, mbox)) is PrecheckAnswer.MERGED


def test_a_workshop_reads_the_history_once(
    lamps: Repo, mbox: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seriestool import session

    opened = []
    real = session.open_search_context
    monkeypatch.setattr(session, "open_search_context", lambda **given: (opened.append(1), real(**given))[1])
    with open_precheck(lamps, tmp_path, keeps=False) as resources:
        first = run_precheck_on(resources, mbox)
        assert timeless(run_precheck_on(resources, mbox)) == timeless(first)
        assert len(opened) == 1
        lamps.git("tag", "v1")
        run_precheck_on(resources, mbox)
        assert len(opened) == 2


def test_two_threads_have_a_workshop_each(lamps: Repo, mbox: bytes, tmp_path: Path) -> None:
    answers: list[object] = []
    with open_precheck(lamps, tmp_path) as resources:
        run_precheck_on(resources, mbox)

        def work() -> None:
            with Repository.open(lamps.path) as repository, resources.beside(repository) as own:
                answers.extend(timeless(run_precheck_on(own, mbox)) for _ in range(3))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [timeless(run_precheck_on(resources, mbox))] * 6


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(lamps: Repo, mbox: bytes, tmp_path: Path) -> None:
    place = tmp_path / "cache"
    place.write_text("a file where the folder should be")
    found = precheck(lamps, place, mbox)
    assert answer_of(found) is PrecheckAnswer.READY
