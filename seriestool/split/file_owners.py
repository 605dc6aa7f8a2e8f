# SPDX-License-Identifier: GPL-2.0-or-later
"""Who owns a file, and whom a patch goes to: what the sections of MAINTAINERS say."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from seriestool.series.model import Patch, path_text
from seriestool.split.destination import Destination, Destinations, of_people
from seriestool.trees.maintainers import Maintainers, MaintainersSection
from seriestool.util.json_struct import JsonStruct

_COMPANIONS = (b"Documentation/", b"include/", b"tools/")
_WORD = re.compile(r"[a-z0-9]+")


class SectionClaim(Struct, frozen=True):
    """One section that has the file; `depth` as in trees.maintainers.Match, `destinations` what its T: lines name."""

    section: MaintainersSection
    depth: int
    destinations: tuple[Destination, ...]


class FileOwners(JsonStruct, frozen=True):
    """The owners of one path."""

    path: bytes
    claims: tuple[SectionClaim, ...]
    """The most special first; sections that have everything (THE REST) are in `rest`."""
    rest: tuple[MaintainersSection, ...]
    owners: tuple[Destination, ...]
    """Those whose file it is: what the most special sections with a tree name first. () where no section has it."""

    @property
    def acceptable(self) -> tuple[Destination, ...]:
        """All that could take it: of every section every tree."""
        return tuple(dict.fromkeys((*self.owners, *(one for claim in self.claims for one in claim.destinations))))

    @property
    def special(self) -> tuple[MaintainersSection, ...]:
        """The sections whose maintainers decide on it: its owners', and those more special that have no tree."""
        depth = max((claim.depth for claim in self.claims if _owns(claim, self.owners)), default=self.depth)
        return tuple(claim.section for claim in self.claims if claim.depth >= depth)

    @property
    def depth(self) -> int:
        """How special its most special section is; -1 where it has none."""
        return max((claim.depth for claim in self.claims), default=-1)

    def to_dict(self) -> dict[str, object]:
        """The owners as JSON shows them."""
        return {
            "path": path_text(self.path),
            "sections": [claim.section.heading for claim in self.claims],
            "owners": [one.name for one in self.owners],
            "acceptable": [one.name for one in self.acceptable],
        }


def find_file_owners(path: bytes, maintainers: Maintainers, destinations: Destinations) -> FileOwners:
    """Whose file it is."""
    matches = maintainers.match(path)
    claims = tuple(
        SectionClaim(one.section, one.depth, destinations.of_section(one.section)) for one in matches if one.depth >= 0
    )
    rest = tuple(one.section for one in matches if one.depth < 0)
    return FileOwners(path, claims, rest, _owners(claims, path.startswith(_COMPANIONS)))


def is_companion(file: FileOwners) -> bool:
    """Whether the file accompanies code wherever that goes: documents, headers, tools."""
    return file.path.startswith(_COMPANIONS)


def is_general(file: FileOwners) -> bool:
    """Whether its owners have it only as a part of a top folder: all of Documentation/."""
    return all(claim.depth <= 1 for claim in file.claims if _owns(claim, file.owners))


def is_kin(file: FileOwners, words: Iterable[str]) -> bool:
    """Whether the file's own name has one of the words: nfsd.yaml is kin to fs/nfsd/."""
    return not set(words_of(file.path.rpartition(b"/")[2])).isdisjoint(words)


def folder_words(path: bytes) -> tuple[str, ...]:
    """The name of the folder that the file is in, unless that is a top folder, as words."""
    parts = path.split(b"/")[1:-1]
    return (path_text(parts[-1]).lower(), *words_of(parts[-1])) if parts else ()


def words_of(name: bytes) -> tuple[str, ...]:
    """The words of a name, lower case, those that say nothing (extensions) left out."""
    return tuple(
        word for word in _WORD.findall(path_text(name).lower()) if len(word) > 2 and word not in ("rst", "yaml")
    )


def _owns(claim: SectionClaim, owners: Iterable[Destination]) -> bool:
    return bool(claim.destinations[:1]) and claim.destinations[0] in owners


