# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps answered from what was kept where it still holds; else worked out, and kept.

The series is not kept with its answers, and neither are the files put into a base: whoever asks has both.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from msgspec.structs import replace

from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult
from seriestool.base.prerequisites.prerequisite_search import PrerequisiteOptions
from seriestool.base.search_context import SearchContext
from seriestool.base.verdict import Verdict
from seriestool.git import Repository
from seriestool.precheck.cache_keys import (
    base_digest,
    context_digest,
    digest,
    lists_digest,
    resolutions_digest,
    series_digest,
)
from seriestool.precheck.step_cache import StepCache
from seriestool.rebase.patch_stack import SeriesBase
from seriestool.rebase.rebase_result import Rebase
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.model import BaseInfo, Series
from seriestool.split.split_plan import SplitPlan

T = TypeVar("T")

NO_SERIES = Series(
    msgid="",
    subject="",
    version=1,
    expected=0,
    patches=(),
    cover=None,
    change_id=None,
    base=BaseInfo(),
    prefixes=(),
    posted=datetime.fromtimestamp(0, UTC),
)
"""Stands where the series was."""


class CachedSteps:
    """The steps of one series on one ground."""

    def __init__(self, steps: StepCache | None, context: SearchContext, series: Series) -> None:
        """With `steps` None every question is worked out."""
        self._steps = steps
        self._context = context
        self._series = series

    def question(self, step: str, *parts: object) -> str:
        """A digest of all that the step depends on: the series, the trees, and these parts."""
        return digest(step, self._common, parts)

    def find(self, question: str, kind: type[T]) -> T | None:
        """The answer that was kept."""
        return self._steps.find(question, kind) if self._steps else None

    def keep(self, question: str, answer: object) -> None:
        """Keep it."""
        if self._steps:
            self._steps.keep(question, answer)

    @property
    def is_on(self) -> bool:
        """Whether answers are kept at all."""
        return self._steps is not None

    @cached_property
    def _common(self) -> str:
        return digest(series_digest(self._series), context_digest(self._context))

    def verdict(self, work: Callable[[], Verdict]) -> tuple[Verdict, bool]:
        """The answer of find-base; one that says what limits it is not kept: tomorrow more may be here."""
        if not self.is_on:
            return work(), False
        question = self.question("base")
        found = self.find(question, Verdict)
        if found is not None and _are_here(self._context.repository, [one.commit for one in found.candidates]):
            return replace(found, series=self._series), True
        verdict = work()
        if not verdict.notes:
            self.keep(question, replace(verdict, series=NO_SERIES))
        return verdict, False

    def prerequisites(
        self, prerequisite_options: PrerequisiteOptions, verdict: Verdict, work: Callable[[], PrerequisiteResult | None]
    ) -> tuple[PrerequisiteResult | None, bool]:
        """What it builds on; not kept where a server is asked."""
        if not self.is_on or (prerequisite_options.wish and not prerequisite_options.index.exists()):
            return work(), False
        told = replace(verdict, series=NO_SERIES)
        question = self.question(
            "prerequisites", told, prerequisite_options.wish, lists_digest(prerequisite_options.index)
        )
        found = self.find(question, tuple[PrerequisiteResult, ...])
        if found is not None and all(_still_holds(one, self._context.repository) for one in found):
            return (found[0] if found else None), True
        answer = work()
        self.keep(question, (answer,) if answer else ())
        return answer, False

    def matrix(
        self, base: SeriesBase | None, targets: Sequence[Target], work: Callable[[], Rebase]
    ) -> tuple[Rebase, bool]:
        """The series on the trees."""
        if not self.is_on:
            return work(), False
        question = self.question("matrix", base_digest(base), tuple(targets), resolutions_digest(self._context))
        found = self.find(question, Rebase)
        if found is not None:
            return replace(found, series=self._series, base=base), True
        answer = work()
        self.keep(question, replace(answer, series=NO_SERIES, base=None))
        return answer, False

    def plan(self, base: SeriesBase | None, work: Callable[[], SplitPlan]) -> tuple[SplitPlan, bool]:
        """Who takes what."""
        if not self.is_on:
            return work(), False
        question = self.question("split", base_digest(base))
        found = self.find(question, SplitPlan)
        if found is not None:
            return found, True
        answer = work()
        self.keep(question, answer)
        return answer, False


def _are_here(repository: Repository, commits: Sequence[str]) -> bool:
    """Whether the repository still has what the answer names: git throws away what no ref leads to."""
    return None not in repository.objects.check(commits)


def _still_holds(found: PrerequisiteResult, repository: Repository) -> bool:
    """Whether the blobs that were in the repository, though in no commit, are there still, and no new ones came."""
    recipes = found.rebuilt.recipes if found.rebuilt else ()
    loose = [one for one in recipes if one.blob and (one.kind == "object" or not one.is_proven)]
    here = repository.objects.check([one.blob for one in loose])
    return all((at is not None) == one.is_proven for one, at in zip(loose, here, strict=True))
