# SPDX-License-Identifier: GPL-2.0-or-later
"""Which trees a series is meant for: what its subject says, what MAINTAINERS says of its files, who is in Cc.

Every piece of evidence adds points to a tree, and a short phrase that is shown to people. The points only rank: that a
series applies to a tree is for find-base to prove.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from seriestool.git import Repository
from seriestool.series.model import Series
from seriestool.trees import Tree
from seriestool.trees.maintainers import Maintainers, MaintainersSection, SectionMatch, TreeLine, parse_maintainers
from seriestool.trees.tree_names import repository_name, short_heading, tree_line_name, url_key
from seriestool.util.json_struct import JsonStruct
from seriestool.util.lazy_pattern import lazy_pattern

_PREFIX = 100.0
_STABLE = 90.0
_FILES = 60.0
_AUTHOR = 20.0
_LISTS = 20.0
_LEAST = 0.5  # points of a list below which it says nothing
_KEYWORDS = 5.0
_SUBSYSTEM = 4.0
_ANY_BRANCH = 0.9  # of a T: line's points, for a branch that it does not name
_NEXT = lazy_pattern(r"for-next|next|for-[0-9.]+|.*-next|.*-testing|devel")
# Words of a subject's bracket that say what kind of mail it is, not where it goes.
_NO_TREE = {"rfc", "resend", "rft", "repost", "draft", "fix", "bugfix", "regression", "internal", "kernel", "linux"}
_MAX_FILES = 2000
_MAX_LINES = 20_000


class Suggestion(JsonStruct, frozen=True):
    """A tree that the series may be meant for; `tree` is None for one that is not in this repository."""

    name: str
    tree: Tree | None
    url: str | None
    branch: str | None
    score: float
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The suggestion as JSON shows it."""
        return {
            "name": self.name,
            "ref": self.tree.ref if self.tree else None,
            "commit": self.tree.commit if self.tree else None,
            "url": self.url,
            "branch": self.branch,
            "score": round(self.score, 1),
            "reasons": list(self.reasons),
        }


class _Hint(NamedTuple):
    """Points for a tree that MAINTAINERS names."""

    line: TreeLine
    points: float
    reason: str


_Hints = dict[str, list[_Hint]]
"""By what two spellings of a URL have in common."""


class _TreeOption(NamedTuple):
    """Where points are collected: a tree that is here, or a T: line's that is not."""

    name: str
    tree: Tree | None
    url: str | None
    branch: str | None


def suggest(series: Series, maintainers: Maintainers | None, trees: Sequence[Tree]) -> tuple[Suggestion, ...]:
    """The trees with anything that speaks for them, the likeliest first; equal ones in the order of `trees`.

    Without MAINTAINERS only the subject's words and the trees' names speak.
    """
    hints = _hints(series, maintainers) if maintainers else {}
    lines = _known_lines(maintainers, trees) if maintainers else ()
    options = [*(_TreeOption(tree.name, tree, tree.url, tree.branch) for tree in trees), *lines]
    found = []
    for number, option in enumerate(options):
        evidence = [*_by_words(series, option), *_by_hints(hints, option)]
        score = sum(points for points, _ in evidence)
        if score > 0:
            reasons = tuple(dict.fromkeys(reason for _, reason in sorted(evidence, key=lambda item: -item[0])))
            found.append((-score - _branch_preference(option), number, Suggestion(*option, score, reasons)))
    return tuple(suggestion for _, _, suggestion in sorted(found, key=lambda item: item[:2]))


def order_trees(series: Series, trees: Sequence[Tree], repository: Repository) -> tuple[Tree, ...]:
    """All the trees, those first that the series is meant for; MAINTAINERS is read only where it could tell."""
    has_urls = any(tree.url for tree in trees) and len(trees) > 1
    maintainers = read_maintainers(repository, [tree.commit for tree in trees[:1]]) if has_urls else None
    suggested = [found.tree for found in suggest(series, maintainers, trees) if found.tree]
    first = {tree.ref for tree in suggested}
    return (*suggested, *(tree for tree in trees if tree.ref not in first))


def read_maintainers(repository: Repository, commits: Iterable[str]) -> Maintainers | None:
    """MAINTAINERS of the first of the commits that has one, or None."""
    for commit in commits:
        found = repository.objects.read(f"{commit}:MAINTAINERS")
        if found and found[1] == "blob":
            return parse_maintainers(found[2])
    return None


def _by_words(series: Series, option: _TreeOption) -> Iterator[tuple[float, str]]:
    names = _names_of(option)
    for word in series.prefixes:
        if word.lower() in _NO_TREE:
            continue
        if word.lower() in names:
            yield _PREFIX, f"the subject says [{word}]"
        elif _is_stable(word, option.branch):
            yield _STABLE, f"the subject says [{word}]"
    counts = Counter(_subsystem(patch.subject) for patch in series.patches)
    for word, _ in sorted(counts.items()):
        if word and word in names | _words(names):
            yield _SUBSYSTEM * counts[word] / len(series.patches), f"the subjects begin with '{word}:'"


def _by_hints(hints: _Hints, option: _TreeOption) -> Iterator[tuple[float, str]]:
    for hint in hints.get(url_key(option.url), ()):
        exact = hint.line.branch is not None and hint.line.branch == option.branch
        if exact or hint.line.branch is None or option.tree is not None:
            yield hint.points * (1 if exact else _ANY_BRANCH), hint.reason


