# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch uses a name that an earlier one introduces, or whose signature an earlier one changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname, join, normpath

from seriestool.series.model import path_text
from seriestool.split.dependency_graph import Dependency, DependencyKind
from seriestool.split.line_origins import BASE
from seriestool.split.outline import Outline, SymbolKind
from seriestool.split.patched_files import PatchedFile, PatchReading
from seriestool.split.symbol_table import SymbolEntry, SymbolTable
from seriestool.split.symbol_uses import SymbolUse

_VAGUE = (SymbolKind.NAME, SymbolKind.TAG, SymbolKind.MEMBER)
_SOURCES = (b".c", b".S", b".rs")
"""What an object is made of."""


class SymbolDependencies:
    """What was found so far, patch by patch."""

    def __init__(self, base: Mapping[bytes, Outline | None]) -> None:
        self._names = SymbolTable(base)
        self._made_files: dict[bytes, list[tuple[bytes, int]]] = {}
        """By their last component, those that the series makes, and the patch."""
        self._found: dict[tuple[int, int], set[bytes]] = {}

    def take(self, stage: PatchReading) -> None:
        """Go on by one patch."""
        for file in stage.files:
            for use in file.uses:
                text = _plain(use) if use.space is SymbolKind.FILE else use.text
                for origin in set(self._origins(use, file)):
                    self._found.setdefault((stage.patch, origin), set()).add(text)
        self._names.take(stage)
        for file in stage.files:
            if file.old_path is None and not file.is_gone:
                self._made_files.setdefault(_stem(file.path), []).append((file.path, stage.patch))

    def found(self) -> tuple[Dependency, ...]:
        """What was found, sorted."""
        return tuple(
            Dependency(*pair, DependencyKind.SYMBOL, tuple(sorted(map(path_text, names))))
            for pair, names in sorted(self._found.items())
        )

    def _origins(self, use: SymbolUse, file: PatchedFile) -> Iterator[int]:
        """The earlier patches that the use needs."""
        if use.space is SymbolKind.FILE:
            made = self._made_files.get(_stem(_plain(use)), ())
            yield from (patch for path, patch in made if _is_meant(path, use, file.path))
        elif use.local is None:
            for space in _VAGUE if use.is_vague else (use.space,):
                entries = list(self._entries(use, space, file))
                yield from _needed(entries, file.path, use)

    def _entries(self, use: SymbolUse, space: SymbolKind, file: PatchedFile) -> Iterator[SymbolEntry]:
        """What the use can mean where it stands."""
        text = use.text
        known = list(self._names.find(space, text))
        if space is SymbolKind.CONFIG and not known:
            known = list(self._names.find(space, text.removesuffix(b"_MODULE")))
        own = [name for name, one in (file.outline or {}).items() if name[:2] == (space, text) and not one.is_shared]
        for entry in known:
            if use.owner is not None and entry.name.owner not in (use.owner, b""):
                continue
            is_hidden = bool(own) and space is SymbolKind.NAME and entry.path not in (file.path, file.old_path)
            if not is_hidden and (not use.is_body or not entry.definition.has_body):
                yield entry


def _needed(entries: Sequence[SymbolEntry], path: bytes, use: SymbolUse) -> Iterator[int]:
    origins = {origin for entry in entries if (origin := entry.origin_for(path)) is not None}
    if BASE not in origins:
        yield from origins
    if not use.is_vague:
        seen = (entry for entry in entries if entry.origin_for(path) is not None)
        yield from (patch for entry in seen for patch in entry.reshaped)


def _plain(use: SymbolUse) -> bytes:
    """The name of a file as it is written, without what is around it."""
    return use.text.strip(b'<>"')


def _stem(path: bytes) -> bytes:
    """A source file and its object have the same; a header only itself."""
    name = basename(path)
    return name.rpartition(b".")[0] if name.endswith((*_SOURCES, b".o")) else name


def _is_meant(path: bytes, use: SymbolUse, user: bytes) -> bool:
    """Whether the file at `path` is what a file includes, or builds."""
    name = _plain(use)
    beside = normpath(join(dirname(user), name))
    if name.endswith(b".o"):
        return path in _sources(beside)
    return path == beside or path.endswith(b"/include/" + name) or path in _below_include(name)


def _sources(made: bytes) -> Iterable[bytes]:
    return (made.removesuffix(b".o") + ending for ending in _SOURCES)


def _below_include(name: bytes) -> Iterable[bytes]:
    return (b"include/" + name, b"include/uapi/" + name)
