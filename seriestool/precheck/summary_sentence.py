# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reviewer wants to hear first, in a sentence; pure. Words of mails stand in it as they came: reports escape.

It tells of trees and commits, never of what the author should have done: that a series is for a tree which is not
here is nobody's fault.
"""

from collections.abc import Sequence

from seriestool.base.verdict import FitLevel, StatedBaseState
from seriestool.check.protocol import Status
from seriestool.precheck.complaints import find_namesakes, is_about_trees
from seriestool.precheck.conclusions import (
    answer_of,
    find_merged,
    intended_tree,
    is_intended_tree,
    needs_of,
    rebuilt_of,
)
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.precheck.target_trees import is_well_founded
from seriestool.rebase.patch_stack import BaseKind
from seriestool.rebase.rebase_result import OutcomeReason, PatchResult, TreeResult
from seriestool.series.model import Outcome, path_text
from seriestool.util.text import count, joined, shortened

_SHORT = 12
_FEW = 3
_UNKNOWN = "What it was made from is not known"


def verdict_sentence(precheck: Precheck) -> str:
    """Whether it can be applied, on what, how sure that is, and what stands in the way."""
    answer = answer_of(precheck)
    if answer is PrecheckAnswer.MERGED:
        tree = find_merged(precheck)
        return f"All of the series is in {tree.name} already{_otherwise(precheck, tree)}." if tree else ""
    if answer is PrecheckAnswer.NO_BASE:
        return _no_base(precheck)
    if answer is PrecheckAnswer.WAITS:
        return _waits(precheck)
    if answer is PrecheckAnswer.CONFLICTS:
        return _conflicts(precheck)
    return _goes_in(precheck)


def base_confidence(precheck: Precheck) -> tuple[bool, str]:
    """(whether what is said of patches rests on a base that is proven, how the base was chosen and how sure it is)."""
    base, level = precheck.base, precheck.verdict.level
    if base is None:
        return False, "No base is known: what is said of patches rests on trying them as they are."
    share = f"{base.matched} of {base.expected} paths are as the series names them"
    name = name_of_base(precheck)
    if base.footing is BaseKind.GIVEN:
        return False, f"{name} was given as the base, though patches do not apply there; {share}."
    if base.footing is BaseKind.REBUILT:
        return False, f"The base was put together on {name}; {share}."
    if base.footing is BaseKind.EXACT and _has_proof(precheck):
        stated = ", and it is the base-commit that the author states" if _is_stated(precheck) else ""
        return True, f"{name} is the base, exactly: {share}{stated}."
    if _is_stated(precheck):
        return True, f"{name} is the base-commit that the author states, and all patches apply there; {share}."
    if level is FitLevel.EXACT:
        sure = is_intended_tree(precheck, _tree_of_base(precheck))
        return sure, f"All files are new, so that many commits would do; {name} is the likeliest."
    sure = is_intended_tree(precheck, _tree_of_base(precheck)) and base.matched > 0
    what = "in the tree that it is for" if sure else "which need not be what it was made from"
    return sure, f"All patches apply to {name}, {what}; {share}."


def name_of_base(precheck: Precheck) -> str:
    """The base as people name it: id, what git describes it as, the tree."""
    if precheck.base is None:
        return "no commit"
    commit, named = precheck.base.commit, precheck.verdict.base
    if named is None or named.commit != commit:
        known = precheck.verdict.commit(commit)
        return f"{commit[:_SHORT]} ({known.subject})" if known else commit[:_SHORT]
    inside = ", ".join(part for part in (named.describe, f"in {named.tree}" if named.tree else None) if part)
    return f"{commit[:_SHORT]} ({inside})" if inside else commit[:_SHORT]


def _no_base(precheck: Precheck) -> str:
    series, rebuilt = precheck.series, rebuilt_of(precheck)
    if not series.patches:
        return "The patches themselves are not at hand, so that nothing could be tried."
    if precheck.matrix is None and any(step.name == "matrix" and step.problem for step in precheck.steps):
        return f"No tree here has the files that the series changes{_elsewhere(precheck)}."
    if rebuilt is not None and rebuilt.matched:
        made = f"{rebuilt.matched} of the {rebuilt.expected} files that it was made from could be found or made again"
        return f"The series applies to no commit of a tree that is here{_elsewhere(precheck)}; {made}."
    return f"The series applies to no commit of a tree that is here{_elsewhere(precheck)}."


def _elsewhere(precheck: Precheck) -> str:
    """A tree that is not here, where one is likelier than those that are."""
    likeliest = precheck.suggestions[0] if precheck.suggestions else None
    if likeliest is None or likeliest.tree is not None:
        return ""
    return f"; it may be for {likeliest.name}, which is not here" if is_well_founded(likeliest) else ""


def _waits(precheck: Precheck) -> str:
    needs = needs_of(precheck)
    names = list(dict.fromkeys(need.patch.title or need.patch.subject for need in needs if need.patch))
    what = _list([f"'{name}'" for name in names])
    if len(needs) > 1:
        what = f"{len(needs)} patches of {what}"
    rebuilt = rebuilt_of(precheck)
    if rebuilt is not None and rebuilt.level.is_base:
        return f"The series builds on {what}, which no tree here has yet; with them it goes in."
    return f"The series builds on {what}, which no tree here has yet."


def _conflicts(precheck: Precheck) -> str:
    tree = intended_tree(precheck)
    if tree is None:
        return ""
    stopped = [patch for patch in tree.patches if not patch.is_in]
    first = stopped[0]
    where = _files(first)
    others = [one.name for one in precheck.matrix.trees if one.is_clean] if precheck.matrix else []
    also = f"; it goes in on {_list(others)}" if others else ""
    which = _patches([patch.counter for patch in stopped], precheck.series.expected)
    verb = "conflicts" if len(stopped) == 1 else "conflict"
    said = f"on the tip of {tree.name} {which} {verb}{where}{_landed(precheck, tree)}{also}"
    return f"{_made_from(precheck) or _UNKNOWN}; {said}."


def _goes_in(precheck: Precheck) -> str:
    tree = intended_tree(precheck)
    clean = [one.name for one in precheck.matrix.trees if one.is_clean] if precheck.matrix else []
    where = f"goes in on the tip of {_list(clean)}{_landed(precheck, tree)}{_doubtful(precheck, tree)}" if clean else ""
    if made := _made_from(precheck):
        return f"{made}{', and ' if where else ''}{where}{_mend(precheck)}."
    known = f"The series {where}, though what it was made from is not known" if where else _UNKNOWN
    return f"{known}{_mend(precheck)}."


def _landed(precheck: Precheck, tree: TreeResult | None) -> str:
    """What is there already; where that is most of it, what is not."""
    if tree is None:
        return ""
    there = [one.counter for one in tree.patches if one.outcome is Outcome.ALREADY_MERGED]
    left = [one.counter for one in tree.patches if one.counter not in there]
    if not there:
        return ""
    if len(there) > _FEW >= len(left):
        return f" (all but {_patches(left, precheck.series.expected)} are there already)"
    return f" ({_patches(there, precheck.series.expected)} {'is' if len(there) == 1 else 'are'} there already)"


def _otherwise(precheck: Precheck, tree: TreeResult) -> str:
    """Which of the patches are known by name and author alone: what was merged may be a later version of them."""
    changed = [one.counter for one in tree.patches if one.how is OutcomeReason.SUBJECT]
    if not changed:
        return ""
    return f"; {_patches(changed, precheck.series.expected)} with other changes, under the same name and author"


def _doubtful(precheck: Precheck, tree: TreeResult | None) -> str:
    """The patches that would go in though what became of them may be there, from a later version."""
    names = {counter for counter, _ in find_namesakes(precheck)}
    found = [one.counter for one in tree.patches if one.is_in and one.counter in names] if tree else []
    return f", though {_patches(found, precheck.series.expected)} may be in a tree in another form" if found else ""


def _mend(precheck: Precheck) -> str:
    """How much there is to say to the author; that a tree has a patch already is no question to them."""
    results = precheck.checks.results if precheck.checks else ()
    findings = [one for result in results for one in result.findings if not is_about_trees(result.check, one)]
    fails = sum(one.status is Status.FAIL for one in findings)
    warns = sum(one.status is Status.WARN for one in findings)
    if fails:
        return f"; {count(fails, 'thing')} to fix"
    return f"; {count(warns, 'question')} a reviewer may ask" if warns else ""


def _made_from(precheck: Precheck) -> str:
    """Where it sits, with how sure that is in a word; empty where that is not known."""
    base = precheck.base
    if base is None:
        return ""
    name = name_of_base(precheck)
    if base.footing is BaseKind.EXACT:
        return f"The series was made from {name}" if _has_proof(precheck) else f"The series fits {name}"
    if base.footing is BaseKind.APPLIES:
        return f"The series applies to {name}"
    if base.footing is BaseKind.REBUILT:
        proven = "" if base.matched == base.expected else f", as far as {base.matched} of {base.expected} files tell"
        return f"The series was made from {name} with {count(base.put_in, 'file')} of other versions{proven}"
    return f"The series was put on {name}"


def _has_proof(precheck: Precheck) -> bool:
    """Whether a file's content speaks for the base: that new files are absent is true of many commits."""
    if precheck.base is not None and precheck.verdict.base and precheck.base.commit != precheck.verdict.base.commit:
        return any(path.expects == "blob" for path in precheck.verdict.paths)
    return any(path.expects == "blob" and path.matched for path in precheck.verdict.paths)


def _is_stated(precheck: Precheck) -> bool:
    """Whether the base is the author's own, and was found to be true."""
    stated, base = precheck.verdict.stated, precheck.base
    if stated is None or base is None or stated.verdict not in (FitLevel.EXACT, FitLevel.APPLIES):
        return False
    return stated.state is not StatedBaseState.MALFORMED and base.commit.startswith(stated.commit)


def _tree_of_base(precheck: Precheck) -> str | None:
    named = precheck.verdict.base
    return named.tree if named and precheck.base and named.commit == precheck.base.commit else None


def _files(result: PatchResult) -> str:
    paths = list(dict.fromkeys(path_text(conflict.path) for conflict in result.conflicts))
    return f" in {_list(paths)}" if paths else ""


def _patches(counters: Sequence[int], expected: int) -> str:
    shown = ", ".join(map(str, counters[:_FEW])) + (", ..." if len(counters) > _FEW else "")
    if expected == 1:
        return "the patch"
    return f"{'patch' if len(counters) == 1 else 'patches'} {shown} of {expected}"


def _list(names: Sequence[str]) -> str:
    """A few names: 'a, b and 3 more'."""
    return shortened(names, _FEW) if len(names) > _FEW else joined(names)
