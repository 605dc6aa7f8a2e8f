# SPDX-License-Identifier: GPL-2.0-or-later
"""The prerequisites that the author states, looked up: b4's `prerequisite-*`, QEMU's Based-on, Patchwork's Depends-on.

One that cannot be found is told, not passed over: b4 applies the series without it and exits with 0.
"""

import re
from collections.abc import Sequence
from itertools import groupby

from seriestool.base.prerequisites.patch_source import PatchSource
from seriestool.base.prerequisites.prerequisite_results import NeededPatch, NeededPatchState
from seriestool.series.model import Prerequisite, Series
from seriestool.sources.lists import ListedPatch

_MSGID = re.compile(r"[^\s<>/\"()]+@[^\s<>/\"()]+")
_CHANGE_ID = re.compile(r"(.+):v([0-9]{1,4})")
_DEPENDENCE = re.compile(
    r"\b(?:depends?|dependent|based|builds?|applies|prerequisites?|on top of|follows?|requires?|needs?)\b", re.I
)
_LINK = re.compile(r"https?://[^\s<>\"]+")
_MOST_HINTS = 10


def resolve_stated(series: Series, source: PatchSource) -> tuple[NeededPatch, ...]:
    """A need for each stated prerequisite, in order: found, missing, ambiguous or superseded."""
    return tuple(
        need
        for stated in series.base.prerequisites
        if stated.kind != "base-commit"
        for need in _resolve(stated, source)
    )


def find_hints(series: Series) -> tuple[str, ...]:
    """Links of the cover letter that stand in a sentence which speaks of dependence."""
    text = series.cover.body if series.cover else series.patches[0].notes if series.patches else ""
    sentences = re.split(r"(?<=[.!?])\s+|\n\s*\n", text)
    links = (link.rstrip(".,;)") for one in sentences if _DEPENDENCE.search(one) for link in _LINK.findall(one))
    return tuple(dict.fromkeys(links))[:_MOST_HINTS]


def _resolve(stated: Prerequisite, source: PatchSource) -> tuple[NeededPatch, ...]:
    words = f"{_name(stated.kind)}: {stated.value}"
    if stated.kind == "patch-id":
        return _by_patch_id(stated.value, words, source)
    if stated.kind == "change-id":
        return _by_change_id(stated.value, words, source)
    return _by_message(stated.value, words, source)


def _name(kind: str) -> str:
    return {"based-on": "Based-on", "depends-on": "Depends-on"}.get(kind, f"prerequisite-{kind}")


def _by_patch_id(value: str, words: str, source: PatchSource) -> tuple[NeededPatch, ...]:
    found = source.find_patch_id(value.strip().lower())
    works = {patch.change_id or patch.subject for patch in found}
    if len(works) > 1:
        return tuple(NeededPatch(patch, NeededPatchState.AMBIGUOUS, "stated", words) for patch in found)
    if not found:
        return (NeededPatch(None, NeededPatchState.MISSING, "stated", words),)
    # The same patch can stand in several versions of its series: the newest one is the one to take.
    return (_found(max(found, key=lambda patch: (patch.version, patch.date)), words, source),)


def _by_change_id(value: str, words: str, source: PatchSource) -> tuple[NeededPatch, ...]:
    """`change-id` or `change-id:vN` (b4 prep --edit-deps): all patches of that version, or of the newest."""
    match = _CHANGE_ID.fullmatch(value.strip())
    name, version = (match[1], match[2]) if match else (value.strip(), None)
    patches = sorted(source.find_change_id(name), key=lambda patch: (patch.version, patch.counter))
    by_version = {number: list(some) for number, some in groupby(patches, key=lambda patch: patch.version)}
    if not by_version:
        return (NeededPatch(None, NeededPatchState.MISSING, "stated", words),)
    wanted = int(version) if version else max(by_version)
    if wanted not in by_version:
        return (NeededPatch(None, NeededPatchState.MISSING, "stated", words),)
    state = NeededPatchState.SUPERSEDED if wanted < max(by_version) else NeededPatchState.UNMERGED
    return tuple(NeededPatch(patch, state, "stated", words) for patch in by_version[wanted])


def _by_message(value: str, words: str, source: PatchSource) -> tuple[NeededPatch, ...]:
    """A message-id, or a URL with one in it: the series that the mail belongs to."""
    match = _MSGID.search(value.replace("%40", "@"))
    patches: Sequence[ListedPatch] = source.series_of(match[0]) if match else ()
    if not patches:
        return (NeededPatch(None, NeededPatchState.MISSING, "stated", words),)
    return tuple(_found(patch, words, source) for patch in patches)


def _found(patch: ListedPatch, words: str, source: PatchSource) -> NeededPatch:
    newer = source.find_change_id(patch.change_id) if patch.change_id else ()
    state = (
        NeededPatchState.SUPERSEDED if any(one.version > patch.version for one in newer) else NeededPatchState.UNMERGED
    )
    return NeededPatch(patch, state, "stated", words)
