# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a tree has a patch already, as which commit: by its patch-id, or by its subject and author."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from seriestool.base.ground import parse_commit
from seriestool.base.verdict import Commit
from seriestool.git import Workbench
from seriestool.history import History, tips_holding
from seriestool.model import Patch
from seriestool.patch_id import find_patch_id

_MOST_COMPARED = 40
"""Commits whose patch-ids are computed for one patch."""
_MOST_READ = 400
"""Commits whose subjects are read for one patch."""
_SLACK = timedelta(days=2)
"""How much earlier than the patch its commit may be dated: the mail may be a later sending of it."""


@dataclass(frozen=True, slots=True)
class Landed:
    """The commit of a tree that is the patch."""

    commit: Commit
    has_patch_id: bool
    """Whether it makes the very same changes; else subject and author are the same."""


def find_landed(patch: Patch, history: History, tip: int, bench: Workbench) -> Landed | None:
    """The commit before the position `tip` that is the patch, or None; the same changes are better than the same name.

    Only commits that are younger than the patch count: an older one is what the series was made on top of.
    """
    found = [(position, *_read(bench, history.oid(position))) for position in _candidates(patch, history)]
    named = [(position, commit) for position, commit, email in found if _is_named_like(patch, commit, email)]
    others = [(position, commit) for position, commit, _ in found if (position, commit) not in named]
    compared = [*named, *others][:_MOST_COMPARED]
    same = _with_patch_id(patch, [commit.oid for _, commit in compared], bench)
    ordered = [pair for pair in compared if pair[1].oid in same] + named
    held = next(((position, commit) for position, commit in ordered if tips_holding(history, position, [tip])), None)
    return Landed(held[1], held[1].oid in same) if held else None


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
    return ranked[:_MOST_READ]


def _read(bench: Workbench, oid: str) -> tuple[Commit, str]:
    """The commit, and its author's address."""
    found = bench.objects.read(oid)
    raw = found[2] if found else b""
    head = raw.partition(b"\n\n")[0].split(b"\n")
    author = next((line for line in head if line.startswith(b"author ")), b"")
    return parse_commit(oid, raw), author.rpartition(b"<")[2].partition(b">")[0].decode("utf-8", "replace").lower()


def _is_named_like(patch: Patch, commit: Commit, email: str) -> bool:
    is_author = email == patch.author_email.lower() or commit.author.lower() == patch.author_name.lower()
    return is_author and _folded(commit.subject) == _folded(patch.subject)


def _folded(subject: str) -> str:
    return " ".join(subject.lower().split())


def _with_patch_id(patch: Patch, commits: list[str], bench: Workbench) -> set[str]:
    """Those of the commits whose patch-id is the patch's; only those that change just its paths are compared."""
    wanted = find_patch_id(patch.diff)
    if wanted is None or not commits:
        return set()
    paths = _paths(patch)
    alike = [oid for oid, changed in bench.changed_paths(commits).items() if changed == paths]
    return {oid for oid, diff in bench.diff_commits(alike) if find_patch_id(diff) == wanted} if alike else set()


def _paths(patch: Patch) -> frozenset[bytes]:
    return frozenset(path for diff in patch.files for path in (diff.old_path, diff.new_path) if path is not None)
