# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees that a series is tried on: those that it is meant for first, none that has nothing to do with it."""

from msgspec import Struct

from seriestool.base.preimage import ExpectedKind
from seriestool.base.search_context import SearchContext, TreeTip
from seriestool.base.verdict import FitLevel, Verdict
from seriestool.rebase.patch_stack import SeriesBase, are_enough_files, file_folders, identifying_paths
from seriestool.rebase.tree_rebaser import Target
from seriestool.series.model import Series
from seriestool.trees.history import is_absent
from seriestool.trees.suggestions import Suggestion, read_maintainers, suggest

MOST_TREES = 12
MOST_SUGGESTIONS = 5
_MOST_READ = 20
"""Trees in which MAINTAINERS is looked for."""


class TargetTrees(Struct, frozen=True):
    """The trees, and what there is to say of those that were left out."""

    chosen: tuple[Target, ...]
    notes: tuple[str, ...] = ()


def find_suggestions(context: SearchContext, series: Series, base: SeriesBase | None) -> tuple[Suggestion, ...]:
    """The likeliest trees for the series, also such as are not here; of those that are here the first is among them."""
    trees = [place.tree for place in context.tree_tips]
    commits = [*([base.commit] if base else []), *(tree.commit for tree in trees[:_MOST_READ])]
    found = suggest(series, read_maintainers(context.repository, commits), trees)
    return found[:MOST_SUGGESTIONS]


def is_well_founded(suggestion: Suggestion) -> bool:
    """Whether more speaks for the tree than the list that it was mailed to: lists get patches of many projects."""
    return any(reason.startswith(("MAINTAINERS:", "the subject")) for reason in suggestion.reasons)


def find_targets(
    context: SearchContext, series: Series, verdict: Verdict, suggestions: tuple[Suggestion, ...]
) -> TargetTrees:
    """Where it is tried: on what speaks for itself, on the tree of the base, and on the others, in this order."""
    first = [one.tree.name for one in suggestions if one.tree]
    if verdict.base and verdict.base.tree:
        first.append(verdict.base.tree)
    ranks = {name: number for number, name in reversed(list(enumerate(first)))}
    tree_tips = sorted(context.tree_tips, key=lambda place: ranks.get(place.tree.name, len(first)))
    known = _had_it(verdict)
    home = [place for place in tree_tips if place.tree.name in known or _is_at_home(context, place, series)]
    left = len(home) - MOST_TREES
    more = "1 more tree has" if left == 1 else f"{left} more trees have"
    notes = (f"{more} files of it, and only the first {MOST_TREES} were tried",) if left > 0 else ()
    return TargetTrees(tuple(Target(one.tree.name, one.tree.commit) for one in home[:MOST_TREES]), notes)


def _had_it(verdict: Verdict) -> frozenset[str]:
    """The trees of which a commit is proven to take it, though its files may be gone from their tips by now."""
    has_proof = any(path.expects == ExpectedKind.BLOB for path in verdict.paths)
    if not has_proof or verdict.level not in (FitLevel.EXACT, FitLevel.APPLIES):
        return frozenset()
    return frozenset(candidate.tree for candidate in verdict.candidates if candidate.tree)


def _is_at_home(context: SearchContext, place: TreeTip, series: Series) -> bool:
    """Whether the tree has the files that are changed, or a folder that gets one; a Makefile at the top is no sign.

    As `rebase.stack.is_at_home`, asked of the index: there may be a hundred trees.
    """
    if telling := identifying_paths(series):
        here = sum(not is_absent(context.history.value(place.tip, path)) for path in telling)
        return are_enough_files(here, len(telling))
    tip = place.tree.commit.encode()
    found = context.repository.objects.check([tip + b":" + folder for folder in sorted(file_folders(series))])
    return any(one is not None and one[1] == "tree" for one in found)
