# SPDX-License-Identifier: GPL-2.0-or-later
"""Where patches are sent: a maintainer's tree, in up to two flavours, as the T: lines of MAINTAINERS name it.

`net.git` and `net-next.git` are one destination: what fixes the current release goes to the former, all else to the
latter. So are two branches `fixes` and `for-next` of one repository.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from seriestool.trees import Tree
from seriestool.trees.maintainers import Maintainers, MaintainersSection, TreeLine
from seriestool.trees.tree_names import repository_name, short_heading, tree_line_name, url_key
from seriestool.util.json_struct import JsonStruct

_FIXES = {"fixes", "urgent", "linus", "rc"}
_NEXT = {"next", "devel", "testing"}
_GLUE = {"for"}
_MAIN = ("master", "main")


class Flavour(StrEnum):
    """For which release a branch collects patches."""

    FIXES = "fixes"
    NEXT = "next"


class DestinationBranch(JsonStruct, frozen=True):
    """One branch that takes patches; `tree` is None where it is not in this repository."""

    name: str
    url: str | None
    branch: str | None
    tree: Tree | None

    def to_dict(self) -> dict[str, object]:
        """The place as JSON shows it."""
        return {
            "name": self.name,
            "url": self.url,
            "branch": self.branch,
            "ref": self.tree.ref if self.tree else None,
            "commit": self.tree.commit if self.tree else None,
        }


class Destination(JsonStruct, frozen=True):
    """A maintainer's tree; `fixes` is None where no branch of its own for fixes is known."""

    name: str
    next: DestinationBranch
    fixes: DestinationBranch | None = None

    def place(self, flavour: Flavour) -> DestinationBranch:
        """The branch of that flavour; where fixes have none of their own, the only one."""
        return self.fixes if flavour is Flavour.FIXES and self.fixes else self.next

    @property
    def names(self) -> frozenset[str]:
        """All that people may call it in a subject, lower case."""
        places = [place for place in (self.next, self.fixes) if place]
        names = {self.name, *(place.name for place in places), *(place.branch or "" for place in places)}
        names |= {place.tree.name for place in places if place.tree}
        return frozenset(name.lower() for name in names) - {"", *_MAIN}


class _Stem(NamedTuple):
    """What the T: lines of one destination have in common: repository and branch, less the words of a flavour."""

    repository: str
    branch: str


class Destinations:
    """The destinations that a MAINTAINERS file names, with the trees of this repository put in."""

    def __init__(
        self,
        maintainers: Maintainers | None,
        trees: Sequence[Tree],
        fixes: Mapping[str, str],
        words: Iterable[str] = (),
    ) -> None:
        self._trees = trees
        self._fixes = fixes
        self._words = {word.lower() for word in words}
        self._by_url: dict[str, list[Tree]] = {}
        for tree in trees:
            if tree.url:
                self._by_url.setdefault(url_key(tree.url), []).append(tree)
        self._lines: dict[_Stem, dict[TreeLine, None]] = {}
        for section in maintainers.sections if maintainers else ():
            for line in section.trees:
                self._lines.setdefault(_read(line)[0], {}).setdefault(line)
        self._made: dict[_Stem, Destination] = {}
        self._stems: dict[str, _Stem] = {}

    def of_section(self, section: MaintainersSection) -> tuple[Destination, ...]:
        """Where the section's T: lines send patches, git trees first; () where it has none."""
        lines = sorted(section.trees, key=lambda line: line.scm != "git")
        return tuple(dict.fromkeys(self._destination(_read(line)[0]) for line in lines))

    def main(self) -> Destination:
        """The repository's own main tree, where nothing says more."""
        tree = next(iter(self._trees), None)
        place = (
            DestinationBranch(tree.name, tree.url, tree.branch, tree)
            if tree
            else DestinationBranch("the main tree", None, None, None)
        )
        return self.of_branch(place)

    def of_branch(self, place: DestinationBranch) -> Destination:
        """The destination of a tree that no T: line names."""
        return Destination(place.name, place, self._configured_fixes(place.tree))

    def _destination(self, stem: _Stem) -> Destination:
        found = self._made.get(stem)
        if found is None:
            found = self._made[stem] = self._make(stem)
        return found

    def _make(self, stem: _Stem) -> Destination:
        lines = list(self._lines[stem])
        taken = _pick(lines)
        place = self._place(taken[Flavour.NEXT])
        other = taken.get(Flavour.FIXES)
        fixes = self._configured_fixes(place.tree)
        if fixes is None:
            fixes = self._place(other) if other else self._fixes_beside(place, taken[Flavour.NEXT])
        name = self._unique(_name(place, fixes, taken[Flavour.NEXT]), stem)
        return Destination(name, place if fixes else replace(place, name=name), fixes)

    def _unique(self, name: str, stem: _Stem) -> str:
        """The name, or a longer one where another tree is called so: two maintainers have a tree `linux-fixes`."""
        owner = "/".join(stem.repository.split("/")[-2:])
        for candidate in (name, f"{owner} {stem.branch}".rstrip()):
            if self._stems.setdefault(candidate, stem) == stem:
                return candidate
        return f"{stem.repository} {stem.branch}".rstrip()

    def _place(self, line: TreeLine) -> DestinationBranch:
        trees = [tree for tree in self._here(line) if line.branch in (None, tree.branch)]
        tree = self._likeliest(trees)
        branch = line.branch or (tree.branch if tree and tree.branch not in _MAIN else None)
        name = tree.name if tree and tree.kind == "configured" else tree_line_name(TreeLine(line.scm, line.url, branch))
        return DestinationBranch(name, line.url, line.branch or (tree.branch if tree else None), tree)

    def _here(self, line: TreeLine) -> Sequence[Tree]:
        return self._by_url.get(url_key(line.url), ())

    def _likeliest(self, trees: Sequence[Tree]) -> Tree | None:
        """The branch that new work goes to; None where several branches are as good as each other."""
        ranked = sorted(trees, key=self._rank)
        if len(ranked) > 1 and self._rank(ranked[0]) == self._rank(ranked[1]) and self._rank(ranked[0]) > 4:
            return None
        return ranked[0] if ranked else None

    def _rank(self, tree: Tree) -> int:
        words = set(_words(tree.branch or ""))
        if {tree.name.lower(), (tree.branch or "").lower()} & self._words:
            return 0
        if tree.kind == "configured":
            return 1
        if "next" in words:
            return 2
        if words & _NEXT:
            return 3
        return 4 if tree.branch in _MAIN else 6 if words & _FIXES else 5

    def _fixes_beside(self, place: DestinationBranch, line: TreeLine) -> DestinationBranch | None:
        """A branch for fixes beside the one for new work, where the T: line leaves the branch open."""
        if line.branch is not None or place.tree is None:
            return None
        stem = _stem(place.tree.branch or "")
        for tree in self._here(line):
            if set(_words(tree.branch or "")) & _FIXES and _stem(tree.branch or "") in ("", stem):
                return DestinationBranch(
                    tree_line_name(TreeLine(line.scm, line.url, tree.branch)), line.url, tree.branch, tree
                )
        return None

    def _configured_fixes(self, tree: Tree | None) -> DestinationBranch | None:
        name = self._fixes.get(tree.name) if tree else None
        found = next((one for one in self._trees if one.name == name), None)
        return DestinationBranch(found.name, found.url, found.branch, found) if found else None


