# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks run side by side: what they need, what is kept, what breaks."""

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event

import pytest
from msgspec.structs import replace

from seriestool.check.protocol import Check, CheckResult, CheckSubject, Finding, Requirement, Scope, SkipCheck, Status
from seriestool.check.requirements import Availability
from seriestool.check.result_cache import ResultCache
from seriestool.check.runner import CheckCrash, CheckPlan, count_jobs, run_checks
from seriestool.sandbox import SandboxJob, SandboxResult
from seriestool.util.errors import OutsideError
from tests.support.repos import Repo
from tests.support.series import SIGNED, mail_series
from tests.support.session import open_subject, rules_of

Say = Callable[[CheckSubject], Iterable[Finding]]
TWO = (("one\n\n" + SIGNED, {"a": "1\n"}), ("two\n\n" + SIGNED, {"b": "2\n"}))
WARN = Finding(Status.WARN, "odd", "this is odd", b"a", 3, "do that", "https://example.com/rule", "more\nof it")


def patch_check(say: Say, name: str = "probe", needs: Iterable[Requirement] = (), costly: bool = False) -> Check:
    return Check(name, "for a test", Scope.PATCH, say, frozenset(needs), is_costly=costly)


def series_check(say: Say, needs: Iterable[Requirement] = ()) -> Check:
    return Check("whole", "for a test", Scope.SERIES, say, frozenset(needs))


@contextmanager
def plan_for(
    repo: Repo, *checks: Check, needs: Availability | None = None, base: str | None = "main", jobs: int = 1
) -> Iterator[CheckPlan]:
    repo.commit({"start": "x\n"})
    with open_subject(repo, mail_series(repo, *TWO), base) as subject:
        subject = replace(subject, environment=replace(subject.environment, jobs=jobs))  # noqa: PLW2901
        yield CheckPlan(checks, subject, needs or Availability(True, None))


def ends(results: Iterable[CheckResult]) -> list[tuple[str, int | None, str]]:
    return [(one.check, one.counter, str(one.status)) for one in results]


def test_each_check_is_asked_about_each_patch_and_once_about_the_series(repo: Repo) -> None:
    asked: list[str] = []

    def say(subject: CheckSubject) -> Iterator[Finding]:
        asked.append(subject.patch.subject if subject.step else "series")
        yield from ()

    with plan_for(repo, patch_check(say), series_check(say)) as plan:
        results = run_checks(plan)
        assert count_jobs(plan) == 3
    assert ends(results) == [("whole", None, "pass"), ("probe", 1, "pass"), ("probe", 2, "pass")]
    assert sorted(asked) == ["one", "series", "two"]


def test_a_finding_says_which_patch_it_is_about(repo: Repo) -> None:
    def of_series(subject: CheckSubject) -> Iterator[Finding]:
        yield replace(WARN, counter=2)

    with plan_for(repo, patch_check(lambda _: [WARN]), series_check(of_series)) as plan:
        results = run_checks(plan)
    assert [[finding.counter for finding in result.findings] for result in results] == [[2], [1], [2]]


def test_what_breaks_is_an_error_and_the_others_go_on(repo: Repo) -> None:
    broken: list[CheckCrash] = []

    def crash(subject: CheckSubject) -> Iterator[Finding]:
        yield WARN
        raise ZeroDivisionError

    with plan_for(repo, patch_check(crash, "bad"), patch_check(lambda _: [WARN], "good")) as plan:
        results = run_checks(plan, broke=broken.append)
    assert ends(results) == [("bad", 1, "error"), ("good", 1, "warn"), ("bad", 2, "error"), ("good", 2, "warn")]
    assert results[0].findings[-1].message == "the check broke: ZeroDivisionError"
    assert [(one.check, type(one.error)) for one in broken] == [("bad", ZeroDivisionError)] * 2


def test_what_the_outside_world_does_to_a_check_is_an_error_without_a_log(repo: Repo) -> None:
    broken: list[CheckCrash] = []

    def fail(subject: CheckSubject) -> Iterator[Finding]:
        raise OutsideError("the disk is full", hint="make room")

    with plan_for(repo, series_check(fail)) as plan:
        (result,) = run_checks(plan, broke=broken.append)[:1]
    assert (result.status, result.findings[0].message) == (Status.ERROR, "the disk is full")
    assert result.findings[0].mend == "make room"
    assert broken == []


def test_a_check_may_skip_itself(repo: Repo) -> None:
    def skip(subject: CheckSubject) -> Iterator[Finding]:
        raise SkipCheck("nothing to see")

    with plan_for(repo, series_check(skip)) as plan:
        (result,) = run_checks(plan)
    assert (result.status, result.findings[0].message) == (Status.SKIP, "nothing to see")


