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
from seriestool.git import Repository, ScratchRepository
from seriestool.rebase.patch_commits import CommitIdent
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
    ground: SearchContext,
    bench: ScratchRepository,
    ui: Ui,
) -> int:
    """Put the series on the one tree, up to the first conflict; 0 where there is none, 3 where a person has to look."""
    if len(targets) != 1:
        raise InputError("--resolve works on one tree at a time", hint="give one --onto TREE with it")
    branch = arguments.branch or (None if arguments.output else DEFAULT_BRANCH)
    if branch is not None:
        check_names(branch, series, targets, ground.repository)
    output = str(Path(arguments.output).absolute()) if arguments.output else None
    session = new_session(
        series, stack, targets[0], RebaseOutputOptions(branch, output, arguments.notes, arguments.force)
    )
    sessions = RebaseStateStore(ground.repository)
    with sessions.locked(session.name):
        if sessions.is_written(session.name) and sessions.load(session.name).is_stopped:
            raise InputError(
                f"the rebase '{session.name}' is under way already",
                hint=f"seriestool rebase --continue {session.name}, or --abort",
            )
        return _advance(session, ground, bench, ui)


def continue_rebase(arguments: Namespace, ui: Ui) -> int:
    """--continue, --skip or --abort a rebase that stopped; exit codes as of `start_rebase`."""
    asked = next(name for name in (arguments.do_abort, arguments.do_skip, arguments.do_continue) if name is not None)
    with Repository.open(arguments.repo) as here:
        name = RebaseStateStore(here).choose(asked or None, Path.cwd())
        common = here.common_dir
    os.chdir(common)  # we may stand in the work tree, which will be gone
    with Repository.open(common) as repository:
        sessions = RebaseStateStore(repository)
        with sessions.locked(name):
            if arguments.do_abort is not None:
                sessions.remove(name)
                ui.note(f"removed the rebase '{name}'")
                return 0
            session = sessions.load(name)
            ground = open_search_context(repository, session.series, (), ui, cache_dir())
            with repository.workbench() as bench:
                if session.is_stopped:
                    resolver = _resolver(session, ground, bench)
                    session = resolver.skip(session) if arguments.do_skip is not None else resolver.accept(session)
                elif session.step is not None:
                    ui.note("the last run was cut short: back to where it was")
                return _advance(session, ground, bench, ui)


def _resolver(session: RebaseState, ground: SearchContext, bench: ScratchRepository) -> ConflictResolver:
    repository = ground.repository
    target = Target(session.target, session.onto)
    onto = TreeRebaser(target, ground.history, bench, find_resolutions(repository))
    return ConflictResolver(repository, bench, onto, CommitIdent(*repository.committer()))


def _advance(session: RebaseState, ground: SearchContext, bench: ScratchRepository, ui: Ui) -> int:
    reached = _resolver(session, ground, bench).advance(session)
    if isinstance(reached, ConflictStop):
        _say_stop(reached, ui)
        return EXIT_CONFLICT
    _finish(reached, ground, bench, ui)
    return 0


def _finish(session: RebaseState, ground: SearchContext, bench: ScratchRepository, ui: Ui) -> None:
    """Print how all patches fared, make what was asked for, and clean up."""
    tree = TreeResult(session.target, session.onto, session.results, session.trees)
    stack = session.stack
    answer = Rebase(session.series, stack.base, (tree,), ground.commits(named_commits((tree,), stack.base)))
    print_answer(answer, "text", ui)
    wanted = Namespace(
        branch=_branch_to_make(session, ground, bench),
        output=session.wanted.output,
        notes=session.wanted.notes,
        force=session.wanted.force,
        test_merge=[],
    )
    RebaseProducts(wanted, answer, stack, ground, bench, ui).write()
    RebaseStateStore(ground.repository).remove(session.name)


def _branch_to_make(session: RebaseState, ground: SearchContext, bench: ScratchRepository) -> str | None:
    """The branch's template; None where there is none, or where a run that was killed right after made it."""
    template = session.wanted.branch
    if template is None:
        return None
    name = branch_names(template, session.series, [session.target])[session.target]
    there = ground.repository.resolve(f"refs/heads/{name}")
    if there is not None and bench.tree_of(there) == session.trees[-1]:
        return None
    check_names(template, session.series, [Target(session.target, session.onto)], ground.repository)
    return template


def _say_stop(stop: ConflictStop, ui: Ui) -> None:
    session, result = stop.session, stop.result
    patch = next(patch for patch in session.series.patches if patch.counter == result.counter)
    ui.out(f"patch {patch.counter} of {session.series.expected} conflicts on {session.target}: {patch.subject}")
    for conflict in result.conflicts:
        known = " (resolved as it was before: have a look)" if conflict.path in stop.remembered else ""
        ui.out(f"  {path_text(conflict.path)}: {conflict.kind}{known}")
    if stop.patch_file is not None:
        ui.out(f"nothing is known to merge it with; the patch is in {stop.patch_file}")
    ui.out(f"resolve it in {stop.folder}")
    ui.note(
        "hint: edit the files there and 'git add' them, then 'seriestool rebase --continue' (or --skip, or --abort)"
    )
