# SPDX-License-Identifier: GPL-2.0-or-later
"""Types as a compiler wrote them down in an object file (DWARF), read with pyelftools.

A header can put anything there: `asm(".section .debug_info")` has what it likes before what the compiler writes. So
sections are bounded before they are read, and steps are counted.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from typing import Any

from seriestool.check.abi.c_types import Aggregate, Enumeration, HeaderTypes, Member, Typedef

_DEEPEST = 12  # structs without names inside each other
_MOST_STEPS = 500_000  # a large header takes some thousand
_MOST_MEMBERS = 10_000  # of one struct, with those of what is in it
_LARGEST = 2 << 20  # bytes of a section; a large header has 50 kB
_LONGEST = 2000  # letters of a type, where it has no name
_AGGREGATES = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union"}
_TRANSPARENT = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type")
_ENCODINGS = {1: "pointer", 2: "bool", 3: "complex", 4: "float", 5: "s", 6: "s", 7: "u", 8: "u", 16: "char"}
_POINTER_SIZE = 8
_ENDLESS = 1 << 62  # what `[0]` looks like where -1 is written down without a sign


class UnreadableObject(Exception):  # noqa: N818  # it says what the object is
    """An object file that is none, or has more in it than anybody reads."""


def read_types(content: bytes) -> dict[str, HeaderTypes]:
    """The types of an object file, by the file that they are declared in."""
    with _readable():
        elf = _open(content)
        if not elf.has_dwarf_info():
            return {}  # nothing but macros
        dwarf = elf.get_dwarf_info()
        unit = next(dwarf.iter_CUs(), None)
        return _DwarfReader(dwarf, unit).read() if unit is not None else {}


def read_constants(content: bytes, section: str) -> dict[str, int]:
    """The numbers of 64 bits that an object file has in a section, by name; unsigned."""
    with _readable():
        elf = _open(content)
        data: Any = elf.get_section_by_name(section)
        symbols: Any = elf.get_section_by_name(".symtab")
        if data is None or symbols is None:
            return {}
        raw, wanted = data.data(), elf.get_section_index(section)
        return {
            symbol.name: int.from_bytes(
                raw[symbol["st_value"] : symbol["st_value"] + 8], "little" if elf.little_endian else "big"
            )
            for symbol in symbols.iter_symbols()
            if symbol["st_shndx"] == wanted and symbol.name
        }


@contextmanager
def _readable() -> Iterator[None]:
    """A block in which whatever pyelftools stumbles over makes the object unreadable."""
    from elftools.common.exceptions import DWARFError, ELFError
    from elftools.construct import ConstructError

    try:
        yield
    except (
        *(ELFError, DWARFError, ConstructError, struct.error, zlib.error, RuntimeError),
        *(ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError),
    ) as error:
        raise UnreadableObject(f"the compiler's output cannot be read: {error!r:.200}") from error


def _open(content: bytes) -> Any:
    """The object; UnreadableObject where a section is, or says that it is, larger than any header makes it."""
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(BytesIO(content))
    for section in elf.iter_sections():
        # One without bytes in the file, or a compressed one, would be unfolded in memory, and .zdebug without a bound.
        if section.data_size > _LARGEST or section.name.startswith(".zdebug"):
            raise UnreadableObject(f"a section of the compiler's output is too large: {section.name[:50]}")
    return elf


class _DwarfReader:
    """One compilation unit."""

    def __init__(self, dwarf: Any, unit: Any) -> None:
        self._unit = unit
        self._files = _file_names(dwarf.line_program_for_CU(unit))
        self._texts: dict[int, str] = {}
        self._steps = 0

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise UnreadableObject("there is more in the compiler's output than in any header")

    def _children(self, die: Any) -> Iterator[Any]:
        for child in die.iter_children():
            self._step()
            yield child

    def read(self) -> dict[str, HeaderTypes]:
        aggregates: dict[str, dict[str, Aggregate]] = {}
        aliases: dict[str, dict[str, Typedef]] = {}
        enumerations: dict[str, list[Enumeration]] = {}
        for die in self._children(self._unit.get_top_DIE()):
            file, name = self._file(die), _name(die)
            if die.tag == "DW_TAG_enumeration_type":
                values = {_name(one) or "": _number(one, "DW_AT_const_value") for one in self._children(die)}
                enumerations.setdefault(file, []).append(Enumeration(name, values))
            elif die.tag in _AGGREGATES and name and "DW_AT_declaration" not in die.attributes:
                aggregates.setdefault(file, {})[f"{_AGGREGATES[die.tag]} {name}"] = self._aggregate(die)
            elif die.tag == "DW_TAG_typedef" and name:
                aliases.setdefault(file, {})[name] = self._alias(die)
        return {
            file: HeaderTypes(aggregates.get(file, {}), aliases.get(file, {}), tuple(enumerations.get(file, ())))
            for file in {*aggregates, *aliases, *enumerations}
        }

    def _file(self, die: Any) -> str:
        attribute = die.attributes.get("DW_AT_decl_file")
        return self._files.get(attribute.value, "") if attribute else ""

    def _type(self, die: Any) -> Any:
        return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None

    def _bare(self, die: Any) -> Any:
        """The type behind typedefs and qualifiers; None is void."""
        while die is not None and die.tag in _TRANSPARENT:
            self._step()  # a typedef of itself
            die = self._type(die)
        return die

    def _alias(self, die: Any) -> Typedef:
        bare = self._bare(die)
        nameless = bare is not None and bare.tag in _AGGREGATES and _name(bare) is None
        return Typedef(self._size(bare), self._text(bare), self._aggregate(bare) if nameless else None)

    def _aggregate(self, die: Any) -> Aggregate:
        members = tuple(islice(self._members(die, "", 0, 0), _MOST_MEMBERS + 1))
        if len(members) > _MOST_MEMBERS:
            raise UnreadableObject(f"a struct of more than {_MOST_MEMBERS} members")
        return Aggregate(_AGGREGATES[die.tag], _number(die, "DW_AT_byte_size"), members)

    def _members(self, die: Any, prefix: str, start: int, depth: int) -> Iterator[Member]:
        if depth > _DEEPEST:
            return
        for child in self._children(die):
            if child.tag != "DW_TAG_member":
                continue
            bare = self._bare(self._type(child))
            offset = start + _offset(child)
            name = _name(child)
            inner = bare is not None and bare.tag in _AGGREGATES and _name(bare) is None
            if name is not None:
                yield self._member(child, bare, prefix + name, offset)
            if inner:
                yield from self._members(bare, f"{prefix}{name}." if name else prefix, offset, depth + 1)

    def _member(self, child: Any, bare: Any, name: str, offset: int) -> Member:
        size = _number(child, "DW_AT_bit_size") or 8 * self._size(bare)
        is_array = bare is not None and bare.tag == "DW_TAG_array_type"
        is_struct = bare is not None and bare.tag in _AGGREGATES
        # What is inside a struct without a name is compared member by member.
        text = _AGGREGATES[bare.tag] if is_struct and _name(bare) is None else self._text(bare)
        return Member(
            name=name, offset=offset, size=size, type=text, is_array=is_array, is_scalar=not is_array and not is_struct
        )

    def _size(self, bare: Any) -> int:
        """In bytes."""
        if bare is None or bare.tag == "DW_TAG_subroutine_type":
            return 0
        if bare.tag == "DW_TAG_array_type":
            count = self._size(self._bare(self._type(bare)))
            for bound in _bounds(self._children(bare)):
                count = min(count * bound, _ENDLESS)
            return count
        default = _POINTER_SIZE if bare.tag == "DW_TAG_pointer_type" else 0
        return _number(bare, "DW_AT_byte_size", default)

    def _text(self, bare: Any, depth: int = 0) -> str:
        if bare is None:
            return "void"
        if bare.offset not in self._texts:
            self._texts[bare.offset] = self._spell(bare, depth) if depth <= _DEEPEST else "..."
        return self._texts[bare.offset]

    def _spell(self, bare: Any, depth: int) -> str:
        name = _name(bare)
        if bare.tag == "DW_TAG_base_type":
            word = _ENCODINGS.get(_number(bare, "DW_AT_encoding"), "other")
            return word if word == "bool" else f"{word}{8 * _number(bare, 'DW_AT_byte_size')}"
        if bare.tag == "DW_TAG_enumeration_type":
            return f"enum {name}" if name else f"u{8 * _number(bare, 'DW_AT_byte_size')}"
        if bare.tag in _AGGREGATES:
            return f"{_AGGREGATES[bare.tag]} {name}" if name else self._spell_members(bare, depth)
        target = self._bare(self._type(bare))
        if bare.tag == "DW_TAG_pointer_type":
            return self._text(target, depth + 1) + " *"
        if bare.tag == "DW_TAG_array_type":
            bounds = _bounds(self._children(bare))
            return self._text(target, depth + 1) + "".join(f"[{bound or ''}]" for bound in bounds)
        return "function" if bare.tag == "DW_TAG_subroutine_type" else bare.tag.removeprefix("DW_TAG_")

    def _spell_members(self, bare: Any, depth: int) -> str:
        inner = (
            f"{_name(child) or ''}@{_offset(child)}:{self._text(self._bare(self._type(child)), depth + 1)}"
            for child in self._children(bare)
            if child.tag == "DW_TAG_member"
        )
        return f"{_AGGREGATES[bare.tag]} {{ {'; '.join(islice(inner, _LONGEST))} }}"[:_LONGEST]


def _file_names(program: Any) -> Mapping[int, str]:
    """Number in decl_file -> name, from DWARF 4 and 5 alike."""
    header = program.header
    is_five = header["version"] >= 5
    folders = [_decode(folder) for folder in header["include_directory"]]
    found = {}
    for number, entry in enumerate(header["file_entry"], 0 if is_five else 1):
        folder = entry.dir_index if is_five else entry.dir_index - 1
        name = entry.name.decode("utf-8", "replace")
        found[number] = name if name.startswith("/") or folder < 0 else f"{folders[folder]}/{name}"
    return found


def _decode(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _name(die: Any) -> str | None:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode("utf-8", "replace") if attribute else None


def _number(die: Any, name: str, default: int = 0) -> int:
    attribute = die.attributes.get(name)
    return attribute.value if attribute and isinstance(attribute.value, int) else default


def _offset(member: Any) -> int:
    """In bits, from the start of the struct that it is in."""
    if "DW_AT_data_bit_offset" in member.attributes:
        return _number(member, "DW_AT_data_bit_offset")
    return 8 * _number(member, "DW_AT_data_member_location")


def _bounds(children: Iterable[Any]) -> list[int]:
    """How many elements each dimension of an array has; 0 where it is left open."""
    found = []
    for child in children:
        if child.tag != "DW_TAG_subrange_type":
            continue
        if "DW_AT_count" in child.attributes:
            count = _number(child, "DW_AT_count")
        else:
            count = _number(child, "DW_AT_upper_bound", -1) + 1
        found.append(count if 0 < count < _ENDLESS else 0)
    return found
