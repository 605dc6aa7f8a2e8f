# SPDX-License-Identifier: GPL-2.0-or-later
"""The program on a test's repository: run in a process or in this one, and its parts opened and asked one by one."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from seriestool.base.find import find_base
from seriestool.base.search_context import SearchContext
from seriestool.check.protocol import (
    Check,
    CheckEnvironment,
    CheckResult,
    CheckSubject,
    Finding,
    Report,
    Scope,
    SkipCheck,
    Status,
)
from seriestool.check.selection import CheckOptions
from seriestool.git import Repository, ScratchRepository
from seriestool.precheck.precheck_json import precheck_dict
from seriestool.precheck.precheck_result import Precheck, SeriesVersion
from seriestool.precheck.precheck_run import run_precheck
from seriestool.precheck.resources import PrecheckResources
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import find_series_base, make_stack
from seriestool.rebase.rebase_result import Conflict, OutcomeReason, PatchResult, Rebase
from seriestool.rebase.rebase_series import rebase_series
from seriestool.rebase.tree_rebaser import NoResolutions, Target
from seriestool.sandbox import Sandbox
from seriestool.series.model import Outcome
from seriestool.session import SeriesInput, Session, SessionOptions, SessionSettings
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.trees import list_tags, list_trees
from seriestool.trees.history import index_dir, update
from tests.support.kernels import TOY_HEADER
from tests.support.repos import Content, File, Repo, _bytes, git_applies
from tests.support.sandboxes import a_sandbox
from tests.support.series import SIGNED, Change, mail_series, make_series, parse_series


@dataclass(frozen=True, slots=True)
class Result:
    """How a run of the program ended, and what it printed."""

    code: int
    out: str
    err: str


def run_program(
    *arguments: str | Path, cwd: Path | None = None, stdin: Content | None = None, env: Mapping[str, str] | None = None
) -> Result:
    """The result of the real program in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "seriestool", *map(str, arguments)],
        cwd=cwd,
        input=_bytes(stdin or b""),
        capture_output=True,
        env={**os.environ, **(env or {})},
    )
    return Result(answer.returncode, answer.stdout.decode(), answer.stderr.decode())


def uapi(repo: Repo, text: File, path: str = TOY_HEADER, **options: object) -> tuple[Finding, ...]:
    """What `uapi` says of a patch that gives the header this text."""
    return uapi_of(repo, {path: text}, **options)


def uapi_of(
    repo: Repo, files: dict[str, File], to: str = "linux-api@vger.kernel.org", **options: object
) -> tuple[Finding, ...]:
    """What `uapi` says of a patch with these files."""
    from seriestool.check.rules.uapi import CHECK

    mbox = mail_series(repo, (f"toy: change it\n\n{SIGNED}", files), to=to)
    return ask_check(CHECK, repo, mbox, sandbox=options.pop("sandbox", None) or a_sandbox(), **options)  # type: ignore[arg-type]


FindBaseAnswer = dict[str, Any]
"""The object that `find-base --json` prints."""


def find(repo: Repo | Path, mbox: bytes, *options: str) -> FindBaseAnswer:
    """The answer of `find-base --json` on the series in an mbox, in this process."""
    code, out, err = run_find_base(repo, mbox, "--json", *options)
    assert code in (0, 1), err
    answer: FindBaseAnswer = json.loads(out)
    assert code == (0 if answer["verdict"] in ("exact", "applies", "three-way") else 1)
    return answer


def run_find_base(repo: Repo | Path, mbox: bytes, *options: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of `find-base` in this process."""
    return run_command(repo, mbox, "find-base", *options, "-")


def run_command(repo: Repo | Path, mbox: bytes, *arguments: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command on a repository in this process."""
    from seriestool.cli.main import main

    folder = repo.path if isinstance(repo, Repo) else repo
    old = sys.stdin, sys.stdout, sys.stderr
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(mbox), "utf-8"), out, err
        code = main(["--repo", str(folder), *arguments])
    finally:
        sys.stdin, sys.stdout, sys.stderr = old
    return code, _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined,no-any-return]


