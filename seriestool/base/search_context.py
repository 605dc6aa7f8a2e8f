# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a base is looked for: one repository, its history, its trees and its named points."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from msgspec import Struct

from seriestool.base.contents import Contents
from seriestool.base.git_describe import start_describe
from seriestool.base.rank import PostingTime
from seriestool.base.verdict import CommitSummary, utc
from seriestool.git import Commit, Repository
from seriestool.series.model import Series
from seriestool.trees import Tree
from seriestool.trees.history import History, tips_containing
from seriestool.trees.tip_journal import PastTip, past_tips
from seriestool.util.lazy_pattern import lazy_pattern

_MAIL_URL = lazy_pattern(r"https?://(lore\.kernel\.org|[a-z.]*msgid\.link)/\S+")


class TreeTip(Struct, frozen=True):
    """A tree with the position of its tip."""

    tree: Tree
    tip: int


class SearchContext:
    """A repository with everything that is known of it; `trees` come in the order in which they matter."""

    def __init__(
        self,
        repository: Repository,
        history: History,
        trees: Iterable[Tree],
        tags: Iterable[Tree],
    ) -> None:
        self.repository = repository
        self.history = history
        self.contents = Contents(repository, history)
        self.tree_tips = self._tree_tips(trees)
        self._tags = tuple(tags)
        self.tag_names = {tag.commit: tag.name for tag in self._tags}
        """Names of tags by commit; of several tags on one commit the last by name."""

    def _tree_tips(self, trees: Iterable[Tree]) -> tuple[TreeTip, ...]:
        found = ((tree, self.history.find(tree.commit)) for tree in trees)
        return tuple(TreeTip(tree, tip) for tree, tip in found if tip is not None)

    @cached_property
    def tags(self) -> dict[int, str]:
        """The same by position, for those that are in the history."""
        found = ((self.history.find(oid), name) for oid, name in self.tag_names.items())
        return {position: name for position, name in found if position is not None}

    @cached_property
    def past(self) -> tuple[PastTip, ...]:
        """Where the trees pointed before, as far as journal and reflogs know."""
        return past_tips(self.repository, (tree_tip.tree for tree_tip in self.tree_tips))

    def posting(self, series: Series) -> PostingTime:
        """When the series was sent, and which commits had a name."""
        return PostingTime(int(series.posted.timestamp()), frozenset(self.tag_names))

    def tree_of(self, position: int) -> str | None:
        """The name of the first tree that has the commit: on its own line if any, else through a merge."""
        for tree_tip in self.tree_tips:
            if self.history.on_line(tree_tip.tip).has(position):
                return tree_tip.tree.name
        holders = tips_containing(self.history, position, [tree_tip.tip for tree_tip in self.tree_tips])
        return next((tree_tip.tree.name for tree_tip in self.tree_tips if tree_tip.tip in holders), None)

    def commit(self, oid: str) -> CommitSummary | None:
        """What people call the commit; None where the object is not here."""
        found = self.repository.objects.commit(oid)
        return summarize(found) if found else None

    def commits(self, oids: Iterable[str | None]) -> tuple[CommitSummary, ...]:
        """The commits behind the ids that are here, each once, in the order of their ids."""
        return tuple(commit for oid in sorted({oid for oid in oids if oid}) if (commit := self.commit(oid)))

    def start_describe(self, commit: str) -> Callable[[], str | None]:
        """`git describe --tags` of the commit, to be asked for later."""
        return start_describe(self.repository, self.history, self._tags, commit)

    def oids(self, positions: Sequence[int]) -> list[str]:
        """The ids behind positions."""
        return [self.history.oid(position) for position in positions]


def summarize(commit: Commit) -> CommitSummary:
    """What people call the commit: its subject, committer's date, author, and where it was mailed."""
    return CommitSummary(
        oid=commit.oid,
        subject=commit.subject,
        date=utc(commit.committer.time),
        author=commit.author.name,
        link=_find_link(commit),
    )


def _find_link(commit: Commit) -> str | None:
    """The URL of the first Link trailer to an archive of mails."""
    links = (trailer.value for trailer in commit.message.named("link"))
    return next((link for link in links if _MAIL_URL().fullmatch(link)), None)
