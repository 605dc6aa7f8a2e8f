# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of a patch from one version of a series to the next: which it was, how much changed, which tags it lost.

Patches are matched as git-range-diff(1) does it in the end: by their subject, by their patch-id, else by how much of
the changed lines they have in common.
"""

from collections import Counter

from msgspec import Struct

from seriestool.rebase.patch_stack import paths_of
from seriestool.series.message.commit_message import CommitMessage, Trailer
from seriestool.series.message.people import Mailmap, Person, is_any, parse_person
from seriestool.series.message.title_comparison import fold_title
from seriestool.series.model import Patch, Series
from seriestool.series.patch_id import find_patch_id

GIVEN = ("reviewed-by", "acked-by", "tested-by")
"""Trailers that others give, and that the author carries over."""
_ALIKE = 0.5
"""Share of changed lines in common from which two patches are taken for one."""
_MUCH = 0.75
"""Share of changed lines in common below which a patch has changed much."""
_MOST_LINES = 50_000
_MOST_TAGS = 100


class TagChanges(Struct, frozen=True):
    """What became of the tags that others gave to a patch."""

    before: Patch
    likeness: float
    """Share of the changed lines that both versions have, from 0 to 1."""
    dropped: tuple[Trailer, ...]
    added: tuple[Trailer, ...]

    @property
    def has_changed_much(self) -> bool:
        """Whether what was said of the old version need not hold for the new one."""
        return self.likeness < _MUCH


def compare_tags(patch: Patch, previous: Series, current: Series, mailmap: Mailmap) -> TagChanges | None:
    """What became of the tags of the patch; None where the previous version does not have it."""
    found = find_before(patch, previous, current)
    if found is None:
        return None
    before, likeness = found
    old, new = before.commit_message, patch.commit_message
    return TagChanges(before, likeness, _lost(old, new, mailmap), _lost(new, old, mailmap, upgraded=False))


def find_before(patch: Patch, previous: Series, current: Series) -> tuple[Patch, float] | None:
    """(the patch in the previous version, share of changed lines in common), or None where it is new."""
    title = fold_title(patch.subject)
    named = [one for one in previous.patches if fold_title(one.subject) == title]
    if len(named) == 1:
        return named[0], likeness_of(named[0], patch)
    taken = {fold_title(one.subject) for one in current.patches if one is not patch}
    rest = [one for one in previous.patches if fold_title(one.subject) not in taken]
    own = find_patch_id(patch.diff)
    same = next((one for one in rest if own is not None and find_patch_id(one.diff) == own), None)
    if same is not None:
        return same, 1.0
    paths = set(paths_of(patch.files, above=False))
    touching = [one for one in rest if paths.intersection(paths_of(one.files, above=False))]
    near = [(likeness_of(one, patch), -one.counter, one) for one in touching]
    best = max(near, key=lambda one: one[:2], default=None)
    return (best[2], best[0]) if best is not None and best[0] >= _ALIKE else None


def likeness_of(one: Patch, other: Patch) -> float:
    """Share of the changed lines that both have, from 0 to 1; 1 for the same patch-id."""
    own = find_patch_id(one.diff)
    if own is not None and own == find_patch_id(other.diff):
        return 1.0
    lines, others = _changed_lines(one), _changed_lines(other)
    union = (lines | others).total()
    return (lines & others).total() / union if union else 1.0


def _changed_lines(patch: Patch) -> Counter[bytes]:
    lines = (line for diff in patch.files for hunk in diff.hunks for line in hunk.lines if line[:1] in (b"+", b"-"))
    return Counter(line.strip() for line, _ in zip(lines, range(_MOST_LINES), strict=False))


def _lost(old: CommitMessage, new: CommitMessage, mailmap: Mailmap, upgraded: bool = True) -> tuple[Trailer, ...]:
    """The given tags of `old` that `new` has not; who has given a stronger one instead is not counted if `upgraded`."""
    kept = [(one.key, parse_person(one.value)) for one in _all(new)]
    lost = []
    for one in _all(old):
        person = parse_person(one.value)
        keys = {one.key, "reviewed-by"} if upgraded and one.key == "acked-by" else {one.key}
        if person is not None and not is_any(person, _people(kept, keys), mailmap):
            lost.append(one)
    return tuple(lost)


def _all(message: CommitMessage) -> list[Trailer]:
    return [one for one in (*message.trailers, *message.stray) if one.key in GIVEN][:_MOST_TAGS]


def _people(kept: list[tuple[str, Person | None]], keys: set[str]) -> list[Person]:
    return [person for key, person in kept if key in keys and person is not None]