def commits_in_ranges(repo: Repo, answer: FindBaseAnswer) -> set[str]:
    """Every commit in any range of any candidate; each range has as many commits as it says."""
    found: set[str] = set()
    for candidate in answer["candidates"]:
        for one in candidate["ranges"]:
            found.update(expanded(repo, one))
    return found


def expanded(repo: Repo, one: Mapping[str, Any]) -> list[str]:
    """The commits of one range, newest first."""
    line = repo.git("rev-list", "--first-parent", one["newest"]).split()
    run = line[: line.index(one["oldest"]) + 1]
    assert len(run) == one["commits"]
    return run


def assert_exact(repo: Repo, mbox: bytes, *commits: str, judge: bytes | None = None) -> FindBaseAnswer:
    """The answer says exact of just these commits; its base is one of them, and git takes the series on each.

    `judge` is what git gets where it cannot decode the mails itself.
    """
    answer = find(repo, mbox)
    assert answer["verdict"] == "exact", answer
    assert answer["base"]["commit"] in commits
    assert commits_in_ranges(repo, answer) == set(commits)
    assert answer["unmatched"] == []
    best = answer["candidates"][0]
    assert {outcome["outcome"] for outcome in best["outcomes"]} <= {"UNMODIFIED", "EMPTY"}
    assert len(best["outcomes"]) == answer["series"]["patches"]
    for commit in commits:
        assert git_applies(repo, commit, judge or mbox) == answer["series"]["patches"]
    return answer


def assert_applies(repo: Repo, mbox: bytes, *commits: str) -> FindBaseAnswer:
    """The answer says applies of just these commits, and so does git of these and of no other."""
    answer = find(repo, mbox)
    assert answer["verdict"] == "applies", answer
    assert commits_in_ranges(repo, answer) == set(commits)
    everywhere = repo.git("rev-list", "--all").split()
    count = answer["series"]["patches"]
    assert {commit for commit in everywhere if git_applies(repo, commit, mbox) == count} == set(commits)
    return answer


def assert_partial(repo: Repo, mbox: bytes, applied: int) -> FindBaseAnswer:
    """The answer gets this far at best, and every commit that was tried gets as far as git gets."""
    answer = find(repo, mbox)
    assert answer["verdict"] == ("partial" if applied else "none"), answer
    assert leading(answer["candidates"][0]) == applied
    for candidate in answer["candidates"]:
        assert leading(candidate) == git_applies(repo, candidate["commit"], mbox)
    return answer


def leading(candidate: Mapping[str, Any]) -> int:
    """How many patches go in, from the first on."""
    fine = [outcome["outcome"] in ("UNMODIFIED", "MODIFIED", "EMPTY") for outcome in candidate["outcomes"]]
    return fine.index(False) if False in fine else len(fine)


RebaseAnswer = dict[str, Any]
"""The object that `rebase --json` prints."""


@contextmanager
def open_scratch_repo(repo: Repo) -> Iterator[ScratchRepository]:
    """A workbench on the repository; gone after the block."""
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        yield scratch_repo


@dataclass(frozen=True, slots=True)
class OpenedRepo:
    """A repository with all that a rebase needs, kept open."""

    context: SearchContext
    scratch_repo: ScratchRepository


@contextmanager
def open_repo(repo: Repo) -> Iterator[OpenedRepo]:
    """The repository, its history and a workbench; gone after the block."""
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        refs = repository.refs()
        history = update(repository, refs, index_dir(repository))
        trees = list_trees(refs, repository.config(), repository.head())
        yield OpenedRepo(SearchContext(repository, history, trees, list_tags(refs)), scratch_repo)


