# SPDX-License-Identifier: GPL-2.0-or-later
"""C as a syntax tree, and what a declaration declares.

The only module that knows the parser (tree-sitter and its C grammar). The parser takes anything, and marks what it does
not understand; nothing here raises on odd input. Trees are walked with stacks of our own, however deep they are.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from tree_sitter import Node as Node  # noqa: PLC0414  # other modules walk its trees
    from tree_sitter import Parser


MOST_BYTES = 2_000_000
"""Larger files are not parsed: the largest that people write in the kernel have half of that, the others are tables."""
MOST_PARSED = 400_000_000
"""Bytes that are parsed of one series, about a minute; files that come after that are not."""
_BYTES_A_STEP = 50
"""The parser reports after each so many bytes of real code twice; of code made to make it slow far more often."""
_CHUNK = 1 << 16
_ENDINGS = (b".c", b".h", b".c.inc", b".h.inc")


class ParsedCode(Struct, frozen=True):
    """A file of C and its tree."""

    content: bytes
    root: "Node"

    def text(self, node: "Node") -> bytes:
        """What stands there."""
        return self.content[node.start_byte : node.end_byte]


class NodePath(Struct, frozen=True):
    """A node, and those that it stands in: asking the tree for a parent would search from the root."""

    node: "Node"
    up: "NodePath | None"

    def above(self) -> Iterator["NodePath"]:
        """Those that it stands in, inside out."""
        node_path = self.up
        while node_path is not None:
            yield node_path
            node_path = node_path.up


class CParser:
    """The parser of C, with what it may still be asked for one series."""

    def __init__(self) -> None:
        self._left = MOST_PARSED
        self._parser = _make_parser()

    def find_code(self, content: bytes) -> ParsedCode | None:
        """The file parsed; None where it is too large, or made to be slow to parse."""
        if len(content) > min(MOST_BYTES, self._left):
            return None
        self._left -= len(content)
        return self.find_fragment(content)

    def find_fragment(self, content: bytes) -> ParsedCode | None:
        """A piece of a file that was taken into account already."""
        steps = iter(range(1000 + len(content) // _BYTES_A_STEP))
        try:
            tree = self._parser.parse(
                lambda at, _: content[at : at + _CHUNK], progress_callback=lambda _at, _bad: next(steps, None) is None
            )
        except ValueError:  # the parser was stopped
            self._parser.reset()
            return None
        return ParsedCode(content, tree.root_node)


def is_c(path: bytes) -> bool:
    """Whether the file is read as C."""
    return path.endswith(_ENDINGS)


def is_header(path: bytes) -> bool:
    """Whether other files see all that it declares."""
    return not path.endswith(b".c")


def leaves(node: "Node", skipped: frozenset[str] = frozenset()) -> Iterator["Node"]:
    """The tokens below the node in their order, without what is below nodes of the skipped types."""
    stack = [node]
    while stack:
        top = stack.pop()
        if top.type in skipped:
            continue
        if top.child_count:
            stack.extend(reversed(top.children))
        else:
            yield top


def _make_parser() -> "Parser":
    import tree_sitter
    import tree_sitter_c

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))


DECLARATIONS = frozenset(
    {"declaration", "parameter_declaration", "field_declaration", "function_definition", "type_definition"}
)
RECORDS = frozenset({"struct_specifier", "union_specifier", "enum_specifier"})
_WRAPPERS = frozenset(
    {
        "pointer_declarator",
        "array_declarator",
        "function_declarator",
        "parenthesized_declarator",
        "init_declarator",
        "attributed_declarator",
    }
)
_NAMES = frozenset({"identifier", "field_identifier", "type_identifier"})
_SECOND = (b"DEFINE_PER_CPU", b"DECLARE_PER_CPU", b"DEFINE_EVENT", b"DECLARE_EVENT_NOP")
"""Macros whose second argument is the name."""
_HEADS = frozenset({b"LIST_HEAD", b"HLIST_HEAD", b"LLIST_HEAD"})


class Declarator(Struct, frozen=True):
    """One declared name."""

    name: "Node"
    whole: "Node"
    """From the stars to the end of the parameters."""
    is_function: bool
    parameters: "Node | None"
    """Of a function, and of a pointer to one."""


def find_declarator(whole: "Node") -> Declarator | None:
    """The name in a declarator; None where there is none, as in `int` of `f(int)`."""
    node: Node | None = whole
    wrapper = ""
    parameters = None
    while node is not None and node.type in _WRAPPERS:
        wrapper = node.type if node.type != "attributed_declarator" else wrapper
        if node.type == "function_declarator":
            parameters = node.child_by_field_name("parameters")
        node = _inner(node)
    if node is None or node.type not in _NAMES or node.is_missing:
        return None
    return Declarator(node, whole, wrapper == "function_declarator", parameters)


def declarators(declaration: "Node") -> Iterator[Declarator]:
    """What the declaration declares."""
    found = (find_declarator(child) for child in declaration.children_by_field_name("declarator"))
    return (one for one in found if one is not None)


def find_declaration(node_path: NodePath) -> NodePath | None:
    """The declaration of which the name at `spot` is what is declared; None where it is used."""
    node, up = node_path.node, node_path.up
    while up is not None and up.node.type in _WRAPPERS and _inner(up.node) == node:
        node, up = up.node, up.up
    if up is None or up.node.type not in DECLARATIONS:
        return None
    return up if node in up.node.children_by_field_name("declarator") else None


def is_static(code: ParsedCode, declaration: "Node") -> bool:
    """Whether only its own file sees it."""
    return _has_storage(code, declaration, b"static")


def is_extern(code: ParsedCode, declaration: "Node") -> bool:
    """Whether it only announces."""
    return _has_storage(code, declaration, b"extern")


def find_record(declaration: "Node") -> "Node | None":
    """The struct, union or enum that is the type of what is declared."""
    kind = declaration.child_by_field_name("type")
    return kind if kind is not None and kind.type in RECORDS else None


def find_tag(code: ParsedCode, declaration: "Node") -> bytes | None:
    """The `x` of `struct x *name`."""
    record = find_record(declaration)
    tag = record.child_by_field_name("name") if record is not None else None
    return code.text(tag) if tag is not None else None


def find_shape(code: ParsedCode, declaration: "Node", declarator: Declarator) -> bytes | None:
    """What callers and implementations must agree with; None where nothing is called.

    The types and their order count; the names of parameters, attributes and white space do not.
    """
    if declarator.parameters is None:
        return None
    named = {declarator.name.id} | _parameter_names(declarator.whole)
    kind = declaration.child_by_field_name("type")
    tokens = [] if kind is None else list(leaves(kind, frozenset({"comment", "field_declaration_list"})))
    tokens += leaves(declarator.whole, frozenset({"comment", "call_expression", "initializer_list"}))
    attributes = {child.id for child in declarator.whole.children if child.type == "identifier"} - named
    return b" ".join(code.text(token) for token in tokens if token.id not in named and token.id not in attributes)


def declaring_macro(code: ParsedCode, call: "Node") -> tuple["Node", bytes] | None:
    """What a call like `DEFINE_MUTEX(name)` declares: where the name stands, and the name.

    Of `TRACE_EVENT(name, ...)` it is `trace_name`. Nothing says what a macro declares but its own name.
    """
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None or function.type != "identifier":
        return None
    macro = code.text(function)
    is_trace = macro.startswith((b"TRACE_EVENT", b"DEFINE_EVENT", b"DECLARE_TRACE"))
    if not is_trace and not macro.startswith((b"DEFINE_", b"DECLARE_")) and macro not in _HEADS:
        return None
    at = 1 if macro.startswith(_SECOND) else 0
    given = [child for child in arguments.children if child.is_named and child.type != "comment"]
    if len(given) <= at or given[at].type != "identifier":
        return None
    name = code.text(given[at])
    return given[at], b"trace_" + name if is_trace else name


def _inner(node: "Node") -> "Node | None":
    inner = node.child_by_field_name("declarator")
    return inner if inner is not None else next((child for child in node.children if child.is_named), None)


def _has_storage(code: ParsedCode, declaration: "Node", word: bytes) -> bool:
    return any(child.type == "storage_class_specifier" and code.text(child) == word for child in declaration.children)


def _parameter_names(whole: "Node") -> set[int]:
    found: set[int] = set()
    stack = [whole]
    while stack:
        node = stack.pop()
        if node.type == "parameter_declaration":
            found.update(one.name.id for one in declarators(node))
        stack.extend(node.children)
    return found
