# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that messages quote: looked up by id or by title, and how much an answer "not here" is worth."""

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice

from msgspec import Struct

from seriestool.git import Commit, Repository, ScratchRepository
from seriestool.series.message.commit_message import CommitMessage
from seriestool.series.message.fixes import SHORTEST, find_fixes_tags, format_fixes_tag
from seriestool.series.message.people import Person, parse_person
from seriestool.series.message.title_comparison import fold_title
from seriestool.trees.history import CommitTable, History, tips_containing

_MOST_READ = 400
"""Commits to the touched paths that are read, or that are looked at where the history index knows no titles."""
_MOST_MAKEFILES = 150
_RELEASE = re.compile(r"Linux v?\d+\.\d+")
_LOOK_BACK = 500
"""Commits before the base whose own Fixes tags show whether this repository has what people quote."""
_FEWEST_QUOTED = 10
_KNOWN_SHARE = 0.95


class AbsenceReason(StrEnum):
    """Why there is no commit for an id."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    NOT_A_COMMIT = "not-a-commit"


class QuotedCommit(Struct, frozen=True, kw_only=True):
    """A commit that is here."""

    oid: str
    subject: str
    author: Person
    time: int
    """Committer's, seconds since 1970."""
    authored: int
    message: CommitMessage
    parents: tuple[str, ...] = ()

    @property
    def signers(self) -> tuple[Person, ...]:
        """Who signed it off, in order."""
        found = (parse_person(one.value) for one in self.message.named("signed-off-by"))
        return tuple(person for person in found if person is not None)

    @property
    def authors(self) -> tuple[Person, ...]:
        """Its author, and who developed it with them."""
        found = (parse_person(one.value) for one in self.message.named("co-developed-by"))
        return (self.author, *(person for person in found if person is not None))


class Completeness(Struct, frozen=True):
    """Whether a commit that is not here can be said not to exist."""

    is_complete: bool
    reason: str
    """What that is concluded from, or what speaks against it."""