def rebase(repo: Repo, mbox: bytes, *onto: str, base: str | None = None, proven: bool = False) -> Rebase:
    """The series in the mbox on these commits or branches (`main` unless given).

    It starts at `base`, or at what find-base proves where `proven`; else nothing is known of its base.
    """
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        start = None
        if base is not None:
            start = given_base(series, base, place.scratch_repo)
        elif proven:
            start = find_series_base(find_base(series, place.context), None)
        targets = [Target(name, repo.git("rev-parse", f"{name}^{{commit}}")) for name in onto or ("main",)]
        stack = make_stack(series, start, place.scratch_repo)
        return rebase_series(series, stack, targets, place.context, place.scratch_repo, NoResolutions())


def on_main(repo: Repo, base: str, *changes: Change) -> tuple[PatchResult, ...]:
    """How a series made on `base` fares on main, patch by patch."""
    mbox = make_series(repo, base, *changes)
    return rebase(repo, mbox, base=base).trees[0].patches


def hows(results: tuple[PatchResult, ...]) -> list[tuple[Outcome, OutcomeReason]]:
    """Outcome and reason of each patch."""
    return [(result.outcome, result.how) for result in results]


def the_conflict(result: PatchResult) -> Conflict:
    """The one file in conflict."""
    assert result.outcome is Outcome.CONFLICT
    assert len(result.conflicts) == 1, [(one.path, one.kind) for one in result.conflicts]
    return result.conflicts[0]


