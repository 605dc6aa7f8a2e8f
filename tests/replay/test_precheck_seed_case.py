# SPDX-License-Identifier: GPL-2.0-or-later
"""The real case as a whole: what a reviewer is told of it before they read a line.

https://lore.kernel.org/r/20260605-tls-session-tags-v1-0-47bd1d94d552@oracle.com
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.repos import Repo, shared
from tests.support.session import Result, run_program, timeless


class Case:
    """The repository, and runs of the program on the series."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo(folder / "kernel", bare=True)
        self.repo.git("fetch", "--quiet", str(shared("data/kernel-subset.bundle")), "+refs/*:refs/*")
        self._mbox = shared("data/tls-session-tags/series.mbox")
        self._env = {"XDG_CACHE_HOME": str(folder)}

    def run(self, *arguments: str) -> Result:
        options = ("--repo", self.repo.path, "--offline", "--skip", "kunit-build,bisect")
        return run_program("precheck", *options, *arguments, self._mbox, env=self._env)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("seed"))


@pytest.fixture(scope="module")
def answer(case: Case) -> Any:
    result = case.run("--json")
    assert (result.code, result.out[:1]) == (3, "{"), result.err
    return json.loads(result.out)


def test_every_step_was_done(answer: Any) -> None:
    assert {step["step"]: step["problem"] for step in answer["steps"]} == dict.fromkeys(
        ("base", "prerequisites", "matrix", "split", "checks", "timeline", "versions")
    )


def test_the_answer_hedges_what_is_not_proven(answer: Any) -> None:
    assert (answer["answer"], answer["sure"]) == ("conflicts", False)
    assert "20 of 26" in answer["how"]
    assert answer["rebuilt"]["matched"] == 20
    assert answer["base"]["stated"]["state"] == "unknown"


def test_the_matrix_has_the_trees_that_have_its_files(answer: Any) -> None:
    trees = {tree["name"]: [patch["outcome"] for patch in tree["patches"]] for tree in answer["matrix"]["trees"]}
    assert set(trees) == {"mainline", "stable-6.12", "stable-7.1", "stable-7.2"}
    assert {outcomes[0] for outcomes in trees.values()} == {"ALREADY_MERGED"}
    assert [number for number, one in enumerate(trees["mainline"], 1) if one == "CONFLICT"] == [2, 4]


def test_who_takes_it(answer: Any) -> None:
    parts = {one["name"]: [patch["counter"] for patch in one["patches"]] for one in answer["split"]["subseries"]}
    assert parts["net"] == [1]
    assert parts["cel/linux"] == [7, 8, 9]


def test_nothing_fails(answer: Any) -> None:
    assert answer["checks"]["status"] == "warn"
    assert {result["check"] for result in answer["checks"]["results"]} >= {"uapi", "checkpatch", "fixes-tag"}


def test_the_timeline_is_around_the_posting(answer: Any) -> None:
    drawn = answer["timeline"]
    assert [line["tree"] for line in drawn["lines"]] == [tree["name"] for tree in answer["matrix"]["trees"]]
    assert drawn["level"] == answer["base"]["verdict"]
    posted = next(mark for mark in drawn["marks"] if mark["kind"] == "posted")
    assert drawn["since"] < posted["date"] < drawn["until"]


def test_the_second_run_says_the_same(case: Case, answer: Any) -> None:
    again = json.loads(case.run("--json").out)
    assert timeless(again) == timeless(answer)
    kept = {step["step"] for step in again["steps"] if step["kept"]}
    assert kept == {"base", "prerequisites", "matrix", "split"}
    asked = {result["check"] for result in again["checks"]["results"] if not result["kept"]}
    assert asked <= {"attestation", "fixes-tag", "kernel-doc"}  # what was not seen is looked at anew


def test_the_other_formats(case: Case, answer: Any) -> None:
    text = case.run()
    assert (text.code, text.err) == (3, "")
    assert f"conflicts: {answer['sentence']}" in text.out
    items = json.loads(case.run("--format=b4").out)
    assert [item["status"] for item in items[:2]] == ["warn", "warn"]
    assert "fail" not in {item["status"] for item in items}
    bodies = json.loads(case.run("--format=patchwork").out)
    assert {body["context"] for body in bodies} >= {"seriestool-base", "seriestool-trees", "seriestool-uapi"}
    assert all(len(body["description"]) <= 255 for body in bodies)
    assert "| 2 | CONFLICT 2 in 2 files |" in case.run("--format=markdown").out