@pytest.mark.parametrize(
    ("need", "needs", "base", "reason"),
    [
        (Requirement.KERNEL, Availability(False, None), "main", "the tree is not that of a kernel"),
        (Requirement.SANDBOX, Availability(True, "no sandbox: bwrap is away"), "main", "no sandbox: bwrap is away"),
        (Requirement.BASE, Availability(True, None), None, "no base is known; --base names one"),
    ],
)
def test_what_a_check_needs_and_is_not_there_skips_it(
    repo: Repo, need: Requirement, needs: Availability, base: str | None, reason: str
) -> None:
    def never(subject: CheckSubject) -> Iterator[Finding]:
        raise AssertionError

    with plan_for(repo, patch_check(never, needs=[need]), needs=needs, base=base) as plan:
        results = run_checks(plan)
    assert {(result.status, result.findings[0].message) for result in results} == {(Status.SKIP, reason)}


def test_a_compiler_is_looked_for_where_the_sandbox_has_programs(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with plan_for(repo, patch_check(lambda _: [], needs=[Requirement.COMPILER])) as plan:
        monkeypatch.setattr("seriestool.check.requirements.PATH", str(tmp_path))
        reason = Availability(True, None).find_reason(plan.checks[0], plan.subject)
    assert reason is not None
    assert "no C compiler" in reason
    assert Availability(True, None).compiler is None


def test_commits_of_a_range_have_not_been_mailed(repo: Repo) -> None:
    repo.commit({"start": "x\n"})
    with open_subject(repo, mail_series(repo, *TWO), is_mailed=False) as subject:
        plan = CheckPlan((series_check(lambda _: [WARN], [Requirement.MAILED]),), subject, Availability(True, None))
        (result,) = run_checks(plan)
    assert result.findings[0].message == "the series has not been mailed"


def test_a_patch_that_does_not_apply_has_no_tree_to_look_at(repo: Repo) -> None:
    start = repo.commit({"a": "old\n"})
    mbox = mail_series(repo, ("one", {"a": "new\n"}), ("two", {"b": "2\n"}))
    repo.commit({"a": "another\n"}, parent=start)
    with open_subject(repo, mbox) as subject:
        checks = (patch_check(lambda _: [], needs=[Requirement.BASE]), series_check(lambda _: [], [Requirement.BASE]))
        results = run_checks(CheckPlan(checks, subject, Availability(True, None)))
    assert ends(results) == [("whole", None, "skip"), ("probe", 1, "skip"), ("probe", 2, "pass")]
    assert results[0].findings[0].message == "patch 1 does not apply to the base"


def test_only_some_patches(repo: Repo) -> None:
    with plan_for(repo, patch_check(lambda _: []), series_check(lambda _: [])) as plan:
        assert ends(run_checks(replace(plan, counters=frozenset([2])))) == [("probe", 2, "pass")]


def test_checks_run_side_by_side_each_with_git_processes_of_its_own(repo: Repo) -> None:
    together = Barrier(2, timeout=30)
    seen: set[tuple[int, int]] = set()

    def meet(subject: CheckSubject) -> Iterator[Finding]:
        together.wait()  # breaks where one waits for the other to end
        assert subject.read(subject.before, b"start") == b"x\n"
        assert subject.environment.repository.objects.read("HEAD") is not None
        seen.add((id(subject.environment.scratch_repo), id(subject.environment.repository)))
        yield from ()

    with plan_for(repo, patch_check(meet), jobs=2) as plan:
        assert ends(run_checks(plan)) == [("probe", 1, "pass"), ("probe", 2, "pass")]
    assert len(seen) == 2


class _Runner:
    """What starts programs, as far as ^C is concerned."""

    def __init__(self) -> None:
        self.is_stopped = Event()

    def run(self, job: SandboxJob) -> SandboxResult:
        raise AssertionError(job)

    def stop(self) -> None:
        self.is_stopped.set()


def test_interrupted_between_two_answers_it_ends_what_runs(repo: Repo) -> None:
    runner, was_ended = _Runner(), []

    def build(subject: CheckSubject) -> Iterator[Finding]:
        was_ended.append(runner.is_stopped.wait(20))
        yield WARN

    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with (
        plan_for(repo, patch_check(lambda _: [], "quick"), patch_check(build, "slow"), jobs=2) as plan,
        pytest.raises(KeyboardInterrupt) as held,  # and with it the frames
    ):
        run_checks(replace(plan, runners=(runner,)), progress=interrupt)
    assert held
    assert runner.is_stopped.is_set()
    assert all(was_ended)


def test_a_patch_cannot_flood_the_report(repo: Repo) -> None:
    def flood(subject: CheckSubject) -> Iterator[Finding]:
        while True:
            yield WARN

    with plan_for(repo, series_check(flood)) as plan:
        (result,) = run_checks(plan)
    assert len(result.findings) == 1001
    assert result.findings[-1].rule == "too-many"


# --- answers that are kept ------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[ResultCache]:
    found = ResultCache.open(tmp_path)
    yield found
    found.close()


def test_a_costly_answer_is_found_once(repo: Repo, kept: ResultCache) -> None:
    asked: list[int] = []

    def say(subject: CheckSubject) -> Iterator[Finding]:
        asked.append(subject.patch.counter)
        yield WARN

    with plan_for(repo, patch_check(say, costly=True)) as plan:
        first, second = run_checks(plan, kept), run_checks(plan, kept)
    assert asked == [1, 2]
    assert [one.findings for one in first] == [one.findings for one in second]
    assert [one.is_kept for one in first + second] == [False, False, True, True]


def test_a_cheap_answer_is_found_anew(repo: Repo, kept: ResultCache) -> None:
    with plan_for(repo, patch_check(lambda _: [WARN])) as plan:
        run_checks(plan, kept)
        assert not any(one.is_kept for one in run_checks(plan, kept))


@pytest.mark.parametrize("change", ["version", "name", "config", "tools", "recipients", "mailed", "others", "notes"])
def test_another_question_is_another_answer(
    repo: Repo, kept: ResultCache, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = patch_check(lambda _: [WARN], costly=True)
    with plan_for(repo, check) as plan:
        run_checks(plan, kept)
        assert all(one.is_kept for one in run_checks(plan, kept))
        if change == "version":
            plan = replace(plan, checks=(replace(check, version=2),))  # noqa: PLW2901
        elif change == "name":
            plan = replace(plan, checks=(replace(check, name="other"),))  # noqa: PLW2901
        elif change == "config":
            environment = replace(plan.subject.environment, config={"seriestool.check.probe-level": ("high",)})
            plan = replace(plan, subject=replace(plan.subject, environment=environment))  # noqa: PLW2901
        elif change == "mailed":
            plan = replace(plan, subject=replace(plan.subject, is_mailed=False))  # noqa: PLW2901
        elif change == "recipients":
            series = replace(plan.subject.series, recipients=("somebody@example.com",))
            plan = replace(plan, subject=replace(plan.subject, series=series))  # noqa: PLW2901
        elif change == "others":
            series = replace(plan.subject.series, patches=plan.subject.series.patches[:1])
            plan = replace(plan, subject=replace(plan.subject, series=series))  # noqa: PLW2901
        elif change == "notes":
            steps = tuple(replace(step, patch=replace(step.patch, notes="more")) for step in plan.subject.steps)
            plan = replace(plan, subject=replace(plan.subject, steps=steps))  # noqa: PLW2901
        else:
            monkeypatch.setattr("seriestool.check.requirements.OTHERS", ("git",))
            plan = replace(plan, needs=Availability(True, None))  # noqa: PLW2901
        assert not any(one.is_kept for one in run_checks(plan, kept))


@pytest.mark.parametrize("status", [Status.SKIP, Status.ERROR])
def test_what_could_not_be_seen_is_not_kept(repo: Repo, kept: ResultCache, status: Status) -> None:
    with plan_for(repo, patch_check(lambda _: [WARN, replace(WARN, status=status)], costly=True)) as plan:
        run_checks(plan, kept)
        assert not any(one.is_kept for one in run_checks(plan, kept))


def test_an_answer_that_cannot_be_read_is_found_anew(repo: Repo, kept: ResultCache) -> None:
    with plan_for(repo, patch_check(lambda _: [WARN], costly=True)) as plan:
        run_checks(plan, kept)
        with kept._database.transaction() as connection:
            connection.execute("UPDATE answers SET findings = '[{}]'")
        results = run_checks(plan, kept)
    assert [rules_of(one.findings) for one in results] == [[("odd", "warn")]] * 2
    assert not any(one.is_kept for one in results)


def test_answers_that_cannot_be_kept_are_given_all_the_same(
    repo: Repo, kept: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutsideError("database or disk is full")

    with plan_for(repo, patch_check(lambda _: [WARN], costly=True)) as plan, monkeypatch.context() as patched:
        patched.setattr("seriestool.util.database.Database.transaction", full)
        patched.setattr("seriestool.util.database.Database.rows", full)
        results = run_checks(plan, kept)
    assert [rules_of(one.findings) for one in results] == [[("odd", "warn")]] * 2


@pytest.mark.parametrize(("number", "is_ours"), [(errno.ENOSPC, False), (errno.EBADF, True)])
def test_a_full_disk_is_no_mistake_of_ours(repo: Repo, number: int, is_ours: bool) -> None:
    def say(subject: CheckSubject) -> Iterator[Finding]:
        raise OSError(number, "what it is", "/some/file")
        yield

    broken: list[CheckCrash] = []
    with plan_for(repo, series_check(say)) as plan:
        (result,) = run_checks(plan, broke=broken.append)
    assert (result.status, result.findings[0].message) == (Status.ERROR, "what it is: /some/file")
    assert bool(broken) is is_ours


@pytest.mark.parametrize("error", [SkipCheck("x"), OutsideError("x"), ValueError("x"), OSError(28, "full")])
def test_what_a_check_said_before_it_broke_still_holds(repo: Repo, error: Exception) -> None:
    def say(subject: CheckSubject) -> Iterator[Finding]:
        yield replace(WARN, status=Status.FAIL)
        raise error

    with plan_for(repo, series_check(say)) as plan:
        (result,) = run_checks(plan)
    assert rules_of(result.findings)[0] == ("odd", "fail")
    assert result.findings[1].status is (Status.SKIP if isinstance(error, SkipCheck) else Status.ERROR)
