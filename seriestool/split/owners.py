# SPDX-License-Identifier: GPL-2.0-or-later
"""Who owns each file of a series, and where each patch goes, or that it is nobody's alone.

MAINTAINERS is right for most files and wrong for some: headers below include/uapi and specifications belong to the code
that they are for, whatever their folder is. So the files of a patch are scored together, and its subject and author
with them (destination_scores.py); where they do not agree, the answer is a choice and no guess.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from seriestool.series.model import Patch, Series
from seriestool.split.destination import Destination, DestinationBranch, Destinations, Flavour
from seriestool.split.destination_scores import (
    DestinationChoice,
    DestinationScores,
    decide,
    paths_of,
    score_by_other_patches,
    score_destinations,
    subject_words,
)
from seriestool.split.file_owners import (
    FileOwners,
    cc_of,
    find_file_owners,
    folder_words,
    is_companion,
    is_general,
    is_kin,
    maintainers_of,
    merge_cc,
    people_who_agreed,
)
from seriestool.trees import Tree
from seriestool.trees.maintainers import Maintainers, MaintainersSection
from seriestool.trees.suggestions import suggest
from seriestool.util.json_struct import JsonStruct


class Ack(JsonStruct, frozen=True):
    """Whose agreement a patch wants when it goes through another tree: of any of `trees`, for these files."""

    json_names = (("paths", "files"),)

    trees: tuple[str, ...]
    people: tuple[str, ...]
    given: tuple[str, ...]
    """Those of the people who said so already, in the patch's trailers."""
    paths: tuple[bytes, ...]


class PatchPart(JsonStruct, frozen=True):
    """The files of a patch that go to one destination (None: undecided) when it is cut by file."""

    json_names = (("paths", "files"),)

    destination: str | None
    paths: tuple[bytes, ...]


class PatchOwner(Struct, frozen=True, kw_only=True):
    """Where one patch goes."""

    counter: int
    destination: str | None
    """None where its owners are as good as each other."""
    choices: tuple[DestinationChoice, ...]
    """The likeliest first; of a patch that is decided the first one is its destination."""
    owned: tuple[Ack, ...]
    """The owners of its files, those of the destination too; files that only accompany code are left out."""
    parts: tuple[PatchPart, ...]
    """One where the patch does not straddle."""
    cc: tuple[str, ...]
    is_fix: bool
    """A Fixes tag of it names a commit."""
    stated: Flavour | None
    """What the series' subject says of its destination: [PATCH net] is for fixes."""

    def acks(self, destination: str | None) -> tuple[Ack, ...]:
        """Whose agreement it wants if it goes there: all owners but that one."""
        return tuple(one for one in self.owned if destination not in one.trees)

    @property
    def straddles(self) -> bool:
        """Whether files of it belong to several trees."""
        return len(self.parts) > 1

    @property
    def evidence(self) -> tuple[str, ...]:
        """Why its destination is that."""
        return self.choices[0].evidence if self.destination and self.choices else ()


class SeriesOwners(Struct, frozen=True):
    """The owners of all files and all patches of a series."""

    destinations: tuple[Destination, ...]
    files: tuple[FileOwners, ...]
    patches: tuple[PatchOwner, ...]

    def destination(self, name: str) -> Destination:
        """The destination of that name; KeyError where there is none."""
        return {one.name: one for one in self.destinations}[name]

    def patch(self, counter: int) -> PatchOwner:
        """What is known of the patch; KeyError where there is none."""
        return {one.counter: one for one in self.patches}[counter]


_MAX_LINES = 20_000  # of one patch in which keywords are looked for


def find_owners(
    series: Series,
    maintainers: Maintainers | None,
    trees: Sequence[Tree],
    fixes: Mapping[str, str] | None = None,
) -> SeriesOwners:
    """Who owns what; without MAINTAINERS all goes to one tree: what the subject names, or else the first of `trees`.

    `fixes` has for the name of a tree the name of the one that takes its fixes, as git-config gives it.
    """
    destinations = Destinations(maintainers, trees, fixes or {}, series.prefixes)
    if maintainers is None:
        return _one_tree(series, trees, destinations)
    files = {path: find_file_owners(path, maintainers, destinations) for path in series.touched}
    patch_scores = [score_destinations(patch, files, series.prefixes) for patch in series.patches]
    decided = _decide(patch_scores, destinations)
    known = {one.name: one for file in files.values() for one in file.acceptable}
    known.update({name: destinations.main() for name in decided.values() if name not in known})
    patches = tuple(
        _patch_owner(scores=one, decided=decided, known=known, series=series, maintainers=maintainers)
        for one in patch_scores
    )
    wanted = dict.fromkeys(choice.destination for patch in patches for choice in patch.choices)
    others = dict.fromkeys(one.name for file in files.values() for one in file.owners)
    return SeriesOwners(tuple(known[name] for name in wanted | others), tuple(files.values()), patches)


def _decide(patch_scores: Sequence[DestinationScores], destinations: Destinations) -> dict[int, str]:
    """Counter -> destination. Those that are clear by themselves first; they weigh in on the others."""
    decided = {one.patch.counter: name for one in patch_scores if (name := decide(one))}
    open_ones = [one for one in patch_scores if one.patch.counter not in decided]
    clear = dict(decided)
    for one in open_ones:
        score_by_other_patches(one, clear, patch_scores)
        if not one.shares:
            main = destinations.main().name
            one.add(main, 1.0, "no section of MAINTAINERS has its files")
        if name := decide(one):
            decided[one.patch.counter] = name
    return decided


