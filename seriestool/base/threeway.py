# SPDX-License-Identifier: GPL-2.0-or-later
"""Where plain patches fail: a three-way merge by git itself, on the likeliest commits only.

It needs the blobs that the series was made from; where the repository has none of the missing ones there is nothing
to merge with, and git would say "repository lacks the necessary blob".
"""

from collections.abc import Sequence

from msgspec.structs import replace

from seriestool.base.preimage import PreImage
from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import Candidate, FitLevel
from seriestool.git import ScratchIndex
from seriestool.series.diff import strip_level
from seriestool.series.model import Outcome, PatchOutcome, Series

MOST_PATCHES = 120
"""Patches given to git in all: each is a process."""


def find_three_way(
    series: Series, preimage: PreImage, context: SearchContext, tried: Sequence[Candidate]
) -> Candidate | None:
    """The first candidate on which the whole series goes in with three-way merges; None where there is none."""
    if not _has_blobs(preimage, context):
        return None
    budget = MOST_PATCHES
    for candidate in tried:
        if budget < len(series.patches):
            return None
        merged, count = _merge(series, context, candidate)
        if merged is not None:
            return merged
        budget -= count
    return None


def _has_blobs(preimage: PreImage, context: SearchContext) -> bool:
    """Whether a blob is here for every path that names one; a merge of half of them is none."""
    named = [wanted.blob for wanted in preimage.expectations if wanted.blob]
    return None not in context.repository.objects.check(named)


def _merge(series: Series, context: SearchContext, candidate: Candidate) -> tuple[Candidate | None, int]:
    """The candidate with all patches merged in, or None; and how many patches were tried."""
    outcomes: list[PatchOutcome] = []
    with context.repository.scratch() as scratch:
        scratch.load(context.repository.ls_tree(candidate.commit, series.touched))
        for patch, before in zip(series.patches, candidate.outcomes, strict=True):
            outcome = _apply(scratch, patch.diff, before)
            if outcome is None:
                return None, len(outcomes) + 1
            outcomes.append(replace(before, outcome=outcome, failure=None))
    return replace(candidate, verdict=FitLevel.THREE_WAY, outcomes=tuple(outcomes)), len(outcomes)


def _apply(scratch: ScratchIndex, diff: bytes, before: PatchOutcome) -> Outcome | None:
    """How the patch goes in after those before it; None where it conflicts."""
    if before.outcome is Outcome.EMPTY:
        return Outcome.EMPTY
    level = strip_level(diff)
    if scratch.apply(diff, level):
        return Outcome.MODIFIED if before.outcome is not Outcome.UNMODIFIED else Outcome.UNMODIFIED
    return Outcome.MODIFIED if scratch.apply_three_way(diff, level) else None
