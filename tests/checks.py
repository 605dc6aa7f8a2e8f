# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the checks share: a mailed series on a repository, and what a check says of it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from seriestool.check.protocol import Check, CheckEnvironment, CheckSubject, Finding, Scope, SkipCheck, Status
from seriestool.git import Repository
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import make_stack
from seriestool.sandbox import Sandbox
from seriestool.series.mail import SeriesSelector
from seriestool.series.model import Series
from seriestool.sources.resolve import series_of_text
from seriestool.trees import list_trees
from seriestool.trees.history import index_dir, update
from tests.helpers import File, Repo

_WORK = "seriestool-test-series"
_DATED = re.compile(rb"\.\d{10}\.git\.")
AUTHOR = "A U Thor <author@example.com>"
SIGNED = f"Signed-off-by: {AUTHOR}"


def mail_series(
    repo: Repo,
    *patches: tuple[str, Mapping[str, File]],
    base: str = "main",
    author: str = AUTHOR,
    prefix: str = "PATCH",
    to: str = "list@example.com",
    options: Iterable[str] = (),
) -> bytes:
    """The mbox of a series made on `base`, as sent: a (whole commit message, changed files) for each patch."""
    tip = start = repo.git("rev-parse", f"{base}^{{commit}}")
    for message, files in patches:
        tip = repo.commit(files, message, branch=_WORK, parent=tip, author=author)
    mbox = repo.format_patch(
        f"{start}..{tip}", f"--subject-prefix={prefix}", "--thread", f"--to={to}", "--full-index", *options
    )
    repo.git("update-ref", "-d", f"refs/heads/{_WORK}")
    return _DATED.sub(b".1700000000.git.", mbox)  # --thread makes ids of the time


def parse(mbox: bytes) -> Series:
    """The series in the mbox."""
    return series_of_text(mbox, SeriesSelector(partial=True), "mbox")


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
    series = parse(mbox)
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
        earlier = parse(previous) if previous is not None else None
        yield CheckSubject(series, stack.steps, start, place, None, earlier, is_mailed)


def ask(
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


def rules(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(rule, status) of each, in order."""
    return [(finding.rule, str(finding.status)) for finding in findings]


def the(findings: Iterable[Finding], rule: str) -> Finding:
    """The one finding of that rule."""
    found = [finding for finding in findings if finding.rule == rule]
    assert len(found) == 1, rules(findings)
    return found[0]
