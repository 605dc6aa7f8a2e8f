# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a patch goes: its files vote, with its subject and its author; what is not clear is no decision.

A file's vote grows with the changed lines, slowly: one line in each of ten drivers says more than a hundred lines of
one document. All else counts in parts of what the files have together.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import log10

from msgspec import Struct, field

from seriestool.series.model import FileDiff, Patch
from seriestool.split.destination import Destination
from seriestool.split.file_owners import FileOwners, folder_words, is_author, is_companion, is_kin
from seriestool.trees.maintainers import MaintainersSection
from seriestool.trees.tree_names import short_heading
from seriestool.util.json_struct import JsonStruct

_STATED = 0.6  # [PATCH net-next]
_PREFIX = 0.35
_AUTHOR = 0.25
_ALIKE = 0.3  # other patches whose subjects begin alike
_SERIES = 0.2  # other patches of the series
_ENOUGH = 0.5
_MARGIN = 0.1
_STOP = {"the", "and", "for", "linux", "kernel", "drivers", "driver", "support", "subsystem", "code", "lib", "library"}


class DestinationChoice(JsonStruct, frozen=True):
    """A destination that a patch may go to; `score` is 1 where all its files speak for it, and nothing else."""

    destination: str
    score: float
    evidence: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The choice as JSON shows it."""
        return {"destination": self.destination, "score": round(self.score, 2), "evidence": list(self.evidence)}


class DestinationScores(Struct):
    """What speaks for each destination of one patch while it is counted."""

    patch: Patch
    files: tuple[FileOwners, ...]
    shares: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)

    def add(self, destination: str, share: float, reason: str) -> None:
        """One more reason."""
        self.shares[destination] = self.shares.get(destination, 0.0) + share
        self.reasons.setdefault(destination, []).append(reason)

    def choices(self) -> tuple[DestinationChoice, ...]:
        """The destinations, the likeliest first; equal ones in the order in which their files come."""
        ranked = sorted(self.shares, key=lambda name: -round(self.shares[name], 6))
        return tuple(DestinationChoice(name, self.shares[name], tuple(self.reasons[name])) for name in ranked)


def score_destinations(patch: Patch, files: Mapping[bytes, FileOwners], words: Iterable[str]) -> DestinationScores:
    """What the files, the subject and the author say; `words` are those of the bracket in the series' subject."""
    touched = {path: files[path] for path in paths_of(patch) if path in files}
    scores = DestinationScores(patch, tuple(touched.values()))
    _score_files(scores)
    candidates = {one.name: one for file in scores.files for one in file.acceptable}
    for name, destination in candidates.items():
        word = next((word for word in words if word.lower() in destination.names), None)
        if word:
            scores.add(name, _STATED, f"the subject says [{word}]")
        _score_subject(scores, destination)
        _score_author(scores, destination)
    return scores


def decide(scores: DestinationScores) -> str | None:
    """The destination that has at least half of all votes and clearly more than any other, or None."""
    choices = scores.choices()
    if not choices or choices[0].score < _ENOUGH:
        return None
    if len(choices) > 1 and choices[0].score - choices[1].score < _MARGIN:
        return None
    return choices[0].destination


def score_by_other_patches(
    scores: DestinationScores, decided: Mapping[int, str], others: Sequence[DestinationScores]
) -> None:
    """Adds what the decided patches of the series say of one that is not; only of those that its files do not
    exclude."""
    if not decided:
        return
    own = subject_word(scores.patch.subject)
    alike = Counter(
        decided[one.patch.counter]
        for one in others
        if own and own == subject_word(one.patch.subject) and one.patch.counter in decided
    )
    every = Counter(decided.values())
    has_owners = any(file.owners for file in scores.files)
    for name, count in every.items():
        if has_owners and name not in scores.shares:
            continue
        if alike[name]:
            scores.add(name, _ALIKE * alike[name] / alike.total(), f"like other patches that begin with '{own}:'")
        goes = "goes" if count == 1 else "go"
        share = _SERIES * count / every.total()
        if not has_owners and len(every) == 1:
            share = _ENOUGH
        scores.add(name, share, f"{count} of the other patches {goes} there")


