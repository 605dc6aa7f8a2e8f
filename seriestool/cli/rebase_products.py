# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of rebase that makes something: commits to merge with other trees, branches, mails."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from seriestool.base.branch import check_branch_name
from seriestool.base.verdict import utc
from seriestool.cli.output_file import write_file
from seriestool.cli.ui import Ui
from seriestool.git import CommitIdent, Repository
from seriestool.rebase.next_version import RebasedSeries, Sender, next_version
from seriestool.rebase.patch_stack import PatchStack
from seriestool.rebase.rebase_result import Rebase
from seriestool.rebase.rebase_series import try_merges
from seriestool.rebase.rebase_state import RebaseOutputOptions
from seriestool.rebase.rebased_branches import branch_names, create_branches, create_branches_with_notes, rebased_series
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.mail.compose import compose, slug
from seriestool.series.model import Series
from seriestool.session import Session


def check_branch_names(template: str, series: Series, targets: Sequence[Target], repository: Repository) -> None:
    """Nothing, where all branches could be made; InputError before any work is done where one could not."""
    for name in branch_names(template, series, [target.name for target in targets]).values():
        check_branch_name(repository, name)


class RebaseProducts:
    """What was asked for besides the answer; names are looked at before anything is made."""

    def __init__(
        self, session: Session, stack: PatchStack, answer: Rebase, wanted: RebaseOutputOptions, ui: Ui
    ) -> None:
        """`answer` says how the patches of `stack` fared."""
        self._session = session
        self._stack = stack
        self._answer = answer
        self._wanted = wanted
        self._ui = ui

    def with_test_merges(self, others: Sequence[Target]) -> Rebase:
        """The answer that also says whether each result merges with these trees."""
        tips = {tree: made.tip for tree, made in self._made.items() if made.commits}
        self._answer = try_merges(self._answer, tips, others, self._session.scratch_repo)
        return self._answer

    def write(self) -> None:
        """The branches and the mails of all trees that take every patch."""
        for tree in self._answer.trees:
            if not tree.is_clean:
                stopped = next(patch.counter for patch in tree.patches if not patch.is_in)
                self._ui.note(f"nothing made for {tree.name}: patch {stopped} conflicts (--resolve helps)")
        made = {name: one for name, one in self._made.items() if one.commits}
        for name in self._made.keys() - made.keys():
            self._ui.note(f"nothing made for {name}: it has all patches already")
        if self._wanted.branch is not None:
            self._branch(made, self._wanted.branch)
        if self._wanted.output is not None:
            self._mail(made, Path(self._wanted.output))

    @cached_property
    def _made(self) -> dict[str, RebasedSeries]:
        clean = [tree for tree in self._answer.trees if tree.is_clean]
        made = {
            tree.name: rebased_series(
                answer=self._answer,
                stack=self._stack,
                tree=tree,
                committer=self._person,
                scratch_repo=self._session.scratch_repo,
            )
            for tree in clean
        }
        return {name: replace(one, title=self._title(one)) for name, one in made.items()}

    @cached_property
    def _person(self) -> CommitIdent:
        return CommitIdent(*self._session.repository.committer())

    def _title(self, one: RebasedSeries) -> str:
        return self._session.context.start_describe(one.onto)() or one.title

    def _branch(self, made: dict[str, RebasedSeries], template: str) -> None:
        repository = self._session.repository
        names = branch_names(template, self._answer.series, list(made))
        tips = {names[tree]: one.tip for tree, one in made.items()}
        if self._wanted.notes:
            texts = {oid: patch.notes for one in made.values() for patch, oid in one.commits if patch.notes}
            create_branches_with_notes(
                repository=repository,
                scratch_repo=self._session.scratch_repo,
                branches=tips,
                texts=texts,
                author=self._person,
            )
        else:
            create_branches(repository, self._session.scratch_repo, tips)
        for name, tip in tips.items():
            self._ui.note(f"branch {name} is at {tip[:12]}")

    def _mail(self, made: dict[str, RebasedSeries], folder: Path) -> None:
        sender = Sender(self._person.name, self._person.email, utc(self._person.time))
        for tree, one in made.items():
            outgoing = next_version(self._answer.series, one, sender, self._session.scratch_repo)
            name = f"v{outgoing.version}-{slug(outgoing.subject)}-{slug(tree)}.mbx"
            path = folder / name
            write_file(path, compose(outgoing), self._wanted.force)
            self._ui.note(f"wrote {path}")
