# SPDX-License-Identifier: GPL-2.0-or-later
"""All checks on all patches, side by side; what breaks is told apart from what fails."""

import errno
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from queue import SimpleQueue
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.profiles import Severities, apply_severities
from seriestool.check.protocol import (
    Check,
    CheckEnvironment,
    CheckResult,
    CheckSubject,
    Finding,
    Scope,
    SkipCheck,
    Status,
)
from seriestool.check.requirements import Availability
from seriestool.check.result_cache import ResultCache, result_key, series_key
from seriestool.sandbox import Sandbox
from seriestool.util.errors import SeriestoolError

_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
NOT_THERE, TOO_MANY = "not-there", "too-many"
"""Rules of findings that say of any check: what it needs is missing; it said more than is shown."""
_MOST_FINDINGS = 1000
"""Of one check on one patch: a hostile patch could have a million."""


class CheckPlan(Struct, frozen=True):
    """What is to be run, and how."""

    checks: tuple[Check, ...]
    subject: CheckSubject
    """The series, as a check of a series is asked about it."""
    needs: Availability
    severities: tuple[Severities, ...] = ()
    counters: frozenset[int] | None = None
    """Only these patches, and nothing of the series as a whole; None: all of it."""
    runners: tuple[Sandbox, ...] = ()
    """What starts programs: on ^C they end what runs."""


class CheckCrash(Struct, frozen=True):
    """A check that broke: the exception belongs into a log."""

    check: str
    error: Exception


class _CheckJob(Struct, frozen=True):
    check: Check
    subject: CheckSubject

    @property
    def counter(self) -> int | None:
        return self.subject.step.patch.counter if self.subject.step else None


def run_checks(
    plan: CheckPlan,
    cache: ResultCache | None = None,
    progress: Callable[[int], None] = lambda _: None,
    broke: Callable[[CheckCrash], None] = lambda _: None,
) -> tuple[CheckResult, ...]:
    """What each check says, the series first, then patch by patch, in the order of the checks."""
    jobs = tuple(_jobs(plan))
    results: dict[int, CheckResult] = {}
    waiting: list[tuple[int, _CheckJob, str]] = []
    context = series_key(plan.subject, plan.needs.tools)
    for number, job in enumerate(jobs):
        question = result_key(job.check, job.subject, context) if cache and job.check.is_costly else ""
        found = cache.find(question) if cache and question else None
        if reason := plan.needs.find_reason(job.check, job.subject):
            results[number] = _result(job, (Finding(Status.SKIP, NOT_THERE, reason),))
        elif found is not None:
            results[number] = _result(job, found, is_kept=True)
        else:
            waiting.append((number, job, question))
    progress(len(results))
    with closing(_run_in_parallel(waiting, plan, broke)) as answers:  # also where ^C comes between two of them
        for number, question, answer in answers:
            if cache and question:
                cache.keep(question, answer.findings)
            results[number] = answer
            progress(len(results))
    ordered = sorted(results.items(), key=lambda item: (item[1].counter or 0, item[0]))
    return tuple(
        replace(result, findings=apply_severities(result.findings, result.check, plan.severities))
        for _, result in ordered
    )


def count_jobs(plan: CheckPlan) -> int:
    """How often checks will be asked."""
    return sum(1 for _ in _jobs(plan))


def _jobs(plan: CheckPlan) -> Iterator[_CheckJob]:
    """Checks of the series first: those that build take longest."""
    if plan.counters is None:
        yield from (_CheckJob(check, plan.subject) for check in plan.checks if check.scope is Scope.SERIES)
    for step in plan.subject.steps:
        if plan.counters is None or step.patch.counter in plan.counters:
            subject = replace(plan.subject, step=step)
            yield from (_CheckJob(check, subject) for check in plan.checks if check.scope is Scope.PATCH)


def _run_in_parallel(
    waiting: Sequence[tuple[int, _CheckJob, str]], plan: CheckPlan, broke: Callable[[CheckCrash], None]
) -> Generator[tuple[int, str, CheckResult], None, None]:
    """(number, question, result) of each job as it ends; each thread has git processes of its own."""
    environment = plan.subject.environment
    threads = max(1, min(environment.jobs, len(waiting)))
    with ExitStack() as stack, ThreadPoolExecutor(threads) as pool:
        free: SimpleQueue[CheckEnvironment] = SimpleQueue()
        for _ in range(threads):
            own = stack.enter_context(environment.scratch_repo.beside())
            repository = stack.enter_context(environment.repository.beside())
            free.put(replace(environment, scratch_repo=own, repository=repository))

        def run(job: _CheckJob) -> CheckResult:
            here = free.get()
            try:
                return _run_job(replace(job, subject=replace(job.subject, environment=here)), broke)
            finally:
                free.put(here)

        running: dict[Future[CheckResult], tuple[int, str]] = {}
        try:
            running.update((pool.submit(run, job), (number, question)) for number, job, question in waiting)
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield *running.pop(future), future.result()
        except BaseException:  # ^C: what runs in a sandbox would be waited for
            pool.shutdown(wait=False, cancel_futures=True)
            for runner in plan.runners:
                runner.stop()
            raise


def _run_job(job: _CheckJob, broke: Callable[[CheckCrash], None]) -> CheckResult:
    start = monotonic()
    findings: list[Finding] = []
    try:
        for finding in _bounded(job.check.run(job.subject)):
            findings.append(finding)  # noqa: PERF402  # what it said before it broke still holds
    except SkipCheck as reason:
        findings.append(Finding(Status.SKIP, "not-seen", str(reason)))
    except SeriestoolError as error:
        findings.append(Finding(Status.ERROR, "broken", error.message, mend=error.hint))
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            broke(CheckCrash(job.check.name, error))
        where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        findings.append(Finding(Status.ERROR, "broken", f"{error.strerror or type(error).__name__}{where}"))
    except Exception as error:  # one check that breaks must not take the others with it
        broke(CheckCrash(job.check.name, error))
        findings.append(Finding(Status.ERROR, "broken", f"the check broke: {type(error).__name__}"))
    return _result(job, tuple(findings), monotonic() - start)


def _bounded(findings: Iterable[Finding]) -> Iterator[Finding]:
    for number, finding in enumerate(findings):
        if number == _MOST_FINDINGS:
            yield Finding(Status.SKIP, TOO_MANY, f"only the first {_MOST_FINDINGS} findings are shown")
            return
        yield finding


def _result(job: _CheckJob, findings: tuple[Finding, ...], seconds: float = 0.0, is_kept: bool = False) -> CheckResult:
    if job.counter is not None:
        findings = tuple(replace(one, counter=job.counter) for one in findings)
    return CheckResult(check=job.check.name, counter=job.counter, findings=findings, seconds=seconds, is_kept=is_kept)
