# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file defines and declares for others: functions, variables, macros, types, members and constants."""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from seriestool.split.c_syntax import (
    RECORDS,
    Declarator,
    ParsedCode,
    declarators,
    declaring_macro,
    find_record,
    find_shape,
    is_extern,
    is_static,
)

if TYPE_CHECKING:
    from seriestool.split.c_syntax import Node


class SymbolKind(IntEnum):
    """C keeps several sorts of names apart; so does Kconfig, and so do paths."""

    NAME = 1
    """Functions, variables, macros, typedefs, constants."""
    TAG = 2
    """What follows `struct`, `union` or `enum`."""
    MEMBER = 3
    CONFIG = 4
    FILE = 5


class SymbolName(NamedTuple):
    """A name, as it is told from others."""

    space: SymbolKind
    text: bytes
    owner: bytes = b""
    """Of a member the struct or union that it belongs to."""


class Definition(Struct, frozen=True):
    """How a file has a name."""

    is_shared: bool
    """Whether other files can use it."""
    has_body: bool
    """Whether it is there as a whole, and not only announced."""
    shapes: frozenset[bytes] = frozenset()
    """Of what is called: what callers must agree with. Several, where #ifdef makes it differ."""


Outline = Mapping[SymbolName, Definition]


def read_outline(code: ParsedCode, in_header: bool) -> Outline:
    """All that the file gives names to outside of functions."""
    found: dict[SymbolName, Definition] = {}
    for name, new in _OutlineReader(code, in_header).definitions():
        old = found.get(name, new)
        shared, body = old.is_shared or new.is_shared, old.has_body or new.has_body
        found[name] = Definition(shared, body, old.shapes | new.shapes)
    return found


class _OutlineReader:
    def __init__(self, code: ParsedCode, in_header: bool) -> None:
        self._code = code
        self._in_header = in_header

    def definitions(self) -> Iterator[tuple[SymbolName, Definition]]:
        stack: list[tuple[Node, bytes]] = [(self._code.root, b"")]
        while stack:
            node, owner = stack.pop()
            yield from self._of(node, owner)
            for child in node.children:
                if child.type == "compound_statement":
                    yield from self._inside(child)
                elif child.child_count:
                    stack.append((child, self._owner(node, child, owner)))

    def _inside(self, body: "Node") -> Iterator[tuple[SymbolName, Definition]]:
        """The macros that are defined in the body of a function: all that is below them sees them."""
        stack = [body] if b"#define" in self._code.text(body) else []
        while stack:
            node = stack.pop()
            yield from self._macro(node)
            stack.extend(child for child in node.children if child.child_count)

    def _owner(self, node: "Node", child: "Node", owner: bytes) -> bytes:
        """To whom members belong: the nearest struct with a name, or what a typedef calls it."""
        if child.type not in RECORDS:
            return owner
        tag = child.child_by_field_name("name")
        if tag is not None:
            return self._code.text(tag)
        if node.type == "type_definition":
            return next((self._code.text(one.name) for one in declarators(node)), owner)
        return owner

    def _of(self, node: "Node", owner: bytes) -> Iterator[tuple[SymbolName, Definition]]:
        if node.type in ("declaration", "function_definition"):
            yield from self._declared(node)
        elif node.type == "type_definition":
            for one in declarators(node):
                yield self._name(one), self._here(shape=find_shape(self._code, node, one))
        elif node.type == "field_declaration":
            for one in declarators(node):
                name = SymbolName(SymbolKind.MEMBER, self._code.text(one.name), owner)
                yield name, self._here(shape=find_shape(self._code, node, one))
        elif node.type in RECORDS:
            yield from self._record(node)
        elif node.type == "call_expression" and (found := declaring_macro(self._code, node)):
            yield SymbolName(SymbolKind.NAME, found[1]), Definition(is_shared=True, has_body=True)
        yield from self._macro(node)

    def _declared(self, node: "Node") -> Iterator[tuple[SymbolName, Definition]]:
        is_shared = self._in_header or not is_static(self._code, node)
        record = find_record(node)
        has_record = record is not None and record.child_by_field_name("body") is not None
        for one in declarators(node):
            if has_record and self._code.text(one.name).startswith(b"__"):
                continue  # `struct x { ... } __packed;`
            shape = find_shape(self._code, node, one)
            is_announced = node.type == "declaration" and (one.is_function or is_extern(self._code, node))
            yield self._name(one), _definition(is_shared, not is_announced, shape)

    def _record(self, node: "Node") -> Iterator[tuple[SymbolName, Definition]]:
        body, tag = node.child_by_field_name("body"), node.child_by_field_name("name")
        if body is None:
            return
        if tag is not None:
            yield SymbolName(SymbolKind.TAG, self._code.text(tag)), self._here()
        if node.type == "enum_specifier":
            for name in _enumerators(body):
                yield SymbolName(SymbolKind.NAME, self._code.text(name)), self._here()

    def _macro(self, node: "Node") -> Iterator[tuple[SymbolName, Definition]]:
        if node.type not in ("preproc_def", "preproc_function_def"):
            return
        name, parameters = node.child_by_field_name("name"), node.child_by_field_name("parameters")
        if name is not None:
            shape = None if parameters is None else b",".join(b"x" for one in parameters.children if one.is_named)
            yield SymbolName(SymbolKind.NAME, self._code.text(name)), self._here(shape=shape)

    def _name(self, one: Declarator) -> SymbolName:
        return SymbolName(SymbolKind.NAME, self._code.text(one.name))

    def _here(self, shape: bytes | None = None) -> Definition:
        """One that others see by including the file."""
        return _definition(self._in_header, has_body=True, shape=shape)


def _definition(is_shared: bool, has_body: bool, shape: bytes | None) -> Definition:
    return Definition(is_shared, has_body, frozenset() if shape is None else frozenset({shape}))


def _enumerators(body: "Node") -> Iterator["Node"]:
    """The names of the constants; some stand in an #ifdef."""
    stack = list(reversed(body.children))
    while stack:
        node = stack.pop()
        name = node.child_by_field_name("name") if node.type == "enumerator" else None
        if name is not None:
            yield name
        elif node.type != "enumerator":
            stack.extend(reversed(node.children))
