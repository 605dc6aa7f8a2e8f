# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of rebase that makes something: commits to merge with other trees, branches, mails."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import utc
from seriestool.cli.fetch import write_file
from seriestool.cli.rebase_options import find_targets
from seriestool.cli.ui import Ui
from seriestool.git import CommitIdent, ScratchRepository
from seriestool.rebase.next_version import RebasedSeries, Sender, next_version
from seriestool.rebase.patch_stack import PatchStack
from seriestool.rebase.rebase_result import Rebase
from seriestool.rebase.rebase_series import try_merges
from seriestool.rebase.rebased_branches import branch_names, create_branches, create_branches_with_notes, rebased_series
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.mail.compose import compose, slug


class RebaseProducts:
    """What was asked for besides the answer; names are looked at before anything is made."""

    def __init__(
        self,
        arguments: Namespace,
        answer: Rebase,
        stack: PatchStack,
        context: SearchContext,
        scratch_repo: ScratchRepository,
        ui: Ui,
    ) -> None:
        self._arguments = arguments
        self._answer = answer
        self._stack = stack
        self._context = context
        self._scratch_repo = scratch_repo
        self._ui = ui

    def with_test_merges(self, targets: Sequence[Target]) -> Rebase:
        """The answer with the merges that were asked for."""
        asked = self._arguments.test_merge
        if not asked:
            return self._answer
        named = find_targets([name for name in asked if name != "all"], False, self._context)
        others = targets if len(targets) > 1 else find_targets((), True, self._context)
        wanted = tuple(dict.fromkeys([*named, *(others if "all" in asked else ())]))
        tips = {tree: made.tip for tree, made in self._made.items() if made.commits}
        self._answer = try_merges(self._answer, tips, wanted, self._scratch_repo)
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
        if self._arguments.branch is not None:
            self._branch(made)
        if self._arguments.output is not None:
            self._mail(made)

    @cached_property
    def _made(self) -> dict[str, RebasedSeries]:
        clean = [tree for tree in self._answer.trees if tree.is_clean]
        made = {
            tree.name: rebased_series(
                answer=self._answer,
                stack=self._stack,
                tree=tree,
                committer=self._person,
                scratch_repo=self._scratch_repo,
            )
            for tree in clean
        }
        return {name: replace(one, title=self._title(one)) for name, one in made.items()}

    @cached_property
    def _person(self) -> CommitIdent:
        return CommitIdent(*self._context.repository.committer())

    def _title(self, one: RebasedSeries) -> str:
        return self._context.start_describe(one.onto)() or one.title

    def _branch(self, made: dict[str, RebasedSeries]) -> None:
        repository = self._context.repository
        names = branch_names(self._arguments.branch, self._answer.series, list(made))
        tips = {names[tree]: one.tip for tree, one in made.items()}
        if self._arguments.notes:
            texts = {oid: patch.notes for one in made.values() for patch, oid in one.commits if patch.notes}
            create_branches_with_notes(
                repository=repository, scratch_repo=self._scratch_repo, branches=tips, texts=texts, author=self._person
            )
        else:
            create_branches(repository, self._scratch_repo, tips)
        for name, tip in tips.items():
            self._ui.note(f"branch {name} is at {tip[:12]}")

    def _mail(self, made: dict[str, RebasedSeries]) -> None:
        sender = Sender(self._person.name, self._person.email, utc(self._person.time))
        for tree, one in made.items():
            outgoing = next_version(self._answer.series, one, sender, self._scratch_repo)
            name = f"v{outgoing.version}-{slug(outgoing.subject)}-{slug(tree)}.mbx"
            path = Path(self._arguments.output) / name
            write_file(path, compose(outgoing), self._arguments.force)
            self._ui.note(f"wrote {path}")
