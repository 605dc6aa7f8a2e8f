# SPDX-License-Identifier: GPL-2.0-or-later
"""What could be said to the author of a series: what their patches newly do, and where they conflict.

What is not their doing is no complaint: that a tree has a patch already, that a base was guessed, that a check broke.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.protocol import CheckResult, Finding, Report, Status
from seriestool.precheck.precheck_result import Precheck
from seriestool.rebase.rebase_result import PatchResult, Rebase, TreeResult
from seriestool.series.model import Outcome, path_text
from seriestool.series.patch_id import find_patch_id
from seriestool.util.text import shortened

APPLY = "apply"
"""The check whose findings are mostly about trees, and not about the patch."""
MERGED_OTHERWISE = "merged-otherwise"
_OF_THE_PATCH = {"empty"}
_MOST_PATHS = 3


class Complaint(Struct, frozen=True):
    """One thing that could be said to the author."""

    counter: int | None
    """The patch; None for the series."""
    patch_id: str | None
    """git's stable patch-id of that patch, so that the same patch in the next version is known again."""
    source: str
    """'<check>/<rule>', or 'apply/<tree>' where a patch does not go in."""
    status: str
    """warn or fail."""
    message: str
    where: str | None = None
    """'<path>:<line>', as far as known."""
    mend: str | None = None
    title: str | None = None
    """The patch's subject without its bracket; None for the series."""

    @property
    def is_grave(self) -> bool:
        """Whether it is a FAIL."""
        return self.status == Status.FAIL


def find_complaints(precheck: Precheck) -> tuple[Complaint, ...]:
    """All of them, the gravest first, then in the order of the patches."""
    found = dict.fromkeys([*_of_checks(precheck), *_of_trees(precheck)])
    concerned = {one.counter for one in found}
    patches = [patch for patch in precheck.series.patches if patch.counter in concerned]
    names = {patch.counter: (find_patch_id(patch.diff), patch.subject) for patch in patches}
    named = (
        replace(one, patch_id=names[one.counter][0], title=names[one.counter][1]) if one.counter in names else one
        for one in found
    )
    return tuple(sorted(named, key=lambda one: (not one.is_grave, one.counter or 0)))


def trees_meant_for(precheck: Precheck, counter: int) -> frozenset[str]:
    """The trees for which a patch is meant beyond doubt, as the author names them or as they have based it on them.

    A tree is left out where the patch's files belong to another one: then the tree was guessed, and who hears that
    their patch conflicts with a tree that they did not mean is blamed for our guess.
    """
    named = {prefix.lower() for prefix in precheck.series.prefixes}
    if precheck.verdict.base is not None and precheck.verdict.base.tree is not None:
        named.add(precheck.verdict.base.tree.lower())
    trees = precheck.matrix.trees if precheck.matrix is not None else ()
    aimed = frozenset(tree.name for tree in trees if tree.name.lower() in named)
    owners = _owning_trees(precheck, counter)
    return aimed & owners if owners else aimed


def _owning_trees(precheck: Precheck, counter: int) -> frozenset[str]:
    """The trees of the repository that the split gives the patch to; empty where nobody knows."""
    plan = precheck.plan
    if plan is None:
        return frozenset()
    homes = (one.destination for one in plan.subseries if counter in one.counters and one.destination is not None)
    places = (place for home in homes for place in (home.next, home.fixes) if place is not None)
    return frozenset(place.tree.name if place.tree is not None else place.name for place in places)


def _of_trees(precheck: Precheck) -> Iterator[Complaint]:
    """The patches that conflict on the tips of the trees that they are meant for; what fails after them is theirs."""
    if precheck.matrix is None:
        return
    for tree in precheck.matrix.trees:
        first = next((patch for patch in tree.patches if patch.outcome is Outcome.CONFLICT), None)
        if first is not None and tree.name in trees_meant_for(precheck, first.counter):
            yield _conflict(precheck.matrix, tree, first)


def _conflict(matrix: Rebase, tree: TreeResult, patch: PatchResult) -> Complaint:
    paths = list(dict.fromkeys(path_text(one.path) for one in patch.conflicts))
    if not paths and patch.failure is not None:
        paths = [path_text(patch.failure.path)]
    places = [place for conflict in patch.conflicts for place in conflict.places]
    commits = [oid for place in places for oid in place.commits]
    commits += [oid for conflict in patch.conflicts for oid in conflict.commits]
    mend = f"rebase the series onto {tree.name} ({tree.onto[:12]})"
    culprit = matrix.commit(next(iter(commits), None))
    if culprit is not None:
        mend += f'\nchanged there by {culprit.oid[:12]} ("{culprit.subject}")'
    where = f"{paths[0]}:{places[0].line}" if paths and places else next(iter(paths), None)
    message = f"it conflicts with the tip of {tree.name} in {shortened(paths, _MOST_PATHS, 'more files')}"
    return Complaint(
        counter=patch.counter,
        patch_id=None,
        source=f"{APPLY}/{tree.name}",
        status=str(Status.FAIL),
        message=message,
        where=where,
        mend=mend,
    )


def _of_checks(precheck: Precheck) -> Iterator[Complaint]:
    for check, counter, finding in _findings(precheck.checks):
        if finding.status in (Status.WARN, Status.FAIL) and not is_about_trees(check, finding):
            yield Complaint(
                counter=counter,
                patch_id=None,
                source=f"{check}/{finding.rule}",
                status=str(finding.status),
                message=finding.message,
                where=place_text(finding),
                mend=finding.mend,
            )


def is_about_trees(check: str, finding: Finding) -> bool:
    """Whether it tells of what trees have, which is no fault of the patch."""
    return check == APPLY and finding.status is Status.WARN and finding.rule not in _OF_THE_PATCH


def _findings(report: Report | None) -> Iterator[tuple[str, int | None, Finding]]:
    results: Iterable[CheckResult] = report.results if report is not None else ()
    for result in results:
        for finding in result.findings:
            yield result.check, finding.counter if finding.counter is not None else result.counter, finding


def find_namesakes(precheck: Precheck) -> tuple[tuple[int, str], ...]:
    """The patches, by counter, that no tree has, though one has their name by their author: as which commit.

    It may be what became of a later version of the patch.
    """
    trees = precheck.matrix.trees if precheck.matrix else ()
    merged = {one.counter for tree in trees for one in tree.patches if one.outcome is Outcome.ALREADY_MERGED}
    return tuple(
        (counter, finding.message)
        for check, counter, finding in _findings(precheck.checks)
        if counter is not None and (check, finding.rule) == (APPLY, MERGED_OTHERWISE) and counter not in merged
    )


def place_text(finding: Finding) -> str | None:
    """`file:line`, `line n of the message`, or None."""
    if finding.path is not None:
        return path_text(finding.path) + (f":{finding.line}" if finding.line is not None else "")
    return f"line {finding.line} of the message" if finding.line is not None else None
