# SPDX-License-Identifier: GPL-2.0-or-later
"""The base-commit that the author stated: a claim, checked like any other candidate.

A wrong but existing base-commit taken at its word, or a true one of a branch that was rebased since reported as "not
known", is what reviewers stumble over (https://lore.kernel.org/r/cbb8bf9325d5877d8e736b42f2ffde01dc7e2739.camel@kernel.org).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from seriestool.base.contents import ContentMissingError
from seriestool.base.preimage import PreImage
from seriestool.base.search_context import SearchContext
from seriestool.base.trial import level_of, try_series
from seriestool.base.verdict import FitLevel, StatedBase, StatedBaseState, utc
from seriestool.git import Repository
from seriestool.series.model import Series
from seriestool.trees.history import tips_containing
from seriestool.util.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from seriestool.sources.pushlog.push_log_index import Sighting

PushLogLookup = Callable[[str], tuple["Sighting", ...]]
"""What the push log knows of a commit."""

_OID = lazy_pattern(r"[0-9a-f]{7,64}")


def push_log_lookup(repository: Repository) -> PushLogLookup:
    """The push log that is kept with the repository, as what is asked of a commit; nothing where there is none."""

    def look_up(oid: str) -> tuple["Sighting", ...]:
        from seriestool.sources.pushlog import index_path
        from seriestool.sources.pushlog.push_log_index import find_log

        log = find_log(index_path(repository.common_dir))
        if log is None:
            return ()
        with log:
            return log.find_commit(oid)

    return look_up


def check_stated(
    series: Series, preimage: PreImage, context: SearchContext, push_log: PushLogLookup
) -> StatedBase | None:
    """What is true of the stated base-commit; None where the author stated none."""
    value = series.base.commit
    if value is None:
        return None
    if not _OID().fullmatch(value.lower()):
        return _malformed(value, series, preimage, context)
    value = value.lower()
    position = context.history.find(value)
    if position is None:
        sightings = push_log(value)
        return StatedBase(
            value,
            StatedBaseState.REBASED_AWAY if sightings else StatedBaseState.UNKNOWN,
            None,
            None,
            sightings=sightings,
        )
    tree = context.tree_of(position)
    level, matched = _verify(position, series, preimage, context)
    if tree is None:
        note = _where_it_was(position, context)
        return StatedBase(
            commit=value,
            state=StatedBaseState.REBASED_AWAY,
            verdict=level,
            tree=None,
            matched=matched,
            note=note,
            sightings=push_log(value),
        )
    return StatedBase(commit=value, state=StatedBaseState.KNOWN, verdict=level, tree=tree, matched=matched)


def _where_it_was(position: int, context: SearchContext) -> str | None:
    """When which tree had it, as far as journal and reflogs know."""
    tips = {tip: at for tip in context.past if (at := context.history.find(tip.commit)) is not None}
    was_tip = [tip for tip, at in tips.items() if at == position]
    holders = tips_containing(context.history, position, tips.values())
    best = max(
        was_tip or [tip for tip, at in tips.items() if at in holders], key=lambda tip: tip.seen_from, default=None
    )
    if best is None:
        return None
    until = f" until {utc(best.seen_until):%Y-%m-%d %H:%M:%S} UTC" if best.seen_until else ""
    return f"it was {'the tip of' if was_tip else 'in'} {best.tree}{until}"


def _malformed(value: str, series: Series, preimage: PreImage, context: SearchContext) -> StatedBase:
    """A value such as `v6.9-rc1` is no id, but it may be the name of a tag that can be checked."""
    position = next((position for position, name in context.tags.items() if name == value), None)
    if position is None:
        return StatedBase(value, StatedBaseState.MALFORMED, None, None)
    level, matched = _verify(position, series, preimage, context)
    note = f"it is the name of a tag: {context.history.oid(position)}"
    return StatedBase(
        commit=value,
        state=StatedBaseState.MALFORMED,
        verdict=level,
        tree=context.tree_of(position),
        matched=matched,
        note=note,
    )


def _verify(position: int, series: Series, preimage: PreImage, context: SearchContext) -> tuple[FitLevel | None, int]:
    matched = preimage.matched_at(context.history, position)
    if matched == len(preimage) and not preimage.is_barred(context.history, position):
        return FitLevel.EXACT, matched
    try:
        files = context.contents.at(position, (*series.touched, *preimage.barred))
    except ContentMissingError:
        return None, matched
    return level_of(try_series(files, series.patches)), matched
