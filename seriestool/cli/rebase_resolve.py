# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of rebase that stops at a conflict for a person, and goes on from there."""

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seriestool.base.open_context import open_search_context
from seriestool.base.search_context import SearchContext
from seriestool.cli.rebase import EXIT_CONFLICT, check_names, print_answer
from seriestool.cli.rebase_products import RebaseProducts
from seriestool.cli.source_options import cache_dir
from seriestool.cli.ui import Ui
from seriestool.git import CommitIdent, Repository, ScratchRepository
from seriestool.rebase.patch_stack import PatchStack
from seriestool.rebase.rebase_result import Rebase, TreeResult
from seriestool.rebase.rebase_series import named_commits
from seriestool.rebase.rebase_state import RebaseOutputOptions, RebaseState, RebaseStateStore, new_session
from seriestool.rebase.rebased_branches import branch_names
from seriestool.rebase.resolve_conflicts import ConflictResolver, ConflictStop, find_resolutions
from seriestool.rebase.tree_rebaser import Target, TreeRebaser
from seriestool.series.model import Series, path_text
from seriestool.util.errors import InputError

DEFAULT_BRANCH = "{series}-{tree}"


def start_rebase(
    arguments: Namespace,
    series: Series,
    stack: PatchStack,
    targets: Sequence[Target],
    context: SearchContext,
    scratch_repo: ScratchRepository,
    ui: Ui,
) -> int:
    """Put the series on the one tree, up to the first conflict; 0 where there is none, 3 where a person has to look."""
    if len(targets) != 1:
        raise InputError("--resolve works on one tree at a time", hint="give one --onto TREE with it")
    branch = arguments.branch or (None if arguments.output else DEFAULT_BRANCH)
    if branch is not None:
        check_names(branch, series, targets, context.repository)
    output = str(Path(arguments.output).absolute()) if arguments.output else None
    rebase_state = new_session(
        series, stack, targets[0], RebaseOutputOptions(branch, output, arguments.notes, arguments.force)
    )
    rebase_states = RebaseStateStore(context.repository)
    with rebase_states.locked(rebase_state.name):
        if rebase_states.is_written(rebase_state.name) and rebase_states.load(rebase_state.name).is_stopped:
            raise InputError(
                f"the rebase '{rebase_state.name}' is under way already",
                hint=f"seriestool rebase --continue {rebase_state.name}, or --abort",
            )
        return _advance(rebase_state, context, scratch_repo, ui)


def continue_rebase(arguments: Namespace, ui: Ui) -> int:
    """--continue, --skip or --abort a rebase that stopped; exit codes as of `start_rebase`."""
    asked = next(name for name in (arguments.do_abort, arguments.do_skip, arguments.do_continue) if name is not None)
    with Repository.open(arguments.repo) as here:
        name = RebaseStateStore(here).choose(asked or None, Path.cwd())
        common = here.common_dir
    os.chdir(common)  # we may stand in the work tree, which will be gone
    with Repository.open(common) as repository:
        rebase_states = RebaseStateStore(repository)
        with rebase_states.locked(name):
            if arguments.do_abort is not None:
                rebase_states.remove(name)
                ui.note(f"removed the rebase '{name}'")
                return 0
            rebase_state = rebase_states.load(name)
            context = open_search_context(
                repository=repository, series=rebase_state.series, names=(), monitor=ui, cache_dir=cache_dir()
            )
            with repository.scratch_repository() as scratch_repo:
                if rebase_state.is_stopped:
                    resolver = _resolver(rebase_state, context, scratch_repo)
                    rebase_state = (
                        resolver.skip(rebase_state) if arguments.do_skip is not None else resolver.accept(rebase_state)
                    )
                elif rebase_state.step is not None:
                    ui.note("the last run was cut short: back to where it was")
                return _advance(rebase_state, context, scratch_repo, ui)


def _resolver(rebase_state: RebaseState, context: SearchContext, scratch_repo: ScratchRepository) -> ConflictResolver:
    repository = context.repository
    target = Target(rebase_state.target, rebase_state.onto)
    onto = TreeRebaser(target, context.history, scratch_repo, find_resolutions(repository))
    return ConflictResolver(repository, scratch_repo, onto, CommitIdent(*repository.committer()))


def _advance(rebase_state: RebaseState, context: SearchContext, scratch_repo: ScratchRepository, ui: Ui) -> int:
    reached = _resolver(rebase_state, context, scratch_repo).advance(rebase_state)
    if isinstance(reached, ConflictStop):
        _say_stop(reached, ui)
        return EXIT_CONFLICT
    _finish(reached, context, scratch_repo, ui)
    return 0


def _finish(rebase_state: RebaseState, context: SearchContext, scratch_repo: ScratchRepository, ui: Ui) -> None:
    """Print how all patches fared, make what was asked for, and clean up."""
    tree = TreeResult(rebase_state.target, rebase_state.onto, rebase_state.results, rebase_state.trees)
    stack = rebase_state.stack
    answer = Rebase(rebase_state.series, stack.base, (tree,), context.commits(named_commits((tree,), stack.base)))
    print_answer(answer, "text", ui)
    wanted = Namespace(
        branch=_branch_to_make(rebase_state, context, scratch_repo),
        output=rebase_state.wanted.output,
        notes=rebase_state.wanted.notes,
        force=rebase_state.wanted.force,
        test_merge=[],
    )
    RebaseProducts(
        arguments=wanted, answer=answer, stack=stack, context=context, scratch_repo=scratch_repo, ui=ui
    ).write()
    RebaseStateStore(context.repository).remove(rebase_state.name)


def _branch_to_make(rebase_state: RebaseState, context: SearchContext, scratch_repo: ScratchRepository) -> str | None:
    """The branch's template; None where there is none, or where a run that was killed right after made it."""
    template = rebase_state.wanted.branch
    if template is None:
        return None
    name = branch_names(template, rebase_state.series, [rebase_state.target])[rebase_state.target]
    there = context.repository.resolve(f"refs/heads/{name}")
    if there is not None and scratch_repo.tree_of(there) == rebase_state.trees[-1]:
        return None
    check_names(template, rebase_state.series, [Target(rebase_state.target, rebase_state.onto)], context.repository)
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
