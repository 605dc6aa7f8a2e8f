# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a tree has a patch already, as which commit: by its patch-id, or by its subject and author."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from msgspec import Struct

from seriestool.base.search_context import summarize
from seriestool.base.verdict import CommitSummary
from seriestool.git import ScratchRepository
from seriestool.series.mail.patch_mail import without_via
from seriestool.series.model import Patch
from seriestool.series.patch_id import find_patch_id
from seriestool.trees.history import CommitTable, History, IndexedCommit, tips_containing

_MOST_COMPARED = 40
"""Commits whose patch-ids are computed for one patch."""
_MOST_LOOKED_AT = 400
"""Commits whose titles and authors are looked at for one patch."""
_SLACK = timedelta(days=2)
"""How much earlier than the patch its commit may be dated: the mail may be a later sending of it."""


class MergedCommit(Struct, frozen=True):
    """The commit of a tree that is the patch."""

    commit: CommitSummary
    has_patch_id: bool
    """Whether it makes the very same changes; else subject and author are the same."""


class _PossibleCommit(Struct, frozen=True):
    """A commit that may be the patch."""

    position: int
    oid: str
    said: IndexedCommit
    """Its title and author, and what it reverts."""


def find_merged_commit(
    patch: Patch, history: History, tip: int, scratch_repo: ScratchRepository
) -> MergedCommit | None:
    """The commit before the position `tip` that is the patch, or None; the same changes are better than the same name.

    Only commits that are younger than the patch count: an older one is what the series was made on top of. One that
    was reverted does not count.
    """
    found = list(_look_up(scratch_repo, _candidates(patch, history), history))
    undone = tuple(_reverted_ids(found, history, tip))
    found = [one for one in found if not one.oid.startswith(undone)]
    named = [one for one in found if _is_named_like(patch, one)]
    compared = [*named, *(one for one in found if one not in named)][:_MOST_COMPARED]
    same = _with_patch_id(patch, [one.oid for one in compared], scratch_repo)
    ordered = [one for one in compared if one.oid in same] + named
    held = next((one for one in ordered if tips_containing(history, one.position, [tip])), None)
    commit = scratch_repo.objects.commit(held.oid) if held else None
    return MergedCommit(summarize(commit), commit.oid in same) if commit else None


def _reverted_ids(found: Iterable[_PossibleCommit], history: History, tip: int) -> Iterator[str]:
    """The ids that commits before the tip take back; a revert that is reverted itself takes nothing back."""
    gone: tuple[str, ...] = ()
    for one in sorted(found, key=lambda one: (history.time(one.position), history.depth(one.position)), reverse=True):
        reverts = one.said.reverts
        if reverts and not one.oid.startswith(gone) and tips_containing(history, one.position, [tip]):
            gone = (*gone, *reverts)
            yield from reverts


def _candidates(patch: Patch, history: History) -> list[int]:
    """Commits after the patch that change what it changes, those that have most of its paths first, then the oldest."""
    earliest = (patch.date - _SLACK).timestamp()
    touched = Counter(
        position
        for path in _paths(patch)
        for position, _ in history.changes(path)
        if history.time(position) >= earliest
    )
    ranked = sorted(touched, key=lambda position: (-touched[position], history.time(position), position))
    return ranked[:_MOST_LOOKED_AT]


def _look_up(scratch_repo: ScratchRepository, positions: list[int], history: History) -> Iterator[_PossibleCommit]:
    """The commits at these positions that are here: the index also has those that git threw away since."""
    table = CommitTable(history, scratch_repo.objects)
    oids = [history.oid(position) for position in positions]
    for position, oid, is_here in zip(positions, oids, scratch_repo.objects.check(oids), strict=True):
        said = table.at(position) if is_here else None
        if said is not None:
            yield _PossibleCommit(position, oid, said)


def _is_named_like(patch: Patch, one: _PossibleCommit) -> bool:
    # A list that sends in its own name ('A U Thor via devel <devel@...>') leaves only the name to know them by.
    name = without_via(patch.author_name).lower()
    said = one.said
    is_author = said.author_email.lower() == patch.author_email.lower() or said.author_name.lower() == name
    return is_author and _normalized(said.title) == _normalized(patch.subject)


def _normalized(subject: str) -> str:
    return " ".join(subject.lower().split())


def _with_patch_id(patch: Patch, commits: list[str], scratch_repo: ScratchRepository) -> set[str]:
    """Those of the commits whose patch-id is the patch's; only those that change just its paths are compared."""
    wanted = find_patch_id(patch.diff)
    if wanted is None or not commits:
        return set()
    paths = _paths(patch)
    alike = [oid for oid, changed in scratch_repo.changed_paths(commits).items() if changed == paths]
    return {oid for oid, diff in scratch_repo.diff_commits(alike) if find_patch_id(diff) == wanted} if alike else set()


def _paths(patch: Patch) -> frozenset[bytes]:
    return frozenset(path for diff in patch.files for path in (diff.old_path, diff.new_path) if path is not None)