def run_rebase(repo: Repo, mbox: bytes, *options: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of `rebase` in this process."""
    from tests.support.session import run_command

    return run_command(repo, mbox, "rebase", *options, "-")


def rebase_json(repo: Repo, mbox: bytes, *options: str) -> RebaseAnswer:
    """The answer of `rebase --json` on the series in an mbox, in this process."""
    code, out, err = run_rebase(repo, mbox, "--json", *options)
    assert code in (0, 3), err
    answer: RebaseAnswer = json.loads(out)
    assert code == (0 if answer["clean"] else 3)
    return answer


QUICK = CheckOptions(only=("integrity", "sign-off", "apply"))


@contextmanager
def open_precheck(
    repo: Repo | Path, cache: Path, keeps: bool = True, lists: Path | None = None
) -> Iterator[PrecheckResources]:
    """A workshop on the repository; what is kept goes to `cache`."""
    settings = SessionSettings(cache, lists or cache / "no-lists.sqlite", offline=True, jobs=2, keeps=keeps)
    path = repo.path if isinstance(repo, Repo) else repo
    with Repository.open(path) as repository, PrecheckResources(repository, settings) as resources:
        yield resources


def run_precheck_on(resources: PrecheckResources, mbox: bytes, wishes: SessionOptions | None = None) -> Precheck:
    """All that is known of the series."""
    return run_precheck_of(resources, SeriesInput(parse_series(mbox)), wishes)


def run_precheck_of(
    resources: PrecheckResources,
    asked: SeriesInput,
    wishes: SessionOptions | None = None,
    versions: Sequence[SeriesVersion] = (),
) -> Precheck:
    """The same, of a series of which more is known."""
    with Session(asked, resources, wishes or SessionOptions(checks=QUICK)) as session:
        return run_precheck(session, resources.steps, versions)


def precheck(repo: Repo, cache: Path, mbox: bytes, wishes: SessionOptions | None = None) -> Precheck:
    """The same, in a workshop of its own."""
    with open_precheck(repo, cache) as resources:
        return run_precheck_on(resources, mbox, wishes)


def timeless(found: Precheck | dict[str, Any]) -> Any:
    """The answer as JSON, without how long it took, and whether it was kept."""
    plain = precheck_dict(found) if isinstance(found, Precheck) else found
    return json.loads(json.dumps(_timeless(plain), sort_keys=True))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in ("seconds", "kept")}
    return [_timeless(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class SaidFinding:
    """What a check said of a patch, or (None) of the series."""

    check: str
    counter: int | None
    findings: tuple[Finding, ...] = ()


def make_precheck(repo: Repo, mbox: bytes, said: Sequence[SaidFinding] = (), onto: Sequence[str] = ()) -> Precheck:
    """The precheck of the series in the mbox: its base as find-base finds it, and how it fares on these branches."""
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_repo(repo) as place:
        verdict = find_base(series, place.context)
        base = find_series_base(verdict, None)
        stack = make_stack(series, base, place.scratch_repo)
        targets = [Target(name, repo.git("rev-parse", f"{name}^{{commit}}")) for name in onto]
        matrix = (
            rebase_series(series, stack, targets, place.context, place.scratch_repo, NoResolutions()) if onto else None
        )
    results = tuple(CheckResult(one.check, one.counter, one.findings) for one in said)
    checks = Report(series, base, None, "default", results)
    return Precheck(
        series=series, verdict=verdict, prerequisites=None, base=base, matrix=matrix, plan=None, checks=checks,
        timeline=None, versions=(), steps=(),
    )  # fmt: skip


@contextmanager
def open_subject(
    repo: Repo,
    mbox: bytes,
    base: str | None = "main",
    previous: bytes | None = None,
    sandbox: Sandbox | None = None,
    config: Mapping[str, tuple[str, ...]] | None = None,
    is_mailed: bool = True,
) -> Iterator[CheckSubject]:
    """The series on `base` (None: nothing is known of it), as a check of the series is asked; gone after the block."""
    series = parse_series(mbox)
    with (
        TemporaryDirectory() as cache,
        Repository.open(repo.path) as repository,
        repository.scratch_repository() as scratch_repo,
    ):
        refs = repository.refs()
        history = update(repository, refs, index_dir(repository))
        commit = repo.git("rev-parse", f"{base}^{{commit}}") if base is not None else None
        start = given_base(series, commit, scratch_repo) if commit is not None else None
        stack = make_stack(series, start, scratch_repo)
        place = CheckEnvironment(
            repository, scratch_repo, Path(cache), config or {}, sandbox, history,
            list_trees(refs, repository.config(), repository.head()), offline=True,
        )  # fmt: skip
        earlier = parse_series(previous) if previous is not None else None
        yield CheckSubject(series, stack.steps, start, place, None, earlier, is_mailed)


def ask_check(
    check: Check,
    repo: Repo,
    mbox: bytes,
    counter: int = 1,
    base: str | None = "main",
    previous: bytes | None = None,
    sandbox: Sandbox | None = None,
    config: Mapping[str, tuple[str, ...]] | None = None,
    is_mailed: bool = True,
) -> tuple[Finding, ...]:
    """What the check says of patch `counter`, or of the series where that is its scope; SKIP where it skips itself."""
    with open_subject(repo, mbox, base, previous, sandbox, config, is_mailed) as subject:
        wanted = next(step for step in subject.steps if step.patch.counter == counter)
        asked = replace(subject, step=wanted) if check.scope is Scope.PATCH else subject
        try:
            return tuple(check.run(asked))
        except SkipCheck as reason:
            return (Finding(Status.SKIP, "skipped", str(reason)),)


def rules_of(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(rule, status) of each, in order."""
    return [(finding.rule, str(finding.status)) for finding in findings]


def only_finding(findings: Iterable[Finding], rule: str) -> Finding:
    """The one finding of that rule."""
    found = [finding for finding in findings if finding.rule == rule]
    assert len(found) == 1, rules_of(findings)
    return found[0]


def search_context_of(repo: Repo) -> SearchContext:
    """The repository with its trees, as find-base sees it."""
    opened = Repository.open(repo.path)
    refs = opened.refs()
    history = update(opened, refs, Path(repo.path).parent / "index")
    return SearchContext(opened, history, list_trees(refs, opened.config(), opened.head()), list_tags(refs))
