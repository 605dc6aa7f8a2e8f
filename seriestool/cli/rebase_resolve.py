# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of rebase that stops at a conflict for a person, and goes on from there."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from seriestool.cli.exit_codes import EXIT_CONFLICT
from seriestool.cli.rebase_answer import print_answer
from seriestool.cli.rebase_products import RebaseProducts, check_branch_names
from seriestool.cli.ui import Ui
from seriestool.cli.user_folders import cache_dir, lists_path
from seriestool.git import CommitIdent, Repository
from seriestool.rebase.rebase_result import Rebase, TreeResult
from seriestool.rebase.rebase_series import named_commits
from seriestool.rebase.rebase_state import RebaseOutputOptions, RebaseState, RebaseStateStore, new_session
from seriestool.rebase.rebased_branches import branch_names
from seriestool.rebase.resolve_conflicts import ConflictResolver, ConflictStop, find_resolutions
from seriestool.rebase.tree_rebaser import Target, TreeRebaser
from seriestool.series.model import path_text
from seriestool.session import SeriesInput, Session, SessionResources, SessionSettings
from seriestool.util.errors import InputError

DEFAULT_BRANCH = "{series}-{tree}"


def start_rebase(session: Session, targets: Sequence[Target], wanted: RebaseOutputOptions, ui: Ui) -> int:
    """Put the series on the one tree, up to the first conflict; 0 where there is none, 3 where a person has to look."""
    if len(targets) != 1:
        raise InputError("--resolve works on one tree at a time", hint="give one --onto TREE with it")
    branch = wanted.branch or (None if wanted.output else DEFAULT_BRANCH)
    if branch is not None:
        check_branch_names(branch, session.series, targets, session.repository)
    output = str(Path(wanted.output).absolute()) if wanted.output else None
    wanted = replace(wanted, branch=branch, output=output)
    rebase_state = new_session(session.series, session.stack, targets[0], wanted)
    rebase_states = RebaseStateStore(session.repository)
    with rebase_states.locked(rebase_state.name):
        if rebase_states.is_written(rebase_state.name) and rebase_states.load(rebase_state.name).is_stopped:
            raise InputError(
                f"the rebase '{rebase_state.name}' is under way already",
                hint=f"seriestool rebase --continue {rebase_state.name}, or --abort",
            )
        return _advance(rebase_state, session, ui)


def continue_rebase(repo: Path, action: str, name: str | None, ui: Ui) -> int:
    """Go on with a rebase that stopped in the repository at `repo`; exit codes as of `start_rebase`.

    `action` is "continue", "skip" or "abort"; `name` may be None where one rebase only is under way.
    """
    with Repository.open(repo) as here:
        name = RebaseStateStore(here).choose(name, Path.cwd())
        common = here.common_dir
    os.chdir(common)  # we may stand in the work tree, which will be gone
    with Repository.open(common) as repository:
        rebase_states = RebaseStateStore(repository)
        with rebase_states.locked(name):
            if action == "abort":
                rebase_states.remove(name)
                ui.note(f"removed the rebase '{name}'")
                return 0
            return _go_on(rebase_states.load(name), repository, action == "skip", ui)


def _go_on(rebase_state: RebaseState, repository: Repository, is_skipped: bool, ui: Ui) -> int:
    """Take on what a person made of the conflict, or skip the patch, and go on; exit codes as of `start_rebase`."""
    settings = SessionSettings(cache_dir(), lists_path(), offline=True)
    with (
        SessionResources(repository, settings) as resources,
        Session(SeriesInput(rebase_state.series), resources, monitor=ui) as session,
    ):
        if rebase_state.is_stopped:
            resolver = _resolver(rebase_state, session)
            rebase_state = resolver.skip(rebase_state) if is_skipped else resolver.accept(rebase_state)
        elif rebase_state.step is not None:
            ui.note("the last run was cut short: back to where it was")
        return _advance(rebase_state, session, ui)


def _resolver(rebase_state: RebaseState, session: Session) -> ConflictResolver:
    repository, scratch_repo = session.repository, session.scratch_repo
    target = Target(rebase_state.target, rebase_state.onto)
    onto = TreeRebaser(target, session.context.history, scratch_repo, find_resolutions(repository))
    return ConflictResolver(repository, scratch_repo, onto, CommitIdent(*repository.committer()))


def _advance(rebase_state: RebaseState, session: Session, ui: Ui) -> int:
    reached = _resolver(rebase_state, session).advance(rebase_state)
    if isinstance(reached, ConflictStop):
        _say_stop(reached, ui)
        return EXIT_CONFLICT
    _finish(reached, session, ui)
    return 0


def _finish(rebase_state: RebaseState, session: Session, ui: Ui) -> None:
    """Print how all patches fared, make what was asked for, and clean up."""
    tree = TreeResult(rebase_state.target, rebase_state.onto, rebase_state.results, rebase_state.trees)
    stack = rebase_state.stack
    answer = Rebase(
        rebase_state.series, stack.base, (tree,), session.context.commits(named_commits((tree,), stack.base))
    )
    print_answer(answer, "text", ui)
    wanted = replace(rebase_state.wanted, branch=_branch_to_make(rebase_state, session))
    RebaseProducts(session=session, stack=stack, answer=answer, wanted=wanted, ui=ui).write()
    RebaseStateStore(session.repository).remove(rebase_state.name)


def _branch_to_make(rebase_state: RebaseState, session: Session) -> str | None:
    """The branch's template; None where there is none, or where a run that was killed right after made it."""
    template = rebase_state.wanted.branch
    if template is None:
        return None
    name = branch_names(template, rebase_state.series, [rebase_state.target])[rebase_state.target]
    there = session.repository.resolve(f"refs/heads/{name}")
    if there is not None and session.scratch_repo.tree_of(there) == rebase_state.trees[-1]:
        return None
    target = Target(rebase_state.target, rebase_state.onto)
    check_branch_names(template, rebase_state.series, [target], session.repository)
    return template


def _say_stop(stop: ConflictStop, ui: Ui) -> None:
    rebase_state, result = stop.rebase_state, stop.result
    patch = next(patch for patch in rebase_state.series.patches if patch.counter == result.counter)
    ui.out(
        f"patch {patch.counter} of {rebase_state.series.expected} conflicts on {rebase_state.target}: {patch.subject}"
    )
    for conflict in result.conflicts:
        known = " (resolved as it was before: have a look)" if conflict.path in stop.remembered else ""
        ui.out(f"  {path_text(conflict.path)}: {conflict.kind}{known}")
    if stop.patch_file is not None:
        ui.out(f"nothing is known to merge it with; the patch is in {stop.patch_file}")
    ui.out(f"resolve it in {stop.folder}")
    ui.note(
        "hint: edit the files there and 'git add' them, then 'seriestool rebase --continue' (or --skip, or --abort)"
    )
