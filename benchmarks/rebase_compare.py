# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the tool and git disagree about a rebase; pure functions of what both said."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.rebase_judge import CLEAN, CONFLICT, DROPPED, PLAIN, Stop, Way
from benchmarks.rebase_tool import Answer, Patch

LANDED = frozenset(("patch-id", "subject", "reverse"))
"""On what the tool rests where it says of a patch that git has a conflict with: it is there in another form."""
NO_DIFF = "no-diff"

_SIDE = re.compile(r"~(?:HEAD|[0-9a-f]{7,64})(?: \(.*\))?(?=/|$|_\d+$)")
"""What git appends to a file's name where a folder has that name: the side that it is from, HEAD or a commit.

It may leave nothing unmerged there, and say that there is a conflict all the same.
"""
_SAME = {
    "UNMODIFIED": {CLEAN, PLAIN},
    "MODIFIED": {CLEAN, PLAIN},
    "EMPTY": {DROPPED},
    "ALREADY_MERGED": {DROPPED},
    "CONFLICT": {CONFLICT},
}
"""The tool's word for what became of a patch, and git's."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    case: str
    kind: str
    text: str


def compare(case: str, git: Way, answer: Answer) -> Iterator[Disagreement]:
    """What is otherwise than git has it (`Record.rule`), up to the first patch after which they cannot be compared."""
    patches = [patch for patch in answer.patches if patch.how != NO_DIFF]
    if answer.error:
        yield Disagreement(case, "error", f"exit code {answer.code}: {answer.error.strip()}")
    elif len(patches) != len(git.outcomes):
        yield Disagreement(case, "patches", f"{len(patches)} patches, git has {len(git.outcomes)}")
    elif (answer.code == 0) != (answer.tree is not None):
        yield Disagreement(case, "code", f"exit code {answer.code} with tree {answer.tree}")
    else:
        yield from _compare_patches(case, git, patches, answer.tree)


def _compare_patches(case: str, git: Way, patches: list[Patch], tree: str | None) -> Iterator[Disagreement]:
    stops = {stop.patch: stop for stop in git.stops}
    for number, (theirs, ours) in enumerate(zip(git.outcomes, patches, strict=True), 1):
        if theirs == CONFLICT:
            if is_landed(ours):
                continue  # as `git rebase --skip` would
            yield from _compare_stop(case, stops[number], ours)
            return
        if theirs not in _SAME[ours.outcome]:
            kind = "false conflict" if ours.outcome == "CONFLICT" else "outcome"
            yield Disagreement(case, kind, f"patch {number}: {_describe(ours)}, git: {theirs}")
            if ours.outcome == "CONFLICT":
                return
    if tree != git.tree:
        yield Disagreement(case, "tree", f"{tree}, git has {git.tree}")


def _compare_stop(case: str, stop: Stop, ours: Patch) -> Iterator[Disagreement]:
    if ours.outcome != "CONFLICT":
        yield Disagreement(
            case, "missed conflict", f"patch {stop.patch}: {_describe(ours)}, git: {'; '.join(stop.said)}"
        )
        return
    mine, gits = ({_SIDE.sub("", path) for path in paths} for paths in (ours.paths, stop.paths))
    only = sorted(path for path in mine - gits if not any(path in line for line in stop.said))
    missing = sorted(gits - mine)
    if only or missing:
        yield Disagreement(case, "files", f"patch {stop.patch}: only ours {only}, only git's {missing}")


def is_landed(patch: Patch) -> bool:
    """Whether the tool knows the patch to be merged, however git fares with it."""
    return patch.outcome == "ALREADY_MERGED" and patch.how in LANDED


def _describe(patch: Patch) -> str:
    return " ".join([patch.outcome, f"({patch.how})", *sorted(patch.paths)])
