# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of rebase share: a workbench on a repository, the answer on trees, and git as the judge."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seriestool.base.find import find_base
from seriestool.base.search_context import SearchContext
from seriestool.git import Repository, ScratchRepository
from seriestool.rebase.given_base import given_base
from seriestool.rebase.patch_stack import find_series_base, make_stack
from seriestool.rebase.rebase_result import Conflict, OutcomeReason, PatchResult, Rebase
from seriestool.rebase.rebase_series import rebase_series
from seriestool.rebase.tree_rebaser import NoResolutions, Target
from seriestool.series.model import Outcome
from seriestool.sources.resolve import SeriesSelector, series_of_text
from seriestool.trees import list_tags, list_trees
from seriestool.trees.history import index_dir, update
from tests.bases import make_series
from tests.helpers import File, Repo

Change = Mapping[str, File]
Answer = dict[str, Any]
"""The object that `rebase --json` prints."""


@contextmanager
def open_bench(repo: Repo) -> Iterator[ScratchRepository]:
    """A workbench on the repository; gone after the block."""
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        yield scratch_repo


@dataclass(frozen=True, slots=True)
class Place:
    """A repository with all that a rebase needs, kept open."""

    context: SearchContext
    scratch_repo: ScratchRepository


@contextmanager
def open_place(repo: Repo) -> Iterator[Place]:
    """The repository, its history and a workbench; gone after the block."""
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        refs = repository.refs()
        history = update(repository, refs, index_dir(repository))
        trees = list_trees(refs, repository.config(), repository.head())
        yield Place(SearchContext(repository, history, trees, list_tags(refs)), scratch_repo)


def rebase(repo: Repo, mbox: bytes, *onto: str, base: str | None = None, proven: bool = False) -> Rebase:
    """The series in the mbox on these commits or branches (`main` unless given).

    It starts at `base`, or at what find-base proves where `proven`; else nothing is known of its base.
    """
    series = series_of_text(mbox, SeriesSelector(), "mbox")
    with open_place(repo) as place:
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
    from tests.bases import run_command

    return run_command(repo, mbox, "rebase", *options, "-")


def rebase_json(repo: Repo, mbox: bytes, *options: str) -> Answer:
    """The answer of `rebase --json` on the series in an mbox, in this process."""
    code, out, err = run_rebase(repo, mbox, "--json", *options)
    assert code in (0, 3), err
    answer: Answer = json.loads(out)
    assert code == (0 if answer["clean"] else 3)
    return answer


# --- git as the judge ---------------------------------------------------------------------------------------------


def files_of(repo: Repo, tree: str, env: Mapping[str, str] | None = None) -> dict[str, tuple[str, str]]:
    """Path -> (mode, id) of all that a tree has."""
    found = {}
    for line in repo.git("ls-tree", "-r", "-z", "--full-tree", tree, env=env).split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        mode, _, oid = meta.split()
        found[path] = (mode, oid)
    return found


def unmerged(repo: Repo) -> dict[str, set[tuple[int, str, str]]]:
    """Path -> (stage, mode, id) of what the index of the work tree has in conflict."""
    found: dict[str, set[tuple[int, str, str]]] = {}
    for line in repo.git("ls-files", "-u", "-z").split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        mode, oid, stage = meta.split()
        found.setdefault(path, set()).add((int(stage), mode, oid))
    return found


def try_git(repo: Repo, *arguments: str, env: Mapping[str, str] | None = None) -> int:
    """The exit code of git, which may fail."""
    answer = subprocess.run(["git", *arguments], cwd=repo.path, capture_output=True, env={**os.environ, **(env or {})})
    return answer.returncode
