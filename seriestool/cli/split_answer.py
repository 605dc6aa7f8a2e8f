# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer of a split, as `split` and `rebase --split` give it: the plan with its proof, and what is made of it."""

from seriestool.cli.exit_codes import EXIT_CONFLICT
from seriestool.cli.rebase_options import SplitOptions
from seriestool.cli.ui import Ui
from seriestool.git import Repository
from seriestool.session import Session
from seriestool.split.plan_series import PlannedSeries
from seriestool.split.subseries_proof import Split


def answer_split(session: Session, options: SplitOptions, ui: Ui) -> int:
    """Print the plan with its proof, and make what was asked for; 0 where all goes in, 3 where a patch conflicts."""
    ui.detail("reading what ties the patches")
    if options.branch is not None:
        _check_names(options.branch, session.planned, session.repository)
    answer = session.split(options.onto)
    _print(answer, options.format, ui)
    if options.branch is not None or options.output is not None:
        from seriestool.cli.split_products import SplitProducts

        SplitProducts(session, answer, options, ui).write()
    return 0 if answer.is_clean else EXIT_CONFLICT


def _check_names(template: str, planned: PlannedSeries, repository: Repository) -> None:
    """Nothing, where all branches could be made; InputError before the work is done where one could not."""
    from seriestool.base.branch import check_branch_name
    from seriestool.split.subseries_mails import branch_names

    for name in branch_names(template, planned.series, planned.plan).values():
        check_branch_name(repository, name)


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