def _patch_owner(
    scores: DestinationScores,
    decided: Mapping[int, str],
    known: Mapping[str, Destination],
    series: Series,
    maintainers: Maintainers,
) -> PatchOwner:
    patch = scores.patch
    name = decided.get(patch.counter)
    parts = _parts(scores, name)
    return PatchOwner(
        counter=patch.counter,
        destination=name,
        choices=scores.choices(),
        owned=_acks(parts, patch),
        parts=tuple(PatchPart(destination, tuple(file.path for file in files)) for destination, files in parts.items()),
        cc=cc_of(_sections(scores, maintainers), patch),
        is_fix=patch.is_fix,
        stated=_stated(known[name], series.prefixes) if name else None,
    )


def _stated(destination: Destination, words: Iterable[str]) -> Flavour | None:
    """What the bracket of the subject says: `net` is for fixes, `net-next` is not."""
    said = {word.lower() for word in words}
    for flavour, place in ((Flavour.FIXES, destination.fixes), (Flavour.NEXT, destination.next)):
        if place and said & {place.name.lower(), (place.branch or place.name).lower()}:
            return flavour
    return None


def _parts(scores: DestinationScores, name: str | None) -> dict[str | None, list[FileOwners]]:
    """The files of a patch by where they go: with the patch, unless others own them."""
    parts: dict[str | None, list[FileOwners]] = {}
    if name is None:
        return _parts_of_undecided(scores)
    kin = set(subject_words(scores.patch.subject))
    for file in scores.files:
        if _is_owned(file, name) and not is_companion(file):
            kin.update(folder_words(file.path))
    for file in scores.files:
        stays = (
            not file.owners or _is_owned(file, name) or (is_companion(file) and (is_general(file) or is_kin(file, kin)))
        )
        parts.setdefault(name if stays else file.owners[0].name, []).append(file)
    return parts


def _parts_of_undecided(scores: DestinationScores) -> dict[str | None, list[FileOwners]]:
    """Each file goes to its first owner; those that nobody owns go with the first part."""
    owned: dict[str | None, list[FileOwners]] = {}
    for file in scores.files:
        if file.owners:
            owned.setdefault(file.owners[0].name, []).append(file)
    if not owned:
        return {None: list(scores.files)}
    next(iter(owned.values())).extend(file for file in scores.files if not file.owners)
    return owned


def _is_owned(file: FileOwners, name: str | None) -> bool:
    return any(one.name == name for one in file.owners)


def _owned(parts: Mapping[str | None, Sequence[FileOwners]]) -> Iterator[tuple[tuple[str, ...], FileOwners]]:
    """Each file with its owners, but for those that go along with files of others."""
    for destination, files in parts.items():
        for file in files:
            if file.owners and (destination is None or _is_owned(file, destination)):
                yield tuple(one.name for one in file.owners), file


def _acks(parts: Mapping[str | None, Sequence[FileOwners]], patch: Patch) -> tuple[Ack, ...]:
    groups: dict[tuple[str, ...], list[FileOwners]] = {}
    for trees, file in _owned(parts):
        groups.setdefault(trees, []).append(file)
    return tuple(_ack(trees, files, patch) for trees, files in groups.items())


def _ack(trees: tuple[str, ...], files: Sequence[FileOwners], patch: Patch) -> Ack:
    people = merge_cc(maintainers_of(file.special, patch) for file in files)
    return Ack(trees, people, people_who_agreed(patch, people), tuple(file.path for file in files))


def _sections(scores: DestinationScores, maintainers: Maintainers) -> tuple[MaintainersSection, ...]:
    """The sections whose people want to know of the patch; THE REST only where there are no others."""
    found = [claim.section for file in scores.files for claim in file.claims]
    lines = (line for line in scores.patch.diff.split(b"\n") if line[:1] in (b"+", b"-"))
    found += maintainers.match_content(islice(lines, _MAX_LINES))
    rest = [section for file in scores.files for section in file.rest]
    return tuple({id(section): section for section in found or rest}.values())


def _one_tree(series: Series, trees: Sequence[Tree], destinations: Destinations) -> SeriesOwners:
    suggested = next((one for one in suggest(series, None, trees) if one.tree), None)
    if suggested and suggested.tree:
        tree = suggested.tree
        destination = destinations.of_branch(DestinationBranch(tree.name, tree.url, tree.branch, tree))
        why = suggested.reasons
    else:
        destination, why = destinations.main(), ("the main tree; there is no MAINTAINERS file that says more",)
    files = tuple(FileOwners(path, (), (), ()) for path in series.touched)
    patches = tuple(
        PatchOwner(
            counter=patch.counter,
            destination=destination.name,
            choices=(DestinationChoice(destination.name, 1.0, why),),
            owned=(),
            parts=(PatchPart(destination.name, paths_of(patch)),),
            cc=(),
            is_fix=patch.is_fix,
            stated=_stated(destination, series.prefixes),
        )
        for patch in series.patches
    )
    return SeriesOwners((destination,), files, patches)
