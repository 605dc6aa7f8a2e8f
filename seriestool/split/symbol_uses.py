# SPDX-License-Identifier: GPL-2.0-or-later
"""Which names some lines of C use, and what each of them means there as far as one file tells."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from seriestool.split.c_syntax import (
    RECORDS,
    CParser,
    NodePath,
    ParsedCode,
    declarators,
    declaring_macro,
    find_declaration,
    find_declarator,
    find_tag,
    leaves,
)
from seriestool.split.outline import SymbolKind

if TYPE_CHECKING:
    from seriestool.split.c_syntax import Node


_HOLDERS = frozenset(
    {"preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef", "ERROR", "labeled_statement"}
)
"""What may stand between a block and its declarations."""


class LocalDeclaration(Struct, frozen=True):
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


_IDENTIFIERS = frozenset({"identifier", "type_identifier", "field_identifier", "statement_identifier"})
_DEFINITIONS = frozenset({"enumerator", "preproc_def", "preproc_function_def"})
_CONFIG = b"CONFIG_"


class SymbolUse(Struct, frozen=True):
    """A name on a line."""

    space: SymbolKind
    text: bytes
    owner: bytes | None = None
    """Of a member the struct that it must be of, where the declaration beside it says so."""
    local: LocalDeclaration | None = None
    """What it means in its function."""
    is_vague: bool = False
    """Whether it may be a name of any sort: in the argument of a macro, say."""
    is_body: bool = False
    """Whether it is not used but defined: what announced it is needed, another definition is not."""


class LineNames(Struct, frozen=True):
    """What some lines use, and what they declare in functions."""

    uses: tuple[SymbolUse, ...]
    declared: tuple[LocalDeclaration, ...]


def find_uses(language: CParser, code: ParsedCode, rows: Sequence[int]) -> LineNames:
    """The names on the lines `rows` (0-based, sorted) that are not in comments or strings, each once."""
    reader = _UseReader(language, code)
    uses: dict[SymbolUse, None] = {}
    for node_path in _on_rows(code.root, rows):
        uses.update(dict.fromkeys(reader.uses(node_path, rows)))
    return LineNames(tuple(uses), tuple(reader.declared))


def _on_rows(root: "Node", rows: Sequence[int]) -> Iterator[NodePath]:
    """The tokens that begin on one of the rows, or reach into it."""
    stack = [NodePath(root, None)]
    while stack:
        node_path = stack.pop()
        at = bisect_left(rows, node_path.node.start_point.row)
        if at == len(rows) or rows[at] > node_path.node.end_point.row or node_path.node.type == "comment":
            continue
        if node_path.node.child_count and node_path.node.type != "string_literal":
            stack.extend(NodePath(child, node_path) for child in reversed(node_path.node.children))
        else:
            yield node_path


class _UseReader:
    def __init__(self, language: CParser, code: ParsedCode) -> None:
        self._language = language
        self._code = code
        self._scopes = LocalScopes(code)
        self.declared: list[LocalDeclaration] = []

    def uses(self, node_path: NodePath, rows: Sequence[int]) -> Iterator[SymbolUse]:
        node, up = node_path.node, node_path.up
        if up is None:
            return
        if node.type == "preproc_arg" and up.node.type in ("preproc_def", "preproc_function_def"):
            yield from self._macro_body(node, up.node, rows)
        elif up.node.type == "preproc_include":
            if up.node.child_by_field_name("path") == node:
                yield SymbolUse(SymbolKind.FILE, self._code.text(node))
        elif node.type in _IDENTIFIERS:
            text = self._code.text(node)
            if text.startswith(_CONFIG):
                yield SymbolUse(SymbolKind.CONFIG, text)
            yield from self._identifier(node_path, up, text)

    def _identifier(self, node_path: NodePath, up: NodePath, text: bytes) -> Iterator[SymbolUse]:
        kind = node_path.node.type
        declaration = find_declaration(node_path)
        if declaration is not None:
            yield from self._declared(node_path, declaration, text)
        elif kind == "statement_identifier":
            yield from self._label(node_path, up, text)
        elif kind == "field_identifier":
            yield SymbolUse(SymbolKind.MEMBER, text, owner=self._owner(node_path, up))
        elif kind == "type_identifier":
            if up.node.type not in RECORDS:
                yield SymbolUse(SymbolKind.NAME, text)
            elif up.node.child_by_field_name("body") is None and not _is_announced(up):
                yield SymbolUse(SymbolKind.TAG, text)
        elif not _is_defined(node_path, up):
            yield from self._name(node_path, up, text)

    def _name(self, node_path: NodePath, up: NodePath, text: bytes) -> Iterator[SymbolUse]:
        local = self._scopes.find(node_path, text)
        if local is not None and local.row == node_path.node.start_point.row and up.node.type == "argument_list":
            self.declared.append(local)  # by a macro: LIST_HEAD(name)
            return
        is_vague = local is None and any(one.node.type in ("argument_list", "ERROR") for one in node_path.above())
        yield SymbolUse(SymbolKind.NAME, text, local=local, is_vague=is_vague)

    def _declared(self, node_path: NodePath, declaration: NodePath, text: bytes) -> Iterator[SymbolUse]:
        node = declaration.node
        function = self._scopes.function_of(declaration)
        if node.type in ("field_declaration", "type_definition"):
            return
        if node.type == "function_definition":
            yield SymbolUse(SymbolKind.NAME, text, is_body=True)
        elif node.type == "parameter_declaration" or function:
            local = self._scopes.find(node_path, text)
            if local is not None and local.row == node_path.node.start_point.row:
                self.declared.append(local)
        else:
            is_body = not any(one.node.type == "function_declarator" for one in _up_to(node_path, declaration))
            yield SymbolUse(SymbolKind.NAME, text, is_body=is_body)

    def _label(self, node_path: NodePath, up: NodePath, text: bytes) -> Iterator[SymbolUse]:
        local = self._scopes.find(node_path, text + b":")
        if local is None:
            return
        if up.node.type == "labeled_statement":
            self.declared.append(local)
        else:
            yield SymbolUse(SymbolKind.NAME, text, local=local)

    def _owner(self, node_path: NodePath, up: NodePath) -> bytes | None:
        """The struct of `x` in `x->member`, and of the variable in which `.member = ` stands."""
        if up.node.type == "field_expression":
            argument = up.node.child_by_field_name("argument")
            if argument is None or argument.type != "identifier":
                return None
            local = self._scopes.find(node_path, self._code.text(argument))
            return local.tag if local is not None else None
        return self._initialized(up) if up.node.type == "field_designator" else None

    def _initialized(self, designator: NodePath) -> bytes | None:
        """Only at the first level: what is further in is of a type that is not told here."""
        line = [one.node for one in designator.above()][:5]
        types = [node.type for node in line]
        if types[:3] != ["initializer_pair", "initializer_list", "init_declarator"] or types[3:4] != ["declaration"]:
            return None
        declarator = line[2].child_by_field_name("declarator")
        is_plain = declarator is not None and declarator.type == "identifier"
        return find_tag(self._code, line[3]) if is_plain else None

    def _macro_body(self, node: "Node", macro: "Node", rows: Sequence[int]) -> Iterator[SymbolUse]:
        """To the grammar a macro's body is text; as a piece of C it has names, but not what they are."""
        code = self._language.find_fragment(self._code.text(node))
        parameters = macro.child_by_field_name("parameters")
        own = {self._code.text(one) for one in parameters.children} if parameters is not None else set()
        on_rows = set(rows)
        for leaf in leaves(code.root, frozenset({"comment", "string_literal"})) if code is not None else ():
            text = code.text(leaf) if code is not None else b""
            if leaf.type in _IDENTIFIERS and text not in own and node.start_point.row + leaf.start_point.row in on_rows:
                if text.startswith(_CONFIG):
                    yield SymbolUse(SymbolKind.CONFIG, text)
                is_member = leaf.type == "field_identifier"
                yield SymbolUse(SymbolKind.MEMBER if is_member else SymbolKind.NAME, text, is_vague=not is_member)


def _is_defined(node_path: NodePath, up: NodePath) -> bool:
    """Whether a constant or a macro gets its name there, or a macro's parameter."""
    if up.node.type == "preproc_params":
        return True
    return up.node.type in _DEFINITIONS and up.node.child_by_field_name("name") == node_path.node


def _is_announced(record: NodePath) -> bool:
    """Whether it is only `struct x;`."""
    return record.up is not None and record.up.node.type in ("translation_unit", "preproc_ifdef", "preproc_if")


def _up_to(node_path: NodePath, end: NodePath) -> Iterator[NodePath]:
    for one in node_path.above():
        if one.node == end.node:
            return
        yield one