class CommitLookup:
    """The commits of a repository; the workbench is of the thread that asks."""

    def __init__(self, repository: Repository, scratch_repo: ScratchRepository, history: History | None) -> None:
        self._repository = repository
        self._scratch_repo = scratch_repo
        self._history = history
        self._table = CommitTable(history, scratch_repo.objects) if history else None

    def find(self, oid: str) -> QuotedCommit | AbsenceReason:
        """The commit of an id, abbreviated or not (hex digits, as a message has them), or why there is none."""
        found = self._scratch_repo.objects.commit(f"{oid}^{{commit}}")
        if found is not None:
            # An annotated tag leads to a commit too, but it is not the commit's id.
            return quoted_commit(found) if found.oid.startswith(oid.lower()) else AbsenceReason.NOT_A_COMMIT
        if self._scratch_repo.objects.is_ambiguous(oid):
            return AbsenceReason.AMBIGUOUS
        return (
            AbsenceReason.NOT_A_COMMIT
            if self._scratch_repo.objects.check([oid])[0] is not None
            else AbsenceReason.MISSING
        )

    def abbreviate(self, oid: str) -> str:
        """The first 12 digits of the id, or as many as it takes to name no other object."""
        for digits in range(SHORTEST, len(oid)):
            if not self._scratch_repo.objects.is_ambiguous(oid[:digits]):
                return oid[:digits]
        return oid

    def tag(self, commit: QuotedCommit) -> str:
        """The Fixes tag for the commit."""
        return format_fixes_tag(self.abbreviate(commit.oid), commit.subject)

    def is_within(self, oid: str, tip: str) -> bool | None:
        """Whether the commit is the tip or an ancestor of it; None where the history index knows one of them not."""
        held = self.tips_containing(oid, [tip])
        return None if held is None else tip in held

    def tips_containing(self, oid: str, tips: Iterable[str]) -> frozenset[str] | None:
        """Those of the tips that have the commit; None where the history index knows the commit, or no tip, not."""
        if self._history is None or (position := self._history.find(oid)) is None:
            return None
        known = {found: tip for tip in tips if (found := self._history.find(tip)) is not None}
        return frozenset(known[one] for one in tips_containing(self._history, position, known)) if known else None

    def with_title(self, title: str, paths: Iterable[bytes]) -> Iterator[QuotedCommit]:
        """Commits with that title among those that changed any of the paths: first those that changed most of them,
        and the newest."""
        if self._table is None:
            return
        touched = self._touched(paths)
        if self._table.has_all_messages:
            named = set(self._table.with_title(title)).intersection(touched)
            yield from self._read(self._ranked(touched, named, _MOST_READ))
        else:
            yield from self._read(self._titled(self._ranked(touched, touched, _MOST_READ), fold_title(title)))

    def _titled(self, positions: Iterable[int], folded: str) -> Iterator[int]:
        for position in positions:
            said = self._table.at(position) if self._table else None
            if said is not None and fold_title(said.title) == folded:
                yield position

    def changing(self, paths: Iterable[bytes], limit: int = _MOST_READ) -> Iterator[QuotedCommit]:
        """Commits that changed any of the paths: those that changed most of them, and the newest, first."""
        touched = self._touched(paths)
        return self._read(self._ranked(touched, touched, limit))

    def last_release(self, tip: str) -> QuotedCommit | None:
        """The commit of the last release of the kernel before the tip, as the history of the Makefile has it."""
        touched = self._touched((b"Makefile",))
        for position in self._ranked(touched, touched, _MOST_MAKEFILES):
            said = self._table.at(position) if self._table else None
            if said is None or not _RELEASE.fullmatch(said.title):
                continue
            for commit in self._read((position,)):
                if self.is_within(commit.oid, tip):
                    return commit
        return None

    def _touched(self, paths: Iterable[bytes]) -> Counter[int]:
        """How many of the paths each commit changed, by position."""
        history = self._history
        if history is None:
            return Counter()
        return Counter(position for path in islice(paths, 200) for position, _ in history.changes(path))

    def _ranked(self, touched: Counter[int], positions: Iterable[int], limit: int) -> Sequence[int]:
        """Of these positions those that changed most of the paths, and the newest of them, first."""
        history = self._history
        if history is None:
            return ()
        return heapq.nsmallest(limit, positions, key=lambda one: (-touched[one], -history.time(one), one))

    def _read(self, positions: Iterable[int]) -> Iterator[QuotedCommit]:
        """The commits at the positions that are here."""
        for position in positions:
            found = self._scratch_repo.objects.commit(self._history.oid(position)) if self._history else None
            if found is not None:
                yield quoted_commit(found)

    def recent(self, tip: str, limit: int = _LOOK_BACK) -> Iterator[QuotedCommit]:
        """The commit and its ancestors, the newest first, no more than `limit`."""
        seen = {tip}
        waiting: list[tuple[int, str, QuotedCommit]] = []
        self._push(waiting, tip)
        for _ in range(limit):
            if not waiting:
                return
            _, _, commit = heapq.heappop(waiting)
            yield commit
            for parent in commit.parents:
                if parent not in seen:
                    seen.add(parent)
                    self._push(waiting, parent)

    def _push(self, waiting: list[tuple[int, str, QuotedCommit]], oid: str) -> None:
        found = self._scratch_repo.objects.commit(oid)
        if found is not None:
            commit = quoted_commit(found)
            heapq.heappush(waiting, (-commit.time, oid, commit))

    def completeness(self, tip: str) -> Completeness:
        """Whether the repository has the commits that people quote, judged by the Fixes tags of the last commits."""
        if self._repository.is_shallow:
            return Completeness(False, "the repository is shallow")
        read = 0
        quoted: set[str] = set()
        for commit in self.recent(tip):
            read += 1
            quoted.update(tag.oid for tag in find_fixes_tags(commit.message) if tag.oid is not None and not tag.flaws)
        if len(quoted) < _FEWEST_QUOTED:
            return Completeness(False, f"only {len(quoted)} Fixes tags in the last {read} commits here to judge by")
        found = self._scratch_repo.objects.check([f"{oid}^{{commit}}" for oid in sorted(quoted)])
        known = sum(one is not None for one in found)
        share = f"of {len(quoted)} commits that the last {read} commits here say they fix {known} are known"
        return Completeness(known >= len(quoted) * _KNOWN_SHARE, share)


def quoted_commit(commit: Commit) -> QuotedCommit:
    """The commit as checks compare it with what is quoted of it."""
    author = commit.author
    return QuotedCommit(
        oid=commit.oid,
        subject=commit.subject,
        author=parse_person(f"{author.name} <{author.email}>") or Person(author.name, ""),
        time=commit.committer.time,
        authored=author.time,
        message=commit.message,
        parents=commit.parents,
    )