def of_people(section: MaintainersSection) -> Destination:
    """The destination of a section that has no tree: its list, whose readers know where it goes."""
    name = next((entry for entry in section.lists if "@" in entry), None)
    name = f"via {name}" if name else f"the maintainers of '{short_heading(section.heading)}'"
    return Destination(name, DestinationBranch(name, None, None, None))


def _pick(lines: Sequence[TreeLine]) -> dict[Flavour, TreeLine]:
    """Of the lines of one stem the one for new work, and the one for fixes if there is one."""
    by_flavour: dict[Flavour | None, TreeLine] = {}
    for line in lines:
        by_flavour.setdefault(_read(line)[1], line)
    plain, fixes, new = (by_flavour.get(key) for key in (None, Flavour.FIXES, Flavour.NEXT))
    if new and plain and not fixes and (plain.branch or url_key(plain.url) != url_key(new.url)):
        # `net` beside `net-next`; a URL alone beside a branch of the same URL says nothing of fixes.
        fixes = plain
    chosen = new or plain or fixes or lines[0]
    return {Flavour.NEXT: chosen} | ({Flavour.FIXES: fixes} if fixes and fixes != chosen else {})


def _name(place: DestinationBranch, fixes: DestinationBranch | None, line: TreeLine) -> str:
    if fixes is None or (place.tree and place.tree.kind == "configured"):
        return place.name
    base = repository_name(line.url)
    url = line.url.removesuffix("/").removesuffix(".git").removesuffix(base) + (_stem(base) or base)
    branch = _stem(line.branch or "")
    return tree_line_name(TreeLine(line.scm, url, branch or None))


def _read(line: TreeLine) -> tuple[_Stem, Flavour | None]:
    key = url_key(line.url)
    folder, _, base = key.rpartition("/")
    branch = line.branch if line.branch not in _MAIN else None
    stem = _Stem(f"{folder}/{_stem(base) or base}", _stem(branch or ""))
    return stem, _flavour(branch or "") or _flavour(base)


def _flavour(name: str) -> Flavour | None:
    words = set(_words(name))
    return Flavour.FIXES if words & _FIXES else Flavour.NEXT if words & _NEXT else None


def _stem(name: str) -> str:
    return "-".join(word for word in _words(name) if word not in _FIXES | _NEXT | _GLUE)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-/_]+", name.lower()) if word]
