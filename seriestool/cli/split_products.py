# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of split that makes something: a branch and a series for each tree."""

from collections.abc import Sequence
from pathlib import Path

from seriestool.base.verdict import utc
from seriestool.cli.output_file import check_file, write_file
from seriestool.cli.rebase_options import SplitOptions
from seriestool.cli.ui import Ui
from seriestool.git import CommitIdent
from seriestool.rebase.next_version import Sender
from seriestool.rebase.rebased_branches import create_branches, create_branches_with_notes
from seriestool.series.mail.compose import compose, slug
from seriestool.session import Session
from seriestool.split.subseries_mails import SubSeriesCommits, as_mails, branch_names, make_commits, subseries_labels
from seriestool.split.subseries_proof import Split


class SplitProducts:
    """What was asked for besides the answer: all is made in memory first, and then branches and files appear."""

    def __init__(self, session: Session, answer: Split, options: SplitOptions, ui: Ui) -> None:
        """`answer` is the session's own plan, tried."""
        self._options = options
        self._planned = session.planned
        self._answer = answer
        self._repository = session.repository
        self._scratch_repo = session.scratch_repo
        self._ui = ui
        self._person = CommitIdent(*session.repository.committer())

    def write(self) -> None:
        """The branches and the mails of all sub-series that go in."""
        made = make_commits(self._planned, self._answer, self._person, self._scratch_repo)
        self._say_what_is_not(made)
        made = tuple(one for one in made if one.commits)
        output = self._options.output
        files = self._mails(made, Path(output)) if output is not None else {}
        for path, data in files.items():
            check_file(path, data, self._options.force)
        if self._options.branch is not None:
            self._branch(made, self._options.branch)
        for path, data in files.items():
            write_file(path, data, self._options.force)
            self._ui.note(f"wrote {path}")

    def _say_what_is_not(self, made: Sequence[SubSeriesCommits]) -> None:
        plan = self._answer.plan
        for one, proof in zip(plan.subseries, self._answer.proofs, strict=True):
            if not proof.is_clean:
                stopped = proof.stopped[0].counter
                self._ui.note(f"nothing made for {one.name}: patch {stopped} conflicts on {proof.tried_on.target.name}")
        for less in made:
            if not less.commits:
                name = plan.subseries[less.number - 1].name
                self._ui.note(f"nothing made for {name}: {less.proof.tried_on.target.name} has all patches already")

    def _branch(self, made: Sequence[SubSeriesCommits], template: str) -> None:
        names = branch_names(template, self._planned.series, self._answer.plan)
        tips = {names[one.number]: one.tip for one in made}
        if self._options.notes:
            pairs = [pair for one in made for pair in (*one.first, *one.commits)]
            texts = {oid: patch.notes for patch, oid in pairs if patch.notes}
            create_branches_with_notes(
                repository=self._repository,
                scratch_repo=self._scratch_repo,
                branches=tips,
                texts=texts,
                author=self._person,
            )
        else:
            create_branches(self._repository, self._scratch_repo, tips)
        for one in made:
            below = f" with {len(one.first)} of others below it" if one.first else ""
            where = f"{one.proof.tried_on.target.name}{below}"
            self._ui.note(f"branch {names[one.number]} is at {one.tip[:12]}, on {where}")

    def _mails(self, made: Sequence[SubSeriesCommits], folder: Path) -> dict[Path, bytes]:
        sender = Sender(self._person.name, self._person.email, utc(self._person.time))
        mails = as_mails(
            planned=self._planned, answer=self._answer, made=made, sender=sender, scratch_repo=self._scratch_repo
        )
        called = subseries_labels(self._answer.plan)
        title = slug(self._planned.series.subject)
        return {folder / f"{number}-{title}-{called[number]}.mbx": compose(mail) for number, mail in mails.items()}