def paths_of(patch: Patch) -> tuple[bytes, ...]:
    """The paths that the patch touches, in order; of a rename both."""
    paths = (path for diff in patch.files for path in (diff.new_path, diff.old_path) if path is not None)
    return tuple(dict.fromkeys(paths))


def subject_word(subject: str) -> str:
    """What stands before the first colon, lower case; '' where that is no name of a subsystem."""
    head, colon, _ = subject.partition(":")
    return head.strip().lower() if colon and len(head) < 60 else ""


def subject_words(subject: str) -> list[str]:
    """The words that name subsystems: 'net', 'handshake' of 'net/handshake: x', also 'foo' of 'net: foo: x'."""
    heads = subject.split(": ")[:-1][:3]
    return [
        word
        for head in heads
        if len(head) < 60
        for word in re.split(r"[^a-z0-9_-]+", head.lower())
        if len(word) > 1 and word not in _STOP
    ]


def _score_files(scores: DestinationScores) -> None:
    weights: dict[bytes, float] = {}
    for diff in scores.patch.files:
        weights[diff.path] = weights.get(diff.path, 0.0) + 1 + log10(1 + _changed(diff))
    scoring_files = _scoring_files(scores)
    whole = sum(weights.get(file.path, 1.0) for file in scoring_files) or 1.0
    shares: dict[str, float] = {}
    counts: Counter[str] = Counter()
    headings: dict[str, str] = {}
    for file in scoring_files:
        for one in file.owners:
            shares[one.name] = shares.get(one.name, 0.0) + weights.get(file.path, 1.0) / whole
            counts[one.name] += 1
            headings.setdefault(one.name, _heading(file, one))
    for name, share in shares.items():
        verb = "is" if counts[name] == 1 else "are"
        where = f"{counts[name]} of {len(scores.files)} files {verb}" if len(scores.files) > 1 else "the file is"
        scores.add(name, share, f"MAINTAINERS: {where} in '{short_heading(headings[name])}'")


def _scoring_files(scores: DestinationScores) -> list[FileOwners]:
    """The files but for those that lie elsewhere for what they are, not for whose: include/trace/events/nfs.h of a
    patch that begins with 'nfs:', where no other file is that folder's owner's."""
    words = subject_words(scores.patch.subject)
    owners = {one for file in scores.files if not is_companion(file) for one in file.owners}
    scoring_files = [
        file
        for file in scores.files
        if not (is_companion(file) and is_kin(file, words) and owners.isdisjoint(file.owners)) or not file.owners
    ]
    return scoring_files if any(file.owners for file in scoring_files) else list(scores.files)


def _changed(diff: FileDiff) -> int:
    return sum(not line.startswith(b" ") for hunk in diff.hunks for line in hunk.lines)


def _heading(file: FileOwners, destination: Destination) -> str:
    claims = [claim for claim in file.claims if destination in claim.destinations]
    return (claims or file.claims)[0].section.heading


def _score_subject(scores: DestinationScores, destination: Destination) -> None:
    named = _names(scores.files, destination)
    word = next((word for word in subject_words(scores.patch.subject) if word in named), None)
    if word:
        scores.add(destination.name, _PREFIX, f"the subject names '{word}'")


def _names(files: Iterable[FileOwners], destination: Destination) -> set[str]:
    """What a subject may call the destination: its sections' words, its trees' names, the folders it owns here."""
    names = set(destination.names)
    for file in files:
        if destination in file.owners:
            names.update(folder_words(file.path))
        for section in _sections(file, destination):
            names.update(re.findall(r"[a-z0-9_-]+", section.heading.lower()))
    return {part for name in names for part in (name, *name.split("-"))} - _STOP


def _sections(file: FileOwners, destination: Destination) -> Iterator[MaintainersSection]:
    """The sections that speak for the destination: those with its tree, and those more special that have no tree."""
    for claim in file.claims:
        if destination in claim.destinations or (not claim.destinations and destination in file.owners):
            yield claim.section


def _score_author(scores: DestinationScores, destination: Destination) -> None:
    for file in scores.files:
        for section in _sections(file, destination):
            if any(is_author(entry, scores.patch) for entry in section.maintainers):
                scores.add(destination.name, _AUTHOR, f"its author maintains '{short_heading(section.heading)}'")
                return
