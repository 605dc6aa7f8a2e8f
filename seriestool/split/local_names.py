# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters, local variables and labels: which declaration a name in a function means."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seriestool.split.c_syntax import NodePath, ParsedCode
from seriestool.split.declarators import declarators, declaring_macro, find_declarator, find_tag

if TYPE_CHECKING:
    from seriestool.split.c_syntax import Node

_HOLDERS = frozenset(
    {"preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef", "ERROR", "labeled_statement"}
)
"""What may stand between a block and its declarations."""


@dataclass(frozen=True, slots=True)
class LocalDeclaration:
    """A declaration in a function."""

    function: bytes
    name: bytes
    """Of a label with a colon behind it, as where it stands."""
    row: int
    tag: bytes | None = None
    """Of `struct x *name` the x."""


class LocalScopes:
    """What the functions of one file declare."""

    def __init__(self, code: ParsedCode) -> None:
        self._code = code
        self._blocks: dict[int, dict[bytes, LocalDeclaration]] = {}

    def find(self, node_path: NodePath, name: bytes) -> LocalDeclaration | None:
        """The declaration that the name at `spot` means; None where it is not one of its function.

        Declarations further down do not count, but for labels.
        """
        row = node_path.node.start_point.row
        for one in node_path.above():
            local = self._declared_in(one).get(name)
            if local is not None and (local.row <= row or name.endswith(b":")):
                return local
            if one.node.type == "function_definition":
                return None
        return None

    def of_function(self, node_path: NodePath) -> Iterator[LocalDeclaration]:
        """All that the function at `spot` declares, with all of its blocks."""
        stack = [node_path]
        while stack:
            one = stack.pop()
            yield from self._declared_in(one).values()
            stack.extend(NodePath(child, one) for child in one.node.children if child.child_count)

    def function_of(self, node_path: NodePath) -> bytes:
        """The name of the function that it is in; empty where there is none."""
        return next((_function_name(self._code, one.node) for one in _with_itself(node_path) if _is_function(one)), b"")

    def _declared_in(self, node_path: NodePath) -> dict[bytes, LocalDeclaration]:
        found = self._blocks.get(node_path.node.id)
        if found is None:
            function = self.function_of(node_path)
            found = {}
            for local in self._read(node_path.node, function):
                found.setdefault(local.name, local)
            self._blocks[node_path.node.id] = found
        return found

    def _read(self, block: "Node", function: bytes) -> Iterator[LocalDeclaration]:
        """What stands in the block itself."""
        if block.type == "function_definition":
            yield from self._signature(block, function)
            yield from self._labels(block, function)
        elif block.type not in _HOLDERS and block.type != "translation_unit":
            for node in _direct(block):
                yield from self._of(node, function)

    def _of(self, node: "Node", function: bytes) -> Iterator[LocalDeclaration]:
        if node.type == "declaration":
            tag = find_tag(self._code, node)
            for one in declarators(node):
                yield LocalDeclaration(function, self._code.text(one.name), one.name.start_point.row, tag)
        elif node.type == "expression_statement":
            call = node.children[0] if node.children else None
            found = declaring_macro(self._code, call) if call is not None and call.type == "call_expression" else None
            if found is not None:
                yield LocalDeclaration(function, found[1], found[0].start_point.row)

    def _signature(self, node: "Node", function: bytes) -> Iterator[LocalDeclaration]:
        whole = node.child_by_field_name("declarator")
        found = find_declarator(whole) if whole is not None else None
        if found is None or found.parameters is None:
            return
        for parameter in found.parameters.children:
            if parameter.type == "parameter_declaration":
                tag = find_tag(self._code, parameter)
                for one in declarators(parameter):
                    yield LocalDeclaration(function, self._code.text(one.name), one.name.start_point.row, tag)

    def _labels(self, node: "Node", function: bytes) -> Iterator[LocalDeclaration]:
        stack = [node]
        while stack:
            one = stack.pop()
            label = one.child_by_field_name("label") if one.type == "labeled_statement" else None
            if label is not None:
                yield LocalDeclaration(function, self._code.text(label) + b":", label.start_point.row)
            stack.extend(child for child in one.children if child.child_count and not child.type.endswith("expression"))


def functions(code: ParsedCode) -> Iterator[tuple[bytes, NodePath]]:
    """The functions of the file by name; where #ifdef gives several versions of one, each."""
    stack = [NodePath(code.root, None)]
    while stack:
        node_path = stack.pop()
        if node_path.node.type == "function_definition":
            yield _function_name(code, node_path.node), node_path
        else:
            stack.extend(NodePath(child, node_path) for child in node_path.node.children if child.child_count)


def _function_name(code: ParsedCode, node: "Node") -> bytes:
    whole = node.child_by_field_name("declarator")
    found = find_declarator(whole) if whole is not None else None
    return code.text(found.name) if found is not None else b""


def _is_function(node_path: NodePath) -> bool:
    return node_path.node.type == "function_definition"


def _with_itself(node_path: NodePath) -> Iterator[NodePath]:
    yield node_path
    yield from node_path.above()


def _direct(block: "Node") -> Iterator["Node"]:
    """The statements of a block, also those in an #ifdef."""
    stack = list(reversed(block.children))
    while stack:
        node = stack.pop()
        yield node
        if node.type in _HOLDERS:
            stack.extend(reversed(node.children))
