# SPDX-License-Identifier: GPL-2.0-or-later
"""What a header means to a compiler, as values: structs, enums, typedefs, constants."""

from collections.abc import Mapping

from msgspec import Struct, field


class Member(Struct, frozen=True, kw_only=True):
    """A member as a program names it: members of unnamed structs and unions stand beside the others."""

    name: str
    """With dots where its struct is one without a name of its own: `u.port`."""
    offset: int
    """In bits from the start of the outermost."""
    size: int
    """In bits; 0 of a flexible array."""
    type: str
    """With typedefs resolved and qualifiers dropped: two types of one text look alike to a machine."""
    is_array: bool = False
    is_scalar: bool = True
    """Whether it is neither an array nor a struct."""


class Aggregate(Struct, frozen=True):
    """A struct or union."""

    kind: str
    size: int
    """In bytes."""
    members: tuple[Member, ...]


class Enumeration(Struct, frozen=True):
    """An enum."""

    name: str | None
    values: Mapping[str, int]


class Typedef(Struct, frozen=True):
    """A typedef."""

    size: int
    type: str
    aggregate: Aggregate | None = None
    """Of a struct that has no other name."""


class HeaderTypes(Struct, frozen=True):
    """All types of some headers; tags with their word before them: `struct sockaddr`."""

    aggregates: Mapping[str, Aggregate] = field(default_factory=dict)
    aliases: Mapping[str, Typedef] = field(default_factory=dict)
    enumerations: tuple[Enumeration, ...] = ()


class Macro(Struct, frozen=True):
    """A macro as it is defined last."""

    name: str
    parameters: str | None
    """None of a macro that takes none."""
    body: str
