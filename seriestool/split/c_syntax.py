# SPDX-License-Identifier: GPL-2.0-or-later
"""C as a syntax tree: the only module that knows the parser (tree-sitter and its C grammar).

The parser takes anything, and marks what it does not understand; nothing here raises on odd input. Trees are walked
with stacks of our own, however deep they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node as Node  # noqa: PLC0414 - for the modules that walk the tree
    from tree_sitter import Parser

MOST_BYTES = 2_000_000
"""Larger files are not parsed: the largest that people write in the kernel have half of that, the others are tables."""
MOST_PARSED = 400_000_000
"""Bytes that are parsed of one series, about a minute; files that come after that are not."""
_BYTES_A_STEP = 50
"""The parser reports after each so many bytes of real code twice; of code made to make it slow far more often."""
_CHUNK = 1 << 16
_ENDINGS = (b".c", b".h", b".c.inc", b".h.inc")


@dataclass(frozen=True, slots=True)
class ParsedCode:
    """A file of C and its tree."""

    content: bytes
    root: "Node"

    def text(self, node: "Node") -> bytes:
        """What stands there."""
        return self.content[node.start_byte : node.end_byte]


@dataclass(frozen=True, slots=True)
class NodePath:
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
