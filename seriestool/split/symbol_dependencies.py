# SPDX-License-Identifier: GPL-2.0-or-later
"""Which patch uses a name that an earlier one introduces: names of files, and names in a function."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname, join, normpath

from msgspec import Struct
from msgspec.structs import replace

from seriestool.series.model import path_text
from seriestool.split.dependency_graph import Dependency, DependencyKind
from seriestool.split.outline import Definition, Outline, SymbolKind, SymbolName
from seriestool.split.patched_files import BASE, PatchedFile, PatchReading
from seriestool.split.symbol_uses import LocalDeclaration, SymbolUse


class SymbolEntry(Struct, frozen=True):
    """A name in one file."""

    path: bytes
    name: SymbolName
    definition: Definition
    made: int
    """The patch that introduced it; BASE where it was there before the series."""
    shared: int
    """The patch since which other files see it."""
    reshaped: tuple[int, ...] = ()
    """The patches that changed what callers must agree with."""

    def origin_for(self, path: bytes) -> int | None:
        """The patch that brought the name to the file `path`; None where that does not see it."""
        if path == self.path:
            return self.made
        return self.shared if self.definition.is_shared else None


_Key = tuple[SymbolKind, bytes]


class SymbolTable:
    """The names after the patches that were taken."""

    def __init__(self, base: Mapping[bytes, Outline | None]) -> None:
        self._files: dict[bytes, dict[SymbolName, SymbolEntry]] = {}
        self._by_text: dict[_Key, dict[tuple[bytes, bytes], SymbolEntry]] = {}
        self._unread: set[bytes | None] = {path for path, outline in base.items() if outline is None}
        """Files of which nothing is known so far: what they have later on was there."""
        for path, outline in base.items():
            self._set(
                path,
                {
                    name: SymbolEntry(path=path, name=name, definition=one, made=BASE, shared=BASE)
                    for name, one in (outline or {}).items()
                },
            )

    def find(self, space: SymbolKind, text: bytes) -> Iterable[SymbolEntry]:
        """What is called so, in any file."""
        return self._by_text.get((space, text), {}).values()

    def take(self, stage: PatchReading) -> None:
        """Go on by one patch."""
        before = {
            path: self._files.get(path, {}) for file in stage.files for path in (file.path, file.old_path) if path
        }
        after = {file.path: file for file in stage.files}
        moved = _left_behind(before, after)
        for file in stage.files:
            if file.is_renamed and file.old_path is not None and file.old_path not in after:
                self._set(file.old_path, {})
        for file in stage.files:
            self._take_file(file, before.get(file.old_path or b"", {}), moved, stage.patch)

    def _take_file(
        self,
        file: PatchedFile,
        before: Mapping[SymbolName, SymbolEntry],
        moved: Mapping[SymbolName, SymbolEntry],
        patch: int,
    ) -> None:
        if file.outline is not None:
            made = BASE if self._unread & {file.path, file.old_path} else patch
            self._set(
                file.path,
                dict(
                    _entries(path=file.path, outline=file.outline, before=before, moved=moved, patch=patch, made=made)
                ),
            )
            self._unread -= {file.path, file.old_path}
        elif file.path not in self._files:
            self._unread.add(file.path)

    def _set(self, path: bytes, entries: dict[SymbolName, SymbolEntry]) -> None:
        for name in self._files.pop(path, {}):
            self._by_text[name.space, name.text].pop((path, name.owner), None)
        for name, entry in entries.items():
            self._by_text.setdefault((name.space, name.text), {})[path, name.owner] = entry
        self._files[path] = entries


def _left_behind(
    before: Mapping[bytes, Mapping[SymbolName, SymbolEntry]], after: Mapping[bytes, PatchedFile]
) -> dict[SymbolName, SymbolEntry]:
    """What the patch takes out of a file: where it puts it into another, it is moved and not new."""
    left = {}
    for path, entries in before.items():
        outline = after[path].outline if path in after else {}
        if outline is not None:
            left.update({name: entry for name, entry in entries.items() if name not in outline})
    return left


def _entries(
    path: bytes,
    outline: Outline,
    before: Mapping[SymbolName, SymbolEntry],
    moved: Mapping[SymbolName, SymbolEntry],
    patch: int,
    made: int,
) -> Iterator[tuple[SymbolName, SymbolEntry]]:
    """The names of a file after a patch; `made` is to whom new ones are put down."""
    for name, new in outline.items():
        old = before.get(name)
        if old is None and (found := moved.get(name)) and (found.definition.is_shared or not new.is_shared):
            old = found
        if old is None:
            yield name, SymbolEntry(path=path, name=name, definition=new, made=made, shared=made)
            continue
        shared = old.shared if old.definition.is_shared or not new.is_shared else patch
        entry = replace(old, path=path, name=name, definition=new, shared=shared)
        if old.definition.shapes - new.shapes and new.shapes:
            entry = replace(entry, reshaped=(*old.reshaped, patch))
        yield name, entry


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


_Where = tuple[bytes, bytes]
"""The function and the name."""


class LocalDependencies:
    """What was found so far, patch by patch."""

    def __init__(self) -> None:
        self._fresh: dict[bytes, dict[_Where, list[int]]] = {}
        """Of each file, the patches that introduced a name in a function, in order."""
        self._found: dict[tuple[int, int], set[bytes]] = {}

    def take(self, stage: PatchReading) -> None:
        """Go on by one patch."""
        before = dict(self._fresh)
        for file in stage.files:
            known = {where: list(patches) for where, patches in before.get(file.old_path or b"", {}).items()}
            for local in file.fresh:
                known.setdefault((local.function, local.name), []).append(stage.patch)
            self._fresh[file.path] = known
            for local, origin in _origins(file, known):
                if origin != stage.patch:
                    self._found.setdefault((stage.patch, origin), set()).add(local.name.removesuffix(b":"))

    def found(self) -> tuple[Dependency, ...]:
        """What was found, sorted."""
        return tuple(
            Dependency(*pair, DependencyKind.SCOPE, tuple(sorted(map(path_text, names))))
            for pair, names in sorted(self._found.items())
        )


def _origins(file: PatchedFile, known: dict[_Where, list[int]]) -> Iterator[tuple[LocalDeclaration, int]]:
    """For each local name that is used, the patch that introduced it.

    That is the one which the line of the declaration comes from, unless it only wrote anew what was there: then the
    last one before it that did.
    """
    for local in {use.local for use in file.uses if use.local is not None}:
        line = file.origins[local.row] if local.row < len(file.origins) else 0
        earlier = [patch for patch in known.get((local.function, local.name), ()) if patch <= line]
        if earlier:
            yield local, earlier[-1]
