# SPDX-License-Identifier: GPL-2.0-or-later
"""People as commit messages name them, and when two of them are one (gitmailmap(5))."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import Enum

from msgspec import Struct, field

_PERSON = re.compile(r"([^<>]{0,300})<([^<>]{1,300})>")
_BARE = re.compile(r"[^\s<>,;()]{1,200}@[^\s<>,;()]{1,200}")
_MOST_LINES = 20_000
_REMARK = re.compile(r"\([^()]{0,100}\)")
_SHORTEST_NAME = 3
_SHORTEST_SPELLING = 8
_NOBODY = ("root", "user", "admin", "unknown", "nobody", "dev", "developer", "none", "(none)")


class Person(Struct, frozen=True):
    """A name and an address, as they stand; either may be ''."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name not in ("", self.address) else self.address

    @property
    def key(self) -> str:
        """The address as it is compared: lower case, no +detail."""
        local, _, host = unicodedata.normalize("NFC", self.address).lower().rpartition("@")
        return f"{local.partition('+')[0]}@{host}"

    @property
    def name_key(self) -> str:
        """The name as it is compared; '' where it is none, or one that many have."""
        bare = _REMARK.sub(" ", unicodedata.normalize("NFC", self.name).casefold())
        name = " ".join(bare.split()).strip("\"'")
        return name if len(name) >= _SHORTEST_NAME and name not in _NOBODY else ""

    @property
    def letters(self) -> frozenset[str]:
        """The letters of the name and of the address before the @; short ones could be anybody's."""
        spelt = (self.name_key, self.address.lower().partition("@")[0].partition("+")[0])
        bare = ("".join(filter(str.isalnum, one)) for one in spelt)
        return frozenset(one for one in bare if len(one) >= _SHORTEST_SPELLING)


class PersonMatch(Enum):
    """Whether two are one person."""

    SAME = "same"
    NAME = "name"
    """The same name, or one spells the other; other addresses."""
    OTHER = "other"


def parse_person(text: str) -> Person | None:
    """The person in a trailer's value; None where it holds no address."""
    if match := _PERSON.match(text):
        return Person(match[1].strip().strip('"').strip(), match[2].strip())
    bare = _BARE.search(text[:1000])
    return Person("", bare[0]) if bare else None


class Mailmap(Struct, frozen=True, dict=True):
    """Which addresses and names are one person's."""

    by_address: Mapping[str, Person] = field(default_factory=dict)
    by_both: Mapping[tuple[str, str], Person] = field(default_factory=dict)

    def proper(self, person: Person) -> Person:
        """The person as the mailmap would have it."""
        address = person.address.lower()
        found = self.by_both.get((person.name.lower(), address)) or self.by_address.get(address)
        return Person(found.name or person.name, found.address or person.address) if found else person

    def compare(self, one: Person, other: Person) -> PersonMatch:
        """Whether they are one person: by address, by the mailmap, or by name only."""
        if one.key == other.key:
            return PersonMatch.SAME
        proper, others = self.proper(one), self.proper(other)
        if proper.key == others.key:
            return PersonMatch.SAME
        names = {one.name_key, proper.name_key} & {other.name_key, others.name_key} - {""}
        return PersonMatch.NAME if names or one.letters & other.letters else PersonMatch.OTHER


def parse_mailmap(text: bytes) -> Mailmap:
    """The mailmap of a tree; lines that are none are passed over."""
    by_address: dict[str, Person] = {}
    by_both: dict[tuple[str, str], Person] = {}
    for line in text.decode("utf-8", "replace").split("\n", _MOST_LINES)[:_MOST_LINES]:
        people = _PERSON.findall(line.partition("#")[0][:2000])
        if len(people) == 1:
            by_address[people[0][1].strip().lower()] = Person(people[0][0].strip(), "")
        elif len(people) == 2:
            (name, address), (old_name, old_address) = people
            person = Person(name.strip(), address.strip())
            if old_name.strip():
                by_both[old_name.strip().lower(), old_address.strip().lower()] = person
            else:
                by_address[old_address.strip().lower()] = person
    return Mailmap(by_address, by_both)


def is_any(person: Person, people: Iterable[Person], mailmap: Mailmap) -> bool:
    """Whether the person is one of the people, by address or by name."""
    return any(mailmap.compare(person, one) is not PersonMatch.OTHER for one in people)
