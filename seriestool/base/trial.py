# SPDX-License-Identifier: GPL-2.0-or-later
"""One try of a series on one commit, in memory: how each patch fares in order, and how it would alone."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from seriestool.base.verdict import FitLevel
from seriestool.series.apply import FileState, apply_patch, reverse_patch
from seriestool.series.model import FileDiff, Outcome, Patch, PatchFailure, PatchOutcome

Files = Mapping[bytes, FileState]


def try_series(files: Files, patches: Sequence[Patch]) -> tuple[PatchOutcome, ...]:
    """How each patch fares on `files`, the touched paths of one commit that exist there.

    In order each patch goes on top of those before it. One that is there already is passed over; after the first
    conflict nothing can be said of the order, and the outcome of later patches is None.
    """
    outcomes = []
    state: Files | None = files
    for patch in patches:
        alone = _try_patch(files, patch)[0]
        if state is None:
            outcomes.append(replace(alone, outcome=None, alone=alone.outcome))
            continue
        in_order, state = _try_patch(state, patch)
        outcomes.append(replace(in_order, alone=alone.outcome))
    return tuple(outcomes)


def level_of(outcomes: Sequence[PatchOutcome]) -> FitLevel:
    """What such outcomes prove of the commit."""
    fitting = count_applied(outcomes)
    if fitting == len(outcomes):
        return FitLevel.APPLIES
    return FitLevel.PARTIAL if fitting else FitLevel.NONE


def count_applied(outcomes: Sequence[PatchOutcome]) -> int:
    """How many patches plain `git apply` takes, from the first on."""
    fine = (Outcome.UNMODIFIED, Outcome.MODIFIED, Outcome.EMPTY)
    return next((n for n, outcome in enumerate(outcomes) if outcome.outcome not in fine), len(outcomes))


def first_failure(outcomes: Sequence[PatchOutcome]) -> PatchOutcome | None:
    """The first patch that plain `git apply` refuses, be it because it is there already."""
    at = count_applied(outcomes)
    return outcomes[at] if at < len(outcomes) else None


def _try_patch(files: Files, patch: Patch) -> tuple[PatchOutcome, Files | None]:
    """The outcome of one patch, and the files after it; None where it conflicts."""
    if not patch.files:
        return PatchOutcome(patch.counter, Outcome.EMPTY), files
    tried = apply_patch(files, patch.files)
    if not isinstance(tried, PatchFailure):
        outcome = Outcome.MODIFIED if tried.offsets else Outcome.UNMODIFIED
        return PatchOutcome(patch.counter, outcome, tried.offsets), tried.files
    if is_merged(files, patch.files):
        return PatchOutcome(patch.counter, Outcome.ALREADY_MERGED, failure=tried), files
    return PatchOutcome(patch.counter, Outcome.CONFLICT, failure=tried), None


def is_merged(files: Files, diffs: Sequence[FileDiff]) -> bool:
    """Whether the patch is in the files already: it can be taken off again (`git apply --reverse`)."""
    return not isinstance(apply_patch(files, reverse_patch(diffs)), PatchFailure)
