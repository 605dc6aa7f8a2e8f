# SPDX-License-Identifier: GPL-2.0-or-later
"""`seriestool split SERIES`: one sub-series for each maintainer's tree, in which order, and whether each goes in."""

from argparse import Namespace
from collections.abc import Mapping, Sequence

from seriestool.base.open_context import open_search_context
from seriestool.base.search_context import SearchContext
from seriestool.cli.options import CliParser
from seriestool.cli.rebase_options import (
    add_base_arguments,
    add_by_file_argument,
    find_start,
    find_targets,
)
from seriestool.cli.source_options import add_source_arguments, cache_dir, source_options
from seriestool.cli.ui import Ui
from seriestool.git import Repository, ScratchRepository
from seriestool.rebase.patch_stack import make_stack
from seriestool.rebase.resolve_conflicts import find_resolutions
from seriestool.rebase.tree_rebaser import Target
from seriestool.report.split_plan_text import patches_text
from seriestool.sources.resolve import resolve
from seriestool.split.plan_series import OwnershipSources, PlannedSeries, find_ownership_sources, plan_series
from seriestool.split.split_plan import SplitPlan
from seriestool.split.subseries_proof import ProofTarget, Split, find_proof_targets, prove
from seriestool.util.errors import InputError, NotFoundError

EXIT_CONFLICT = 3
_PLURAL = (("does", "it"), ("do", "them"))


def add_arguments(parser: CliParser) -> None:
    """The options of split."""
    add_source_arguments(parser)
    group = parser.add_argument_group("how to split")
    add_by_file_argument(group)
    group.add_argument(
        "--onto",
        metavar="[DEST=]TREE",
        action="append",
        default=[],
        help="the tree, ref or commit to try a destination on; without DEST= all that are not here (repeatable)",
    )
    add_base_arguments(group)
    group = parser.add_argument_group("the answer")
    group.add_argument(
        "--format", choices=("text", "json", "dot"), default="text", help="how to print it (default: text)"
    )
    group.add_argument("--json", dest="format", action="store_const", const="json", help="same as --format=json")
    group = parser.add_argument_group("what to make of it")
    group.add_argument(
        "--branch",
        metavar="NAME",
        help="make a new branch for each sub-series; {tree}, {number} and {series} in it stand for their names",
    )
    group.add_argument(
        "--notes",
        action="store_true",
        help="keep what stands below '---' in the mails as notes (refs/notes/seriestool)",
    )
    group.add_argument(
        "-o", "--output", metavar="DIR", help="write each sub-series as a series of its own, an mbox each"
    )
    group.add_argument("--force", action="store_true", help="let -o replace a file that says something else")


def run(arguments: Namespace, ui: Ui) -> int:
    """Print the plan with its proof, and make what was asked for; 0 where all goes in, 3 where a patch conflicts."""
    if arguments.notes and arguments.branch is None:
        raise InputError("notes are made for the commits of a branch", hint="--notes goes with --branch NAME")
    with Repository.open(arguments.repo) as repository:
        series = resolve(arguments.series, source_options(arguments, repository))
        for remark in series.remarks:
            ui.note(remark)
        context = open_search_context(repository=repository, series=series, names=(), monitor=ui, cache_dir=cache_dir())
        with repository.scratch_repository() as scratch_repo:
            base = find_start(arguments=arguments, series=series, context=context, scratch_repo=scratch_repo, ui=ui)
            ui.detail("reading what ties the patches")
            known = find_ownership_sources(context, base)
            planned = plan_series(
                series=series,
                stack=make_stack(series, base, scratch_repo),
                known=known,
                scratch_repo=scratch_repo,
                by_file=arguments.by_file,
            )
            if arguments.branch is not None:
                _check_names(arguments.branch, planned, repository)
            answer = _prove(
                arguments=arguments, planned=planned, known=known, context=context, scratch_repo=scratch_repo, ui=ui
            )
            _print(answer, arguments.format, ui)
            if arguments.branch is not None or arguments.output is not None:
                from seriestool.cli.split_products import SplitProducts

                SplitProducts(
                    arguments=arguments,
                    planned=planned,
                    answer=answer,
                    context=context,
                    scratch_repo=scratch_repo,
                    ui=ui,
                ).write()
    return 0 if answer.is_clean else EXIT_CONFLICT


