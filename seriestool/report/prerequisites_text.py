# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series builds on, for people: first the sentence that answers, then each blob's recipe."""

from collections import Counter
from collections.abc import Iterator

from seriestool.base.prerequisites.prerequisite_results import (
    BlobRecipe,
    NeededPatch,
    NeededPatchState,
    PrerequisiteResult,
    RebuiltBase,
)
from seriestool.base.trial import count_applied
from seriestool.base.verdict import Verdict
from seriestool.report.style import Style
from seriestool.report.table import table
from seriestool.series.model import path_text
from seriestool.util.text import count

_SHORT = 12
_ELSEWHERE = ("version", "object", "subset", "merge")


def prerequisites_text(found: PrerequisiteResult, verdict: Verdict, style: Style) -> str:
    """The paragraphs about prerequisites; empty where there is nothing to say."""
    paragraphs = [
        _sentence(found, verdict, style),
        _needs(found, style),
        _recipes(found.rebuilt, verdict, style),
        _hints(found, style),
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def needs_text(found: PrerequisiteResult, verdict: Verdict, style: Style) -> str:
    """The same in short, without how each blob is made."""
    paragraphs = [_sentence(found, verdict, style), _needs(found, style)]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def _sentence(found: PrerequisiteResult, verdict: Verdict, style: Style) -> list[str]:
    rebuilt = found.rebuilt
    if rebuilt is None:
        return []
    where = _commit(rebuilt.commit, verdict)
    head = f"rebuilt base: {where}{''.join(_parts(found))} gives {rebuilt.matched} of {rebuilt.expected} blobs"
    lines = [style.good(head) if rebuilt.level.is_base else style.warn(head)]
    missing = [style.plain(path_text(recipe.path)) for recipe in rebuilt.recipes if not recipe.is_proven]
    if missing:
        lines.append(f"  nothing explains {', '.join(missing)}: the version of a tree that fits best stands there")
    return [*lines, f"  on it {_how_far(count_applied(rebuilt.outcomes), len(rebuilt.outcomes))}"]


def _how_far(done: int, expected: int) -> str:
    if done == expected:
        return f"all {expected} patches apply" if expected > 1 else "the patch applies"
    if done == 0:
        return "not even the first patch applies"
    return f"the first {done} of {expected} patches apply"


def _parts(found: PrerequisiteResult) -> Iterator[str]:
    """What is done to the commit: ' with 3 files from elsewhere', ' plus 2 patches of ...', ' less 2 patches'."""
    assert found.rebuilt is not None  # noqa: S101
    elsewhere = sum(recipe.is_proven and recipe.kind in _ELSEWHERE for recipe in found.rebuilt.recipes)
    if elsewhere:
        yield f" with {count(elsewhere, 'file')} from elsewhere"
    used = [need for need in found.needs if need.paths and need.patch]
    added = [need.patch for need in used if not need.is_removal and need.patch]
    series = Counter(patch.series for patch in added)
    names = {patch.series: patch.title or patch.subject for patch in reversed(added)}
    if series:
        yield " plus " + " and ".join(f"{count(n, 'patch', 'patches')} of '{names[one]}'" for one, n in series.items())
    removed = sum(need.is_removal for need in used)
    if removed:
        yield f" less {count(removed, 'patch', 'patches')}"


def _needs(found: PrerequisiteResult, style: Style) -> list[str]:
    if not found.needs:
        return []
    return ["prerequisites", *table([_need(need) for need in found.needs], style)]


def _need(need: NeededPatch) -> tuple[str, ...]:
    if need.patch is None:
        return str(need.state), need.stated_as or "", ""
    version = f" v{need.patch.version}" if need.patch.version > 1 else ""
    state = f"merged as {need.merged_as[:_SHORT]}" if need.merged_as else str(need.state)
    if need.state is NeededPatchState.MERGED and not need.merged_as:
        state = "merged"
    return (
        f"{'taken off, ' if need.is_removal else ''}{state}",
        f"{need.patch.subject}{version} ({need.patch.counter}/{need.patch.expected})",
        need.stated_as or f"<{need.patch.msgid}>",
    )


def _recipes(rebuilt: RebuiltBase | None, verdict: Verdict, style: Style) -> list[str]:
    if rebuilt is None:
        return []
    rows = [(path_text(recipe.path), recipe.blob, _how(recipe, verdict)) for recipe in rebuilt.recipes]
    return ["how each blob is made", *table(rows, style)]


def _how(recipe: BlobRecipe, verdict: Verdict) -> str:
    where = _commit(recipe.commit, verdict)
    if not recipe.is_proven:
        return f"not proven; {where} fits best" if recipe.commit else "not proven, and no tree has the path"
    if recipe.kind == "object":
        return "in this repository, though no commit has it"
    if recipe.kind == "patches":
        steps = ", ".join(f"{'less' if removal else 'plus'} '{patch.subject}'" for patch, removal in recipe.patches)
        return f"{where} {steps}"
    if recipe.kind == "subset":
        return f"{where} with {recipe.changes} of the changes of {_commit(recipe.others[0], verdict)}"
    if recipe.kind == "merge":
        return f"{where} merged with {_commit(recipe.others[1], verdict)} (base {_commit(recipe.others[0], verdict)})"
    return where


def _commit(oid: str | None, verdict: Verdict) -> str:
    if oid is None:
        return ""
    label = next((one.label for one in verdict.candidates if one.commit == oid and one.label), None)
    commit = verdict.commit(oid)
    return (
        f"{oid[:_SHORT]} ({label or (commit.subject if commit else 'untitled')})" if label or commit else oid[:_SHORT]
    )


def _hints(found: PrerequisiteResult, style: Style) -> list[str]:
    if not found.hints:
        return []
    return [
        "the cover letter links, where it speaks of dependence",
        *(f"  {style.plain(hint)}" for hint in found.hints),
    ]
