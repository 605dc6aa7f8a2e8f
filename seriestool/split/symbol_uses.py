# SPDX-License-Identifier: GPL-2.0-or-later
"""Which names some lines of C use, and what each of them means there as far as one file tells."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seriestool.split.c_syntax import CParser, NodePath, ParsedCode, leaves
from seriestool.split.declarators import RECORDS, find_declaration, find_tag
from seriestool.split.local_names import LocalDeclaration, LocalScopes
from seriestool.split.outline import SymbolKind

if TYPE_CHECKING:
    from seriestool.split.c_syntax import Node

_IDENTIFIERS = frozenset({"identifier", "type_identifier", "field_identifier", "statement_identifier"})
_DEFINITIONS = frozenset({"enumerator", "preproc_def", "preproc_function_def"})
_CONFIG = b"CONFIG_"


@dataclass(frozen=True, slots=True)
class SymbolUse:
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


@dataclass(frozen=True, slots=True)
class LineNames:
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
