# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom a patch goes to: the people and lists of the sections of MAINTAINERS that its files belong to."""

import re
from collections.abc import Iterable, Sequence

from seriestool.series.model import Patch
from seriestool.trees.maintainers import MaintainersSection

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
    """Maintainers, then reviewers, then lists, each once; the author has his own mail already."""
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