def _hints(series: Series, maintainers: Maintainers) -> _Hints:
    hints: _Hints = {}
    paths = series.touched[:_MAX_FILES]
    matches = {path: _with_trees(maintainers.match(path)) for path in paths}
    sections = {match.section: None for found in matches.values() for match in found}
    for hint in chain(
        _by_files(matches),
        _by_author(series, sections),
        _by_content(series, maintainers),
        _by_lists(series.recipients, maintainers),
    ):
        hints.setdefault(url_key(hint.line.url), []).append(hint)
    return hints


def _with_trees(matches: Iterable[SectionMatch]) -> tuple[SectionMatch, ...]:
    # What matches everything (THE REST) says nothing.
    return tuple(match for match in matches if match.depth >= 0 and match.section.trees)


def _by_files(matches: Mapping[bytes, Sequence[SectionMatch]]) -> Iterator[_Hint]:
    """Each file has the same weight; among its sections a folder deeper counts twice as much."""
    weights: dict[MaintainersSection, float] = {}
    files: Counter[MaintainersSection] = Counter()
    for found in matches.values():
        whole = sum(2.0**match.depth for match in found)
        for match in found:
            weights[match.section] = weights.get(match.section, 0) + 2.0**match.depth / whole
            files[match.section] += 1
    for section, weight in weights.items():
        reason = f"MAINTAINERS: {files[section]} of {len(matches)} files in '{short_heading(section.heading)}'"
        yield from (_Hint(line, _FILES * weight / len(matches), reason) for line in section.trees)


def _by_author(series: Series, sections: Iterable[MaintainersSection]) -> Iterator[_Hint]:
    """Maintainers base what they send on their own trees."""
    authors = {(patch.author_name.lower(), patch.author_email.lower()) for patch in series.patches}
    known = {word for author in authors for word in author if " " in word or "@" in word}
    seen = set()
    for section in sections:
        if not any(word in entry.lower() for word in known for entry in section.maintainers):
            continue
        for line in section.trees:
            if line not in seen:
                seen.add(line)
                yield _Hint(line, _AUTHOR, f"its author maintains '{short_heading(section.heading)}'")


def _by_content(series: Series, maintainers: Maintainers) -> Iterator[_Hint]:
    lines = (line for patch in series.patches for line in patch.diff.split(b"\n") if line[:1] in b"+-" and line)
    for section in maintainers.match_content(islice(lines, _MAX_LINES)):
        reason = f"MAINTAINERS: a keyword of '{short_heading(section.heading)}' in the patches"
        yield from (_Hint(line, _KEYWORDS, reason) for line in section.trees)


def _by_lists(recipients: Iterable[str], maintainers: Maintainers) -> Iterator[_Hint]:
    """A list speaks for the trees of its sections, each as much as its share in them."""
    wanted = set(recipients)
    lines: dict[str, Counter[TreeLine]] = {}
    for section in maintainers.sections:
        for address in wanted.intersection(section.lists):
            lines.setdefault(address, Counter()).update(section.trees)
    for address, counts in sorted(lines.items()):
        whole = sum(counts.values())
        for line, count in counts.items():
            points = _LISTS * count / whole / len(lines)
            if points >= _LEAST:
                yield _Hint(line, points, f"mailed to {address}")


def _known_lines(maintainers: Maintainers, trees: Iterable[Tree]) -> tuple[_TreeOption, ...]:
    """The trees that MAINTAINERS names and that are not here."""
    here = {url_key(tree.url) for tree in trees}
    lines = {line: None for section in maintainers.sections for line in section.trees if line.scm == "git"}
    return tuple(
        _TreeOption(tree_line_name(line), None, line.url, line.branch)
        for line in lines
        if url_key(line.url) not in here
    )


def _names_of(option: _TreeOption) -> set[str]:
    """All that people may call the tree in a subject's bracket, lower case."""
    names = {option.name, option.branch or ""}
    if option.tree and option.tree.kind in ("remote", "configured"):
        names |= {option.name.partition("/")[0]}
    if option.url:
        base = repository_name(option.url)
        names |= {base, f"{base}/{option.branch}"} if base not in ("linux", "kernel") else set()
    return {name.lower() for name in names} - {"", "linux", "kernel", "origin"}


def _words(names: Iterable[str]) -> set[str]:
    return {word for name in names for word in re.split(r"[-/_.]", name) if len(word) > 2} - {"next", "linux", "for"}


def _is_stable(word: str, branch: str | None) -> bool:
    match = re.search(r"(?<![\d.])\d+\.\d+(?![\d])", word)
    return bool(match and branch and re.search(rf"(?<![\d.]){re.escape(match[0])}(?!\d)", branch))


def _branch_preference(option: _TreeOption) -> float:
    """Less than any evidence: among the branches of one repository new work goes to the one for the next release."""
    if option.branch in ("master", "main"):
        return 0.02
    return 0.03 if option.branch and _NEXT().fullmatch(option.branch) else 0.0


def _subsystem(subject: str) -> str:
    head, colon, _ = subject.partition(":")
    return head.strip().partition("/")[0].lower() if colon and len(head) < 40 else ""