def _owners(claims: tuple[SectionClaim, ...], is_companion: bool) -> tuple[Destination, ...]:
    """What the most special claims name first; one without a tree defers to a more general one.

    The driver of one chip goes through its subsystem's tree. Of what accompanies code the general section must have
    people in common with it: 'TRACING' has all of include/trace/, and nothing to do with most that have a header there.
    """
    if not claims:
        return ()
    first = [claim for claim in claims if claim.depth == claims[0].depth]
    with_tree = [claim for claim in first if claim.destinations]
    if not with_tree:
        general = next(
            (one for one in claims if one.destinations and (not is_companion or _has_people_of(one, first))), None
        )
        if general is None:
            return (of_people(first[0].section),)
        with_tree = [claim for claim in claims if claim.destinations and claim.depth == general.depth]
    return tuple(dict.fromkeys(claim.destinations[0] for claim in with_tree))


def _has_people_of(general: SectionClaim, others: Iterable[SectionClaim]) -> bool:
    """Whether one of the others has no list of its own, or a list or a maintainer in common with the general one."""
    section = general.section
    return any(
        not own.lists
        or not set(own.lists).isdisjoint(section.lists)
        or not set(own.maintainers).isdisjoint(section.maintainers)
        for own in (claim.section for claim in others)
    )


# A name is a quoted string or plain words: anything else could mean something else in a header.
_PERSON = re.compile(r'\s*(?P<name>"[^"\\]*"|[^"<>@,;:()\[\]\\]*?)\s*<(?P<address>[^\s<>@,;:()"]+@[^\s<>@,;:()"]+)>')
_ADDRESS = re.compile(r'[^\s<>@,;:()"]+@[^\s<>@,;:()"]+')
_AGREES = ("acked-by", "reviewed-by", "signed-off-by")


def find_person(entry: str) -> str | None:
    """What an M: or R: line names as a header takes it, `Name <address>` or a bare address; None for anything else."""
    found = _PERSON.match(entry)
    if found:
        return f"{found['name']} <{found['address']}>" if found["name"] else found["address"]
    bare = _ADDRESS.search(entry)
    return bare[0] if bare else None


def address_of(person: str) -> str:
    """The bare address, lower case."""
    return person.rpartition("<")[2].removesuffix(">").lower()


def cc_of(sections: Iterable[MaintainersSection], patch: Patch) -> tuple[str, ...]:
    """Maintainers, then reviewers, then lists, each once; the author has their own mail already."""
    sections = tuple(sections)
    people = [find_person(entry) for section in sections for entry in section.maintainers]
    people += [find_person(entry) for section in sections for entry in section.reviewers]
    lists = [entry for section in sections for entry in section.lists if _ADDRESS.fullmatch(entry)]
    return merge_cc([[*(person for person in people if person and not is_author(person, patch)), *lists]])


def merge_cc(several: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """One list of several: people before lists, each address once."""
    by_address: dict[str, str] = {}
    for cc in several:
        for entry in cc:
            by_address.setdefault(address_of(entry), entry)
    entries = by_address.values()
    return (*(entry for entry in entries if "<" in entry), *(entry for entry in entries if "<" not in entry))


def maintainers_of(sections: Iterable[MaintainersSection], patch: Patch) -> tuple[str, ...]:
    """The people whose Acked-by counts, without the author."""
    people = (find_person(entry) for section in sections for entry in section.maintainers)
    return merge_cc([[person for person in people if person and not is_author(person, patch)]])


def is_author(entry: str, patch: Patch) -> bool:
    """Whether an M: line means the author of the patch: by address, or by a name of more than one word."""
    entry = entry.lower()
    name = patch.author_name.lower()
    return patch.author_email.lower() == address_of(entry) or (
        " " in name and entry.partition("<")[0].strip(' "') == name
    )


def people_who_agreed(patch: Patch, people: Sequence[str]) -> tuple[str, ...]:
    """Those of the people whose Acked-by, Reviewed-by or Signed-off-by the patch has already."""
    said = " ".join(one.value.lower() for one in patch.trailers if one.name.lower() in _AGREES)
    return tuple(person for person in people if f"<{address_of(person)}>" in said)