def _check_names(template: str, planned: PlannedSeries, repository: Repository) -> None:
    """Nothing, where all branches could be made; InputError before the work is done where one could not."""
    from seriestool.base.branch import check_branch_name
    from seriestool.split.subseries_mails import branch_names

    for name in branch_names(template, planned.series, planned.plan).values():
        check_branch_name(repository, name)


def _prove(
    arguments: Namespace,
    planned: PlannedSeries,
    known: OwnershipSources,
    context: SearchContext,
    scratch_repo: ScratchRepository,
    ui: Ui,
) -> Split:
    chosen, others = _chosen(arguments.onto, planned.plan, context)
    proof_targets = find_proof_targets(planned.plan, chosen, others or _stand_in(planned, context))
    notes = tuple(_notes(planned, known, proof_targets))
    with ui.progress("trying the sub-series", len(proof_targets)) as progress:
        return prove(
            planned=planned,
            proof_targets=proof_targets,
            context=context,
            scratch_repo=scratch_repo,
            resolutions=find_resolutions(context.repository),
            notes=notes,
            progress=progress,
        )


def _chosen(
    asked: Sequence[str], plan: SplitPlan, context: SearchContext
) -> tuple[Mapping[int, Target], Target | None]:
    """Number of a sub-series -> the tree that the user names for it, and the one for all others.

    Raises NotFoundError where a destination or a tree is not known.
    """
    chosen: dict[int, Target] = {}
    others = None
    for text in asked:
        name, equals, tree = text.rpartition("=")
        target = find_targets((tree,), False, context)[0]
        if not equals:
            others = target
            continue
        wanted = [one for one in plan.subseries if name in (one.name, str(one.number))]
        wanted = wanted or [one for one in plan.subseries if one.destination and one.destination.name == name]
        if not wanted:
            names = ", ".join(f"'{one.name}'" for one in plan.subseries)
            raise NotFoundError(f"no sub-series goes to '{name}'", hint=f"they go to {names}")
        chosen.update((one.number, target) for one in wanted)
    return chosen, others


def _stand_in(planned: PlannedSeries, context: SearchContext) -> Target:
    """What stands for trees that are not here: the one that the base is in, or else the likeliest for the series."""
    base = planned.stack.base
    position = context.history.find(base.commit) if base else None
    name = context.tree_of(position) if position is not None else None
    trees = [place.tree for place in context.tree_tips]
    found = next((tree for tree in trees if tree.name == name), trees[0] if trees else None)
    if found is None:
        raise NotFoundError("there is no tree to try the sub-series on", hint="see 'seriestool trees list'")
    return Target(found.name, found.commit)


def _notes(planned: PlannedSeries, known: OwnershipSources, proof_targets: Sequence[ProofTarget]) -> list[str]:
    """What limits the answer."""
    notes = []
    if planned.stack.base is None:
        notes.append("what the series was made from is not known, so neither is what ties its patches; --base names it")
    elif planned.untied:
        which, verb, what = patches_text(planned.untied), *_PLURAL[len(planned.untied) > 1]
        notes.append(f"{which} {verb} not apply to the base, so what ties {what} to the others is not known")
    if known.maintainers is None:
        notes.append("there is no MAINTAINERS file, so all goes to one tree")
    away = {
        one.name: tried_on.target.name
        for one, tried_on in zip(planned.plan.subseries, proof_targets, strict=True)
        if one.destination and not tried_on.is_own
    }
    if away:
        names, trees = ", ".join(away), ", ".join(dict.fromkeys(away.values()))
        notes.append(f"not tried on the trees themselves, but on {trees}: {names}; --onto DEST=TREE names another")
    return notes


def _print(answer: Split, form: str, ui: Ui) -> None:
    if form == "json":
        ui.json(answer.to_dict())
    elif form == "dot":
        from seriestool.report.split_dot import plan_dot

        stopped = {one.counter for proof in answer.proofs for one in proof.stopped}
        ui.out(plan_dot(answer.plan, stopped))
    else:
        from seriestool.report.split_text import split_text
        from seriestool.report.style import Style

        ui.out(split_text(answer, Style(ui.color)))
