# SPDX-License-Identifier: GPL-2.0-or-later
"""find-base: which commits a series sits on, proven; and where there is none, exactly why.

In the order of proof: `exact`, `applies`, `three-way`, `partial`, `none` (see `verdict.Level`). A level is looked for
over the whole history before the next one is tried, and the best commit is looked at once more in the
repository itself before anything is claimed of it.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from seriestool.base import explain, fit
from seriestool.base.candidates import CandidateRanker
from seriestool.base.contents import ContentMissingError
from seriestool.base.history_region import HistoryRegion
from seriestool.base.preimage import PreImage, disambiguate_blobs, find_preimage
from seriestool.base.search_context import SearchContext
from seriestool.base.stated_base import PushLogLookup, check_stated
from seriestool.base.threeway import find_three_way
from seriestool.base.trial import count_applied, level_of, try_series
from seriestool.base.trial_commits import TrialCommit, find_trial_commits
from seriestool.base.verdict import BestBase, Candidate, FitLevel, PathAnswer, StatedBase, Verdict
from seriestool.series.model import PatchOutcome, Series, path_text
from seriestool.trees.history import index_dir, value_of
from seriestool.util.errors import InputError, OutsideError

MOST_FARTHEST = 3
"""Commits that are told of those which take most patches."""
MOST_NAMED = 8
"""CandidateRanker whose commits are looked up to show their subjects."""
MOST_NAMED_RANGES = 3
"""Of a candidate: as many as the text shows."""


def find_base(series: Series, context: SearchContext, push_log: PushLogLookup = lambda _: ()) -> Verdict:
    """The verdict on a series.

    Raises InputError where the series has no patches, or patches that contradict each other.
    """
    if not series.patches:
        return _without_patches(series, context, push_log)
    search = _BaseSearch(series, disambiguate_blobs(find_preimage(series), context.history, context.contents), context)
    stated = check_stated(series, search.preimage, context, push_log)
    notes = _limits(context)
    region = fit.find_exact(context.history, search.preimage)
    if region and (verdict := search.find_answer(FitLevel.EXACT, region, stated, notes)):
        return verdict
    found = fit.find_applying(context.history, search.preimage, context.contents, search.posting)
    notes += tuple(f"{path_text(path)} has more versions than were tried" for path in found.cut_short)
    notes += tuple(
        f"{path_text(path)} has versions that are not in this repository: only whole blobs could be compared"
        for path in found.missing_contents
    )
    if found.region and (verdict := search.find_answer(FitLevel.APPLIES, found.region, stated, notes)):
        return verdict
    return search.answer_without_base(stated, notes, search.trial_commits())


def _limits(context: SearchContext) -> tuple[str, ...]:
    """What the repository lacks for a full answer."""
    if not context.repository.is_shallow:
        return ()
    return ("this is a shallow clone: what came before it was not looked at (git fetch --unshallow)",)


def _without_patches(series: Series, context: SearchContext, push_log: PushLogLookup) -> Verdict:
    """What a quoted cover letter alone allows to say: whether the stated base is known."""
    if series.base.commit is None:
        raise InputError("there is no patch in it", hint="name the series by its message-id or by an mbox")
    stated = check_stated(series, PreImage((), ()), context, push_log)
    note = "the patches themselves are not in the input: only the stated base-commit was looked up"
    return Verdict(
        series=series,
        level=FitLevel.NONE,
        base=None,
        stated=replace(stated, verdict=None) if stated else None,
        candidates=(),
        paths=(),
        commits=(),
        notes=(note,),
    )


class _BaseSearch:
    """One series asked of one ground."""

    def __init__(self, series: Series, preimage: PreImage, context: SearchContext) -> None:
        self.series = series
        self.preimage = preimage
        self.context = context
        self.posting = context.posting(series)
        self._candidates = CandidateRanker(preimage, context, self.posting)
        self._paths = tuple({*series.touched, *preimage.barred})

    def find_answer(
        self, level: FitLevel, region: HistoryRegion, stated: StatedBase | None, notes: tuple[str, ...]
    ) -> Verdict | None:
        """The verdict where the series fits: the candidates of each tree, best first; None if all of them are gone."""
        candidates = self._candidates.ranked(level, region, stated)
        if not candidates:
            return None
        best = candidates[0]
        describe = self.context.start_describe(best.commit)
        if not self._is_proven(level, best.commit):
            return None
        outcomes, notes = self._outcomes(best.commit, notes)
        candidates = (replace(best, outcomes=outcomes), *candidates[1:])
        paths = explain.all_matched(self.preimage)
        if level is not FitLevel.EXACT:
            position = self.context.history.find(best.commit)
            paths = explain.explain(self.series, self.preimage, self.context, position)
        return self._verdict(
            level=level, base=self._base(best, describe), stated=stated, candidates=candidates, paths=paths, notes=notes
        )

    def answer_without_base(
        self, stated: StatedBase | None, notes: tuple[str, ...], trial_commits: Sequence[TrialCommit]
    ) -> Verdict:
        """The verdict where plain `git apply` takes the series nowhere: three-way, partial or none."""
        tried = tuple(found for trial_commit in trial_commits if (found := self._try(trial_commit)))
        tried = (*self._farthest(tried), *tried)
        candidates = tuple(sorted(tried, key=lambda found: (-count_applied(found.outcomes), -found.matched)))
        merged = find_three_way(self.series, self.preimage, self.context, candidates)
        if merged is not None:
            candidates = (merged, *(other for other in candidates if other.commit != merged.commit))
        best = candidates[0] if candidates else None
        position = self.context.history.find(best.commit) if best else None
        paths = explain.explain(self.series, self.preimage, self.context, position)
        level = best.verdict if best else FitLevel.NONE
        base = None
        if best and level is not FitLevel.NONE:
            base = self._base(best, self.context.start_describe(best.commit))
        return self._verdict(level=level, base=base, stated=stated, candidates=candidates, paths=paths, notes=notes)

    def _farthest(self, tried: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """The commits, over the whole history, that take more of the first patches than those that were tried."""
        region = self._farthest_region(max((count_applied(found.outcomes) for found in tried), default=0))
        if region is None:
            return ()
        candidates = self._candidates.ranked(FitLevel.PARTIAL, region, None)[:MOST_FARTHEST]
        return tuple(replace(found, outcomes=self._outcomes(found.commit, ())[0]) for found in candidates)

    def _farthest_region(self, known: int) -> HistoryRegion | None:
        """Where the most patches go in; None where no more than `known` do."""
        region, low, high, step = None, known, len(self.series.patches), 1
        while low + 1 < high:
            count = min(low + step, high - 1)
            found = self._taking(count)
            if found is None:
                high, step = count, 1
            else:
                region, low, step = found, count, step * 2
        return region

    def _taking(self, count: int) -> HistoryRegion | None:
        """Where plain `git apply` takes the first `count` patches; None where nowhere."""
        some = replace(self.series, patches=self.series.patches[:count])
        preimage = disambiguate_blobs(find_preimage(some), self.context.history, self.context.contents)
        found = fit.find_applying(self.context.history, preimage, self.context.contents, self.posting)
        return found.region or None

    def trial_commits(self) -> tuple[TrialCommit, ...]:
        """The commits to try one by one."""
        cover = fit.exact_cover(self.context.history, self.preimage)
        return find_trial_commits(self.context, self.preimage, cover, self.posting)

    def _try(self, trial_commit: TrialCommit) -> Candidate | None:
        """How the series fares there; None where the contents are not here."""
        try:
            files = self.context.contents.at(trial_commit.position, self._paths)
        except ContentMissingError:
            return None
        outcomes = try_series(files, self.series.patches)
        return Candidate(
            tree=trial_commit.tree,
            commit=self.context.history.oid(trial_commit.position),
            verdict=level_of(outcomes),
            matched=self.preimage.matched_at(self.context.history, trial_commit.position),
            expected=len(self.preimage),
            ranges=(),
            outcomes=outcomes,
            label=trial_commit.label,
        )

    def _is_proven(self, level: FitLevel, oid: str) -> bool:
        """Whether the commit itself has what the index says: that is a cache, the repository is the truth.

        False for `exact` where a mail's full id begins like the file's and goes on otherwise: the index has but 15
        digits. Raises OutsideError where index and repository differ.
        """
        history, position = self.context.history, self.context.history.find(oid)
        assert position is not None  # noqa: S101
        entries = self.context.repository.ls_tree(oid, self.preimage.paths)
        found = {path: (entry.mode, entry.oid) for path, entry in entries.items() if entry.kind != "tree"}
        for path in self.preimage.paths:
            if (value_of(*found[path]) if path in found else 0) != history.value(position, path):
                raise OutsideError(
                    f"the history index is wrong about commit {oid[:12]}",
                    hint=f"remove '{index_dir(self.context.repository)}', and it will be made again",
                )
        wanted = self.preimage.expectations
        return level is not FitLevel.EXACT or all(one.accepts_entry(*found.get(one.path, (0, ""))) for one in wanted)

    def _outcomes(self, oid: str, notes: tuple[str, ...]) -> tuple[tuple[PatchOutcome, ...], tuple[str, ...]]:
        position = self.context.history.find(oid)
        assert position is not None  # noqa: S101
        try:
            files = self.context.contents.at(position, self._paths)
        except ContentMissingError as error:
            return (), (*notes, f"{error.message}: the patches were not tried")
        return try_series(files, self.series.patches), notes

    def _base(self, candidate: Candidate, describe: Callable[[], str | None]) -> BestBase | None:
        commit = self.context.commit(candidate.commit)
        if commit is None:
            return None
        position = self.context.history.find(candidate.commit)
        tree = candidate.tree or (self.context.tree_of(position) if position is not None else None)
        return BestBase(
            commit=candidate.commit, tree=tree, describe=describe(), subject=commit.subject, date=commit.date
        )

    def _verdict(
        self,
        level: FitLevel,
        base: BestBase | None,
        stated: StatedBase | None,
        candidates: tuple[Candidate, ...],
        paths: tuple[PathAnswer, ...],
        notes: tuple[str, ...],
    ) -> Verdict:
        named = [path.commit for path in paths]
        named += [oid for candidate in candidates[:MOST_NAMED] for oid in _named(candidate)]
        commits = self.context.commits(named)
        return Verdict(
            series=self.series,
            level=level,
            base=base,
            stated=stated,
            candidates=candidates,
            paths=paths,
            commits=commits,
            notes=notes,
        )


def _named(candidate: Candidate) -> list[str | None]:
    ranges = candidate.ranges[:MOST_NAMED_RANGES]
    return [candidate.commit, *(found.made_by for found in ranges), *(found.ended_by for found in ranges)]
